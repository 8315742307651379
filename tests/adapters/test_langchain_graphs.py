"""Graphs of LangGraph: branches, loops, map and reduce, handoffs, subgraphs and questions."""

from __future__ import annotations

import operator
from typing import Annotated, Any, Literal, TypedDict, cast

import anyio
import pytest
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel

import trace_agents as ta
from tests.adapters.speaking import Heard, Speaking, calls, edges, episode, values
from trace_agents.errors import EpisodeFailed, InvalidValue, NotWrappable
from trace_agents.graph import Kind, Text
from trace_agents.tracing.context import Trace
from trace_agents_adapters.detect import langchain
from trace_agents_adapters.langchain import LangChainWorkflow, graph_node


class Topic(TypedDict):
    topic: str


def graph(state: Any, **settings: Any) -> Any:
    return cast("Any", StateGraph(state, **settings))


def nothing(state: object) -> dict[str, Any]:
    return {}


def data(trace: Trace) -> set[tuple[str, str]]:
    """Return the data-flow edges between all but the inputs."""
    found = {(source, target) for source, target, _ in edges(trace.graph())}
    return {(source, target) for source, target in found if source != "input"}


class Joke(TypedDict):
    topic: str
    joke: str
    better: str


def joking(model: Speaking) -> Any:
    def tell(state: Joke) -> dict[str, Any]:
        return {"joke": str(model.invoke(f"Write a joke about {state['topic']}").text)}

    async def improve(state: Joke) -> dict[str, Any]:
        asked = [("system", "Be {funny}."), ("human", f"Improve this joke: {state['joke']}")]
        return {"better": str((await model.ainvoke(asked)).text)}

    made = graph(Joke, input_schema=Topic).add_node("tell", tell).add_node("improve", improve)
    return made.add_edge(START, "tell").add_edge("tell", "improve").compile(name="jokes")


def says_jokes(heard: Heard) -> str:
    return "A first joke told." if "Write" in heard.texts[0] else "A better joke told."


async def test_prompts_inside_node_functions_become_templates_of_the_state() -> None:
    """What an f-string reads of the state is a field; nodes that run later are found as well."""
    model = Speaking(say=says_jokes)
    workflow = LangChainWorkflow(joking(model))
    assert values(workflow) == {
        "tell.user_message": "Write a joke about {topic}",
        "improve.user_message": "Improve this joke: {joke}",
        "improve.system_message": "Be {funny}.",
    }
    assert workflow.parameters()["tell.user_message"].type == Text(placeholders=("topic",))
    assert model.heard == []
    new = {"improve.user_message": "Again: {joke}", "improve.system_message": "Be serious."}
    trace = Trace("e", 1, new)
    await episode(workflow, trace, "green cats")
    assert [heard.texts for heard in model.heard] == [
        ["Write a joke about green cats"],
        ["Be serious.", "Again: A first joke told."],
    ]
    assert data(trace) == {
        ("tell.user_message", "model:tell"),
        ("improve.user_message", "model:improve"),
        ("improve.system_message", "model:improve"),
        ("model:tell", "model:improve"),
        ("model:tell", "jokes"),
        ("model:improve", "jokes"),
    }


class Draft(TypedDict):
    draft: str
    note: str


class Start(TypedDict):
    draft: str


async def test_a_loop_gives_one_call_for_each_round() -> None:
    """A writer and a critic go round twice; each draft came from the note before it."""
    writer = Speaking(say=lambda _: f"Draft number {len(writer.heard)}.")
    critic = Speaking(say=lambda _: "Good enough." if len(critic.heard) > 1 else "Make it longer.")

    def write(state: Draft) -> dict[str, Any]:
        asked = f"Improve: {state['draft']} by {state.get('note', '')}"
        return {"draft": str(writer.invoke([("system", "Write."), ("human", asked)]).text)}

    def judge(state: Draft) -> dict[str, Any]:
        asked = [("system", "Criticise."), ("human", state["draft"])]
        return {"note": str(critic.invoke(asked).text)}

    made = graph(Draft, input_schema=Start).add_node("write", write).add_node("judge", judge)
    made.add_edge(START, "write").add_edge("write", "judge")

    def onward(state: Draft) -> str:
        return END if state["note"].startswith("Good") else "write"

    made.add_conditional_edges("judge", onward, ["write", END])
    workflow = LangChainWorkflow(made.compile(name="loop"))
    assert values(workflow)["write.user_message"] == "Improve: {draft} by {note}"
    trace = Trace("e")
    await episode(workflow, trace, "an empty page")
    assert {
        ("model:write", "model:judge"),
        ("model:judge", "model:write.2"),
        ("model:write.2", "model:judge.2"),
        ("model:write.2", "loop"),
        ("model:judge.2", "loop"),
    } <= data(trace)


class Subjects(TypedDict):
    topic: str
    subjects: list[str]
    jokes: Annotated[list[str], operator.add]
    best: str


class One(TypedDict):
    subject: str


async def test_map_and_reduce_fan_out_and_in() -> None:
    """Each `Send` is a call of its own from the list, and all of them flow into the choice."""

    def say(heard: Heard) -> str:
        if heard.texts[0].startswith("List"):
            return "sleepy cats; loyal dogs"
        if heard.texts[0].startswith("Pick"):
            return "The dogs win this."
        return f"A joke on {heard.texts[0].removeprefix('Joke about ')}."

    model = Speaking(say=say)

    def plan(state: Subjects) -> dict[str, Any]:
        listed = str(model.invoke(f"List subjects of {state['topic']}").text)
        return {"subjects": listed.split("; ")}

    def tell(state: One) -> dict[str, Any]:
        return {"jokes": [str(model.invoke(f"Joke about {state['subject']}").text)]}

    def pick(state: Subjects) -> dict[str, Any]:
        return {"best": str(model.invoke("Pick the best:\n" + "\n".join(state["jokes"])).text)}

    def spread(state: Subjects) -> list[Send]:
        return [Send("tell", {"subject": subject}) for subject in state["subjects"]]

    made = graph(Subjects, input_schema=Topic)
    made.add_node("plan", plan).add_node("tell", tell).add_node("pick", pick)
    made.add_edge(START, "plan").add_conditional_edges("plan", spread, ["tell"])
    workflow = LangChainWorkflow(made.add_edge("tell", "pick").compile(name="best"))
    assert values(workflow) == {
        "plan.user_message": "List subjects of {topic}",
        "tell.user_message": "Joke about {subject}",
        "pick.user_message": "Pick the best:\n{jokes}",
    }
    trace = Trace("e", 1, {"pick.user_message": "Pick one of\n{jokes}"})
    await episode(workflow, trace, "house animals")
    assert model.heard[-1].texts == ["Pick one of\nA joke on sleepy cats.\nA joke on loyal dogs."]
    assert {
        ("model:tell", "model:pick"),
        ("model:tell.2", "model:pick"),
        ("model:pick", "best"),
    } <= data(trace)


async def test_parallel_branches_join() -> None:
    """Two nodes that run in one step both flow into the node after them."""

    class Views(TypedDict):
        topic: str
        views: Annotated[list[str], operator.add]
        end: str

    model = Speaking(say=lambda heard: f"{heard.texts[0].split()[0]} view of it.")

    def pro(state: Views) -> dict[str, Any]:
        return {"views": [str(model.invoke(f"Praise {state['topic']}").text)]}

    def contra(state: Views) -> dict[str, Any]:
        return {"views": [str(model.invoke(f"Blame {state['topic']}").text)]}

    def weigh(state: Views) -> dict[str, Any]:
        return {"end": str(model.invoke("Weigh: " + " / ".join(sorted(state["views"]))).text)}

    made = graph(Views, input_schema=Topic)
    made.add_node("pro", pro).add_node("contra", contra).add_node("weigh", weigh)
    made.add_edge(START, "pro").add_edge(START, "contra").add_edge(["pro", "contra"], "weigh")
    trace = Trace("e")
    await episode(LangChainWorkflow(made.compile(name="debate")), trace, "green tea")
    assert {
        ("model:pro", "model:weigh"),
        ("model:contra", "model:weigh"),
        ("model:weigh", "debate"),
    } <= data(trace)


async def test_a_handoff_goes_on_with_what_was_said() -> None:
    """A node that hands over by `Command`: the next one has a prompt of its own."""
    first = Speaking(say=lambda _: "Flights should do this.")
    second = Speaking(say=lambda _: "The flight is booked.")

    def triage(state: MessagesState) -> Command[Literal["flights"]]:
        said = first.invoke([("system", "Decide who helps."), *state["messages"]])
        return Command(goto="flights", update={"messages": [said]})

    async def flights(state: MessagesState) -> dict[str, Any]:
        asked = [("system", "Book flights."), *state["messages"]]
        return {"messages": [await second.ainvoke(asked)]}

    made = graph(MessagesState).add_node("triage", triage).add_node("flights", flights)
    workflow = LangChainWorkflow(made.add_edge(START, "triage").compile(name="travel"))
    trace = Trace("e", 1, {"flights.system_message": "Be quick."})
    assert await episode(workflow, trace, "Fly me home") == "The flight is booked."
    assert second.heard[0].texts[0] == "Be quick."
    assert data(trace) == {
        ("triage.system_message", "model:triage"),
        ("flights.system_message", "model:flights"),
        ("model:triage", "model:flights"),
        ("model:flights", "travel"),
    }


async def test_agents_with_one_text_are_told_apart_by_their_nodes() -> None:
    """Two unnamed sub-agents with one and the same prompt each get their own value."""
    model = Speaking()
    made = graph(MessagesState)
    for name in ("writer", "critic"):
        made.add_node(name, create_agent(model, [], system_prompt="Be brief."))
    made.add_edge(START, "writer").add_edge("writer", "critic")
    workflow = LangChainWorkflow(made.compile(name="pair"))
    assert list(values(workflow)) == ["writer.system_message", "critic.system_message"]
    new = {"writer.system_message": "W", "critic.system_message": "C"}
    await episode(workflow, Trace("e", 1, new), "Go")
    assert [heard.texts[0] for heard in model.heard] == ["W", "C"]


async def test_a_graph_with_a_tool_node_is_an_agent_too() -> None:
    """The classic loop of model and `ToolNode`: tools bound to the model are parameters."""

    @tool
    def add(first: int, second: int) -> int:
        """Add two numbers."""
        return first + second

    def say(heard: Heard) -> str | AIMessage:
        return "It is 5 in total." if heard.answered else calls("add", first=2, second=3)

    model = Speaking(say=say)
    bound = model.bind_tools([add])

    def think(state: MessagesState) -> dict[str, Any]:
        return {"messages": [bound.invoke([("system", "Compute."), *state["messages"]])]}

    made = graph(MessagesState).add_node("think", think).add_node("tools", ToolNode([add]))
    made.add_edge(START, "think").add_conditional_edges("think", tools_condition)
    workflow = LangChainWorkflow(made.add_edge("tools", "think").compile(name="sums"))
    assert values(workflow) == {
        "think.system_message": "Compute.",
        "think.tools.add.description": "Add two numbers.",
    }
    trace = Trace("e", 1, {"think.tools.add.description": "Sum up."})
    assert await episode(workflow, trace, "Two and three?") == "It is 5 in total."
    assert model.heard[0].tools[0]["function"]["description"] == "Sum up."
    assert {("model:think", "add"), ("add", "model:think.2")} <= data(trace)


def asking(model: Speaking) -> Any:
    def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [("user", str(interrupt("Which city?")))]}

    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke([("system", "Be short."), *state["messages"]])]}

    made = graph(MessagesState).add_node("ask", ask).add_node("answer", answer)
    made.add_edge(START, "ask").add_edge("ask", "answer")
    return made.compile(name="asking", checkpointer=InMemorySaver())


async def test_a_question_is_answered_and_the_run_goes_on() -> None:
    """What `interrupt` asks goes to the workflow's `answer`, and its reply resumes the graph."""
    model = Speaking()
    asked: list[object] = []

    async def answer(question: object) -> str:
        asked.append(question)
        return "Rome it is."

    workflow = LangChainWorkflow(asking(model), answer=answer)
    assert await episode(workflow, Trace("e"), "Hello") == "Answer to: Rome it is."
    assert asked == ["Which city?"]
    assert model.heard[0].texts == ["Be short.", "Hello", "Rome it is."]


async def test_a_question_without_anybody_to_answer_gets_a_sentence() -> None:
    """The sentence says what was asked, and how to answer."""
    with pytest.raises(EpisodeFailed, match=r"'asking' stopped to ask: 'Which city\?'; say who"):
        await episode(LangChainWorkflow(asking(Speaking())), Trace("e"), "Hello")


async def test_a_task_of_text_needs_one_place_in_the_state() -> None:
    """A state of several texts cannot take a bare text, and the sentence says what can."""
    made = graph(Joke).add_node("tell", nothing).add_edge(START, "tell").compile()
    with pytest.raises(InvalidValue, match=r"fields \['topic', 'joke', 'better'\]; give a dict"):
        await LangChainWorkflow(made, name="jokes").run("green cats")


def test_what_is_no_runnable_gets_a_sentence() -> None:
    """A graph that is not compiled, and an object of LangChain that cannot run."""
    with pytest.raises(NotWrappable, match=r"not compiled; wrap graph.compile\(\)"):
        langchain.wrap(StateGraph(MessagesState))
    with pytest.raises(NotWrappable, match="AIMessage is no runnable"):
        langchain.wrap(AIMessage("x"))


async def test_a_factory_builds_a_fresh_graph_for_every_episode() -> None:
    """What one run leaves in a graph's objects, the next one does not see."""
    built: list[Speaking] = []

    def build() -> Any:
        built.append(Speaking(say=says_jokes))
        return joking(built[-1])

    workflow = langchain.wrap_factory(build, build())
    assert workflow.name == "build"
    new = {"tell.user_message": "Tell of {topic}"}
    await episode(workflow, Trace("a", 1, new), "cats")
    await episode(workflow, Trace("b"), "dogs")
    ran = [model.heard[0].texts[0] for model in built if model.heard]
    assert ran == ["Tell of cats", "Write a joke about dogs"]


@ta.bundle(trainable=True, sandbox="unsafe")
def count_words(state: Draft) -> dict[str, Any]:
    """Note how long the draft is."""
    return {"note": f"{len(state['draft'].split())} words so far"}


async def test_the_code_of_a_node_is_a_parameter_and_its_run_is_a_call() -> None:
    """A bundled function as a node: new code runs in one version only, and its value flows on."""
    model = Speaking(say=lambda _: "That is long enough.")

    def judge(state: Draft) -> dict[str, Any]:
        return {"draft": str(model.invoke(f"Is it enough? {state['note']}").text)}

    made = graph(Draft, input_schema=Start)
    made.add_node("count", graph_node(count_words)).add_node("judge", judge)
    made.add_edge(START, "count").add_edge("count", "judge")
    workflow = LangChainWorkflow(made.compile(name="count"))
    assert list(values(workflow)) == ["judge.user_message", "count_words.code"]
    code = str(values(workflow)["count_words.code"]).replace("words", "parts")
    code = code.replace("def count_parts", "def count_words")
    trace = Trace("e", 1, {"count_words.code": code})
    await episode(workflow, trace, "one two three")
    await episode(workflow, Trace("f"), "one two three")
    said = [heard.texts[0] for heard in model.heard]
    assert said == ["Is it enough? 3 parts so far", "Is it enough? 3 words so far"]
    assert {("count_words.code", "count_words"), ("count_words", "model:judge")} <= data(trace)


class Report(BaseModel):
    """A state that is an object."""

    topic: str
    text: str = ""


async def test_a_state_may_be_an_object_and_a_node_a_method() -> None:
    """A pydantic state's fields are the template's, and the model is found behind `self`."""

    class Reporter:
        def __init__(self, model: Speaking) -> None:
            self.model = model

        def write(self, state: Report) -> dict[str, Any]:
            return {"text": str(self.model.invoke(f"Report on {state.topic} now").text)}

    model = Speaking()
    made = graph(Report).add_node("before", nothing).add_node("write", Reporter(model).write)
    made.add_edge(START, "before").add_edge("before", "write")
    workflow = LangChainWorkflow(made.compile(name="reports"))
    assert values(workflow) == {"write.user_message": "Report on {topic} now"}
    trace = Trace("e", 1, {"write.user_message": "What of {topic}?"})
    await episode(workflow, trace, {"topic": "the tides"})
    assert model.heard[0].texts == ["What of the tides?"]


async def test_a_tool_hands_over_to_another_agent() -> None:
    """A handoff tool returns a `Command`; what it says flows into the agent that takes over."""

    def say(heard: Heard) -> str | AIMessage:
        return "At your service." if heard.answered else calls("transfer")

    model = Speaking(say=say)

    @tool
    def transfer(runtime: ToolRuntime[None, dict[str, Any]]) -> Command[str]:
        """Hand over to the cashier."""
        done = ToolMessage("The desk handed over.", tool_call_id=runtime.tool_call_id)
        messages = [*runtime.state["messages"], done]
        return Command(goto="cashier", graph=Command.PARENT, update={"messages": messages})

    made = graph(MessagesState)
    for name, tools in (("desk", [transfer]), ("cashier", [])):
        made.add_node(name, create_agent(model, tools, system_prompt=f"Be a {name}.", name=name))
    workflow = LangChainWorkflow(made.add_edge(START, "desk").compile(name="shop"))
    assert list(values(workflow)) == [
        "desk.system_message",
        "desk.tools.transfer.description",
        "cashier.system_message",
    ]
    trace = Trace("e", 1, {"cashier.system_message": "Be quick."})
    assert await episode(workflow, trace, "I want to pay") == "At your service."
    assert model.heard[-1].texts == ["Be quick.", "I want to pay", "", "The desk handed over."]
    assert {
        ("desk.tools.transfer.description", "model:desk"),
        ("model:desk", "transfer"),
        ("transfer", "model:cashier"),
        ("model:cashier", "shop"),
    } <= data(trace)


async def test_a_function_of_the_functional_api_takes_the_task_as_it_is() -> None:
    """An `entrypoint` with a `task` in it: the prompt is found, and the version reaches it."""
    model = Speaking()

    @task
    def answer(question: str) -> str:
        return str(model.invoke([("system", "Know it all."), ("human", question)]).text)

    @entrypoint()
    def flow(question: str) -> str:
        return answer(question).result()

    workflow = LangChainWorkflow(cast("Any", flow), name="flow")
    assert list(values(workflow)) == ["answer.system_message"]
    trace = Trace("e", 1, {"answer.system_message": "Know nothing."})
    assert await episode(workflow, trace, "Why?") == "Answer to: Why?"
    assert model.heard[0].texts == ["Know nothing.", "Why?"]


async def test_two_versions_of_one_graph_run_at_once() -> None:
    """Twenty episodes of one graph with sync and async nodes: each call has its own version."""
    model = Speaking(say=lambda heard: f"Said: {heard.texts[-1]}")
    workflow = LangChainWorkflow(joking(model))
    workflow.parameters()
    new = "V{} joke on {{topic}}"
    traces = [Trace(f"e{i}", i, {"tell.user_message": new.format(i)}) for i in range(20)]
    async with anyio.create_task_group() as group:
        for trace in traces:
            group.start_soon(episode, workflow, trace, f"subject {trace.episode}")
    for trace in traces:
        said = [str(node.value) for node in trace.graph().of_kind(Kind.LLM_CALL)]
        told = f"V{trace.version} joke on subject {trace.episode}"
        assert said == [f"Said: {told}", f"Said: Improve this joke: Said: {told}"]


async def test_a_cancelled_graph_ends_its_calls_and_makes_no_more() -> None:
    """A run that is cancelled inside its second model call: the call is an error, and ended."""
    called = anyio.Event()

    async def pause() -> None:
        called.set()
        await anyio.sleep_forever()

    model = Speaking(say=says_jokes, pause=pause)
    trace = Trace("e")
    async with anyio.create_task_group() as group:
        group.start_soon(episode, LangChainWorkflow(joking(model)), trace, "green cats")
        await called.wait()
        group.cancel_scope.cancel()
    first, second = trace.graph().of_kind(Kind.LLM_CALL)
    assert first.error is None
    assert second.error is not None
    assert second.error.startswith("CancelledError")
    assert len(model.heard) == 1
    assert not any("never ended" in problem for problem in trace.graph().problems)


async def test_a_models_error_in_a_node_is_in_the_graph() -> None:
    """A node whose model raises fails the run; the call's node says what happened."""

    def say(heard: Heard) -> str:
        if "Improve" in heard.texts[-1]:
            raise ConnectionError("the model is down")
        return "A first joke told."

    trace = Trace("e")
    with pytest.raises(ConnectionError):
        await episode(LangChainWorkflow(joking(Speaking(say=say))), trace, "green cats")
    errors = [node.error for node in trace.graph().of_kind(Kind.LLM_CALL)]
    assert errors == [None, "ConnectionError: the model is down"]

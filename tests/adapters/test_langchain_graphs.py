"""Graphs of LangGraph: branches, loops, map and reduce, handoffs, subgraphs and questions."""

from __future__ import annotations

from typing import Any, TypedDict, cast

import pytest
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Send, interrupt
from pydantic import BaseModel

from tests.adapters.speaking import Heard, Speaking, episode, values
from trace_agents.errors import EpisodeFailed, InvalidValue, NotWrappable
from trace_agents.tracing.context import Trace
from trace_agents_adapters.detect import langchain
from trace_agents_adapters.langchain import LangChainWorkflow


class Topic(TypedDict):
    topic: str


def graph(state: Any, **settings: Any) -> Any:
    return cast("Any", StateGraph(state, **settings))


def nothing(state: object) -> dict[str, Any]:
    return {}


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


class Quays(TypedDict):
    quays: list[str]


def sending(model: Speaking, quays: list[str] | None) -> Any:
    """Return a graph that sends each quay to a node; with `quays` it makes them itself."""

    def plan(state: Quays) -> dict[str, Any]:
        return {} if quays is None else {"quays": quays}

    def spread(state: Quays) -> list[Send]:
        return [Send("praise", {"quay": quay}) for quay in state["quays"]]

    def praise(state: dict[str, str]) -> dict[str, Any]:
        model.invoke([("system", f"You know {state['quay']}."), ("human", "Praise it.")])
        return {}

    made = graph(Quays).add_node("plan", plan).add_node("praise", praise)
    made.add_edge(START, "plan").add_conditional_edges("plan", spread, ["praise"])
    return made.compile(name="quays")


@pytest.mark.parametrize(
    ("quays", "task", "field"),
    [(["North", "South"], [], "quay"), (None, ["North", "South"], "quays")],
)
async def test_what_is_sent_to_a_node_is_a_field(
    quays: list[str] | None, task: list[str], field: str
) -> None:
    """One template, whether the graph makes what it sends or the task brings it."""
    model = Speaking()
    workflow = LangChainWorkflow(sending(model, quays))
    assert values(workflow) == {
        "praise.system_message": f"You know {{{field}}}.",
        "praise.user_message": "Praise it.",
    }
    new = {"praise.system_message": f"See {{{field}}}!"}
    await episode(workflow, Trace("e", 1, new), {"quays": task})
    assert sorted(heard.texts[0] for heard in model.heard) == ["See North!", "See South!"]


def asking(model: Speaking) -> Any:
    def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [("user", str(interrupt("Which city?")))]}

    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke([("system", "Be short."), *state["messages"]])]}

    made = graph(MessagesState).add_node("ask", ask).add_node("answer", answer)
    made.add_edge(START, "ask").add_edge("ask", "answer")
    return made.compile(name="asking", checkpointer=InMemorySaver())


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

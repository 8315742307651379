"""Chains of LangChain: what is found in each sort, what reaches the model, and what flowed."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import (
    Runnable,
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)

from tests.adapters.speaking import Heard, Speaking, Spelling, Writing, edges, episode, values
from trace_agents.errors import InvalidValue
from trace_agents.graph import Kind, Number, Text
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.langchain import LangChainWorkflow

Chain = Runnable[Any, Any]


class Shelf(BaseRetriever):
    """Finds the same two documents for every query."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [
            Document("Bears sleep in winter.\n\nQuestion: is this one?"),
            Document("Bears eat honey daily."),
        ]


def joined(documents: list[Document]) -> str:
    return "\n\n".join(document.page_content for document in documents)


def counting(chain: Any) -> Any:
    """Return the chain untyped: it takes a bare text where it has one field."""
    return chain


def explaining(model: Speaking) -> Chain:
    prompt = ChatPromptTemplate.from_messages(
        [("system", "You know {lang}."), ("human", "Explain this: {topic}")]
    )
    return prompt | model | StrOutputParser()


def answering(model: Speaking) -> Chain:
    prompt = ChatPromptTemplate.from_template("Use this:\n{context}\n\nQuestion: {question}")
    given: dict[str, Any] = {"context": Shelf() | joined, "question": RunnablePassthrough()}
    return given | prompt | model | StrOutputParser()


async def test_a_template_with_a_part_filled_in_keeps_all_its_fields() -> None:
    """What `partial` filled in is a field too; a new text gets it, and the caller's field."""
    model = Speaking()
    prompt = ChatPromptTemplate.from_messages(
        [("system", "You know {lang}."), ("human", "Explain this: {topic}")]
    ).partial(lang="French")
    workflow = LangChainWorkflow(prompt | model, name="c")
    assert values(workflow) == {
        "c.system_message": "You know {lang}.",
        "c.user_message": "Explain this: {topic}",
    }
    assert workflow.parameters()["c.user_message"].type == Text(placeholders=("topic",))
    new = {"c.system_message": "Speak {lang}!", "c.user_message": "What of {topic}?"}
    await episode(workflow, Trace("e", 1, new), "tea ceremonies")
    assert model.heard[0].texts == ["Speak French!", "What of tea ceremonies?"]


def test_a_value_that_loses_a_placeholder_is_refused() -> None:
    """The sentence names the parameter and the field."""
    parameters = LangChainWorkflow(explaining(Speaking()), name="c").parameters()
    with pytest.raises(InvalidValue, match=r"'c.user_message'.*lost its placeholders \['topic'\]"):
        parameters.check({"c.user_message": "Explain it."})


def test_a_frozen_prompt_stays() -> None:
    """A frozen parameter is listed and refuses every new value, with its name."""
    workflow = LangChainWorkflow(explaining(Speaking()), name="c").freeze("*.system_message")
    assert list(workflow.parameters().trainable) == ["c.user_message"]
    with pytest.raises(InvalidValue, match=r"'c.system_message' is frozen"):
        workflow.parameters().check({"c.system_message": "You know {lang} well."})


async def test_what_a_template_was_filled_with_is_known_exactly() -> None:
    """Fields change places although their values hold the text that parts them."""
    model = Speaking(say=lambda _: "Bears sleep all winter long.")
    workflow = LangChainWorkflow(answering(model), name="rag")
    assert list(values(workflow)) == ["rag.user_message"]
    trace = Trace("e", 1, {"rag.user_message": "{question} || {context}"})
    assert await episode(workflow, trace, "When do bears sleep?") == "Bears sleep all winter long."
    context = "Bears sleep in winter.\n\nQuestion: is this one?\n\nBears eat honey daily."
    assert model.heard[0].texts == [f"When do bears sleep? || {context}"]
    graph = trace.graph()
    assert {
        ("rag.user_message", "Speaking", "parameter"),
        ("Shelf", "Speaking", "content"),
        ("Speaking", "rag", "content"),
    } <= edges(graph)
    (found,) = graph.of_kind(Kind.TOOL_CALL)
    assert found.name == "Shelf"


async def test_parallel_branches_each_have_a_template() -> None:
    """Two branches are two parameters and two calls; the output came from both."""
    model = Speaking()
    joke = ChatPromptTemplate.from_template("Tell a joke about {topic}") | model
    poem = PromptTemplate.from_template("Write a poem about {topic}") | model
    workflow = LangChainWorkflow(
        RunnableParallel(joke=joke | StrOutputParser(), poem=poem | StrOutputParser()), name="both"
    )
    assert list(values(workflow)) == ["both.user_message", "both.user_message.2"]
    trace = Trace("e", 1, {"both.user_message.2": "A poem on {topic}"})
    output = await episode(workflow, trace, "green bears")
    assert output == {
        "joke": "Answer to: Tell a joke about green bears",
        "poem": "Answer to: A poem on green bears",
    }
    assert {
        ("both.user_message", "Speaking", "parameter"),
        ("both.user_message.2", "Speaking.2", "parameter"),
        ("Speaking", "both", "content"),
        ("Speaking.2", "both", "content"),
    } <= edges(trace.graph())


async def test_a_model_of_plain_text_is_bound_and_recorded() -> None:
    """A prompt for a completion model is a parameter like any other."""
    model = Writing()
    workflow = LangChainWorkflow(PromptTemplate.from_template("Say {word} twice") | model, name="w")
    trace = Trace("e", 1, {"w.user_message": "Repeat {word} now"})
    assert await episode(workflow, trace, "moonlight") == "Completed: Repeat moonlight now"
    assert model.heard == ["Repeat moonlight now"]
    assert {
        ("w.user_message", "Writing", "parameter"),
        ("Writing", "w", "content"),
    } <= edges(trace.graph())


async def test_a_prompt_inside_a_function_is_found_with_its_fields() -> None:
    """An f-string in a lambda's function becomes a template of the names that it reads."""
    model = Speaking()

    def tell(given: dict[str, str]) -> str:
        return str(model.invoke(f"Please tell {given['subject']} more").text)

    workflow = LangChainWorkflow(RunnableLambda(tell), name="f")
    assert values(workflow) == {"f.user_message": "Please tell {subject} more"}
    trace = Trace("e", 1, {"f.user_message": "More of {subject}!"})
    await episode(workflow, trace, {"subject": "the cat"})
    assert model.heard[-1].texts == ["More of the cat!"]


async def test_all_branches_are_found_and_one_runs() -> None:
    """Both prompts of a branch are parameters; only the one that was read is in the graph."""
    model = Speaking()
    chain = RunnableBranch(
        (lambda given: "tea" in given["q"], ChatPromptTemplate.from_template("Tea: {q}") | model),
        ChatPromptTemplate.from_template("Other: {q}") | model,
    )
    workflow = LangChainWorkflow(chain, name="b")
    assert list(values(workflow).values()) == ["Tea: {q}", "Other: {q}"]
    trace = Trace("e")
    await episode(workflow, trace, "the rules of tea")
    assert trace.read == {"b.user_message"}


async def test_a_retried_call_is_an_error_and_a_second_call() -> None:
    """The first call's node carries the error; the second one gave the output."""

    def say(heard: Heard) -> str:
        if len(model.heard) < 2:
            raise ConnectionError("the model is down")
        return "The answer after all."

    model = Speaking(say=say)
    chain = explaining(model).with_retry(wait_exponential_jitter=False)
    trace = Trace("e")
    workflow = LangChainWorkflow(chain, name="r")
    assert (
        await episode(workflow, trace, {"lang": "Latin", "topic": "x"}) == "The answer after all."
    )
    first, second = trace.graph().of_kind(Kind.LLM_CALL)
    assert first.error == "ConnectionError: the model is down"
    assert second.error is None


async def test_a_fallback_has_a_prompt_of_its_own() -> None:
    """The prompts of all fallbacks are found, and the pinned one is used."""

    def refuse(heard: Heard) -> str:
        raise ValueError("I do not answer that")

    second = Speaking()
    chain = (ChatPromptTemplate.from_template("First: {x}") | Speaking(say=refuse)).with_fallbacks(
        [ChatPromptTemplate.from_template("Second: {x}") | second]
    )
    workflow = LangChainWorkflow(chain, name="f")
    trace = Trace("e", 1, {"f.user_message.2": "Third: {x}"})
    assert await episode(workflow, trace, "a thing") == "Answer to: Third: a thing"
    assert [node.error for node in trace.graph().of_kind(Kind.LLM_CALL)] == [
        "ValueError: I do not answer that",
        None,
    ]


async def test_batches_are_calls_of_their_own() -> None:
    """`batch`, `abatch` and `invoke` in one recording: one call for each input, all bound."""
    model = Speaking()
    chain = counting(ChatPromptTemplate.from_template("Count {x}") | model | StrOutputParser())
    workflow = LangChainWorkflow(chain, name="n")
    trace = Trace("e", 1, {"n.user_message": "COUNT {x}"})
    with recording(trace), workflow.instrumented():
        chain.batch(["one", "two"])
        await chain.abatch(["three", "four"])
        chain.invoke("five")
    expected = {f"COUNT {x}" for x in ("one", "two", "three", "four", "five")}
    assert {heard.texts[0] for heard in model.heard} == expected
    said = {node.value for node in trace.graph().of_kind(Kind.LLM_CALL)}
    assert said == {f"Answer to: {text}" for text in expected}


async def test_every_way_to_stream_is_recorded_once() -> None:
    """`stream`, `astream` and `astream_events` each give one call with the whole answer."""
    model = Spelling(say=lambda _: "one two three")
    chain = counting(ChatPromptTemplate.from_template("Count {x}") | model | StrOutputParser())
    workflow = LangChainWorkflow(chain, name="s")
    trace = Trace("e", 1, {"s.user_message": "COUNT {x}"})
    with recording(trace), workflow.instrumented():
        assert "".join(chain.stream("up")).split() == ["one", "two", "three"]
        assert [piece async for piece in chain.astream("up")][:2] == ["one ", "two "]
        events = [event["event"] async for event in chain.astream_events("up", version="v2")]
    assert events.count("on_chat_model_start") == 1
    assert [heard.texts for heard in model.heard] == [["COUNT up"]] * 3
    said = [str(node.value).strip() for node in trace.graph().of_kind(Kind.LLM_CALL)]
    assert said == ["one two three"] * 3


async def test_a_stream_that_nobody_reads_on_ends_with_its_scope() -> None:
    """A reader that leaves after one piece leaves no span without an end, and no error."""
    model = Spelling(say=lambda _: "one two three")
    chain = counting(ChatPromptTemplate.from_template("Count {x}") | model)
    workflow = LangChainWorkflow(chain, name="s")
    trace = Trace("e")
    with recording(trace), workflow.instrumented():
        pieces = chain.astream("up")
        await anext(pieces)
    (called,) = trace.graph().of_kind(Kind.LLM_CALL)
    assert called.finished
    assert called.error is None
    assert trace.graph().problems == ()


async def test_a_models_setting_is_a_number_where_it_was_asked_for() -> None:
    """The pinned temperature reaches the call; the model object keeps its own."""
    model = Speaking(temperature=0.5)
    chain = ChatPromptTemplate.from_template("Hot {x}") | model
    workflow = LangChainWorkflow(chain, name="t", settings={"temperature": Number(0, 1)})
    parameter = workflow.parameters()["t.temperature"]
    assert (parameter.value, parameter.type) == (0.5, Number(0, 1))
    trace = Trace("e", 1, {"t.temperature": 0.9})
    await episode(workflow, trace, "take")
    assert model.heard[0].settings["temperature"] == 0.9
    assert model.temperature == 0.5
    assert ("t.temperature", "Speaking", "parameter") in edges(trace.graph())


def test_a_setting_that_no_model_has_gets_a_sentence() -> None:
    """Asking for what no model carries names the setting and what to do."""
    chain = ChatPromptTemplate.from_template("Hot {x}") | Speaking()
    workflow = LangChainWorkflow(chain, settings={"temperature": Number(0, 1)})
    with pytest.raises(InvalidValue, match="carries the setting 'temperature'; set it where"):
        workflow.parameters()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_chain_with_a_history_starts_each_episode_without_one() -> None:
    """Each run has a session of its own, which is empty before it and after it."""
    from langchain_core.chat_history import InMemoryChatMessageHistory
    from langchain_core.runnables.history import RunnableWithMessageHistory

    kept: dict[str, InMemoryChatMessageHistory] = {}

    def history(session_id: str) -> InMemoryChatMessageHistory:
        return kept.setdefault(session_id, InMemoryChatMessageHistory())

    model = Speaking()
    prompt = ChatPromptTemplate.from_messages(
        [("system", "You recall."), MessagesPlaceholder("history"), ("human", "{input}")]
    )
    chain = RunnableWithMessageHistory(
        prompt | model, history, input_messages_key="input", history_messages_key="history"
    )
    workflow = LangChainWorkflow(chain, name="h")
    await episode(workflow, Trace("a", 1, {"h.system_message": "You forget."}), "One")
    await episode(workflow, Trace("b"), "Two")
    assert [heard.texts for heard in model.heard] == [
        ["You forget.", "One"],
        ["You recall.", "Two"],
    ]
    assert not any(history.messages for history in kept.values())

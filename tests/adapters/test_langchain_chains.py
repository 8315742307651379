"""Chains of LangChain: what is found in each sort, what reaches the model, and what flowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.example_selectors import LengthBasedExampleSelector
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import (
    ChatPromptTemplate,
    FewShotPromptTemplate,
    MessagesPlaceholder,
    PromptTemplate,
)
from langchain_core.runnables import (
    Runnable,
)

from tests.adapters.speaking import Heard, Speaking, Spelling, Writing, episode, values
from trace_agents.errors import InvalidValue
from trace_agents.graph import Kind, Number, Text
from trace_agents.tracing.context import Trace, recording
from trace_agents_adapters.langchain import LangChainWorkflow, NothingToLearn
from trace_agents_adapters.otel import read_graphs

Chain = Runnable[Any, Any]
PAIR = PromptTemplate.from_template("{word}/{other}")


def counting(chain: Any) -> Any:
    """Return the chain untyped: it takes a bare text where it has one field."""
    return chain


def explaining(model: Speaking) -> Chain:
    prompt = ChatPromptTemplate.from_messages(
        [("system", "You know {lang}."), ("human", "Explain this: {topic}")]
    )
    return prompt | model | StrOutputParser()


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


async def test_a_new_text_may_hold_braces_of_its_own() -> None:
    """JSON in a prompt stays what it is; what a text asks of a field's object is not looked up."""
    model = Speaking()
    workflow = LangChainWorkflow(explaining(model), name="c")
    new = {"c.user_message": 'As {"of": "{topic}", "by": {lang.__class__}}'}
    await episode(workflow, Trace("e", 1, new), {"lang": "Latin", "topic": "tea"})
    assert model.heard[0].texts[1] == 'As {"of": "tea", "by": {lang.__class__}}'


@pytest.mark.parametrize(
    ("text", "syntax"),
    [
        ("{% set a = 1 %}Say {{ a }}", "jinja2"),
        ("{{>x}}", "mustache"),
    ],
)
def test_a_template_that_cannot_change_gets_a_sentence(text: str, syntax: Any) -> None:
    """Parts on which the rest depends: a warning quotes the template."""
    prompt = PromptTemplate(template=text, template_format=syntax, input_variables=[])
    with pytest.warns(NothingToLearn) as told:
        assert not LangChainWorkflow(prompt | Speaking(), name="c").parameters()
    first, *_ = (str(warning.message) for warning in told)
    assert first.startswith(f"the template {text!r} of 'c' stays as it is")


async def test_examples_that_a_selector_chooses_are_one_field() -> None:
    """A selector's choice is filled in where the new text wants it, sync and async alike."""
    examples = [{"word": "tall", "other": "short"}, {"word": "wet", "other": "dry"}]
    selector = LengthBasedExampleSelector(
        examples=examples, example_prompt=PAIR, max_length=15, get_text_length=len
    )
    prompt = FewShotPromptTemplate(
        example_selector=selector,
        example_prompt=PAIR,
        prefix="Opposites:",
        suffix="{word}?",
        input_variables=["word"],
    )
    model = Writing()
    chain: Any = prompt | model
    workflow = LangChainWorkflow(chain, name="c")
    assert values(workflow) == {"c.user_message": "Opposites:\n\n{examples}\n\n{word}?"}
    with recording(Trace("e", 1, {"c.user_message": "{word}: {examples}!"})):
        await workflow.run("dry")
        with workflow.instrumented():
            chain.invoke({"word": "dry"})
    assert model.heard == ["dry: tall/short!"] * 2


def test_examples_that_have_a_field_of_their_name_stay_as_they_are() -> None:
    """A prefix with a field `examples` leaves no name for the examples themselves."""
    prompt = FewShotPromptTemplate(
        examples=[], example_prompt=PAIR, prefix="Of {examples}:", suffix="{word}?"
    )
    with pytest.warns(NothingToLearn, match="'Of {examples}:' of 'c' stays as it is"):
        LangChainWorkflow(prompt | Writing(), name="c").parameters()


async def test_a_chains_graph_is_the_same_live_and_from_its_file(tmp_path: Path) -> None:
    """What several fields were filled with is told exactly, in memory and in the file."""
    workflow = LangChainWorkflow(explaining(Speaking()), name="c")
    trace = Trace("e", 1, {"c.user_message": "Of {topic}, in {lang}"})
    await episode(workflow, trace, {"lang": "old French", "topic": "tea, in a cup"})
    path = tmp_path / "spans.jsonl"
    path.write_text("\n".join(line for each in trace.recorders for line in each.lines()))
    assert read_graphs(path) == [trace.graph()]
    inputs = {node.value for node in trace.graph().of_kind(Kind.INPUT)}
    assert inputs == {"old French", "tea, in a cup"}

"""What was filled into a bound template is told apart from the template."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import FakeListChatModel
from langchain_core.prompts import ChatPromptTemplate

import trace_agents as ta
from trace_agents.graph import Kind
from trace_agents_adapters.otel.dag.filling import filled


@pytest.mark.parametrize(
    ("template", "text", "fields"),
    [
        ("Say {x} now.", "Say tea now.", ["tea"]),
        ("{a}, {b}", "one, two", ["one", "two"]),
        ("No field.", "No field.", []),
        ("No field.", "Another text.", None),
        ("Say {x} now.", "Say tea later.", None),
        ("ab{x}ba", "aba", None),
        ("{x}", "anything", None),
        ('{"json": {x', '{"json": {x', []),
        ("{{kept}} {x}", "{kept} tea", ["tea"]),
    ],
)
def test_fields_lie_between_the_literals(
    template: str, text: str, fields: list[str] | None
) -> None:
    """Each literal is found at its first place; a template of fields alone tells nothing."""
    assert filled([("p", 3), ("q", template)], text) == fields


@given(st.lists(st.text("xyz "), min_size=1, max_size=5))
def test_what_was_filled_in_comes_out_again(values: list[str]) -> None:
    """Where no field holds a literal, the fields are the values."""
    template = "#".join(["<", *["{v}"] * len(values), ">"])
    assert filled([("p", template)], "#".join(["<", *values, ">"])) == values


async def test_the_inputs_of_a_bound_prompt_are_its_fields() -> None:
    """A user's template is a parameter, its fields are inputs, and nothing holds both."""
    prompt: Any = ChatPromptTemplate.from_template("Tell me about {topic} in {style} please.")
    chain = ta.wrap(prompt | FakeListChatModel(responses=["Leaves."]), name="teller")
    changed = {"teller.user_message": "Say {topic} with {style} now."}
    async with ta.applied(chain, changed) as trace:
        await chain.run({"topic": "green tea", "style": "few words"})
    graph = trace.graph()
    assert [n.value for n in graph.of_kind(Kind.INPUT)] == ["green tea", "few words"]
    assert [n.name for n in graph.of_kind(Kind.PARAMETER)] == ["teller.user_message"]

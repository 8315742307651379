"""What the server of the real model makes of tools, without a model."""

from __future__ import annotations

import json

from tests.llm.toolcalls import offer_of, plain

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Rome"}'},
}


def test_a_call_and_an_answer_are_both_offered() -> None:
    """Unless the request wants a call."""
    free, held = (offer_of({"tools": [WEATHER], "tool_choice": c}) for c in ("auto", "required"))
    assert free is not None
    assert held is not None
    assert len(free.schema()["anyOf"]) == 2
    assert len(held.schema()["anyOf"]) == 1
    assert "weather" in held.words()


def test_no_tools_are_no_offer() -> None:
    """Nor are tools that may not be used."""
    assert offer_of({}) is None
    assert offer_of({"tools": [WEATHER], "tool_choice": "none"}) is None


def test_what_was_written_is_read() -> None:
    """A call, an answer, and what was cut short."""
    offer = offer_of({"tools": [WEATHER]})
    assert offer is not None
    called = offer.message('{"tool": "weather", "input": {"city": "Rome"}}')
    assert called["content"] is None
    assert json.loads(called["tool_calls"][0]["function"]["arguments"]) == {"city": "Rome"}
    assert offer.message('{"tool": "answer", "input": {"text": "Hi."}}')["content"] == "Hi."
    assert offer.message('{"tool": "wea')["content"] == '{"tool": "wea'


def test_every_message_becomes_one_that_all_templates_know() -> None:
    """Tools' roles are gone, parts are joined, and neighbours of one role too."""
    told = plain(
        [
            {"role": "developer", "content": "Help."},
            {"role": "user", "content": [{"type": "text", "text": "Rome?"}]},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "Sunny."},
            {"role": "user", "content": "Thanks."},
        ]
    )
    assert [message["role"] for message in told] == ["system", "user", "assistant", "user"]
    assert json.loads(told[2]["content"]) == {"tool": "weather", "input": {"city": "Rome"}}
    assert told[3]["content"] == "The tool's result: Sunny.\n\nThanks."

"""Spans to convert, of any number: the shapes that traces of agents take."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from trace_agents_adapters.otel import SpanRecord

TRACE = "a" * 32
LAST = 10**9
"""When what lasts the whole run ends."""
EPISODE = 5
"""Spans of one small episode."""
TURNS = 6
"""Turns of an agent in a generated conversation; each is three spans."""
_SYSTEM = "You are a travel agent. Ask for the weather before you advise anybody. " * 4
_TOOL = {
    "name": "weather",
    "description": "Return the weather in a town, as a sentence.",
    "parameters": {"type": "object", "properties": {"town": {"type": "string"}}},
}


def said(role: str, *texts: str) -> list[dict[str, object]]:
    """Return one message of the GenAI conventions for each text."""
    return [{"role": role, "parts": [{"type": "text", "content": text}]} for text in texts]


def span(
    number: int, above: int | None = None, end: int | None = None, **about: object
) -> SpanRecord:
    """Return a span whose attributes are GenAI's, written with `_` for `.`."""
    return SpanRecord(
        TRACE,
        f"{number:016x}",
        None if above is None else f"{above:016x}",
        "span",
        start=number * 10,
        end=number * 10 + 5 if end is None else end,
        attributes={f"gen_ai.{key.replace('__', '.')}": value for key, value in about.items()},
    )


def agent(number: int, above: int | None = None, end: int = LAST) -> SpanRecord:
    """Return an agent's run."""
    return span(number, above, end, operation__name="invoke_agent", agent__name="agent")


def chat(number: int, above: int, told: list[dict[str, object]], answer: str) -> SpanRecord:
    """Return a model call with content."""
    return span(
        number,
        above,
        operation__name="chat",
        request__model="m",
        input__messages=json.dumps(told),
        output__messages=json.dumps(said("assistant", answer)),
    )


def wide(count: int) -> list[SpanRecord]:
    """Return one episode: an agent that makes all the calls, each about something else."""
    return [agent(1), *(talked(number, 1) for number in range(2, count + 1))]


def talked(number: int, above: int) -> SpanRecord:
    """Return a call of two short texts that no other has."""
    return chat(number, above, said("user", f"question {number}"), f"the answer to {number}")


def many(count: int) -> list[SpanRecord]:
    """Return episodes of five spans."""
    found: list[SpanRecord] = []
    for first in range(1, count + 1, EPISODE):
        found.append(agent(first, end=(first + EPISODE) * 10))
        found += [talked(number, first) for number in range(first + 1, first + EPISODE)]
    return found


def chain(count: int) -> list[SpanRecord]:
    """Return spans each of which holds the next, with one call at the bottom."""
    runs = [agent(number, number - 1 if number > 1 else None) for number in range(1, count)]
    return [*runs, talked(count, count - 1)]


def small(count: int) -> list[SpanRecord]:
    """Return model calls of one agent without any content."""
    about: dict[str, Any] = {"operation__name": "chat", "request__model": "m"}
    return [agent(1), *(span(number, 1, **about) for number in range(2, count + 1))]


def conversation(count: int) -> list[SpanRecord]:
    """Return calls whose prompts repeat all that was said before."""
    history = said("user", "the first question")
    found = [agent(1)]
    for number in range(2, count + 1):
        answer = f"the answer to {number}"
        found.append(chat(number, 1, history, answer))
        history = [*history, *said("assistant", answer)]
    return found


def real(count: int) -> list[SpanRecord]:
    """Return episodes like those that captures of agents with tools record, with content."""
    found: list[SpanRecord] = []
    while len(found) < count:
        found += episode(len(found) + 1)
    return found


def episode(first: int) -> Iterator[SpanRecord]:
    """Yield an agent that asks a tool in each turn, with a prompt that grows."""
    yield agent(first, end=(first + 3 * TURNS + 1) * 10)
    history = said("user", f"Where should traveller number {first} go this week?")
    for number in range(first + 1, first + 3 * TURNS + 1, 3):
        town, call = f"town {number}", f"call-{number}"
        asked = {"type": "tool_call", "id": call, "name": "weather", "arguments": {"town": town}}
        answer: dict[str, object] = {"role": "assistant", "parts": [asked]}
        yield prompted(number, first, history, [answer])
        result = f"In {town} it rains in the morning, and the afternoon of day {number} is dry."
        yield called(number + 1, first, call, town, result)
        told: dict[str, object] = {"type": "tool_call_response", "id": call, "response": result}
        came: dict[str, object] = {"role": "tool", "parts": [told]}
        history = [*history, answer, came]
        advice = said("assistant", f"For now I would say {town}, because of day {number}. " * 3)
        yield prompted(number + 2, first, history, advice)
        history = [*history, *advice, *said("user", f"What else is there besides {town}?")]


def prompted(
    number: int, above: int, told: list[dict[str, object]], answer: list[dict[str, object]]
) -> SpanRecord:
    """Return a model call with instructions, tools, history and answer."""
    return span(
        number,
        above,
        operation__name="chat",
        provider__name="openai",
        request__model="gpt-4o",
        agent__name="traveller",
        system_instructions=json.dumps([{"type": "text", "content": _SYSTEM}]),
        tool__definitions=json.dumps([_TOOL]),
        input__messages=json.dumps(told),
        output__messages=json.dumps(answer),
        usage__input_tokens=900,
        usage__output_tokens=40,
    )


def called(number: int, above: int, call: str, town: str, result: str) -> SpanRecord:
    """Return a tool call."""
    return span(
        number,
        above,
        operation__name="execute_tool",
        tool__name="weather",
        tool__call__id=call,
        tool__call__arguments=json.dumps({"town": town}),
        tool__call__result=result,
    )


SHAPES: dict[str, Callable[[int], list[SpanRecord]]] = {
    "wide": wide,
    "many": many,
    "chain": chain,
    "small": small,
    "conversation": conversation,
    "real": real,
}
"""What builds each shape."""

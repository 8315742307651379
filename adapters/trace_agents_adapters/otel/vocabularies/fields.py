"""What several vocabularies share: flattened lists, tool definitions, results of tools."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, cast

from trace_agents_adapters.otel.dag.calls import Definition
from trace_agents_adapters.otel.dag.messages import content_text, parts_of
from trace_agents_adapters.otel.dag.values import as_text, items, mapping, parsed, parsed_or_cut
from trace_agents_adapters.otel.records import SpanRecord

Attributes: TypeAlias = Mapping[str, object]

_AGENT = re.compile(r'"lc_agent_name":\s*"([^"]{1,200})"')
_NODE = re.compile(r'"langgraph_node":\s*"([^"]{1,200})"')
_LONGEST_LITERAL = 100_000
_DIGITS = 10
# of the number of an item; more of them are no number that a program wrote


class Attribute:
    """Reads the attributes of one span, and remembers which of them had been cut off."""

    __slots__ = ("_span", "problems")

    def __init__(self, span: SpanRecord) -> None:
        self._span = span
        self.problems: tuple[str, ...] = ()

    def __call__(self, *keys: str) -> object:
        """Return the first of these attributes that there is, parsed where it is JSON."""
        for key in keys:
            value = self._span.attributes.get(key)
            if value is not None:
                data, cut = parsed_or_cut(value)
                if cut:
                    self._cut(key, value)
                return data
        return None

    def _cut(self, key: str, value: object) -> None:
        name, size = self._span.name, len(str(value))
        said = f"{key} of span {name!r} ({self._span.span_id}) was cut off after {size} characters"
        self.problems = (*self.problems, f"{said}; what stands before is read")


def flattened(attributes: Attributes, prefix: str) -> list[tuple[int, Attributes]]:
    """Return a list that is written as `prefix.0.a`, `prefix.0.b`, `prefix.1.a`, by its numbers."""
    start = len(prefix) + 1
    found: dict[int, dict[str, object]] = {}
    for key, value in attributes.items():
        if key.startswith(prefix) and len(key) > start and key[start - 1] == ".":
            number, _, rest = key[start:].partition(".")
            if number.isdecimal() and len(number) < _DIGITS:
                found.setdefault(int(number), {})[rest] = value
    return sorted(found.items())


def definitions(value: object) -> tuple[Definition, ...]:
    """Return the tools that an attribute lists, as JSON text or as data."""
    if value is None:
        return ()
    if isinstance(value, str):
        return _definitions_of_text(value)
    return tuple(d for item in items(value) if (d := definition(parsed(item))) is not None)


@lru_cache(maxsize=512)
def _definitions_of_text(text: str) -> tuple[Definition, ...]:
    data = parsed(text)
    return () if isinstance(data, str) else definitions(data)


def definition(value: object) -> Definition | None:
    """Return one tool in OpenAI's, LangChain's or the GenAI form."""
    whole = mapping(value)
    fields = mapping(whole.get("function")) or whole
    name = fields.get("name")
    if not isinstance(name, str) or not name:
        return None
    return Definition(name, content_text(fields.get("description")), dict(fields))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool gave: its text, and of which call it was the result."""

    text: str | None = None
    id: str = ""
    failed: bool = False


def tool_answer(value: object) -> Answer:
    """Return the result of a tool without LangChain's wrappers."""
    data = parsed(value)
    if data is None:
        return Answer()
    fields = mapping(data)
    if "output" in fields and len(fields) <= 2:
        data = fields["output"]
    answers = [] if isinstance(data, str) else list(parts_of(data, "tool"))
    for part in reversed(answers):
        if part.type == "tool_call_response":
            return Answer(part.text, part.id, part.failed)
    if not fields and isinstance(value, str) and not isinstance(data, str):
        return Answer(value)
    return Answer(None if data is None or data == {} else as_text(data))


def tool_arguments(value: object) -> object:
    """Return a tool's arguments without the wrapper that callbacks put around them."""
    data = parsed(value)
    fields = mapping(data)
    if "input_str" in fields:
        return fields["inputs"] if fields.get("inputs") else literal(str(fields["input_str"]))
    return data


def literal(text: str) -> object:
    """Return the value of a Python literal, and other text as it is."""
    if len(text) > _LONGEST_LITERAL or text[:1] not in "{[":
        return text
    try:
        return cast("object", ast.literal_eval(text))
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return text


def agent_in(metadata: object) -> str | None:
    """Return the agent that LangChain's metadata names, else the graph's node."""
    if not isinstance(metadata, str):
        return None
    found = _AGENT.search(metadata) or _NODE.search(metadata)
    return found[1] if found else None


def first_text(attributes: Attributes, *keys: str) -> str | None:
    """Return the first of these attributes that is text and not empty."""
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, str) and value:
            return value
    return None


def named_values(value: object) -> Iterator[tuple[str, object]]:
    """Yield what was filled into a template, by name."""
    data = parsed(value)
    fields = mapping(data)
    if fields:
        yield from ((str(name), inner) for name, inner in fields.items())
    elif data is not None:
        yield "", data

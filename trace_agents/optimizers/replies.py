"""From a model's reply to typed values: tolerant of form, never of content.

What cannot be read with certainty changes nothing; it becomes a sentence that says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from trace_agents.errors import InvalidValue
from trace_agents.graph import Number, Parameter, Parameters, Text, Values, dump
from trace_agents.graph.types import Editable

_BLOCK = re.compile(
    r"<variable\s*>\s*<name\s*>(?P<tag>[^<]{0,200})</name\s*>"
    r"|<variable\s+name\s*=\s*(?P<quote>[\"'])(?P<attribute>[^<>]{0,200}?)(?P=quote)[^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
_OPEN = re.compile(r"\s*<value\s*>", re.IGNORECASE)
_CLOSE = re.compile(
    r"</value\s*>(?=\s*(?:<(?P<extra>\w+)>[^<>]*</(?P=extra)>\s*)*(?:</variable\s*>|\Z))",
    re.IGNORECASE,
)
_THOUGHT = re.compile(r"<(reasoning|think|thinking)\s*>", re.IGNORECASE)
_FENCE = re.compile(r"\s*```[\w+-]*[ \t]*\n(?P<inside>.*?)\n?[ \t]*```\s*", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_ELIDED = re.compile(
    r"^[ \t]*(#|//)?[ \t]*[\[(<]?(\.{3}|…)[ \t]*\(?(the |all )?(rest|remaining|existing|unchanged"
    r"|same|previous|as before)\b",
    re.IGNORECASE | re.MULTILINE,
)
_EMPTY_WORDS = frozenset(
    {
        "", "same", "none", "null", "n/a", "no change", "no changes", "unchanged", "not changed",
        "keep as is", "same as before", "as before", "value", "new value", "the new value",
        "your new value", "your new value here", "new value here", "tbd", "todo",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a reply says, as far as it can be trusted."""

    changes: Mapping[str, object] = field(default_factory=dict[str, object])
    """Typed new values that differ from the current ones."""
    reasoning: str = ""
    invalid: Mapping[str, str] = field(default_factory=dict[str, str])
    """Why the change of a trainable parameter was not taken: asking again may mend it."""
    problems: tuple[str, ...] = ()
    """Everything else that was dropped, and why."""


def parse_reply(text: str, parameters: Parameters, current: Values) -> Parsed:
    """Return the changes that a reply asks for; never raises for what a model wrote."""
    reasoning, body = _split(text)
    written, broken = _blocks(body)
    changes: dict[str, object] = {}
    invalid: dict[str, str] = {}
    problems: list[str] = []
    for name, why in broken.items():
        _refuse(name, why, parameters, invalid, problems)
    for name, raws in written.items():
        if name in broken or not _allowed(name, parameters, problems):
            continue
        try:
            value = _one_value(raws, parameters[name], current.get(name))
        except InvalidValue as error:
            invalid[name] = str(error)
            continue
        if value != current.get(name):
            changes[name] = value
    if not written and not broken and not reasoning:
        problems.append("the reply has no <variable> block; nothing was changed")
    return Parsed(changes, reasoning, invalid, tuple(problems))


def _split(text: str) -> tuple[str, str]:
    """Return the reasoning and the rest; blocks that the reasoning quotes are not answers."""
    thoughts: list[str] = []
    while True:
        opening, block = _THOUGHT.search(text), _BLOCK.search(text)
        if opening is None or (block is not None and block.start() < opening.start()):
            return "\n".join(thoughts), text
        closing = re.compile(rf"</{opening[1]}\s*>", re.IGNORECASE).search(text, opening.end())
        if closing is None:
            end = block.start() if block is not None else len(text)
            thoughts.append(text[opening.end() : end].strip())
            return "\n".join(thoughts), text[end:]
        thoughts.append(text[opening.end() : closing.start()].strip())
        text = text[closing.end() :]


def _blocks(body: str) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return the raw values by name, and why a block could not be read, by name."""
    written: dict[str, list[str]] = {}
    broken: dict[str, str] = {}
    blocks = list(_BLOCK.finditer(body))
    ends = [*(block.start() for block in blocks), len(body)][1:]
    inside_open = False
    for block, end in zip(blocks, ends, strict=True):
        name = (block["tag"] or block["attribute"] or "").strip(" \t\r\n`'\"")
        value = _between(body[block.end() : end])
        if inside_open:
            broken[name] = "the block began before the one above it was closed"
        elif value is None:
            broken[name] = (
                "the block needs exactly one <value>…</value></variable>; it may be cut off"
            )
        else:
            written.setdefault(name, []).append(value)
        inside_open = value is None
    return written, broken


def _between(segment: str) -> str | None:
    """Return what stands between the value tags, also where it holds a `</value>` of its own."""
    opening = _OPEN.match(segment)
    if opening is None:
        return None
    closings = list(_CLOSE.finditer(segment, opening.end()))
    return segment[opening.end() : closings[0].start()] if len(closings) == 1 else None


def _refuse(
    name: str, why: str, parameters: Parameters, invalid: dict[str, str], problems: list[str]
) -> None:
    if _allowed(name, parameters, problems):
        invalid[name] = why


def _allowed(name: str, parameters: Parameters, problems: list[str]) -> bool:
    if name not in parameters:
        known = ", ".join(parameters.trainable)
        problems.append(f"{name!r} is no variable and was dropped; the variables are: {known}")
    elif parameters[name].frozen:
        problems.append(f"{name!r} is frozen; its change was dropped")
    else:
        return True
    return False


def _one_value(raws: list[str], parameter: Parameter, current: object) -> object:
    values = [_value(raw, parameter, current) for raw in raws]
    if any(value != values[0] for value in values):
        raise InvalidValue("the reply gives two different values; give one")
    return values[0]


def _value(raw: str, parameter: Parameter, current: object) -> object:
    text = _trimmed(raw)
    kept = current.strip() if isinstance(current, str) else dump(current)
    if text.strip() == kept:
        return current
    if isinstance(parameter.type, Text):
        text = _checked_text(text, fenced=kept.startswith("```"))
    else:
        text = _unfenced(text)
    if not text.strip():
        raise InvalidValue("the value is empty")
    if isinstance(parameter.type, Number) and not _NUMBER.fullmatch(text.strip()):
        raise InvalidValue(f"expected a number and nothing beside it, got {text.strip()[:80]!r}")
    elided = _ELIDED.search(text)
    if elided and not (isinstance(current, str) and elided[0].strip() in current):
        raise InvalidValue("the value leaves a part out; write it in full")
    if isinstance(parameter.type, Editable):
        return parameter.type.edit(current, text)
    return parameter.type.parse(text)


def _checked_text(text: str, *, fenced: bool) -> str:
    if not fenced:
        text = _unfenced(text)
    bare = text.strip().strip("()[]<>{}.…*_`\"' \n-").casefold()
    if bare in _EMPTY_WORDS:
        raise InvalidValue("the value is a placeholder; write the text in full or leave it out")
    return text


def _trimmed(raw: str) -> str:
    text = raw.replace("\r\n", "\n").removeprefix("\n").removesuffix("\n")
    inner = text.strip()
    if inner.startswith("<![CDATA[") and inner.endswith("]]>"):
        text = inner[len("<![CDATA[") : -len("]]>")].removeprefix("\n").removesuffix("\n")
    return text


def _unfenced(text: str) -> str:
    """Return what is inside, where the whole text is one fence."""
    match = _FENCE.fullmatch(text)
    return match["inside"] if match and "```" not in match["inside"] else text

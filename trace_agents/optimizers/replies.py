"""Replies in the tagged form: blocks of a name and a value, with anything around them."""

from __future__ import annotations

import re

from trace_agents.graph import Parameters, Values
from trace_agents.optimizers.reading import Parsed, Written, typed

_BLOCK = re.compile(
    r"<variable\s*>\s*<name\s*>(?P<tag>[^<]{0,200})</name\s*>"
    r"|<variable\s+name\s*=\s*(?P<quote>[\"'])(?P<attribute>[^<>]{0,200}?)(?P=quote)[^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
_OPEN = re.compile(r"\s*<value\s*>", re.IGNORECASE)
_CLOSE = re.compile(
    r"</value\s*>(?=\s*(?:<(?P<extra>\w+)>[^<]*</(?P=extra)>\s*)*(?:</variable\s*>|\Z))",
    re.IGNORECASE,
)
_ANY_OPEN = re.compile(r"<value\s*>", re.IGNORECASE)
_ANY_CLOSE = re.compile(r"</value\s*>", re.IGNORECASE)
_THOUGHT = re.compile(r"<(reasoning|think|thinking)\s*>", re.IGNORECASE)


def parse_reply(text: str, parameters: Parameters, current: Values) -> Parsed:
    """Return the changes that a tagged reply asks for; never raises for what a model wrote."""
    reasoning, body = split_thoughts(text)
    values, broken = _blocks(body)
    if not values and not broken:
        values = _alone(body, parameters)
    formless = ""
    if not values and not broken and not reasoning:
        formless = "the reply has no <variable> block"
    return typed(Written(values, broken, reasoning, formless), parameters, current)


def split_thoughts(text: str) -> tuple[str, str]:
    """Return the reasoning and the rest; blocks that the reasoning quotes are not answers."""
    thoughts: list[str] = []
    place, block = 0, _BLOCK.search(text)
    while True:
        opening = _THOUGHT.search(text, place)
        if block is not None and block.start() < place:
            block = _BLOCK.search(text, place)
        if opening is None or (block is not None and block.start() < opening.start()):
            return "\n".join(thoughts), text[place:]
        closing = re.compile(rf"</{opening[1]}\s*>", re.IGNORECASE).search(text, opening.end())
        if closing is None:
            end = block.start() if block is not None else len(text)
            thoughts.append(text[opening.end() : end].strip())
            return "\n".join(thoughts), text[end:]
        thoughts.append(text[opening.end() : closing.start()].strip())
        place = closing.end()


def _blocks(body: str) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return the raw values by name, and why a block could not be read, by name."""
    written: dict[str, list[str]] = {}
    broken: dict[str, str] = {}
    blocks = list(_BLOCK.finditer(body))
    ends = [*(block.start() for block in blocks), len(body)][1:]
    inside_open = False
    for block, end in zip(blocks, ends, strict=True):
        name = (block["tag"] or block["attribute"] or "").strip(" \t\r\n`'\":")
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


def _alone(body: str, parameters: Parameters) -> dict[str, list[str]]:
    """Return the one value without a name, where only one variable can be meant."""
    opening = _ANY_OPEN.findall(body)
    names = list(parameters.trainable)
    if len(names) != 1 or len(opening) != 1 or len(_ANY_CLOSE.findall(body)) != 1:
        return {}
    _, _, rest = body.partition(opening[0])
    closing = _ANY_CLOSE.search(rest)
    return {} if closing is None else {names[0]: [rest[: closing.start()]]}

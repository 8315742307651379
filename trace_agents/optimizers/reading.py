"""From what a model wrote to typed values: tolerant of form, never of content.

What cannot be read with certainty changes nothing; it becomes a sentence that says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from trace_agents.errors import InvalidValue
from trace_agents.graph import Code, Number, Parameter, Parameters, Text, Values, dump
from trace_agents.graph.types import Editable

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
        "your new value", "your new value here", "new value here", "the whole new value", "tbd",
        "todo",
    }
)  # fmt: skip
_REFUSAL = re.compile(
    r"(?:i'm sorry|i am sorry|sorry|i apologi[sz]e|unfortunately|as an ai[\w ]{0,40})?"
    r"[\s,.:;!-]{0,4}(?:but )?"
    r"i (?:cannot|can not|can't|am unable to|am not able to|will not|won't) "
    r"(?:help|assist|comply|fulfil|change|do (?:that|this))\b[^\n]{0,120}",
    re.IGNORECASE,
)
_ESCAPES = {r"\n": "\n", r"\t": "\t", r"\"": '"', r"\'": "'", r"\\": "\\"}
_ESCAPE = re.compile(r"\\[nt\"'\\]")


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
    formless: str = ""
    """Why nothing at all could be read: asking again may mend it."""


@dataclass(frozen=True, slots=True)
class Written:
    """The values of a reply before they are checked: text, or JSON."""

    values: Mapping[str, Sequence[object]]
    """What was written for each name, several where it was written again."""
    broken: Mapping[str, str] = field(default_factory=dict[str, str])
    """Why what was written for a name could not be read."""
    reasoning: str = ""
    formless: str = ""


def typed(written: Written, parameters: Parameters, current: Values) -> Parsed:
    """Return the changes that fit the parameters, and why others do not."""
    changes: dict[str, object] = {}
    problems: list[str] = []
    broken = written.broken.items()
    invalid = {name: why for name, why in broken if _allowed(name, parameters, problems)}
    for name, raws in written.values.items():
        if name in written.broken or not _allowed(name, parameters, problems):
            continue
        try:
            value = _one_value(raws, parameters[name], current.get(name))
        except InvalidValue as error:
            invalid[name] = str(error)
            continue
        if value != current.get(name):
            changes[name] = value
    if written.formless:
        problems.append(f"{written.formless}; nothing was changed")
    return Parsed(changes, written.reasoning, invalid, tuple(problems), written.formless)


def _allowed(name: str, parameters: Parameters, problems: list[str]) -> bool:
    if name not in parameters:
        known = ", ".join(parameters.trainable)
        problems.append(f"{name!r} is no variable and was dropped; the variables are: {known}")
    elif parameters[name].frozen:
        problems.append(f"{name!r} is frozen; its change was dropped")
    else:
        return True
    return False


def _one_value(raws: Sequence[object], parameter: Parameter, current: object) -> object:
    values = [_value(raw, parameter, current) for raw in raws]
    if any(value != values[0] for value in values):
        raise InvalidValue("the reply gives two different values; give one")
    return values[0]


def _value(raw: object, parameter: Parameter, current: object) -> object:
    if isinstance(raw, str):
        return _of_text(raw, parameter, current)
    if raw is None:
        return current
    if isinstance(parameter.type, Editable):
        lines = cast("list[object]", raw) if isinstance(raw, list) else [None]
        if not all(isinstance(line, str) for line in lines):
            raise InvalidValue(f"expected edits as text; {parameter.type.describe()}")
        return parameter.type.edit(current, "\n".join(map(str, lines)))
    return parameter.type.check(raw)


def _of_text(raw: str, parameter: Parameter, current: object) -> object:
    text = _trimmed(raw)
    kept = current.strip() if isinstance(current, str) else dump(current)
    if text.strip() == kept:
        return current
    text = _checked_text(text, kept) if isinstance(parameter.type, Text) else _unfenced(text)
    text = _without_echo(text, parameter, kept)
    if not text.strip():
        raise InvalidValue("the value is empty")
    if isinstance(parameter.type, Number) and not _NUMBER.fullmatch(text.strip()):
        raise InvalidValue(f"expected a number and nothing beside it, got {text.strip()[:80]!r}")
    elided = _ELIDED.search(text)
    if elided and not (isinstance(current, str) and elided[0].strip() in current):
        raise InvalidValue("the value leaves a part out; write it in full")
    if isinstance(parameter.type, Editable):
        return parameter.type.edit(current, text)
    if isinstance(parameter.type, Code):
        return _code(text, parameter.type)
    return parameter.type.parse(text)


def _code(text: str, kind: Code) -> str:
    """Return the code; where it is one of lines whose ends were written as two signs, undone."""
    try:
        return kind.parse(text)
    except InvalidValue as error:
        undone = _ESCAPE.sub(lambda found: _ESCAPES[found[0]], text)
        if undone == text:
            raise
        try:
            return kind.parse(undone)
        except InvalidValue:
            raise error from None


def _without_echo(text: str, parameter: Parameter, kept: str) -> str:
    """Return the value alone, where the reply says `name:` or `name =` again before it."""
    names = "|".join(map(re.escape, {parameter.name, parameter.name.rpartition(".")[2]}))
    echo = re.compile(
        rf"\s*(?P<name>{names}|__code\d*)[ \t]*(?P<sign>:(?!:)|=(?!=))[ \t]*(?P<end>\n|\Z|(?=\S))"
    )
    found = echo.match(text)
    if found is None or echo.match(kept):
        return text
    rest = text[found.end() :]
    if not isinstance(parameter.type, Text):
        return _unfenced(rest)
    # "tone: kind" may be what a text says
    label = found["name"].isalpha() and found["sign"] == ":" and found["end"] == "" and rest
    return text if label else rest


def _checked_text(text: str, kept: str) -> str:
    if not kept.startswith("```"):
        text = _unfenced(text)
    if _refuses(text) and not _refuses(kept):
        raise InvalidValue("the value is a refusal; write the text, or leave the variable out")
    bare = text.strip().strip("()[]<>{}.…*_`\"' \n-").casefold()
    if bare in _EMPTY_WORDS:
        raise InvalidValue("the value is a placeholder; write the text in full or leave it out")
    return text


def _refuses(text: str) -> bool:
    return _REFUSAL.fullmatch(text.strip().replace("\u2019", "'")) is not None


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

"""What came out of a child process, which may have written anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from trace_agents.sandbox.inside.wire import NotPlain
from trace_agents.sandbox.traces import Place


def _no_kwargs() -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a child: a call of the host, a result, or why there is none."""

    name: str | None = None
    """The host's function that is called."""
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(default_factory=_no_kwargs)
    value: object = None
    error: str = ""
    unfit: str = ""
    """Why the result cannot cross."""
    places: tuple[Place, ...] = ()
    printed: str = ""

    @classmethod
    def of(cls, message: object) -> Said:
        """Return the message with its parts in place; `NotPlain` where it is none."""
        if not isinstance(message, dict):
            raise NotPlain("the answer is malformed")
        parts = cast("dict[object, object]", message)
        printed = _text(parts.get("printed", ""))
        if "call" in parts:
            return cls._call(parts)
        if "refused" in parts:
            what = _unhexed(_text(parts["refused"]))
            return cls(error=f"PermissionError: {what!r} is not allowed in this sandbox")
        if "unfit" in parts:
            return cls(unfit=_text(parts["unfit"]) or "it is unfit")
        if "error" in parts:
            error = _text(parts["error"]) or "an error without words"
            return cls(error=error, places=_places(parts.get("places")), printed=printed)
        if "result" not in parts:
            raise NotPlain("the answer is malformed")
        return cls(value=parts["result"])

    @classmethod
    def _call(cls, parts: Mapping[object, object]) -> Said:
        args, kwargs = parts.get("args"), parts.get("kwargs")
        if not isinstance(args, tuple) or not isinstance(kwargs, dict):
            raise NotPlain("its call of the host is malformed")
        named = cast("dict[object, object]", kwargs)
        given = cast("tuple[object, ...]", args)
        return cls(_text(parts["call"]), given, {_text(key): each for key, each in named.items()})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise NotPlain("the answer is malformed")
    return value


def _unhexed(text: str) -> str:
    try:
        return bytes.fromhex(text).decode("utf-8", "replace")
    except ValueError:
        raise NotPlain("the answer is malformed") from None


def _places(value: object) -> tuple[Place, ...]:
    if not isinstance(value, list):
        raise NotPlain("the traceback is malformed")
    return tuple(_place(each) for each in cast("list[object]", value))


def _place(value: object) -> Place:
    match value:
        case (int(line), int(column), int(end), str(function), str(text)):
            return Place(line, column, end, function, text)
        case _:
            raise NotPlain("the traceback is malformed")

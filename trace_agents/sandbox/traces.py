"""Errors of code in a sandbox, in the words and the form that Python itself would use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trace_agents.errors import SandboxError

TAIL = 2_000
"""Characters of what was printed that an error shows."""
LONGEST = 4_000
"""Characters of an error's own message."""


@dataclass(frozen=True, slots=True)
class Place:
    """One frame of a traceback: where in the code it was."""

    line: int
    column: int
    """Counted from 1; 0 where it is not known."""
    end_column: int
    function: str
    text: str
    """The line of source."""


def failed(name: str, said: str, places: Sequence[Place] = (), printed: str = "") -> SandboxError:
    """Return the error of code that raised `said`, with the traceback and what it printed."""
    said = _shortened(said, LONGEST)
    parts = [f"{name} failed in the sandbox: {said}"]
    if places:
        parts += ["Traceback (most recent call last):", *_frames(name, places), said]
    if printed:
        parts += ["It had printed:", _shortened(printed.rstrip("\n"), TAIL)]
    return SandboxError("\n".join(parts))


def not_plain(name: str, what: str, error: ValueError) -> SandboxError:
    """Return the error of a value that cannot go into a sandbox or come out of it."""
    return SandboxError(
        f"{name}: {what} cannot cross the sandbox: {error}; pass and return plain data (None, "
        "bool, int, float, str, bytes, list, tuple, set, dict), or choose sandbox='unsafe'"
    )


def busy(name: str, workers: int, seconds: float) -> SandboxError:
    """Return the error of a call that found no free worker."""
    return SandboxError(
        f"{name}: all {workers} workers of the sandbox stayed busy for {seconds:g} s; give the "
        "sandbox more `workers`, or code that calls itself through the host a sandbox of its own"
    )


def told(error: Exception) -> Exception:
    """Return a host's exception as the code gets it: its built-in type, and its message."""
    kind = type(error)
    if kind.__module__ == "builtins":
        return error
    return RuntimeError(f"{kind.__name__}: {error}")


def _frames(name: str, places: Sequence[Place]) -> list[str]:
    lines: list[str] = []
    repeats = 0
    for before, place in zip([None, *places], places, strict=False):
        repeats = repeats + 1 if place == before else 0
        if repeats < REPEATED:
            lines += _frame(name, place)
        elif repeats == REPEATED:
            lines.append("")
        if repeats >= REPEATED:
            lines[-1] = f"  [Previous line repeated {repeats - REPEATED + 1} more times]"
    return lines


REPEATED = 3
"""How often one frame is written before it is only counted, as Python does."""


def _frame(name: str, place: Place) -> list[str]:
    text = place.text.strip()
    lines = [f'  File "<{name}>", line {place.line}, in {place.function}', f"    {text}"]
    start = place.column - 1 - (len(place.text) - len(place.text.lstrip()))
    width = min(place.end_column - place.column, len(text) - start)
    if place.column and start >= 0 and 0 < width < len(text):  # under all of it says nothing
        lines.append(f"    {' ' * start}{'^' * width}")
    return lines


def _shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]} [...] {text[-(limit // 2) :]}"

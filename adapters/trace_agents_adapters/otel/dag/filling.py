"""What was filled into the fields of a template, read off the text that came of it."""

from __future__ import annotations

import string
from collections.abc import Iterable

Named = Iterable[tuple[str, object]]


def filled(bound: Named, text: str, told: Named = ()) -> list[str] | None:
    """Return the fields of the first bound template that `text` was made of; None if none was.

    A value without fields is a template of which the text is the whole. `told` is what the call
    says that its templates were filled with; without it the text is looked at.
    """
    known = {name: str(value) for name, value in told}
    for _, value in bound:
        if isinstance(value, str) and value.strip():
            fields = _exactly(value, text, known) or _between(value, text)
            if fields is not None:
                return fields
    return None


def _exactly(template: str, text: str, told: dict[str, str]) -> list[str] | None:
    """Return the fields of a template that makes the text with what it was filled with."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name]
        return [told[name] for name in names] if template.format_map(told) == text else None
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return None


def _between(template: str, text: str) -> list[str] | None:
    """Return the texts between a template's literals, each found at its first place; linear."""
    pieces = _literals(template)
    if pieces is None or not text.startswith(pieces[0]) or not any(p.strip() for p in pieces):
        return None
    if len(pieces) == 1:
        return [] if text == pieces[0] else None
    at = len(pieces[0])
    end = len(text) - len(pieces[-1])
    if not text.endswith(pieces[-1]) or end < at:
        return None
    fields: list[str] = []
    for piece in pieces[1:-1]:
        found = text.find(piece, at, end)
        if found < 0:
            return None
        fields.append(text[at:found])
        at = found + len(piece)
    return [*fields, text[at:end]]


def _literals(template: str) -> list[str] | None:
    """Return the texts around a template's fields, one more than there are fields."""
    pieces = [""]
    try:
        for literal, field, _, _ in string.Formatter().parse(template):
            pieces[-1] += literal
            if field is not None:
                pieces.append("")
    except ValueError:  # braces that are no fields: the text stands for itself
        return [template]
    return pieces

"""Templates of every syntax of LangChain as one: text with `{fields}`, as an f-string has them.

What is more than a plain field of mustache or jinja2, such as a section, a loop or a filter,
becomes a field as a whole: LangChain fills it in from the user's own text. A value of a parameter
is therefore never run as a template of those languages, which could run code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from langchain_core.prompts.string import DEFAULT_FORMATTER_MAPPING

from trace_agents_adapters.sites import template_fields

_WORD = re.compile(r"[A-Za-z_]\w*")
_TAG = re.compile(r"\{\{\{.*?\}\}\}|\{\{.*?\}\}", re.DOTALL)
_OPENS = frozenset({"if", "for", "filter", "with", "call"})
_GOES_ON = frozenset({"else", "elif"})


@dataclass(frozen=True, slots=True)
class Plain:
    """A template as text with `{fields}`."""

    text: str
    syntax: str = "f-string"
    parts: Mapping[str, str] = field(default_factory=dict[str, str])
    """By field: what stands in its place in the template's own syntax; nothing for f-strings."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields, in order."""
        return template_fields(self.text) or ()

    def filling(self, given: Mapping[str, object]) -> dict[str, object]:
        """Return what the fields are filled with where the template is filled with `given`."""
        if self.syntax == "f-string":
            return dict(given)
        fill = DEFAULT_FORMATTER_MAPPING[self.syntax]
        return {name: fill(part, **given) for name, part in self.parts.items()}


@lru_cache(maxsize=1024)
def plain(template: str, syntax: str) -> Plain | None:
    """Return a template as plain text with fields; None where it cannot be told apart."""
    if syntax == "f-string":
        return None if template_fields(template) is None else Plain(template)
    pieces = _jinja2(template) if syntax == "jinja2" else _mustache(template)
    return None if pieces is None else _joined(pieces, syntax)


def escaped(text: str) -> str:
    """Return a text that has no fields as a template has it."""
    return text.replace("{", "{{").replace("}", "}}")


def _joined(pieces: Iterable[tuple[bool, str]], syntax: str) -> Plain:
    """Return the template of its pieces: texts, and what is a field."""
    text: list[str] = []
    names: dict[str, str] = {}
    for is_field, piece in pieces:
        if is_field:
            names.setdefault(piece, _name(piece, names.values()))
            text.append("{" + names[piece] + "}")
        else:
            text.append(escaped(piece))
    return Plain("".join(text), syntax, {name: piece for piece, name in names.items()})


def _name(piece: str, taken: Iterable[str]) -> str:
    """Return a name for what stands in a template: its own first words."""
    tag = re.split(r"[}%]\}", piece, maxsplit=1)[0]
    name = wanted = "_".join(_WORD.findall(tag)) or "field"
    number = 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def _mustache(template: str) -> list[tuple[bool, str]] | None:
    pieces: list[tuple[bool, str]] = []
    at = 0
    for start, end in _tags(template):
        if template[start:].startswith(("{{=", "{{>")):  # other delimiters, other templates
            return None
        pieces.append((False, template[at:start]))
        if not template[start:].startswith("{{!"):
            pieces.append((True, template[start:end]))
        at = end
    return [*pieces, (False, template[at:])]


def _tags(template: str) -> Iterator[tuple[int, int]]:
    """Yield where a mustache template's outermost tags and sections begin and end."""
    depth = start = 0
    for tag in _TAG.finditer(template):
        sort = tag[0].strip("{ ")[:1]
        if depth == 0:
            start = tag.start()
        depth += (sort in ("#", "^")) - (sort == "/")
        if depth == 0:
            alone = sort in ("/", "!")
            yield _whole_lines(template, start, tag.end()) if alone else (start, tag.end())


def _whole_lines(template: str, start: int, end: int) -> tuple[int, int]:
    """Return the same place with the rest of its lines, where nothing else stands on them."""
    first = template.rfind("\n", 0, start) + 1
    after = re.compile(r"[ \t]*(?:\n|\Z)").match(template, end)
    if template[first:start].strip(" \t") or after is None:
        return start, end
    return first, after.end()


def _jinja2(template: str) -> list[tuple[bool, str]] | None:
    from jinja2 import Environment  # who has such a template has jinja2

    pieces: list[tuple[bool, str]] = []
    held: list[str] = []
    depth, word = 0, ""
    # jinja2 drops the last line's end
    for _, sort, value in Environment().lex(template.removesuffix("\n")):
        if not depth and (sort == "data" or sort.startswith(("raw", "comment"))):
            pieces += [(False, value)] if sort == "data" else []
            continue
        held.append(value)
        if sort.endswith("_begin"):
            word = ""
        word = word or (value if sort == "name" else "")
        if sort == "block_end":
            step = _depth(word)
            if step is None:
                return None
            depth += step
        if not depth and sort.endswith("_end"):
            pieces.append((True, "".join(held)))
            held = []
    return pieces


def _depth(word: str) -> int | None:
    """Return by how much a block goes deeper; None where the rest of a template depends on it."""
    if word in _OPENS:
        return 1
    if word.startswith("end"):
        return -1
    return 0 if word in _GOES_ON else None

"""A playbook as a parameter: items that are added, edited, dropped and credited one by one.

After "Agentic Context Engineering" (arXiv 2510.04618): small edits keep what a whole rewrite loses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias, cast, runtime_checkable

from trace_agents.errors import InvalidValue
from trace_agents.graph.schema import Schema, check_json, read_json

Item: TypeAlias = dict[str, object]
"""`id`, `text`, and how often it was found `helpful` and `harmful`."""

_LINE = re.compile(
    r"(?P<sign>[+~-]|helpful\b|harmful\b)[ \t]*(?:(?P<id>b\d{1,9})\b:?[ \t]*)?(?P<text>.*)",
    re.IGNORECASE | re.ASCII,
)
_COUNT: Schema = {"type": "integer", "minimum": 0}
_SCHEMA: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "text": {"type": "string", "minLength": 1},
            "helpful": _COUNT,
            "harmful": _COUNT,
        },
        "required": ["id", "text", "helpful", "harmful"],
        "additionalProperties": False,
    },
}


@runtime_checkable
class Editable(Protocol):
    """A type of which a model writes edits, and not the whole value."""

    def edit(self, current: object, text: str) -> object:
        """Return `current` with the edits of `text`, or raise `InvalidValue`."""
        ...


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of items, each with an id, a text and two counters; see `Bullets.of`."""

    kind: ClassVar[str] = "bullets"
    max_items: int = 50
    max_length: int = 500
    """Characters of one item."""

    @staticmethod
    def of(*texts: str) -> list[Item]:
        """Return a playbook of these texts, which nobody has credited yet."""
        return [_item(number, text) for number, text in enumerate(texts, 1)]

    @staticmethod
    def text(value: Sequence[Mapping[str, object]]) -> str:
        """Return the items as an agent reads them: one line each."""
        return "\n".join(f"- {item['text']}" for item in value)

    def check(self, value: object) -> list[Item]:
        """Return a copy of the playbook, or raise `InvalidValue`."""
        items = cast("list[Item]", check_json(value, _SCHEMA))
        if len(items) > self.max_items:
            raise InvalidValue(f"expected at most {self.max_items} items, got {len(items)}")
        for place, item in enumerate(items):
            self._check_item(item, items[:place])
        return items

    def _check_item(self, item: Item, before: list[Item]) -> None:
        name, text = str(item["id"]), str(item["text"])
        if not re.fullmatch(r"b\d{1,9}", name, re.ASCII):
            raise InvalidValue(f"an id is b and a number, not {name!r}")
        if not text.strip() or "\n" in text or len(text) > self.max_length:
            raise InvalidValue(
                f"{name}: expected one line of at most {self.max_length} characters, "
                f"got {text[:80]!r}"
            )
        for other in before:
            if other["id"] == name or other["text"] == text:
                raise InvalidValue(f"{name}: the item {other['id']} has the same id or text")

    def parse(self, text: str) -> list[Item]:
        """Return the playbook that `text` writes in JSON."""
        return self.check(read_json(text))

    def edit(self, current: object, text: str) -> list[Item]:
        """Return the playbook with the edits of `text`, all of them or, by `InvalidValue`, none."""
        items = {str(item["id"]): item for item in self.check(current)}
        for line in filter(None, map(str.strip, text.splitlines())):
            self._apply(items, line)
        return self.check(list(items.values()))

    def _apply(self, items: dict[str, Item], line: str) -> None:
        found = _LINE.fullmatch(line)
        if found is None:
            raise InvalidValue(f"{line[:80]!r} is no edit; {self.describe()}")
        sign, name, text = found["sign"].casefold(), (found["id"] or "").casefold(), found["text"]
        if sign == "+":
            number = 1 + max((int(known[1:]) for known in items), default=0)
            items[f"b{number}"] = _item(number, line[1:].strip())
        elif name not in items:
            raise InvalidValue(f"{line[:80]!r}: the ids are {', '.join(items) or 'none'}")
        elif sign == "~":
            items[name] = {**items[name], "text": text.strip()}
        elif text.strip():
            raise InvalidValue(f"{line[:80]!r}: expected nothing after the id")
        elif sign == "-":
            del items[name]
        else:
            items[name] = {**items[name], sign: int(str(items[name][sign])) + 1}

    def describe(self) -> str:
        """Return the constraint as one sentence."""
        return (
            f"a list of at most {self.max_items} items of one line each; write only edits, one on "
            "a line: `+ text` adds an item, `~ b2 text` rewrites b2, `- b2` drops it, "
            "`helpful b2` and `harmful b2` count what it did"
        )

    def to_json(self) -> dict[str, object]:
        """Return the type as a JSON object."""
        return {"kind": self.kind, "max_items": self.max_items, "max_length": self.max_length}


def is_playbook(value: object) -> bool:
    """Tell whether a value has the form of what `Bullets.of` returns, with at least one item."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return bool(items) and all(map(_is_item, items))


def _is_item(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    item = cast("dict[object, object]", value)
    name = item.get("id")
    return item.keys() == _item(0, "").keys() and isinstance(name, str) and name[:1] == "b"


def _item(number: int, text: str) -> Item:
    return {"id": f"b{number}", "text": text, "helpful": 0, "harmful": 0}

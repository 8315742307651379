"""What a parameter's type is: the check before a value is run or stored."""

from __future__ import annotations

import json
from typing import ClassVar, Protocol, runtime_checkable


@runtime_checkable
class ValueType(Protocol):
    """The type of a parameter: what is checked before a value is run or stored."""

    kind: ClassVar[str]

    def check(self, value: object) -> object:
        """Return `value` in its stored form, or raise `InvalidValue`."""
        ...

    def parse(self, text: str) -> object:
        """Return the value that a model wrote as `text`, or raise `InvalidValue`."""
        ...

    def describe(self) -> str:
        """Return the constraint as one sentence for a model."""
        ...

    def to_json(self) -> dict[str, object]:
        """Return a JSON object from which `type_from_json` makes an equal type."""
        ...


def dump(value: object) -> str:
    """Return `value` as a model reads and writes it: text as it is, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value)

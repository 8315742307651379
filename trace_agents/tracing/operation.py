"""What made a node."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

NOTHING: Mapping[str, object] = MappingProxyType({})
"""The plain arguments of an operation that had none; one for all."""


class Operation(NamedTuple):
    """What made a node: shared by all nodes that the same call in the program made."""

    name: str
    description: str = ""
    labels: tuple[str, ...] = ()
    """The argument's name of each parent."""

    def unrecorded(self) -> Operation:
        """Return the operation as a node without parents has it."""
        return self._replace(labels=()) if self.labels else self


@lru_cache(maxsize=4096)
def operation(name: str, description: str, labels: tuple[str, ...]) -> Operation:
    """Return the one record of an operation."""
    return Operation(name, description, labels)

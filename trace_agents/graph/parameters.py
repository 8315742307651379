"""Parameters: what may change between episodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TypeAlias

from trace_agents.errors import InvalidValue, UnknownParameter
from trace_agents.graph.types import ValueType, type_of

Values: TypeAlias = Mapping[str, object]
"""Parameter values by name: what one version binds."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that may change: its name, its first value, and the type that guards it."""

    name: str
    """Unique in its workflow; dots make the path, as in `writer.system_message`."""
    value: object
    type: ValueType = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    """Taken from the value where it is not given."""
    description: str = ""
    """What the parameter is for, in a sentence that a model can use."""
    frozen: bool = False
    """A frozen parameter is shown and never changed."""

    def __post_init__(self) -> None:
        if self.type is None:  # pyright: ignore[reportUnnecessaryComparison]
            object.__setattr__(self, "type", type_of(self.value))
        elif isinstance(self.type, type) or not callable(getattr(self.type, "check", None)):
            raise InvalidValue(
                f"parameter {self.name!r}: its type is one such as Text() or Number(0, 1), not "
                f"{self.type!r}; what the value is for goes into description="
            )
        try:
            object.__setattr__(self, "value", self.type.check(self.value))
        except InvalidValue as error:
            raise InvalidValue(f"parameter {self.name!r}: {error}") from None


class Parameters(Mapping[str, Parameter]):
    """The parameters of a workflow, by name; immutable, narrowed by `only` and `freeze`."""

    __slots__ = ("_by_name",)

    def __init__(self, parameters: Iterable[Parameter] = ()) -> None:
        self._by_name: dict[str, Parameter] = {}
        for parameter in parameters:
            if parameter.name in self._by_name:
                raise InvalidValue(f"two parameters are named {parameter.name!r}; rename one")
            self._by_name[parameter.name] = parameter

    def __getitem__(self, name: str) -> Parameter:
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownParameter(name, self._by_name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"Parameters({list(self._by_name.values())!r})"

    @property
    def trainable(self) -> Parameters:
        """Those that are not frozen."""
        return Parameters(p for p in self.values() if not p.frozen)

    def only(self, *patterns: str) -> Parameters:
        """Freeze every parameter whose name matches none of the glob `patterns`.

        Raises:
            UnknownParameter: a pattern matches no parameter.
        """
        kept = self._matching(patterns)
        return Parameters(replace(p, frozen=p.frozen or p.name not in kept) for p in self.values())

    def freeze(self, *patterns: str) -> Parameters:
        """Freeze every parameter whose name matches one of the glob `patterns`.

        Raises:
            UnknownParameter: a pattern matches no parameter.
        """
        gone = self._matching(patterns)
        return Parameters(replace(p, frozen=p.frozen or p.name in gone) for p in self.values())

    def defaults(self) -> dict[str, object]:
        """Return every parameter's first value: version 0."""
        return {name: parameter.value for name, parameter in self.items()}

    def check(self, values: Values) -> dict[str, object]:
        """Return `values` checked by type, completed with the first values.

        Raises:
            UnknownParameter: a name that no parameter has.
            InvalidValue: a value that does not fit, or a new value for a frozen parameter.
        """
        checked = self.defaults()
        for name, value in values.items():
            parameter = self[name]
            try:
                checked[name] = parameter.type.check(value)
            except InvalidValue as error:
                raise InvalidValue(f"parameter {name!r}: {error}") from None
            if parameter.frozen and checked[name] != parameter.value:
                raise InvalidValue(f"parameter {name!r} is frozen; its value stays")
        return checked

    def _matching(self, patterns: tuple[str, ...]) -> set[str]:
        found: set[str] = set()
        for pattern in patterns:
            matches = {name for name in self if fnmatchcase(name, pattern)}
            if not matches:
                raise UnknownParameter(pattern, self)
            found |= matches
        return found

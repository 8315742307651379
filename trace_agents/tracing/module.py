"""`Module` and `@model`: an object whose attributes hold parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar, cast

from trace_agents.errors import InvalidValue, UnknownParameter
from trace_agents.tracing.bundle import Bundle
from trace_agents.tracing.parameters import ParameterNode

SCHEMA = 1


class Module:
    """An object that finds its parameters: in attributes, nested modules, lists and dicts."""

    def parameters(self) -> list[ParameterNode]:
        """Return the parameters, each once."""
        return list(self.parameters_dict().values())

    def parameters_dict(self) -> dict[str, ParameterNode]:
        """Return the parameters by their path, such as `writer.prompt`."""
        return dict(_walk(self, "", set()))

    def save(self, path: str | Path) -> None:
        """Write the values as JSON."""
        values = {name: parameter.data for name, parameter in self.parameters_dict().items()}
        Path(path).write_text(json.dumps({"schema": SCHEMA, "values": values}, indent=2) + "\n")

    def load(self, path: str | Path) -> None:
        """Read values that `save` wrote; all of them, or none.

        Raises:
            InvalidValue: the file is none of ours, or a value does not fit.
            UnknownParameter: the file has a value for a parameter that is not here.
        """
        try:
            content = cast("dict[str, object]", json.loads(Path(path).read_text()))
            if content.get("schema") != SCHEMA:
                raise InvalidValue(f"{path}: expected schema {SCHEMA}")
            values = cast("dict[str, object]", content["values"])
        except (json.JSONDecodeError, KeyError, AttributeError) as error:
            raise InvalidValue(f"{path} holds no saved parameters: {error}") from None
        here = self.parameters_dict()
        for name, value in values.items():
            if name not in here:
                raise UnknownParameter(name, here)
            here[name].parameter.type.check(value)
        for name, value in values.items():
            here[name].set(value)


def _walk(value: object, path: str, seen: set[int]) -> Iterator[tuple[str, ParameterNode]]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, ParameterNode):
        yield path, value
        return
    for name, inner in _children(value):
        yield from _walk(inner, f"{path}.{name}" if path else name, seen)


def _children(value: object) -> list[tuple[str, object]]:
    if isinstance(value, Bundle):
        return [("code", code) for code in cast("Bundle[..., object]", value).parameters()]
    if isinstance(value, Module):
        own = list(vars(value).items())
        methods = {n: m for c in reversed(type(value).__mro__) for n, m in vars(c).items()}
        return own + [(n, m) for n, m in methods.items() if isinstance(m, Bundle)]
    if isinstance(value, dict):
        return [(str(key), inner) for key, inner in cast("dict[object, object]", value).items()]
    if isinstance(value, list | tuple):
        return [(str(index), inner) for index, inner in enumerate(cast("list[object]", value))]
    return []


C = TypeVar("C", bound=type)


def model(cls: C) -> C:
    """Return the class as a `Module`: its instances find and save their parameters."""
    return cast(
        C, type(cls.__name__, (cls, Module), {"__doc__": cls.__doc__, "__module__": cls.__module__})
    )

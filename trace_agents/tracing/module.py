"""`Module` and `@model`: an object whose attributes hold parameters."""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import trace_agents.tracing.export as export  # its names are imported when asked for
from trace_agents.errors import InvalidValue, UnknownParameter
from trace_agents.tracing.bundle import INSTANCE_CODE, Bundle
from trace_agents.tracing.context import stop_tracing
from trace_agents.tracing.parameters import ParameterNode

SCHEMA = 1


class Module:
    """An object that finds its parameters: in attributes, nested modules, lists and dicts.

    Calling it calls `forward`.
    """

    training: bool = True
    """Whether calls of this object are recorded; `train` and `eval` switch it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call `forward`; unrecorded after `eval()`."""
        forward = getattr(self, "forward", None)
        if forward is None:
            raise NotImplementedError(
                f"{type(self).__name__} has no method forward; write one, or call its own methods"
            )
        if self.training:
            return forward(*args, **kwargs)
        with stop_tracing():
            result = forward(*args, **kwargs)
        return _unrecorded(result) if inspect.isawaitable(result) else result

    def parameters(self) -> list[ParameterNode]:
        """Return the parameters, each once."""
        return list(self.parameters_dict().values())

    def parameters_dict(self) -> dict[str, ParameterNode]:
        """Return the parameters by their path, such as `writer.prompt`."""
        return dict(_walk(self, "", set()))

    def train(self, mode: bool = True) -> Self:
        """Record calls of this object and of the modules in it, or stop doing so."""
        for module in _modules(self, set()):
            module.training = mode
        return self

    def eval(self) -> Self:
        """Stop recording calls of this object and of the modules in it: they compute as before."""
        return self.train(False)

    def copy(self) -> Self:
        """Return a deep copy: its parameters have the same names and values, and change apart."""
        return copy.deepcopy(self)

    def export(self, path: str | Path | None = None) -> str:
        """Return the class as plain Python with what was learnt in it; write it where asked.

        Raises:
            InvalidValue: the source of the class cannot be read.
        """
        source = export.export_source(list(_modules(self, set())), self.parameters_dict())
        if path is not None:
            Path(path).write_text(source)
        return source

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


async def _unrecorded(result: Awaitable[Any]) -> Any:
    with stop_tracing():
        return await result


def _walk(value: object, path: str, seen: set[int]) -> Iterator[tuple[str, ParameterNode]]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, ParameterNode):
        yield path, value
        return
    for name, inner in _children(value):
        yield from _walk(inner, f"{path}.{name}" if path else name, seen)


def _modules(value: object, seen: set[int]) -> Iterator[Module]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Module):
        yield value
    for _, inner in _children(value):
        yield from _modules(inner, seen)


def _children(value: object) -> list[tuple[str, object]]:
    if isinstance(value, Bundle):
        return [("code", code) for code in cast("Bundle[..., object]", value).parameters()]
    if isinstance(value, Module):
        own = {name: inner for name, inner in vars(value).items() if name != INSTANCE_CODE}
        shared = {n: m for c in reversed(type(value).__mro__) for n, m in vars(c).items()}
        found = ((n, _member(m, value)) for n, m in shared.items() if n not in own)
        return [*own.items(), *((name, inner) for name, inner in found if inner is not None)]
    if isinstance(value, dict):
        return [(str(key), inner) for key, inner in cast("dict[object, object]", value).items()]
    if isinstance(value, list | tuple):
        return [(str(index), inner) for index, inner in enumerate(cast("list[object]", value))]
    return []


def _member(member: object, owner: Module) -> object | None:
    """Return what may hold parameters of an attribute of the class."""
    if isinstance(member, ParameterNode):
        return member
    if isinstance(member, staticmethod | classmethod):  # called without an object to have its own
        inner = cast("staticmethod[..., object] | classmethod[Any, ..., object]", member).__func__
        return cast("Bundle[..., object]", inner) if isinstance(inner, Bundle) else None
    return cast("Bundle[..., object]", member).of(owner) if isinstance(member, Bundle) else None


C = TypeVar("C", bound=type)


def model(cls: C) -> C:
    """Return the class as a `Module`: its instances find and save their parameters."""
    names = {name: getattr(cls, name) for name in ("__doc__", "__module__", "__qualname__")}
    return cast(C, type(cls.__name__, (cls, Module), names))

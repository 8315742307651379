"""What the expressions of a source are bound to: live objects, and which were nodes."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from types import FunctionType
from typing import Final, Protocol, cast, runtime_checkable

from trace_agents.tracing.export.unit import (
    LIBRARY,
    FunctionDef,
    Unit,
    arguments,
    bindings,
    unbound,
)
from trace_agents.tracing.nodes import Node
from trace_agents.tracing.parameters import ParameterNode


class Unknown:
    """What nothing is known of."""


UNKNOWN: Final = Unknown()


@runtime_checkable
class Bundled(Protocol):
    """What an export needs to know of a bundled function."""

    def of(self, instance: object) -> Bundled:
        """Return the function as one object has it."""
        ...

    def parameters(self) -> tuple[ParameterNode, ...]:
        """Return the code, if it is trainable."""
        ...


class Known:
    """The names of one file, of the class and of the functions around the place that is read.

    It looks objects up where they lie, and runs nothing: no property, no method.
    """

    def __init__(self, unit: Unit, objects: Sequence[object]) -> None:
        self.unit = unit
        self.objects = objects
        """The modules that are exported together, the outermost first."""
        self.owner: type | None = None
        """The class around, if any."""
        self._scopes: list[dict[str, object]] = []

    @contextmanager
    def inside_class(self, name: str) -> Generator[type | None]:
        """Read the body of a class."""
        outer = self.owner
        kinds = (kind for known in self.objects for kind in type(known).__mro__)
        found = next((kind for kind in kinds if kind.__name__ == name), None)
        self.owner = found or cast("type | None", self.unit.values.get(name))
        yield self.owner
        self.owner = outer

    @contextmanager
    def inside_function(self, node: FunctionDef, *, plain: bool) -> Generator[None]:
        """Read a function; a `plain` body gets values, another may be given nodes."""
        given = arguments(node.args)
        scope: dict[str, object] = {
            arg.arg: not plain and self._may_be_node(arg.annotation) for arg in given
        }
        if self.owner is not None and not self._scopes and given and not _is_static(node):
            scope[given[0].arg] = self.sample(self.owner)
        with self.inside(scope):
            yield

    @contextmanager
    def inside(self, scope: dict[str, object]) -> Generator[None]:
        """Read something with names of its own: objects, or whether they are nodes."""
        self._scopes.append(scope)
        yield
        self._scopes.pop()

    def bind(self, target: ast.expr, value: ast.expr) -> None:
        """Note what the names of an assignment, or of a loop, are from here on."""
        if self._scopes:
            is_node = self.is_node(value)
            self._scopes[-1].update((name, is_node) for name in bindings(target))

    def sample(self, kind: type) -> object:
        """Return the first exported object of a class; the class where there is none."""
        return next((known for known in self.objects if isinstance(known, kind)), kind)

    def is_node(self, expression: ast.expr) -> bool:
        """Return whether `expression` was a node, or a container of nodes."""
        live = self.live(expression)
        if live is not UNKNOWN:
            return isinstance(live, Node) or _holds_node(live)
        match expression:
            case ast.Name(id=name):
                return self._local(name) is True
            case ast.Call(func=function):
                return self._returns_node(function)
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Await(value=inner):
                return self.is_node(inner)
            case ast.BinOp() | ast.UnaryOp() | ast.Compare() | ast.IfExp() | ast.NamedExpr():
                parts = ast.iter_child_nodes(expression)
                return any(self.is_node(part) for part in parts if isinstance(part, ast.expr))
            case _:
                return False

    def live(self, expression: ast.expr) -> object:
        """Return the object that `expression` is bound to now, as far as that is known."""
        match expression:
            case ast.Name(id=name):
                found = self._local(name)
                if found is None:
                    return self.unit.values.get(name, UNKNOWN)
                return UNKNOWN if isinstance(found, bool) else found
            case ast.Attribute(value=inner, attr=name):
                owner = self.live(inner)
                if owner is UNKNOWN or isinstance(owner, Node):
                    return UNKNOWN
                return unbound(inspect.getattr_static(owner, name, UNKNOWN))
            case ast.Subscript(value=inner, slice=key):
                return item(self.live(inner), key)
            case _:
                return UNKNOWN

    def is_of_module(self, expression: ast.Attribute) -> bool:
        """Return whether `expression` is a method that an exported object has from this library."""
        if not self._is_exported(self.live(expression.value)):
            return False
        member = self.live(expression)
        home = member.__module__ if isinstance(member, FunctionType) else ""
        return home.partition(".")[0] == LIBRARY

    def codes(self, name: str) -> list[ParameterNode]:
        """Return the code of a bundled function, as each exported object has it."""
        if self.owner is None:
            found = self.unit.values.get(name)
            return list(found.parameters()) if isinstance(found, Bundled) else []
        found = inspect.getattr_static(self.owner, name, None)
        member = unbound(found)
        if not isinstance(member, Bundled):
            return []
        if member is not found:  # static and class methods have one code for all objects
            return list(member.parameters())
        owners = [known for known in self.objects if isinstance(known, self.owner)]
        return [code for owner in owners for code in member.of(owner).parameters()]

    def _returns_node(self, function: ast.expr) -> bool:
        if self.unit.is_library(function, "node"):
            return True
        live = self.live(function)
        if live is UNKNOWN:
            return isinstance(function, ast.Attribute) and self.is_node(function.value)
        if isinstance(live, Bundled) or self._is_exported(live):
            return True
        # a plain method of an exported object hands on what bundled ones made
        return isinstance(function, ast.Attribute) and self._is_exported(self.live(function.value))

    def _is_exported(self, value: object) -> bool:
        return any(value is known for known in self.objects)

    def _local(self, name: str) -> object:
        return next((scope[name] for scope in reversed(self._scopes) if name in scope), None)

    def _may_be_node(self, annotation: ast.expr | None) -> bool:
        return annotation is None or self.unit.uses_library(annotation) is not None


def item(container: object, key: ast.expr | None) -> object:
    """Return an item of a container; where the key is not written down, some item."""
    if isinstance(container, dict):
        items = cast("dict[object, object]", container)
        if isinstance(key, ast.Constant):
            return items.get(key.value, UNKNOWN)
        return _first(items.values())
    if isinstance(container, list | tuple):
        return _first(cast("Sequence[object]", container))
    return UNKNOWN


def _first(items: Iterable[object]) -> object:
    return next(iter(items), UNKNOWN)


def _holds_node(value: object) -> bool:
    return isinstance(item(value, None), Node)


def _is_static(node: FunctionDef) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)

"""One source file as an export sees it: its statements, its live globals, its library names."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType, UnionType
from typing import TypeAlias, cast

from trace_agents.errors import InvalidValue

LIBRARY = "trace_agents"
FunctionDef: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Unit:
    """A source file, parsed, and what its names are bound to now."""

    tree: ast.Module
    values: Mapping[str, object]

    @cached_property
    def library(self) -> Mapping[str, str]:
        """What each name that was imported from this library stands for."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                found.update(_of_library(node))
        return found

    @cached_property
    def bound(self) -> Mapping[str, list[int]]:
        """The top-level statements that bind each name, by their place in the file."""
        found: dict[str, list[int]] = {}
        for place, statement in enumerate(self.tree.body):
            if not _is_main(statement):
                for name in bindings(statement):
                    found.setdefault(name, []).append(place)
        return found

    def dotted(self, expression: ast.AST) -> str | None:
        """Return the full name of something that comes from this library, if it does."""
        if isinstance(expression, ast.Name):
            return self.library.get(expression.id)
        if isinstance(expression, ast.Attribute):
            owner = self.dotted(expression.value)
            return f"{owner}.{expression.attr}" if owner else None
        return None

    def is_library(self, expression: ast.AST, name: str) -> bool:
        """Return whether `expression` is this library's `name`."""
        dotted = self.dotted(expression)
        return dotted is not None and dotted.rpartition(".")[2] == name

    def uses_library(self, expression: ast.AST) -> str | None:
        """Return the first name of this library in `expression`, if there is one."""
        found = (self.dotted(node) for node in ast.walk(expression))
        return next((name for name in found if name), None)


def unit_of(target: object, function: Callable[..., object] | None) -> Unit:
    """Return the file in which a class or function was written.

    Args:
        target: the class or function; errors name it.
        function: a function of that file, where one is known.

    Raises:
        InvalidValue: the source cannot be read.
    """
    label = getattr(target, "__qualname__", repr(target))
    try:
        if isinstance(function, FunctionType):
            values = function.__globals__
            lines = linecache.getlines(function.__code__.co_filename, values)
        else:
            module = sys.modules[cast(type, target).__module__]
            values = vars(module)
            lines = inspect.getsource(module).splitlines(keepends=True)
        tree = ast.parse("".join(lines))
    except (OSError, TypeError, KeyError, SyntaxError) as error:
        raise unreadable(label) from error
    if not tree.body:
        raise unreadable(label)
    return Unit(tree, values)


def unreadable(label: str) -> InvalidValue:
    """Return the error for a source that is nowhere."""
    return InvalidValue(f"the source of {label!r} cannot be read; define it in a file")


def methods(owner: type) -> Iterator[FunctionType]:
    """Yield the functions that were written in the body of a class, without their wrappers."""
    for kind in owner.__mro__:
        if kind.__qualname__ == owner.__qualname__:
            for member in vars(kind).values():
                inner = inspect.unwrap(getattr(member, "fget", None) or unbound(member))
                if isinstance(inner, FunctionType) and _belongs(inner, owner):
                    yield inner


def unbound(member: object) -> Callable[..., object]:
    """Return what a static or class method wraps; anything else as it is."""
    return cast("Callable[..., object]", getattr(member, "__func__", member))


def definition(unit: Unit, name: str, line: int | None, kind: type | UnionType) -> ast.stmt:
    """Return the innermost definition of that name around a line, decorators included.

    Raises:
        InvalidValue: there is none.
    """
    found = [
        node
        for node in ast.walk(unit.tree)
        if isinstance(node, ast.stmt)
        and isinstance(node, kind)
        and getattr(node, "name", "") == name
        and _around(node, line)
    ]
    if not found:
        raise unreadable(name)
    return max(found, key=lambda node: node.lineno)


def bindings(statement: ast.AST) -> set[str]:
    """Return the names that a statement binds in its scope."""
    if isinstance(statement, FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    own = {cast(ast.Name, statement).id} if _is_store(statement) else set[str]()
    return own.union(*(bindings(child) for child in ast.iter_child_nodes(statement)))


def loads(statement: ast.AST) -> set[str]:
    """Return the names that a statement reads, and those it takes from annotations."""
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def names_inside(statement: ast.AST) -> set[str]:
    """Return every name that is bound anywhere in a statement."""
    found: set[str] = set()
    for node in ast.walk(statement):
        if _is_store(node):
            found.add(cast(ast.Name, node).id)
        name: object = getattr(node, "arg", None) or getattr(node, "name", None)
        if isinstance(name, str):
            found.add(getattr(node, "asname", None) or name)
    return found


def arguments(args: ast.arguments) -> list[ast.arg]:
    """Return all arguments of a function, in order."""
    more = [arg for arg in (args.vararg, args.kwarg) if arg is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *more]


def _is_store(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _around(node: ast.stmt, line: int | None) -> bool:
    decorators = cast("list[ast.expr]", getattr(node, "decorator_list", []))
    first = min([node.lineno, *(d.lineno for d in decorators)])
    return line is None or first <= line <= (node.end_lineno or node.lineno)


def _belongs(function: FunctionType, owner: type) -> bool:
    return function.__qualname__.rpartition(".")[0] == owner.__qualname__


def _of_library(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            full = f"{node.module or ''}.{alias.name}"
            name = alias.asname or alias.name
        else:
            full = alias.name if alias.asname else alias.name.partition(".")[0]
            name = alias.asname or full
        if full.partition(".")[0] == LIBRARY and not getattr(node, "level", 0):
            yield name, full


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in loads(statement.test)

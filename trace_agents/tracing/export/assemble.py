"""From a learnt object to a source file that runs on its own."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, TypeVar, cast

from trace_agents.errors import InvalidValue
from trace_agents.tracing.export.known import Bundled, Known
from trace_agents.tracing.export.rewrite import Rewriter, literal
from trace_agents.tracing.export.unit import (
    LIBRARY,
    FunctionDef,
    definition,
    loads,
    methods,
    names_inside,
    unbound,
    unit_of,
)
from trace_agents.tracing.nodes import Node
from trace_agents.tracing.parameters import ParameterNode

S = TypeVar("S", bound=ast.stmt)


def export_source(modules: Sequence[object], parameters: Mapping[str, ParameterNode]) -> str:
    """Return the class of a module as plain Python with what was learnt in it.

    Args:
        modules: the module, and then those in it.
        parameters: the module's parameters by path.

    Raises:
        InvalidValue: the source cannot be read, or has a part with no plain form.
    """
    owner = type(modules[0])
    known = next(methods(owner), None)
    unit = unit_of(owner, known)
    line = known.__code__.co_firstlineno if known is not None else None
    found = cast(ast.ClassDef, definition(unit, owner.__name__, line, ast.ClassDef))
    assembly = _Assembly(Known(unit, modules))
    made = assembly.add(found)
    assembly.add_what_is_needed()
    assembly.place_others(made, modules[0], parameters)
    return assembly.text(owner.__qualname__)


def export_function(function: Callable[..., object], code: ParameterNode | None) -> str:
    """Return a function as plain Python, with the code that was learnt, and what it needs.

    Raises:
        InvalidValue: the source cannot be read, or has a part with no plain form.
    """
    inner = inspect.unwrap(function)
    label = getattr(inner, "__qualname__", repr(inner))
    if not isinstance(inner, FunctionType):
        raise InvalidValue(f"{label!r} is no function with a source of its own")
    unit = unit_of(inner, inner)
    line = inner.__code__.co_firstlineno
    found = cast(FunctionDef, definition(unit, inner.__name__, line, FunctionDef))
    if code is not None:
        learnt = cast(FunctionDef, ast.parse(cast(str, code.raw)).body[0])
        found.args, found.body = learnt.args, learnt.body
    assembly = _Assembly(Known(unit, ()))
    assembly.add(found)
    assembly.add_what_is_needed()
    return assembly.text(label)


class _Assembly:
    """The statements that belong together, in the order of their file."""

    def __init__(self, known: Known) -> None:
        self._unit = known.unit
        self._rewriter = Rewriter(known)
        self._made: dict[int, ast.stmt] = {}
        """By the place in the file; what lies in a function comes last."""
        self._missing: set[str] = set()

    def add(self, statement: S) -> S:
        """Keep a statement, rewritten."""
        top = self._unit.tree.body
        place = next((i for i, each in enumerate(top) if each is statement), len(top))
        made = cast(S, self._rewriter.visit(statement))
        for node in ast.walk(made):
            name = self._unit.dotted(node)
            if name:
                raise InvalidValue(
                    f"line {getattr(node, 'lineno', '?')} uses {name}, which has no form without "
                    "the library; move it out of what is exported"
                )
        self._made[place] = made
        return made

    def add_what_is_needed(self) -> None:
        """Keep the imports and definitions of the file that the kept statements use."""
        pending = list(self._made.values())
        seen: set[str] = set()
        while pending:
            statement = pending.pop()
            inside = names_inside(statement)
            for name in sorted(loads(statement) - seen):
                places = self._unit.bound.get(name, [])
                if places or name not in inside:
                    seen.add(name)
                    pending += self._brought(name, places)

    def place_others(
        self, made: ast.ClassDef, root: object, parameters: Mapping[str, ParameterNode]
    ) -> None:
        """Set what has no place in the source, such as items made in a loop, after `__init__`."""
        lines: list[ast.stmt] = []
        for path, parameter in parameters.items():
            if id(parameter) not in self._rewriter.placed:
                target = _target(root, path)
                if target is not None:
                    lines.append(ast.Assign([target], literal(parameter), lineno=0))
                elif parameter.raw != parameter.parameter.value:
                    raise InvalidValue(
                        f"the learnt code of {path!r} has no place in {made.name!r}; make it a "
                        "method, or export the function by itself"
                    )
        if lines:
            _initializer(made).body += lines

    def text(self, label: str) -> str:
        """Return the source."""
        future = [s for s in self._unit.tree.body if _is_future(s)]
        parts = [f"# {label}, as it was learnt"]
        if self._missing:
            parts[0] += "\n# needs: " + ", ".join(sorted(self._missing))
        parts += [ast.unparse(each) for each in future]
        for place in sorted(self._made):
            statement = ast.fix_missing_locations(self._made[place])
            space = "\n\n" if isinstance(statement, FunctionDef | ast.ClassDef) else ""
            parts.append(space + ast.unparse(statement))
        return "\n".join(parts) + "\n"

    def _brought(self, name: str, places: list[int]) -> list[ast.stmt]:
        """Keep the statements that bind `name`, and return those that are new."""
        if not places and not hasattr(builtins, name):
            self._missing.add(name)
        new: list[ast.stmt] = []
        for place in places:
            statement = self._unit.tree.body[place]
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self._import(place, statement, name)
            elif place not in self._made:
                new.append(self.add(statement))
        return new

    def _import(self, place: int, statement: ast.Import | ast.ImportFrom, name: str) -> None:
        if _is_future(statement):
            return
        if _needs_library(self._unit.values.get(name)):
            raise InvalidValue(
                f"{name!r} is imported and is built on this library; export it by itself, or "
                "define it in the same file"
            )
        wanted = [a for a in statement.names if name in (a.asname, a.name.partition(".")[0])]
        kept = self._made.get(place)
        names = [*kept.names, *wanted] if isinstance(kept, type(statement)) else wanted
        if isinstance(statement, ast.ImportFrom):
            self._made[place] = ast.ImportFrom(statement.module, names, statement.level)
        else:
            self._made[place] = ast.Import(names)


def _needs_library(value: object) -> bool:
    if isinstance(value, Node | Bundled):
        return True
    kinds = value.__mro__ if isinstance(value, type) else type(value).__mro__
    return any(kind.__module__.partition(".")[0] == LIBRARY for kind in kinds)


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _target(root: object, path: str) -> ast.expr | None:
    """Return the expression, from `self`, of what lies at a path; none for code of a function.

    Raises:
        InvalidValue: it lies in a tuple, which nothing can be assigned to.
    """
    found: ast.expr = ast.Name("self", ast.Load())
    here, rest = root, path
    while rest:
        if isinstance(here, tuple):
            raise InvalidValue(f"the tuple around {path!r} cannot be changed; make it a list")
        if isinstance(here, dict | list):
            key, here = _entry(cast("dict[object, object] | list[object]", here), rest)
            found = ast.Subscript(found, cast(ast.expr, ast.Constant(key)), ast.Load())
            rest = rest[len(str(key)) + 1 :]
        else:
            name, _, rest = rest.partition(".")
            here = cast(object, inspect.getattr_static(here, name))
            if isinstance(unbound(here), Bundled):
                return None
            found = ast.Attribute(found, name, ast.Load())
    return found


def _entry(container: dict[object, object] | list[object], path: str) -> tuple[Any, object]:
    """Return the key with which a path begins, and what lies there."""
    pairs = container.items() if isinstance(container, dict) else enumerate(container)
    return next((k, v) for k, v in pairs if f"{path}.".startswith(f"{k}."))


def _initializer(made: ast.ClassDef) -> FunctionDef:
    for statement in made.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            return statement
    added = cast(ast.FunctionDef, ast.parse(_INIT).body[0])
    made.body.append(added)
    return added


_INIT = """
def __init__(self, *args, **kwargs):
    super().__init__(*args, **kwargs)
"""

"""What a function refers to: the objects behind its free variables, globals and defaults."""

from __future__ import annotations

import functools
import sysconfig
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, MethodType
from typing import cast

_LIBRARIES = tuple({sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")})
"""Where code lies that is not the user's."""


def referred(function: object) -> Iterator[object]:
    """Yield the objects that a function of the user's may call or read."""
    if isinstance(function, functools.partial):
        whole = cast("functools.partial[object]", function)
        yield from (whole.func, *whole.args, *whole.keywords.values())
    elif isinstance(function, MethodType):
        yield from (
            _spread(vars(function.__self__)) if hasattr(function.__self__, "__dict__") else ()
        )
        yield from referred(function.__func__)
    elif isinstance(function, FunctionType):
        if not is_library(function):
            yield from _of_function(function)
    elif callable(function) and hasattr(function, "__dict__"):
        # an object with `__call__`: what it holds
        yield from _spread(vars(function))


def is_library(function: FunctionType) -> bool:
    """Tell whether a function is not the user's own."""
    root = str(function.__module__).partition(".")[0]
    return root.startswith("trace_agents") or function.__code__.co_filename.startswith(_LIBRARIES)


def _of_function(function: FunctionType) -> Iterator[object]:
    wrapped: object = getattr(function, "__wrapped__", None)
    if wrapped is not None:
        yield wrapped
    free: dict[str, object] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            free[name] = cell.cell_contents
        except ValueError:  # a variable that has no value yet
            continue
    yield from _spread(free)
    known = function.__globals__
    used = dict.fromkeys(_names(function.__code__))
    yield from _spread({name: known[name] for name in used if name in known})
    yield from function.__defaults__ or ()


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _spread(values: Mapping[str, object]) -> Iterator[object]:
    for value in values.values():
        yield value
        if isinstance(value, list | tuple):
            yield from cast("list[object]", value)
        elif isinstance(value, dict):
            yield from cast("dict[str, object]", value).values()

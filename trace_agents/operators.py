"""Operations that are no operators or methods of a node.

A choice, containers made of nodes, a function over nested containers, and one call of a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias, cast

from trace_agents.errors import InvalidValue
from trace_agents.llm import Message, Model, as_model, counted
from trace_agents.tracing import bundle

Container: TypeAlias = dict[object, object] | list[object] | tuple[object, ...]


@bundle
def cond(condition: object, a: object, b: object) -> object:
    """Return a if the condition is true, else b."""
    return a if condition else b


@bundle
def make_list(*items: object) -> list[object]:
    """Return a list of the items."""
    return list(items)


@bundle
def make_tuple(*items: object) -> tuple[object, ...]:
    """Return a tuple of the items."""
    return items


@bundle
def make_set(*items: object) -> set[object]:
    """Return a set of the items."""
    return set(items)


@bundle
def make_dict(**items: object) -> dict[str, object]:
    """Return a dict of the items."""
    return items


@bundle
def to_list(x: Iterable[object]) -> list[object]:
    """Return the items of x as a list."""
    return list(x)


@bundle
def to_tuple(x: Iterable[object]) -> tuple[object, ...]:
    """Return the items of x as a tuple."""
    return tuple(x)


@bundle
def to_set(x: Iterable[object]) -> set[object]:
    """Return the items of x as a set."""
    return set(x)


@bundle
def to_dict(x: Mapping[object, object] | Iterable[tuple[object, object]]) -> dict[object, object]:
    """Return x, or its pairs, as a dict."""
    return dict(x)


@bundle
async def call_llm(model: Model | str, system_prompt: str, *user_prompts: str) -> str:
    """Ask a language model: a system prompt, then one user message each; return its words."""
    messages = [Message(role="system", content=system_prompt)]
    messages += [Message(role="user", content=prompt) for prompt in user_prompts]
    return (await counted(as_model(model), messages)).text


def apply(function: Callable[..., object], *args: object) -> object:
    """Return `function` of every item of nested dicts, lists and tuples, in their shape.

    Containers among the arguments are walked together; anything else, a node too, goes to every
    call.

    Raises:
        InvalidValue: two containers of different shapes.
    """
    containers = [cast(Container, arg) for arg in args if isinstance(arg, dict | list | tuple)]
    if not containers:
        return function(*args)
    shape, *others = containers
    keys = _keys(shape)
    for other in others:
        if type(other) is not type(shape) or set(_keys(other)) != set(keys):
            raise InvalidValue(f"cannot walk {shape!r} and {other!r} together: the shapes differ")
    parts = [apply(function, *(_part(arg, key) for arg in args)) for key in keys]
    if isinstance(shape, dict):
        return dict(zip(keys, parts, strict=True))
    return parts if isinstance(shape, list) else tuple(parts)


def _keys(container: Container) -> list[object]:
    return list(container if isinstance(container, dict) else range(len(container)))


def _part(arg: object, key: object) -> object:
    if isinstance(arg, dict):
        return cast("dict[object, object]", arg)[key]
    if isinstance(arg, list | tuple):
        return cast("Sequence[object]", arg)[cast(int, key)]
    return arg

"""The limits at which AutoGen ends a run: bound where a condition is made, in the episode."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import cast

from autogen_agentchat.conditions import (
    MaxMessageTermination,
    TimeoutTermination,
    TokenUsageTermination,
)

from trace_agents.graph import Number
from trace_agents.tracing.context import current_trace
from trace_agents_adapters import boundary
from trace_agents_adapters.patches import Method, Wrapping
from trace_agents_adapters.sites import Site

_ARGUMENTS: Mapping[type, tuple[str, ...]] = {
    MaxMessageTermination: ("max_messages",),
    TokenUsageTermination: ("max_total_token", "max_prompt_token", "max_completion_token"),
    TimeoutTermination: ("timeout_seconds",),
}
_MORE = 4
"""How many times its first value a limit may become."""

_made: ContextVar[_Made | None] = ContextVar("trace_agents_autogen_limits", default=None)


class _Made:
    """The conditions that one run made so far, and the limits that were bound in them."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.bound: dict[str, object] = {}


@contextmanager
def binding() -> Generator[Mapping[str, object]]:
    """Bind the limits of the conditions that are made inside; gives those that were bound."""
    made = _Made()
    token = _made.set(made)
    try:
        yield made.bound
    finally:
        _made.reset(token)


def site_of(condition: type, argument: str, value: float) -> Site:
    """Return the site of one limit."""
    whole = condition is not TimeoutTermination
    number = Number(1 if whole else min(value, 1.0), _MORE * value, integer=whole)
    key = f"{condition.__name__}.{argument}"
    return Site(f"termination.{argument}", "", "limit", json.dumps(value), key, number=number)


def limits_of(condition: object, config: Mapping[str, object]) -> Generator[Site]:
    """Yield the sites of a condition that is described by `config`."""
    for argument in _ARGUMENTS.get(type(condition), ()):
        value = config.get(argument)
        if isinstance(value, int | float):
            yield site_of(type(condition), argument, value)


def _bound(made: _Made, condition: type, argument: str, value: object) -> object:
    """Return the pinned limit in place of a first one."""
    trace, key = current_trace(), f"{condition.__name__}.{argument}"
    sites = [site for site in boundary.current_sites().at("limit") if site.tool == key]
    at = made.count[key]
    made.count[key] += 1
    same = [site for site in sites if json.loads(site.text) == value]
    if trace is None or not same:
        return value
    # conditions are made in one order every time; a value that fits is the second clue
    site = sites[at] if at < len(sites) and sites[at] in same else same[0]
    pinned = trace.value_of(site.name, value)
    made.bound[site.name] = pinned
    return pinned


def _wrap_init(condition: type, arguments: tuple[str, ...]) -> Callable[[Method], Method]:
    def wrapping(original: Method) -> Method:
        init = cast("Callable[..., None]", original)
        signature = inspect.signature(init)

        @wraps(init)
        def bound_init(self: object, *args: object, **settings: object) -> None:
            made = _made.get()
            if made is None:
                init(self, *args, **settings)
                return
            call = signature.bind(self, *args, **settings)
            for argument in arguments:
                if call.arguments.get(argument) is not None:
                    first = call.arguments[argument]
                    call.arguments[argument] = _bound(made, condition, argument, first)
            init(*call.args, **call.kwargs)

        return bound_init

    return wrapping


WRAPPINGS: tuple[tuple[type, tuple[Wrapping, ...]], ...] = tuple(
    (condition, (("__init__", _wrap_init(condition, arguments)),))
    for condition, arguments in _ARGUMENTS.items()
)
"""What is wrapped while a workflow is instrumented."""

"""The code of tools as parameters: a user's own runs as it is, new code runs in the sandbox."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import lru_cache, wraps
from types import CodeType, MethodType
from typing import Any, TypeAlias, cast

from trace_agents.errors import InvalidValue
from trace_agents.graph import Code
from trace_agents.sandbox import (
    Job,
    Sandbox,
    SandboxName,
    UnsafeSandbox,
    call,
    call_async,
    sandbox_of,
)
from trace_agents.tracing.context import current_trace
from trace_agents.tracing.source import source_of
from trace_agents_adapters.boundary import current_sites
from trace_agents_adapters.sites import Site

Function: TypeAlias = Callable[..., Any]
Asked: TypeAlias = bool | Collection[str]
"""Which tools' code may change: all, none, or that of one name or of some."""


def is_asked(asked: Asked, tool: str) -> bool:
    """Tell whether the code of a tool may change."""
    return asked if isinstance(asked, bool) else tool in asked


@dataclass(frozen=True, slots=True)
class Codes:
    """Makes the code of tools parameters: of which tools, and where new code runs."""

    asked: Asked
    sandbox: SandboxName | Sandbox = "monty"

    def __post_init__(self) -> None:
        if isinstance(self.asked, str):
            object.__setattr__(self, "asked", (self.asked,))

    def of(self, tools: Collection[tuple[str, str, Function | None]]) -> list[Site]:
        """Return the code of the tools that were asked for, given as agent, name and function.

        Raises:
            InvalidValue: a tool was asked for that there is not, or whose source cannot be had.
        """
        if isinstance(self.asked, bool) and not self.asked:
            return []
        names = {name for _, name, _ in tools}
        missing = [] if isinstance(self.asked, bool) else sorted(set(self.asked) - names)
        if missing:
            raise InvalidValue(
                f"tool_code names {missing}, and the workflow has no such tools; "
                f"it has {sorted(names)}"
            )
        # one for all tools, since its workers are shared; unsafe code sees its own module
        box = self.sandbox if self.sandbox == "unsafe" else sandbox_of(self.sandbox)
        return [
            _site(agent, name, function, box)
            for agent, name, function in tools
            if is_asked(self.asked, name)
        ]


def _site(agent: str, tool: str, function: Function | None, box: SandboxName | Sandbox) -> Site:
    if function is None:
        raise InvalidValue(
            f"the code of the tool {tool!r} of {agent!r} cannot change, because it is no function "
            "of Python's; leave it out: tool_code=[names of other tools]"
        )
    source = _source(_code(function, tool), tool)
    try:
        Code.of(source)
    except InvalidValue as error:
        raise InvalidValue(
            f"the code of the tool {tool!r} of {agent!r} cannot change: {error}; write it as one "
            "`def`, or leave it out: tool_code=[names of other tools]"
        ) from None
    known = sandbox_of(box, namespace=_globals(function))
    name = f"{agent}.tools.{tool}.code"
    return Site(name, agent, "code", source, tool, sandbox=known)


@dataclass(frozen=True, slots=True)
class Pinned:
    """The code of a tool as this episode has it."""

    site: Site
    source: str

    @property
    def bound(self) -> dict[str, object]:
        """The parameter and its value."""
        return {self.site.name: self.source}

    @property
    def changed(self) -> bool:
        """Whether it is not the user's own."""
        return self.source != self.site.text

    def blocking(self, function: Function) -> Function:
        """Return what runs the new code, and blocks, with the signature of `function`."""

        @wraps(function)
        def run(*args: object, **kwargs: object) -> object:
            return call(self._box, self._job(function, args, kwargs))

        return run

    def awaited(self, function: Function) -> Callable[..., Awaitable[object]]:
        """Return what runs the new code beside the loop, with the signature of `function`."""

        @wraps(function)
        async def run(*args: object, **kwargs: object) -> object:
            job = self._job(function, args, kwargs)
            if isinstance(self._box, UnsafeSandbox):  # it gives what the function gives
                result = self._box.call(job.source, job.name, job.args, job.kwargs)
                return await cast("Awaitable[object]", result)
            return await call_async(self._box, job)

        return run

    @property
    def _box(self) -> Sandbox:
        return cast("Sandbox", self.site.sandbox)

    def _job(self, function: Function, args: tuple[object, ...], kwargs: dict[str, object]) -> Job:
        if isinstance(function, MethodType):
            args = (None, *args)  # the object stays outside
        name = str(getattr(function, "__name__", self.site.tool))
        return Job(self.source, name, args, kwargs)


def pinned(function: Function | None, tool: str, agent: str) -> Pinned | None:
    """Return the code of a tool as this episode has it; None where it is no parameter."""
    trace, sites = current_trace(), current_sites()
    if function is None or trace is None or not sites.at("code"):
        return None
    try:
        text = _source(_code(function, tool), tool)
    except InvalidValue:  # a tool that was not asked for
        return None
    site = sites.find("code", text, agent, tool)
    return None if site is None else Pinned(site, str(trace.value_of(site.name, site.text)))


def _code(function: Function, tool: str) -> CodeType:
    known: object = getattr(inspect.unwrap(function), "__code__", None)
    if isinstance(known, CodeType):
        return known
    raise InvalidValue(
        f"the code of the tool {tool!r} cannot change, because its function is no `def`; "
        "leave it out: tool_code=[names of other tools]"
    )


def _globals(function: Function) -> dict[str, object]:
    return cast("dict[str, object]", getattr(inspect.unwrap(function), "__globals__", {}))


@lru_cache(maxsize=1024)
def _source(code: CodeType, tool: str) -> str:
    return source_of(cast("Any", code), tool)

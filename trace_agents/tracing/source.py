"""The source of a function as a parameter, and what runs it once it has changed."""

from __future__ import annotations

import inspect
import textwrap
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trace_agents.errors import InvalidValue
from trace_agents.graph import Code, Parameter, Projection
from trace_agents.sandbox import Job, Sandbox, SandboxName, call, sandbox_of
from trace_agents.tracing.context import current
from trace_agents.tracing.parameters import ParameterNode


@dataclass(frozen=True, slots=True)
class Learning:
    """How the code of a function may change, and where changed code runs."""

    box: Sandbox
    projections: tuple[Projection, ...] = ()
    imports: tuple[str, ...] | None = None
    examples: tuple[tuple[Sequence[object], object], ...] = ()
    callees: Mapping[str, Callable[..., object]] = field(default_factory=lambda: NO_CALLEES)
    """Functions that the code may call from the sandbox."""

    @classmethod
    def of(
        cls,
        target: object,
        sandbox: SandboxName | Sandbox,
        projections: Iterable[Projection],
        imports: Iterable[str] | None,
        examples: Iterable[tuple[Sequence[object], object]],
        callees: Iterable[Callable[..., object]],
    ) -> Learning:
        """Return it from the options of `bundle`."""
        named = {getattr(each, "__name__", type(each).__name__): each for each in callees}
        seen = ChainMap[str, object]({**named}, getattr(target, "__globals__", {}))
        allowed = None if imports is None else tuple(imports)
        box = sandbox_of(sandbox, namespace=seen, imports=allowed or ())
        return cls(box, tuple(projections), allowed, tuple(examples), named)

    def job(
        self, source: str, name: str, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> Job:
        """Return one call of changed code; what is random in it starts from the episode."""
        return Job(source, name, args, kwargs, self.callees, _seed(name))

    def example(self, source: str, name: str, args: tuple[object, ...]) -> object:
        """Return what changed code makes of an example."""
        return call(self.box, Job(source, name, args, callees=self.callees, seed=name))


NO_CALLEES: Mapping[str, Callable[..., object]] = {}


def _seed(name: str) -> str:
    trace = current.get()
    if trace is None:
        return name
    return f"{trace.episode}/{name}/{trace.scope.number(f'random in {name}')}"


def code_of(
    target: Callable[..., Any], label: str, summary: str, learning: Learning
) -> ParameterNode:
    """Return the source of `target` as a parameter: signature and docstring fixed, body free.

    Raises:
        InvalidValue: the source cannot be found, or is no single function.
    """
    source = source_of(target, label)
    kind = Code.of(
        source,
        learning.projections,
        imports=learning.imports,
        examples=learning.examples,
        run=learning.example,
    )
    return ParameterNode(Parameter(f"{label}.code", source, kind, summary))


def source_of(target: Callable[..., Any], label: str) -> str:
    """Return the source of a function from its `def`, without decorators.

    Raises:
        InvalidValue: the source cannot be found.
    """
    try:
        source = textwrap.dedent(inspect.getsource(target))
    except (OSError, TypeError):
        raise InvalidValue(
            f"the source of {label!r} cannot be read; define the function in a file"
        ) from None
    lines = source.splitlines()
    starts = (i for i, line in enumerate(lines) if line.startswith(("def ", "async def ")))
    return "\n".join(lines[next(starts, 0) :])

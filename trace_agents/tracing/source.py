"""The source of a function as a parameter, and what runs it once it has changed."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from trace_agents.errors import InvalidValue
from trace_agents.graph import Code, Parameter, Projection
from trace_agents.tracing.parameters import ParameterNode


def code_of(
    target: Callable[..., Any], label: str, summary: str, projections: Iterable[Projection]
) -> ParameterNode:
    """Return the source of `target` as a parameter: signature and docstring fixed, body free.

    Raises:
        InvalidValue: the source cannot be found, or is no single function.
    """
    source = source_of(target, label)
    kind = Code.of(source, projections)
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

"""Functions of one's own as nodes of a graph: their code can be a parameter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, cast

from trace_agents.tracing import Bundle, Node, stop_tracing
from trace_agents.tracing.context import Trace, current_trace
from trace_agents_adapters import boundary
from trace_agents_adapters.langchain.tools import told


def graph_node(operation: Bundle[..., Any]) -> Callable[[Any], Any]:
    """Return a bundled function as a node of LangGraph: it takes a state and returns an update.

    With `bundle(trainable=True)` its code is a parameter of the workflow; each run of it is one
    call in the episode's graph.
    """
    if operation.is_async:

        @wraps(operation)
        async def awaited(state: Any) -> Any:
            with _recorded(operation, state) as finish:
                return finish(await cast("Awaitable[object]", operation(state)))

        return awaited

    @wraps(operation)
    def blocking(state: Any) -> Any:
        with _recorded(operation, state) as finish:
            return finish(operation(state))

    return blocking


@contextmanager
def _recorded(operation: Bundle[..., Any], state: object) -> Generator[Callable[[object], object]]:
    trace = current_trace()
    if trace is None or boundary.intercepted() is not None:
        yield _plain
        return
    span = boundary.start_tool(
        str(getattr(operation, "__name__", "function")), arguments=told(state)
    )
    boundary.uses(span, _read(trace, operation))
    with boundary.current(span), stop_tracing():

        def finish(result: object) -> object:
            value = _plain(result)
            boundary.gave(span, boundary.dumps(value))
            return value

        yield finish


def _read(trace: Trace, operation: Bundle[..., Any]) -> Mapping[str, object]:
    """Return the code that the episode's version pins, by the name of its parameter."""
    found = (code.parameter for code in operation.parameters())
    return {known.name: trace.value_of(known.name, known.value) for known in found}


def _plain(result: object) -> object:
    return cast("object", result.data) if isinstance(result, Node) else result

"""The error of an operation: it carries the node that holds what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trace_agents.errors import TraceAgentsError

if TYPE_CHECKING:
    from trace_agents.tracing.nodes import ExceptionNode


class ExecutionError(TraceAgentsError, RuntimeError):
    """A bundled operation raised; `exception_node` carries the error and can get feedback."""

    def __init__(self, exception_node: ExceptionNode) -> None:
        self.exception_node = exception_node
        super().__init__(str(exception_node.data))

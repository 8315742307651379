"""Where episodes run: in this process, or wherever an executor takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

from trace_agents.errors import InvalidValue
from trace_agents.plugins import EXECUTORS, found, load
from trace_agents.workflow import Workflow


class Executor(Protocol):
    """Something that takes a workflow elsewhere, such as onto a cluster."""

    def carry(self, workflow: Workflow) -> Workflow:
        """Return the same workflow, whose `run` happens there.

        It is called inside `recording(trace)`, as every workflow's: what the episode recorded,
        read and spent comes back into that trace.
        """
        ...


Where: TypeAlias = Executor | str | None
"""An executor, `"local"`, or the name of an installed one, such as `"ray"`."""


def carried(workflow: Workflow, where: Where) -> Workflow:
    """Return the workflow as it runs there; without an executor, itself.

    Raises:
        InvalidValue: no installed package has an executor of that name.
        ExtraNotInstalled: its package is missing.
    """
    if where is None or where == "local":
        return workflow
    if not isinstance(where, str):
        return where.carry(workflow)
    names = [entry.name for entry in found(EXECUTORS)]
    if where not in names:
        known = ", ".join(["local", *names])
        raise InvalidValue(f"there is no executor {where!r}; installed: {known}")
    make = cast("Callable[[], Executor]", load(EXECUTORS, where))
    return make().carry(workflow)

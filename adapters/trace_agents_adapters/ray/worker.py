"""What runs in a worker process: the workflow, one episode beside the other."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from contextlib import ExitStack

from trace_agents.tracing.context import Trace, recording
from trace_agents.workflow import Workflow
from trace_agents_adapters.ray.messages import Answer, Call, pack


class RemoteFailure(RuntimeError):
    """An error of a worker that could not travel itself; the sentence is its own."""


class Worker:
    """Runs the episodes it is given; an error in one is part of the answer."""

    def __init__(self, recipe: Callable[[], Workflow]) -> None:
        self._workflow = recipe()
        self._stack = ExitStack()
        self._stack.enter_context(self._workflow.instrumented())

    async def run(self, call: Call) -> Answer:
        """Run one episode and return what became of it.

        A cancellation by the head process passes through.
        """
        trace = Trace(call.episode, call.version, call.values, kept=call.kept)
        output: object = None
        failed: Exception | None = None
        cancelled = False
        try:
            with recording(trace):
                output = await self._workflow.run(call.task)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            cancelled = True
        except Exception as error:  # noqa: BLE001 - the boundary: a failed episode is data
            failed = portable(error)
        return Answer(
            output,
            failed,
            cancelled,
            tuple(sorted(trace.read)),
            trace.tokens,
            trace.usd,
            pack(trace),
            trace.calls,
        )


def portable(error: Exception) -> Exception:
    """Return an error that the head process can be sent."""
    try:
        sent = pickle.loads(pickle.dumps(error))
    except Exception as reason:  # noqa: BLE001 - a class of the user's may raise anything here
        return RemoteFailure(f"{type(error).__name__}: {error} (sent as text: {reason})")
    return sent if type(sent) is type(error) else RemoteFailure(f"{error}")

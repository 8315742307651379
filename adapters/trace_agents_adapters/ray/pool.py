"""The workers of a run: each takes many episodes, and one that is lost is replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.to_thread

from trace_agents.errors import TraceAgentsError
from trace_agents.workflow import Workflow
from trace_agents_adapters.ray.messages import Answer, Call
from trace_agents_adapters.ray.worker import Worker

Recipe = Callable[[], Workflow]


class WorkerLost(TraceAgentsError, RuntimeError):
    """The workers that ran an episode died, twice."""


@dataclass(slots=True, eq=False)
class _Slot:
    actor: Any
    load: int = 0


@dataclass(slots=True)
class Pool:
    """Workers on a cluster, made at the first call."""

    ray: Any
    recipe: Recipe
    workers: int | None
    per_worker: int
    address: str | None
    cluster: Mapping[str, object]
    options: Mapping[str, object]
    _slots: list[_Slot] = field(default_factory=list[_Slot])
    _idle: list[Any] = field(default_factory=list[Any])
    """Workers that take one episode at a time, and have none."""
    _starting: anyio.Lock = field(default_factory=anyio.Lock)
    _few: anyio.Semaphore = field(default_factory=lambda: anyio.Semaphore(2))
    _started_ray: bool = False

    async def call(self, call: Call) -> Answer:
        """Run one episode on the worker that has the least to do.

        If that worker dies, the episode is tried once more, with no other one beside it: an
        episode that kills its worker can take others with it once, and no second time.

        Raises:
            WorkerLost: the second worker died, too.
        """
        await self._start()
        slot = min(self._slots, key=lambda slot: slot.load)
        actor = slot.actor
        slot.load += 1
        try:
            return await self._ask(actor, call)
        except self.ray.exceptions.RayActorError:
            if slot.actor is actor:
                slot.actor = self._new()
        finally:
            slot.load -= 1
        return await self._ask_alone(call)

    def close(self) -> None:
        """Kill the workers, and the cluster if it was started here."""
        if not self.ray.is_initialized():
            return
        for actor in (*(slot.actor for slot in self._slots), *self._idle):
            self.ray.kill(actor)
        self._slots.clear()
        self._idle.clear()
        if self._started_ray:
            self.ray.shutdown()

    async def _ask(self, actor: Any, call: Call) -> Answer:
        answer = actor.run.remote(call)
        try:
            found: Answer = await answer
        except anyio.get_cancelled_exc_class():
            self.ray.cancel(answer)
            raise
        return found

    async def _ask_alone(self, call: Call) -> Answer:
        """Run an episode with no other one beside it."""
        async with self._few:
            actor = self._idle.pop() if self._idle else self._new()
            try:
                answer = await self._ask(actor, call)
            except self.ray.exceptions.RayActorError as error:
                said = " ".join(str(error).split())[:300]
                raise WorkerLost(
                    f"two workers died of the episode {call.episode}: {said}"
                ) from None
            except BaseException:
                self.ray.kill(actor)  # the episode may still be ending on it
                raise
            self._idle.append(actor)
            return answer

    async def _start(self) -> None:
        async with self._starting:
            if self._slots:
                return
            if not self.ray.is_initialized():
                # said before: a cancellation is told after the thread has started the cluster
                self._started_ray = True
                # it takes seconds, in which the event loop has other things to do
                await anyio.to_thread.run_sync(self._init)
            count = self.workers or max(1, int(self.ray.cluster_resources().get("CPU", 1)))
            self._slots = [_Slot(self._new()) for _ in range(count)]

    def _init(self) -> None:
        self.ray.init(address=self.address, **self.cluster)

    def _new(self) -> Any:
        options = {"max_concurrency": self.per_worker, "num_cpus": 0, **self.options}
        return self.ray.remote(Worker).options(**options).remote(self.recipe)

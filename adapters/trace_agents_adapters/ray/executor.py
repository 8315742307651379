"""The executor, and the workflow whose episodes run elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any

from trace_agents.errors import ExtraNotInstalled, InvalidValue, NotWrappable
from trace_agents.graph import Parameters
from trace_agents.tracing.context import current_trace
from trace_agents.workflow import Workflow
from trace_agents_adapters.ray.messages import Call, unpack
from trace_agents_adapters.ray.pool import Pool, Recipe


@dataclass(frozen=True, slots=True)
class RayExecutor:
    """Runs the episodes of a training on a Ray cluster.

    The workflow goes to each worker once, by Ray's own serialization: your cluster is trusted
    with your code. With every episode travel its task and the values of its version; back come
    the output, what was read and spent, and the spans as OTLP. The guide runs where you are.

    Args:
        recipe: a function that returns the workflow, such as one that returns
            `ta.wrap(build_team)`; for a workflow that cannot be sent.
        workers: processes; as many as the cluster has CPUs without it.
        per_worker: the most episodes that one worker runs at once.
        address: of a cluster, such as `auto` or `ray://host:10001`; without it a program that is
            connected uses its cluster, and another one starts a local cluster for the run.
        cluster: further arguments of `ray.init`, where it is called.
        options: Ray options of each worker, such as `num_cpus`, `resources` or `runtime_env`.

    Raises:
        ExtraNotInstalled: Ray is missing.
        InvalidValue: no workers, or none at once.
    """

    recipe: Recipe | None = None
    workers: int | None = None
    per_worker: int = 64
    address: str | None = None
    cluster: Mapping[str, object] = field(
        default_factory=lambda: {"include_dashboard": False, "logging_level": "warning"}
    )
    options: Mapping[str, object] = field(default_factory=dict[str, object])

    def __post_init__(self) -> None:
        load_ray()
        if (self.workers is not None and self.workers < 1) or self.per_worker < 1:
            raise InvalidValue(
                f"workers and per_worker must be at least 1, got {self.workers} and "
                f"{self.per_worker}"
            )

    def carry(self, workflow: Workflow) -> Workflow:
        """Return the same workflow, whose episodes run on the cluster.

        Raises:
            NotWrappable: the workflow cannot be sent to another process; the sentence says why.
        """
        recipe = self.recipe or partial(_itself, workflow)
        try:
            import_module("ray.cloudpickle").dumps(recipe)
        except Exception as error:
            raise NotWrappable(
                f"the workflow {workflow.name!r} cannot be sent to another process ({error}); "
                "give RayExecutor(recipe=make), where make is a function of a module that "
                "returns ta.wrap(...)"
            ) from error
        return RemoteWorkflow(workflow, partial(self._pool, recipe))

    def _pool(self, recipe: Recipe) -> Pool:
        return Pool(
            load_ray(),
            recipe,
            self.workers,
            self.per_worker,
            self.address,
            self.cluster,
            self.options,
        )


@dataclass(slots=True)
class RemoteWorkflow:
    """A workflow that runs elsewhere; its parameters are known here."""

    inside: Workflow
    make_pool: Callable[[], Pool]
    _pool: Pool | None = None
    _depth: int = 0

    @property
    def name(self) -> str:
        """What the workflow is called in traces."""
        return self.inside.name

    def parameters(self) -> Parameters:
        """Return what may change."""
        return self.inside.parameters()

    def only(self, *patterns: str) -> RemoteWorkflow:
        """Return the same workflow with all but the matching parameters frozen."""
        return RemoteWorkflow(self.inside.only(*patterns), self.make_pool)

    def freeze(self, *patterns: str) -> RemoteWorkflow:
        """Return the same workflow with the matching parameters frozen."""
        return RemoteWorkflow(self.inside.freeze(*patterns), self.make_pool)

    @contextmanager
    def instrumented(self) -> Generator[None]:
        """Give the scope in which there are workers; they are made at the first episode."""
        pool = self._pool = self._pool or self.make_pool()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._pool = None
                pool.close()

    async def run(self, task: object) -> object:
        """Do one task on a worker and return its output.

        Raises:
            WorkerLost: two workers died of it.
        """
        trace, pool = current_trace(), self._pool
        if trace is None or pool is None:
            raise InvalidValue("an episode runs inside `recording` and `instrumented()`")
        call = Call(task, trace.episode, trace.version, dict(trace.values), trace.kept)
        answer = await pool.call(call)
        trace.read.update(answer.read)
        unpack(trace, answer.recorded)
        trace.spend(tokens=answer.tokens, usd=answer.usd, calls=answer.calls)
        if answer.cancelled:
            raise asyncio.CancelledError
        if answer.error is not None:
            raise answer.error
        return answer.output


def load_ray() -> Any:
    """Return Ray, imported at the first call: that takes most of a second.

    Raises:
        ExtraNotInstalled: it is missing.
    """
    try:
        return import_module("ray")
    except ImportError:
        raise ExtraNotInstalled("ray", "ray") from None


def _itself(workflow: Workflow) -> Workflow:
    return workflow

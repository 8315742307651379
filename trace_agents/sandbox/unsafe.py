"""No sandbox at all, for whoever asks for it by that word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from trace_agents.sandbox.job import Job, Run


class UnsafeSandbox:
    """No sandbox: the code runs in this process with all its rights. Compiled once a version."""

    def __init__(self, namespace: Mapping[str, object] | None = None) -> None:
        self._namespace: Mapping[str, object] = {} if namespace is None else namespace
        self._compiled: dict[str, Callable[..., object]] = {}

    def run(self, job: Job) -> Run:
        """Return the run of `job`; what the code raises passes through as it is."""
        yield from ()
        function = self.compiled(job.source, job.name)
        if job.callees:
            cast("dict[str, object]", getattr(function, "__globals__", {})).update(job.callees)
        return function(*job.args, **job.kwargs)

    def call(
        self, source: str, name: str, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> object:
        """Return what the function returned; its errors pass through as they are."""
        return self.compiled(source, name)(*args, **kwargs)

    def compiled(self, source: str, name: str) -> Callable[..., object]:
        """Return the function of that source, compiled at the first call."""
        if source not in self._compiled:
            scope = dict(self._namespace)
            exec(compile(source, f"<{name}>", "exec"), scope)
            self._compiled[source] = cast("Callable[..., object]", scope[name])
        return self._compiled[source]

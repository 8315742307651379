"""Episodes on a Ray cluster: `train(..., executor="ray")`; needs the extra `ray`."""

from trace_agents_adapters.ray.executor import RayExecutor
from trace_agents_adapters.ray.pool import WorkerLost

__all__ = ["RayExecutor", "WorkerLost"]

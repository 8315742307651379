"""Where model-written code runs: never in this process, unless asked for by the word `unsafe`."""

from typing import TYPE_CHECKING

from trace_agents.lazily import importing
from trace_agents.sandbox.driving import call, call_async
from trace_agents.sandbox.job import Answer, Asked, Job, Run, Sandbox, Stop
from trace_agents.sandbox.names import HOMES, SandboxName, sandbox_of
from trace_agents.sandbox.unsafe import UnsafeSandbox

if TYPE_CHECKING:
    from trace_agents.sandbox.docker import DockerSandbox
    from trace_agents.sandbox.monty import MontySandbox
    from trace_agents.sandbox.process import ProcessSandbox

# what they need would slow every start of the package
__getattr__ = importing(__name__, HOMES)

__all__ = [
    "Answer",
    "Asked",
    "DockerSandbox",
    "Job",
    "MontySandbox",
    "ProcessSandbox",
    "Run",
    "Sandbox",
    "SandboxName",
    "Stop",
    "UnsafeSandbox",
    "call",
    "call_async",
    "sandbox_of",
]

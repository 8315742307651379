"""A container without network, through AutoGen's executor."""

from __future__ import annotations

import json
import threading
import weakref
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from trace_agents.errors import ExtraNotInstalled, SandboxError
from trace_agents.sandbox.inside.wire import NotPlain, copied, dumps, loads
from trace_agents.sandbox.job import Job, Run
from trace_agents.sandbox.said import Said
from trace_agents.sandbox.traces import failed, not_plain

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal
    from autogen_ext.code_executors.docker import DockerCommandLineCodeExecutor

_SHIPPED = ("wire", "channel", "lockdown", "calling")
"""The modules that run in the container, in the order of their imports."""
# the first process bounds what the second, which runs the code, may put out
_SCRIPT = """
import subprocess, sys
code = {code!r}
child = subprocess.Popen([sys.executable, "-I", "-c", code], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
said = child.stdout.read({limit})
child.kill()
print(said.decode("utf-8", "replace"))
"""
_CODE = """
import json, os, sys, types
answers = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
for name in ("trace_agents", "trace_agents.sandbox", "trace_agents.sandbox.inside"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
for name, text in json.loads({modules!r}):
    sys.modules[name] = module = types.ModuleType(name)
    setattr(sys.modules["trace_agents.sandbox.inside"], name.rpartition(".")[2], module)
    exec(compile(text, name, "exec"), module.__dict__)
wire = sys.modules["trace_agents.sandbox.inside.wire"]
calling = sys.modules["trace_agents.sandbox.inside.calling"]
answer = calling.alone(wire.loads({job!r}), {settings!r})
answers.write(wire.dumps(answer, {limit}))
answers.flush()
os._exit(0)
"""


@dataclass(eq=False)
class DockerSandbox:
    """A container without network, with a limit on memory, through AutoGen's executor.

    The container starts at the first call and is removed with this object; what one call leaves
    in it the next one sees. The executor cannot limit the number of processes, and shares one
    temporary folder with the container. The code cannot call functions of the host.
    """

    image: str = "python:3.12-slim"
    """Has a `python` of 3.11 or later, and whatever the code may import."""
    seconds: int = 30
    """Time that one call may take."""
    memory: int = 512_000_000
    """Bytes of the whole container; also what arguments may weigh."""
    output: int = 1_000_000
    """Bytes that one call may print, and that its result may weigh."""
    _kept: list[tuple[BlockingPortal, DockerCommandLineCodeExecutor]] = field(
        default_factory=list["tuple[BlockingPortal, DockerCommandLineCodeExecutor]"], repr=False
    )
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def run(self, job: Job) -> Run:
        """Return the run of `job`; see `Sandbox.run`."""
        yield from ()
        if job.callees:
            raise SandboxError(
                f"{job.name} cannot call {sorted(job.callees)} from a container; choose the "
                "sandbox 'monty' or 'process', or pass what they return as arguments"
            )
        said = self._said(self._script(job), job)
        if said.unfit:
            raise not_plain(job.name, "its result", NotPlain(said.unfit))
        if said.error:
            raise failed(job.name, said.error, said.places, said.printed)
        return copied(said.value, self.output)

    def _said(self, script: str, job: Job) -> Said:
        code, output = self._executed(script, job)
        if code == 124:  # what `timeout` leaves with
            raise failed(job.name, f"TimeoutError: it did not end within {self.seconds} s")
        try:
            return Said.of(loads(output.strip()))
        except NotPlain:
            raise failed(job.name, f"its process left with status {code} and no answer") from None

    def _executed(self, script: str, job: Job) -> tuple[int, str]:
        portal, executor = self._container()
        # by name, like the executor: the core knows no framework
        token = import_module("autogen_core").CancellationToken()
        block = import_module("autogen_core.code_executor").CodeBlock(
            code=script, language="python"
        )
        job.stop.by(lambda: portal.call(token.cancel))
        try:
            result = portal.call(executor.execute_code_blocks, [block], token)
            return result.exit_code, result.output
        finally:
            job.stop.over()

    def _container(self) -> tuple[BlockingPortal, DockerCommandLineCodeExecutor]:
        try:
            module = import_module("autogen_ext.code_executors.docker")
        except (ImportError, RuntimeError):  # the second is what it says without docker's client
            raise ExtraNotInstalled("autogen-ext[docker]", "docker") from None
        with self._lock:
            if not self._kept:
                executor = module.DockerCommandLineCodeExecutor(
                    self.image, timeout=self.seconds, delete_tmp_files=True
                )
                self._kept.append((self._started(executor), executor))
            return self._kept[0]

    def _started(self, executor: DockerCommandLineCodeExecutor) -> BlockingPortal:
        from anyio.from_thread import start_blocking_portal

        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal())
            try:
                portal.call(executor.start)
                stack.callback(portal.call, executor.stop)
                self._shut(executor.container_name)
            except Exception as error:
                raise SandboxError(
                    f"the container could not start ({error}); start the Docker daemon, or "
                    "choose another sandbox"
                ) from error
            weakref.finalize(self, stack.pop_all().close)
        return portal

    def _shut(self, name: str) -> None:
        """Take the network from a container, and limit its memory."""
        client = import_module("docker").from_env()  # it has no types
        try:
            container = client.containers.get(name)
            container.update(mem_limit=self.memory, memswap_limit=self.memory)
            for network in container.attrs["NetworkSettings"]["Networks"]:
                client.networks.get(network).disconnect(container, force=True)
        finally:
            client.close()

    def _script(self, job: Job) -> str:
        try:
            args, kwargs = copied((list(job.args), dict(job.kwargs)), self.memory)
        except NotPlain as error:
            raise not_plain(job.name, "its arguments", error) from None
        told = {
            "source": job.source,
            "name": job.name,
            "args": args,
            "kwargs": kwargs,
            "waits": job.waits,
            "seed": job.seed,
        }
        limit = self.output * 7 + 100_000
        code = _CODE.format(
            modules=json.dumps(_modules()),
            job=dumps(told, self.memory * 2),
            settings={"output": self.output},
            limit=limit,
        )
        return _SCRIPT.format(code=code, limit=limit)


def _modules() -> list[tuple[str, str]]:
    folder = Path(__file__).parent / "inside"
    return [
        (f"trace_agents.sandbox.inside.{name}", (folder / f"{name}.py").read_text("utf-8"))
        for name in _SHIPPED
    ]

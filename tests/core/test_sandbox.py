"""What every sandbox does alike, and what the names mean."""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from trace_agents import ExtraNotInstalled, InvalidValue, SandboxError
from trace_agents.sandbox import (
    DockerSandbox,
    Job,
    MontySandbox,
    ProcessSandbox,
    Sandbox,
    SandboxName,
    Stop,
    UnsafeSandbox,
    call,
    call_async,
    sandbox_of,
)

NONE: Mapping[str, Callable[..., object]] = {}
LOOP = "async def f():\n    while True:\n        pass"


@pytest.fixture(scope="module", params=["monty", "process"])
def box(request: pytest.FixtureRequest) -> Sandbox:
    """Return each sandbox that needs nothing but this machine, with small limits."""
    if request.param == "monty":
        return MontySandbox(seconds=1.0, memory=32_000_000, output=100_000, host_calls=50)
    return ProcessSandbox(seconds=2.0, memory=100_000_000, output=100_000, host_calls=50, workers=2)


def run(
    box: Sandbox,
    body: str,
    *args: object,
    seed: str = "",
    callees: Mapping[str, Callable[..., object]] = NONE,
) -> Any:
    source = "def f(*args):\n" + "\n".join(f"    {line}" for line in body.splitlines())
    return call(box, Job(source, "f", args, seed=seed, callees=callees))


PLAIN: tuple[object, ...] = (
    None,
    True,
    10**300,
    -0.5,
    math.inf,
    "ä\n\0",
    b"\0\xff",
    [1, [2, None]],
    (1, (2,)),
    {1: "a", "b": [None], (1, 2): {3}},
    {1, 2},
    frozenset({"x"}),
    {"dict": [["a", 1]]},
)


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_data_crosses_both_ways_as_it_is(box: Sandbox, value: object) -> None:
    """Tuples stay tuples, and keys keep their types."""
    result = run(box, "return args[0]", value)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize("value", [object(), [1, {"a": object()}], print], ids=["1", "2", "3"])
def test_what_is_no_plain_data_stays_outside(box: Sandbox, value: object) -> None:
    """The sentence says what may cross, and which way out there is."""
    with pytest.raises(SandboxError, match=r"its arguments cannot cross .* plain data"):
        run(box, "return 1", value)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return 'x' * 200_000", "larger than 100,000 bytes"),
        ("x = []\nfor _ in range(64):\n    x = [x, x]\nreturn x", "larger than 100,000 bytes"),
        ("x = []\nfor _ in range(200):\n    x = [x]\nreturn x", "more than 100 containers"),
        ("while True:\n    print('x' * 1000)", "MemoryError"),
    ],
)
def test_output_is_bounded(box: Sandbox, body: str, why: str) -> None:
    """What is returned, also where parts of it are shared, and what is printed."""
    with pytest.raises(SandboxError, match=why):
        run(box, body)


def test_an_error_is_told_as_python_tells_it(box: Sandbox) -> None:
    """File, line, source and message of every frame, and what was printed."""
    source = (
        "def f(x):\n    print('so far')\n    def g(y):\n        return 1 + y / 0\n    return g(x)"
    )
    with pytest.raises(SandboxError) as caught:
        call(box, Job(source, "f", (1,)))
    assert str(caught.value) == (
        "f failed in the sandbox: ZeroDivisionError: division by zero\n"
        "Traceback (most recent call last):\n"
        '  File "<f>", line 5, in f\n'
        "    return g(x)\n"
        "           ^^^^\n"
        '  File "<f>", line 4, in g\n'
        "    return 1 + y / 0\n"
        "               ^^^^^\n"
        "ZeroDivisionError: division by zero\n"
        "It had printed:\n"
        "so far"
    )


def test_a_deep_traceback_is_short(box: Sandbox) -> None:
    """Frames that repeat are counted."""
    with pytest.raises(SandboxError, match=r"Previous line repeated \d+ more times") as caught:
        run(box, "def g(n):\n    return g(n + 1)\nreturn g(0)")
    assert len(str(caught.value).splitlines()) < 20


def test_randomness_starts_from_the_seed(box: Sandbox) -> None:
    """The same seed gives the same numbers, another one others."""
    body = "import random\nreturn [random.random(), random.randint(1, 10**9)]"
    first, again, other = (run(box, body, seed=seed) for seed in ("a", "a", "b"))
    assert first == again != other


def test_calls_leave_nothing_behind(box: Sandbox) -> None:
    """What one call changed the next does not see."""
    run(box, "import math\nmath.pi = 3" if isinstance(box, ProcessSandbox) else "global x\nx = 1")
    assert run(box, "import math\nreturn math.pi") == math.pi
    with pytest.raises(SandboxError, match="NameError"):
        run(box, "return x")


def test_only_declared_functions_of_the_host_can_be_called(box: Sandbox) -> None:
    """With their results and errors; any other name is unknown."""

    def half(value: int, *, by: int = 2) -> float:
        if value < 0:
            raise ValueError("not below zero")
        return value / by

    body = (
        "try:\n    half(-1)\nexcept ValueError as error:\n    said = str(error)\n"
        "return [half(3), half(8, by=4), said]"
    )
    assert run(box, body, callees={"half": half}) == [1.5, 2.0, "not below zero"]
    with pytest.raises(SandboxError, match="NameError: name 'other' is not defined"):
        run(box, "return other(3)", callees={"half": half})


def test_calls_of_the_host_are_counted(box: Sandbox) -> None:
    """No code calls a function of the host for ever."""
    calls: list[int] = []
    with pytest.raises(SandboxError):
        run(box, "while True:\n    note(1)", callees={"note": calls.append})
    assert 40 <= len(calls) <= 50


def test_a_host_function_may_return_plain_data_only(box: Sandbox) -> None:
    """Anything else is an error where the code called it."""
    with pytest.raises(SandboxError, match="TypeError: a value of type 'object'"):
        run(box, "return make()", callees={"make": object})


def test_an_async_function_of_the_host_needs_a_loop(box: Sandbox) -> None:
    """Code that nobody can await is told so."""

    async def fetch() -> int:
        return 1

    with pytest.raises(SandboxError, match="RuntimeError: fetch is async"):
        run(box, "return fetch()", callees={"fetch": fetch})
    waits = Job("async def f():\n    return await fetch()", "f", callees={"fetch": fetch})
    with pytest.raises(SandboxError, match="use `call_async`"):
        call(box, waits)


async def test_async_functions_of_the_host_are_awaited_on_its_loop(box: Sandbox) -> None:
    """In the task that made the call."""
    tasks: list[object] = []

    async def fetch(x: int) -> int:
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        if x < 0:
            raise LookupError("nothing there")
        return x * 2

    source = (
        "async def f(x):\n    try:\n        await fetch(-1)\n    except LookupError:\n"
        "        x += 1\n    return await fetch(x)"
    )
    assert await call_async(box, Job(source, "f", (1,), callees={"fetch": fetch})) == 4
    assert tasks == [asyncio.current_task()] * 2


async def test_monty_awaits_several_at_once() -> None:
    """Both of a `gather` are under way before either ends."""
    both = anyio.Event()
    waiting = 0

    async def meet(x: int) -> int:
        nonlocal waiting
        waiting += 1
        if waiting == 2:
            both.set()
        await both.wait()
        return x

    source = "async def f():\n    import asyncio\n    return await asyncio.gather(meet(1), meet(2))"
    assert await call_async(MontySandbox(), Job(source, "f", callees={"meet": meet})) == [1, 2]


async def test_the_event_loop_goes_on_while_code_runs(box: Sandbox) -> None:
    """Code that runs in a loop keeps nobody waiting, and cancelling it ends it."""
    turns = 0
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(partial(call_async, box, Job(LOOP, "f")))
            while turns < 100:
                turns += 1
                await anyio.lowlevel.checkpoint()
            scope.cancel()
    assert scope.cancelled_caught
    assert await call_async(box, Job("async def f():\n    return 1", "f")) == 1


async def test_a_native_cancellation_ends_the_code_too(box: Sandbox) -> None:
    """Its worker is replaced: more calls are cancelled than there are workers."""
    for _ in range(6):
        task = asyncio.create_task(call_async(box, Job(LOOP, "f")))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await call_async(box, Job("async def f():\n    return 1", "f")) == 1


async def test_cancelling_reaches_the_function_that_the_code_awaits(box: Sandbox) -> None:
    """Nothing of a cancelled call goes on on the host's loop."""
    begun, ended = anyio.Event(), anyio.Event()

    async def wait() -> None:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    async with anyio.create_task_group() as group:
        job = Job("async def f():\n    await wait()", "f", callees={"wait": wait})
        group.start_soon(partial(call_async, box, job))
        await begun.wait()
        group.cancel_scope.cancel()
    assert ended.is_set()
    assert await call_async(box, Job("async def f():\n    return 1", "f")) == 1


async def test_many_calls_share_few_workers(box: Sandbox) -> None:
    """Those that wait for a worker do not keep those that have one from going on."""

    async def fetch(x: int) -> int:
        await anyio.lowlevel.checkpoint()
        return x

    source = "async def f(x):\n    return await fetch(x) + await fetch(1)"
    jobs = [Job(source, "f", (number,), callees={"fetch": fetch}) for number in range(60)]
    found = await asyncio.gather(*(call_async(box, job) for job in jobs))
    assert found == [number + 1 for number in range(60)]


@pytest.mark.parametrize("kind", [MontySandbox, ProcessSandbox])
def test_a_call_that_finds_no_worker_says_so(
    kind: type[MontySandbox] | type[ProcessSandbox],
) -> None:
    """Code that calls itself through the host must not wait for itself for ever."""
    box = kind(workers=1, patience=0.01)
    with pytest.raises(SandboxError, match=r"all 1 workers .* give the sandbox more `workers`"):
        run(box, "return again()", callees={"again": partial(run, box, "return 1")})
    assert run(box, "return 1") == 1


def test_the_clock_of_monty_stands_still() -> None:
    """A repeated call gives the same, and sleeping takes no time."""
    body = "import time, datetime\nat = time.time()\ntime.sleep(1000)\nreturn [at, time.time()]"
    assert run(MontySandbox(), body) == [1735689600.0] * 2


def test_what_monty_lacks_the_process_has() -> None:
    """A generator, and modules; those that are not named stay out."""
    body = "import statistics\ndef g():\n    yield from (1, 2, 6)\nreturn statistics.mean(g())"
    assert run(ProcessSandbox(), body) == 3
    with pytest.raises(SandboxError, match="NotImplementedError"):
        run(MontySandbox(), body.replace("import statistics\n", ""))
    with pytest.raises(SandboxError, match="ImportError: the module 'colorsys'"):
        run(ProcessSandbox(), "import colorsys")
    assert run(ProcessSandbox(imports=["colorsys"]), "import colorsys\nreturn 1") == 1
    with pytest.raises(SandboxError, match=r"'no_such_module'.* not installed"):
        run(ProcessSandbox(imports=["no_such_module"]), "return 1")


async def test_unsafe_code_is_called_and_awaited_like_the_rest() -> None:
    """It sees its namespace and the callees, and its errors are its own."""

    async def fetch(x: int) -> int:
        return x

    box = UnsafeSandbox({"more": 10})
    source = "async def f(x):\n    return await fetch(x) + more"
    assert await call_async(box, Job(source, "f", (1,), callees={"fetch": fetch})) == 11
    with pytest.raises(ZeroDivisionError):
        run(box, "return 1 / 0")


def test_numpy_works_in_the_process() -> None:
    """With its randomness seeded; arrays come out as lists, and memory stays bounded."""
    pytest.importorskip("numpy", reason="numpy is not installed")
    box = ProcessSandbox(imports=["numpy"])
    body = "import numpy as np\nreturn [np.array(args) * 2, np.random.rand(), np.mean(args)]"
    found = run(box, body, 1, 2)
    assert found == run(box, body, 1, 2)
    assert (found[0], found[2]) == ([2, 4], 1.5)
    with pytest.raises(SandboxError, match="MemoryError"):
        run(box, "import numpy as np\nreturn np.ones(10**9).sum()")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_process_that_dies_is_replaced() -> None:
    """Between two calls it goes unnoticed."""
    before = children()
    box = ProcessSandbox(workers=1)
    assert run(box, "return 1") == 1
    (number,) = children() - before
    os.kill(number, signal.SIGKILL)
    os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)
    assert run(box, "return 2") == 2


def children() -> set[int]:
    """Return the processes that this one has started."""
    mine: set[int] = set()
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and f" {os.getpid()} " in (folder / "stat").read_text()[:200]:
                mine.add(int(folder.name))
    return mine


def test_what_is_stopped_before_it_begins_ends_at_once() -> None:
    """And what is over cannot be stopped any more."""
    ended: list[str] = []
    early, late = Stop(), Stop()
    early.now()
    early.by(lambda: ended.append("early"))
    late.by(lambda: ended.append("late"))
    late.over()
    late.now()
    assert ended == ["early"]


def test_sets_have_one_order_in_every_process() -> None:
    """A repeated call gives the same, in a new process too."""
    body = "return list({str(number) for number in range(50)})"
    assert run(ProcessSandbox(), body) == run(ProcessSandbox(), body)


def test_each_name_means_one_sandbox() -> None:
    """An object is taken as it is; any other word is refused, with the words there are."""
    names: tuple[SandboxName, ...] = ("monty", "process", "docker", "unsafe")
    kinds = (MontySandbox, ProcessSandbox, DockerSandbox, UnsafeSandbox)
    assert tuple(type(sandbox_of(name)) for name in names) == kinds
    own = MontySandbox()
    assert sandbox_of(own) is own
    wrong: Any
    for wrong in ("none", "", object(), None):
        with pytest.raises(InvalidValue, match="monty, process, docker, unsafe"):
            sandbox_of(wrong)


def test_a_container_cannot_call_the_host() -> None:
    """The sentence names the sandboxes that can."""
    with pytest.raises(SandboxError, match="'monty' or 'process'"):
        run(DockerSandbox(), "return 1", callees={"abs": abs})


@pytest.mark.skipif(find_spec("docker") is not None, reason="the client of Docker is installed")
def test_docker_without_its_client_names_the_extra() -> None:
    """AutoGen's executor needs it."""
    with pytest.raises(ExtraNotInstalled, match="docker"):
        run(DockerSandbox(), "return 1")


def test_docker_runs_code_in_a_container_without_network() -> None:
    """Results and errors are those of the other sandboxes."""
    if find_spec("docker") is None or shutil.which("docker") is None:
        pytest.skip("the client of Docker is not installed")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no Docker daemon answers")
    box = DockerSandbox()
    assert run(box, "return (args[0], {1: b'x'})", 1) == (1, {1: b"x"})
    with pytest.raises(SandboxError, match="ZeroDivisionError"):
        run(box, "return 1 / 0")
    with pytest.raises(SandboxError, match="OSError"):
        run(box, "import socket\nsocket.create_connection(('1.1.1.1', 53), 2)")

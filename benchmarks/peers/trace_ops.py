"""The same small programs for Trace and for trace-agents: `trace_ops.py LIBRARY PROGRAM SIZE`.

Runs in either library's own environment, prints what it measured as one JSON object, and needs
nothing but the standard library and that library. Times are CPU seconds.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast

WIDTH = 10
"""Operations in a layer of the layered DAG; each has two parents in the layer before."""
LONG_BODY = 100
"""Lines in the body of the trainable function."""
REPEATS, SHORT = 5, 0.2
"""A measurement is the median of so many; of fewer once they took so many seconds."""


class Value(Protocol):
    """What both libraries' nodes can do."""

    def __add__(self, other: object, /) -> Value: ...
    def __xor__(self, other: object, /) -> Value: ...
    def backward(self, feedback: str, /) -> object:
        """Send feedback to what led here."""
        ...


Operation = Callable[..., Value]
Measured = dict[str, float]


@dataclass(frozen=True, slots=True)
class Library:
    """What the programs use of a library."""

    node: Callable[..., Value]
    bundle: Callable[..., Callable[[Callable[..., object]], Any]]
    stop_tracing: Callable[[], AbstractContextManager[None]]
    trainable: Callable[[Callable[..., object], str], Operation]
    """Return a trainable bundle of a function whose code was changed to the given source."""
    prompt: Callable[[Value, list[Value]], Callable[[], str]]
    """Send feedback to an output and return what writes the optimizer's prompt for it."""
    read: Callable[[Any], object]
    """Work out all of what `backward` returned; Trace has done so when it returns."""

    def parameters(self, count: int) -> list[Value]:
        """Return so many parameters."""
        return [self.node(index, name=f"p{index}", trainable=True) for index in range(count)]


def trace() -> Library:
    """Return Trace. Its model layer is never called here, so its clients are empty modules."""
    for name in ("litellm", "openai"):
        stand_in = cast("Any", ModuleType(name))
        stand_in.OpenAI = object
        sys.modules[name] = stand_in
    peer: Any = import_module("opto.trace")
    optimizers: Any = import_module("opto.optimizers.optoprime")

    def trainable(function: Callable[..., object], source: str) -> Operation:
        module = peer.bundle(trainable=True)(function)
        module.parameter._data = source  # what its optimizers do to update a parameter
        return cast("Operation", module)

    def prompt(output: Value, parameters: list[Value]) -> Callable[[], str]:
        optimizer = optimizers.OptoPrime(parameters, llm=str)
        output.backward("better")
        return lambda: "".join(optimizer.construct_prompt(optimizer.summarize()))

    return Library(peer.node, peer.bundle, peer.stop_tracing, trainable, prompt, str)


def trace_agents() -> Library:
    """Return trace-agents; changed code runs in the process, as it does in Trace."""
    own: Any = import_module("trace_agents")
    render: Any = import_module("trace_agents.render")

    def trainable(function: Callable[..., object], source: str) -> Operation:
        module = own.bundle(trainable=True, sandbox="unsafe")(function)
        module.code.set(source)
        return cast("Operation", module)

    def prompt(output: Value, parameters: list[Value]) -> Callable[[], str]:
        subgraph = output.backward("better")
        return lambda: str(render.to_prompt(subgraph))

    def nodes(subgraph: Any) -> object:
        return subgraph.graph.nodes

    return Library(own.node, own.bundle, own.stop_tracing, trainable, prompt, nodes)


def chain(library: Library, size: int) -> Value:
    """Return the end of `size` additions behind one parameter."""
    (last,) = library.parameters(1)
    one = library.node(1, name="one")
    for _ in range(size):
        last = last + one
    return last


def layers(library: Library, size: int) -> Value:
    """Return one operation over the last layer of a random DAG of `size` operations."""
    pick = random.Random(0)
    layer: list[Value] = library.parameters(WIDTH)
    for _ in range(size // WIDTH):
        pairs = [pick.sample(layer, 2) for _ in range(WIDTH)]
        layer = [left ^ right for left, right in pairs]
    return total(library)(*layer)


def fan(library: Library, size: int) -> Value:
    """Return one operation over `size` parameters."""
    return total(library)(*library.parameters(size))


def total(library: Library) -> Operation:
    """Return a bundled operation that takes any number of nodes."""

    def total(*args: int) -> int:
        """Return the sum."""
        return sum(args)

    return cast("Operation", library.bundle()(total))


Shape = Callable[[Library, int], Value]


def median(measure: Callable[[], float]) -> float:
    """Return the median of a few measurements; of fewer where they take long."""
    began = time.process_time()
    found = [measure()]
    while len(found) < REPEATS and time.process_time() - began < SHORT:
        found.append(measure())
    return statistics.median(found)


def seconds(action: Callable[[], object]) -> float:
    """Return the CPU seconds that `action` takes."""
    began = time.process_time()
    action()
    return time.process_time() - began


def backward(shape: Shape) -> Callable[[Library, int], Measured]:
    """Measure `backward`, and with its result read, each time on nodes of its own."""

    def program(library: Library, size: int) -> Measured:
        def send() -> float:
            output = shape(library, size)
            return seconds(lambda: output.backward("better"))

        def read() -> float:
            output = shape(library, size)
            return seconds(lambda: library.read(output.backward("better")))

        sent = median(send)
        # where there is nothing left to read the same would be measured twice
        return {"backward": sent, "read": sent if library.read is str else median(read)}

    return program


def fan_call(library: Library, size: int) -> Measured:
    """Measure the call of an operation that is given `size` parameters."""
    operation, parameters = total(library), library.parameters(size)
    return {"call": median(lambda: seconds(lambda: operation(*parameters)))}


def prompt(library: Library, size: int) -> Measured:
    """Measure the writing of the optimizer's prompt for a fan-in of parameters."""

    def measure() -> float:
        parameters = library.parameters(size)
        return seconds(library.prompt(total(library)(*parameters), parameters))

    return {"prompt": median(measure)}


def each(call: Callable[[], object], size: int) -> Measured:
    """Measure one of `size` calls."""

    def measure() -> float:
        return seconds(lambda: [call() for _ in range(size)]) / size

    measure()
    return {"call": median(measure)}


def plus(x: int) -> int:
    """Return the next number."""
    return x + 1


async def plus_later(x: int) -> int:
    """Return the next number."""
    return x + 1


def add(library: Library, size: int) -> Measured:
    """Measure `node + node`."""
    left, right = library.node(1), library.node(2)
    return each(lambda: left + right, size)


def bundled(library: Library, size: int) -> Measured:
    """Measure a bundled function of one argument."""
    operation, x = library.bundle()(plus), library.node(1)
    return each(lambda: operation(x), size)


def untraced(library: Library, size: int) -> Measured:
    """Measure the same while tracing is stopped."""
    operation, x = library.bundle()(plus), library.node(1)
    with library.stop_tracing():
        return each(lambda: operation(x), size)


def awaited(library: Library, size: int) -> Measured:
    """Measure a bundled async function of one argument."""
    operation: Callable[[Value], Awaitable[Value]] = library.bundle()(plus_later)
    x = library.node(1)

    async def loop() -> None:
        for _ in range(size):
            await operation(x)

    asyncio.run(loop())
    return {"call": median(lambda: seconds(lambda: asyncio.run(loop())) / size)}


def trained(library: Library, size: int) -> Measured:
    """Measure a trainable function with a long body whose code was changed."""
    body = ["def long(x):", "    y = x", *["    y = y + 1"] * (LONG_BODY - 2), "    return y"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "long_body.py").write_text("\n".join(body) + "\n")
        sys.path.insert(0, folder)
        function = import_module("long_body").long
        changed = "\n".join([*body[:-1], "    return y + 1"]) + "\n"
        operation, x = library.trainable(function, changed), library.node(1)
        return each(lambda: operation(x), size)


def memory(shape: Shape) -> Callable[[Library, int], Measured]:
    """Measure the bytes that an operation takes, and those held when all is let go."""

    def program(library: Library, size: int) -> Measured:
        shape(library, WIDTH).backward("better")
        gc.collect()
        tracemalloc.start()
        output = shape(library, size)
        built = tracemalloc.get_traced_memory()[0]
        output.backward("better")
        del output
        gc.collect()
        return {"operation": built / size, "held": tracemalloc.get_traced_memory()[0]}

    return program


PROGRAMS: dict[str, Callable[[Library, int], Measured]] = {
    "backward chain": backward(chain),
    "backward layers": backward(layers),
    "backward fan": backward(fan),
    "call fan": fan_call,
    "prompt fan": prompt,
    "add": add,
    "bundled": bundled,
    "untraced": untraced,
    "awaited": awaited,
    "trained": trained,
    "memory chain": memory(chain),
    "memory layers": memory(layers),
}
LIBRARIES: dict[str, Callable[[], Library]] = {"trace": trace, "trace_agents": trace_agents}


def main(arguments: Sequence[str]) -> None:
    """Run one program and print what it measured."""
    library, program, size = arguments
    print(json.dumps(PROGRAMS[program](LIBRARIES[library](), int(size))))


if __name__ == "__main__":
    main(sys.argv[1:])

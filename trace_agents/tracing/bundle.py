"""`bundle`: a function as one operation of the DAG, sync or async, fixed or trainable."""

from __future__ import annotations

import functools
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, ParamSpec, TypeVar, cast, overload

from anyio import to_thread

from trace_agents.errors import ExecutionError, InvalidValue, TraceMissingInputsError
from trace_agents.graph import Code, Parameter
from trace_agents.sandbox import MontySandbox, Sandbox, SandboxName, UnsafeSandbox
from trace_agents.tracing.nodes import (
    Body,
    ExceptionNode,
    MessageNode,
    Node,
    current_body,
    running,
)
from trace_agents.tracing.parameters import ParameterNode

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Options:
    """How a bundled function is recorded and run."""

    name: str
    description: str
    catch_execution_error: bool = True
    allow_external_dependencies: bool = False


class Bundle(Generic[P, R]):
    """A bundled function: a call records one node, and its body runs as ordinary Python.

    Called in the body of another bundled function it is an ordinary function too. Several calls
    may run at once, of different versions where the code is trainable.
    """

    def __init__(
        self, function: Callable[P, R], options: Options, code: ParameterNode | None, box: Sandbox
    ) -> None:
        functools.update_wrapper(cast("Callable[..., object]", self), function)
        self._function = function
        self._signature = inspect.signature(function)
        self._options = options
        self._sandbox = box
        self._code = code
        self.is_async = inspect.iscoroutinefunction(function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function and return its result as a node; a coroutine of it if async."""
        if current_body() is not None:
            return self._run(_data(args), _data(kwargs))
        inputs = self._inputs(args, kwargs)
        return (
            self._awaited(inputs, args, kwargs)
            if self.is_async
            else self._now(inputs, args, kwargs)
        )

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @property
    def code(self) -> ParameterNode:
        """The parameter that holds the source of a trainable function.

        Raises:
            InvalidValue: the function is not trainable.
        """
        if self._code is None:
            raise InvalidValue(f"{self._options.name!r} is fixed; bundle it with trainable=True")
        return self._code

    def parameters(self) -> tuple[ParameterNode, ...]:
        """Return the code, if it is trainable."""
        return (self._code,) if self._code is not None else ()

    def _now(
        self, inputs: dict[str, Node], args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> Node:
        body = self._body(inputs)
        try:
            with running(body):
                result = self._run(_data(args), _data(kwargs))
        except TraceMissingInputsError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the user's function raises is recorded
            self._failed(error, inputs)
        return self._node(result, inputs, body)

    async def _awaited(
        self, inputs: dict[str, Node], args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> Node:
        body = self._body(inputs)
        try:
            with running(body):
                result = await self._run_async(_data(args), _data(kwargs))
        except TraceMissingInputsError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the user's function raises is recorded
            self._failed(error, inputs)
        return self._node(result, inputs, body)

    def _inputs(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, Node]:
        bound = self._signature.bind(*args, **kwargs)
        found: dict[str, Node] = {}
        for name, value in bound.arguments.items():
            for path, inner in _nodes_in(name, value):
                found[path] = inner.use()
        if self._code is not None:
            found["code"] = self._code.use()
        return found

    def _body(self, inputs: Mapping[str, Node]) -> Body:
        given = frozenset(id(value) for value in inputs.values())
        return Body(given, allow_external=self._options.allow_external_dependencies)

    def _node(self, result: object, inputs: dict[str, Node], body: Body) -> Node:
        value: object = result.raw if isinstance(result, Node) else result
        parents = {**inputs, **{name: n.use() for name, n in body.external.items()}}
        return MessageNode(
            value, name=self._options.name, description=self._options.description, inputs=parents
        )

    def _failed(self, error: Exception, inputs: dict[str, Node]) -> NoReturn:
        if not self._options.catch_execution_error:
            raise error
        name = f"exception_{self._options.name}"
        raise ExecutionError(ExceptionNode(error, name=name, inputs=inputs)) from error

    def _run(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Any:
        changed = self._changed_source()
        if changed is None:
            return self._function(*args, **kwargs)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue]
        return self._sandbox.call(changed, self._function.__name__, args, kwargs)

    async def _run_async(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
        changed = self._changed_source()
        if changed is None:
            return await cast("Any", self._function)(*args, **kwargs)
        name = self._function.__name__
        if isinstance(self._sandbox, UnsafeSandbox):
            return await cast("Any", self._sandbox.compiled(changed, name))(*args, **kwargs)
        return await to_thread.run_sync(self._sandbox.call, changed, name, args, kwargs)

    def _changed_source(self) -> str | None:
        """Return the code of this episode's version where it is not the user's own."""
        if self._code is None:
            return None
        source = cast(str, self._code.use().raw)
        return None if source == self._code.parameter.value else source


def _nodes_in(path: str, value: object) -> list[tuple[str, Node]]:
    if isinstance(value, Node):
        return [(path, value)]
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return [pair for key, inner in items for pair in _nodes_in(f"{path}.{key}", inner)]
    if isinstance(value, list | tuple):
        inners = enumerate(cast("list[object]", value))
        return [pair for index, inner in inners for pair in _nodes_in(f"{path}.{index}", inner)]
    return []


T = TypeVar("T")


def _data(value: T) -> T:
    """Return `value` with every node in it replaced by the node's data."""
    if isinstance(value, Node):
        return cast(T, value.use().raw)
    if isinstance(value, dict):
        return cast(T, {k: _data(v) for k, v in cast("dict[object, object]", value).items()})
    if isinstance(value, tuple):
        return cast(T, tuple(_data(v) for v in cast("tuple[object, ...]", value)))
    if isinstance(value, list):
        return cast(T, [_data(v) for v in cast("list[object]", value)])
    return value


@overload
def bundle(function: Callable[P, R], /) -> Bundle[P, R]: ...
@overload
def bundle(
    *,
    name: str = "",
    description: str = "",
    trainable: bool = False,
    catch_execution_error: bool = True,
    allow_external_dependencies: bool = False,
    sandbox: SandboxName = "monty",
) -> Callable[[Callable[P, R]], Bundle[P, R]]: ...
def bundle(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str = "",
    description: str = "",
    trainable: bool = False,
    catch_execution_error: bool = True,
    allow_external_dependencies: bool = False,
    sandbox: SandboxName = "monty",
) -> Any:
    """Return `function` as one operation of the DAG; a decorator, with or without options.

    Args:
        function: a sync or async function or method.
        name: of the operation; the function's own name without it.
        description: what the operation does; the docstring's first line without it.
        trainable: make the source a parameter named `{name}.code`: signature and docstring stay,
            the body may change. Changed code runs in the sandbox, the user's own code does not.
        catch_execution_error: turn an exception into an `ExceptionNode`, raised inside
            `ExecutionError`, so that it can be given feedback.
        allow_external_dependencies: let the body read nodes that it was not given.
        sandbox: `monty` (extra `sandbox`), or `unsafe` for none.

    Raises:
        InvalidValue: the source of a trainable function cannot be found or used.
    """

    def wrap(target: Callable[..., Any]) -> Bundle[..., Any]:
        label = name or target.__name__
        summary = description or (inspect.getdoc(target) or "").partition("\n")[0]
        options = Options(label, summary, catch_execution_error, allow_external_dependencies)
        code = _code_of(target, label, summary) if trainable else None
        box: Sandbox = UnsafeSandbox(target.__globals__) if sandbox == "unsafe" else MontySandbox()
        return Bundle(target, options, code, box)

    return wrap if function is None else wrap(function)


def _code_of(target: Callable[..., Any], label: str, summary: str) -> ParameterNode:
    try:
        source = textwrap.dedent(inspect.getsource(target))
    except (OSError, TypeError):
        raise InvalidValue(
            f"the source of {label!r} cannot be read; define the function in a file"
        ) from None
    start = next(
        (
            i
            for i, line in enumerate(source.splitlines())
            if line.startswith(("def ", "async def "))
        ),
        0,
    )
    body = "\n".join(source.splitlines()[start:])
    return ParameterNode(Parameter(f"{label}.code", body, Code.of(body), summary))

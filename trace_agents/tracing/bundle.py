"""`bundle`: a function as one operation of the DAG, sync or async, fixed or trainable."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from types import MethodType
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

import trace_agents.tracing.export as export  # its names are imported when asked for
from trace_agents.errors import InvalidValue
from trace_agents.graph import Projection
from trace_agents.sandbox import (
    Sandbox,
    SandboxName,
    UnsafeSandbox,
    call,
    call_async,
)
from trace_agents.tracing.body import running
from trace_agents.tracing.calls import Arguments
from trace_agents.tracing.execution import PlainBody, TracedBody
from trace_agents.tracing.nodes import Node
from trace_agents.tracing.parameters import ParameterNode
from trace_agents.tracing.source import Learning, code_of
from trace_agents.tracing.streams import async_stream, stream
from trace_agents.tracing.values import unwrapped

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Options:
    """How a bundled function is recorded and run."""

    name: str
    description: str
    catch_execution_error: bool = True
    allow_external_dependencies: bool = False
    traceable: bool = False


class Bundle(Generic[P, R]):
    """A bundled function: a call records one node, and its body runs as ordinary Python.

    Called in the body of another bundled function it is an ordinary function too. Several calls
    may run at once, of different versions where the code is trainable. Each object has its own
    code of a trainable method.
    """

    def __init__(
        self,
        function: Callable[P, R],
        options: Options,
        code: ParameterNode | None,
        learning: Learning | None,
    ) -> None:
        functools.update_wrapper(cast("Callable[..., object]", self), function)
        self._function = function
        self._arguments = Arguments(function, options.name, options.description)
        self._options = options
        self._learning = learning
        self._code = code
        self._method = False
        self.is_async = inspect.iscoroutinefunction(function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function and return its result as a node.

        Of an async function it is a coroutine of the node; of a generator, sync or async, a
        generator of nodes.

        Raises:
            TypeError: the arguments do not fit the function.
            ExecutionError: the function raised; `exception_node` carries what and where.
            TraceMissingInputsError: the body read a node that it was not given.
        """
        if running.get() is not None:
            return self._run([unwrapped(a) for a in args], _unwrapped_values(kwargs))
        call = self._arguments.call(args, kwargs, self._code)
        kind = TracedBody if self._options.traceable else PlainBody
        body = kind(
            call,
            catch=self._options.catch_execution_error,
            allow_external=self._options.allow_external_dependencies,
        )
        given, named = body.arguments(args, kwargs)
        with body:
            result = self._run(given, named)
        return self._recorded(result, body)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self.of(instance), instance)

    def __set_name__(self, owner: type, name: str) -> None:
        self._method = True

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

    def export(self) -> str:
        """Return the function as plain Python with the code that was learnt, and what it needs.

        Raises:
            InvalidValue: the source cannot be read.
        """
        return export.export_function(self._function, self._code)

    def of(self, instance: object) -> Bundle[P, R]:
        """Return the function as one object has it: with code of its own, if it is trainable."""
        kept: object = getattr(instance, "__dict__", None)
        if self._code is None or not isinstance(kept, dict):  # a class has its method's one code
            return self
        own = cast("dict[str, dict[str, object]]", kept).setdefault(INSTANCE_CODE, {})
        name = getattr(self._function, "__qualname__", self._options.name)
        found = own.get(name)
        if found is None:  # two threads may both make one; the first to put it there wins
            found = own.setdefault(name, copy.deepcopy(self))
        return cast("Bundle[P, R]", found)

    def __deepcopy__(self, memo: dict[int, object]) -> Bundle[P, R]:
        """Return the same function with code that changes apart from this one's."""
        code = copy.deepcopy(self._code, memo)
        made = Bundle(self._function, self._options, code, self._learning)
        made._method = self._method
        return made

    def _recorded(self, result: object, body: PlainBody) -> Any:
        kind = type(result)
        if kind in _VALUES:  # by far the most
            return body.node(result)
        if inspect.isgenerator(result):
            return stream(cast("Generator[object]", result), body)
        if inspect.isasyncgen(result):
            return async_stream(cast("AsyncGenerator[object]", result), body)
        if hasattr(kind, "__await__"):
            return self._awaited(cast("Awaitable[object]", result), body)
        return body.node(result)

    async def _awaited(self, result: Awaitable[object], body: PlainBody) -> Node:
        with body:
            value = await result
        return body.node(value)

    def _run(self, args: list[object], kwargs: Mapping[str, object]) -> Any:
        changed = self._changed_source()
        if changed is None or self._learning is None:
            return self._function(*args, **kwargs)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue]
        name = self._function.__name__
        box = self._learning.box
        if isinstance(box, UnsafeSandbox):
            return box.call(changed, name, args, kwargs)
        if self._method:
            args = [None, *args[1:]]  # the object stays outside
        job = self._learning.job(changed, name, args, kwargs)
        return call_async(box, job) if self.is_async else call(box, job)

    def _changed_source(self) -> str | None:
        """Return the code of this episode's version where it is not the user's own."""
        if self._code is None:
            return None
        source = cast(str, self._code.use().raw)
        return None if source == self._code.parameter.value else source


_VALUES = frozenset({bool, int, float, str, bytes, type(None), list, dict, tuple, set})
INSTANCE_CODE = "_trace_agents_code"
"""The attribute in which an object keeps its own trainable methods."""


def _unwrapped_values(kwargs: Mapping[str, object]) -> dict[str, object]:
    return {name: unwrapped(value) for name, value in kwargs.items()}


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
    traceable: bool = False,
    projections: Iterable[Projection] = (),
    imports: Iterable[str] | None = None,
    examples: Iterable[tuple[Sequence[object], object]] = (),
    callees: Iterable[Callable[..., object]] = (),
    sandbox: SandboxName | Sandbox = "monty",
) -> Callable[[Callable[P, R]], Bundle[P, R]]: ...
def bundle(  # noqa: PLR0913 - each is an option of its own, keyword-only, with a default
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str = "",
    description: str = "",
    trainable: bool = False,
    catch_execution_error: bool = True,
    allow_external_dependencies: bool = False,
    traceable: bool = False,
    projections: Iterable[Projection] = (),
    imports: Iterable[str] | None = None,
    examples: Iterable[tuple[Sequence[object], object]] = (),
    callees: Iterable[Callable[..., object]] = (),
    sandbox: SandboxName | Sandbox = "monty",
) -> Any:
    """Return `function` as one operation of the DAG; a decorator, with or without options.

    Args:
        function: a function, async function, generator or async generator; a method, static or
            class method; or anything else that can be called.
        name: of the operation; the function's own name without it.
        description: what the operation does; the docstring's first line without it.
        trainable: make the source a parameter named `{name}.code`: signature and docstring stay,
            the body may change. Changed code runs in the sandbox, the user's own code does not;
            in the sandbox a method's `self` is None.
        catch_execution_error: turn an exception into an `ExceptionNode`, raised inside
            `ExecutionError`, so that it can be given feedback.
        allow_external_dependencies: let the body read nodes that it was not given.
        traceable: give the body nodes, and record what it does with them apart from the
            episode: `result.expand()` is that inner graph.
        projections: what changed code goes through before it is stored, such as a formatter.
        imports: modules that changed code may import; whatever the sandbox has without it.
        examples: pairs of arguments and result; changed code must give that result, in the
            sandbox, before it is accepted.
        callees: functions, sync or async, that changed code may call from the sandbox.
        sandbox: where changed code runs: `monty` (extra `sandbox`), `process` or `docker` with
            all of Python, `unsafe` for none; or an object that several functions share.

    Raises:
        InvalidValue: the source of a trainable function cannot be found or used.
    """

    def wrap(target: Any) -> Any:
        if isinstance(target, staticmethod | classmethod):  # the binding stays outermost
            inner = cast("staticmethod[..., Any] | classmethod[Any, ..., Any]", target)
            made = wrap(inner.__func__)
            made._method = isinstance(target, classmethod)
            return type(inner)(made)
        label = name or getattr(target, "__name__", type(target).__name__)
        summary = description or (inspect.getdoc(target) or "").partition("\n")[0]
        options = Options(
            label, summary, catch_execution_error, allow_external_dependencies, traceable
        )
        if not trainable:
            return Bundle(target, options, None, None)
        learning = Learning.of(target, sandbox, projections, imports, examples, callees)
        code = code_of(target, label, summary, learning)
        return Bundle(target, options, code, learning)

    return wrap if function is None else wrap(function)

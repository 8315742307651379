"""AutoGen's tools, workbenches and code executors: calls are recorded, results are bound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import wraps
from typing import Any, TypeAlias, cast

from autogen_core import CancellationToken
from autogen_core.code_executor import CodeBlock, CodeExecutor, CodeResult
from autogen_core.tools import (
    BaseStreamTool,
    BaseTool,
    StaticStreamWorkbench,
    StaticWorkbench,
    TextResultContent,
    ToolResult,
    ToolSchema,
    Workbench,
)
from opentelemetry import trace as otel

from trace_agents.tracing.context import current_trace
from trace_agents_adapters import boundary
from trace_agents_adapters.autogen import runtimes
from trace_agents_adapters.autogen.benches import listed
from trace_agents_adapters.autogen.toolcode import function_of, run_changed
from trace_agents_adapters.boundary import Binding
from trace_agents_adapters.patches import Method, Wrapping
from trace_agents_adapters.toolcode import pinned

AnyTool: TypeAlias = BaseTool[Any, Any]
AnyStreamTool: TypeAlias = BaseStreamTool[Any, Any, Any]
CallTool: TypeAlias = Callable[..., Awaitable[ToolResult]]
Execute: TypeAlias = Callable[..., Awaitable[CodeResult]]

_running: ContextVar[object] = ContextVar("trace_agents_autogen_tool", default=None)


@contextmanager
def _marked(tool: object) -> Generator[None]:
    runtimes.in_tool()
    token = _running.set(tool)
    try:
        yield
    finally:
        _running.reset(token)


def _passes(tool: object) -> bool:
    """Tell whether a call is not recorded: no episode, or a call of `super()`."""
    return current_trace() is None or _running.get() is tool


def _wrap_run_json(original: Method) -> Method:
    run_json = cast("Callable[..., Awaitable[object]]", original)

    @wraps(run_json)
    async def bound_run_json(
        self: AnyTool,
        args: Mapping[str, object],
        cancellation_token: CancellationToken,
        call_id: str | None = None,
    ) -> object:
        if _passes(self):
            return await run_json(self, args, cancellation_token, call_id)
        agent = boundary.ambient_agent()
        with (
            boundary.tool_span(self.name, call_id=call_id, arguments=dict(args)) as finish,
            _marked(self),
        ):
            code = pinned(function_of(self), self.name, agent)
            boundary.uses(otel.get_current_span(), code.bound if code else {})
            if code is not None and code.changed:
                result = await run_changed(self, code, args, cancellation_token)
            else:
                result = await run_json(self, args, cancellation_token, call_id)
            result = _bound_result(self, agent, result)
            finish(self.return_value_as_string(result))
        return result

    return bound_run_json


def _bound_result(tool: AnyTool, agent: str, result: object) -> object:
    """Return the pinned text of a handoff's message, and any other result as it is."""
    trace = current_trace()
    if trace is None or not isinstance(result, str):
        return result
    binding = Binding(trace, agent)
    text = binding.text("result", result, tool.name)
    boundary.uses(otel.get_current_span(), binding.bound)
    return text


def _wrap_run_json_stream(original: Method) -> Method:
    run_stream = cast("Callable[..., AsyncGenerator[object, None]]", original)

    @wraps(run_stream)
    def bound_run_stream(
        self: AnyStreamTool,
        args: Mapping[str, object],
        cancellation_token: object,
        call_id: str | None = None,
    ) -> AsyncGenerator[object, None]:
        results = run_stream(self, args, cancellation_token, call_id)
        return results if _passes(self) else _recorded(self, results, args, call_id)

    return bound_run_stream


async def _recorded(
    tool: AnyStreamTool,
    results: AsyncGenerator[object, None],
    args: Mapping[str, object],
    call_id: str | None,
) -> AsyncGenerator[object, None]:
    """Yield what a tool gives; its last value is the result."""
    span = boundary.start_tool(tool.name, call_id=call_id, arguments=dict(args))
    last: object = None
    try:
        while True:
            with otel.use_span(span, record_exception=False), _marked(tool):
                result = await anext(results, None)
            if result is None:
                break
            last = result
            yield result
        boundary.gave(span, tool.return_value_as_string(last))
    except BaseException as error:
        boundary.failed(span, error)
        raise
    finally:
        span.end()
        await results.aclose()


def _wrap_list_tools(original: Method) -> Method:
    list_tools = cast("Callable[[Workbench], Awaitable[list[ToolSchema]]]", original)

    @wraps(list_tools)
    async def list_by_a_copy(self: Workbench) -> list[ToolSchema]:
        # a prototype runs in a loop of its own, where the connections of a user's do not answer
        if boundary.intercepted() is None or _running.get() is Workbench:
            return await list_tools(self)
        with _marked(Workbench):
            return await listed(self)

    return list_by_a_copy


def _wrap_call_tool(original: Method) -> Method:
    call_tool = cast("CallTool", original)

    @wraps(call_tool)
    async def recorded_call_tool(
        self: Workbench,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        running = call_tool(self, name, arguments, cancellation_token, call_id)
        if _passes(self):
            return await running
        if isinstance(self, StaticWorkbench):  # its tools are recorded themselves
            return await _ended(running, name, cancellation_token)
        told = dict(arguments or {})
        with boundary.tool_span(name, call_id=call_id, arguments=told) as finish, _marked(self):
            result = await _ended(running, name, cancellation_token)
            finish(result.to_text())
            if result.is_error:
                boundary.refused(otel.get_current_span(), result.to_text())
        return result

    return recorded_call_tool


async def _ended(
    running: Awaitable[ToolResult], name: str, token: CancellationToken | None
) -> ToolResult:
    """Return a tool's result; an error for what it raised, as AutoGen's own workbenches do."""
    try:
        return await running
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the model hears of it
        return _told(name, error, token)


def _wrap_call_tool_stream(original: Method) -> Method:
    call_stream = cast("Callable[..., AsyncGenerator[object, None]]", original)

    @wraps(call_stream)
    async def ended_stream(
        self: StaticStreamWorkbench,
        name: str,
        arguments: Mapping[str, object] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> AsyncGenerator[object, None]:
        results = call_stream(self, name, arguments, cancellation_token, call_id)
        try:
            async for result in results:
                yield result
        except asyncio.CancelledError as error:
            if _passes(self):
                raise
            yield _told(name, error, cancellation_token)
        finally:
            await results.aclose()

    return ended_stream


def _told(name: str, error: BaseException, token: CancellationToken | None) -> ToolResult:
    """Return an error as the result of a tool; raise it where the run is to end.

    An agent of AutoGen that does not get the result of a tool waits without an end, also where
    the token ended the tool and nobody the agent.
    """
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        if token is None or not token.is_cancelled() or task is None or task.cancelling():
            raise error
        text = f"the call of {name!r} was cancelled by its token"
    return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=True)


def _wrap_execute(original: Method) -> Method:
    execute = cast("Execute", original)

    @wraps(execute)
    async def recorded_execute(
        self: CodeExecutor, code_blocks: Sequence[CodeBlock], cancellation_token: object
    ) -> CodeResult:
        if _passes(self):
            return await execute(self, code_blocks, cancellation_token)
        told = {"code": [block.code for block in code_blocks]}
        name = type(self).__name__
        with boundary.tool_span(name, arguments=told) as finish, _marked(self):
            result = await execute(self, code_blocks, cancellation_token)
            finish(result.output)
            if result.exit_code != 0:
                boundary.refused(otel.get_current_span(), result.output)
        return result

    return recorded_execute


def _wrap_submit(original: Method) -> Method:
    submit = cast("Callable[..., Future[object]]", original)

    @wraps(submit)
    def submit_in_context(
        self: ThreadPoolExecutor, fn: Callable[..., object], /, *args: object, **settings: object
    ) -> Future[object]:
        # AutoGen runs synchronous tools and inputs in the loop's executor: it forgets the context
        if not runtimes.is_running() or current_trace() is None:
            return submit(self, fn, *args, **settings)
        return submit(self, copy_context().run, fn, *args, **settings)

    return submit_in_context


WRAPPINGS: tuple[tuple[type, tuple[Wrapping, ...]], ...] = (
    (BaseTool, (("run_json", _wrap_run_json), ("run_json_stream", _wrap_run_json_stream))),
    (Workbench, (("call_tool", _wrap_call_tool), ("list_tools", _wrap_list_tools))),
    (StaticStreamWorkbench, (("call_tool_stream", _wrap_call_tool_stream),)),
    (CodeExecutor, (("execute_code_blocks", _wrap_execute),)),
    (ThreadPoolExecutor, (("submit", _wrap_submit),)),
)
"""What is wrapped while a workflow is instrumented."""

"""The boundary of LangChain's tools and retrievers: each call becomes a span."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import cast

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, StructuredTool, Tool
from opentelemetry import trace as otel

from trace_agents.tracing.context import current_trace
from trace_agents_adapters import boundary
from trace_agents_adapters.langchain import messages as shapes
from trace_agents_adapters.langchain.callers import agent_of
from trace_agents_adapters.langchain.markers import marker
from trace_agents_adapters.langchain.twins import Args, Instead, Ready, Settings
from trace_agents_adapters.langchain.watching import Watch
from trace_agents_adapters.toolcode import Function, Pinned, pinned

_running: ContextVar[tuple[object, ...]] = ContextVar("trace_agents_tool", default=())
"""The tool call under way here: a subclass's method may call the one that it overrides."""


def tool(called: object, args: Args, settings: Settings) -> Ready[object] | Instead[object] | None:
    """Return what becomes of `run` or `arun` of a tool; in a probe no tool runs."""
    if isinstance(boundary.intercepted(), Watch):
        return Instead(marker("result"))
    if _passes():
        return None
    used = cast("BaseTool", called)
    call_id = settings.get("tool_call_id")
    key = (id(used), call_id)
    if _running.get() == key:
        return None
    given = args[0] if args else settings.get("tool_input")
    code = pinned(function_of(used), used.name, agent_of(settings.get("metadata")))
    span = boundary.start_tool(
        used.name,
        description=used.description,
        call_id=call_id if isinstance(call_id, str) else None,
        arguments=told(given),
    )
    if code is None:
        return Ready(args, settings, span, _gave, _once(key))
    boundary.uses(span, code.bound)
    other = _with_code(used, code) if code.changed else None
    # the copy calls what it overrides with itself
    return Ready(args, settings, span, _gave, _once((id(other or used), call_id)), other)


def function_of(called: object) -> Function | None:
    """Return the user's function behind a tool, if it is one."""
    if isinstance(called, StructuredTool | Tool):
        return cast("Function | None", called.func or called.coroutine)
    return None


def _with_code(used: BaseTool, code: Pinned) -> BaseTool:
    """Return a copy of a tool that runs new code; its arguments are checked as before."""
    made: dict[str, Function] = {}
    for name, twin in (("func", code.blocking), ("coroutine", code.awaited)):
        function = cast("Function | None", getattr(used, name, None))
        if function is not None:
            made[name] = twin(function)
    return used.model_copy(update=made)


def retriever(
    called: object, args: Args, settings: Settings
) -> Ready[list[Document]] | Instead[list[Document]] | None:
    """Return what becomes of `invoke` or `ainvoke` of a retriever; in a probe none runs."""
    if isinstance(boundary.intercepted(), Watch):
        return Instead([Document(marker("context"))])
    key = (id(called),)
    if _passes() or _running.get() == key:
        return None
    given = args[0] if args else settings.get("input")
    name = cast("BaseRetriever", called).get_name()
    span = boundary.start_tool(name, arguments={"query": given})
    return Ready(args, settings, span, _found, _once(key))


def told(tool_input: object) -> object:
    """Return a tool's arguments without what the framework injects, which is no JSON."""
    if not isinstance(tool_input, Mapping):
        return tool_input
    given = cast("Mapping[str, object]", tool_input)
    return {key: value for key, value in given.items() if _is_json(value)}


def _passes() -> bool:
    return current_trace() is None or boundary.intercepted() is not None


def _once(key: tuple[object, ...]) -> Callable[[], AbstractContextManager[None]]:
    @contextmanager
    def guard() -> Generator[None]:
        token = _running.set(key)
        try:
            yield
        finally:
            _running.reset(token)

    return guard


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _gave(span: otel.Span, result: object) -> None:
    text = _result_text(result)
    boundary.gave(span, text)
    if isinstance(result, ToolMessage) and result.status == "error":
        boundary.refused(span, text)


def _result_text(result: object) -> str:
    if isinstance(result, BaseMessage):
        return shapes.text_of(result)
    # a Command: what a tool gives in order to hand over, with its message in the update
    update = getattr(result, "update", None)
    if isinstance(update, Mapping):
        said = cast("Mapping[str, object]", update).get("messages")
        answers = cast("list[object]", said) if isinstance(said, list) else []
        texts = [shapes.text_of(each) for each in answers if isinstance(each, ToolMessage)]
        return "\n".join(texts) or str(result)
    return str(result)


def _found(span: otel.Span, documents: Sequence[Document]) -> None:
    boundary.gave(span, boundary.dumps([document.page_content for document in documents]))

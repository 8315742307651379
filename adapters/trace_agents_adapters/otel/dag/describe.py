"""How a call reads as a node: its value, its error, and whether it came to an end."""

from __future__ import annotations

from trace_agents.graph import GraphNode, Kind
from trace_agents_adapters.otel.dag.calls import Call
from trace_agents_adapters.otel.dag.scene import Scene, error_of
from trace_agents_adapters.otel.dag.toolcalls import ToolCalls

_STOPPED = ("CancelledError", "GeneratorExit", "KeyboardInterrupt")


def call_node(span_id: str, call: Call, scene: Scene, tools: ToolCalls) -> GraphNode:
    """Return the node of a model or tool call."""
    return GraphNode(
        span_id,
        call.kind,
        call.name,
        _answer(call) if call.kind is Kind.LLM_CALL else _tool_value(span_id, call, tools),
        scene.agent_of(span_id),
        call.description,
        error=_error(span_id, call, tools),
        finished=_finished(span_id, call, tools),
        spans=scene.spans_of(span_id),
    )


def _answer(call: Call) -> object:
    calls = [
        {"id": p.id, "name": p.name, "arguments": p.arguments}
        for p in call.outputs
        if p.type == "tool_call"
    ]
    text = "\n".join(p.text for p in call.outputs if p.type == "text")
    if calls:
        return {"text": text, "tool_calls": calls} if text else {"tool_calls": calls}
    return text if call.outputs else None


def _tool_value(span_id: str, call: Call, tools: ToolCalls) -> object:
    result, arguments = tools.result_of(span_id, call), tools.arguments_of(span_id, call)
    return {"arguments": arguments, "result": result, "id": tools.id_of(span_id, call)}


def _error(span_id: str, call: Call, tools: ToolCalls) -> str | None:
    told = error_of(call)
    if told is not None or call.span.end is None:
        return told
    if call.kind is Kind.TOOL_CALL and tools.has_failed(span_id, call):
        return tools.result_of(span_id, call) or "error"
    return None if _finished(span_id, call, tools) else "it ended without a result"


def _finished(span_id: str, call: Call, tools: ToolCalls) -> bool:
    """Return whether a call came to its end: not cancelled, and not left without an answer."""
    if call.span.end is None:
        return False
    if call.span.status == "error":
        kind = str(call.span.attributes.get("error.type") or call.span.message)
        stopped = kind.split("(")[0].endswith(_STOPPED)
        return not stopped and not (call.kind is Kind.LLM_CALL and call.outputs)
    if call.kind is Kind.LLM_CALL:
        return bool(call.outputs) or not call.inputs
    told = call.arguments is None or tools.result_of(span_id, call) is not None
    return told and not tools.was_left(span_id, call)

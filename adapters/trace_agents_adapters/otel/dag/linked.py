"""Links between executors, for workflows that record no content: whose message went to whom."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from trace_agents.graph import Kind
from trace_agents_adapters.otel.dag.scene import Scene

_EXECUTOR = "executor.id"
_DATA = frozenset({Kind.LLM_CALL, Kind.TOOL_CALL})


def linked(scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield the last call of each executor that sent a message, and the first that it started.

    Where the receiving call tells what it was given, its content says more, and nothing is added.
    """
    executor, calls = _places(scene)
    for span_id, call in scene.calls.items():
        inside = calls.get(span_id)
        if not call.links or not inside or scene.calls[inside[0]].inputs:
            continue
        for _, sent in call.links:
            source = _before(scene, calls.get(executor.get(sent) or "", []), sent)
            if source is not None and source != inside[0]:
                yield source, inside[0]


def _places(scene: Scene) -> tuple[dict[str, str | None], dict[str, list[str]]]:
    """Return the executor around each span, and the calls in each executor by their start."""
    executor: dict[str, str | None] = {}
    for span_id in scene.holding.order:
        above = scene.holding.above[span_id]
        is_one = span_id in scene.calls and _EXECUTOR in scene.calls[span_id].span.attributes
        executor[span_id] = span_id if is_one else None if above is None else executor[above]
    calls: dict[str, list[str]] = {}
    for span_id, call in scene.calls.items():
        around = executor.get(span_id)
        if call.kind in _DATA and around is not None:
            calls.setdefault(around, []).append(span_id)
    return executor, calls


def _before(scene: Scene, calls: list[str], sent: str) -> str | None:
    """Return the latest of some calls that began before a message was sent."""
    message = scene.holding.spans.get(sent)
    if message is None:
        return None
    earlier = bisect_right(calls, message.start, key=lambda call: scene.calls[call].span.start)
    return calls[earlier - 1] if earlier else None

"""Episodes that are over and that no decision has used: kept by the store, and back again."""

from __future__ import annotations

import json
from typing import Any

from trace_agents.feedback import Feedback
from trace_agents.serialize import graph_from_json, graph_to_json
from trace_agents.store import EpisodeRecord
from trace_agents.training.episodes.runner import Rollout, Status


def to_body(rollout: Rollout) -> str:
    """Return what a decision needs of a rollout beyond its record, as JSON."""
    return json.dumps(
        {"graph": _graph(rollout), "read": sorted(rollout.read)}, ensure_ascii=False, default=repr
    )


def _graph(rollout: Rollout) -> dict[str, object] | None:
    if rollout.graph is None:
        return None
    try:
        return graph_to_json(rollout.graph)
    except Exception:  # noqa: BLE001 - the boundary: a value of the user's that cannot be copied
        return None


def from_body(record: EpisodeRecord, body: str, task: object, status: Status) -> Rollout:
    """Return the rollout of a record; its output is not kept."""
    data: dict[str, Any] = json.loads(body)
    graph, metrics = data["graph"], record.metrics
    return Rollout(
        record.episode,
        record.index,
        task,
        record.split,
        record.version,
        status,
        None,
        None if record.score is None else Feedback(record.score, record.feedback),
        None if graph is None else graph_from_json(graph),
        record.error,
        metrics["seconds"],
        int(metrics["tokens"]),
        metrics["usd"],
        frozenset(data["read"]),
        # an earlier release did not count them
        calls=int(metrics.get("calls", 0)),
    )

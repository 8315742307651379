"""The same spans through agentlightning's adapter: `lightning.py SHAPE SIZE`, where it lives."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Mapping
from typing import Any

# it has an environment of its own: no checker sees it
ADAPTER: Any = importlib.import_module("agentlightning.adapter")
TYPES: Any = importlib.import_module("agentlightning.types")

_ABOUT: Mapping[str, object] = {
    "gen_ai.request.model": "m",
    "gen_ai.completion.0.role": "assistant",
}


def span(number: int, above: int | None) -> object:
    """Return one span as its store keeps it: a model call, under its default name for one."""
    made: object = TYPES.Span.from_attributes(
        rollout_id="r",
        attempt_id="a",
        sequence_id=number,
        trace_id="a" * 32,
        span_id=f"{number:016x}",
        parent_id=None if above is None else f"{above:016x}",
        name="openai.chat.completion",
        attributes=dict(_ABOUT),
        start_time=float(number),
        end_time=number + 0.5 if above else 1e9,
    )
    return made


def main(shape: str, size: int) -> dict[str, float]:
    """Return how long the adapter took."""
    spans = [span(1, None)]
    spans += [span(n, 1 if shape == "small" else n - 1) for n in range(2, size + 1)]
    began = time.process_time()
    ADAPTER.TracerTraceToTriplet().adapt(spans)
    return {"convert": time.process_time() - began}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))

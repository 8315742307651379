"""Curves of several trainings beside each other, as the examples print them."""

from __future__ import annotations

from collections.abc import Mapping

import trace_agents as ta

ROWS = 8


def show(results: Mapping[str, ta.TrainResult]) -> None:
    """Print the live score on the gate tasks after some decisions, and the held-out scores."""
    print(f"{'decision':>10}" + "".join(f"{name:>18}" for name in results))
    last = max(len(result.curve) for result in results.values()) - 1
    for number in sorted({round(last * k / ROWS) for k in range(ROWS + 1)}):
        points = (r.curve[min(number, len(r.curve) - 1)] for r in results.values())
        print(f"{number:10}" + "".join(f"{point.mean:18.3f}" for point in points))
    for name, result in results.items():
        if result.report is not None:
            before, after = result.report.before, result.report.after
            print(f"{name}: {before:.3f} -> {after:.3f} on tasks that no training saw")
        print(f"  {dict(result.best.values)}")

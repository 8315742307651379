"""How much an episode records: `spans.py AGENT COUNT` prints one JSON object."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import trace_agents as ta
from benchmarks.wrappingcosts.agents import TASK, Clients, agent, sounding
from trace_agents.tracing import Trace
from trace_agents.training import evaluate
from trace_agents.workflow import Workflow
from trace_agents_multiagent.demo.build import build_team, tasks_of
from trace_agents_multiagent.demo.settings import Settings
from trace_agents_multiagent.household import judge

AGENTS: dict[str, Callable[[], Workflow]] = {
    "household": lambda: build_team(Settings(run_dir=Path())),
    "autogen": lambda: ta.wrap(Clients().team),
    "langchain": lambda: ta.wrap(agent(sounding)),
}


class Kept:
    """What the recorders of all episodes would write into the files of a run."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.bytes: Counter[str] = Counter()

    def __call__(self, trace: Trace) -> None:
        """Take one episode."""
        for recorder in trace.recorders:
            written = [f"{line}\n" for line in recorder.lines()]
            self.bytes[recorder.filename] += sum(len(line.encode()) for line in written)
            if recorder.filename == "spans.jsonl":
                self.lines += written


async def measured(name: str, count: int) -> dict[str, float]:
    """Run so many episodes; return what one of them wrote."""
    workflow, kept = AGENTS[name](), Kept()
    house = name == "household"
    await evaluate(
        workflow,
        tasks_of("dev", count, 0) if house else [TASK] * count,
        workflow.parameters().defaults(),
        guide=judge if house else lambda _task, _output: 1.0,
        on_trace=kept,
    )
    text = "".join(kept.lines).encode()
    return {
        "spans": sum(_spans(line) for line in kept.lines) / count,
        "bytes": kept.bytes["spans.jsonl"] / count,
        "packed": len(gzip.compress(text)) / count,
        "others": (kept.bytes.total() - kept.bytes["spans.jsonl"]) / count,
    }


def _spans(line: str) -> int:
    request = json.loads(line)
    scopes = (scope for each in request["resourceSpans"] for scope in each["scopeSpans"])
    return sum(len(scope["spans"]) for scope in scopes)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measured(sys.argv[1], int(sys.argv[2])))))

"""What the demo runs: how many tasks of which split, with which models."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from trace_agents.training import Budget

CONTROLS = ("frozen", "shuffled", "random")
"""The controls: no training; feedback whose numbers belong to other causes; random directives."""
SPANS = "spans.jsonl"
"""The trace file in a run's folder: OTLP/JSON, one request per line."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One run of the demo. The defaults take about a minute on two cores with the stand-ins."""

    run_dir: Path
    seed: int = 3
    model: str | None = None
    """A litellm name for the agents; the rule-following stand-in without it."""
    optimizer_model: str | None = None
    """A litellm name for the optimizer; the reflecting stand-in without it."""
    base_url: str | None = None
    """The address of an OpenAI-compatible API for both models."""
    concurrency: int = 32
    batch_size: int = 12
    """Episodes that one proposal reads."""
    proposals: int = 5
    """Proposals in each training."""
    gate_tasks: int = 24
    test_seeds: int = 100
    train_file: Path | None = None
    """A file of training tasks; seeds of the train split without it."""
    controls: bool = True
    budget: Budget = field(default_factory=Budget)
    """The limit of each training; nothing is limited by default."""
    deterministic: bool = True

    @property
    def train_tasks(self) -> int:
        """How many train tasks there are; they are used in turn."""
        return self.batch_size * (self.proposals + 2)

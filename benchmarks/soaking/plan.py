"""What a trainer process of the soak is told, and where it leaves what it was told itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

COMPLETE, BROKEN = 0, 75
"""Status of a trainer whose run is complete, and of one that its database or disk ended."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One life of a trainer process."""

    run_dir: str
    """Folder of the trace files, and of the database where `store` is None."""
    notes: str
    """Folder for what must not be lost, on another disk."""
    store: str | None
    seed: int
    deterministic: bool
    decisions: int
    begun: bool = False
    """Whether the run has begun, so that this life goes on with it."""
    life: int = 0
    deadly: float = 0.0
    """How probable it is that a worker process dies of one episode."""
    cluster: str | None = None
    """Address of the Ray cluster that runs the episodes, if one does."""

    @property
    def acknowledged(self) -> Path:
        """The file with every event that a trainer was told."""
        return Path(self.notes, "acknowledged.jsonl")

    @property
    def toll(self) -> Path:
        """The file with a line for every dead worker and every jump of the clock."""
        return Path(self.notes, "toll")

    @property
    def curve(self) -> Path:
        """The file with the learning curve, once the run is complete."""
        return Path(self.notes, "curve.json")

    @property
    def place(self) -> str:
        """Where the run's database is, as the store takes it."""
        return self.store or str(Path(self.run_dir, "run.db"))

    def dumped(self) -> str:
        """Return the plan as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, text: str) -> Plan:
        """Return what `dumped` wrote."""
        return cls(**json.loads(text))

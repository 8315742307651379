"""Event files that TensorBoard shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trace_agents.loggers.extras import optional
from trace_agents.training import VersionPublished
from trace_agents.training.telling.logger import Record


class TensorBoard:
    """A logger that writes scalars, and each new version's reason as text, into a folder.

    Raises:
        ExtraNotInstalled: tensorboardX is missing.
    """

    def __init__(self, folder: str | Path) -> None:
        self._make: Any = optional("tensorboardX", "tensorboard").SummaryWriter
        self._folder = str(folder)
        self._writer: Any = None

    def log(self, records: Sequence[Record]) -> None:
        """Write the records' figures."""
        if self._writer is None:
            self._writer = self._make(self._folder)
        for record in records:
            for name, value in record.metrics.items():
                self._writer.add_scalar(name, value, record.step, record.time)
            if isinstance(record.event, VersionPublished):
                changed = ", ".join(record.event.changed)
                self._writer.add_text("head/changed", changed, record.step, record.time)
        self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()

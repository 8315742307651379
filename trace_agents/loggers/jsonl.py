"""A file with one JSON object for each event."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from trace_agents.training.telling.events import event_data
from trace_agents.training.telling.logger import Record


class JSONL:
    """A logger that adds to a file, one JSON object a line: kind, step, time, and the event."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file: TextIO | None = None

    def log(self, records: Sequence[Record]) -> None:
        """Write the records and flush them."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        self._file.writelines(_line(record) for record in records)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _line(record: Record) -> str:
    kind = type(record.event).__name__
    data = {
        "kind": kind,
        "step": record.step,
        "time": record.time,
        **event_data(record.event),
    }
    return json.dumps(data, ensure_ascii=False, default=repr) + "\n"

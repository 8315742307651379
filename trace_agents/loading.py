"""Traces from files, whatever wrote them: the readers are found by entry point."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from trace_agents.errors import TraceFileError
from trace_agents.graph import Graph
from trace_agents.plugins import READERS, found


def load_traces(path: str | Path) -> list[Graph]:
    """Return the episodes of a trace file, as graphs on which `backward` works at once.

    Raises:
        TraceFileError: no such file, or no installed reader can read it; the sentence holds
            what each of them said.
    """
    file = Path(path)
    if not file.is_file():
        raise TraceFileError(f"there is no file {str(file)!r}")
    said: list[str] = []
    for entry in found(READERS):
        try:
            return cast("Callable[[Path], list[Graph]]", entry.load())(file)
        except TraceFileError as error:
            said.append(f"{entry.name}: {error}")
    raise TraceFileError(f"{str(file)!r} cannot be read; " + ("; ".join(said) or "no reader"))

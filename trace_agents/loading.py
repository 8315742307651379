"""Traces from files, whatever wrote them: the readers are found by entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import cast

from trace_agents.errors import TraceFileError
from trace_agents.graph import Graph, merge
from trace_agents.plugins import READERS, found


def load_traces(path: str | Path) -> list[Graph]:
    """Return the episodes of a trace file, as graphs on which `backward` works at once.

    Of a folder, all files are read, by name; what several files or readers tell of one episode
    becomes one graph.

    Raises:
        TraceFileError: no such file, or no installed reader can read it; the sentence holds
            what each of them said.
    """
    where = Path(path)
    if where.is_dir():
        return _folder(where)
    if not where.is_file():
        raise TraceFileError(f"there is no file {str(where)!r}")
    said: list[str] = []
    for graphs in _read(where, said):
        return graphs
    raise _unreadable(where, said)


def _folder(folder: Path) -> list[Graph]:
    said: list[str] = []
    read = list(_read(folder, said))
    if not read:
        raise _unreadable(folder, said)
    if len(read) == 1:
        return read[0]
    episodes: dict[str, list[Graph]] = {}
    for graph in chain.from_iterable(read):
        episodes.setdefault(graph.episode, []).append(graph)
    return [merge(graphs, name, graphs[0].version) for name, graphs in episodes.items()]


def _read(path: Path, said: list[str]) -> Iterator[list[Graph]]:
    """Yield what each reader makes of a path; what the others say against it goes to `said`."""
    for entry in found(READERS):
        try:
            yield cast("Callable[[Path], list[Graph]]", entry.load())(path)
        except TraceFileError as error:
            said.append(f"{entry.name}: {error}")


def _unreadable(path: Path, said: list[str]) -> TraceFileError:
    return TraceFileError(f"{str(path)!r} cannot be read; " + ("; ".join(said) or "no reader"))

"""Trace files: what every episode of a run recorded, written when the episode has ended."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from os import SEEK_END
from pathlib import Path
from types import TracebackType
from typing import TextIO

from trace_agents.errors import StoreError
from trace_agents.tracing.context import Trace


class TraceFiles:
    """Appends the lines of each episode's recorders to files in a run's folder.

    The recorders name the files (spans are OTLP/JSON in `spans.jsonl`), so that the core knows
    no format. Without a folder nothing is written.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._files: dict[str, TextIO] = {}
        self._stack = ExitStack()

    def __enter__(self) -> TraceFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # of what could not be written, `write` has told
            self._stack.close()

    def write(self, trace: Trace) -> None:
        """Append what one episode recorded.

        Raises:
            StoreError: the disk is full, or the folder cannot be written to.
        """
        if self._folder is None:
            return
        try:
            self._append(self._folder, trace)
        except OSError as error:
            raise StoreError(
                f"{self._folder}: the traces of an episode cannot be written: {error}; what was "
                "acknowledged before is there: go on with resume() when there is room"
            ) from error

    def _append(self, folder: Path, trace: Trace) -> None:
        for recorder in trace.recorders:
            file = self._open(folder, recorder.filename)
            file.writelines(f"{line}\n" for line in recorder.lines())
            file.flush()

    def _open(self, folder: Path, name: str) -> TextIO:
        if name not in self._files:
            _drop_torn_line(folder / name)
            file = self._stack.enter_context((folder / name).open("a", encoding="utf-8"))
            self._files[name] = file
        return self._files[name]


def _drop_torn_line(path: Path) -> None:
    """Cut off the end of a file that was being written when its process was killed."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        end = file.seek(0, SEEK_END)
        while end > 0:
            begin = max(0, end - 65_536)
            file.seek(begin)
            place = file.read(end - begin).rfind(b"\n")
            if place >= 0:
                file.truncate(begin + place + 1)
                return
            end = begin
        file.truncate(0)

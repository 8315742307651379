"""A file of OTLP/JSON lines that survives its writer: what was written stays whole."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from trace_agents.errors import TraceFileError


class SpanFile:
    """Appends lines to a file; a line is in the system's hands when `append` returns.

    A line that an earlier writer left unfinished is ended first, and one that the disk had no
    room for is taken back, so that every other line stays readable.
    """

    def __init__(self, path: Path) -> None:
        try:
            # read and append: the last byte tells whether the last line was ended
            self._file = path.open("a+b", buffering=0)
            self._end_last_line()
        except OSError as error:
            raise TraceFileError(f"cannot write the trace file {str(path)!r}: {error}") from error
        self.path = path

    def __enter__(self) -> SpanFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def append(self, lines: list[str]) -> None:
        """Write lines as one whole.

        Raises:
            OSError: there is no room for them; the file is as before.
        """
        begin = self._file.seek(0, os.SEEK_END)
        content = memoryview("".join(f"{line}\n" for line in lines).encode())
        try:
            while content:
                content = content[self._file.write(content) :]
        except OSError:
            with suppress(OSError):  # a device has no length; the first error says more
                self._file.truncate(begin)
            raise

    def _end_last_line(self) -> None:
        end = self._file.seek(0, os.SEEK_END)
        if end:
            self._file.seek(end - 1)
            if self._file.read(1) != b"\n":
                self._file.write(b"\n")

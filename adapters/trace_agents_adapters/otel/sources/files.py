"""Trace files of every sort: what is in a file decides how it is read, never its name."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias, cast

from trace_agents.errors import TraceFileError
from trace_agents_adapters.otel.records import SpanRecord
from trace_agents_adapters.otel.sources import jaeger, mlflow, otlp_proto, phoenix
from trace_agents_adapters.otel.sources.bounded import GZIP, unpacked
from trace_agents_adapters.otel.sources.otlp_decode import MISTAKES, is_request, read_request, said
from trace_agents_adapters.otel.sources.telemetry import LogRecord, Telemetry

Located: TypeAlias = tuple[str, object]
"""Where a JSON document stands, and the document."""

MOST = 1 << 30
"""Bytes that a packed file may unpack to."""

FORMATS: tuple[tuple[Callable[[object], bool], Callable[[object, Telemetry], None]], ...] = (
    (is_request, read_request),
    (jaeger.is_export, jaeger.read_export),
    (mlflow.is_export, mlflow.read_export),
    (phoenix.is_export, phoenix.read_export),
)
"""One pair for each shape of a JSON document: whether it is of that shape, and its reader."""

_SPACE = re.compile(r"\s*")
_EXPECTED = (
    "a trace file holds OTLP export requests (JSON, one a line or one in the file, or protobuf), "
    "or an export of Phoenix, MLflow or Jaeger; each of them packed with gzip or not"
)


def read_telemetry(path: str | Path) -> Telemetry:
    """Return all that a file tells, or all files of a folder in the order of their names.

    Whatever can be read is returned; each part that cannot is one of the problems.

    Raises:
        TraceFileError: nothing in it can be read.
    """
    where = Path(path)
    return _read_folder(where) if where.is_dir() else _read_file(where)


def read_spans(path: str | Path) -> list[SpanRecord]:
    """Return the spans of a trace file or folder, where every part of it can be read.

    Raises:
        TraceFileError: some part cannot be read; `read_telemetry` returns the others.
    """
    found = read_telemetry(path)
    if found.problems:
        raise TraceFileError(f"{found.problems[0]}; {_EXPECTED}")
    return found.spans


def read_logs(path: str | Path) -> list[LogRecord]:
    """Return the log records of a trace file or folder.

    Raises:
        TraceFileError: nothing in it can be read.
    """
    return read_telemetry(path).logs


def _read_folder(folder: Path) -> Telemetry:
    into = Telemetry()
    read = 0
    for file in sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] != "."):
        try:
            into.extend(_read_file(file))
            read += 1
        except _Foreign:
            continue
        except TraceFileError as error:
            into.problems.append(str(error))
    if not read:
        found = "; ".join(into.problems[:3]) or "it holds no trace file"
        raise TraceFileError(f"the folder {str(folder)!r} cannot be read: {found}")
    return into


class _Foreign(TraceFileError):
    """A file of a format that another reader knows."""


def _read_file(path: Path) -> Telemetry:
    data = _content(path)
    into = Telemetry()
    problems: list[str] = []
    documents = 0
    if data.lstrip()[:1] in (b"{", b"["):
        for where, document in _documents(data, problems):
            documents += _read_document(document, where, into, problems)
    if into.empty and data and not documents and not otlp_proto.read_file(data, into):
        first = problems[0] if problems else "line 1: neither JSON nor OTLP/protobuf"
        kind = _Foreign if _holds_graphs(data) else TraceFileError
        raise kind(f"{str(path)!r}, {first}; {_EXPECTED}")
    into.problems = [f"{str(path)!r}, {problem}" for problem in [*problems, *into.problems]]
    return into


def _content(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        if data.startswith(GZIP):
            data = unpacked(data, MOST)
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            data = data.decode("utf-16").encode()
        return data.removeprefix(codecs.BOM_UTF8)
    except (OSError, ValueError) as error:
        raise TraceFileError(f"cannot read the trace file {str(path)!r}: {error}") from error


def _documents(data: bytes, problems: list[str]) -> Iterator[Located]:
    """Yield the JSON documents: the whole, or one a line; what is no JSON becomes a problem."""
    lines = data.splitlines()
    # a first line that is a document of its own makes it needless to try the whole
    if len(lines) == 1 or _json(lines[0]) is None:
        whole = _one_after_another(data)
        if whole:
            yield from (("line 1", document) for document in whole)
            return
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield f"line {number}", json.loads(line)
            except (ValueError, RecursionError) as error:
                problems.append(f"line {number}: no JSON: {error}")


def _one_after_another(data: bytes) -> list[object]:
    """Return the documents of a text that holds nothing else, on however many lines."""
    decoder, text, position = json.JSONDecoder(), data.decode(errors="replace"), 0
    found: list[object] = []
    try:
        while (position := _past_space(text, position)) < len(text):
            document, position = decoder.raw_decode(text, position)
            found.append(document)
    except (ValueError, RecursionError):
        return []
    return found


def _past_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _json(data: bytes) -> object:
    try:
        return cast("object", json.loads(data))
    except (ValueError, RecursionError):
        return None


def _read_document(document: object, where: str, into: Telemetry, problems: list[str]) -> bool:
    found = Telemetry()
    for fits, read in FORMATS:
        try:
            if fits(document):
                read(document, found)
                into.extend(found, f"{where}: ")
                return True
        except MISTAKES as error:
            problems.append(f"{where}: {said(error)}")
            return False
    problems.append(f"{where}: no export request: 'resourceSpans' is missing")
    return False


def _holds_graphs(data: bytes) -> bool:
    first = _json(data.split(b"\n", 1)[0])
    return isinstance(first, dict) and "schema" in first and "nodes" in first

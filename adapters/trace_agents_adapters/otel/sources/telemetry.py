"""What a source of telemetry told: spans, log records, and what could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trace_agents_adapters.otel.records import SpanRecord


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One log record. Ids are lower-case hex, empty where the record belongs to no span."""

    name: str = ""
    """The event's name; older writers put it into the attribute `event.name`."""
    time: int = 0
    """Nanoseconds since 1970."""
    trace_id: str = ""
    span_id: str = ""
    body: object = None
    attributes: Mapping[str, object] = field(default_factory=dict[str, object])
    scope: str = ""
    resource: Mapping[str, object] = field(default_factory=dict[str, object], compare=False)


@dataclass(slots=True)
class Telemetry:
    """Filled while a source is read; what is wrong becomes a sentence and never an error."""

    spans: list[SpanRecord] = field(default_factory=list[SpanRecord])
    logs: list[LogRecord] = field(default_factory=list[LogRecord])
    problems: list[str] = field(default_factory=list[str])
    """What could not be read, in sentences."""
    notes: list[str] = field(default_factory=list[str])
    """What was read and is not whole, because its writer cut it, in sentences."""

    @property
    def empty(self) -> bool:
        """Whether nothing was told."""
        return not self.spans and not self.logs

    def extend(self, other: Telemetry, where: str = "") -> None:
        """Add what another source told; its problems begin with `where`."""
        self.spans += other.spans
        self.logs += other.logs
        self.problems += [f"{where}{problem}" for problem in other.problems]
        self.notes += [f"{where}{note}" for note in other.notes]

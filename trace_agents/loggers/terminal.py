"""Lines on a terminal: what the run decided, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from trace_agents.training import (
    EpisodeEnded,
    ProposalRejected,
    RunStarted,
    TrainingEvent,
    VersionPublished,
    Warned,
)
from trace_agents.training.telling.logger import Record


class Terminal:
    """A logger that prints a line for every decision and warning, and one every `each` episodes.

    It prints to standard error, which programs that pipe their results leave free.
    """

    def __init__(self, *, each: int = 50, console: Console | None = None) -> None:
        self._each = each
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)

    def log(self, records: Sequence[Record]) -> None:
        """Print what there is to say."""
        for record in records:
            line = self._line(record.event)
            if line is not None:
                self._console.print(f"{record.step:>6}  {line}", markup=False)

    def close(self) -> None:
        """Leave the terminal as it is."""

    def _line(self, event: TrainingEvent) -> str | None:
        match event:
            case RunStarted():
                begun = "goes on" if event.resumed else "begins"
                return f"{begun}: {event.train_tasks} train and {event.gate_tasks} gate tasks"
            case EpisodeEnded(status=status) if status.episodes % self._each == 0:
                spent = status.spent
                return (
                    f"version {status.version}, {status.running} running, {status.failed} failed, "
                    f"{spent.tokens} tokens, ${spent.usd:.2f}"
                )
            case VersionPublished(evidence=evidence):
                changed = ", ".join(event.changed)
                return f"version {event.version} is live: {changed} {evidence.mean:+.4g}"
            case ProposalRejected():
                return f"{event.state}: {event.reason}"
            case Warned():
                return f"warning: {event.message}"
            case _:
                return None

"""Progress: one live line on a terminal, a plain line for each decision elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.status import Status as Spinner

from trace_agents.training import (
    EpisodeEnded,
    ProposalRejected,
    Status,
    TrainingEvent,
    VersionPublished,
    Warned,
)


class ProgressLine:
    """Shows what runs: version, held-out score with its error, spent and limit, running."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._spinner: Spinner | None = None

    def __enter__(self) -> ProgressLine:
        if self._console.is_terminal:
            self._spinner = self._console.status("starting")
            self._spinner.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._spinner is not None:
            self._spinner.stop()

    def __call__(self, arm: str, event: TrainingEvent | None) -> None:
        """Take in what happened."""
        if event is None:
            self._say(arm)
        elif isinstance(event, EpisodeEnded):
            self._live(f"{arm}: {describe(event.status)}")
        elif isinstance(event, VersionPublished):
            evidence = event.evidence
            self._say(
                f"{arm}: proposal {event.number} is live as version {event.version} "
                f"({evidence.mean:+.1f} ± {evidence.se:.1f} on {evidence.n} gate tasks); "
                f"{describe(event.status)}"
            )
        elif isinstance(event, ProposalRejected):
            self._say(
                f"{arm}: proposal {event.number} {event.state} ({event.reason}); "
                f"{describe(event.status)}"
            )
        elif isinstance(event, Warned):
            self._say(f"{arm}: warning: {event.message}")

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)
        self._live(line)

    def _live(self, line: str) -> None:
        if self._spinner is not None:
            self._spinner.update(line)


def describe(status: Status) -> str:
    """Return the state of a run in one line."""
    score = "not known yet"
    if status.gate_mean is not None:
        score = f"{status.gate_mean:.1f} ± {status.gate_se or 0.0:.1f}"
    limits = status.limit
    spent = f"{status.spent.episodes}/{_limit(limits.episodes)} episodes"
    if limits.usd is not None or status.spent.usd:
        spent += f", ${status.spent.usd:.2f}/{_limit(limits.usd)}"
    return f"version {status.version}, held-out {score}, {spent}, {status.running} running"


def _limit(value: float | None) -> str:
    return "∞" if value is None else f"{value:g}"

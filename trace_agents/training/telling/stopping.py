"""What ends a run before its budget does: rules of the scores, a file, a signal, an event."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, TypeAlias

import anyio
from anyio.abc import TaskGroup

from trace_agents.errors import InvalidValue

StopReason: TypeAlias = Literal[
    "complete",
    "budget",
    "target",
    "patience",
    "failures",
    "file",
    "signal",
    "asked",
    "guide",
    "optimizer",
    "free",
]
"""Why a run ended: all its proposals were decided, the budget has no room for more, a rule of
`Stop`, its caller asked for it, the guide could judge nothing, the optimizer's model gave the same
lasting error again and again, or nothing that the budget limits was used."""

LOOK = 0.5
"""Seconds between two looks for the file."""
End: TypeAlias = Callable[[StopReason, str], None]


class Point(Protocol):
    """A point of the learning curve."""

    @property
    def mean(self) -> float:
        """Mean gate score of the live version."""
        ...


@dataclass(frozen=True, slots=True)
class Stop:
    """Rules that end a run; whichever is met first.

    A run that is ended starts no further episode, finishes those that run, abandons the proposal
    under judgement, and returns its result, which says why it ended.
    """

    target_score: float | None = None
    """Ends the run when the live version's mean gate score is at least this."""
    patience: int | None = None
    """Ends the run after so many decisions in a row without a better mean gate score."""
    max_failures: int | None = None
    """Ends the run when more episodes than these ended without a score."""
    file: str | None = None
    """Ends the run when a file of this name is there; it is looked for twice a second."""
    signals: tuple[int, ...] = ()
    """Ends the run when the process gets one of these, such as `(SIGINT, SIGTERM)`; the next one
    acts as it does without us. Only for runs in the main thread."""

    def __post_init__(self) -> None:
        if self.patience is not None and self.patience < 1:
            raise InvalidValue(f"patience must be at least 1 decision, got {self.patience}")
        if self.max_failures is not None and self.max_failures < 0:
            raise InvalidValue(f"max_failures must be at least 0, got {self.max_failures}")
        object.__setattr__(self, "file", None if self.file is None else str(self.file))
        object.__setattr__(self, "signals", tuple(int(number) for number in self.signals))

    @property
    def ends(self) -> bool:
        """Whether a rule ends every run for certain, or leaves that to somebody outside."""
        return self.patience is not None or self.file is not None or bool(self.signals)

    def after(self, curve: Sequence[Point]) -> tuple[StopReason, str] | None:
        """Return why the learning curve ends the run, if it does."""
        if not curve:
            return None
        if self.target_score is not None and curve[-1].mean >= self.target_score:
            return "target", f"the live version's gate score is {curve[-1].mean:.4g}"
        best = max(range(len(curve)), key=lambda place: curve[place].mean)
        if self.patience is not None and len(curve) - 1 - best >= self.patience:
            return "patience", f"no better version in {self.patience} decisions"
        return None

    def after_failures(self, failed: int) -> tuple[StopReason, str] | None:
        """Return why so many failed episodes end the run, if they do."""
        if self.max_failures is None or failed <= self.max_failures:
            return None
        return "failures", f"{failed} episodes failed, more than {self.max_failures}"

    def to_json(self) -> dict[str, object]:
        """Return the rules as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Stop:
        """Return what `to_json` wrote."""
        fields: dict[str, Any] = {**data, "signals": tuple(data["signals"])}
        return cls(**fields)


def watch(group: TaskGroup, rules: Stop, event: anyio.Event | None, end: End) -> None:
    """Start what looks out, in tasks of `group`, for what comes from outside.

    Raises:
        InvalidValue: signals are asked for outside the main thread, where nobody gets them.
    """
    if event is not None:
        group.start_soon(_await_event, event, end)
    if rules.file is not None:
        group.start_soon(_await_file, anyio.Path(rules.file), end)
    if rules.signals:
        if threading.current_thread() is not threading.main_thread():
            raise InvalidValue(
                "only the main thread gets signals; run the training there, or leave out signals"
            )
        group.start_soon(_await_signal, rules.signals, end)


async def _await_event(event: anyio.Event, end: End) -> None:
    await event.wait()
    end("asked", "the caller asked for it")


async def _await_file(path: anyio.Path, end: End) -> None:
    while not await path.exists():  # noqa: ASYNC110 - nobody tells of a file that appears
        await anyio.sleep(LOOK)
    end("file", f"the file {path} is there")


async def _await_signal(signals: Iterable[int], end: End) -> None:
    # asyncio puts the system's own handlers back, not those that were there
    before = {number: signal.getsignal(number) for number in signals}
    try:
        with anyio.open_signal_receiver(*map(signal.Signals, before)) as received:
            async for number in received:
                end("signal", f"the process got {signal.Signals(number).name}")
                return
    finally:
        for asked, handler in before.items():
            signal.signal(asked, handler)

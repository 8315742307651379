"""What most often went wrong in a run's episodes, so that its end can say so."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\d+(?:\.\d+)?")


def in_general(sentence: str) -> str:
    """Return a sentence's first line without numbers and quoted words."""
    return _PARTICULAR.sub("…", sentence.strip().split("\n", 1)[0][:200])


@dataclass(slots=True)
class Failures:
    """Counts the episodes that ended, and those without a score by their kind of error."""

    ended: int = 0
    failed: int = 0
    _kinds: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])

    def add(self, error: str | None, *, failed: bool) -> None:
        """Count an episode that ended; `error` is the sentence of one that failed."""
        self.ended += 1
        if failed:
            self.failed += 1
            kind = in_general(error or "")
            count, first = self._kinds.get(kind, (0, error or "no error was given"))
            self._kinds[kind] = (count + 1, first)

    def sentence(self) -> str | None:
        """Return what to say of them at the end, if at least half have failed."""
        if not self.failed or 2 * self.failed < self.ended:
            return None
        _, first = max(self._kinds.values(), key=lambda kind: kind[0])
        return f"{self.failed} of {self.ended} episodes ended without a score, most often: {first}"

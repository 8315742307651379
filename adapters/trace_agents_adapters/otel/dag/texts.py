"""Which text came from whom: texts are found again whole, or as a run of words in a longer text.

Every text lies in an index under its first words, so that the work grows with what is read and
not with how many texts there are. Case counts, punctuation and white space do not.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]"
    r"|[^\W\u3040-\u30ff\u3400-\u9fff]+(?:-[^\W\u3040-\u30ff\u3400-\u9fff]+)*"
)
# a run of backslashes is tried once, not from each of them: text may hold nothing else
_ESCAPED = re.compile(r"(?<!\\)\\+[nrt]")
_STEPS = (1, 2, 4, 16)
"""How many first words a text is filed under: the most of these that it has."""
_ALIKE = 16
"""Texts with the same first words that are compared at one place, the latest of them."""
_SHORTEST = 8
"""Characters below which a text inside another one is taken for chance, unless it is a code."""
_SHORTEST_CODE = 4
_LATEST = 64
"""Texts in which a piece is looked for, the latest of them."""


def words_of(text: str) -> list[str]:
    """Return the words of a text; an escaped line end in JSON text parts words too."""
    return _WORD.findall(_plain(text))


def located(text: str) -> list[tuple[int, int]]:
    """Return where each of the words of a text begins and ends."""
    return [match.span() for match in _WORD.finditer(_plain(text))]


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda m: " " * len(m[0]), text) if "\\" in text else text


def _telling(words: Sequence[str], text: str) -> bool:
    """Whether finding the text inside another one is no chance."""
    if len(words) >= 2 and len(text) >= _SHORTEST:
        return True
    return (
        len(text) >= _SHORTEST_CODE and any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    )


@dataclass(slots=True, eq=False)
class Known:
    """A text with everyone who produced it, in order."""

    text: str
    words: tuple[str, ...] = ()
    producers: list[str] = field(default_factory=list[str])

    def add(self, producer: str) -> None:
        """Remember one more producer."""
        if not self.producers or self.producers[-1] != producer:
            self.producers.append(producer)


@dataclass(frozen=True, slots=True)
class Found:
    """A known text in the words `start` to `end` of another one."""

    known: Known
    start: int
    end: int


class Texts:
    """The texts that an episode has produced so far."""

    def __init__(self, *, every: bool = False) -> None:
        """Find every text inside others with `every`, else only those that tell something."""
        self._every = every
        self._whole: dict[str, Known] = {}
        self._filed: dict[tuple[str, ...], list[Known]] = {}
        self._steps: dict[str, set[int]] = {}
        self._latest: deque[Known] = deque(maxlen=_LATEST)

    def add(self, text: str, producer: str) -> None:
        """Remember who produced a text."""
        text = text.strip()
        known = self._whole.get(text)
        if known is None:
            if not text:
                return
            known = self._whole[text] = Known(text)
            self._file(known)
            self._latest.append(known)
        known.add(producer)

    def holding(self, text: str) -> Known | None:
        """Return the latest of the texts of which this one is a piece; None if it tells nothing."""
        piece = text.strip()
        if not _telling(words_of(piece), piece):
            return None
        return next((known for known in reversed(self._latest) if piece in known.text), None)

    def _file(self, known: Known) -> None:
        words = words_of(known.text)
        if not words or not (self._every or _telling(words, known.text)):
            return
        known.words = tuple(words)
        step = max(n for n in _STEPS if n <= len(words))
        self._steps.setdefault(words[0], set()).add(step)
        alike = self._filed.setdefault(known.words[:step], [])
        if any(other.words == known.words for other in alike[-_ALIKE:]):
            return
        alike.append(known)

    def whole(self, text: str) -> Known | None:
        """Return the entry of exactly this text."""
        return self._whole.get(text.strip())

    def within(self, words: Sequence[str]) -> list[Found]:
        """Return the known texts inside some words, in order, the longest at each place."""
        found: list[Found] = []
        if self._steps.keys().isdisjoint(words):
            return found
        at = 0
        while at < len(words):
            steps = self._steps.get(words[at])
            known = None if steps is None else self._longest(words, at, steps)
            if known is None:
                at += 1
            else:
                found.append(Found(known, at, at + len(known.words)))
                at += len(known.words)
        return found

    def _longest(self, words: Sequence[str], at: int, steps: set[int]) -> Known | None:
        best: Known | None = None
        for step in steps:
            for known in self._filed.get(tuple(words[at : at + step]), ())[-_ALIKE:]:
                size = len(known.words)
                if (best is None or size > len(best.words)) and (
                    tuple(words[at : at + size]) == known.words
                ):
                    best = known
        return best

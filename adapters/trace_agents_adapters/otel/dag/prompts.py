"""Prompts: which parts of a message came from whom, and which the program itself wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trace_agents_adapters.otel.dag.messages import texts_of
from trace_agents_adapters.otel.dag.nodes import Nodes
from trace_agents_adapters.otel.dag.texts import Found, Known, Texts, located, words_of
from trace_agents_adapters.otel.dag.values import as_text, text_leaves

Variables = tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A message with the known texts in it, and what is left of it."""

    known: tuple[Known, ...] = ()
    template: str = ""
    """The message with a gap for each known text; empty where nothing is left."""
    templated: bool = False
    """A template is known to have made the message."""

    @property
    def complete(self) -> bool:
        """Whether known texts are all there is."""
        return bool(self.known) and not self.template


class Prompts:
    """Explains messages by the texts of an episode and by what its templates were filled with."""

    def __init__(self, texts: Texts, nodes: Nodes) -> None:
        self._texts = texts
        self._nodes = nodes
        self._filled: dict[str, Variables] = {}
        self._labels: dict[str, str] = {}
        self.speakers: set[str] = {"user", "assistant", "system"}
        """Names that may stand before what somebody said."""
        self.closed = False
        """An input of the whole run has come up in a prompt: other text is the program's own."""
        self._given: set[str] = set()

    def filled(self, made: object, variables: Variables) -> None:
        """Remember that a template made these messages."""
        for _, text in texts_of(made):
            self._filled[text.strip()] = variables

    def given(self, value: object, *, keep: bool = False) -> None:
        """Remember the input of the whole run; with `keep` it is a node even if nothing took it."""
        for key, text in texts_of(value):
            self._given.add(text.strip())
            self._maybe_input(key, text)
            if keep:
                self._nodes.keep(self._nodes.input(text.strip(), key))

    def task(self, value: object) -> None:
        """Remember what a workflow of ours was given: an input of whatever takes it."""
        for key, text in text_leaves(value):
            self._maybe_input(key, text)

    def _maybe_input(self, key: str, text: str) -> None:
        if self._texts.whole(text) is None:
            self._texts.add(text, self._nodes.input(text.strip(), key))
        if key:
            self._labels.setdefault(text.strip(), key)

    def explain(self, text: str, variables: Variables = ()) -> Explained:
        """Return who made which part of a message."""
        whole = self._texts.whole(text)
        if whole is not None:
            self.closed = self.closed or whole.text in self._given
            return Explained((whole,))
        made = self._filled.get(text.strip())
        words = words_of(text)
        found = self._of_variables(words, variables or made or ())
        found += self._elsewhere(words, found)
        if not found:
            return Explained(template=text, templated=made is not None)
        found.sort(key=lambda f: f.start)
        known = tuple(dict.fromkeys(k for f in found for k in self._origin(f.known)))
        self.closed = self.closed or any(k.text in self._given for k in known)
        left = self._left(words, found)
        template = self._with_gaps(text, found) if left else ""
        return Explained(known, template, made is not None or bool(variables))

    def _of_variables(self, words: list[str], variables: Variables) -> list[Found]:
        if not variables:
            return []
        local = Texts(every=True)
        for name, value in variables:
            for text in _filled_in(value):
                self._maybe_input(name, text)
                known = self._texts.whole(text)
                if known is not None:
                    local.add(text, known.text)
        return local.within(words)

    def _elsewhere(self, words: list[str], found: Iterable[Found]) -> list[Found]:
        """Return the known texts outside of what is found already."""
        more: list[Found] = []
        at = 0
        for taken in [*found, None]:
            end = len(words) if taken is None else taken.start
            inside = self._texts.within(words[at:end])
            more += [Found(f.known, f.start + at, f.end + at) for f in inside]
            at = end if taken is None else taken.end
        return more

    def _origin(self, known: Known) -> tuple[Known, ...]:
        """Return what a variable's value consists of, or the value itself."""
        whole = self._texts.whole(known.text) or known
        if len(whole.producers) == 1 and whole.producers[0].startswith("input:"):
            inside = self._texts.within(words_of(whole.text))
            parts = tuple(f.known for f in inside if f.known is not whole)
            return parts or (whole,)
        return (whole,)

    def _left(self, words: list[str], found: list[Found]) -> list[str]:
        left: list[str] = []
        at = 0
        for taken in found:
            left += words[at : taken.start]
            at = taken.end
        left += words[at:]
        return [word for word in left if word.lower() not in self.speakers]

    def _with_gaps(self, text: str, found: Iterable[Found]) -> str:
        places = located(text)
        pieces: list[str] = []
        at = 0
        for taken in found:
            label = self._labels.get(taken.known.text, "")
            pieces += [text[at : places[taken.start][0]], "{", label, "}"]
            at = places[taken.end - 1][1]
        return "".join([*pieces, text[at:]])


def _filled_in(value: object) -> list[str]:
    if isinstance(value, bool | int | float):
        return [as_text(value)]
    return [text for _, text in texts_of(value)]


def sources(used: Mapping[Known, int]) -> list[str]:
    """Return who produced the texts of one call: of a text used twice, its last two producers."""
    found: dict[str, None] = {}
    for known, times in used.items():
        found.update(dict.fromkeys(known.producers[-times:]))
    return list(found)

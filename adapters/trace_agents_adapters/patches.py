"""Methods of foreign classes, wrapped while somebody needs it and restored after that."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from threading import Lock
from typing import TypeAlias

Method: TypeAlias = Callable[..., object]
Wrapping: TypeAlias = tuple[str, Callable[[Method], Method]]
"""A method's name, and what makes the wrapper of the original."""


def family(base: type) -> Generator[type]:
    """Yield `base` and every class below it, each once."""
    seen: set[type] = set()
    waiting = [base]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            yield current
            waiting.extend(current.__subclasses__())


class Patches:
    """The wrapped methods of some base classes and all their subclasses, counted by scope.

    Patching a class is global to the process by nature; the wrappers therefore do nothing
    outside a recording, and the last scope that closes puts every original back.
    """

    def __init__(self, wrappings: Iterable[tuple[type, tuple[Wrapping, ...]]]) -> None:
        self._wrappings = tuple(wrappings)
        self._scopes = 0
        self._lock = Lock()
        self._saved: dict[tuple[type, str], tuple[Method, Method]] = {}

    @contextmanager
    def applied(self) -> Generator[None]:
        """Keep the methods wrapped inside; scopes nest and overlap."""
        with self._lock:
            self._scopes += 1
            self._wrap()
        try:
            yield
        finally:
            with self._lock:
                self._scopes -= 1
                if self._scopes == 0:
                    self._restore()

    def _wrap(self) -> None:
        for base, wrappings in self._wrappings:
            for owner in family(base):
                for name, make in wrappings:
                    original = vars(owner).get(name)
                    if callable(original) and (owner, name) not in self._saved:
                        wrapper = make(original)
                        self._saved[owner, name] = (original, wrapper)
                        setattr(owner, name, wrapper)

    def _restore(self) -> None:
        for (owner, name), (original, wrapper) in self._saved.items():
            # another library may have wrapped our wrapper since; its patch is not ours to undo
            if vars(owner).get(name) is wrapper:
                setattr(owner, name, original)
        self._saved.clear()

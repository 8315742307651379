"""Retries: an episode is run again where not the workflow failed, but what it runs on."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from trace_agents.errors import InvalidValue

FAULTS: tuple[str, ...] = (
    "trace_agents.errors.ModelUnavailable",
    "builtins.ConnectionError",
    "openai.APIConnectionError",
    "openai.RateLimitError",
    "openai.InternalServerError",
    "litellm.exceptions.ServiceUnavailableError",
    "anthropic.APIConnectionError",
    "anthropic.RateLimitError",
    "anthropic.InternalServerError",
    "httpx.TransportError",
)
"""Names of the exceptions that are faults: connections, rate limits and timeouts of models."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often an episode is tried, and after which exceptions.

    An exception counts if it is of a type in `on`, or was raised `from` one that is; of a group
    all must. Types may be given, or their full names, so that nothing has to be imported. What
    the workflow itself got wrong is never tried again: it is feedback.
    """

    attempts: int = 3
    """Tries in all; 1 retries nothing."""
    wait: float = 1.0
    """Seconds before the second try; twice as many before each further one, less up to a half
    that the episode's name fixes. A server's own wish (`retry_after`) goes first."""
    longest: float = 60.0
    """The most seconds of one wait."""
    on: tuple[str | type[BaseException], ...] = FAULTS

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.wait < 0 or self.longest < 0:
            raise InvalidValue(
                "of a Retry attempts must be at least 1, wait and longest at least 0; got "
                f"{self.attempts}, {self.wait} and {self.longest}"
            )
        names = tuple(kind if isinstance(kind, str) else _name(kind) for kind in self.on)
        short = [name for name in names if "." not in name]
        if short:
            raise InvalidValue(
                f"a Retry needs the type or the full name of an exception, got {short[0]!r}; give "
                "such as 'builtins.TimeoutError'"
            )
        object.__setattr__(self, "on", names)

    def covers(self, error: BaseException) -> bool:
        """Tell whether an exception is a fault."""
        return any(_is_one(found, frozenset(self.on)) for found in _causes(error))

    def pause(self, episode: str, tried: int, error: BaseException) -> float:
        """Return the seconds to wait after so many tries."""
        wished = next((w for w in map(_wish, _causes(error)) if w is not None), None)
        if wished is not None:
            return min(self.longest, max(0.0, wished))
        part = random.Random(f"{episode}/{tried}").uniform(0.5, 1.0)
        return min(self.longest, self.wait * 2.0 ** (tried - 1)) * part

    def to_json(self) -> dict[str, object]:
        """Return the policy as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Retry:
        """Return what `to_json` wrote."""
        fields: dict[str, Any] = {**data, "on": tuple(data["on"])}
        return cls(**fields)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _is_one(error: BaseException, names: frozenset[str | type[BaseException]]) -> bool:
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return all(any(_is_one(e, names) for e in _causes(inner)) for inner in group.exceptions)
    return any(_name(kind) in names for kind in type(error).__mro__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it was raised from."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__


def _wish(error: BaseException) -> float | None:
    wish = getattr(error, "retry_after", None)
    return float(wish) if isinstance(wish, (int, float)) else None

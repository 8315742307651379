"""Probes: runs of a prototype in which models are not called, only what they are offered seen."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from trace_agents_adapters.sites import Offer

_probe: ContextVar[Probe | None] = ContextVar("trace_agents_probe", default=None)


class ProbeDone(Exception):
    """Ends a prototype's run once its models' offers were seen; it never leaves the probe."""


@dataclass(eq=False)
class Probe:
    """Sees what models are offered, in their stead: no model is called inside it."""

    agent: str
    offers: list[Offer] = field(default_factory=list[Offer])

    @contextmanager
    def active(self) -> Generator[None]:
        """Intercept model calls inside."""
        token = _probe.set(self)
        try:
            yield
        finally:
            _probe.reset(token)

    def see(self, offer: Offer) -> ProbeDone:
        """Note what a model was offered; the caller raises what comes back."""
        self.offers.append(offer)
        return ProbeDone("the prototype's model call was seen")


def intercepted() -> Probe | None:
    """Return the probe that model calls in this context belong to, if any."""
    return _probe.get()

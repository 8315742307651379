"""Every error that this library raises, as one tree.

TraceAgentsError
├── InvalidValue (ValueError)          a value does not fit its parameter
├── UnknownParameter (KeyError)        a name that no parameter has
├── ExtraNotInstalled (ImportError)    an optional package is missing
├── DrawingError (RuntimeError)        a drawing could not be made
│   └── RendererNotFound               the program that draws is missing
├── NotWrappable (TypeError)           no adapter knows the object
├── ForeignNode (RuntimeError)         a node of another episode
├── ExecutionError (RuntimeError)      a bundled operation raised (in `trace_agents.tracing`)
├── TraceMissingInputsError (RuntimeError)  an operation read a node it was not given
├── TaskFileError (ValueError)         a task file that does not parse
├── TraceFileError (ValueError)        a trace file that does not parse
├── ModelError (RuntimeError)          a language model could not answer
│   ├── ModelUnavailable               it may answer if it is asked again
│   └── UnknownModel (ValueError)      no provider knows the model's name
├── MalformedReply (ValueError)        an optimizer's reply that holds no usable value
├── BudgetExhausted (RuntimeError)     a reservation over the limit
├── VersionConflict (RuntimeError)     the head moved before a swap
├── EpisodeFailed (RuntimeError)       an episode raised or ran out of time
│   └── GuideFailed                    a guide judged none of the first episodes
├── SandboxError (RuntimeError)        code that was refused or stopped
└── StoreError (RuntimeError)          the run's database cannot be used
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class TraceAgentsError(Exception):
    """Base of every error that this library raises on purpose."""


class InvalidValue(TraceAgentsError, ValueError):
    """A value does not fit the type of its parameter; nothing was stored."""


class UnknownParameter(TraceAgentsError, KeyError):
    """No parameter has this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(name)

    def __str__(self) -> str:
        listed = ", ".join(self.known) or "none"
        return f"no parameter is named {self.name!r}; the parameters are: {listed}"


class ExtraNotInstalled(TraceAgentsError, ImportError):
    """An optional package is missing; the sentence names the extra that brings it."""

    def __init__(self, package: str, extra: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(
            f"the package {package!r} is not installed; run: pip install 'trace-agents[{extra}]'"
        )


class DrawingError(TraceAgentsError, RuntimeError):
    """A drawing could not be made."""


class RendererNotFound(DrawingError):
    """The program that makes pictures is missing; the texts of a drawing need none."""

    def __init__(self, program: str, package: str) -> None:
        self.program = program
        self.package = package
        super().__init__(
            f"the program {program!r} was not found; install {package} (for example: "
            f"apt-get install {package}), or use the drawing's `.source` or `.mermaid` text"
        )


class NotWrappable(TraceAgentsError, TypeError):
    """No installed adapter knows how to wrap the object."""


class ForeignNode(TraceAgentsError, RuntimeError):
    """A node that was recorded in one episode was used in another."""


class TraceMissingInputsError(TraceAgentsError, RuntimeError):
    """A bundled operation read a node that is not among its inputs."""


class TaskFileError(TraceAgentsError, ValueError):
    """A task file does not parse."""


class TraceFileError(TraceAgentsError, ValueError):
    """A trace file does not parse."""


class ModelError(TraceAgentsError, RuntimeError):
    """A language model could not answer; an answer of no use may be billed all the same."""

    tokens: int = 0
    """Tokens that were billed, in and out."""
    usd: float = 0.0
    """What was billed in US dollars, as far as the price is known."""
    calls: int = 1
    """Requests that were made in vain."""

    def costing(self, tokens: int, usd: float, calls: int = 1) -> Self:
        """Return the error itself, with what was billed and how many requests were made."""
        self.tokens, self.usd, self.calls = tokens, usd, calls
        return self


class ModelUnavailable(ModelError):
    """A language model did not answer this time, and may if it is asked again."""

    retry_after: float | None = None
    """Seconds that its server asked to wait; None where it said nothing."""


class UnknownModel(ModelError, ValueError):
    """No provider knows the model's name."""


class MalformedReply(TraceAgentsError, ValueError):
    """An optimizer's reply holds no usable value."""


class BudgetExhausted(TraceAgentsError, RuntimeError):
    """A reservation would pass the budget's limit."""


class VersionConflict(TraceAgentsError, RuntimeError):
    """The head moved between the judgement of a candidate and its swap."""


class EpisodeFailed(TraceAgentsError, RuntimeError):
    """An episode raised or ran out of time."""


class SandboxError(TraceAgentsError, RuntimeError):
    """Code was refused before it ran, or stopped while it ran."""


class StoreError(TraceAgentsError, RuntimeError):
    """The run's database cannot be used."""

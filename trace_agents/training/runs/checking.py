"""Arguments of a wrong kind: one sentence each, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

import anyio

from trace_agents.errors import InvalidValue
from trace_agents.training.budgets.budget import Budget, Ledger
from trace_agents.training.episodes.retrying import Retry
from trace_agents.training.judging.gate import Gate
from trace_agents.training.judging.service import Rollback
from trace_agents.training.tasks.given import check_guide, check_workflow, named
from trace_agents.training.telling.logger import Logger
from trace_agents.training.telling.stopping import Stop

_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "budget": ((Budget, Ledger), "ta.Budget(episodes=100)"),
    "gate": ((Gate,), "Gate(margin=0.1)"),
    "retry": ((Retry,), "ta.Retry(attempts=3)"),
    "stop": ((anyio.Event, Stop), "an anyio.Event or ta.Stop(patience=10)"),
    "rollback": ((Rollback, bool), "False or Rollback(window=50)"),
    "run_dir": ((str, Path), "the path of a folder"),
}


def check_arguments(workflow: object, given: Mapping[str, object]) -> None:
    """Refuse arguments that cannot be what they are meant to be.

    Raises:
        InvalidValue: naming the first one and what to give in its place.
    """
    check_workflow(workflow)
    check_guide(given.get("guide"))
    for name, (kinds, example) in _KINDS.items():
        value = given.get(name)
        if value is not None and not isinstance(value, kinds):
            raise InvalidValue(f"{name}={named(value)} cannot be used; give {example}")
    for name in ("on_event", "on_trace"):
        if given.get(name) is not None and not callable(given[name]):
            raise InvalidValue(f"{name}={named(given[name])} must be a function of one argument")
    _check_folder(given.get("run_dir"))


def checked_loggers(loggers: object) -> tuple[Logger, ...]:
    """Return the loggers of an argument.

    Raises:
        InvalidValue: one of them has no `log`.
    """
    several = isinstance(loggers, Iterable) and not isinstance(loggers, (str, bytes))
    every = tuple(cast("Iterable[object]", loggers if several else (loggers,)))
    for logger in every:
        if isinstance(logger, type) or not callable(getattr(logger, "log", None)):
            raise InvalidValue(
                f"loggers= holds {named(logger)}, which is no logger; give a list of objects "
                "such as trace_agents.loggers.JSONL(path)"
            )
    return cast("tuple[Logger, ...]", every)


def _check_folder(folder: object) -> None:
    if isinstance(folder, (str, Path)) and Path(folder).exists() and not Path(folder).is_dir():
        raise InvalidValue(f"run_dir={str(folder)!r} is a file; give a folder, which may be new")

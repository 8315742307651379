"""A job: all that a run needs, before it is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import anyio

from trace_agents.errors import InvalidValue
from trace_agents.feedback import Guide
from trace_agents.optimizers import Optimizer
from trace_agents.tracing.context import Trace
from trace_agents.training.budgets.budget import Ledger
from trace_agents.training.proposals.choosing import Maker
from trace_agents.training.proposals.proposers import MakeOptimizer
from trace_agents.training.runs.options import Options
from trace_agents.training.tasks.lists import Tasks
from trace_agents.training.telling.logger import Logger
from trace_agents.training.telling.state import OnEvent
from trace_agents.workflow import Workflow

OnTrace: TypeAlias = Callable[[Trace], None]


@dataclass(frozen=True, slots=True)
class Job:
    """All that a run needs."""

    workflow: Workflow
    guide: Guide
    optimizer: Optimizer
    tasks: Tasks
    options: Options
    ledger: Ledger
    maker: Maker
    folder: Path | None = None
    on_event: OnEvent | None = None
    on_trace: OnTrace | None = None
    stop: anyio.Event | None = None
    store: str | None = None
    """URL of the database; without it the folder's."""
    make: MakeOptimizer | None = None
    """Makes an optimizer for a part of the parameters."""
    loggers: Sequence[Logger] = ()
    handle: bool = False
    """Whether `stop` is that of a `Run`, which nobody may ever set."""

    @property
    def only_metered(self) -> bool:
        """Whether nothing but tokens, dollars or calls ends the run for certain."""
        budget, options = self.ledger.budget, self.options
        others = (budget.episodes, budget.seconds, options.proposals)
        asked = options.stop.ends or (self.stop is not None and not self.handle)
        return budget.metered and not asked and all(limit is None for limit in others)

    def __post_init__(self) -> None:
        endless = self.options.proposals is None and self.stop is None
        endless = endless and not self.options.stop.ends
        if endless and not self.ledger.budget.limited:
            raise InvalidValue("nothing would end the run: give a budget, proposals, or stop=")

"""A run in Weights & Biases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from trace_agents.loggers.extras import optional
from trace_agents.training.telling.logger import Record


class WandB:
    """A logger that makes one Weights & Biases run.

    Offline, the default, it writes a folder and opens no connection; `wandb sync FOLDER` sends it
    later.

    Args:
        project: the project's name.
        folder: where the run's files go.
        mode: `online` sends while the run goes on; it needs a key.
        name: the run's name; made up without it.

    Raises:
        ExtraNotInstalled: wandb is missing.
    """

    def __init__(
        self,
        project: str,
        *,
        folder: str | Path,
        mode: Literal["offline", "online"] = "offline",
        name: str | None = None,
    ) -> None:
        self._wandb = optional("wandb", "wandb")
        self._project = project
        self._folder = Path(folder)
        self._mode = mode
        self._name = name
        self._run: Any = None

    def log(self, records: Sequence[Record]) -> None:
        """Write the records' figures."""
        if self._run is None:
            self._run = self._begin()
        for record in records:
            if record.metrics:
                # its own step counts calls, and may not stand still: ours is a metric beside it
                self._run.log({**record.metrics, "episodes/ended": record.step})

    def close(self) -> None:
        """End the run; a process of wandb's own writes what is left, at the latest by its end."""
        if self._run is not None:
            self._run.finish()

    def _begin(self) -> Any:
        self._folder.mkdir(parents=True, exist_ok=True)
        # `create_new` leaves a run alone that the program has under way
        run = self._wandb.init(
            project=self._project,
            name=self._name,
            dir=str(self._folder),
            mode=self._mode,
            reinit="create_new",
            settings=self._wandb.Settings(silent=True, console="off"),
        )
        run.define_metric("*", step_metric="episodes/ended")
        return run

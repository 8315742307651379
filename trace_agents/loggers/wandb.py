"""A run in Weights & Biases."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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
        self._thread: ThreadPoolExecutor | None = None

    def log(self, records: Sequence[Record]) -> None:
        """Write the records' figures."""
        if self._thread is None:
            # wandb writes nothing of a run that is ended in another thread than it was begun in
            self._thread = ThreadPoolExecutor(1, "wandb")
            self._run = self._thread.submit(self._begin).result()
        self._thread.submit(self._write, records).result()

    def close(self) -> None:
        """End the run."""
        if self._thread is not None:
            with self._thread as thread:
                if self._run is not None:
                    thread.submit(self._run.finish).result()

    def _write(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.metrics:
                # its own step counts calls, and may not stand still: ours is a metric beside it
                self._run.log({**record.metrics, "episodes/ended": record.step})

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

"""A run in MLflow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from trace_agents.loggers.extras import optional
from trace_agents.training import RunStarted, VersionPublished
from trace_agents.training.telling.logger import Record

_BATCH = 1000
"""The most metrics that MLflow's REST API takes in one request."""


class MLflow:
    """A logger that makes one MLflow run, with metrics by step and the options as parameters.

    It uses a client of its own: MLflow's active run and its other global settings stay as they are.

    Args:
        experiment: its name; it is made where there is none.
        tracking_uri: a server's address or a database URL; MLflow's own default without it.
        run_name: MLflow makes one up without it.

    Raises:
        ExtraNotInstalled: mlflow (or mlflow-skinny) is missing.
    """

    def __init__(
        self, experiment: str, *, tracking_uri: str | None = None, run_name: str | None = None
    ) -> None:
        self._entities = optional("mlflow.entities", "mlflow")
        self._tracking = optional("mlflow.tracking", "mlflow")
        self._experiment = experiment
        self._uri = tracking_uri
        self._run_name = run_name
        self._client: Any = None
        self.run_id: str | None = None
        """MLflow's id of the run, once it has begun."""

    def log(self, records: Sequence[Record]) -> None:
        """Send the records' figures, as few requests as the API allows."""
        client = self._client = self._client or self._begin()
        metrics = [
            self._entities.Metric(name, value, int(record.time * 1000), record.step)
            for record in records
            for name, value in record.metrics.items()
        ]
        for part in _parts(metrics):
            client.log_batch(self.run_id, metrics=part)
        for record in records:
            for name, value in _tags(record).items():
                client.set_tag(self.run_id, name, value)

    def close(self) -> None:
        """End MLflow's run."""
        if self._client is not None:
            self._client.set_terminated(self.run_id)

    def _begin(self) -> Any:
        client: Any = self._tracking.MlflowClient(tracking_uri=self._uri)
        known = client.get_experiment_by_name(self._experiment)
        number = (
            client.create_experiment(self._experiment) if known is None else known.experiment_id
        )
        self.run_id = client.create_run(number, run_name=self._run_name).info.run_id
        return client


def _parts(metrics: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(metrics), _BATCH):
        yield metrics[begin : begin + _BATCH]


def _tags(record: Record) -> dict[str, str]:
    match record.event:
        case RunStarted(train_tasks=train, gate_tasks=gate):
            return {"trace_agents.train_tasks": str(train), "trace_agents.gate_tasks": str(gate)}
        case VersionPublished(version=version):
            return {"trace_agents.version": str(version)}
        case _:
            return {}

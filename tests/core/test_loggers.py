from __future__ import annotations

import glob
import io
import json
import struct
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import anyio
import pytest
from rich.console import Console

from tests.core.training_toys import Climber, Dial, closeness
from trace_agents.errors import ExtraNotInstalled
from trace_agents.loggers import JSONL, Logger, MLflow, Record, TensorBoard, Terminal, WandB
from trace_agents.store import ParameterStore
from trace_agents.training import EpisodeEnded, TrainResult, VersionPublished, train

pytestmark = pytest.mark.filterwarnings("ignore:no episode has read the parameter 'spare'")

TRAIN = [f"train {i}" for i in range(10)]
GATE = [f"gate {i}" for i in range(8)]


async def climb(*loggers: Logger, run_dir: Path | None = None) -> TrainResult:
    return await train(
        Dial(),
        TRAIN,
        guide=closeness,
        optimizer=Climber(),
        gate_tasks=GATE,
        proposals=5,
        batch_size=4,
        loggers=loggers,
        run_dir=run_dir,
    )


class Kept:
    """Keeps what it is given, and may fail at one call."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.records: list[Record] = []
        self.closed = 0

    def log(self, records: Sequence[Record]) -> None:
        if self.fails == "log":
            raise OSError("the disk is full")
        self.records.extend(records)

    def close(self) -> None:
        self.closed += 1
        if self.fails == "close":
            raise OSError("the disk is full")


async def test_a_logger_gets_the_events_of_the_log_in_order(tmp_path: Path) -> None:
    """All of them, once, with the figures in them, and is closed once."""
    kept = Kept()
    result = await climb(kept, run_dir=tmp_path)
    with ParameterStore(tmp_path, Dial().parameters()) as store:
        kinds = {type(record.event).__name__ for record in kept.records}
        logged = [event.kind for event in store.events() if event.kind in kinds]
    assert [type(record.event).__name__ for record in kept.records] == logged
    assert kept.closed == 1
    scores = [
        record.metrics["gate/score"]
        for record in kept.records
        if isinstance(record.event, EpisodeEnded) and record.event.split == "gate"
    ]
    assert max(scores) == max(point.mean for point in result.curve)
    steps = [record.step for record in kept.records]
    assert steps == sorted(steps)
    assert steps[-1] == result.episodes


@pytest.mark.parametrize("fails", ["log", "close"])
async def test_a_logger_that_fails_is_left_out(fails: str) -> None:
    """The run ends as without it, warns once, and other loggers get everything."""
    alone, beside = Kept(), Kept()
    plain = await climb(alone)
    result = await climb(Kept(fails), beside)
    assert result.best.values == plain.best.values
    assert [w for w in result.warnings if "Kept failed" in w and "the disk is full" in w]
    assert {type(r.event) for r in alone.records} <= {type(r.event) for r in beside.records}


async def test_a_cancelled_run_closes_its_loggers() -> None:
    """What was logged before the cancellation is written."""
    kept = Kept()
    with anyio.CancelScope() as scope:
        seen = 0

        def stop(event: object) -> None:
            nonlocal seen
            seen += isinstance(event, EpisodeEnded)
            if seen == 5:
                scope.cancel()

        await train(
            Dial(),
            TRAIN,
            guide=closeness,
            optimizer=Climber(),
            gate_tasks=GATE,
            proposals=50,
            loggers=[kept],
            on_event=stop,
        )
    assert kept.closed == 1
    assert sum(isinstance(record.event, EpisodeEnded) for record in kept.records) >= 5


async def test_jsonl_adds_a_line_for_each_event(tmp_path: Path) -> None:
    """Two runs into one file leave both; every line is an object."""
    path = tmp_path / "logs" / "run.jsonl"
    first = await climb(JSONL(path))
    await climb(JSONL(path))
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    published = [line for line in lines if line["kind"] == "VersionPublished"]
    assert len(published) == 2 * (len(first.versions) - 1)
    assert [line["kind"] for line in lines].count("RunStarted") == 2


async def test_the_terminal_says_what_was_decided() -> None:
    """A line for each decision, and one for every few episodes."""
    screen = io.StringIO()
    result = await climb(Terminal(each=10, console=Console(file=screen, width=200)))
    said = screen.getvalue()
    assert "begins: 10 train and 8 gate tasks" in said
    assert said.count("is live: dial") == len(result.versions) - 1
    assert said.count(" running, ") == result.episodes // 10


def events_of(folder: Path) -> Iterator[bytes]:
    """Yield the records of TensorBoard's files: length, two checksums, and the event."""
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            yield data[12 : 12 + length]
            data = data[16 + length :]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_tensorboard_gets_scalars_by_step(tmp_path: Path) -> None:
    """The event file holds each live version's mean at the step at which it went live."""
    pytest.importorskip("tensorboardX")
    parse = import_module("tensorboardX.proto.event_pb2").Event.FromString

    kept = Kept()
    await climb(TensorBoard(tmp_path), kept)
    found = {
        (value.tag, event.step): value.simple_value
        for event in map(parse, events_of(tmp_path))
        for value in event.summary.value
    }
    live = [record for record in kept.records if isinstance(record.event, VersionPublished)]
    assert live
    for record in live:
        assert found["head/mean", record.step] == pytest.approx(record.metrics["head/mean"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
async def test_mlflow_gets_a_run_with_metrics(tmp_path: Path) -> None:
    """A run that is finished, in the experiment, with every score; two runs share it."""
    tracking = pytest.importorskip("mlflow.tracking")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    kept, logger = Kept(), MLflow("dials", tracking_uri=uri, run_name="first")
    await climb(logger, kept)
    await climb(MLflow("dials", tracking_uri=uri))
    client = tracking.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("dials").experiment_id
    assert len(client.search_runs([experiment])) == 2
    run = client.get_run(logger.run_id)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "first")
    scores = [r.metrics["train/score"] for r in kept.records if "train/score" in r.metrics]
    history = client.get_metric_history(logger.run_id, "train/score")
    assert sorted(metric.value for metric in history) == sorted(scores)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
async def test_wandb_writes_a_run_offline(tmp_path: Path) -> None:
    """The folder that `wandb sync` takes holds the figures; no connection is opened."""
    pytest.importorskip("wandb")
    await climb(WandB("dials", folder=tmp_path, name="first"))
    (written,) = glob.glob(f"{tmp_path}/wandb/offline-run-*/run-*.wandb")
    data = b""
    with anyio.move_on_after(30):
        # a process of wandb's own writes the file: no event of this loop tells of it
        while not (b"gate/score" in data and b"head/mean" in data):
            await anyio.sleep(0.05)
            data = await anyio.Path(written).read_bytes()
    assert b"gate/score" in data
    assert b"head/mean" in data


@pytest.mark.parametrize(
    ("make", "extra"),
    [
        (lambda: TensorBoard("x"), "tensorboard"),
        (lambda: MLflow("x"), "mlflow"),
        (lambda: WandB("x", folder="x"), "wandb"),
    ],
)
def test_a_missing_package_names_its_extra(
    make: object, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the logger's making, not in the midst of a run."""
    for module in ("tensorboardX", "mlflow", "mlflow.entities", "wandb"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    assert callable(make)
    with pytest.raises(ExtraNotInstalled, match=rf"trace-agents\[{extra}\]"):
        make()

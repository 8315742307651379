"""The sub-command `trace-agents demo`."""

from __future__ import annotations

import json
import signal
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import anyio
import typer
from rich.console import Console

from trace_agents.errors import TraceAgentsError
from trace_agents.training import Budget
from trace_agents_multiagent.demo.experiment import Outcome, run_experiment
from trace_agents_multiagent.demo.present import as_json, default_run_dir, save, show
from trace_agents_multiagent.demo.progress import ProgressLine
from trace_agents_multiagent.demo.settings import Settings

_INTRODUCTION = (
    "alice (an AutoGen agent) and bob (a LangChain agent) learn to work in a household: "
    "{settings.proposals} proposals, {settings.test_seeds} test tasks, results in "
    "{settings.run_dir}. Ctrl-C ends the run and keeps what was learnt."
)


def demo(  # noqa: PLR0913 - each argument is an option of the command line
    model: Annotated[
        str | None,
        typer.Option(help="litellm name of the agents' model; a rule-following stand-in without."),
    ] = None,
    optimizer_model: Annotated[
        str | None,
        typer.Option(help="litellm name of the optimizer's model; a reflecting stand-in without."),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Address of an OpenAI-compatible API for both models.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Everything random follows from it.")] = 3,
    test_seeds: Annotated[int, typer.Option(min=2, help="Test tasks.")] = 100,
    gate_tasks: Annotated[int, typer.Option(min=2, help="Tasks that judge a proposal.")] = 24,
    proposals: Annotated[int, typer.Option(min=1, help="Proposals in each training.")] = 5,
    batch_size: Annotated[int, typer.Option(min=1, help="Episodes a proposal reads.")] = 12,
    concurrency: Annotated[int, typer.Option(min=1, help="Episodes at once.")] = 32,
    episodes: Annotated[int | None, typer.Option(min=1, help="Budget of one training.")] = None,
    usd: Annotated[float | None, typer.Option(min=0, help="Budget of one training.")] = None,
    tasks: Annotated[Path | None, typer.Option(help="File of training tasks.")] = None,
    controls: Annotated[
        bool | None,
        typer.Option(help="Run the three controls as well; by default only with the stand-ins."),
    ] = None,
    run_dir: Annotated[Path | None, typer.Option(help="Where the results go.")] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Watch a household team of an AutoGen and a LangChain agent learn."""
    folder = _fresh(run_dir)
    settings = Settings(
        run_dir=folder,
        seed=seed,
        model=model,
        optimizer_model=optimizer_model,
        base_url=base_url,
        concurrency=concurrency,
        batch_size=batch_size,
        proposals=proposals,
        gate_tasks=gate_tasks,
        test_seeds=test_seeds,
        train_file=tasks,
        controls=model is None if controls is None else controls,
        budget=Budget(episodes=episodes, usd=usd),
    )
    console = Console(stderr=as_json_)
    console.print(_INTRODUCTION.format(settings=settings), highlight=False, soft_wrap=True)
    try:
        outcome = anyio.run(_run, settings, console)
    except BaseException:
        with suppress(OSError):  # a run that never began leaves no folder; others are not empty
            folder.rmdir()
        raise
    save(outcome)
    if as_json_:
        print(json.dumps(as_json(outcome)))  # noqa: T201 - what was asked for
    else:
        show(outcome, console)


async def _run(settings: Settings, console: Console) -> Outcome:
    stop = anyio.Event()
    outcomes: list[Outcome] = []
    with ProgressLine(console) as progress:
        async with anyio.create_task_group() as group:
            group.start_soon(_stop_on_interrupt, stop, console)
            outcomes.append(await run_experiment(settings, progress, stop))
            group.cancel_scope.cancel()
    return outcomes[0]


async def _stop_on_interrupt(stop: anyio.Event, console: Console) -> None:
    with anyio.open_signal_receiver(signal.SIGINT) as signals:
        async for _ in signals:
            if stop.is_set():
                raise KeyboardInterrupt
            console.print("Stopping: what runs is finished, what was learnt is kept.")
            stop.set()


def _fresh(run_dir: Path | None) -> Path:
    """Return the run's folder, made and empty of an earlier run.

    Raises:
        TraceAgentsError: the folder holds a run already, or cannot be made.
    """
    numbers = (default_run_dir(f"household-{number}") for number in range(1, 10_000))
    folder = run_dir or next(path for path in numbers if not path.exists())
    if (folder / "run.db").exists():
        raise TraceAgentsError(f"{folder} holds a run already; give another --run-dir")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TraceAgentsError(f"{folder} cannot be made: {error.strerror}") from None
    return folder

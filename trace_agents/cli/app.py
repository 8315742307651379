"""The application, and the one place where an error becomes a sentence and an exit status."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console

from trace_agents.errors import TraceAgentsError
from trace_agents.graph import Graph
from trace_agents.loading import load_traces
from trace_agents.plugins import COMMANDS, found, load


def import_traces(
    file: Annotated[
        Path,
        typer.Argument(
            help="Spans: OTLP as JSON or protobuf, an export of Phoenix, MLflow or Jaeger, "
            "packed with gzip or not; or a folder of such files."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the graphs as JSON.")] = False,
) -> None:
    """Read OpenTelemetry spans and show the DAG of each episode."""
    graphs = load_traces(file)
    if as_json:
        print(json.dumps(episodes_json(graphs), ensure_ascii=False))  # noqa: T201 - the output
        return
    for graph in graphs:
        typer.echo(f"{graph.episode}: {len(graph.nodes)} nodes, {len(graph.edges)} edges")
        for problem in graph.problems:
            typer.echo(f"  problem: {problem}")


def episodes_json(graphs: Iterable[Graph]) -> dict[str, object]:
    """Return graphs as the object that `import --json` prints: episodes, and what went wrong."""
    listed = list(graphs)
    return {
        "episodes": [
            {
                "id": graph.episode,
                "version": graph.version,
                "nodes": [asdict(node) for node in graph.nodes],
                "edges": [
                    {"from": edge.source, "to": edge.target, "reason": edge.reason}
                    for edge in graph.edges
                ],
            }
            for graph in listed
        ],
        "problems": [problem for graph in listed for problem in graph.problems],
    }


def app() -> None:
    """Run the command line; every mistake of the user ends in one sentence and status 2."""
    console = Console(stderr=True, soft_wrap=True)
    try:
        _build()()
    except (TraceAgentsError, BaseExceptionGroup) as error:
        console.print("error:", _mistake(error), style="red", highlight=False, markup=False)
        sys.exit(2)


def _mistake(error: BaseException) -> BaseException:
    """Return the user's mistake in an error, also from within groups; a bug is raised again."""
    if isinstance(error, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", error).exceptions
        if all(isinstance(e, TraceAgentsError | BaseExceptionGroup) for e in inner):
            return _mistake(inner[0])
        raise error
    return error


def _build() -> typer.Typer:
    cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    cli.callback()(_about)
    cli.command("import")(import_traces)
    wanted = set(sys.argv[1:])
    for entry in found(COMMANDS):
        # a sub-command's module brings its framework: load it only where it is asked for
        if entry.name in wanted or not wanted or "--help" in wanted:
            cli.command(entry.name)(cast("Callable[..., object]", load(COMMANDS, entry.name)))
    return cli


def _about() -> None:
    """Train the agents you already have."""

"""How the demo shows its outcome: on the terminal, as one JSON object, and as a page."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from trace_agents.report import Point, Report, VersionView
from trace_agents.report import Table as PageTable
from trace_agents.store import Version, diff
from trace_agents.training import Comparison, TrainResult
from trace_agents_multiagent.demo.build import stand_ins
from trace_agents_multiagent.demo.experiment import Outcome
from trace_agents_multiagent.demo.settings import CONTROLS, SPANS

BEST = "best.json"
PAGE = "report.html"
DATABASE = "run.db"
_LABELS = {
    "trained": "trained",
    "frozen": "frozen prompts",
    "shuffled": "shuffled feedback",
    "random": "random directives",
}


def save(outcome: Outcome) -> None:
    """Write `best.json` and `report.html` into the run's folder."""
    folder = outcome.settings.run_dir
    outcome.trained.best.save(folder / BEST)
    page(outcome).save(folder / PAGE)


def as_json(outcome: Outcome) -> dict[str, object]:
    """Return the outcome as the object that `--json` prints; steps, so fewer are better."""
    found = outcome.comparisons
    spent = outcome.trained.spent
    return {
        "test": _numbers(found["trained"]) if "trained" in found else None,
        "controls": {arm: _numbers(found[arm]) for arm in CONTROLS if arm in found},
        "versions": len(outcome.trained.versions),
        "episodes": outcome.episodes,
        "failed_test_episodes": outcome.failed,
        "peak_concurrency": outcome.peak,
        "seconds": round(outcome.seconds, 2),
        "spent": {"episodes": spent.episodes, "tokens": spent.tokens, "usd": spent.usd},
        "run_dir": str(outcome.settings.run_dir),
        "stand_ins": list(stand_ins(outcome.settings)),
        "stopped": outcome.stopped,
    }


def _numbers(comparison: Comparison) -> dict[str, object]:
    return {
        "seeds": comparison.n,
        "before": round(-comparison.before, 3),
        "after": round(-comparison.after, 3),
        "gain": round(comparison.gain, 3),
        "gain_ci95": [round(comparison.low, 3), round(comparison.high, 3)],
    }


def show(outcome: Outcome, console: Console) -> None:
    """Print table, diff of the prompts, and where everything lies."""
    if outcome.stopped:
        console.print("Stopped. What was learnt so far is kept; the test was not finished.")
    else:
        console.print(_terminal_table(outcome))
    if outcome.failed:
        console.print(
            f"{outcome.failed} test episodes failed and count as out of steps; "
            f"the first said: {outcome.failure}",
            highlight=False,
        )
    for text in prompt_diffs(outcome.trained):
        console.print(Syntax(text, "diff", word_wrap=True, background_color="default"))
    for note in notes(outcome):
        console.print(note, highlight=False)
    folder = outcome.settings.run_dir
    for name in (DATABASE, SPANS, BEST, PAGE):
        console.print(f"  {folder / name}", highlight=False, soft_wrap=True)


def _terminal_table(outcome: Outcome) -> Table:
    shown = results(outcome)
    count = outcome.settings.test_seeds
    title = f"Steps to finish, on {count} test tasks that nobody trained on"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", show_edge=False)
    for index, head in enumerate(shown.head):
        table.add_column(head, justify="left" if index == 0 else "right", no_wrap=True)
    for row in shown.rows:
        table.add_row(*row)
    return table


def results(outcome: Outcome) -> PageTable:
    """Return the before/after table: steps, gain with its interval, lead over each control."""
    head = ("arm", "before", "after", "gain [95 %]", "trained leads by")
    arms = [arm for arm in ("trained", *CONTROLS) if arm in outcome.comparisons]
    return PageTable(head, tuple(_row(outcome, arm) for arm in arms))


def _row(outcome: Outcome, arm: str) -> tuple[str, ...]:
    found = outcome.comparisons[arm]
    lead = outcome.comparisons.get(f"trained - {arm}")
    return (
        _LABELS[arm],
        f"{-found.before:.1f}",
        f"{-found.after:.1f}",
        _gain(found),
        _gain(lead) if lead else "",
    )


def _gain(found: Comparison) -> str:
    return f"{found.gain:.1f} [{found.low:.1f}, {found.high:.1f}]"


def notes(outcome: Outcome) -> tuple[str, ...]:
    """Return what a reader must know about the numbers."""
    used = stand_ins(outcome.settings)
    said = [
        f"{outcome.episodes} episodes, {outcome.peak} at once at the peak, "
        f"{outcome.seconds:.0f} s; intervals: paired bootstrap over the test seeds.",
    ]
    if used:
        said.append(
            f"Stand-ins in place of language models: {', '.join(used)}. "
            "These are no results of a language model."
        )
    return tuple(said)


def prompt_diffs(trained: TrainResult) -> tuple[str, ...]:
    """Return a unified diff of every prompt that changed from first to best version."""
    return tuple(diff(trained.versions[0], trained.best).values())


def page(outcome: Outcome) -> Report:
    """Return the report of the run."""
    return Report(
        title="A household team learns",
        notes=notes(outcome),
        results=results(outcome) if outcome.comparisons else None,
        curve=_curve(outcome.trained),
        axis="mean score on the gate tasks (minus steps; higher is better)",
        versions=_versions(outcome.trained.versions),
        episode=outcome.episode,
        path=outcome.path,
    )


def _curve(trained: TrainResult) -> tuple[Point, ...]:
    points: list[Point] = []
    last: int | None = None
    for point in trained.curve:
        label = "start" if point.decision < 0 else f"proposal {point.decision + 1}"
        published = last is not None and point.version != last
        points.append(Point(label, point.mean, point.se, published))
        last = point.version
    return tuple(points)


def _versions(versions: tuple[Version, ...]) -> tuple[VersionView, ...]:
    by_id = {version.id: version for version in versions}
    views: list[VersionView] = []
    for version in versions:
        before = by_id.get(version.parent) if version.parent is not None else None
        changes = "\n".join(diff(before, version).values()) if before else ""
        title = f"Version {version.id} ({version.origin})"
        views.append(VersionView(title, _evidence(version), changes))
    return tuple(views)


def _evidence(version: Version) -> str:
    found = version.evidence
    if found is None:
        return "Where the run began."
    return (
        f"{found.mean:.2f} ± {found.se:.2f} steps fewer than version {found.baseline} "
        f"on {found.n} gate tasks. {version.reasoning}"
    )


def default_run_dir(name: str) -> Path:
    """Return the folder of a run by its name, below `runs/`."""
    return Path("runs") / name

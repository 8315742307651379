"""The invariants of training as functions of a world that was lived in: each raises if broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tests.properties.plans import SPACE
from tests.properties.world import Kept, Life, World
from trace_agents.errors import InvalidValue, UnknownParameter
from trace_agents.graph import Kind, Values
from trace_agents.training import EpisodeEnded, Spent

Check = Callable[[World, Kept], None]


def versions_only_grow(world: World, kept: Kept) -> None:
    """9: ids are monotone, versions immutable, history append-only, and there is one head."""
    versions = kept.versions
    assert [version.id for version in versions] == list(range(len(versions)))
    assert [version.parent for version in versions] == [None, *range(len(versions) - 1)]
    told = () if world.result is None else world.result.versions
    for earlier in (*world.histories, told):
        assert versions[: len(earlier)] == earlier


def one_version_per_episode(world: World, kept: Kept) -> None:
    """10: an episode reads exactly one version, and all that it records carries that version."""
    live = {v.id: (v.values["dial"], v.values["mode"]) for v in kept.versions}
    for life in world.lives:
        assert all(read == life.reads[0] for read in life.reads), life
        if life.version >= 0 and life.reads:
            assert life.reads[0] == live[life.version], life
        assert life.episode.endswith(f"-v{life.version}")
    for record in kept.episodes:
        assert record.episode.endswith(f"-v{record.version}")
    for graph, _ in world.consumed:
        assert str(graph.episode).endswith(f"-v{graph.version}")


def consumed_once_and_disjoint(world: World, kept: Kept) -> None:
    """11: feedback is consumed at most once; what judges is never learnt from."""
    used = Counter(graph.episode for graph, _ in world.consumed)
    assert not used or max(used.values()) == 1, used.most_common(1)
    assert all("train-" in str(episode) for episode in used)
    learnt = {record.task for record in kept.episodes if record.split == "train"}
    judges = {record.task for record in kept.episodes if record.split == "gate"}
    assert not learnt & judges


def stale_feedback_is_dropped(world: World, kept: Kept) -> None:
    """12: feedback about a parameter that changed too often since is none about it."""
    for graph, versions in world.consumed:
        if (graph.version or 0) < 0:
            continue  # of a candidate that was tried out: no version went by since
        since = [version for version in versions if version.id > (graph.version or 0)]
        for node in graph.nodes:
            if node.kind is Kind.PARAMETER:
                changes = sum(node.name in version.changed for version in since)
                assert changes <= world.plan.staleness, (graph.episode, node.name, changes)


def nobody_starves(world: World, kept: Kept) -> None:
    """12: without a limit every decision is made, whatever becomes of the proposals."""
    result = world.result
    if result is not None and result.stopped == "complete":
        assert len(result.curve) - 1 == world.plan.proposals


def every_version_has_evidence(world: World, kept: Kept) -> None:
    """13: a live version was judged against the one it replaced, or takes up an earlier one."""
    judged = Counter(record.version for record in kept.episodes if record.split == "gate")
    committed = {record.version: record for record in kept.proposals if record.state == "committed"}
    for version in kept.versions[1:]:
        if version.origin == "rollback":
            assert version.values in [old.values for old in kept.versions[: version.id]]
            continue
        evidence = version.evidence
        assert evidence is not None, version
        assert evidence.baseline == version.parent, version
        assert evidence.n > 0, version
        assert evidence.mean > 0, version
        # the candidate has an episode for every pair, unless its values had been judged before
        candidate = judged[-committed[version.id].number]
        before = [r for r in kept.episodes if r.split == "gate"]
        assert candidate or len(before) >= evidence.n, version


def the_budget_holds(world: World, kept: Kept) -> None:
    """14: what is spent and reserved stays within the limits at every instant."""
    assert not world.over, world.over[0]
    limit, seconds = world.plan.budget, world.outcome.seconds
    assert limit.seconds is None or seconds <= limit.seconds + 1e-6, seconds
    if limit.episodes is not None:
        assert len([r for r in kept.episodes if r.status != "unjudged"]) <= limit.episodes


def written_before_used(world: World, kept: Kept) -> None:
    """15: what is reported or learnt from is in the database: nobody can lose it any more."""
    assert not world.unwritten, world.unwritten[0]


def nothing_is_left(world: World, kept: Kept) -> None:
    """15: no task, no lease, no open proposal; and the state is the fold of the log."""
    assert world.outcome.left == []
    assert world.ledger.reserved == Spent()
    assert kept.problems == ()
    assert all(life.ended is not None for life in world.lives)
    ended = [e.data["episode"] for e in kept.events if e.kind == "EpisodeEnded"]
    assert Counter(ended) == Counter(record.episode for record in kept.episodes)
    assert len(kept.episodes) <= world.ledger.spent.episodes + len(_unjudged(kept))


def _unjudged(kept: Kept) -> list[str]:
    return [record.episode for record in kept.episodes if record.status == "unjudged"]


def only_typed_values(world: World, kept: Kept) -> None:
    """16: a malformed proposal changes nothing: every value that ran or lives is of its type."""
    for version in kept.versions:
        assert _fits(version.values), version
        assert version.values["fixed"] == 1
    for life in world.lives:
        assert all(_fits({"dial": dial, "mode": mode}) for dial, mode in life.reads), life
    bad = [record for record in kept.proposals if record.state == "invalid"]
    assert all(record.version is None for record in bad)


def _fits(values: Values) -> bool:
    try:
        return all(SPACE[name].type.check(value) == value for name, value in values.items())
    except (InvalidValue, UnknownParameter):
        return False


def deadlines_cancel(world: World, kept: Kept) -> None:
    """17: nothing runs on past its deadline, and an end is an end."""
    limit = world.plan.deadline
    for life in world.lives:
        assert life.ended is not None
        assert limit is None or life.ended - life.began <= limit + 1e-6, life
    told = [event for event in world.events if isinstance(event, EpisodeEnded)]
    assert max(Counter(event.episode for event in told).values(), default=1) == 1
    kept_as = {record.episode: record.status for record in kept.episodes}
    assert all(kept_as[event.episode] == event.outcome for event in told)
    last: dict[str, Life] = {life.episode: life for life in world.lives}
    for event in told:
        assert last[event.episode].ended is not None


ALL: tuple[Check, ...] = (
    versions_only_grow,
    one_version_per_episode,
    consumed_once_and_disjoint,
    stale_feedback_is_dropped,
    nobody_starves,
    every_version_has_evidence,
    the_budget_holds,
    written_before_used,
    nothing_is_left,
    only_typed_values,
    deadlines_cancel,
)


def decisions(world: World, kept: Kept) -> list[object]:
    """Return what a run decided, in words that do not depend on its schedule."""
    result = world.result
    return [
        *((r.number, r.state, sorted(r.changes.items(), key=str)) for r in kept.proposals),
        *((v.id, sorted(v.values.items())) for v in kept.versions),
        *(() if result is None else ((p.decision, p.version, p.mean) for p in result.curve)),
    ]

"""How a run begins: new, or where an interrupted one stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from trace_agents.store import EpisodeRecord, ProposalRecord, canonical
from trace_agents.training.config import Config, as_json
from trace_agents.training.episodes import Status
from trace_agents.training.events import ProposalRejected, RunStarted, event_data
from trace_agents.training.gate import Judge
from trace_agents.training.job import Job
from trace_agents.training.loop import Loop
from trace_agents.training.past import RESUMED, STARTED, Past, Rememberer, values_of
from trace_agents.training.pending import from_body
from trace_agents.training.state import RunState


def begin(job: Job, loop: Loop) -> None:
    """Write down how the run was started."""
    state, store, tasks = loop.state, loop.state.store, job.tasks
    loop.first = store.next_index("train")
    loop.heads = (store.head.id,)
    config = Config(
        job.options,
        job.ledger.budget,
        job.maker,
        store.head.id,
        loop.first,
        (len(tasks.train), len(tasks.gate)),
        tasks.held_out,
        as_json(tasks) if state.durable else None,
    )
    event = RunStarted(state.status, len(tasks.train), len(tasks.gate), tasks.held_out)
    with store.transaction():
        store.consume()
        store.append(STARTED, {**event_data(event), "config": config.to_json()})
    state.notify(event)


def go_on(past: Past, job: Job, loop: Loop) -> None:
    """Take up what an interrupted run had acknowledged; what it had not is done again."""
    state, store, tasks = loop.state, loop.state.store, job.tasks
    _take_up(past, state)
    loop.first, loop.heads = past.config.first, tuple(past.heads)
    loop.admitted = past.decisions
    records = {r.index: r for r in store.episodes("train") if r.index >= loop.first}
    loop.recorded = frozenset(records)
    _take_pending(loop, records)
    _remember_scores(past, job, loop.decider.judge, state)
    if isinstance(job.optimizer, Rememberer):
        job.optimizer.remember(past.tried(store.proposals()))
    event = RunStarted(
        state.status, len(tasks.train), len(tasks.gate), tasks.held_out, resumed=True
    )
    store.append(RESUMED, event_data(event))
    state.notify(event)
    _abandon(past, state)
    if past.curve:
        state.gate = loop.decider.judge.known(store.head)
        if len(past.curve) <= past.decisions:
            state.plot(past.decisions - 1)


def _take_up(past: Past, state: RunState) -> None:
    state.decisions, state.curve = past.decisions, list(past.curve)
    state.episodes, state.failed = past.episodes, past.failed
    state.read, state.warnings = set(past.read), list(past.warnings)


def _take_pending(loop: Loop, records: Mapping[int, EpisodeRecord]) -> None:
    bodies = loop.state.store.pending()
    for index, record in records.items():
        if record.episode in bodies:
            status = cast("Status", record.status)
            task = loop.order.task(index)
            loop.finished[index] = from_body(record, bodies[record.episode], task, status)


def _remember_scores(past: Past, job: Job, judge: Judge, state: RunState) -> None:
    """Give the judge the scores that were measured, by version and task."""
    parameters, store = job.workflow.parameters(), state.store
    places: dict[str, list[int]] = {}
    for place, task in enumerate(judge.tasks):
        places.setdefault(canonical(task), []).append(place)
    versions = {record.version for record in store.episodes("gate")}
    known = {version: values_of(version, store, past, parameters) for version in versions}
    used: dict[tuple[int, str], int] = {}
    for record in store.episodes("gate"):
        values, task = known[record.version], canonical(record.task)
        if record.score is None or values is None or task not in places:
            continue
        turn = used.get((record.version, task), 0)
        used[(record.version, task)] = turn + 1
        if turn < len(places[task]):
            judge.remember(values, places[task][turn], record.score)


def _abandon(past: Past, state: RunState) -> None:
    """Close the proposal that was under judgement when the run was interrupted."""
    if past.opened is None:
        return
    reason = "the run was interrupted before it was judged"
    record = ProposalRecord(past.opened, state.store.head.id, "abandoned", problems=(reason,))
    event = ProposalRejected(state.status, past.opened, "abandoned", reason)
    with state.store.transaction():
        state.store.record_proposal(record)
        state.log(event)
    state.notify(event)

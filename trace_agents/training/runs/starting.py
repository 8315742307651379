"""How a run begins: new, or where an interrupted one stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from trace_agents.optimizers.base import Rememberer
from trace_agents.store import EpisodeRecord, ProposalRecord, canonical
from trace_agents.training.budgets.budget import Spent, dearer
from trace_agents.training.episodes.pending import from_body
from trace_agents.training.episodes.runner import Rollout, Status
from trace_agents.training.judging.canary import Trial
from trace_agents.training.judging.judge import Judge
from trace_agents.training.runs.config import Config, as_json
from trace_agents.training.runs.decide import Decider
from trace_agents.training.runs.job import Job
from trace_agents.training.runs.loop import Loop
from trace_agents.training.runs.past import RESUMED, STARTED, Past, values_of
from trace_agents.training.telling.events import ProposalRejected, RunStarted, event_data
from trace_agents.training.telling.state import RunState

FORM = 2
"""Of a run's log: since 2 it says when a decision is over."""


def begin(job: Job, loop: Loop) -> None:
    """Write down how the run was started."""
    state, store, tasks = loop.state, loop.state.store, job.tasks
    loop.first = store.next_index("train")
    loop.heads = (store.head.id,)
    if loop.canary is not None:
        loop.canary.first = loop.first
    config = Config(
        job.options,
        job.ledger.budget,
        job.maker,
        store.head.id,
        loop.first,
        (len(tasks.train), len(tasks.gate)),
        tasks.held_out,
        as_json(tasks) if state.durable else None,
        job.options.gate.constraint is not None,
        len(tasks.report),
    )
    event = RunStarted(state.status, len(tasks.train), len(tasks.gate), tasks.held_out)
    data = {**event_data(event), "config": config.to_json(), "form": FORM}
    store.append(STARTED, data)
    state.notify(event)


def go_on(past: Past, job: Job, loop: Loop) -> None:
    """Take up what an interrupted run had acknowledged; what it had not is done again."""
    state, store, tasks = loop.state, loop.state.store, job.tasks
    _take_up(past, state)
    loop.first, loop.heads = past.config.first, tuple(past.heads)
    loop.admitted = past.decisions
    records = {record.index: record for record in store.episodes("train", run=past.run)}
    loop.recorded = frozenset(records)
    _take_pending(past, loop, records)
    _take_trials(past, loop, records)
    _remember_scores(past, job, loop.decider.judge, state)
    _remember_proposals(past, job, loop.decider)
    event = RunStarted(
        state.status, len(tasks.train), len(tasks.gate), tasks.held_out, resumed=True
    )
    store.append(RESUMED, {**event_data(event), "form": FORM})
    state.notify(event)
    _abandon(past, state)
    if past.curve:
        head, judge = store.head, loop.decider.judge
        if judge.knows(head):  # another trainer's is measured at the next decision
            state.measured = (head.id, *judge.known(head))
        if len(past.curve) <= past.decisions:
            state.plot(past.decisions - 1)


def _take_up(past: Past, state: RunState) -> None:
    state.decisions, state.curve = past.decisions, list(past.curve)
    state.episodes, state.failed = past.episodes, past.failed
    state.read, state.warnings = set(past.read), list(past.warnings)


def _take_pending(past: Past, loop: Loop, records: Mapping[int, EpisodeRecord]) -> None:
    """Give the loop and its decider the episodes that no decision has used."""
    bodies, decider = loop.state.store.pending(), loop.decider
    found: dict[str, Rollout] = {}
    for index, record in records.items():
        if record.episode in bodies:
            status = cast("Status", record.status)
            task = loop.order.task(index)
            found[record.episode] = from_body(record, bodies[record.episode], task, status)
    decider.service = past.service
    left = past.current.left
    looked_at = dict.fromkeys([*past.looked_at, *(past.current.batch if left else ())])
    loop.begun = [found.pop(episode) for episode in left]
    if loop.begun:
        decider.begun = past.current.batch
        decider.service.add(past.served[episode] for episode in decider.begun)
    kept = [found.pop(episode) for episode in looked_at if episode in found]
    if decider.focus is not None:
        decider.focus.kept = kept
    loop.finished.update((rollout.index, rollout) for rollout in found.values())


def _take_trials(past: Past, loop: Loop, records: Mapping[int, EpisodeRecord]) -> None:
    """Give the canary what was tried out in the run."""
    canary, store = loop.canary, loop.state.store
    if canary is None:
        return
    canary.first = loop.first
    for index in sorted(records):
        record = records[index]
        canary.ended(index, (record.version, record.score, record.status))
    trials = {
        number: Trial(
            base,
            tuple(changes),
            {**store.get(base).values, **changes},
            past.became.get(number),
        )
        for number, (base, changes) in past.trials.items()
    }
    canary.resume(past.decisions, trials)


def _remember_scores(past: Past, job: Job, judge: Judge, state: RunState) -> None:
    """Give the judge the scores that were measured, by version and task."""
    parameters, store = job.workflow.parameters(), state.store
    places: dict[str, list[int]] = {}
    for place, task in enumerate(judge.tasks):
        places.setdefault(canonical(task), []).append(place)
    records = store.episodes("gate", run=past.run)
    # whether a candidate broke a constraint is not in its records: it is judged again
    versions = {r.version for r in records if r.version >= 0 or judge.gate.constraint is None}
    known = {version: values_of(version, store, past, parameters) for version in versions}
    used: dict[tuple[int, str], int] = {}
    for record in records:
        values, task = known.get(record.version), canonical(record.task)
        if record.score is None or values is None or task not in places:
            continue
        turn = used.get((record.version, task), 0)
        used[(record.version, task)] = turn + 1
        if turn < len(places[task]):
            usd, seconds = record.metrics["usd"], record.metrics["seconds"]
            judge.remember(values, places[task][turn], record.score, usd=usd, seconds=seconds)
    for version in past.condemned:
        judge.condemn(store.get(version).values)


def _remember_proposals(past: Past, job: Job, decider: Decider) -> None:
    """Give the optimizers their history, and say what a proposal costs."""
    records = decider.state.store.proposals(past.run)
    tried = past.tried(records)
    for names, one in tried:
        decider.proposers.join(names)
        decider.proposers.learn(names, one)
    if decider.make is None and isinstance(job.optimizer, Rememberer):
        job.optimizer.remember([one for _, one in tried])
    for record in records:
        if record.number in past.names:
            cost = Spent(tokens=record.tokens, usd=record.usd, calls=record.calls)
            known = decider.purse.dearest
            decider.purse.dearest = cost if known is None else dearer(known, cost)


def _abandon(past: Past, state: RunState) -> None:
    """Close the proposals that were under judgement when the run was interrupted."""
    reason = "the run was interrupted before it was judged"
    for number, base in past.open.items():
        record = ProposalRecord(number, base, "abandoned", problems=(reason,))
        event = ProposalRejected(state.status, number, "abandoned", reason)
        with state.store.transaction():
            state.store.record_proposal(record)
            state.log(event)
        state.notify(event)

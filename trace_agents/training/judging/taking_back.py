"""The live version gives way to the one before it, if that was better in service."""

from __future__ import annotations

from trace_agents.errors import VersionConflict
from trace_agents.training.judging.judge import Judge
from trace_agents.training.judging.service import Service
from trace_agents.training.telling.events import RolledBack
from trace_agents.training.telling.state import RunState


def take_back(state: RunState, service: Service, judge: Judge) -> None:
    """Make the predecessor's values live again, if the episodes in service ask for it."""
    store, head = state.store, state.store.head
    evidence = service.worse(head)
    if evidence is None or head.parent is None:
        return
    reason = (
        f"version {head.id} was worse in service than version {head.parent}: "
        f"{evidence.head_mean:.4g} against {evidence.candidate_mean:.4g} "
        f"in its last {evidence.n} episodes"
    )
    try:
        with store.transaction():
            version = store.swap(
                store.get(head.parent).values,
                expected=head.id,
                evidence=evidence,
                reasoning=reason,
                origin="rollback",
            )
            event = RolledBack(state.status, version.id, head.parent, evidence, reason)
            state.log(event)
    except VersionConflict:
        return  # somebody else has moved the head: it is theirs that will be watched
    judge.condemn(head.values)
    state.measured = (version.id, *judge.known(version))
    state.notify(event)

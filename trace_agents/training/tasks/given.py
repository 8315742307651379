"""What every run is given: a workflow, tasks and a guide, each refused if it is something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from trace_agents.errors import InvalidValue


def check_workflow(workflow: object) -> None:
    """Refuse what was not wrapped.

    Raises:
        InvalidValue: it is no workflow; the sentence says how to make one.
    """
    if isinstance(workflow, type) or not hasattr(workflow, "parameters"):
        raise InvalidValue(
            f"{named(workflow)} is no workflow; wrap it first: "
            "ta.wrap(your_agent, parameters=[...])"
        )


def check_guide(guide: object) -> None:
    """Refuse what cannot judge.

    Raises:
        InvalidValue: it cannot be called.
    """
    if not callable(guide):
        raise InvalidValue(
            f"guide= must be a function of task and output, not {named(guide)}; it returns a "
            "score or (score, text)"
        )


def listed(name: str, tasks: object) -> Sequence[object]:
    """Return the tasks of an argument as a sequence; a generator is read once, here.

    Raises:
        InvalidValue: they are a text, or cannot be read one by one.
    """
    if isinstance(tasks, (str, bytes)) or not isinstance(tasks, Iterable):
        raise InvalidValue(f"{name}={named(tasks)} is no list of tasks; give one, such as ['a']")
    return tuple(cast("Iterable[object]", tasks))


def named(thing: object) -> str:
    """Return how a sentence calls a thing that does not belong there."""
    if isinstance(thing, type):
        return f"the class {thing.__name__}"
    name = getattr(thing, "__name__", None)
    return f"the function {name}" if isinstance(name, str) else repr(thing)[:80]

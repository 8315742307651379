"""What the core uses without importing it is found by entry point, by group and name."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points

ADAPTERS = "trace_agents.adapters"
"""Objects with `matches(thing)` and `wrap(thing)`: one for each framework."""
READERS = "trace_agents.readers"
"""Callables `read(path) -> list[Graph]`: one for each format of trace file."""
CHAT_MODELS = "trace_agents.chat_models"
"""Callables `make(model, **settings)`: a framework's own chat client over litellm."""
COMMANDS = "trace_agents.commands"
"""Typer callables that become sub-commands of `trace-agents`."""
EXECUTORS = "trace_agents.executors"
"""Callables that return an executor: where episodes run."""


def found(group: str) -> Iterator[EntryPoint]:
    """Yield the entry points of a group, ours and third parties', by name."""
    yield from sorted(entry_points(group=group), key=lambda entry: entry.name)


def load(group: str, name: str) -> object:
    """Return what the entry point `name` of `group` points to.

    Raises:
        LookupError: no installed package declares it.
    """
    for entry in found(group):
        if entry.name == name:
            return entry.load()
    known = ", ".join(entry.name for entry in found(group)) or "none"
    raise LookupError(f"no entry point {name!r} in the group {group!r}; installed: {known}")

"""What a copy of an AutoGen object lost.

AutoGen leaves out of its descriptions, without a word, functions, own runtimes, and types.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from autogen_agentchat.messages import MessageFactory
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import ComponentToConfig
from autogen_core.tools import BaseTool
from pydantic import BaseModel

_HOLDERS = (ComponentToConfig, BaseModel, MessageFactory)


def losses(original: object, copy: object, path: str, carried: frozenset[int]) -> Generator[str]:
    """Yield the paths of the members of `original` that `copy` lacks.

    `carried` are the identities of the components that are somewhere in the copy.
    """
    yield from _Comparison(carried).of(original, copy, path)


@dataclass(frozen=True, slots=True)
class _Comparison:
    carried: frozenset[int]

    def of(self, original: object, copy: object, path: str) -> Generator[str]:
        if original is copy:
            return
        if isinstance(original, _HOLDERS):
            yield from self._of_holder(cast("object", original), copy, path)
        elif isinstance(original, Mapping):
            known = cast("Mapping[object, object]", original)
            theirs = cast("Mapping[object, object]", copy if isinstance(copy, Mapping) else {})
            for key, value in known.items():
                yield from self.of(value, theirs.get(key), f"{path}[{key!r}]")
        elif isinstance(original, list | tuple):
            yield from self._of_items(cast("Sequence[object]", original), copy, path)
        elif callable(original) and original != copy:
            yield path

    def _of_holder(self, original: object, copy: object, path: str) -> Generator[str]:
        if type(original) is not type(copy) and not _is_data(original, copy):
            # an agent keeps its tools twice: what is in the copy somewhere is not lost
            if id(original) not in self.carried or copy is not None:
                yield path
            return
        if isinstance(original, BaseTool) and not isinstance(original, AgentTool | TeamTool):
            return  # an agent makes the tools of its handoffs itself
        found = False
        theirs: Mapping[str, object] = {} if copy is None else _members(copy)
        for name, value in _members(original).items():
            for lost in self.of(value, theirs.get(name), f"{path}.{name.lstrip('_')}"):
                found = True
                yield lost
        if not found:
            yield from _switched(original, theirs, path)

    def _of_items(self, original: Sequence[object], copy: object, path: str) -> Generator[str]:
        theirs = cast("Sequence[object]", copy if isinstance(copy, list | tuple) else ())
        for at, value in enumerate(original):
            other = theirs[at] if at < len(theirs) else None
            yield from self.of(value, other, f"{path}[{at}]")


def _is_data(original: object, copy: object) -> bool:
    """Tell whether something is missing that a conversation left behind: its state brings it."""
    return copy is None and isinstance(original, BaseModel)


def _switched(original: object, theirs: Mapping[str, object], path: str) -> Generator[str]:
    """Yield what the original's owner turned off and the copy turns on, as with an own runtime."""
    for name, value in _members(original).items():
        if value is False and theirs.get(name) is True:
            yield f"{path}.{name.lstrip('_')}"


def _members(holder: object) -> Mapping[str, object]:
    if isinstance(holder, BaseModel):
        return {name: getattr(holder, name) for name in type(holder).model_fields}
    return cast("dict[str, object]", vars(holder))

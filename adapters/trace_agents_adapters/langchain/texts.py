"""Swapping texts: of messages, prompts and offered tools; what the caller gave is never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from langchain_core.messages import BaseMessage

from trace_agents_adapters.boundary import Binding, Json
from trace_agents_adapters.langchain import messages as shapes
from trace_agents_adapters.langchain.scope import Run
from trace_agents_adapters.sites import Place

_PLACES: Mapping[str, Place] = {"system": "system", "human": "user"}


def bound_message(binding: Binding, message: BaseMessage, run: Run | None) -> BaseMessage:
    """Return the message with its pinned texts; the message itself where none is bound."""
    place = _PLACES.get(message.type)
    if place is None:
        return message
    content: object = message.content  # pyright: ignore[reportUnknownMemberType]
    if isinstance(content, str):
        new: object = bound_text(binding, place, content, run)
    else:
        new = [_bound_block(binding, place, block, run) for block in cast("list[object]", content)]
    return message if new == content else message.model_copy(update={"content": new})


def _bound_block(binding: Binding, place: Place, block: object, run: Run | None) -> object:
    if isinstance(block, str):
        return bound_text(binding, place, block, run)
    if not isinstance(block, Mapping):
        return block
    parts = cast("Mapping[str, object]", block)
    text = parts.get("text")
    if parts.get("type") != "text" or not isinstance(text, str):
        return parts
    return {**parts, "text": bound_text(binding, place, text, run)}


def bound_text(binding: Binding, place: Place, text: str, run: Run | None) -> str:
    """Return the pinned text; with what a template was filled with, where the run saw it."""
    return binding.text(place, text, filled=run.filled.get(text) if run is not None else None)


def bound_tool(binding: Binding, tool: object) -> object:
    """Return a tool as it is offered, with its pinned descriptions."""
    known = shapes.definition(tool)
    if known is None:
        return tool
    name, old = str(known["name"]), str(known.get("description", ""))
    new = binding.text("tool", old, name)
    told = dict(shapes.arguments(known))
    changed = {
        argument: text
        for argument, description in told.items()
        if (text := binding.text("argument", description, f"{name}.{argument}")) != description
    }
    if new == old and not changed:
        return tool
    return shapes.redescribed(tool, new, changed)


def texts_of(message: BaseMessage) -> Iterator[tuple[Place, str]]:
    """Yield the texts of a message that can be parameters, with their place."""
    place = _PLACES.get(message.type)
    if place is None:
        return
    content: object = message.content  # pyright: ignore[reportUnknownMemberType]
    for block in cast("list[object]", [content] if isinstance(content, str) else content):
        text = cast("Json", block).get("text") if isinstance(block, Mapping) else block
        if isinstance(text, str) and text.strip():
            yield place, text

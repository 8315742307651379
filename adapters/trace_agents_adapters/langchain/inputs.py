"""What a runnable takes and gives: tasks in, and texts or states out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.prompts import BasePromptTemplate
from langchain_core.runnables import (
    RunnableAssign,
    RunnableBranch,
    RunnableSequence,
    RunnableWithFallbacks,
)
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.history import RunnableWithMessageHistory

from trace_agents.errors import InvalidValue
from trace_agents_adapters.langchain.markers import fields_of
from trace_agents_adapters.langchain.messages import text_of
from trace_agents_adapters.langchain.walking import AnyRunnable, graph_name, is_a, is_graph, walk

_MESSAGES = "messages"


def state_schema(graph: object) -> object:
    """Return the type of what a graph takes, where it has one."""
    builder: object = getattr(graph, "builder", None)
    return getattr(builder, "input_schema", None) or getattr(builder, "state_schema", None)


def task_input(thing: AnyRunnable, task: object) -> object:
    """Return a task in the shape that a runnable takes: text becomes a message or a field.

    Raises:
        InvalidValue: the task is text, and the graph's state has more than one place for it.
    """
    if not isinstance(task, str):
        return task
    graph = _entry(thing)
    if is_graph(graph):
        # a function of LangGraph's functional API takes what it takes
        return task if state_schema(graph) is None else _state(graph, task)
    names = list(dict.fromkeys(_wanted(thing)))
    return {names[0]: task} if len(names) == 1 else task


def _entry(thing: object) -> object:
    """Return the first step of a chain."""
    while not is_graph(thing):
        step = "first" if is_a(thing, RunnableSequence) else "bound"
        if not is_a(thing, RunnableSequence, RunnableBindingBase):
            break
        thing = getattr(thing, step, None)
    return thing


def _state(graph: object, task: str) -> object:
    fields = fields_of(state_schema(graph))
    if not fields or _MESSAGES in fields:
        return {_MESSAGES: [("user", task)]}
    texts = [name for name, hint in fields.items() if hint is str]
    if len(texts) != 1:
        raise InvalidValue(
            f"a task of text does not fit the graph {graph_name(graph) or 'agent'!r}, whose state "
            f"has the fields {list(fields)}; give a dict of them, or compile the graph with an "
            "input_schema of one field"
        )
    return {texts[0]: task}


def wanted(thing: AnyRunnable) -> list[str]:
    """Return the names of the fields that a chain's input needs."""
    return list(dict.fromkeys(_wanted(thing)))


def _wanted(thing: object) -> Iterator[str]:
    """Yield the fields that the first step of a chain takes; none where it takes anything."""
    if isinstance(thing, BasePromptTemplate):
        yield from cast("BasePromptTemplate[object]", thing).input_variables
    elif isinstance(thing, RunnableWithMessageHistory):
        if thing.input_messages_key:
            yield thing.input_messages_key
        elif not thing.history_messages_key:
            return
    elif is_a(thing, RunnableSequence):
        yield from _of_sequence(cast("RunnableSequence[Any, Any]", thing))
    elif isinstance(thing, RunnableBindingBase):
        yield from _wanted(cast("Any", thing).bound)
    elif isinstance(thing, RunnableWithFallbacks):
        yield from _wanted(cast("Any", thing).runnable)
    elif isinstance(thing, RunnableBranch):
        yield from _prompted(cast("object", thing))


def _of_sequence(thing: RunnableSequence[Any, Any]) -> Iterator[str]:
    first: object = cast("object", thing.first)
    if isinstance(first, RunnableAssign):
        mapper = cast("object", cast("Any", first).mapper)
        made = set(cast("Mapping[str, object]", getattr(mapper, "steps__", {})))
        yield from (name for name in _prompted(thing) if name not in made)
    else:
        yield from _wanted(first)


def _prompted(thing: object) -> Iterator[str]:
    for part in walk(thing, "").of(BasePromptTemplate):
        yield from cast("BasePromptTemplate[object]", part.thing).input_variables


def output_of(result: object) -> object:
    """Return what a workflow gives: a message as its text, a state with messages as its last."""
    if isinstance(result, BaseMessage):
        return text_of(result)
    if not isinstance(result, Mapping):
        return result
    state = cast("Mapping[str, object]", result)
    structured = state.get("structured_response")
    if structured is not None:
        return structured
    messages = state.get(_MESSAGES)
    if isinstance(messages, list) and messages:
        return output_of(cast("list[object]", messages)[-1])
    return state

"""One run of a runnable: with a thread of its own, its questions answered, and nothing left."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast
from uuid import uuid4

import anyio
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs
from langchain_core.runnables.history import RunnableWithMessageHistory

from trace_agents.errors import EpisodeFailed
from trace_agents_adapters.langchain.stopping import Stop
from trace_agents_adapters.langchain.walking import AnyRunnable, Walk, graph_name, is_graph

Answer: TypeAlias = Callable[[object], object]
"""Answers what a graph asks with `interrupt`; it may be async."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gives to every run."""

    config: RunnableConfig | None = None
    context: object = None
    """A graph's runtime context."""
    answer: Answer | None = None

    @property
    def more(self) -> dict[str, object]:
        """The arguments of a run beside its input and its config."""
        return {} if self.context is None else {"context": self.context}


NOTHING = Given()


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs a runnable, so that no run sees another one's memory."""

    thing: AnyRunnable
    savers: tuple[Any, ...] = ()
    """The checkpointers of its graphs."""
    histories: tuple[RunnableWithMessageHistory, ...] = ()
    given: Given = NOTHING

    async def once(self, given: object) -> object:
        """Run it and return its result.

        Raises:
            EpisodeFailed: a graph asked something, and nobody is there to answer.
        """
        thread = f"trace-agents-{uuid4().hex}"
        stop = Stop()
        config = self._config(thread, stop)
        try:
            result = await self.thing.ainvoke(given, config, **self.given.more)
            while asked := _questions(result):
                answers = await self._answers(asked)
                result = await self.thing.ainvoke(answers, config, **self.given.more)
            return result
        finally:
            stop.is_set = True
            with anyio.CancelScope(shield=True):
                await self._forget(thread)

    def _config(self, thread: str, stop: Stop) -> RunnableConfig:
        keys = {"thread_id"} if self.savers else set[str]()
        for history in self.histories:
            keys |= {spec.id for spec in history.history_factory_config}
        config: RunnableConfig = {"callbacks": [stop]}
        if keys:
            config["configurable"] = dict.fromkeys(sorted(keys), thread)
        return merge_configs(self.given.config, config)

    async def _answers(self, asked: Sequence[Any]) -> object:
        from langgraph.types import Command  # only a graph asks, and then langgraph is there

        answering = self.given.answer
        if answering is None:
            raise EpisodeFailed(
                f"the graph {graph_name(self.thing) or 'agent'!r} stopped to ask: "
                f"{asked[0].value!r}; say who answers: LangChainWorkflow(graph, answer=function)"
            )
        answers: dict[str, object] = {}
        for question in asked:
            answer = answering(question.value)
            if inspect.isawaitable(answer):
                answer = await cast("Awaitable[object]", answer)
            answers[question.id] = answer
        return Command(resume=answers)

    async def _forget(self, thread: str) -> None:
        """Remove what the run left in the user's stores, where they can remove."""
        for saver in self.savers:
            try:
                await saver.adelete_thread(thread)
            except NotImplementedError:
                continue
        for history in self.histories:
            if len(history.history_factory_config) == 1:
                await history.get_session_history(thread).aclear()


def runs_of(thing: AnyRunnable, found: Walk, given: Given = NOTHING) -> Runs:
    """Return how to run a runnable of which the parts are known."""
    graphs = [part.thing for part in found.parts if is_graph(part.thing)]
    kept = [saver for graph in graphs if hasattr(saver := _saver(graph), "adelete_thread")]
    histories = [cast("RunnableWithMessageHistory", p.thing) for p in found.of(_HISTORY)]
    return Runs(thing, tuple({id(s): s for s in kept}.values()), tuple(histories), given)


_HISTORY = RunnableWithMessageHistory


def _saver(graph: object) -> Any:
    return getattr(graph, "checkpointer", None)


def _questions(result: object) -> Sequence[Any]:
    if not isinstance(result, Mapping):
        return ()
    return cast("Mapping[str, Any]", result).get("__interrupt__") or ()

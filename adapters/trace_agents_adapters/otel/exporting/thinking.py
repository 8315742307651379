"""What an optimizer thought: its model calls, remembered with the episodes that they are about."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trace_agents.graph import Graph, Values
from trace_agents.llm import Message, Model, Reply, Schema, varied
from trace_agents.optimizers import Proposal
from trace_agents.optimizers.base import GraphOptimizer, Listener, Rememberer, Target, Tried
from trace_agents.propagate import TraceGraph
from trace_agents_adapters.otel import conventions as names
from trace_agents_adapters.otel.records import Link, SpanRecord


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of an optimizer's model. Times are nanoseconds since 1970."""

    model: str
    messages: tuple[Message, ...]
    reply: Reply | None
    """None: the call failed."""
    start: int
    end: int
    episodes: tuple[str, ...] = ()
    """The episodes whose feedback the optimizer had when it asked."""
    error: str = ""


class ObservedOptimizer:
    """An optimizer whose model calls are remembered; it does what the one inside does.

    The optimizer's models are wrapped in place.
    """

    def __init__(self, optimizer: GraphOptimizer) -> None:
        self.inside = optimizer
        self.calls: list[ModelCall] = []
        """The model calls so far."""
        self._episodes: dict[str, None] = {}
        optimizer.wrap_models(lambda model: _ObservedModel(model, self))

    @property
    def episodes(self) -> tuple[str, ...]:
        """The episodes whose feedback the optimizer has."""
        return tuple(self._episodes)

    def zero_feedback(self) -> None:
        """Forget all feedback."""
        self._episodes.clear()
        self.inside.zero_feedback()

    def backward(self, target: Target, feedback: str | Mapping[str, str] = "") -> None:
        """Take feedback about one episode or output: words for it, or for nodes by id."""
        graph = target.graph if isinstance(target, TraceGraph) else target
        if isinstance(graph, Graph) and graph.episode:
            self._episodes[graph.episode] = None
        self.inside.backward(target, feedback)

    async def propose(self, values: Values | None = None) -> Proposal:
        """Return changes to `values` (the parameters' own without it); change nothing."""
        return await self.inside.propose(values)

    async def step(self) -> Proposal:
        """Propose, and apply the changes to the parameter nodes."""
        return await self.inside.step()

    def step_sync(self) -> Proposal:
        """Do as `step`, from code outside any event loop."""
        return self.inside.step_sync()

    def tell(self, proposal: Proposal, accepted: bool, score: float | None = None) -> None:
        """Learn whether a proposal went live, and its mean score where it was judged."""
        if isinstance(self.inside, Listener):
            self.inside.tell(proposal, accepted, score)

    def remember(self, tried: Sequence[Tried]) -> None:
        """Learn, oldest first, what another instance proposed in the same run."""
        if isinstance(self.inside, Rememberer):
            self.inside.remember(tried)


class _ObservedModel:
    """A model that remembers its calls at its optimizer."""

    def __init__(self, inside: Model, owner: ObservedOptimizer) -> None:
        self.name = inside.name
        self._inside = inside
        self._owner = owner

    def at(self, *, temperature: float | None = None, sample: int | None = None) -> Model:
        inside = varied(self._inside, temperature=temperature, sample=sample)
        return _ObservedModel(inside, self._owner)

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        began, reply, error = time.time_ns(), None, ""
        try:
            reply = await self._inside.complete(messages, schema=schema)
            return reply
        except BaseException as failure:
            error = f"{type(failure).__name__}: {failure}"
            raise
        finally:
            about = self._owner.episodes
            asked = tuple(messages)
            call = ModelCall(self.name, asked, reply, began, time.time_ns(), about, error)
            self._owner.calls.append(call)


def call_to_record(call: ModelCall, roots: Mapping[str, Link]) -> SpanRecord:
    """Return a call as a span of the GenAI conventions, linked to its episodes' root spans."""
    about: dict[str, object] = {
        names.OPERATION: "chat",
        names.REQUEST_MODEL: call.model,
        names.INPUT_MESSAGES: json.dumps([_told(m["role"], m["content"]) for m in call.messages]),
    }
    if call.reply is not None:
        about[names.OUTPUT_MESSAGES] = json.dumps([_told("assistant", call.reply.text)])
        about[names.INPUT_TOKENS] = call.reply.input_tokens
        about[names.OUTPUT_TOKENS] = call.reply.output_tokens
    else:
        about[names.ERROR_TYPE] = call.error.partition(":")[0]
    identity = hashlib.sha256(f"{call.start} {call.end} {json.dumps(about)}".encode()).hexdigest()
    about[names.EPISODE] = f"optimizer-{identity[:8]}"
    return SpanRecord(
        identity[:32],
        identity[32:48],
        None,
        f"chat {call.model}",
        "client",
        call.start,
        call.end,
        about,
        "error" if call.reply is None else "unset",
        call.error,
        links=_links(call.episodes, roots),
        scope="trace_agents",
    )


def _links(episodes: Iterable[str], roots: Mapping[str, Link]) -> tuple[Link, ...]:
    return tuple(roots[name] for name in episodes if name in roots)


def _told(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}

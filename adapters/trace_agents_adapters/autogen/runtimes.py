"""Episodes on runtimes that others started: a message carries the episode of who sent it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import cast
from weakref import WeakSet, WeakValueDictionary

from autogen_core import (
    AgentId,
    BaseAgent,
    MessageContext,
    MessageHandlerContext,
    SingleThreadedAgentRuntime,
)
from opentelemetry import context as otel_context
from opentelemetry.trace import Span, SpanContext

from trace_agents.tracing.context import Trace, current_trace, recording
from trace_agents_adapters import boundary
from trace_agents_adapters.patches import Method, Wrapping
from trace_agents_adapters.sites import Sites

_letters: WeakValueDictionary[str, Letter] = WeakValueDictionary()


@dataclass(eq=False)
class Mail:
    """The messages of one run, and the tasks that handle them; gone when the run is over."""

    letters: list[Letter] = field(default_factory=list["Letter"])
    tasks: WeakSet[asyncio.Task[object]] = field(default_factory=WeakSet[asyncio.Task[object]])

    def note(self) -> None:
        """Take note of the current task, which is a part of the run."""
        task = asyncio.current_task()
        if task is not None:
            self.tasks.add(task)

    def cancel(self) -> None:
        """Stop the handlers and the tools that are under way."""
        for task in list(self.tasks):
            task.cancel()


@dataclass(eq=False)
class Hand:
    """The handling of one message: what decided on it, and what it decided itself."""

    cause: SpanContext | None
    outermost: bool
    """Whether the message came from no agent, as the first of a team's run does."""
    decided: SpanContext | None = None


@dataclass(eq=False)
class Letter:
    """What a message carries: the context in which it was sent."""

    trace: Trace
    sites: Sites
    mail: Mail
    spans: object
    cause: SpanContext | None
    outermost: bool

    @contextmanager
    def opened(self) -> Generator[None]:
        """Make the sender's episode the current one, and note the task that handles it."""
        self.mail.note()
        hand = _hand.set(Hand(self.cause, self.outermost))
        try:
            with self._episode():
                yield
        finally:
            _hand.reset(hand)

    @contextmanager
    def _episode(self) -> Generator[None]:
        if current_trace() is not None:
            yield
            return
        token = otel_context.attach(cast("otel_context.Context", self.spans))
        mine = _mail.set(self.mail)
        try:
            with recording(self.trace), boundary.scope(self.sites):
                yield
        finally:
            _mail.reset(mine)
            otel_context.detach(token)


_hand: ContextVar[Hand | None] = ContextVar("trace_agents_autogen_hand", default=None)
_mail: ContextVar[Mail | None] = ContextVar("trace_agents_autogen_mail", default=None)


@contextmanager
def mailing() -> Generator[Mail]:
    """Give the mail of one run; messages that are sent inside carry its episode."""
    mail = Mail()
    token = _mail.set(mail)
    try:
        yield mail
    finally:
        _mail.reset(token)
        mail.letters.clear()


def is_running() -> bool:
    """Tell whether this context belongs to a run of a workflow."""
    return _mail.get() is not None


def in_tool() -> None:
    """Take note of a task that calls a tool: AutoGen forgets it when its agent is cancelled."""
    mail = _mail.get()
    if mail is not None:
        mail.note()


def handling() -> str:
    """Return the type of the agent that handles a message in this context; else nothing."""
    try:
        return MessageHandlerContext.agent_id().type
    except RuntimeError:
        return ""


def cause() -> SpanContext | None:
    """Return the model call of a team that decided on the message which is handled here."""
    hand = _hand.get()
    return hand.cause if hand is not None else None


def decided(span: Span) -> None:
    """Remember a model call of a team: what is sent after it in this handling follows from it."""
    hand = _hand.get()
    if hand is not None and span.is_recording():
        hand.decided = span.get_span_context()


def _follows(sender: object) -> SpanContext | None:
    """Return the decision from which a message follows that is sent here."""
    hand = _hand.get()
    if hand is None:
        return None
    # an agent's reply follows from its own call, which the content shows; a team within a team
    # follows from the decision for it
    inherits = sender is None or hand.outermost
    return hand.decided or (hand.cause if inherits else None)


def _posted(message_id: str | None, sender: object) -> str | None:
    """Return the id under which a message carries the current episode, if there is one."""
    trace, mail = current_trace(), _mail.get()
    if trace is None or mail is None:
        return message_id
    name = message_id or str(uuid.uuid4())
    spans, follows = otel_context.get_current(), _follows(sender)
    letter = Letter(trace, boundary.current_sites(), mail, spans, follows, sender is None)
    mail.letters.append(letter)
    _letters[name] = letter
    return name


def _wrap_send(original: Method) -> Method:
    send = cast("Callable[..., Awaitable[object]]", original)

    @wraps(send)
    async def carrying(
        self: SingleThreadedAgentRuntime,
        *args: object,
        sender: AgentId | None = None,
        message_id: str | None = None,
        **settings: object,
    ) -> object:
        name = _posted(message_id, sender)
        return await send(self, *args, sender=sender, message_id=name, **settings)

    return carrying


def _wrap_on_message(original: Method) -> Method:
    on_message = cast("Callable[..., Awaitable[object]]", original)

    @wraps(on_message)
    async def receiving(self: BaseAgent, message: object, ctx: MessageContext) -> object:
        letter = _letters.get(ctx.message_id)
        if letter is None:
            return await on_message(self, message, ctx)
        with letter.opened():
            return await on_message(self, message, ctx)

    return receiving


WRAPPINGS: tuple[tuple[type, tuple[Wrapping, ...]], ...] = (
    (
        SingleThreadedAgentRuntime,
        (("send_message", _wrap_send), ("publish_message", _wrap_send)),
    ),
    (BaseAgent, (("on_message", _wrap_on_message),)),
)
"""What is wrapped while a workflow is instrumented."""

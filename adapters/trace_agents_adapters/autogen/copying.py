"""Fresh copies of AutoGen objects: settings are copied, what is live is shared by reference."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Self, TypeAlias, cast

from autogen_agentchat.base import ChatAgent, Team
from autogen_agentchat.conditions import ExternalTermination
from autogen_agentchat.messages import StructuredMessageFactory
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import (
    Component,
    ComponentBase,
    ComponentLoader,
    ComponentModel,
    ComponentToConfig,
)
from autogen_core.code_executor import CodeExecutor
from autogen_core.memory import ListMemory, Memory
from autogen_core.models import ChatCompletionClient
from autogen_core.tools import BaseTool, StaticWorkbench, Workbench
from pydantic import BaseModel

from trace_agents.errors import NotWrappable
from trace_agents_adapters.autogen.faithful import losses
from trace_agents_adapters.bound import in_own_loop
from trace_agents_adapters.patches import Method, Patches

AnyComponent: TypeAlias = ComponentToConfig[Any]
Runnable: TypeAlias = ChatAgent | Team

_LIVE = (ChatCompletionClient, BaseTool, Workbench, CodeExecutor, Memory, StructuredMessageFactory)
"""What stands for something outside of a conversation: it is shared, as the user shares it."""
_COPIED = (AgentTool, TeamTool, StaticWorkbench, ListMemory)
"""Of these, what holds agents, tools or memories of a conversation: it is copied."""


@dataclass(eq=False)
class Sharing:
    """One description under way: what is live, and what was described on the way."""

    strict: bool = True
    """Whether a member that cannot be described is an error; else it is shared too."""
    live: dict[str, object] = field(default_factory=dict[str, object])
    described: list[tuple[AnyComponent, ComponentModel]] = field(
        default_factory=list[tuple[AnyComponent, ComponentModel]]
    )

    @contextmanager
    def active(self) -> Generator[None]:
        """Describe and load inside with live members by reference."""
        token = _sharing.set(self)
        try:
            yield
        finally:
            _sharing.reset(token)

    def describe(
        self, component: AnyComponent, dump: Callable[[], ComponentModel]
    ) -> ComponentModel:
        """Return a component's description, or a reference where it is live."""
        if isinstance(component, _LIVE) and not isinstance(component, _COPIED):
            return self._reference(cast("object", component))
        try:
            if isinstance(component, ExternalTermination):
                raise TypeError("a copy of it could not be set by whoever holds it")
            model = _complete(component, dump())
        except NotWrappable:
            raise
        except Exception as error:
            if self.strict:
                raise _refused(component, error) from error
            model = self._reference(component)
        self.described.append((component, model))
        return model

    def carried(self) -> frozenset[int]:
        """Return the identities of the components that a copy has or shares."""
        return frozenset(
            [*map(int, self.live), *(id(component) for component, _ in self.described)]
        )

    def _reference(self, component: object) -> ComponentModel:
        key = str(id(component))
        self.live[key] = component
        return ComponentModel(
            provider=f"{__name__}.Reference", config=Key(key=key).model_dump(), component_version=1
        )


_sharing: ContextVar[Sharing | None] = ContextVar("trace_agents_autogen_sharing", default=None)


class Key(BaseModel):
    """Names a live object."""

    key: str


class Reference(ComponentBase[Key], Component[Key]):
    """Stands in a description for a live object; loading it gives that object."""

    component_type = "reference"
    component_config_schema = Key
    component_provider_override = f"{__name__}.Reference"

    @classmethod
    def _from_config(cls, config: Key) -> Self:
        sharing = _sharing.get()
        if sharing is None:
            raise RuntimeError("a reference to a live object was loaded outside of a copy")
        return cast("Self", sharing.live[config.key])


def _wrap_dump(original: Method) -> Method:
    dump = cast("Callable[[AnyComponent], ComponentModel]", original)

    @wraps(dump)
    def shared_dump(self: AnyComponent) -> ComponentModel:
        sharing = _sharing.get()
        return dump(self) if sharing is None else sharing.describe(self, lambda: dump(self))

    return shared_dump


_patches = Patches([(ComponentToConfig, (("dump_component", _wrap_dump),))])


def described(thing: AnyComponent, sharing: Sharing) -> ComponentModel:
    """Return the description of an agent or a team, with its live members by reference."""
    with _patches.applied(), sharing.active(), _silently():
        return thing.dump_component()


@contextmanager
def _silently() -> Generator[None]:
    """Keep back what AutoGen says to whoever makes an object: that was said of the original."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


class Copies:
    """Makes fresh copies of one agent or team.

    Raises:
        NotWrappable: a member cannot be copied, or a copy would not be what the original is.
    """

    def __init__(self, thing: Runnable) -> None:
        self._sharing = Sharing()
        self._model = described(cast("AnyComponent", thing), self._sharing)
        lost = list(losses(thing, self.make(), type(thing).__name__, self._sharing.carried()))
        if lost:
            raise NotWrappable(
                f"{_called(thing)} cannot be copied for every episode: a copy would lose "
                f"{', '.join(lost)}; wrap a function that builds it instead: ta.wrap(build)"
            )
        self._state = in_own_loop(lambda: _state_beyond(thing, self.make()))

    async def at_start(self) -> Runnable:
        """Return a new copy with the conversation that the original had when it was wrapped."""
        made = self.make()
        if self._state is not None:
            await made.load_state(self._state)
        return made

    def make(self) -> Runnable:
        """Return a new copy; model clients, tools and executors are those of the original."""
        with self._sharing.active(), _silently():
            made = ComponentLoader.load_component(self._model.model_copy(), object)
        return cast("Runnable", made)


def _complete(component: AnyComponent, model: ComponentModel) -> ComponentModel:
    """Return a description with its required parts that are None, which AutoGen drops."""
    schema: object = getattr(component, "component_config_schema", None)
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        for name, part in schema.model_fields.items():
            if part.is_required():
                model.config.setdefault(name, None)
    return model


async def _state_beyond(thing: Runnable, fresh: Runnable) -> Mapping[str, Any] | None:
    """Return the state of `thing`, unless it is that of a fresh one."""
    state = await thing.save_state()
    return None if state == await fresh.save_state() else state


def resolved(model: ComponentModel | dict[str, Any], sharing: Sharing) -> object:
    """Return the object that a part of a description stands for."""
    with sharing.active():
        return ComponentLoader.load_component(model, object)


def _refused(component: AnyComponent, error: Exception) -> NotWrappable:
    return NotWrappable(
        f"{_called(component)} cannot be copied for every episode ({type(error).__name__}: "
        f"{error}); wrap a function that builds the agent or team instead: ta.wrap(build)"
    )


def _called(component: object) -> str:
    name: object = getattr(component, "name", None)
    sort = f"the {type(component).__name__}"
    return f"{sort} {name!r}" if isinstance(name, str) else sort

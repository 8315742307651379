"""Which adapter an object belongs to, told by its type's modules; loads no framework."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from trace_agents.workflow import Workflow

if TYPE_CHECKING:
    from agent_framework import Agent
    from agent_framework import Workflow as FrameworkWorkflow
    from autogen_agentchat.base import ChatAgent, Team
    from langchain_core.runnables import Runnable


def _comes_from(thing: object, *packages: str) -> bool:
    return any(base.__module__.partition(".")[0] in packages for base in type(thing).__mro__)


class AutoGenAdapter:
    """Wraps agents and teams of AutoGen, and functions that build them."""

    def matches(self, thing: object) -> bool:
        """Tell whether `thing` is an agent or a team of AutoGen."""
        return _comes_from(thing, "autogen_agentchat")

    def wrap(self, thing: object, *, name: str | None = None, **options: Any) -> Workflow:
        """Return the workflow around an agent or a team."""
        from trace_agents_adapters.autogen.workflow import AutoGenWorkflow  # loads AutoGen

        return AutoGenWorkflow(cast("ChatAgent | Team", thing), name=name, **options)

    def wrap_factory(
        self,
        factory: Callable[[], object],
        prototype: object,
        name: str | None = None,
        **options: Any,
    ) -> Workflow:
        """Return the workflow that builds a fresh agent or team for every episode."""
        from trace_agents_adapters.autogen.workflow import AutoGenWorkflow  # loads AutoGen

        build = cast("Callable[[], ChatAgent | Team]", factory)
        workflow = AutoGenWorkflow(build, name=name, **options)
        if "langchain_core" not in sys.modules:
            return workflow
        from trace_agents_adapters.langchain.discovery import sites_referred  # is loaded already

        return workflow.including(lambda: sites_referred(factory, workflow.name))


class LangChainAdapter:
    """Wraps runnables of LangChain and LangGraph, and functions that build them."""

    def matches(self, thing: object) -> bool:
        """Tell whether `thing` is a runnable."""
        return _comes_from(thing, "langchain_core", "langgraph")

    def wrap(self, thing: object, *, name: str | None = None, **options: Any) -> Workflow:
        """Return the workflow around a runnable, which all episodes share."""
        from trace_agents_adapters.langchain.workflow import LangChainWorkflow  # loads LangChain

        return LangChainWorkflow(cast("Runnable[Any, Any]", thing), name=name, **options)

    def wrap_factory(
        self,
        factory: Callable[[], object],
        prototype: object,
        name: str | None = None,
        **options: Any,
    ) -> Workflow:
        """Return the workflow that builds a fresh runnable for every episode."""
        from trace_agents_adapters.langchain.workflow import LangChainWorkflow  # loads LangChain

        build = cast("Callable[[], Runnable[Any, Any]]", factory)
        return LangChainWorkflow(build, name=name, **options)


class AgentFrameworkAdapter:
    """Wraps agents of Microsoft Agent Framework, and functions that build agents or workflows."""

    def matches(self, thing: object) -> bool:
        """Tell whether `thing` is of Microsoft Agent Framework."""
        return _comes_from(thing, "agent_framework", "agent_framework_orchestrations")

    def wrap(self, thing: object, *, name: str | None = None) -> Workflow:
        """Return the workflow around an agent, which all episodes share."""
        # loads the framework
        from trace_agents_adapters.agent_framework.workflow import AgentFrameworkWorkflow

        return AgentFrameworkWorkflow(cast("Agent[Any]", thing), name=name)

    def wrap_factory(
        self, factory: Callable[[], object], prototype: object, name: str | None = None
    ) -> Workflow:
        """Return the workflow that builds a fresh agent or workflow for every episode."""
        # loads the framework
        from trace_agents_adapters.agent_framework.workflow import AgentFrameworkWorkflow

        build = cast("Callable[[], Agent[Any] | FrameworkWorkflow]", factory)
        return AgentFrameworkWorkflow(build, name=name)


agent_framework = AgentFrameworkAdapter()
autogen = AutoGenAdapter()
langchain = LangChainAdapter()

"""Agents and workflows of Microsoft Agent Framework as workflows that can be trained."""

from importlib import import_module

try:
    import_module("agent_framework")
except ImportError as error:
    from trace_agents.errors import ExtraNotInstalled

    raise ExtraNotInstalled("agent-framework-core", "agent-framework") from error

from trace_agents_adapters.agent_framework.workflow import AgentFrameworkWorkflow
from trace_agents_adapters.detect import AgentFrameworkAdapter
from trace_agents_adapters.detect import agent_framework as adapter

__all__ = ["AgentFrameworkAdapter", "AgentFrameworkWorkflow", "adapter"]

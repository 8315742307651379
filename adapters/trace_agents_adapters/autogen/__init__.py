"""AutoGen agents and teams as workflows, and a litellm model client for them."""

from importlib import import_module

try:
    import_module("autogen_agentchat")
    import_module("autogen_core")
except ImportError as error:
    from trace_agents.errors import ExtraNotInstalled

    raise ExtraNotInstalled("autogen-agentchat", "autogen") from error
else:
    from trace_agents_adapters.autogen.supported import UnsupportedAutoGen, require_supported

    require_supported()

from trace_agents_adapters.autogen.litellm_client import LitellmClient, litellm_client
from trace_agents_adapters.autogen.workflow import AutoGenApp, AutoGenWorkflow
from trace_agents_adapters.bound import NothingToLearn
from trace_agents_adapters.detect import AutoGenAdapter
from trace_agents_adapters.detect import autogen as adapter

__all__ = [
    "AutoGenAdapter",
    "AutoGenApp",
    "AutoGenWorkflow",
    "LitellmClient",
    "NothingToLearn",
    "UnsupportedAutoGen",
    "adapter",
    "litellm_client",
]

"""LangChain and LangGraph runnables as workflows."""

from importlib import import_module

try:
    import_module("langchain_core")
except ImportError as error:
    from trace_agents.errors import ExtraNotInstalled

    raise ExtraNotInstalled("langchain", "langchain") from error
else:
    from trace_agents_adapters.langchain.supported import UnsupportedLangChain, require_supported

    require_supported()

from trace_agents_adapters.bound import NothingToLearn
from trace_agents_adapters.detect import LangChainAdapter
from trace_agents_adapters.detect import langchain as adapter
from trace_agents_adapters.langchain.functions import graph_node
from trace_agents_adapters.langchain.litellm_client import LitellmChat, litellm_client
from trace_agents_adapters.langchain.workflow import LangChainWorkflow

__all__ = [
    "LangChainAdapter",
    "LangChainWorkflow",
    "LitellmChat",
    "NothingToLearn",
    "UnsupportedLangChain",
    "adapter",
    "graph_node",
    "litellm_client",
]

"""LangChain and LangGraph runnables as workflows."""

from importlib import import_module

try:
    import_module("langchain_core")
except ImportError as error:
    from trace_agents.errors import ExtraNotInstalled

    raise ExtraNotInstalled("langchain", "langchain") from error

from trace_agents_adapters.detect import LangChainAdapter
from trace_agents_adapters.detect import langchain as adapter
from trace_agents_adapters.langchain.litellm_client import LitellmChat, litellm_client
from trace_agents_adapters.langchain.workflow import LangChainWorkflow

__all__ = ["LangChainAdapter", "LangChainWorkflow", "LitellmChat", "adapter", "litellm_client"]

"""Language models: the seam, litellm behind it, and what goes around a model."""

from trace_agents.llm.base import Identified, Message, Model, Reply, Schema, Variable, varied
from trace_agents.llm.caching import Cached
from trace_agents.llm.choosing import Settings, as_model
from trace_agents.llm.counting import counted
from trace_agents.llm.failures import translated
from trace_agents.llm.limiting import Limited
from trace_agents.llm.litellm import LiteLLM
from trace_agents.llm.package import check_model, load_litellm, price
from trace_agents.llm.retrying import Backoff, Retrying

__all__ = [
    "Backoff",
    "Cached",
    "Identified",
    "Limited",
    "LiteLLM",
    "Message",
    "Model",
    "Reply",
    "Retrying",
    "Schema",
    "Settings",
    "Variable",
    "as_model",
    "check_model",
    "counted",
    "load_litellm",
    "price",
    "translated",
    "varied",
]

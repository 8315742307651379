"""Language models: the seam, and litellm behind it."""

from trace_agents.llm.base import Message, Model, Reply
from trace_agents.llm.litellm import (
    LiteLLM,
    as_model,
    check_model,
    load_litellm,
    price,
    translated,
)

__all__ = [
    "LiteLLM",
    "Message",
    "Model",
    "Reply",
    "as_model",
    "check_model",
    "load_litellm",
    "price",
    "translated",
]

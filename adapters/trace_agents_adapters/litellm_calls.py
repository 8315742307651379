"""One model call through litellm, as plain data; its errors become ours here and nowhere else."""

from __future__ import annotations

import importlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from trace_agents.errors import ExtraNotInstalled, ModelError, UnknownModel
from trace_agents.tracing.context import current_trace

Json: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Which model to call, and where."""

    model: str
    """A litellm name, such as `openai/gpt-4o-mini`."""
    base_url: str | None = None
    api_key: str | None = None
    temperature: float | None = None

    def arguments(self, messages: Sequence[Json], tools: Sequence[Json]) -> Json:
        """Return the arguments of litellm's completion functions."""
        chosen: Json = {
            "base_url": self.base_url,
            "api_key": self.api_key,
            "temperature": self.temperature,
            "tools": list(tools) or None,
        }
        given = {key: value for key, value in chosen.items() if value is not None}
        return {"model": self.model, "messages": list(messages), **given}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered."""

    text: str
    tool_calls: tuple[tuple[str, str, str], ...] = ()
    """Id, name, and arguments as JSON text."""
    input_tokens: int = 0
    output_tokens: int = 0


def litellm_attribute(name: str) -> object:
    """Return an attribute of litellm, which is loaded at the first call: that takes seconds.

    Raises:
        ExtraNotInstalled: litellm is missing.
    """
    # without this, litellm fetches a price list from the network when it is imported
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        return getattr(importlib.import_module("litellm"), name)
    except ImportError as error:
        raise ExtraNotInstalled("litellm", "llm") from error


async def acomplete(
    endpoint: Endpoint, messages: Sequence[Json], tools: Sequence[Json], extra: Mapping[str, object]
) -> Answer:
    """Return a model's answer.

    Raises:
        UnknownModel: no provider knows the model.
        ModelError: the model could not answer.
    """
    call = cast("Callable[..., Awaitable[object]]", litellm_attribute("acompletion"))
    try:
        response = await call(**endpoint.arguments(messages, tools), **extra)
    except Exception as error:
        raise translated(endpoint.model, error) from error
    return _answer(response)


def complete(
    endpoint: Endpoint, messages: Sequence[Json], tools: Sequence[Json], extra: Mapping[str, object]
) -> Answer:
    """Return a model's answer, as `acomplete` does, and block until it is there."""
    call = cast("Callable[..., object]", litellm_attribute("completion"))
    try:
        response = call(**endpoint.arguments(messages, tools), **extra)
    except Exception as error:
        raise translated(endpoint.model, error) from error
    return _answer(response)


def translated(model: str, error: Exception) -> ModelError:
    """Return our error for one of litellm's."""
    kind = type(error).__name__
    if kind == "NotFoundError" or "LLM Provider NOT provided" in str(error):
        return UnknownModel(
            f"no provider knows the model {model!r}; "
            "write provider/name, as in 'openai/gpt-4o-mini'"
        )
    return ModelError(f"the model {model!r} could not answer: {kind}: {error}")


def _answer(response: object) -> Answer:
    data = cast("Callable[[], Json]", getattr(response, "model_dump"))()  # noqa: B009
    choices = cast("list[Json]", data["choices"])
    message = cast("Json", choices[0]["message"])
    usage = cast("dict[str, int]", data.get("usage") or {})
    trace = current_trace()
    if trace is not None:
        trace.spend(usd=_price(response))
    calls = cast("list[Json]", message.get("tool_calls") or [])
    return Answer(
        str(message.get("content") or ""),
        tuple(_call(call) for call in calls),
        usage.get("prompt_tokens") or 0,
        usage.get("completion_tokens") or 0,
    )


def _call(call: Json) -> tuple[str, str, str]:
    function = cast("Json", call["function"])
    return str(call["id"]), str(function["name"]), str(function["arguments"])


def _price(response: object) -> float:
    price = cast("Callable[..., float]", litellm_attribute("completion_cost"))
    try:
        return price(completion_response=response)
    except Exception:  # noqa: BLE001 - litellm raises bare Exceptions for models without a price
        return 0.0

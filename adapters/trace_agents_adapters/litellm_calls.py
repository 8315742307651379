"""One model call through litellm, as plain data; its errors become ours here and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import anyio

from trace_agents.errors import ModelError, UnknownModel
from trace_agents.llm import Backoff, load_litellm, price, translated
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
    timeout: float = 600.0
    """Seconds for one request."""
    retries: int = 2
    """Tries after the first, of what may be answered the next time."""

    def arguments(self, messages: Sequence[Json], tools: Sequence[Json]) -> Json:
        """Return the arguments of litellm's completion functions."""
        chosen: Json = {
            "base_url": self.base_url,
            "api_key": self.api_key,
            "temperature": self.temperature,
            "tools": list(tools) or None,
        }
        given = {key: value for key, value in chosen.items() if value is not None}
        # who retries is said in one place, here
        once: Json = {"timeout": self.timeout, "num_retries": 0, "max_retries": 0}
        return {"model": self.model, "messages": list(messages), **once, **given}

    def pause(self, attempt: int, error: ModelError) -> float:
        """Return how long to wait after the failure of try `attempt`, from 0.

        Raises:
            ModelError: the error itself, where another try cannot help or was the last.
        """
        pause = Backoff(self.retries).pause(attempt, error)
        if pause is None:
            raise error
        return pause


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered."""

    text: str
    tool_calls: tuple[tuple[str, str, str], ...] = ()
    """Id, name, and arguments as JSON text."""
    input_tokens: int = 0
    output_tokens: int = 0


async def acomplete(
    endpoint: Endpoint, messages: Sequence[Json], tools: Sequence[Json], extra: Mapping[str, object]
) -> Answer:
    """Return a model's answer; `extra` goes before what the endpoint says.

    Raises:
        UnknownModel: no provider knows the model.
        ModelError: the model could not answer.
    """
    call = cast("Callable[..., Awaitable[object]]", load_litellm().acompletion)
    request = {**endpoint.arguments(messages, tools), **extra}

    async def once() -> object:
        try:
            return await call(**request)
        except Exception as error:
            raise _ours(endpoint.model, error) from error

    attempt = 0
    while True:
        try:
            return _answer(endpoint.model, await once())
        except ModelError as error:
            pause = endpoint.pause(attempt, error)
        attempt += 1
        await anyio.sleep(pause)
        _count_again()


def complete(
    endpoint: Endpoint, messages: Sequence[Json], tools: Sequence[Json], extra: Mapping[str, object]
) -> Answer:
    """Return a model's answer, as `acomplete` does, and block until it is there."""
    call = cast("Callable[..., object]", load_litellm().completion)
    request = {**endpoint.arguments(messages, tools), **extra}

    def once() -> object:
        try:
            return call(**request)
        except Exception as error:
            raise _ours(endpoint.model, error) from error

    attempt = 0
    while True:
        try:
            return _answer(endpoint.model, once())
        except ModelError as error:
            pause = endpoint.pause(attempt, error)
        attempt += 1
        time.sleep(pause)
        _count_again()


def _count_again() -> None:
    """Count one more request; the first one is counted by who made the call."""
    trace = current_trace()
    if trace is not None:
        trace.spend(calls=1)


def _ours(model: str, error: Exception) -> ModelError:
    """Return our error for one of litellm's; here the name is not checked before the call."""
    if "LLM Provider NOT provided" in str(error):
        return UnknownModel(
            f"no provider knows the model {model!r}; "
            "write provider/name, as in 'openai/gpt-4o-mini'"
        )
    return translated(model, error)


def _answer(model: str, response: object) -> Answer:
    data = cast("Callable[[], Json]", getattr(response, "model_dump"))()  # noqa: B009
    choices = cast("list[Json]", data.get("choices") or [])
    usage = cast("dict[str, int]", data.get("usage") or {})
    trace = current_trace()
    if trace is not None:
        trace.spend(usd=price(load_litellm(), model, response))
    if not choices:
        tokens = sum(usage.get(name) or 0 for name in ("prompt_tokens", "completion_tokens"))
        if trace is not None:
            trace.spend(tokens=tokens)  # an answer's tokens are counted by who gets it
        raise ModelError(f"the model {model!r} sent no answer; ask again, or another model")
    message = cast("Json", choices[0]["message"])
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

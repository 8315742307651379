"""Any model that litellm knows, behind the one seam."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import Any, cast

import anyio
import anyio.to_thread

from trace_agents.errors import ExtraNotInstalled, ModelError, UnknownModel
from trace_agents.llm.base import Message, Model, Reply


class LiteLLM:
    """A `Model` by its litellm name, such as `openai/gpt-4o-mini` or `ollama/llama3`.

    Rate limits, timeouts and server errors are tried again after a growing pause; what a second
    try cannot mend is raised at once.

    Args:
        model: the name, with its provider.
        base_url: the address of the API, where it is not the provider's own.
        api_key: the key; litellm reads the provider's environment variable without it.
        temperature: the provider's default without it.
        max_tokens: the most tokens of one answer.
        timeout: seconds for one try.
        retries: tries after the first.
        backoff: seconds before the second try; doubled before each later one.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        timeout: float = 60.0,
        retries: int = 2,
        backoff: float = 0.5,
    ) -> None:
        self.name = model
        self._timeout = timeout
        self._retries = retries
        self._backoff = backoff
        options: dict[str, object] = {
            "api_base": base_url,
            "api_key": api_key,
            "temperature": temperature,
            "max_tokens": max_tokens,
        }
        self._options = {name: value for name, value in options.items() if value is not None}

    def __repr__(self) -> str:
        return f"LiteLLM({self.name!r})"

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Return the reply.

        Raises:
            ExtraNotInstalled: litellm is missing.
            UnknownModel: no provider knows the name.
            ModelError: the model could not answer; the sentence says why.
        """
        litellm = await anyio.to_thread.run_sync(load_litellm)
        _check(litellm, self.name)
        for attempt in range(self._retries):
            try:
                return await self._once(litellm, messages)
            except Exception as error:
                if not _retryable(error):
                    raise translated(self.name, error) from error
            await anyio.sleep(self._backoff * 2**attempt)
        try:
            return await self._once(litellm, messages)
        except Exception as error:
            raise translated(self.name, error) from error

    async def _once(self, litellm: Any, messages: Sequence[Message]) -> Reply:
        with anyio.fail_after(self._timeout):
            answer = await litellm.acompletion(
                model=self.name,
                messages=[dict(message) for message in messages],
                timeout=self._timeout,
                num_retries=0,
                max_retries=0,
                **self._options,
            )
        return _reply(litellm, self.name, answer)


def as_model(
    model: str | Model, *, base_url: str | None = None, api_key: str | None = None
) -> Model:
    """Return `model` itself, or the litellm model of that name.

    Raises:
        ExtraNotInstalled: a name, and litellm is missing.
        UnknownModel: no provider knows the name.
    """
    if not isinstance(model, str):
        return model
    check_model(model)
    return LiteLLM(model, base_url=base_url, api_key=api_key)


def check_model(name: str) -> None:
    """Make sure that a provider is known for the name, without calling it.

    Raises:
        ExtraNotInstalled: litellm is missing.
        UnknownModel: no provider knows the name.
    """
    _check(load_litellm(), name)


def load_litellm() -> Any:
    """Return the litellm module, imported at the first call: that takes seconds.

    Raises:
        ExtraNotInstalled: litellm is missing.
    """
    # without this, importing litellm downloads its price list
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        litellm: Any = importlib.import_module("litellm")
    except ModuleNotFoundError as error:
        raise ExtraNotInstalled("litellm", "llm") from error
    litellm.suppress_debug_info = True  # it prints advice to standard output otherwise
    return litellm


def _check(litellm: Any, name: str) -> None:
    try:
        litellm.get_llm_provider(name)
    except litellm.exceptions.BadRequestError as error:
        raise _unknown(name) from error


def _unknown(name: str) -> UnknownModel:
    return UnknownModel(
        f"no provider is known for the model {name!r}; write it as provider/model, for example "
        "'openai/gpt-4o-mini', or 'openai/<name>' with base_url for a server of your own"
    )


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _retryable(error: Exception) -> bool:
    status = _status(error)
    return isinstance(error, TimeoutError) or (
        status is not None and (status in (408, 429) or status >= 500)
    )


def translated(name: str, error: Exception) -> ModelError:
    """Return our error for one that a call of the model `name` through litellm raised."""
    if isinstance(error, ModelError):
        return error
    if isinstance(error, TimeoutError):
        return ModelError(f"the model {name!r} did not answer in time; raise timeout= or try later")
    said = " ".join(str(error).split())[:300]
    match _status(error):
        case 404:
            return UnknownModel(f"the provider does not know the model {name!r}: {said}")
        case 401 | 403:
            return ModelError(f"the model {name!r} refused the key; set api_key=: {said}")
        case 429:
            return ModelError(f"the model {name!r} is over its rate limit; try later: {said}")
        case _:
            return ModelError(f"the model {name!r} could not answer: {said}")


def _reply(litellm: Any, name: str, answer: Any) -> Reply:
    choices = getattr(answer, "choices", None)
    text = choices[0].message.content if choices else None
    if not isinstance(text, str):
        raise ModelError(f"the model {name!r} answered without text; ask another model")
    usage = getattr(answer, "usage", None)
    return Reply(
        text,
        int(getattr(usage, "prompt_tokens", 0) or 0),
        int(getattr(usage, "completion_tokens", 0) or 0),
        price(litellm, name, answer),
    )


def price(litellm: Any, name: str, answer: Any) -> float:
    """Return what a call cost in US dollars; 0 where the price is not known."""
    try:
        return float(cast("float", litellm.completion_cost(completion_response=answer, model=name)))
    except Exception:  # noqa: BLE001 - a model without a known price raises several kinds
        return 0.0

"""Any model that litellm knows, behind the one seam."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Self

import anyio
import anyio.to_thread

from trace_agents.errors import ModelError
from trace_agents.llm.base import Message, Reply, Schema
from trace_agents.llm.failures import translated
from trace_agents.llm.package import check_model, load_litellm, price


class LiteLLM:
    """A `Model` by its litellm name, such as `openai/gpt-4o-mini` or `ollama/llama3`.

    Each call is one request; `as_model` adds retries, limits and a cache.

    Args:
        model: the name, with its provider.
        base_url: the address of the API, where it is not the provider's own.
        api_key: the key; litellm reads the provider's environment variable without it.
        timeout: seconds for one request.
        structured: whether the model can be held to a JSON Schema; None: what litellm knows of
            the model. A server of your own usually can, and litellm does not know it.
        options: what else `litellm.completion` takes: `temperature`, `max_tokens`, `seed`,
            `top_p` and so on, the provider's defaults without them.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 60.0,
        structured: bool | None = None,
        **options: object,
    ) -> None:
        self.name = model
        self._base_url = base_url
        self._api_key = api_key
        self._timeout = timeout
        self._structured = structured
        self._options = {name: value for name, value in options.items() if value is not None}

    def __repr__(self) -> str:
        return f"LiteLLM({self.name!r})"

    def identity(self) -> Mapping[str, object]:
        """Return all that the answers depend on, beside the prompt; not the key."""
        return {
            "litellm": self.name,
            "base_url": self._base_url,
            "structured": self._structured,
            "options": self._options,
        }

    def at(self, *, temperature: float | None = None, sample: int | None = None) -> Self:
        """Return the model at another temperature; a sample's number is for caches only."""
        if temperature is None:
            return self
        clone = copy.copy(self)
        # a model that takes no temperature answers at its own
        clone._options = {**self._options, "temperature": temperature, "drop_params": True}
        return clone

    async def complete(self, messages: Sequence[Message], *, schema: Schema | None = None) -> Reply:
        """Return the reply; as JSON of the form of `schema` where the model can be held to one.

        Raises:
            ExtraNotInstalled: litellm is missing.
            UnknownModel: no provider knows the name.
            ModelUnavailable: the model could not answer this time.
            ModelError: the model could not answer; the sentence says why.
        """
        litellm = await anyio.to_thread.run_sync(load_litellm)
        check_model(self.name)
        try:
            with anyio.fail_after(self._timeout):
                answer = await litellm.acompletion(**self._request(litellm, messages, schema))
        except Exception as error:
            raise translated(self.name, error) from error
        return _reply(litellm, self.name, answer)

    def _request(
        self, litellm: Any, messages: Sequence[Message], schema: Schema | None
    ) -> dict[str, object]:
        request: dict[str, object] = {
            "model": self.name,
            "messages": [dict(message) for message in messages],
            "api_base": self._base_url,
            "api_key": self._api_key,
            "timeout": self._timeout,
            "num_retries": 0,
            "max_retries": 0,
            **self._options,
        }
        if schema is not None and self._holds_to_schemas(litellm):
            request["response_format"] = response_format(schema)
        return {name: value for name, value in request.items() if value is not None}

    def _holds_to_schemas(self, litellm: Any) -> bool:
        if self._structured is not None:
            return self._structured
        return bool(litellm.supports_response_schema(self.name))


def response_format(schema: Schema) -> dict[str, object]:
    """Return the argument that asks for JSON of this form.

    It is not marked as strict: some providers refuse strict schemas with bounds or with fields
    that may be left out, and answers are checked by their reader anyway.
    """
    described = {"name": "answer", "schema": dict(schema), "strict": False}
    return {"type": "json_schema", "json_schema": described}


def _reply(litellm: Any, name: str, answer: Any) -> Reply:
    choices = getattr(answer, "choices", None)
    text = choices[0].message.content if choices else None
    usage = getattr(answer, "usage", None)
    read = int(getattr(usage, "prompt_tokens", 0) or 0)
    written = int(getattr(usage, "completion_tokens", 0) or 0)
    usd = price(litellm, name, answer)
    if not isinstance(text, str):
        sentence = f"the model {name!r} answered without text; ask another model"
        raise ModelError(sentence).costing(read + written, usd)
    return Reply(text, read, written, usd)

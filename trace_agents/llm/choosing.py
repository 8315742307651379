"""One model, with its retries, limits and cache, from a name or an object."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, Unpack

from trace_agents.errors import InvalidValue
from trace_agents.llm.around import structured
from trace_agents.llm.base import Model
from trace_agents.llm.caching import Cached
from trace_agents.llm.limiting import Limited
from trace_agents.llm.litellm import LiteLLM
from trace_agents.llm.package import check_model
from trace_agents.llm.retrying import Backoff, Retrying

_WRAPPED = ("retries", "max_concurrency", "rpm", "tpm", "cache", "identity")
"""The settings that fit any model."""


class Settings(TypedDict, total=False):
    """How a model is asked; what is left out or None is the default."""

    base_url: str | None
    """The address of the API, where it is not the provider's own."""
    api_key: str | None
    """The key; litellm reads the provider's environment variable without it."""
    temperature: float | None
    max_tokens: int | None
    """The most tokens of one answer."""
    seed: int | None
    structured: bool | None
    """Whether the model can be held to a JSON Schema; None: what litellm knows of it."""
    timeout: float | None
    """Seconds for one request; 60 without it."""
    options: Mapping[str, object] | None
    """What else `litellm.completion` takes."""
    retries: int | None
    """Tries after the first; 2 for a name, none for a model object."""
    max_concurrency: int | None
    """Calls at once."""
    rpm: int | None
    """Requests in any minute."""
    tpm: int | None
    """Tokens in any minute, in and out."""
    cache: str | Path | None
    """A SQLite file that keeps answers."""
    identity: Mapping[str, object] | None
    """What the kept answers depend on beside the question, for a model that does not say it."""


def as_model(model: str | Model, **settings: Unpack[Settings]) -> Model:
    """Return the litellm model of that name, or `model` itself, with retries, limits and cache.

    An object whose `complete` takes no `schema` is returned in one that ignores it.

    Args:
        model: a name, such as `openai/gpt-4o-mini`, or a model.
        settings: see `Settings`; the ones of a request, such as `temperature`, need a name.

    Raises:
        ExtraNotInstalled: a name, and litellm is missing.
        UnknownModel: no provider knows the name.
        InvalidValue: no model, or a setting that there is not or that does not fit.
    """
    _check_settings(settings)
    if isinstance(model, str):
        check_model(model)
        return _wrapped(_named(model, settings), settings, retries=2)
    _check_object(model)
    misplaced = [k for k, v in settings.items() if v is not None and k not in _WRAPPED]
    if misplaced:
        raise InvalidValue(
            f"{', '.join(misplaced)}: these settings go with the name of a model; "
            f"{model.name!r} is an object already and has its own"
        )
    return _wrapped(structured(model), settings, retries=0)


def _check_settings(settings: Settings) -> None:
    known = list(Settings.__annotations__)
    for name in settings:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise InvalidValue(
                f"{name!r} is no setting of a model; "
                + (f"did you mean {near[0]}=? " if near else "")
                + f"There are {', '.join(known)}; what else litellm takes goes into options="
            )
    if settings.get("identity") is not None and settings.get("cache") is None:
        raise InvalidValue("identity= is for a cache; give cache= too, or leave it out")


def _check_object(model: object) -> None:
    if isinstance(model, type) or not callable(getattr(model, "complete", None)):
        found = f"the class {model.__name__}" if isinstance(model, type) else repr(model)
        raise InvalidValue(
            f"{found} is no model; give a name, such as 'openai/gpt-4o-mini', or an object with a "
            "name and an async complete(messages)"
        )


def _named(name: str, settings: Settings) -> LiteLLM:
    more = dict(settings.get("options") or {})
    for key in ("temperature", "max_tokens", "seed"):
        more[key] = settings.get(key)
    return LiteLLM(
        name,
        base_url=settings.get("base_url"),
        api_key=settings.get("api_key"),
        timeout=settings.get("timeout") or 60.0,
        structured=settings.get("structured"),
        **more,
    )


def _wrapped(model: Model, settings: Settings, retries: int) -> Model:
    most, rpm, tpm = settings.get("max_concurrency"), settings.get("rpm"), settings.get("tpm")
    if (most, rpm, tpm) != (None, None, None):
        model = Limited(model, max_concurrency=most, rpm=rpm, tpm=tpm)
    asked = settings.get("retries")
    again = retries if asked is None else asked
    if again:
        model = Retrying(model, Backoff(again))
    cache = settings.get("cache")
    return model if cache is None else Cached(model, cache, identity=settings.get("identity"))

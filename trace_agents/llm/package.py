"""The litellm package: loaded at the first call, kept offline and quiet."""

from __future__ import annotations

import importlib
import os
from typing import Any, cast

from trace_agents.errors import ExtraNotInstalled, UnknownModel


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


def check_model(name: str) -> None:
    """Make sure that a provider is known for the name, without calling it.

    Raises:
        ExtraNotInstalled: litellm is missing.
        UnknownModel: no provider knows the name.
    """
    litellm = load_litellm()
    try:
        litellm.get_llm_provider(name)
    except litellm.exceptions.BadRequestError as error:
        raise UnknownModel(
            f"no provider is known for the model {name!r}; write it as provider/model, for "
            "example 'openai/gpt-4o-mini', or 'openai/<name>' with base_url for a server of your "
            "own"
        ) from error


def price(litellm: Any, name: str, answer: Any) -> float:
    """Return what a call cost in US dollars; 0 where the price is not known."""
    try:
        return float(cast("float", litellm.completion_cost(completion_response=answer, model=name)))
    except Exception:  # noqa: BLE001 - a model without a known price raises several kinds
        return 0.0

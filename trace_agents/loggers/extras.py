"""Packages that extras bring."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from trace_agents.errors import ExtraNotInstalled


def optional(module: str, extra: str) -> Any:
    """Return a module that an extra brings.

    Raises:
        ExtraNotInstalled: it is missing.
    """
    try:
        return import_module(module)
    except ImportError:
        raise ExtraNotInstalled(module.partition(".")[0], extra) from None

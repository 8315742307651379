"""A learnt class as plain Python source, without this library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trace_agents.tracing.parameters import ParameterNode


def export_source(owner: type, parameters: Mapping[str, ParameterNode]) -> str:
    """Placeholder replaced below."""
    raise NotImplementedError

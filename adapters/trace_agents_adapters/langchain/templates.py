"""The boundary of prompt templates: what each was filled with is remembered for the model call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import cast

from langchain_core.prompts.prompt import PromptTemplate

from trace_agents.tracing.context import current_trace
from trace_agents_adapters.boundary import intercepted
from trace_agents_adapters.langchain.scope import current_run
from trace_agents_adapters.patches import Method


def remembering(original: Method) -> Method:
    """Return what wraps `PromptTemplate.format`: the text that it makes stays what it was."""
    fill = cast("Callable[..., str]", original)

    @wraps(fill)
    def bound(self: PromptTemplate, **given: object) -> str:
        run = current_run()
        if run is None or current_trace() is None or intercepted() is not None:
            return fill(self, **given)
        fields = {**_partials(self), **given}
        text = fill(self, **fields)
        run.remember(text, self.template, fields)
        return text

    return bound


def _partials(template: PromptTemplate) -> dict[str, object]:
    """Return what is filled in already; functions are called once, so that both see one value."""
    known = cast("Mapping[str, object]", template.partial_variables)
    return {name: value() if callable(value) else value for name, value in known.items()}

"""The boundary of prompt templates: what each was filled with is remembered for the model call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial, wraps
from typing import TypeAlias, cast

from langchain_core.prompts import FewShotPromptTemplate
from langchain_core.prompts.prompt import PromptTemplate

from trace_agents.tracing.context import current_trace
from trace_agents_adapters.boundary import intercepted
from trace_agents_adapters.langchain import examples
from trace_agents_adapters.langchain.scope import Run, current_run
from trace_agents_adapters.langchain.syntaxes import Plain, plain
from trace_agents_adapters.langchain.watching import Watch
from trace_agents_adapters.patches import Method

Template: TypeAlias = PromptTemplate | FewShotPromptTemplate
Listener: TypeAlias = Callable[[Template, str, Mapping[str, object]], None]


def remembering(original: Method) -> Method:
    """Return what wraps a template's `format`: the text that it makes stays what it was."""
    fill = cast("Callable[..., str]", original)

    @wraps(fill)
    def bound(self: Template, **given: object) -> str:
        note = _listener()
        if note is None:
            return fill(self, **given)
        fields = {**_partials(self), **given}
        text = fill(self, **fields)
        note(self, text, fields)
        return text

    return bound


def aremembering(original: Method) -> Method:
    """Return what wraps a template's `aformat`."""
    fill = cast("Callable[..., Awaitable[str]]", original)

    @wraps(fill)
    async def bound(self: Template, **given: object) -> str:
        note = _listener()
        if note is None:
            return await fill(self, **given)
        fields = {**_partials(self), **given}
        text = await fill(self, **fields)
        note(self, text, fields)
        return text

    return bound


def _listener() -> Listener | None:
    """Return who wants to know what templates make: a probe, or the run of an episode."""
    probe = intercepted()
    if probe is not None:
        return partial(_seen, probe) if isinstance(probe, Watch) else None
    run = None if current_trace() is None else current_run()
    return None if run is None else partial(_remember, run)


def _seen(watch: Watch, prompt: Template, text: str, given: Mapping[str, object]) -> None:
    known = plain_of(prompt)
    if known is not None and known.fields:
        watch.made[text] = known


def _remember(run: Run, prompt: Template, text: str, given: Mapping[str, object]) -> None:
    known = plain_of(prompt)
    if known is None:
        return
    if isinstance(prompt, FewShotPromptTemplate):
        filling = examples.filling(prompt, known, given, text)
    else:
        filling = known.filling(given)
    if filling is not None:
        run.remember(text, known.text, filling)


def plain_of(prompt: Template) -> Plain | None:
    """Return a template as text with fields; None where it cannot be told apart."""
    if isinstance(prompt, FewShotPromptTemplate):
        return examples.few_shot(prompt)
    return plain(prompt.template, prompt.template_format)


def _partials(template: Template) -> dict[str, object]:
    """Return what is filled in already; functions are called once, so that both see one value."""
    known = cast("Mapping[str, object]", template.partial_variables)
    return {name: value() if callable(value) else value for name, value in known.items()}

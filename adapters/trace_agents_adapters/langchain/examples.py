"""Templates with examples: what stands before and after them is text, they are one field of it."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_core.prompts import FewShotPromptTemplate
from langchain_core.prompts.string import DEFAULT_FORMATTER_MAPPING

from trace_agents_adapters.langchain.syntaxes import Plain, escaped, plain

FIELD = "examples"
"""The field that stands for all examples."""


def few_shot(prompt: FewShotPromptTemplate) -> Plain | None:
    """Return a template with examples as one text; None where it cannot be told apart."""
    around = [plain(text, prompt.template_format) for text in (prompt.prefix, prompt.suffix)]
    before, after = around
    if before is None or after is None or FIELD in (*before.fields, *after.fields):
        return None
    texts = [each for each in (before.text, "{" + FIELD + "}", after.text) if each]
    parts = {**before.parts, **after.parts}
    return Plain(escaped(prompt.example_separator).join(texts), before.syntax, parts)


def filling(
    prompt: FewShotPromptTemplate, known: Plain, given: Mapping[str, object], made: str
) -> dict[str, object] | None:
    """Return what the fields of a template with examples were filled with when it made a text."""
    fill = DEFAULT_FORMATTER_MAPPING[prompt.template_format]
    before, after = fill(prompt.prefix, **given), fill(prompt.suffix, **given)
    head = before + prompt.example_separator if prompt.prefix else ""
    tail = prompt.example_separator + after if prompt.suffix else ""
    if not (made.startswith(head) and made.endswith(tail)):
        return None
    examples = made[len(head) : len(made) - len(tail)]
    return {**known.filling(given), FIELD: examples}

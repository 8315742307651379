"""The forms of an answer: what a prompt shows of it, and how a reply is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from trace_agents.errors import InvalidValue
from trace_agents.graph import Parameters, Values
from trace_agents.optimizers.jsonreplies import CHANGES, json_schema, parse_json_reply
from trace_agents.optimizers.reading import Parsed
from trace_agents.optimizers.replies import parse_reply

FormName: TypeAlias = Literal["tagged", "json"]

_TAGGED = """\
Answer in exactly this form; repeat the variable block for every variable that changes:

<reasoning>
why
</reasoning>
<variable>
<name>the variable's name</name>
<value>
the whole new value
</value>
</variable>
"""
_JSON = f"""\
Answer with one JSON object of exactly this form and nothing beside it; under "{CHANGES}" give
every variable that changes, each with its whole new value:

{{"reasoning": "why", "{CHANGES}": {{"the variable's name": "the whole new value"}}}}
"""


@dataclass(frozen=True, slots=True)
class Form:
    """One form of an answer."""

    words: str
    """What a prompt says of it."""
    parse: Callable[[str, Parameters, Values], Parsed]
    """Reads a reply; never raises for what a model wrote."""
    schema: Callable[[Parameters], Mapping[str, object]] | None = None
    """The JSON Schema of an answer, for models that can be held to one."""


_FORMS: Mapping[str, Form] = {
    "tagged": Form(_TAGGED, parse_reply),
    "json": Form(_JSON, parse_json_reply, json_schema),
}


def form_of(name: FormName) -> Form:
    """Return the form of that name.

    Raises:
        InvalidValue: there is no such form.
    """
    if name not in _FORMS:
        raise InvalidValue(f"no form of an answer is named {name!r}; use {' or '.join(_FORMS)}")
    return _FORMS[name]

"""Calls: what one span tells, whatever the vocabulary in which it was written."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trace_agents.graph import Kind
from trace_agents_adapters.otel.dag.messages import Part
from trace_agents_adapters.otel.records import Link, SpanRecord


@dataclass(frozen=True, slots=True)
class Definition:
    """A tool as it was offered to a model."""

    name: str
    description: str = ""
    value: object = None


@dataclass(slots=True)  # nobody changes one; freezing 22 fields took a tenth of a conversion
class Call:
    """What one span tells. `kind` is llm_call, tool_call, message, output, agent or chain."""

    span: SpanRecord
    kind: Kind
    name: str
    agent: str | None = None
    inputs: tuple[Part, ...] = ()
    outputs: tuple[Part, ...] = ()
    call_id: str = ""
    arguments: object = None
    result: str | None = None
    failed: bool = False
    """The result of the tool call is an error."""
    definitions: tuple[Definition, ...] = ()
    description: str = ""
    """What the called tool does."""
    bound: tuple[tuple[str, object], ...] = ()
    """The parameters that were bound into the call."""
    variables: tuple[tuple[str, object], ...] = ()
    """What was filled into a prompt template."""
    template: bool = False
    """The span tells how a prompt template was filled."""
    given: object = None
    """The input of an agent, a chain or a message, as it was recorded."""
    gave: object = None
    """The output of an agent or a chain, as it was recorded."""
    output: object = None
    links: tuple[Link, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def is_structure(self) -> bool:
        """Whether the span holds other calls and is none itself."""
        return self.kind is Kind.AGENT or self.kind is Kind.CHAIN


def union(outer: Call, inner: Call) -> Call:
    """Return one call that knows what both know; where both know, the outer one is believed."""
    return replace(
        outer,
        agent=outer.agent or inner.agent,
        inputs=outer.inputs or inner.inputs,
        outputs=outer.outputs or inner.outputs,
        call_id=outer.call_id or inner.call_id,
        arguments=inner.arguments if outer.arguments is None else outer.arguments,
        result=inner.result if outer.result is None else outer.result,
        failed=outer.failed or inner.failed,
        definitions=outer.definitions or inner.definitions,
        description=outer.description or inner.description,
        bound=outer.bound or inner.bound,
        variables=outer.variables or inner.variables,
        given=inner.given if outer.given is None else outer.given,
        gave=inner.gave if outer.gave is None else outer.gave,
        links=(*outer.links, *(link for link in inner.links if link not in outer.links)),
        problems=outer.problems + inner.problems,
    )

"""A malformed reply changes nothing: values are read by type, asked for once more, then dropped."""

from __future__ import annotations

import math

import anyio
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from tests.properties.plans import SPACE
from trace_agents.errors import InvalidValue
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Parameters
from trace_agents.optimizers import OptoPrime, Proposal, replies
from trace_agents.optimizers.reading import Parsed, Written
from trace_agents.testing import ScriptedModel

WRITTEN = (
    "42",
    "7.0",
    "20+22",
    "fast",
    "1e9",
    "-3",
    "nan",
    "",
    "bold",
    "'bo' + 'ld'",
    "loud",
    "[1]",
    "__import__('os').getpid()",
    "</value>",
    "<value>42",
)
"""What a model may write as a value."""
names = st.sampled_from(("dial", "mode", "fixed", "nobody", "Dial", ""))
blocks = st.builds(
    "<variable>\n<name>{}</name>\n<value>\n{}\n</value>\n</variable>".format,
    names,
    st.sampled_from(WRITTEN),
)
noise = st.sampled_from(("I refuse.", "<reasoning>", "```"))


def cut_off(parts: list[str], end: int) -> str:
    return "\n".join(parts)[: end or None]


texts = st.builds(
    cut_off, st.lists(st.one_of(blocks, blocks, noise), max_size=4), st.integers(-20, 0)
)
conversations = st.lists(texts, min_size=4, max_size=4)
calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def answered(written: list[str]) -> tuple[Proposal, int]:
    """Return the proposal of an optimizer whose model answers so, and how often it was asked."""
    model = ScriptedModel(written)
    optimizer = OptoPrime(SPACE, llm=model)
    nodes = [GraphNode(f"p:{n}", Kind.PARAMETER, n, SPACE[n].value) for n in SPACE]
    out = GraphNode("out", Kind.OUTPUT, "out", 0)
    graph = Graph((*nodes, out), tuple(Edge(node.id, "out") for node in nodes))
    optimizer.backward(graph, "score 0.1: turn up")
    return anyio.run(optimizer.propose), len(model.prompts)


def sound(proposal: Proposal, asked: int, written: list[str]) -> bool:
    """Tell whether nothing was taken but typed values that stand in the reply as they are."""
    if asked > 2:
        return False
    for name, value in proposal.changes.items():
        try:
            fits = not SPACE[name].frozen and SPACE[name].type.check(value) == value
        except InvalidValue:
            return False
        said = [line.strip() for text in written[:asked] for line in text.splitlines()]
        if not fits or not any(_says(line, value) for line in said):
            return False
    return True


def _says(line: str, value: object) -> bool:
    try:
        return line == value or (math.isfinite(float(line)) and float(line) == value)
    except ValueError:
        return False


@settings(calmly, max_examples=150)
@given(conversations)
def test_only_typed_values_are_taken_from_a_reply(written: list[str]) -> None:
    """Whatever the model writes, nothing else happens, and it is asked twice at most."""
    assert sound(*answered(written), written)


def evaluated(written: Written, parameters: Parameters, _current: object) -> Parsed:
    """Take what a value comes to as Python: broken on purpose."""
    changes: dict[str, object] = {}
    for name, values in written.values.items():
        if name in parameters.trainable:
            try:
                changes[name] = eval(str(values[-1]), {"__builtins__": {}})
            except Exception:  # noqa: BLE001 - as such parsers do
                continue
    return Parsed(changes, written.reasoning)


def test_a_parser_that_evaluates_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The property refutes it."""
    monkeypatch.setattr(replies, "typed", evaluated)
    searching = settings(calmly, phases=[Phase.generate], database=None, derandomize=True)
    written = find(conversations, lambda w: not sound(*answered(w), w), settings=searching)
    monkeypatch.undo()
    assert sound(*answered(written), written)

"""The text of a subgraph: readable, within its budget, linear."""

from __future__ import annotations

import pytest

from trace_agents.graph import Choice, Edge, Graph, GraphNode, Kind, Parameter, Parameters, Reason
from trace_agents.propagate import TraceGraph, backward
from trace_agents.render import to_prompt


def episode(name: str, said: str, *, calls: int = 2, size: int = 20) -> TraceGraph:
    """A parameter, a tool's answer, and a chain of model calls."""
    nodes = [
        GraphNode("p", Kind.PARAMETER, "alice.system_message", "Help."),
        GraphNode("f", Kind.PARAMETER, "bob.style", "plain"),
        GraphNode("tool", Kind.TOOL_CALL, "look", "t" * size, "alice", "Look around."),
    ]
    edges: list[Edge] = []
    for index in range(calls):
        key = f"c{index}"
        nodes.append(GraphNode(key, Kind.LLM_CALL, "llm_call", f"{index}:" + "v" * size, "alice"))
        before = f"c{index - 1}" if index else "tool"
        edges += [
            Edge("p", key, Reason.PARAMETER, "system"),
            Edge("f", key, Reason.PARAMETER),
            Edge(before, key, Reason.MESSAGE_ID),
        ]
    return backward(Graph(tuple(nodes), tuple(edges), name), said)


PARAMETERS = Parameters(
    [
        Parameter("alice.system_message", "Help.", description="Who alice is."),
        Parameter("bob.style", "plain", Choice(("plain", "odd")), frozen=True),
    ]
)


def test_every_section_says_its_part() -> None:
    """Code, values, variables with their constraints, and feedback, under short names."""
    text = str(to_prompt(episode("ep7", "score 0.5: slow"), parameters=PARAMETERS))
    assert text.splitlines()[:4] == [
        "#Code",
        "# episode ep7",
        "llm_call1 = alice.llm_call(system=alice.system_message, tool_call1)",
        "llm_call2 = alice.llm_call(system=alice.system_message, llm_call1)",
    ]
    assert "#Documentation\n[alice.look] Look around." in text
    assert '<variable name="alice.system_message">\n<value>\nHelp.\n</value>' in text
    assert "<constraint>any text</constraint>\n<description>Who alice is.</description>" in text
    assert "#Inputs\nbob.style = plain\ntool_call1 = tttt" in text
    assert "#Others\nllm_call1 = 0:vv" in text
    assert "#Outputs\nllm_call2 = 1:vv" in text
    assert text.endswith("#Feedback\n[episode ep7, llm_call2] score 0.5: slow")


def test_current_values_take_the_place_of_recorded_ones() -> None:
    """An optimizer edits what is live, not what an older episode saw."""
    shown = to_prompt(episode("e", "x"), parameters=PARAMETERS, values={"bob.style": "odd"})
    assert "Help." in shown.variables
    assert "bob.style" not in shown.variables
    newer = to_prompt(episode("e", "x"), values={"alice.system_message": "Newer."})
    assert "Newer." in newer.variables


def test_episodes_stay_apart() -> None:
    """Merged episodes have headings, own names, and feedback that names them."""
    merged = episode("ep1", "score 1: good").merge(episode("ep2", "score 0: bad"))
    shown = to_prompt(merged)
    assert shown.code.count("# episode ") == 2
    assert "[episode ep1, llm_call2] score 1: good" in shown.feedback
    assert "[episode ep2, llm_call4] score 0: bad" in shown.feedback
    assert shown.variables.count('<variable name="alice.system_message">') == 1


@pytest.mark.parametrize("budget", [1_500, 4_000, 20_000])
@pytest.mark.parametrize(
    ("episodes", "calls", "size"), [(1, 3, 100_000), (1, 3_000, 10), (40, 10, 300), (500, 2, 50)]
)
def test_the_budget_holds(budget: int, episodes: int, calls: int, size: int) -> None:
    """Whatever the shape, all but the variables fits."""
    parts = [
        episode(f"ep{i}", f"score {i}: {'w' * size}", calls=calls, size=size)
        for i in range(episodes)
    ]
    shown = to_prompt(TraceGraph().merge(*parts), parameters=PARAMETERS, budget=budget)
    assert len(str(shown)) - len(shown.variables) <= budget
    assert shown.feedback
    assert shown.code


def test_good_and_repeated_episodes_go_first() -> None:
    """The worst stays, one good example stays, successes and repetitions leave."""
    verdicts = {"bad": "score 0: lost", "again": "score 0: lost", "poor": "score 1: late"}
    verdicts |= {"fine": "score 8: fine", "best": "score 9: best"}
    parts = [episode(name, said, calls=8, size=200) for name, said in verdicts.items()]
    shown = to_prompt(TraceGraph().merge(*parts), budget=6_500)
    assert "bad" not in shown.left_out
    assert "best" not in shown.left_out
    assert "again" in shown.left_out


def test_long_values_keep_both_ends() -> None:
    """The middle of a value is what is least missed."""
    graph = Graph(
        (
            GraphNode("p", Kind.PARAMETER, "p", "x"),
            GraphNode("c", Kind.OPERATION, "op", "start" + "-" * 9_000 + "end"),
        ),
        (Edge("p", "c"),),
    )
    shown = to_prompt(backward(graph, "hm"))
    assert shown.outputs.startswith("op1 = start--")
    assert shown.outputs.endswith("--end")
    assert "characters left out" in shown.outputs


def test_failed_operations_say_so() -> None:
    """An error stands in the line of its operation."""
    graph = Graph(
        (
            GraphNode("p", Kind.PARAMETER, "p", "x"),
            GraphNode("c", Kind.EXCEPTION, "op", "ValueError: no", error="ValueError: no"),
        ),
        (Edge("p", "c", label="x"),),
    )
    code = to_prompt(backward(graph, "fix it")).code
    assert code == "exception1 = op(x=p)  # failed: ValueError: no"


def test_nothing_renders_to_nothing() -> None:
    """An empty subgraph is an empty text."""
    assert str(to_prompt(TraceGraph())) == ""

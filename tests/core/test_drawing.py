"""Graphs as pseudo-code and as drawings: everything that matters, readable at any size."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_agents.drawing import collapse, draw, to_code, to_dot, to_mermaid
from trace_agents.errors import InvalidValue, RendererNotFound
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Reason, topological

HAS_DOT = shutil.which("dot") is not None


def small() -> tuple[Graph, dict[str, tuple[str, ...]]]:
    """A parameter, a task, a model call, a failed tool, an answer."""
    nodes = (
        GraphNode("p", Kind.PARAMETER, "alice.system_message", 'Be "short".\n<b>&amp; C:\\new</b>'),
        GraphNode("q", Kind.INPUT, "task", "find #1"),
        GraphNode("l", Kind.LLM_CALL, "llm_call", "grab it", "alice"),
        GraphNode("t", Kind.TOOL_CALL, "grab", None, "alice", error="ValueError: no hand"),
        GraphNode("o", Kind.OUTPUT, "answer", "kitchen"),
        GraphNode("a", Kind.AGENT, "alice"),
    )
    edges = (
        Edge("p", "l", Reason.PARAMETER, "system"),
        Edge("q", "l", label="user"),
        Edge("l", "t", Reason.TOOL_CALL_ID),
        Edge("l", "o", Reason.CONTENT),
        Edge("a", "l", Reason.CONTAINMENT),
    )
    return Graph(nodes, edges, "ep1"), {"o": ("score 0.5: late",)}


def chain(length: int) -> Graph:
    """An input that `length` operations change one after another; each reads one parameter."""
    nodes = [GraphNode("w", Kind.PARAMETER, "w", 2), GraphNode("x", Kind.INPUT, "x", 1)]
    edges: list[Edge] = []
    for index in range(length):
        nodes.append(GraphNode(f"c{index}", Kind.OPERATION, f"{('add', 'mul')[index % 2]}{index}"))
        edges.append(Edge(f"c{index - 1}" if index else "x", f"c{index}"))
        edges.append(Edge("w", f"c{index}", Reason.PARAMETER))
    return Graph(tuple(nodes), tuple(edges))


def fan(width: int) -> Graph:
    """A call of one tool for each of `width` items, and the sum of what they gave."""
    nodes = [GraphNode("x", Kind.INPUT, "x", 1)]
    nodes += [GraphNode(f"t{i}", Kind.TOOL_CALL, "look", i, "bob") for i in range(width)]
    nodes.append(GraphNode("sum", Kind.OPERATION, "sum", 3))
    edges = [Edge("x", f"t{i}") for i in range(width)]
    return Graph(tuple(nodes), (*edges, *(Edge(f"t{i}", "sum") for i in range(width))))


def mesh(size: int) -> Graph:
    """A graph in which nothing repeats: each node reads the last one and one from far back."""
    nodes = tuple(GraphNode(str(i), Kind.OPERATION, f"op_{i}_x", i) for i in range(size))
    edges = [Edge(str(i - 1), str(i)) for i in range(1, size)]
    return Graph(nodes, (*edges, *(Edge(str(i // 2), str(i), label="far") for i in range(4, size))))


def team(rounds: int) -> Graph:
    """Episodes in which two agents answer each other, both with all that was said."""
    nodes = [GraphNode("p", Kind.PARAMETER, "p", "help")]
    edges: list[Edge] = []
    for episode in range(rounds):
        said: list[str] = []
        for index, agent in enumerate(("alice", "bob") * 4):
            key = f"ep{episode}/{index}"
            nodes.append(GraphNode(key, Kind.LLM_CALL, "llm_call", "hm", agent))
            edges += [Edge("p", key, Reason.PARAMETER), *(Edge(s, key) for s in said)]
            said.append(key)
    return Graph(tuple(nodes), tuple(edges))


def test_code_has_one_line_for_each_operation() -> None:
    """Assignments, calls, failures and feedback stand in an order in which they could run."""
    assert to_code(*small()).splitlines() == [
        "# episode ep1",
        'alice.system_message = "Be \\"short\\".\\n<b>&amp; C:\\\\new</b>"  # parameter',
        'task = "find #1"',
        "llm_call = alice.llm_call(system=alice.system_message, user=task)",
        "grab = alice.grab(llm_call)  # failed: ValueError: no hand",
        "answer = answer(llm_call)",
        "# feedback: score 0.5: late",
    ]


def test_code_numbers_names_that_are_not_unique() -> None:
    """Two nodes of one name stay apart, also from a node that has the numbered name."""
    names = ("look", "look", "look1")
    nodes = tuple(GraphNode(str(i), Kind.INPUT, name, i) for i, name in enumerate(names))
    assert to_code(Graph(nodes)).splitlines() == ["look2 = 0", "look3 = 1", "look1 = 2"]


def test_long_code_says_what_it_leaves_out() -> None:
    """The ends stay, and a comment counts each gap."""
    lines = to_code(chain(500), {"c499": ("too big",)}, limit=20).splitlines()
    assert lines[0] == "w = 2  # parameter"
    assert lines[-2:] == ["mul499 = mul(add498, w)", "# feedback: too big"]
    gaps = [int(line.split()[2]) for line in lines if line.startswith("# …")]
    assert sum(gaps) == 502 - 20


def test_dot_shows_kinds_reasons_errors_and_feedback() -> None:
    """Each has its own look, and text is escaped."""
    source = to_dot(*small(), title='the "run"')
    assert 'label="the \\"run\\""' in source
    assert 'Be \\"short\\". <b>&amp;amp; C:\\\\new</b>' in source
    assert "n5 -> n2 [style=dotted" in source
    assert 'n0 -> n2 [label="system"' in source
    failed = next(line for line in source.splitlines() if line.startswith("    n3 ["))
    assert "failed: ValueError: no hand" in failed
    assert "#c00000" in failed
    assert 'f0 [label="feedback: score 0.5: late", shape=note' in source
    assert "n4 -> f0" in source


def test_mermaid_shows_the_same() -> None:
    """Nothing in a label is read as markup."""
    lines = to_mermaid(*small()).splitlines()
    assert lines[:3] == [
        "flowchart TD",
        '    n0(["alice.system#95;message<br/>(parameter)<br/>'
        'Be #34;short#34;. #60;b#62;#38;amp; C:#92;new#60;/b#62;"]):::parameter',
        '    n1[/"task<br/>(input)<br/>find #35;1"/]:::input',
    ]
    assert '    n0 -->|"system"| n2' in lines
    assert "    n5 -.-> n2" in lines
    assert '    f0>"feedback: score 0.5: late"]:::feedback' in lines
    assert "    n4 -.- f0" in lines


@given(st.text())
def test_no_text_leaves_its_label(text: str) -> None:
    """Whatever a value holds, it is one line, between its quotes."""
    graph = Graph((GraphNode("n", Kind.INPUT, "n", text),))
    plain = Graph((GraphNode("n", Kind.INPUT, "n", "plain"),))
    for write in (to_dot, to_mermaid):
        assert len(write(graph).splitlines()) == len(write(plain).splitlines())
    box = next(line for line in to_dot(graph).splitlines() if line.startswith("    n0 ["))
    label = re.fullmatch(r' *n0 \[label="(?:[^"\\]|\\.)*", (.*)\];', box)
    assert label
    assert label[1] in to_dot(plain)


def test_the_same_graph_gives_the_same_drawing() -> None:
    """No order of a set shows."""
    assert draw(team(60), limit=50) == draw(team(60), limit=50)


def test_a_graph_that_fits_stays_as_it_is() -> None:
    """Nothing is merged without need."""
    assert collapse(chain(50)).graph == chain(50)


def test_chains_and_siblings_become_one_node() -> None:
    """The name says what and how many."""
    chained = collapse(chain(1_000))
    assert [node.name for node in chained.graph.nodes] == [
        "w",
        "x",
        "add, mul (\N{MULTIPLICATION SIGN}1000)",
    ]
    assert list(chained.counts.values()) == [1_000]
    fanned = collapse(fan(1_000))
    assert [node.name for node in fanned.graph.nodes] == [
        "x",
        "look \N{MULTIPLICATION SIGN}1000",
        "sum",
    ]
    assert "bob.look \N{MULTIPLICATION SIGN}1000" in to_dot(fan(1_000))


def test_a_parameter_that_many_read_is_named_by_its_readers() -> None:
    """A hundred arrows from one node cover a picture, and take graphviz minutes."""
    source = to_dot(chain(98))
    assert "read by 98 nodes" in source
    assert source.count("reads w") == 98
    assert source.count("->") == 98
    assert to_dot(chain(5)).count("->") == 10


def test_agents_and_episodes_become_one_node_each() -> None:
    """What many episodes did alike stands for all of them."""
    drawn = collapse(team(200), keep=["ep7/7"])
    assert "ep7/7" in drawn.graph.by_id
    assert sum(drawn.counts.get(node.id, 1) for node in drawn.graph.nodes) == 200 * 8 + 1
    assert any("alice, bob: llm_call" in node.name for node in drawn.graph.nodes)


def test_parameters_errors_and_feedback_are_never_merged() -> None:
    """Those in the middle of a chain part it."""
    graph = chain(1_000)
    nodes = [*graph.nodes]
    nodes[302] = GraphNode("c300", Kind.EXCEPTION, "add", "E", error="E: no")
    drawn = collapse(Graph(tuple(nodes), graph.edges), keep=["c600"])
    assert {"w", "c300", "c600"} <= set(drawn.graph.by_id) - set(drawn.counts)
    assert sorted(drawn.counts.values()) == [299, 300, 399]


def test_what_cannot_be_merged_is_counted() -> None:
    """The nodes near the feedback stay."""
    graph = mesh(3_000)
    drawn = collapse(graph, 100, keep=["2999"])
    shown = len(drawn.graph.nodes)
    merged = sum(drawn.counts.values()) - len(drawn.counts)
    assert shown == 100
    assert drawn.hidden > 0
    assert shown + drawn.hidden + merged <= 3_000
    assert {"2999", "2998", "1499"} <= set(drawn.graph.by_id)
    assert f"… {drawn.hidden} more nodes not shown" in to_dot(graph, {"2999": ("x",)}, limit=100)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=90),
    st.integers(1, 41),
    st.booleans(),
)
def test_a_collapsed_graph_is_a_dag_that_fits(
    pairs: list[tuple[int, int]], limit: int, owned: bool
) -> None:
    """Merging makes no cycle and no loose edge, and the limit holds."""
    kinds = (Kind.OPERATION, Kind.LLM_CALL)
    agents = ("alice", "bob", None) if owned else (None,)
    nodes = tuple(
        GraphNode(f"e{i % 2}/{i}", kinds[i % 2], "op", i, agents[i % len(agents)])
        for i in range(41)
    )
    edges = {Edge(nodes[min(p)].id, nodes[max(p)].id) for p in pairs if p[0] != p[1]}
    drawn = collapse(Graph(nodes, tuple(sorted(edges, key=repr))), limit).graph
    assert len(drawn.nodes) <= limit
    place = {node: index for index, node in enumerate(topological(drawn))}
    assert all(place[edge.source] < place[edge.target] for edge in drawn.edges)


LARGE: dict[str, Callable[[int], Graph]] = {
    "chain": chain,
    "fan": fan,
    "mesh": mesh,
    "team": lambda size: team(size // 8),
}


@pytest.mark.parametrize("shape", LARGE)
@pytest.mark.parametrize("size", [1_000, 100_000])
def test_large_graphs_fit_and_need_no_recursion(shape: str, size: int) -> None:
    """However large, what is drawn has at most two hundred nodes."""
    assert len(collapse(LARGE[shape](size)).graph.nodes) <= 200


def test_a_chart_is_one_that_mermaid_draws() -> None:
    """Mermaid takes 500 edges and 50,000 characters."""
    nodes = tuple(GraphNode(str(i), Kind.INPUT, f"n{i}x", '"' * 300) for i in range(200))
    edges = tuple(Edge(str(i), str(j)) for i in range(200) for j in range(i + 1, 200))
    text = to_mermaid(Graph(nodes, edges))
    assert len(text) <= 50_000
    assert sum("-->" in line for line in text.splitlines()) <= 500
    assert "more edges not shown" in text


def test_the_texts_are_saved_without_graphviz(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures need it, and the error says what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    drawing = draw(*small())
    assert drawing.save(tmp_path / "run.dot").read_text(encoding="utf-8") == drawing.source
    assert drawing.save(tmp_path / "run.mmd").read_text(encoding="utf-8") == drawing.mermaid
    with pytest.raises(RendererNotFound, match=r"install graphviz .* or use the drawing's"):
        drawing.save(tmp_path / "run.svg")
    with pytest.raises(InvalidValue, match=r"'run\.xyz'; end the name in"):
        drawing.save(tmp_path / "run.xyz")
    assert not (tmp_path / "run.svg").exists()


def test_a_notebook_shows_a_drawing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without graphviz it is the Mermaid text in a fence."""
    monkeypatch.setenv("PATH", str(tmp_path))
    drawing = draw(*small())
    assert drawing._repr_svg_() is None  # pyright: ignore[reportPrivateUsage]
    fenced = drawing._repr_markdown_()  # pyright: ignore[reportPrivateUsage]
    assert fenced == f"```mermaid\n{drawing.mermaid}```\n"


@pytest.mark.skipif(not HAS_DOT, reason="graphviz is not installed")
@pytest.mark.parametrize("graph", [small()[0], chain(98), team(125), fan(60), mesh(1_000)])
def test_graphviz_draws_graphs_of_every_size(graph: Graph, tmp_path: Path) -> None:
    """A picture that is no wider than a reader can scroll."""
    drawing = draw(graph, title="a run")
    assert "<svg" in drawing.svg()
    assert drawing.save(tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(not HAS_DOT, reason="graphviz is not installed")
def test_graphviz_shows_text_as_it_is() -> None:
    """Quotes, backslashes, entities and control characters come through."""
    said = 'a "b" \\n \\l <i> &lt; \x00 \ud800 é'
    svg = draw(Graph((GraphNode("n", Kind.INPUT, "n", said),))).svg()
    assert "&quot;b&quot; \\n \\l &lt;i&gt; &amp;lt; � � é" in svg.replace("&#160;", " ")

"""How the fuzz tests break an export request, and what holds of whatever comes out."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from graphlib import TopologicalSorter
from types import FrameType
from typing import TypeAlias, cast

import pytest

from trace_agents.graph import Graph
from trace_agents.serialize import dump_graph
from trace_agents_adapters.otel import SpanRecord, spans_to_graphs

Json: TypeAlias = dict[str, object]
Tree: TypeAlias = "Json | list[object]"


def deep(depth: int, *, inside: object = "x", value: bool = False) -> object:
    """Return lists in lists, as plain data or as the wrapped values of OTLP."""
    for _ in range(depth):
        inside = {"arrayValue": {"values": [inside]}} if value else [inside]
    return inside


WRONG: tuple[object, ...] = (  # pyright: ignore[reportUnknownVariableType]  # of any type
    None,
    True,
    -1,
    0,
    2**70,
    -(2**70),
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "x",
    "-7",
    "1e9",
    "\ud800",
    "\0\u2028",
    "[",
    "{}",
    '{"a": [1, {"b": "',
    [],
    {},
    [None],
    [[]],
    {"a": None},
    {"": {}},
    [{"key": 1, "value": 2}],
    {"stringValue": 1},
    {"intValue": "x"},
    {"arrayValue": {"values": {"a": 1}}},
    {"kvlistValue": {"values": [{"key": "a"}]}},
    {"bytesValue": "!"},
    {"type": "text", "content": [1]},
    {"role": 1, "parts": [{"type": "tool_call", "arguments": "{", "id": []}]},
    [["user", "hello"], ["ai", None]],
    deep(50),
    deep(900),
    deep(120, inside={"stringValue": "x"}, value=True),
)
"""Values that belong nowhere in particular."""


def places(tree: object) -> Iterator[tuple[Tree, str | int]]:
    """Yield every place of a tree: its holder, and the key or the number in it."""
    waiting: list[object] = [tree]
    for holder in waiting:  # grows while it is walked
        inner: list[tuple[str | int, object]] = []
        if isinstance(holder, dict):
            inner = list(cast("dict[str | int, object]", holder).items())
        elif isinstance(holder, list):
            inner = list(enumerate(cast("list[object]", holder)))
        for key, value in inner:
            yield cast("Tree", holder), key
            waiting.append(value)


def spans_in(request: object) -> list[Json]:
    """Return the objects of a request that stand for spans."""
    return [
        cast("Json", value)
        for holder, key in places(request)
        if isinstance(value := cast("Json", holder)[cast("str", key)], dict)
        and {"spanId", "startTimeUnixNano"} <= value.keys()  # links have no times
    ]


def anywhere(tree: Tree, dice: random.Random) -> None:
    """Change one place of a tree, or of the JSON text that stands there."""
    holder, key = dice.choice(list(places(tree)) or [([None], 0)])
    held = cast("Json", holder)
    value = held[cast("str", key)]
    if isinstance(value, str) and value[:1] in ("[", "{") and dice.random() < 0.8:
        held[cast("str", key)] = inside_text(value, dice)
    else:
        dice.choice(CHANGES)(held, cast("str", key), dice)


def inside_text(text: str, dice: random.Random) -> str:
    try:
        inner = json.loads(text)
        if dice.random() < 0.7:
            anywhere(inner, dice)
            return json.dumps(inner)
    except (ValueError, RecursionError):
        pass
    return text[: dice.randint(0, len(text))]


def wrong(holder: Json, key: str, dice: random.Random) -> None:
    holder[key] = dice.choice(WRONG)


def remove(holder: Json, key: str, dice: random.Random) -> None:
    del holder[key]


def repeat(holder: Json, key: str, dice: random.Random) -> None:
    value = holder[key]
    holder[key] = value * 3 if isinstance(value, str | list) else [value, value]


def other(holder: Json, key: str, dice: random.Random) -> None:
    beside = [holder[cast("str", at)] for held, at in places(holder) if held is holder]
    holder[key] = dice.choice(beside or [holder])


def cut(holder: Json, key: str, dice: random.Random) -> None:
    value = holder[key]
    holder[key] = value[: len(value) // 2] if isinstance(value, str) else None


CHANGES: tuple[Callable[[Json, str, random.Random], None], ...] = (
    wrong,
    wrong,
    remove,
    repeat,
    other,
    cut,
)


def related(request: Tree, dice: random.Random) -> None:
    """Make spans each other's parents, links or doubles, and their times impossible."""
    spans = spans_in(request)
    for _ in range(dice.randint(1, 5)):
        if not spans:
            return
        one, two = dice.choice(spans), dice.choice(spans)
        match dice.randrange(6):
            case 0:
                one["parentSpanId"], two["parentSpanId"] = two["spanId"], one["spanId"]
            case 1:
                one["parentSpanId"] = one["spanId"]
            case 2:
                one["spanId"] = two["spanId"]
            case 3:
                link = {"traceId": two.get("traceId"), "spanId": two["spanId"]}
                one["links"] = [link, {"traceId": one.get("traceId"), "spanId": one["spanId"]}]
            case 4:
                one["attributes"] = two.get("attributes")
            case _:
                times = dice.choice([(0, 0), (9, 1), ("-5", "99999999999999999999"), (1, None)])
                one["startTimeUnixNano"], one["endTimeUnixNano"] = times


def broken(request: str, dice: random.Random) -> Tree:
    """Return a request with one to three things wrong in it."""
    tree = cast("Tree", json.loads(request))
    for _ in range(dice.randint(1, 3)):
        dice.choice((anywhere, anywhere, related))(tree, dice)
    return tree


def damaged(content: bytes, dice: random.Random) -> bytes:
    """Return bytes with some of them flipped, doubled, left out, or cut off."""
    changed = bytearray(content)
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(len(changed) or 1)
        match dice.randrange(5):
            case 0:
                changed[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                changed[at:at] = changed[at : at + dice.randint(1, 60)]
            case 2:
                del changed[at : at + dice.randint(1, 60)]
            case 3:
                changed[at:at] = dice.choice([b"\xff\xfe", b"\xed\xa0\x80", b"\0", b'"', b"\n"])
            case _:
                del changed[at + dice.randint(0, len(changed)) :]
    return bytes(changed)


GOOD = [
    SpanRecord("f" * 32, "f" * 15 + "1", name="run", start=1, end=99),
    SpanRecord(
        "f" * 32,
        "f" * 15 + "2",
        "f" * 15 + "1",
        "chat m",
        start=10,
        end=20,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": '[{"role": "user", "content": "The good question"}]',
            "gen_ai.output.messages": '[{"role": "assistant", "content": "The good answer"}]',
            "trace_agents.episode.id": "good",
        },
    ),
]
GOOD_GRAPH = next(graph for graph in spans_to_graphs(GOOD) if graph.episode == "good")


@contextmanager
def within(seconds: float) -> Generator[None]:
    """Fail what takes longer, instead of waiting for it."""

    def late(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"it took longer than {seconds} s", pytrace=True)

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def check(graphs: list[Graph]) -> None:
    """Assert what holds of every graph: it is a DAG of its own nodes, and can be written."""
    for graph in graphs:
        assert len(graph.by_id) == len(graph.nodes)
        order: TopologicalSorter[str] = TopologicalSorter()
        for edge in graph.edges:
            assert {edge.source, edge.target} <= graph.by_id.keys()
            order.add(edge.target, edge.source)
        order.prepare()
        assert all(problem and isinstance(problem, str) for problem in graph.problems)
        dump_graph(graph)

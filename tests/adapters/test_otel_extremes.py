"""Sizes and depths that no program writes: ten megabytes, many levels, packed bombs."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters import mutations
from tests.adapters.mutations import GOOD, GOOD_GRAPH, check, within
from trace_agents.errors import TraceFileError
from trace_agents_adapters.otel import SpanRecord, read_graphs, spans_to_graphs, to_line
from trace_agents_adapters.otel.receiving.intake import Limits, Refused, Signal, decoded
from trace_agents_adapters.otel.sources import files as trace_files
from trace_agents_adapters.otel.sources.otlp_decode import read_request
from trace_agents_adapters.otel.sources.telemetry import Telemetry

PATIENCE = 10.0
"""Seconds for one small file, where a hundredth of it is usual."""
LONG = 40.0
"""Seconds for ten megabytes, where a tenth of it is usual."""
HUGE = 10_000_000
LONG_TEXT = 2_000_000
"""Characters of what is slow to parse anywhere."""
MEGABYTE = 1 << 20


def one(**attributes: object) -> list[SpanRecord]:
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    return [SpanRecord("a" * 32, "b" * 16, name="x", start=1, end=5, attributes=named)]


def chat(said: str, answer: str = "") -> list[SpanRecord]:
    return one(
        gen_ai__operation__name="chat",
        gen_ai__input__messages=said,
        gen_ai__output__messages=answer,
    )


WORDS = "word " * (HUGE // 5)
HUGE_SPANS = {
    "words": lambda: chat(WORDS, WORDS),
    "a message cut off": lambda: chat(json.dumps([["user", WORDS]])[:-2]),
    "escaped quotes": lambda: chat('["' + '\\"' * (LONG_TEXT // 2)),
    "brackets": lambda: chat("[" * LONG_TEXT),
    "objects in objects": lambda: chat('{"a":' * (LONG_TEXT // 5)),
    "closing brackets": lambda: chat("[" + "]" * LONG_TEXT),
    "commas": lambda: chat("[" + "1," * (LONG_TEXT // 2)),
    "backslashes": lambda: chat("\\" * HUGE, "\\n" * (HUGE // 2)),
    "hyphens": lambda: chat("a-" * (LONG_TEXT // 2), "-" * LONG_TEXT),
    "a tool's arguments": lambda: one(
        gen_ai__operation__name="execute_tool",
        gen_ai__tool__call__arguments="{'a':" * (LONG_TEXT // 5),
    ),
    "numbers of messages": lambda: one(
        openinference__span__kind="LLM",
        **{f"llm__input_messages__{'9' * size}__message__content": "x" for size in (1, 9, 9999)},
    ),
    "a chain's input": lambda: one(
        traceloop__span__kind="workflow", traceloop__entity__input='{"inputs": ' + "[" * HUGE
    ),
}


@pytest.mark.parametrize("make", HUGE_SPANS.values(), ids=list(HUGE_SPANS))
def test_megabytes_of_anything_take_their_time_and_no_more(
    make: Callable[[], list[SpanRecord]],
) -> None:
    """A text that was made to be slow costs what any text of its length does."""
    records = make()
    with within(LONG):
        graphs = spans_to_graphs([*records, *GOOD])
    check(graphs)
    assert GOOD_GRAPH in graphs


@pytest.mark.parametrize("depth", [*range(100, 1000, 75), 10_000, 200_000])
def test_values_of_any_depth(depth: int) -> None:
    """Neither JSON text nor wrapped values reach the end of the stack, told once or twice."""
    lists, objects = "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth
    call = [{"type": "tool_call", "id": "1", "name": "f", "arguments": objects}]
    records = [
        *chat(json.dumps([{"role": "assistant", "parts": call}]), lists),
        *chat(json.dumps([{"role": "assistant", "parts": call}]), lists),
        *one(gen_ai__operation__name="execute_tool", gen_ai__tool__call__arguments=objects),
        *one(openinference__span__kind="CHAIN", input__value=objects, output__value=lists),
        *one(trace_agents__node__kind="output", trace_agents__output=objects),
    ]
    told = [
        SpanRecord(r.trace_id, f"{number:016x}", None, r.name, "internal", 1, 5, r.attributes)
        for number, r in enumerate(records, 1)
    ]
    with within(PATIENCE):
        check(spans_to_graphs([*told, *records]))


def test_wrapped_values_of_any_depth_are_read_or_a_problem() -> None:
    """OTLP's own nesting spoils the span that it is in, and no other."""
    for depth in range(50, 1000, 50):
        request = json.loads(to_line(GOOD))
        attribute = {"key": "deep", "value": mutations.deep(depth, inside={}, value=True)}
        mutations.spans_in(request)[0]["attributes"] = [attribute]
        told = Telemetry()
        read_request(request, told)
        assert GOOD[1] in told.spans
        assert len(told.spans) + len(told.problems) == 2


def peak(bomb: Callable[[], object]) -> float:
    """Return how many megabytes something held at most."""
    tracemalloc.start()
    try:
        bomb()
        return tracemalloc.get_traced_memory()[1] / MEGABYTE
    finally:
        tracemalloc.stop()


def test_a_packed_file_stops_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bomb of 200 MB, packed twice or once, holds little more memory than the limit."""
    monkeypatch.setattr(trace_files, "MOST", 4 * MEGABYTE)
    zeros = gzip.compress(b"\0" * 200 * MEGABYTE, 1)
    for number, bomb in enumerate((zeros, gzip.compress(zeros))):
        file = tmp_path / f"{number}.jsonl.gz"
        file.write_bytes(bomb)

        def refused(file: Path = file) -> None:
            with within(PATIENCE), pytest.raises(TraceFileError, match=file.name):
                read_graphs(file)

        assert peak(refused) < 16


@pytest.mark.parametrize("signals", ["trace", "logs"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-protobuf"])
def test_a_packed_request_stops_at_the_limit(kind: str, signals: Signal) -> None:
    """The receiver refuses a bomb with 413 as soon as it has unpacked what it may."""
    bomb = gzip.compress(b"\0" * 200 * MEGABYTE, 1)

    def refused() -> None:
        with within(PATIENCE), pytest.raises(Refused) as error:
            decoded(signals, kind, "gzip", bomb, Limits(unpacked=4 * MEGABYTE))
        assert error.value.status == 413

    assert peak(refused) < 16

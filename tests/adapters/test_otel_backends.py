"""Files that other tools export: Phoenix, MLflow and Jaeger."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import cast

import pytest

from trace_agents_adapters.otel import SpanRecord, to_line
from trace_agents_adapters.otel.records import Event
from trace_agents_adapters.otel.sources.files import read_spans

# what `GET /v1/projects/default/spans` of Phoenix 14 answers, and a row of its data frame
EVENT = {"name": "ev", "timestamp": "2026-11-21T07:09:28.754121+00:00", "attributes": {"x": 1}}
PHOENIX = {
    "id": "U3Bhbjox",
    "name": "ask",
    "context": {"trace_id": "a6" * 16, "span_id": "4d8768fa7954f18c"},
    "span_kind": "LLM",
    "parent_id": "0a1abeec7697061d",
    "start_time": "2026-11-21T07:09:28.745049+00:00",
    "end_time": "2026-11-21T07:09:28.745062+00:00",
    "status_code": "ERROR",
    "status_message": "ValueError: boom",
    "attributes": {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "q",
        "metadata.lc_agent_name": "writer",
        "trace_agents.version": 3,
    },
    "events": [EVENT],
}
PHOENIX_ROW = {
    "name": "ask",
    "span_kind": "LLM",
    "parent_id": "0a1abeec7697061d",
    "start_time": 1795244968745,
    "end_time": 1795244968745,
    "status_code": "ERROR",
    "status_message": "ValueError: boom",
    "events": [
        {"name": "ev", "timestamp": "2026-11-21T07:09:28.754121+00:00", "attributes": {"x": 1}}
    ],
    "context.span_id": "4d8768fa7954f18c",
    "context.trace_id": "a6" * 16,
    "attributes.llm.input_messages": [{"message.role": "user", "message.content": "q"}],
    "attributes.metadata": {"lc_agent_name": "writer"},
    "attributes.trace_agents": {"version": 3},
    "attributes.tool.name": None,
}
PHOENIX_OTLP = {
    "attributes": [
        {"key": "openinference.span.kind", "value": {"int_value": None, "string_value": "LLM"}}
    ],
    "end_time_unix_nano": 1795244968745062000,
    "events": None,
    "kind": "SPAN_KIND_INTERNAL",
    "name": "ask",
    "parent_span_id": "0a1abeec7697061d",
    "span_id": "4d8768fa7954f18c",
    "start_time_unix_nano": 1795244968745049000,
    "status": {"code": 2, "message": "ValueError: boom"},
    "trace_id": "a6" * 16,
}


@pytest.mark.parametrize(
    "document", [{"data": [PHOENIX], "next_cursor": None}, [PHOENIX], PHOENIX, PHOENIX_ROW]
)
def test_an_export_of_phoenix_is_read(tmp_path: Path, document: object) -> None:
    """Its REST pages and data frames give the span as it was sent, in OpenInference's names."""
    file = tmp_path / "phoenix.json"
    file.write_text(json.dumps(document))
    (span,) = read_spans(file)
    assert (span.span_id, span.parent_id) == ("4d8768fa7954f18c", "0a1abeec7697061d")
    assert (span.status, span.message) == ("error", "ValueError: boom")
    assert span.start // 10**6 == 1795244968745
    assert span.events == (Event("ev", 1795244968754121000, {"x": 1}),)
    assert span.attributes == {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "q",
        "metadata": '{"lc_agent_name": "writer"}',
        "trace_agents.version": 3,
    }


def test_what_phoenix_translates_is_told_once(tmp_path: Path) -> None:
    """Phoenix gives spans of the GenAI conventions a kind as well; they stay what they were."""
    told = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer"}
    file = tmp_path / "phoenix.json"
    file.write_text(json.dumps({**PHOENIX, "span_kind": "AGENT", "attributes": told}))
    (span,) = read_spans(file)
    assert span.attributes == told


def test_phoenix_with_otlps_names_is_read(tmp_path: Path) -> None:
    """Its second REST form keeps nanoseconds and writes what is absent as null."""
    file = tmp_path / "phoenix.json"
    file.write_text(json.dumps({"data": [PHOENIX_OTLP], "next_cursor": None}))
    (span,) = read_spans(file)
    assert (span.end, span.kind, span.status) == (1795244968745062000, "internal", "error")
    assert span.attributes == {"openinference.span.kind": "LLM"}


def mlflow_span(name: str, kind: str, inputs: object, outputs: object) -> dict[str, object]:
    number = len(name)
    return {
        "trace_id": base64.b64encode(b"t" * 16).decode(),
        "span_id": base64.b64encode(number.to_bytes(8, "big")).decode(),
        "parent_span_id": None,
        "name": name,
        "start_time_unix_nano": 1795245067187674981,
        "end_time_unix_nano": 1795245067187980409,
        "events": [],
        "status": {"code": "STATUS_CODE_OK", "message": ""},
        "attributes": {
            "mlflow.spanType": json.dumps(kind),
            "mlflow.spanInputs": json.dumps(inputs),
            "mlflow.spanOutputs": json.dumps(outputs),
        },
        "links": [],
    }


MLFLOW_CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Rome"}'},
}
MLFLOW = {
    "info": {
        "trace_id": "tr-" + "74" * 16,
        "request_time": "2026-11-21T07:11:07.153Z",
        "state": "OK",
    },
    "data": {
        "spans": [
            mlflow_span(
                "model",
                "CHAT_MODEL",
                {"messages": [{"role": "user", "content": "How is Rome?"}]},
                {"choices": [{"message": {"role": "assistant", "tool_calls": [MLFLOW_CALL]}}]},
            ),
            mlflow_span("weather", "TOOL", {"city": "Rome"}, "sunny in Rome"),
        ]
    },
}
MLFLOW_2: dict[str, object] = {
    "info": {"request_id": "r1", "timestamp_ms": 1, "status": "OK"},
    "data": {
        "spans": [
            {
                "name": "weather",
                "context": {"span_id": "0x22", "trace_id": "0x" + "74" * 16},
                "parent_id": None,
                "start_time": 1795245067187674981,
                "end_time": 1795245067187980409,
                "status_code": "OK",
                "status_message": "",
                "attributes": {
                    "mlflow.spanType": '"TOOL"',
                    "mlflow.spanOutputs": '"sunny in Rome"',
                },
                "events": [],
            }
        ]
    },
}


@pytest.mark.parametrize(
    "document",
    [
        MLFLOW,
        {"traces": [MLFLOW]},
        {"request_time": 1, "trace": json.dumps(MLFLOW)},
        {"request_time": 1, "spans": cast("dict[str, object]", MLFLOW["data"])["spans"]},
    ],
)
def test_an_export_of_mlflow_is_read(tmp_path: Path, document: object) -> None:
    """Its traces and tables of traces give spans, in the words of the GenAI conventions."""
    file = tmp_path / "mlflow.json"
    file.write_text(json.dumps(document))
    model, tool = read_spans(file)
    assert model.trace_id == tool.trace_id == "74" * 16
    (question,) = json.loads(str(model.attributes["gen_ai.input.messages"]))
    text = {"type": "text", "content": "How is Rome?"}
    assert question == {"role": "user", "parts": [text]}
    (answer,) = json.loads(str(model.attributes["gen_ai.output.messages"]))
    call = {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Rome"}}
    assert answer == {"role": "assistant", "parts": [call]}
    assert tool.attributes["gen_ai.tool.call.result"] == "sunny in Rome"


@pytest.mark.parametrize("page", ["trace", "traces"])
def test_an_answer_of_mlflows_rest_interface_is_read(tmp_path: Path, page: str) -> None:
    """It writes spans as OTLP does, and JSON text as what the text says."""
    city: dict[str, object] = {"key": "city", "value": {"string_value": "Rome"}}
    span: dict[str, object] = {
        "trace_id": base64.b64encode(b"t" * 16).decode(),
        "span_id": base64.b64encode(b"s" * 8).decode(),
        "name": "weather",
        "start_time_unix_nano": 1795246694787177105,
        "attributes": [
            {"key": "mlflow.spanType", "value": {"string_value": "TOOL"}},
            {"key": "mlflow.spanInputs", "value": {"kvlist_value": {"values": [city]}}},
        ],
        "status": {},
    }
    trace: dict[str, object] = {"trace_info": {"trace_id": "tr-1"}, "spans": [span]}
    file = tmp_path / "mlflow.json"
    file.write_text(json.dumps({page: trace if page == "trace" else [trace]}))
    (read,) = read_spans(file)
    assert (read.span_id, read.end) == ((b"s" * 8).hex(), None)
    assert read.attributes["gen_ai.tool.call.arguments"] == '{"city": "Rome"}'


def test_an_export_of_mlflow_2_is_read(tmp_path: Path) -> None:
    """The older form keeps ids and status elsewhere."""
    file = tmp_path / "mlflow.json"
    file.write_text(json.dumps(MLFLOW_2))
    (span,) = read_spans(file)
    assert (span.span_id, span.status, span.end) == ("22", "ok", 1795245067187980409)


JAEGER_SPAN = {
    "traceID": "9bfe8376688e9116d9cbae28c0aa2db6",
    "spanID": "b321d76f92134d2",
    "operationName": "chat m",
    "references": [
        {"refType": "CHILD_OF", "traceID": "9bfe8376688e9116d9cbae28c0aa2db6", "spanID": "1"},
        {"refType": "FOLLOWS_FROM", "traceID": "a1", "spanID": "2"},
    ],
    "startTime": 1729181197748657,
    "duration": 1503,
    "tags": [
        {"key": "gen_ai.operation.name", "type": "string", "value": "chat"},
        {"key": "count", "type": "int64", "value": 146},
        {"key": "span.kind", "type": "string", "value": "client"},
        {"key": "otel.status_code", "type": "string", "value": "ERROR"},
        {"key": "otel.status_description", "type": "string", "value": "boom"},
        {"key": "error", "type": "bool", "value": True},
    ],
    "logs": [
        {
            "timestamp": 1729181197748700,
            "fields": [{"key": "event", "type": "string", "value": "e"}],
        }
    ],
    "processID": "p1",
    "warnings": None,
}


def test_a_trace_of_jaegers_page_is_read(tmp_path: Path) -> None:
    """References become parent and links, tags become fields, and zeros are put back."""
    trace: dict[str, object] = {
        "traceID": JAEGER_SPAN["traceID"],
        "spans": [JAEGER_SPAN],
        "processes": {"p1": {"serviceName": "agents", "tags": []}},
    }
    file = tmp_path / "jaeger.json"
    file.write_text(json.dumps({"data": [trace], "total": 0, "errors": None}, indent=2))
    (span,) = read_spans(file)
    assert (span.span_id, span.parent_id) == ("0b321d76f92134d2", f"{1:016x}")
    assert span.links == (("a1".rjust(32, "0"), f"{2:016x}"),)
    assert (span.kind, span.status, span.message) == ("client", "error", "boom")
    assert span.attributes == {"gen_ai.operation.name": "chat", "count": 146}
    assert span.end == span.start + 1_503_000
    assert span.resource == {"service.name": "agents"}
    assert span.events == (Event("e", 1729181197748700000),)


def test_an_answer_of_jaegers_second_interface_is_read(tmp_path: Path) -> None:
    """It wraps OTLP/JSON into a result."""
    file = tmp_path / "jaeger.json"
    span = SpanRecord("a" * 32, "b" * 16, name="one", start=1, end=2)
    file.write_text(json.dumps({"result": json.loads(to_line([span]))}))
    assert read_spans(file) == [span]

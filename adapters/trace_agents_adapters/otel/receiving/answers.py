"""The receiver's answers, in the encoding of the request."""

from __future__ import annotations

from trace_agents.errors import ExtraNotInstalled
from trace_agents_adapters.otel.receiving.intake import JSON, Refused, Signal
from trace_agents_adapters.otel.sources import otlp_proto

try:
    from starlette.responses import JSONResponse, Response
except ModuleNotFoundError as missing:
    raise ExtraNotInstalled(missing.name or "starlette", "collect") from missing

_RETRY_AFTER = {"Retry-After": "1"}
# seconds


def refusal(kind: str, refused: Refused) -> Response:
    """Return the answer to a request that is not taken; 503 asks the sender to come back."""
    headers = dict(_RETRY_AFTER) if refused.status == 503 else {}
    if refused.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if kind != JSON:
        return Response(refused.why, refused.status, headers, "text/plain")
    return JSONResponse({"message": refused.why}, refused.status, headers)


def accepted(signal: Signal, kind: str, problems: list[str]) -> Response:
    """Return the answer to a request that is kept; it counts the records that are not."""
    why = "; ".join(problems[:3])
    if kind != JSON:
        content = otlp_proto.response(signal, len(problems), why)
        return Response(content, media_type=kind)
    if not problems:
        return JSONResponse({})
    rejected = "rejectedSpans" if signal == "trace" else "rejectedLogRecords"
    return JSONResponse({"partialSuccess": {rejected: str(len(problems)), "errorMessage": why}})

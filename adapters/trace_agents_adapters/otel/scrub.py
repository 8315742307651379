"""Secrets leave a trace before it is stored or sent: keys, tokens and passwords become a mark."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import cast

from trace_agents_adapters.otel.records import Event, SpanRecord
from trace_agents_adapters.otel.sources.telemetry import LogRecord

MARK = "[redacted]"
"""What stands where a secret was."""

_KEYS = (
    r"api[_-]?key|password|passwd|passphrase|private[_-]?key|set-cookie"
    r"|(?:client|app|secret)[_-](?:secret|key|access[_-]key)"
    r"|(?:access|auth|refresh|session|id|bearer)[_-]?token"
)
_SECRET_NAME = re.compile(rf"(?:^|[^a-z])(?:{_KEYS}|authorization|cookie|secret)$", re.IGNORECASE)
# a quoted name and its quoted value, as JSON and Python write them, also JSON within JSON
_QUOTED = re.compile(
    rf"""((?:{_KEYS}|authorization|cookie|secret)\\*["']\s*:\s*\\*["'])[^"'\\]+""", re.IGNORECASE
)
# a bare name and its value, as headers, settings and command lines write them; prose that only
# mentions a password or an authorization has no such value
_BARE = re.compile(
    rf"""((?:{_KEYS})\s*[:=]\s*)(?!\[redacted)[^\s"'\\,;&}}\])]{{6,}}"""
    r"""|(authorization\s*[:=]\s*)(?!bearer|basic)[^\s"'\\,;&}\])]{16,}""",
    re.IGNORECASE,
)
_KNOWN = re.compile(
    r"\bsk-(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{16,}"
    r"|\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{30,}|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abeprs]-[A-Za-z0-9-]{10,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bAIza[A-Za-z0-9_-]{35}"
    r"|\bhf_[A-Za-z0-9]{30,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
)
# what no word has: a digit, or capitals inside ("basic understanding" is no secret)
_RANDOM = r"(?=[A-Za-z0-9._~+/-]{0,60}(?:\d|[a-z][A-Z]|[A-Z]{2}|=))"
_BEARER = re.compile(rf"\b((?i:bearer|basic)\s+){_RANDOM}[A-Za-z0-9._~+/-]{{12,}}=*")
_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"']{0,200}:)[^\s/@\"']{1,200}@")
_PRIVATE = re.compile(
    r"-----BEGIN ([A-Z ]{0,30})PRIVATE KEY-----[^\"]*?(?:-----END \1PRIVATE KEY-----|(?=\")|\Z)"
)
# no pattern can match a text without one of these; most texts have none, and plain search is fast
_HINTS = (
    *("sk-", "sk_", "rk_", "pk_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glpat"),
    *("xox", "akia", "asia", "aiza", "hf_", "eyj", "-----begin", "://", "bearer", "basic"),
    *("authorization", "cookie", "api-key", "api_key", "apikey", "passw", "passphrase"),
    *("secret", "private", "token", "app-key", "app_key"),
)


def scrub_text(text: str) -> str:
    """Return the text with a mark in the place of each secret; JSON stays JSON."""
    low = text.lower()
    if not any(hint in low for hint in _HINTS):
        return text
    text = _PRIVATE.sub(MARK, text)
    text = _ADDRESS.sub(rf"\1{MARK}@", text)
    text = _KNOWN.sub(MARK, text)
    text = _BEARER.sub(rf"\1{MARK}", text)
    text = _QUOTED.sub(rf"\1{MARK}", text)
    return _BARE.sub(lambda found: f"{found[1] or found[2]}{MARK}", text)


def scrub_value(value: object) -> object:
    """Return an attribute's value without secrets; a mapping's telling names are heeded."""
    match value:
        case str():
            return scrub_text(value)
        case Mapping():
            return scrub_attributes(cast("Mapping[str, object]", value))
        case list() | tuple():
            return [scrub_value(item) for item in cast("Sequence[object]", value)]
        case _:
            return value


def scrub_attributes(attributes: Mapping[str, object]) -> dict[str, object]:
    """Return attributes without secrets: those of telling names lose their whole value."""
    return {
        key: MARK if value and _secret(key) else scrub_value(value)
        for key, value in attributes.items()
    }


@lru_cache(maxsize=4096)
def _secret(key: str) -> bool:
    return _SECRET_NAME.search(key) is not None


def scrub(record: SpanRecord) -> SpanRecord:
    """Return the span without secrets in its name, attributes, events, status and resource."""
    return replace(
        record,
        name=scrub_text(record.name),
        attributes=scrub_attributes(record.attributes),
        message=scrub_text(record.message),
        events=tuple(
            Event(event.name, event.time, scrub_attributes(event.attributes))
            for event in record.events
        ),
        resource=scrub_attributes(record.resource),
    )


def scrub_log(record: LogRecord) -> LogRecord:
    """Return the log record without secrets."""
    return replace(
        record,
        body=scrub_value(record.body),
        attributes=scrub_attributes(record.attributes),
        resource=scrub_attributes(record.resource),
    )

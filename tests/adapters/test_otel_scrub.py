"""Secrets are found in every shape in which traces hold them, and prose is left alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_agents_adapters.otel import SpanRecord, to_line
from trace_agents_adapters.otel.records import Event
from trace_agents_adapters.otel.scrub import MARK, scrub, scrub_attributes, scrub_text

TOKEN = "aB3dE6gH9jK2mN5pQ8sT1vW4"
SECRETS = [
    f"sk-proj-{TOKEN}",
    f"sk-ant-api03-{TOKEN}",
    f"ghp_{TOKEN}abcdef0123456789",
    f"xoxb-1234567890-{TOKEN}",
    "AKIAIOSFODNN7EXAMPLE",
    f"hf_{TOKEN}abcdefghij",
    f"eyJhbGciOiJI.eyJzdWIiOiIx.{TOKEN}",
    f"Authorization: Bearer {TOKEN}",
    "authorization: Basic dXNlcjpwYXNzd29yZA==",
    f"OPENAI_API_KEY={TOKEN}",
    f"--api-key={TOKEN}",
    f"postgresql://bob:{TOKEN}@host/db",
    f'{{"password": "{TOKEN} and more"}}',
    json.dumps({"headers": json.dumps({"x-api-key": TOKEN})}),
    f"{{'client_secret': '{TOKEN}'}}",
    f"-----BEGIN RSA PRIVATE KEY-----\n{TOKEN}\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_marked_and_the_words_around_it_stay(text: str) -> None:
    """Alone, inside a sentence, and inside JSON, which stays JSON."""
    for whole in (text, f"before {text} after"):
        clean = scrub_text(whole)
        assert MARK in clean
        assert TOKEN not in clean
        assert scrub_text(clean) == clean
        assert TOKEN not in str(json.loads(scrub_text(json.dumps({"said": whole}))))
    assert scrub_text(f"before {text} after").startswith("before ")
    assert scrub_text(f"before {text} after").endswith(" after")


@pytest.mark.parametrize(
    "prose",
    [
        "A basic understanding of authorization: ask the bearer representatives.",
        "Keep this secret: never say the password. Reset tokens: 1234567.",
        "sk-learn-based-classification-of-things is a risk-assessment-of-everything",
        "See https://example.org/docs?page=2, or ftp://example.org:21/readme",
        "Cookies: chocolate, vanilla. Basic DISCUSSION.",
        '{"input_tokens": 12, "tokenizer": "cl100k_base", "max_token": 5}',
    ],
)
def test_prose_about_secrets_is_no_secret(prose: str) -> None:
    """A prompt may speak of passwords; it must come through as it was."""
    assert scrub_text(prose) == prose


def test_telling_names_lose_their_value_everywhere() -> None:
    """Attributes, events, resources and nested values are all looked at."""
    secret = {"http.request.header.authorization": ["x"], "gen_ai.usage.input_tokens": 5}
    assert scrub_attributes(secret) == {
        "http.request.header.authorization": MARK,
        "gen_ai.usage.input_tokens": 5,
    }
    record = SpanRecord(
        "a" * 32,
        "b" * 16,
        name=f"GET key=sk-{TOKEN}",
        attributes={"nested": {"deep": [{"api_key": TOKEN}]}},
        message=f"401: Bearer {TOKEN}",
        events=(Event("e", 1, {"password": TOKEN}),),
        resource={"process.command_args": ["run", f"--api-key={TOKEN}"]},
    )
    assert TOKEN not in to_line([scrub(record)])


texts = st.text()
values = st.recursive(texts | st.integers(), lambda v: st.lists(v) | st.dictionaries(texts, v))


@given(values)
def test_json_stays_json(value: object) -> None:
    """Whatever a text holds, JSON text parses after scrubbing."""
    json.loads(scrub_text(json.dumps({"password": "p", "value": value})))


@pytest.mark.parametrize(
    "part", ["sk-", "eyJ", "://a", "password ", "-----BEGIN ", "bearer ", "a.b-", "api_key", "'"]
)
def test_hostile_text_comes_to_an_end(part: str) -> None:
    """Texts that are made to trouble patterns are scrubbed like any other."""
    assert scrub_text(part * 50_000 + "token")

"""Replies of models, well-formed and not, against what they may change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_agents.graph import Parameter, Parameters
from trace_agents.graph.types import Bool, Bullets, Choice, Code, JsonList, JsonObject, Number, Text
from trace_agents.optimizers.replies import parse_reply

SOURCE = "def half(x):\n    return x / 2"
PARAMETERS = Parameters(
    [
        Parameter("prompt", "Be brief.", Text(max_length=400)),
        Parameter("template", "Sum up {topic}.", Text(placeholders=("topic",))),
        Parameter("heat", 0.5, Number(0, 2)),
        Parameter("tries", 3, Number(1, 9, integer=True)),
        Parameter("style", "plain", Choice(("plain", "none", "formal"))),
        Parameter("half", SOURCE, Code.of(SOURCE)),
        Parameter("cite", False, Bool()),
        Parameter("rules", Bullets.of("Be kind.", "Be brief."), Bullets(max_items=3)),
        Parameter("share", 0.5, Number(0, 1, step=0.25)),
        Parameter("stops", ["end"], JsonList({"items": {"type": "string"}, "maxItems": 3})),
        Parameter(
            "limits",
            {"words": 100},
            JsonObject(
                {
                    "properties": {"words": {"type": "integer", "minimum": 1}},
                    "required": ["words"],
                    "additionalProperties": False,
                }
            ),
        ),
        Parameter("fixed", "stays", Text(), frozen=True),
    ]
)
CURRENT = PARAMETERS.defaults()
FENCE = "```"


def block(name: str, value: str) -> str:
    return f"<variable>\n<name>{name}</name>\n<value>\n{value}\n</value>\n</variable>"


def changes(reply: str) -> dict[str, object]:
    return dict(parse_reply(reply, PARAMETERS, CURRENT).changes)


NOTHING = {
    "empty": "",
    "white space": " \n\n ",
    "refusal": "I cannot help with that.",
    "prose that names the variable": "Set prompt to 'Be kind.' and heat to 0.7.",
    "json": '{"prompt": "Be kind."}',
    "json in a fence": f'{FENCE}json\n{{"suggestion": {{"prompt": "Be kind."}}}}\n{FENCE}',
    "a magic word": "<reasoning>good already</reasoning>\nTERMINATE",
    "reasoning only": "<reasoning>All is well.</reasoning>",
    "block quoted in reasoning": f"<reasoning>I thought of {block('prompt', 'X y')}</reasoning>",
    "block quoted in a think tag": f"<think>{block('prompt', 'X y')}</think>No change.",
    "unknown name": block("promt", "Be kind."),
    "name of another case": block("Prompt", "Be kind."),
    "frozen": block("fixed", "moves"),
    "empty value": block("prompt", ""),
    "blank value": block("prompt", "  \n\t"),
    "empty name": block("", "Be kind."),
    "word for a number": block("heat", "fast"),
    "list for a number": block("heat", "[0.5, 0.7]"),
    "number with a remark": block("heat", "0.7 (warmer)"),
    "number with a unit": block("heat", "0.7x"),
    "two numbers": block("heat", "0.7 0.8"),
    "number out of range": block("heat", "2.5"),
    "nan": block("heat", "nan"),
    "infinity": block("heat", "inf"),
    "overflow": block("heat", "1e999"),
    "number with underscore": block("tries", "0_5"),
    "number in other digits": block("tries", "\u0665"),
    "bool for a number": block("tries", "True"),
    "fraction for a whole number": block("tries", "2.9"),
    "unknown option": block("style", "fancy"),
    "option of another case": block("style", "Formal"),
    "two options": block("style", "plain or formal"),
    "code that does not parse": block("half", "def half(x):\n    return x /"),
    "code of another signature": block("half", "def half(x, y):\n    return y"),
    "code with more beside it": block("half", "import os\ndef half(x):\n    return 1"),
    "prose for code": block("half", "Divide by two."),
    "code cut with an ellipsis": block("half", "def half(x):\n    # ... rest unchanged\n    pass"),
    "lost placeholder": block("template", "Sum up all."),
    "too long": block("prompt", "x" * 401),
    "placeholder dots": block("prompt", "..."),
    "placeholder words": block("prompt", "[unchanged]"),
    "placeholder of the form": block("prompt", "the new value"),
    "text that leaves out the rest": block("prompt", "Be kind.\n[... rest as before]"),
    "same value": block("prompt", "Be brief."),
    "same number in another form": block("heat", "0.50"),
    "two different values": block("prompt", "A b.") + block("prompt", "C d."),
    "cut in the value": "<variable><name>prompt</name><value>Be ki",
    "cut in the name": "<variable><name>prom",
    "no value tag": "<variable><name>prompt</name>Be kind.</variable>",
    "value never closed": "<variable><name>prompt</name><value>Be kind.</variable>",
    "value before name": "<variable><value>Be kind.</value><name>prompt</name></variable>",
    "block in an unclosed block": "<variable><name>prompt</name><value>e.g. "
    + block("style", "formal"),
    "closed twice": block("prompt", "Be kind.") + " I end with </value></variable>",
    "yes for a truth value": block("cite", "yes"),
    "number for a truth value": block("cite", "1"),
    "truth value with a remark": block("cite", "true, because sources help"),
    "both truth values": block("cite", "true") + block("cite", "false"),
    "quoted truth value": block("cite", '"true"'),
    "number beside the grid": block("share", "0.3"),
    "percent": block("share", "75%"),
    "json never closed": block("stops", '["a", "b"'),
    "json of python": block("stops", "['a', 'b']"),
    "json with a comment": block("stops", '["a"] // the end'),
    "json with a comma too many": block("stops", '["a",]'),
    "json of another sort": block("stops", '{"a": "b"}'),
    "item of another type": block("stops", '["a", 2]'),
    "too many items": block("stops", '["a", "b", "c", "d"]'),
    "list as prose": block("stops", "a, b"),
    "json with an ellipsis": block("stops", '["a", ...]'),
    "same list in another form": block("stops", '[ "end" ]'),
    "key twice": block("limits", '{"words": 1, "words": 2}'),
    "unknown key": block("limits", '{"words": 1, "lines": 2}'),
    "missing key": block("limits", "{}"),
    "bool for a whole number in json": block("limits", '{"words": true}'),
    "not a number in json": block("limits", '{"words": NaN}'),
    "value below its least in json": block("limits", '{"words": 0}'),
    "nested beyond reading": block("stops", "[" * 3000),
    "braces in prose": 'I would write {prompt: Be kind.} or {"heat": 1}.',
    "block in a json string": '{"answer": "<variable><name>prompt</name><value>Be kind."}',
    "tool call": '<tool_call>{"name": "set", "arguments": {"heat": 1}}</tool_call>',
    "attribute form cut off": '<variable name="prompt"><value>Be ki',
    "edit of an unknown item": block("rules", "~ b9 Be exact."),
    "edit without an id": block("rules", "~ Be exact."),
    "one bad edit among good ones": block("rules", "+ Be exact.\n- b7"),
    "prose for edits": block("rules", "Add a rule about exactness."),
    "whole list for edits": block("rules", '[{"id": "b1", "text": "x"}]'),
    "item twice": block("rules", "+ Be kind."),
    "more items than allowed": block("rules", "+ a\n+ b"),
    "drop with a reason": block("rules", "- b1 because it is wrong"),
    "empty fence": block("prompt", f"{FENCE}\n\n{FENCE}"),
}


@pytest.mark.parametrize("reply", NOTHING.values(), ids=NOTHING)
def test_a_malformed_reply_changes_nothing(reply: str) -> None:
    """No reply of the corpus is accepted wrongly."""
    assert changes(reply) == {}


SOMETHING: dict[str, tuple[str, dict[str, object]]] = {
    "plain": (block("prompt", "Be kind."), {"prompt": "Be kind."}),
    "one line": (
        "<variable><name>prompt</name><value>Be kind.</value></variable>",
        {"prompt": "Be kind."},
    ),
    "unclosed reasoning": ("<reasoning>because\n" + block("heat", "1"), {"heat": 1}),
    "thoughts before": ("<think>hm</think>" + block("heat", "1.5"), {"heat": 1.5}),
    "prose around": ("Sure!\n" + block("tries", " 4 ") + "\nBye.", {"tries": 4}),
    "whole reply in a fence": (f"{FENCE}xml\n{block('tries', '4')}\n{FENCE}", {"tries": 4}),
    "name as attribute": (
        '<variable name="prompt" type="str"><value>Be kind.</value></variable>',
        {"prompt": "Be kind."},
    ),
    "name in backticks": (block("`prompt`", "Be kind."), {"prompt": "Be kind."}),
    "upper-case tags": (block("tries", "4").upper().replace("TRIES", "tries"), {"tries": 4}),
    "extra tag": (
        "<variable><name>tries</name><value>4</value><type>int</type></variable>",
        {"tries": 4},
    ),
    "variable never closed": ("<variable><name>tries</name><value>4</value>", {"tries": 4}),
    "option in quotes of white space": (block("style", "\n formal \n"), {"style": "formal"}),
    "option that reads like nothing": (block("style", "none"), {"style": "none"}),
    "whole float for a whole number": (block("tries", "4.0"), {"tries": 4}),
    "fenced number": (block("heat", f"{FENCE}\n1.5\n{FENCE}"), {"heat": 1.5}),
    "fenced code": (
        block("half", f"{FENCE}python\ndef half(x):\n    return x * 0.5\n{FENCE}"),
        {"half": "def half(x):\n    return x * 0.5"},
    ),
    "text in one fence": (block("prompt", f"{FENCE}\nBe kind.\n{FENCE}"), {"prompt": "Be kind."}),
    "text with fences inside": (
        block("prompt", f"{FENCE}\na\n{FENCE}\nand\n{FENCE}\nb\n{FENCE}"),
        {"prompt": f"{FENCE}\na\n{FENCE}\nand\n{FENCE}\nb\n{FENCE}"},
    ),
    "markup in the value": (
        block("prompt", "Answer as <a>&b</a> or </value> alone."),
        {"prompt": "Answer as <a>&b</a> or </value> alone."},
    ),
    "cdata": (block("prompt", "<![CDATA[Be <kind>.]]>"), {"prompt": "Be <kind>."}),
    "indentation": (block("prompt", "  - a\n    - b\n"), {"prompt": "  - a\n    - b\n"}),
    "windows lines": (block("prompt", "a\nb").replace("\n", "\r\n"), {"prompt": "a\nb"}),
    "the word TERMINATE": (
        "<reasoning>do not TERMINATE</reasoning>" + block("prompt", "Say TERMINATE at the end."),
        {"prompt": "Say TERMINATE at the end."},
    ),
    "truth value of python": (block("cite", "True"), {"cite": True}),
    "fenced truth value": (block("cite", f"{FENCE}\ntrue\n{FENCE}"), {"cite": True}),
    "number on the grid": (block("share", "0.75"), {"share": 0.75}),
    "list": (block("stops", '["end", "stop"]'), {"stops": ["end", "stop"]}),
    "empty list": (block("stops", "[]"), {"stops": []}),
    "list over lines": (block("stops", '[\n  "a",\n  "b"\n]'), {"stops": ["a", "b"]}),
    "list in a fence": (block("stops", f'{FENCE}json\n["a"]\n{FENCE}'), {"stops": ["a"]}),
    "list with markup": (
        block("stops", '["</value>", "<name>"]'),
        {"stops": ["</value>", "<name>"]},
    ),
    "object": (block("limits", '{"words": 50}'), {"limits": {"words": 50}}),
    "edits one by one": (
        block("rules", "+ Be exact.\n~ b2: Be very brief.\n- b1\nhelpful b2"),
        {
            "rules": [
                {"id": "b2", "text": "Be very brief.", "helpful": 1, "harmful": 0},
                {"id": "b3", "text": "Be exact.", "helpful": 0, "harmful": 0},
            ]
        },
    ),
    "twice the same": (block("heat", "1") + block("heat", "1.0"), {"heat": 1}),
    "the good one of two": (block("heat", "hot") + block("tries", "4"), {"tries": 4}),
}


@pytest.mark.parametrize(("reply", "expected"), SOMETHING.values(), ids=SOMETHING)
def test_a_reply_that_can_be_read_is_read(reply: str, expected: dict[str, object]) -> None:
    """Odd form loses nothing, and values keep their own text."""
    assert changes(reply) == expected


def test_every_dropped_change_is_said() -> None:
    """What is dropped leaves a sentence that names it."""
    reply = block("nobody", "x") + block("fixed", "y") + block("heat", "hot")
    parsed = parse_reply(reply, PARAMETERS, CURRENT)
    assert [name in text for name, text in zip(("nobody", "fixed"), parsed.problems, strict=True)]
    assert "expected a number" in parsed.invalid["heat"]


@given(st.text(max_size=300))
def test_any_text_is_read_without_raising(text: str) -> None:
    """Whatever a model writes is at most a change of the right type."""
    names = ("heat", "cite", "stops", "limits")
    parsed = parse_reply(text + "".join(block(n, text) for n in names), PARAMETERS, CURRENT)
    for name, value in parsed.changes.items():
        assert PARAMETERS[name].type.check(value) == value


def test_the_corpus_is_large() -> None:
    """At least sixty ways to be malformed, and each of them once."""
    assert len(set(NOTHING.values())) == len(NOTHING) >= 60

"""Replies of models, well-formed and not, against what they may change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_agents.graph import Parameter, Parameters
from trace_agents.graph.types import Bool, Bullets, Choice, Code, JsonList, JsonObject, Number, Text
from trace_agents.optimizers.jsonreplies import json_schema, parse_json_reply
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


def said(name: str, value: object, **more: object) -> str:
    """Return an answer in JSON."""
    return json.dumps({"reasoning": "because", "suggestion": {name: value}, **more})


def raw(name: str, text: str) -> str:
    """Return an answer whose value is written as JSON by hand."""
    return f'{{"reasoning": "because", "suggestion": {{"{name}": {text}}}}}'


def json_changes(reply: str) -> dict[str, object]:
    return dict(parse_json_reply(reply, PARAMETERS, CURRENT).changes)


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
    "value without a name": "<value>Be kind.</value>",
    "refusal in a block": block("heat", "I cannot change this."),
    "prose for a bullet": block("rules", "The rules are fine, I would leave them."),
    "bullet of two lines": block("rules", "+ Be exact.\nand kind"),
    "bullet too long": block("rules", "+ " + "x" * 501),
    "bullet item emptied": block("rules", "~ b1"),
    "count of an unknown bullet": block("rules", "helpful b7"),
    "template with another field": block("template", "Sum up {subject}."),
    "template with doubled braces": block("template", "Sum up {{topic}}."),
    "template with an open brace": block("template", "Sum up {topic"),
    "template filled in": block("template", "Sum up tea."),
    "code with a line end too many": block("half", r"def half(x):\n    return '\n"),
    "code with an import": block("half", r"import os\ndef half(x):\n    return 1"),
    "name echo and no value": block("prompt", "prompt:"),
    "echo of another name": block("heat", "tries = 1.5"),
    "refusal as a text": block("prompt", "I'm sorry, but I can't help with that request."),
    "refusal as a template": block("template", "I cannot assist with {topic}."),
    "refusal as a playbook": block("rules", "I cannot help with that."),
    "refusal with a curly apostrophe": block("prompt", "I can\u2019t do that."),
    "refusal as code": block("half", "I cannot change this function."),
    "prose around edits": block("rules", "Here are my edits:\n+ Be exact.\nThank you!"),
    "two different playbooks": block("rules", "+ Be exact.") + block("rules", "+ Be kinder."),
    "playbook cut off": "<variable><name>rules</name><value>+ Be exact.\n+ Be",
    "magic word among edits": block("rules", "+ Be exact.\nTERMINATE"),
    "markup among edits": block("rules", "<add>Be exact.</add>"),
    "template cut off": "<variable><name>template</name><value>Say more of {topic}, and",
    "two different templates": block("template", "On {topic}.") + block("template", "Of {topic}."),
    "template of placeholders alone": block("template", "[unchanged] ..."),
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
    "the constraint repeated, with an arrow": (
        "<variable><name>half</name><value>def half(x):\n    return 1</value>"
        "<constraint>def half(x) -> float</constraint></variable>",
        {"half": "def half(x):\n    return 1"},
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
    "code on one line": (
        block("half", r"def half(x):\n    return x * 0.5"),
        {"half": "def half(x):\n    return x * 0.5"},
    ),
    "code with an escaped line end of its own": (
        block("half", "def half(x):\n    return '\\n' and x"),
        {"half": "def half(x):\n    return '\\n' and x"},
    ),
    "name echo before code": (
        block("half", "__code0:\ndef half(x):\n    return 1"),
        {"half": "def half(x):\n    return 1"},
    ),
    "name echo before a fence": (
        block("half", f"half:\n{FENCE}python\ndef half(x):\n    return 1\n{FENCE}"),
        {"half": "def half(x):\n    return 1"},
    ),
    "name echo before a number": (block("heat", "heat = 1.5"), {"heat": 1.5}),
    "name echo before a text": (block("prompt", "prompt = Be kind."), {"prompt": "Be kind."}),
    "name echo above a text": (block("prompt", "prompt:\nBe kind."), {"prompt": "Be kind."}),
    "text that begins with its own name": (
        block("prompt", "prompt: be kind"),
        {"prompt": "prompt: be kind"},
    ),
    "name with a colon": (block("heat:", "1.5"), {"heat": 1.5}),
    "text that begins with a word and a colon": (
        block("prompt", "Rule: be kind."),
        {"prompt": "Rule: be kind."},
    ),
    "template with its field": (
        block("template", "Say more of {topic}, please."),
        {"template": "Say more of {topic}, please."},
    ),
    "template in a fence": (
        block("template", f"{FENCE}\nOn {{topic}}.\n{FENCE}"),
        {"template": "On {topic}."},
    ),
    "template with a field more": (
        block("template", "{topic} for {reader}"),
        {"template": "{topic} for {reader}"},
    ),
    "template with markup and indentation": (
        block("template", "  <topic>\n    {topic}\n  </topic>"),
        {"template": "  <topic>\n    {topic}\n  </topic>"},
    ),
    "text that speaks of what it cannot do": (
        block("prompt", "Say 'I cannot help with that.' when asked for medicine."),
        {"prompt": "Say 'I cannot help with that.' when asked for medicine."},
    ),
    "bullet added": (
        block("rules", "+ Be exact."),
        {
            "rules": [
                *Bullets.of("Be kind.", "Be brief."),
                {"id": "b3", "text": "Be exact.", "helpful": 0, "harmful": 0},
            ]
        },
    ),
    "bullets in a fence": (
        block("rules", f"{FENCE}\n- b1\n{FENCE}"),
        {"rules": [{"id": "b2", "text": "Be brief.", "helpful": 0, "harmful": 0}]},
    ),
}


@pytest.mark.parametrize(("reply", "expected"), SOMETHING.values(), ids=SOMETHING)
def test_a_reply_that_can_be_read_is_read(reply: str, expected: dict[str, object]) -> None:
    """Odd form loses nothing, and values keep their own text."""
    assert changes(reply) == expected


JSON_NOTHING: dict[str, str] = {
    "empty": "",
    "refusal": "I cannot help with that.",
    "tagged": block("prompt", "Be kind."),
    "prose": "Set prompt to 'Be kind.'",
    "braces in prose": 'I would write {prompt: Be kind.} or {"heat": 1}.',
    "changes without their key": '{"prompt": "Be kind."}',
    "changes under another key": '{"reasoning": "x", "variables": {"prompt": "Be kind."}}',
    "a magic word": '{"reasoning": "all good, TERMINATE", "suggestion": {}}',
    "no change": said("prompt", None),
    "suggestion that is no object": '{"suggestion": "Be kind."}',
    "suggestion that is a list": '{"suggestion": [{"name": "prompt", "value": "Be kind."}]}',
    "suggestion of null": '{"suggestion": null}',
    "cut off": said("prompt", "Be kind.")[:-3],
    "cut off in a value": said("prompt", "Be kind.")[:-8],
    "never opened": '"suggestion": {"prompt": "Be kind."}}',
    "single quotes": "{'suggestion': {'prompt': 'Be kind.'}}",
    "comma too many": '{"suggestion": {"prompt": "Be kind.",}}',
    "comment": '{"suggestion": {"prompt": "Be kind." /* softer */}}',
    "answer in thoughts": f"<think>{said('prompt', 'Be kind.')}</think>No change.",
    "answer in a text": json.dumps({"reasoning": said("prompt", "Be kind.")}),
    "unknown name": said("promt", "Be kind."),
    "name of another case": said("Prompt", "Be kind."),
    "frozen": said("fixed", "moves"),
    "empty value": said("prompt", ""),
    "blank value": said("prompt", " \n"),
    "number for a text": said("prompt", 5),
    "list for a text": said("prompt", ["Be", "kind"]),
    "object for a text": said("prompt", {"value": "Be kind."}),
    "truth value for a text": said("prompt", True),
    "placeholder": said("prompt", "the whole new value"),
    "placeholder dots": said("prompt", "..."),
    "too long": said("prompt", "x" * 401),
    "text that leaves out the rest": said("prompt", "Be kind.\n[... rest as before]"),
    "same value": said("prompt", "Be brief."),
    "same number": said("heat", 0.50),
    "lost placeholder": said("template", "Sum up all."),
    "template with another field": said("template", "Sum up {subject}."),
    "template that is no text": said("template", {"topic": "tea"}),
    "word for a number": said("heat", "fast"),
    "number with a unit": said("heat", "0.7x"),
    "truth value for a number": said("heat", True),
    "list for a number": said("heat", [0.7]),
    "object for a number": said("heat", {"value": 0.7}),
    "number out of range": said("heat", 2.5),
    "not a number": raw("heat", "NaN"),
    "infinity": raw("heat", "Infinity"),
    "overflow": raw("heat", "1e999"),
    "number beyond every float": raw("tries", "1" + "0" * 400),
    "fraction for a whole number": said("tries", 2.9),
    "number beside the grid": said("share", 0.3),
    "unknown option": said("style", "fancy"),
    "number for an option": said("style", 1),
    "option of another case": said("style", "Formal"),
    "number for a truth value": said("cite", 1),
    "word for a truth value": said("cite", "yes"),
    "code that does not parse": said("half", "def half(x):\n    return x /"),
    "code of another signature": said("half", "def half(x, y):\n    return y"),
    "code as lines": said("half", ["def half(x):", "    return 1"]),
    "code with more beside it": said("half", "import os\ndef half(x):\n    return 1"),
    "item of another type": said("stops", ["a", 2]),
    "too many items": said("stops", ["a", "b", "c", "d"]),
    "list as prose": said("stops", "a, b"),
    "object for a list": said("stops", {"a": "b"}),
    "unknown key": said("limits", {"words": 1, "lines": 2}),
    "missing key": said("limits", {}),
    "truth value for a whole number": said("limits", {"words": True}),
    "key twice": raw("limits", '{"words": 1, "words": 2}'),
    "key twice further in": raw("stops", '[{"a": 1, "a": 2}]'),
    "two different values": '{"suggestion": {"heat": 1, "heat": 1.5}}',
    "two different answers": said("heat", 1) + "\nor better\n" + said("heat", 1.5),
    "nested beyond reading": raw("stops", "[" * 5000),
    "many braces": "{" * 5000,
    "edit of an unknown item": said("rules", "~ b9 Be exact."),
    "whole playbook for edits": said("rules", [{"id": "b1", "text": "x"}]),
    "edits that are no lines": said("rules", {"add": "Be exact."}),
    "prose for edits": said("rules", "Add a rule about exactness."),
    "one bad edit of two": said("rules", ["+ Be exact.", "- b7"]),
    "refusal as a text": said("prompt", "Sorry, I can't assist with that."),
    "refusal as a template": said("template", "I cannot help with {topic}."),
    "refusal as a playbook": said("rules", "I cannot help with that."),
    "prose around edits": said("rules", ["Here are my edits:", "+ Be exact."]),
    "item twice": said("rules", ["+ Be kind."]),
    "two different templates": said("template", "On {topic}.") + said("template", "Of {topic}."),
}


@pytest.mark.parametrize("reply", JSON_NOTHING.values(), ids=JSON_NOTHING)
def test_a_malformed_json_reply_changes_nothing(reply: str) -> None:
    """No reply of the corpus is accepted wrongly in the JSON form either."""
    assert json_changes(reply) == {}


JSON_SOMETHING: dict[str, tuple[str, dict[str, object]]] = {
    "plain": (said("prompt", "Be kind."), {"prompt": "Be kind."}),
    "in a fence": (f"{FENCE}json\n{said('tries', 4)}\n{FENCE}", {"tries": 4}),
    "prose around": ("Sure! {ok}\n" + said("tries", 4) + "\nBye {now}.", {"tries": 4}),
    "thoughts before": ("<think>hm {</think>" + said("heat", 1.5), {"heat": 1.5}),
    "other keys too": (said("heat", 1.5, answer="15", confidence=0.9), {"heat": 1.5}),
    "line ends inside a text": (raw("prompt", '"Be\nkind."'), {"prompt": "Be\nkind."}),
    "number as a text": (said("heat", "1.5"), {"heat": 1.5}),
    "whole float for a whole number": (said("tries", 4.0), {"tries": 4}),
    "truth value": (said("cite", True), {"cite": True}),
    "truth value as a text": (said("cite", "True"), {"cite": True}),
    "option": (said("style", "formal"), {"style": "formal"}),
    "list": (said("stops", ["end", "stop"]), {"stops": ["end", "stop"]}),
    "list as a text of json": (said("stops", '["stop"]'), {"stops": ["stop"]}),
    "object": (said("limits", {"words": 50}), {"limits": {"words": 50}}),
    "markup in a text": (said("prompt", "</value> {x} [1]"), {"prompt": "</value> {x} [1]"}),
    "the word TERMINATE": (said("prompt", "Say TERMINATE."), {"prompt": "Say TERMINATE."}),
    "code": (
        said("half", "def half(x):\n    return 1"),
        {"half": "def half(x):\n    return 1"},
    ),
    "code with its line ends escaped twice": (
        said("half", r"def half(x):\n    return 1"),
        {"half": "def half(x):\n    return 1"},
    ),
    "fenced code": (
        said("half", f"{FENCE}python\ndef half(x):\n    return 1\n{FENCE}"),
        {"half": "def half(x):\n    return 1"},
    ),
    "name with a colon": (
        said("half:", "def half(x):\n    return 1"),
        {"half": "def half(x):\n    return 1"},
    ),
    "template": (said("template", "On {topic}."), {"template": "On {topic}."}),
    "indentation": (said("prompt", "  - a\n    - b"), {"prompt": "  - a\n    - b"}),
    "edits as a text": (
        said("rules", "- b1"),
        {"rules": [{"id": "b2", "text": "Be brief.", "helpful": 0, "harmful": 0}]},
    ),
    "edits as lines": (
        said("rules", ["- b1", "harmful b2"]),
        {"rules": [{"id": "b2", "text": "Be brief.", "helpful": 0, "harmful": 1}]},
    ),
    "twice the same answer": (said("heat", 1) + said("heat", 1.0), {"heat": 1}),
    "the good one of two": ('{"suggestion": {"heat": "hot", "tries": 4}}', {"tries": 4}),
}


@pytest.mark.parametrize(("reply", "expected"), JSON_SOMETHING.values(), ids=JSON_SOMETHING)
def test_a_json_reply_that_can_be_read_is_read(reply: str, expected: dict[str, object]) -> None:
    """Odd form loses nothing in JSON either."""
    assert json_changes(reply) == expected


def test_the_schema_names_every_variable_that_may_change_and_closes_the_object() -> None:
    """A model that is held to it can leave a variable out by null, and can add nothing."""
    schema: Any = json_schema(PARAMETERS)
    suggestion = schema["properties"]["suggestion"]
    assert set(PARAMETERS.trainable) == suggestion["properties"].keys()
    assert schema["additionalProperties"] is suggestion["additionalProperties"] is False
    heat = suggestion["properties"]["heat"]["anyOf"]
    assert heat == [{"type": "number", "minimum": 0, "maximum": 2}, {"type": "null"}]
    assert suggestion["properties"]["prompt"]["anyOf"][0]["maxLength"] == 400


def test_one_value_without_a_name_is_enough_for_one_variable() -> None:
    """Where only one can be meant, a small model need not say which."""
    one = Parameters([PARAMETERS["prompt"]])
    reply = "Here it is:\n<value>\nBe kind.\n</value>"
    assert parse_reply(reply, one, {"prompt": "Be brief."}).changes == {"prompt": "Be kind."}
    twice = "<value>a b</value> or <value>c d</value>"
    assert parse_reply(twice, one, {"prompt": "Be brief."}).changes == {}


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
    tagged = parse_reply(text + "".join(block(n, text) for n in names), PARAMETERS, CURRENT)
    wrapped = "".join(raw(n, text) for n in names)
    in_json = parse_json_reply(text + wrapped, PARAMETERS, CURRENT)
    for name, value in [*tagged.changes.items(), *in_json.changes.items()]:
        assert PARAMETERS[name].type.check(value) == value


def test_the_corpus_is_large() -> None:
    """At least sixty ways to be malformed in either form, and each of them once."""
    for corpus in (NOTHING, JSON_NOTHING):
        assert len(set(corpus.values())) == len(corpus) >= 60


LONG = {
    "thoughts": "<think>a</think>" * 20_000,
    "open thoughts": "<think>" * 20_000,
    "open blocks": "<variable><name>prompt</name><value>" * 5_000,
    "closing tags": "<variable><name>prompt</name><value>" + "</value>" * 20_000,
    "braces": '{"a":' * 20_000,
    "open answers": '{"suggestion":{"prompt":"x' * 5_000,
    "spaces": "As an AI" + " " * 100_000,
    "fences": "```\n" * 20_000,
}


@pytest.mark.parametrize("reply", LONG.values(), ids=LONG)
def test_a_reply_made_to_take_long_changes_nothing(reply: str) -> None:
    """Many openings that nothing closes, in either form, are read to their end."""
    assert changes(reply) == json_changes(reply) == {}
    assert changes(block("heat", reply)) == {}

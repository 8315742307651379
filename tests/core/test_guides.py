from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping

import pytest

import trace_agents as ta
from tests.core.training_toys import SPACE, Dial
from trace_agents.errors import InvalidValue, MalformedReply
from trace_agents.feedback import Feedback, Guide, as_feedback
from trace_agents.guides import combine, contains, exact_match, json_fields, llm_judge, regex
from trace_agents.llm import Reply
from trace_agents.store import Version
from trace_agents.testing import ScriptedModel
from trace_agents.training import Budget, EpisodeRunner, Ledger

V0 = Version(0, None, SPACE.defaults())


def both(task: object) -> dict[str, object]:
    return {"a": task, "b": task}


def product(scores: Mapping[str, float]) -> float:
    return scores["right"] * scores["speed"]


async def judged(guide: Guide, task: object, output: object) -> Feedback:
    verdict = guide(task, output)
    return as_feedback(await verdict if inspect.isawaitable(verdict) else verdict)


@pytest.mark.parametrize(
    ("guide", "task", "output", "score", "words"),
    [
        (exact_match(), {"expected": "4"}, " 4\n", 1, ""),
        (exact_match(key="answer"), {"answer": "4"}, "5", 0, "expected '4', got '5'"),
        (exact_match({"2 + 2": 4}), "2 + 2", 4, 1, ""),
        (exact_match("Yes", ignore_case=True), "any", "yes", 1, ""),
        (exact_match("Yes"), "any", "yes", 0, "expected 'Yes'"),
        (exact_match(str.upper), "tea", "TEA", 1, ""),
        (contains("leaf"), "any", "A LEAF in water", 1, ""),
        (contains(["leaf", "water"]), "any", "leaf", 0.5, "missing: 'water'"),
        (contains(["Leaf"], ignore_case=False), "any", "leaf", 0, "missing: 'Leaf'"),
        (regex(r"^\d+$"), "any", "42", 1, ""),
        (regex(r"^\d+$"), "any", "x42", 0, "nothing in 'x42'"),
        (regex(r"= (\d+)", "4"), "any", "2 + 2 = 4", 1, ""),
        (regex(r"= (\d+)", key="sum"), {"sum": 4}, "2 + 2 = 5", 0, "expected 4, found '5'"),
        (json_fields(), {"expected": {"a": 1, "b": 2}}, '```{"a": 1}```', 0.5, "b: missing"),
        (json_fields({"a": 1}), "any", {"a": 2}, 0, "a: expected 1, got 2"),
        (json_fields(both), 1, '{"a": 1, "b": 1, "c": 0}', 1, ""),
        (json_fields(both), 1, "no", 0, "no JSON object"),
    ],
)
async def test_a_guide_scores_and_says_what_is_missing(
    guide: Guide, task: object, output: object, score: float, words: str
) -> None:
    """One row a case."""
    verdict = await judged(guide, task, output)
    assert verdict.score == score
    assert words in verdict.text
    assert bool(words) == bool(verdict.text)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: exact_match()("2 + 2", "4"), "no field 'expected'"),
        (lambda: exact_match({"a": 1})("b", "4"), "no answer is expected"),
        (lambda: exact_match({"a": 1})(["b"], "4"), "no answer is expected"),
        (lambda: json_fields(4)("a", "{}"), "mapping"),
        (lambda: regex("("), "no regular expression"),
        (lambda: regex("a", "a"), "no group"),
        (lambda: combine({}), "at least one"),
        (lambda: combine({"a": contains("x")}, select="b"), "neither a rule nor a guide"),
        (lambda: combine({"a": contains("x")}, select={"b": 1.0}), "weights"),
        (lambda: combine({"a": contains("x")}, select={"a": 0.0}), "weights"),
    ],
)
def test_a_guide_that_cannot_judge_says_why(make: Callable[[], object], message: str) -> None:
    """What is missing is an error, not a score."""
    with pytest.raises(InvalidValue, match=message):
        make()


async def test_a_judge_reads_rubric_task_and_output() -> None:
    """Its reason is the feedback; words around the JSON object do not matter."""
    model = ScriptedModel(['Well. {"reason": "too short", "score": 0.25}'])
    assert await judged(llm_judge(model, "Be long."), "say tea", "tea") == Feedback(
        0.25, "too short"
    )
    question = model.prompts[0][1]["content"]
    assert all(part in question for part in ("Be long.", "say tea", "#Output\ntea"))


@pytest.mark.parametrize(
    "bad", ["fine", '{"score": "high"}', '{"score": 7}', '{"score": NaN}', "{"]
)
async def test_a_malformed_verdict_is_asked_for_once_more(bad: str) -> None:
    """The second answer counts; a second bad one is reported, not scored."""
    model = ScriptedModel([bad, '{"score": 1}'])
    assert (await judged(llm_judge(model, "r"), "t", "o")).score == 1
    assert "could not be used" in model.prompts[1][-1]["content"]
    with pytest.raises(MalformedReply, match="'scripted' gave no usable verdict"):
        await judged(llm_judge(ScriptedModel([bad, bad]), "r"), "t", "o")


async def test_what_a_judge_costs_is_the_budgets() -> None:
    """A verdict that fails leaves the episode unjudged, and its tokens are spent."""
    ledger = Ledger(Budget(episodes=2))
    judge = llm_judge(ScriptedModel([Reply("?", 10, 1, 0.5), Reply("??", 20, 2, 0.5)]), "r")
    runner = EpisodeRunner(Dial(), judge, concurrency=1, ledger=ledger)
    rollout = await runner.run("t", V0, "train", 0)
    assert (rollout.status, rollout.score) == ("unjudged", None)
    assert "MalformedReply" in str(rollout.error)
    # 3 tokens are the workflow's own
    assert (ledger.spent.tokens, ledger.spent.usd, ledger.spent.episodes) == (36, 1.0, 0)


async def quick(_task: object, _output: object) -> tuple[float, str]:
    return 0.5, "slow"


@pytest.mark.parametrize(
    ("select", "score"),
    [
        ("mean", 0.75),
        ("min", 0.5),
        ("max", 1.0),
        ("speed", 0.5),
        ({"right": 3.0, "speed": 1.0}, 0.875),
        ({"right": 2.0}, 1.0),
        (product, 0.5),
    ],
)
async def test_several_scores_become_one(
    select: str | Mapping[str, float] | Callable[[Mapping[str, float]], float], score: float
) -> None:
    """By a rule, a name, weights or a function; the words of all are kept."""
    guide = combine({"right": exact_match("4"), "speed": quick}, select=select)
    assert await judged(guide, "2 + 2", "4") == Feedback(score, "right 1\nspeed 0.5: slow")


async def test_guides_train() -> None:
    """A guide from the shelf is all that a run needs beside its tasks."""
    tone = ta.Parameter("tone", "cold", ta.Choice(("cold", "warm", "hot")))

    def answer(task: ta.Node) -> object:
        trace = ta.current_trace()
        return f"{trace and trace.value_of('tone')} {re.sub('[^0-9]', '', str(task.data))}"

    result = await ta.train(
        ta.wrap(answer, parameters=[tone]),
        [f"tea {i}" for i in range(8)],
        guide=contains("warm"),
        proposals=5,
        batch_size=2,
    )
    assert result.best.values == {"tone": "warm"}

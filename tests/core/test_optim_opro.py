"""OPRO: the scored history in, several samples out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from trace_agents.errors import InvalidValue
from trace_agents.graph import Edge, Graph, GraphNode, Kind, Number, Parameter, Parameters
from trace_agents.llm import Message, Reply
from trace_agents.optimizers import OPRO
from trace_agents.testing import FunctionModel, ScriptedModel

SPACE = Parameters(
    [Parameter("prompt", "Be brief."), Parameter("heat", 0.5, Number(0, 2), "how free")]
)


def block(name: str, value: str) -> str:
    return f"<variable><name>{name}</name><value>{value}</value></variable>"


def episode(name: str, prompt: str = "Be brief.", task: str = "2 + 2") -> Graph:
    nodes = (
        GraphNode("p1", Kind.PARAMETER, "prompt", prompt),
        GraphNode("p2", Kind.PARAMETER, "heat", 0.5),
        GraphNode("task", Kind.INPUT, "task", task),
        GraphNode("answer", Kind.LLM_CALL, "answer", f"answer to {task}"),
    )
    edges = (Edge("p1", "answer"), Edge("p2", "answer"), Edge("task", "answer"))
    return Graph(nodes, edges, name)


def user(model: ScriptedModel, number: int = 0) -> str:
    return model.prompts[number][1]["content"]


async def test_the_history_is_shown_in_ascending_order() -> None:
    """The model reads the best last, with its score, and of many only the best."""
    model = ScriptedModel(["<reasoning>no</reasoning>"])
    optimizer = OPRO(SPACE, llm=model, samples=1, top=2)
    for number, score in enumerate((0.5, 0.1, 0.9)):
        graph = episode(f"ep{number}", f"prompt {number}")
        optimizer.backward(graph, f"score {score}\nmany words")
    await optimizer.propose()
    text = user(model)
    assert text.index("prompt 0") < text.index("score: 0.5") < text.index("prompt 2")
    assert "prompt 1" not in text.partition("#Exemplars")[0]
    assert "many words" not in text.partition("#Exemplars")[0]


async def test_the_worst_episodes_are_the_exemplars() -> None:
    """What went in, what came out and what was said, for as many as asked."""
    model = ScriptedModel(["<reasoning>no</reasoning>"])
    optimizer = OPRO(SPACE, llm=model, samples=1, exemplars=1)
    optimizer.backward(episode("ep1", task="2 + 2"), "score 1")
    optimizer.backward(episode("ep2", task="3 * 3"), "score 0\nwrong")
    await optimizer.propose()
    shown = user(model).partition("#Exemplars")[2]
    assert "input task: 3 * 3\noutput answer: answer to 3 * 3\nfeedback: score 0\nwrong" in shown
    assert "2 + 2" not in shown


async def test_the_samples_of_a_round_are_proposed_one_after_another() -> None:
    """Each new answer is one proposal; repeated ones are dropped, the first carries the cost."""
    values = ("0.1", "0.5", "0.1", "0.9")
    model = ScriptedModel(Reply(block("heat", value), 10, 1, 0.5) for value in values)
    optimizer = OPRO(SPACE, llm=model, samples=4)
    optimizer.backward(episode("ep"), "score 0.3")
    first, second = await optimizer.propose(), await optimizer.propose()
    assert (first.changes, first.tokens, first.usd) == ({"heat": 0.1}, 44, 2.0)
    assert (second.changes, second.tokens) == ({"heat": 0.9}, 0)
    assert len(model.prompts) == 4


async def test_the_samples_are_asked_for_differently() -> None:
    """A cache or a model without chance still gives more than one answer."""
    prompts: list[str] = []

    def answer(messages: Sequence[Message]) -> str:
        prompts.append(messages[-1]["content"])
        return block("heat", f"0.{len(prompts)}")

    optimizer = OPRO(SPACE, llm=FunctionModel(answer), samples=3)
    optimizer.backward(episode("ep"), "score 0.3")
    await optimizer.propose()
    assert len(set(prompts)) == 3


async def test_what_was_told_enters_the_history() -> None:
    """The next round shows the score of each proposal, the rejected ones too."""
    model = ScriptedModel([block("heat", "0.1"), block("heat", "0.2")])
    optimizer = OPRO(SPACE, llm=model, samples=1)
    optimizer.backward(episode("ep"), "score 0.3")
    optimizer.tell(await optimizer.propose(), accepted=False, score=0.25)
    await optimizer.propose()
    assert "heat = 0.1\nscore: 0.25" in user(model, 1)
    assert [trial.score for trial in optimizer.history] == [0.25, 0.3]


async def test_the_history_outlives_the_feedback() -> None:
    """Training forgets the words of a batch, and keeps what each value scored."""
    model = ScriptedModel([block("heat", "0.1"), block("heat", "0.2")])
    optimizer = OPRO(SPACE, llm=model, samples=1)
    optimizer.backward(episode("ep1", "old"), "score 0.3")
    await optimizer.propose()
    optimizer.zero_feedback()
    optimizer.backward(episode("ep2", "new"), "score 0.4")
    await optimizer.propose()
    assert "prompt = old\nheat = 0.5\nscore: 0.3" in user(model, 1)


async def test_words_are_read_where_there_are_no_scores() -> None:
    """With `reads="feedback"` every entry has what was said of it."""
    model = ScriptedModel([block("heat", "0.1")])
    optimizer = OPRO(SPACE, llm=model, samples=1, reads="feedback")
    optimizer.backward(episode("ep1"), "too dry")
    await optimizer.propose()
    assert "heat = 0.5\nfeedback: too dry" in user(model)


async def test_a_missing_sample_is_a_problem_and_no_failure() -> None:
    """The samples that were answered count."""
    optimizer = OPRO(SPACE, llm=ScriptedModel([block("heat", "0.1")]), samples=2)
    optimizer.backward(episode("ep"), "score 0.3")
    proposal = await optimizer.propose()
    assert proposal.changes == {"heat": 0.1}
    assert "a sample is missing" in proposal.problems[0]


async def test_nothing_new_is_said() -> None:
    """A round that repeats what was tried ends as a proposal without changes."""
    optimizer = OPRO(SPACE, llm=ScriptedModel([block("heat", "0.5")]), samples=1)
    optimizer.backward(episode("ep"), "score 0.3")
    assert "not tried before" in (await optimizer.propose()).problems[0]


def test_wrong_sizes_are_refused() -> None:
    """The sentence names the sizes."""
    with pytest.raises(InvalidValue, match="samples"):
        OPRO(SPACE, llm=ScriptedModel([]), samples=0)

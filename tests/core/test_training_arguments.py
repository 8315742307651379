"""Arguments that cannot be what they are meant to be are refused with one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import trace_agents as ta
from tests.core.training_toys import Dial, Scripted, closeness
from trace_agents.errors import EpisodeFailed, InvalidValue
from trace_agents.graph import Number, Parameter, Parameters
from trace_agents.testing import FunctionModel
from trace_agents.training import Budget, Gate, Retry, evaluate, resume, train

SPACE = Parameters([Parameter("dial", 0, Number(0, 100, integer=True))])
OTHERS = Parameters([Parameter("knob", 0, Number(0, 100, integer=True))])
TASKS = [f"task {i}" for i in range(12)]
SILENT = FunctionModel(lambda _: "")


async def attempt(workflow: Any = None, tasks: Any = TASKS, **given: Any) -> ta.TrainResult:
    arguments: dict[str, Any] = {"guide": closeness, "optimizer": Scripted(), "proposals": 1}
    return await train(workflow or Dial(space=SPACE), tasks, **(arguments | given))


def no_optimizer(_parameters: object) -> int:
    return 5


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"workflow": len}, "the function len is no workflow; wrap it first: ta.wrap"),
    ({"workflow": Dial}, "the class Dial is no workflow"),
    ({"tasks": "hello world"}, "tasks='hello world' is no list of tasks"),
    ({"tasks": 5}, "tasks=5 is no list of tasks"),
    ({"tasks": iter(TASKS[:3])}, "at least 4 tasks"),
    ({"gate_tasks": "gate"}, "gate_tasks='gate'"),
    ({"report_tasks": "report"}, "report_tasks='report'"),
    ({"guide": None}, "guide= must be a function"),
    ({"guide": "warm"}, "guide= must be a function of task and output, not 'warm'"),
    ({"budget": 5}, r"budget=5 cannot be used; give ta.Budget\(episodes=100\)"),
    ({"gate": 0.1}, "gate=0.1 cannot be used"),
    ({"gate": Gate}, "gate=the class Gate cannot be used"),
    ({"retry": 3}, "retry=3"),
    ({"stop": "stopfile"}, "stop='stopfile' cannot be used; give an anyio.Event"),
    ({"rollback": "off"}, "rollback='off' cannot be used; give False"),
    ({"run_dir": 5}, "run_dir=5"),
    ({"batches": "signatur"}, "batches must be 'mixed' or 'signature', got 'signatur'"),
    ({"batch_size": "3"}, "batch_size must be a whole number, got '3'"),
    ({"concurrency": 1.5}, "concurrency must be a whole number"),
    ({"proposals": -1}, "proposals must be 0 or more"),
    ({"deadline": -1}, "deadline must be more than 0 seconds, got -1"),
    ({"deadline": 0}, "deadline must be more than 0 seconds"),
    ({"algorithm": 3}, "algorithm=3"),
    ({"loggers": ["x"]}, "loggers= holds 'x', which is no logger"),
    ({"loggers": "x"}, "loggers= holds 'x'"),
    ({"on_event": "x"}, "on_event='x' must be a function"),
    ({"optimizer": "OptoPrime"}, "optimizer='OptoPrime' is a text; .*optimizer_model="),
    ({"optimizer": ta.Search}, "optimizer=Search is a class; give an object of it"),
    ({"optimizer": 5}, "neither an optimizer nor makes one"),
    ({"optimizer": no_optimizer}, "made 5, which is no optimizer"),
    ({"optimizer": ta.OptoPrime([], llm=SILENT)}, "OptoPrime has no parameter that may change"),
    ({"optimizer": ta.OPRO(OTHERS, llm=SILENT)}, "OPRO would change 'knob', which the"),
    ({"optimizer": ta.Search(OTHERS)}, "Search would change 'knob'"),
]


@pytest.mark.parametrize(("given", "sentence"), WRONG)
async def test_a_wrong_argument_is_refused(given: dict[str, Any], sentence: str) -> None:
    """Before any episode, alone, and with what to give in its place."""
    with pytest.raises(InvalidValue, match=sentence):
        await attempt(**given)


@pytest.mark.parametrize("limit", ["episodes", "tokens", "usd", "seconds", "calls"])
@pytest.mark.parametrize("amount", [-1, float("nan"), "5"])
def test_a_limit_that_is_no_amount_is_refused(limit: str, amount: Any) -> None:
    """A budget below nothing would end no run, or every one."""
    with pytest.raises(InvalidValue, match=f"the budget of {limit} must be 0 or more"):
        Budget(**{limit: amount})


def test_a_retry_needs_full_names() -> None:
    """A short name would never be met."""
    with pytest.raises(InvalidValue, match="full name of an exception, got 'nope'"):
        Retry(on=("nope",))


async def test_a_generator_of_tasks_is_read_once() -> None:
    """A run may take its tasks from one; the parts are those of the list."""
    made = await attempt(tasks=(task for task in TASKS), report_tasks=iter(["report"]))
    assert made.train_tasks == (await attempt()).train_tasks
    assert made.gate_tasks
    assert made.report is not None


async def test_a_run_dir_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """The sentence names the file."""
    (tmp_path / "afile").write_text("", encoding="utf-8")
    with pytest.raises(InvalidValue, match="afile' is a file; give a folder"):
        await attempt(run_dir=tmp_path / "afile")


@pytest.mark.parametrize("verdict", ["good", None, ("a", "b"), ()])
async def test_a_guide_without_a_score_is_told_what_to_return(verdict: Any) -> None:
    """What it returned is in the sentence."""

    def guide(_task: object, _output: object) -> Any:
        return verdict

    with pytest.raises(EpisodeFailed, match=r"must return a score or \(score, text\), not"):
        await attempt(guide=guide)


async def test_a_run_that_goes_on_checks_its_arguments_as_well(tmp_path: Path) -> None:
    """A plain function is no workflow there either."""
    with pytest.raises(InvalidValue, match="wrap it first"):
        await resume(tmp_path, closeness, guide=closeness)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidValue, match="guide= must be"):
        await resume(tmp_path, Dial(), guide="warm")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("workflow", "tasks", "guide", "sentence"),
    [
        (closeness, TASKS, closeness, "wrap it first"),
        (Dial(space=SPACE), "hello", closeness, "is no list of tasks"),
        (Dial(space=SPACE), TASKS, None, "guide= must be a function"),
    ],
)
async def test_an_evaluation_checks_its_arguments(
    workflow: Any, tasks: Any, guide: Any, sentence: str
) -> None:
    """The same sentences as those of a training."""
    with pytest.raises(InvalidValue, match=sentence):
        await evaluate(workflow, tasks, {"dial": 1}, guide=guide)

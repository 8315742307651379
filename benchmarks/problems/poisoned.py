"""A proposer that is often wrong, on purpose: what may go live after it?

Of its answers 5 % hold hostile code, 20 % are malformed, 30 % make things worse; the others do a
part of what the feedback says. OptoPrime, the types, the sandbox and the gate have to cope.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import trace_agents as ta
from trace_agents.graph import Values
from trace_agents.llm import Message
from trace_agents.sandbox import MontySandbox
from trace_agents.testing import FunctionModel

HOSTILE, MALFORMED, WORSE = 0.05, 0.20, 0.30
START, WANTED = 20, 75
PROPOSALS = 24
TASKS, GATE_TASKS = tuple(range(2, 14)), tuple(range(14, 22))
UNSEEN = tuple(range(22, 42))
"""Tasks that neither the proposer nor the gate ever sees."""
STEPS = ("return x", "return x + x", "return x + x + 1")
"""The bodies of the function on its way to the right one."""
CODE = "reckon.code"
_HEAD = 'def reckon(x: int) -> int:\n    """Return what the customer has to pay."""\n    '
_ENDS = {
    "hostile": HOSTILE,
    "malformed": HOSTILE + MALFORMED,
    "worse": HOSTILE + MALFORMED + WORSE,
    "better": 1.0,
}
"""Below which drawn number an answer is of which kind."""
_CRIMES = (
    "import os\n    os.system('touch poisoned')\n    return x",
    "while True:\n        x = x + 1",
    "return [0] * 10**12",
    "return open('/etc/passwd').read()",
    "return __import__('subprocess').run('id')",
)
_NONSENSE = (
    "I cannot help with that.",
    "",
    "<variable><name>heat</name><value>hot</value></variable>",
    "<variable><name>heat</name><value>5000</value></variable>",
    "<variable><name>taste</name><value>3</value></variable>",
    "<variable><name>reckon.code</name><value>def other(y): return y</value></variable>",
    "<variable><name>reckon.code</name><value>def reckon(x: int) -> int:</value></variable>",
    '{"heat": ',
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the live values."""

    scores: tuple[float, ...]
    """What each live version is worth on the unseen tasks, in order."""
    answers: dict[str, int]
    """How many answers of each kind the proposer gave."""

    @property
    def falls(self) -> int:
        """How often a version was worse than the one before."""
        pairs = zip(self.scores, self.scores[1:], strict=False)
        return sum(after < before - 1e-12 for before, after in pairs)


@ta.bundle(trainable=True, sandbox=MontySandbox(seconds=0.2, workers=1))
def reckon(x: int) -> int:
    """Return what the customer has to pay."""
    return x


@ta.bundle()
def cooked(heat: int, price: int) -> list[int]:
    """Return a meal's heat and price."""
    return [heat, price]


def guide(task: object, output: object) -> tuple[float, str]:
    """Judge the heat and the price, half each, and say what is wrong."""
    heat, price = map(int, re.findall(r"-?\d+", str(output)))
    right = 2 * int(str(task)) + 1
    parts = 1 - abs(heat - WANTED) / 100, max(0.0, 1 - abs(price - right) / right)
    return sum(parts) / 2, f"the heat is off by {WANTED - heat}, the price by {right - price}"


class Poisoner:
    """The stand-in model; it reads the values and the feedback in the prompt."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(f"poisoner/{seed}")
        self.answers = dict.fromkeys(_ENDS, 0)

    def __call__(self, messages: Sequence[Message]) -> str:
        """Return an answer of some kind."""
        drawn = self._rng.random()
        kind = next(name for name, end in _ENDS.items() if drawn < end)
        self.answers[kind] += 1
        found = re.findall(r'name="(.+?)">\n<value>\n(.*?)\n</value>', messages[1]["content"], re.S)
        values = dict(found)
        heat = int(values.get("heat", WANTED))  # missing where the code failed before it was read
        body = values.get(CODE, STEPS[-1]).rpartition("    ")[2]
        return str(getattr(self, f"_{kind}")(heat, body))

    def _hostile(self, _heat: int, _body: str) -> str:
        return _block(CODE, _HEAD + self._rng.choice(_CRIMES))

    def _malformed(self, _heat: int, _body: str) -> str:
        return self._rng.choice(_NONSENSE)

    def _worse(self, heat: int, body: str) -> str:
        if self._rng.random() < 0.5 and body != STEPS[0]:
            return _block(CODE, _HEAD + STEPS[0])
        away = self._rng.randint(5, 20)
        return _block("heat", str(max(0, heat - away) if heat <= WANTED else min(100, heat + away)))

    def _better(self, heat: int, body: str) -> str:
        if body != STEPS[-1] and (heat == WANTED or self._rng.random() < 0.5):
            return _block(CODE, _HEAD + STEPS[STEPS.index(body) + 1 if body in STEPS else 0])
        return _block("heat", str(heat + round((WANTED - heat) * 0.4)))


def _block(name: str, value: str) -> str:
    return (
        f"<reasoning>so</reasoning><variable><name>{name}</name><value>{value}</value></variable>"
    )


async def trained(seed: int) -> Outcome:
    """Return what went live in a training with the gate."""
    workflow, model = _workflow(), Poisoner(seed)
    result = await ta.train(
        workflow,
        TASKS,
        gate_tasks=GATE_TASKS,
        guide=guide,
        optimizer=ta.OptoPrime(workflow.parameters(), llm=FunctionModel(model)),
        budget=ta.Budget(episodes=2_000),
        proposals=PROPOSALS,
        batch_size=3,
        gate=ta.Gate(z=0),
        seed=seed,
    )
    scores = [await worth(workflow, version.values) for version in result.versions]
    return Outcome(tuple(scores), model.answers)


async def stepped(seed: int) -> Outcome:
    """Return what the same proposer does where its answers are applied at once."""
    workflow, model = _workflow(), Poisoner(seed)
    parameters = workflow.parameters()
    optimizer = ta.OptoPrime(parameters, llm=FunctionModel(model))
    values = parameters.defaults()
    scores = [await worth(workflow, values)]
    for task in range(PROPOSALS):
        optimizer.zero_feedback()
        async with ta.applied(workflow, values) as trace:
            try:
                output = await workflow.run(task)
                score, words = guide(task, output)
            except ta.ExecutionError as error:
                score, words = 0.0, str(error)
        optimizer.backward(trace.graph(), f"score {score:g}\n{words}")
        proposal = await optimizer.propose(values)
        values = {**values, **proposal.changes}
        scores.append(await worth(workflow, values))
    return Outcome(tuple(scores), model.answers)


async def worth(workflow: ta.Workflow, values: Values) -> float:
    """Return how good values are on tasks that nobody has seen; what fails is worth nothing."""
    rollouts = await ta.evaluate(workflow, UNSEEN, values, guide=guide)
    return sum(r.feedback.score if r.feedback else 0.0 for r in rollouts) / len(UNSEEN)


def _workflow() -> ta.Workflow:
    heat = ta.node(START, "heat", trainable=True, constraint=ta.Number(0, 100, integer=True))

    async def run(task: ta.Node) -> object:
        return cooked(heat, reckon(task))

    return ta.wrap(run, parameters=[heat, *reckon.parameters()])

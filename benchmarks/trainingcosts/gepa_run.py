"""One training by gepa: `gepa_run.py MODEL_SECONDS SEED [PxN]`, in an environment that has it."""

from __future__ import annotations

import importlib
import json
import random
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

GEPA: Any = importlib.import_module("gepa")
ADAPTER: Any = importlib.import_module("gepa.core.adapter")
SAMPLING: Any = importlib.import_module("gepa.strategies.proposal_sampling")
RULES: Any = importlib.import_module("rules")


class Quiet:
    """A logger that says nothing."""

    def log(self, message: str) -> None:
        """Say nothing."""


class Adapter:
    """Runs episodes side by side, at most eight at once, over all batches."""

    propose_new_texts = None

    def __init__(self, at_once: int) -> None:
        self.pool = ThreadPoolExecutor(at_once)
        self.episodes = 0

    def evaluate(
        self, batch: Sequence[str], candidate: Mapping[str, str], capture_traces: bool = False
    ) -> Any:
        """Run one batch."""
        return self._gathered(batch, self._started(batch, candidate), capture_traces)

    def batch_evaluate(self, items: Sequence[tuple[Mapping[str, str], Sequence[str]]]) -> list[Any]:
        """Run several batches at once."""
        started = [self._started(batch, candidate) for candidate, batch in items]
        return [
            self._gathered(batch, futures, True)
            for (_, batch), futures in zip(items, started, strict=True)
        ]

    def make_reflective_dataset(
        self, candidate: Mapping[str, str], batch: Any, components: Sequence[str]
    ) -> dict[str, list[dict[str, str]]]:
        """Return what the reflecting model reads."""
        rows = [
            {"Inputs": given, "Generated Outputs": "done", "Feedback": f"score {score}: {words}"}
            for given, score, words in batch.trajectories
        ]
        return dict.fromkeys(components, rows)

    def _started(self, batch: Sequence[str], candidate: Mapping[str, str]) -> list[Any]:
        self.episodes += len(batch)
        return [self.pool.submit(self._one, given, candidate["prompt"]) for given in batch]

    def _one(self, given: str, prompt: str) -> tuple[str, float, str]:
        time.sleep(RULES.seconds(given))
        score, words = RULES.judged(given, prompt)
        return given, score, words

    def _gathered(self, batch: Sequence[str], futures: Sequence[Any], traces: bool) -> Any:
        done = [future.result() for future in futures]
        return ADAPTER.EvaluationBatch(
            outputs=[given for given, _, _ in done],
            scores=[score for _, score, _ in done],
            trajectories=done if traces else None,
        )


class Reflection:
    """The stand-in for the reflecting model."""

    def __init__(self, seconds: float, seed: int) -> None:
        self.seconds, self.draw, self.lock = seconds, random.Random(seed), threading.Lock()
        self.pool = ThreadPoolExecutor(8)

    def __call__(self, prompt: object) -> str:
        """Return a prompt that heeds some of the complaints."""
        time.sleep(self.seconds)
        text = prompt if isinstance(prompt, str) else json.dumps(prompt)
        with self.lock:
            return f"```\n{RULES.reflected(text, text, self.draw)}\n```"

    def batch_complete(self, prompts: Sequence[Any], **_: object) -> list[str]:
        """Answer several prompts at once, as a provider would."""
        return list(self.pool.map(self, prompts))


def main(model_seconds: float, seed: int, shape: str, plan: Mapping[str, int]) -> dict[str, float]:
    """Train once; return the wall time, the final score on unseen tasks, and the episodes."""
    adapter = Adapter(plan["concurrency"])
    parents, mutations = map(int, shape.split("x"))
    began = time.perf_counter()
    result = GEPA.optimize(
        seed_candidate={"prompt": RULES.START},
        trainset=RULES.tasks(seed, 0, plan["train"]),
        valset=RULES.tasks(seed, 1000, plan["gate"]),
        adapter=adapter,
        reflection_lm=Reflection(model_seconds, seed),
        max_metric_calls=plan["episodes"],
        sampling_strategy=None if shape == "1x1" else SAMPLING.PxNSampling(parents, mutations),
        reflection_minibatch_size=plan["minibatch"],
        logger=Quiet(),
        seed=seed,
    )
    wall = time.perf_counter() - began
    best = result.best_candidate["prompt"]
    score = RULES.mean_score(best, RULES.tasks(seed, 2000, 200))
    return {"wall": wall, "score": score, "episodes": adapter.episodes}


if __name__ == "__main__":
    plan: dict[str, int] = json.loads(sys.argv[4])
    print(json.dumps(main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3], plan)))

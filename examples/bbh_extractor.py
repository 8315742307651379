"""Learn where the answer stands in what a model wrote, on real recorded completions.

    python examples/bbh_extractor.py [--data FOLDER] [--model NAME]

The completions are code-davinci-002's on three tasks of BIG-Bench Hard (Suzgun et al. 2022, MIT),
`recorded_cot_<task>.json` with `question`, `prediction` and `target`; none come with this project.
Half of them train and judge, the other half reports. Without a model `Search` tries the choices,
beside a search by chance; a `NAME` that litellm knows lets OptoPrime read the completions.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

import anyio

import trace_agents as ta
from examples.curves import show
from trace_agents.guides import exact_match
from trace_agents.optimizers import Optimizer

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "bbh"

marker = ta.node(
    "none",
    "marker",
    trainable=True,
    constraint=ta.Choice(("none", "=", ":", "So", "are", "answer", "answer is", "Hence")),
    description="the words behind which the answer stands",
)
which = ta.node("first", "which", trainable=True, constraint=ta.Choice(("first", "last")))
until = ta.node(
    "the end",
    "until",
    trainable=True,
    constraint=ta.Choice(("the end", "a comma", "a space", "a full stop", "the line's end")),
)
strip = ta.node(
    "nothing",
    "strip",
    trainable=True,
    constraint=ta.Choice(("nothing", "spaces", "quotes", "full stops and spaces")),
)
keep = ta.node(
    "the first word",
    "keep",
    trainable=True,
    constraint=ta.Choice(("everything", "the first word", "the last word", "the first number")),
)
case = ta.node(
    "lower", "case", trainable=True, constraint=ta.Choice(("lower", "upper", "as it is"))
)
PARAMETERS = [marker, which, until, strip, keep, case]
ENDS = {"the end": "\0", "a comma": ",", "a space": " ", "a full stop": ".", "the line's end": "\n"}
STRIPPED = {"nothing": "\0", "spaces": " ", "quotes": "\"'", "full stops and spaces": ". \n"}


@ta.bundle()
def extract(completion: str, marker: str, which: str, until: str, strip: str) -> str:
    """Return the part of a completion in which the answer stands."""
    cut = completion.partition if which == "first" else completion.rpartition
    answer = completion if marker == "none" else cut(marker)[2]
    return answer.strip(" ").partition(ENDS[until])[0].strip(STRIPPED[strip])


@ta.bundle()
def tidied(part: str, keep: str, case: str) -> str:
    """Return the answer itself."""
    pattern = {"the first word": r"^\S+", "the last word": r"\S+$", "the first number": r"\d+"}
    found = re.search(pattern.get(keep, ".*"), part, re.DOTALL)
    answer = found[0] if found else ""
    return {"lower": answer.lower(), "upper": answer.upper()}.get(case, answer)


@ta.bundle()
def completion_of(record: dict[str, str]) -> str:
    """Return what the model wrote."""
    return record["prediction"]


async def answer(record: ta.Node) -> object:
    """Read one completion."""
    return tidied(extract(completion_of(record), marker, which, until, strip), keep, case)


def recorded(folder: Path) -> list[dict[str, str]]:
    """Return all completions, in an order of their own."""
    found: list[dict[str, str]] = []
    for file in sorted(folder.glob("recorded_cot_*.json")):
        found.extend(json.loads(file.read_text(encoding="utf-8"))["outputs"])
    if not found:
        raise SystemExit(f"no recorded_cot_*.json in {folder}; name their folder with --data")
    Random(0).shuffle(found)
    return found


async def learn(
    records: Sequence[dict[str, str]], optimizer: Optimizer, *, proposals: int = 40
) -> ta.TrainResult:
    """Return a training on one half, with the other held out for the report."""
    half = len(records) // 2
    return await ta.train(
        ta.wrap(answer, parameters=PARAMETERS),
        records[half // 2 : half],
        gate_tasks=records[: half // 2],
        report_tasks=records[half:],
        guide=exact_match(key="target"),
        optimizer=optimizer,
        budget=ta.Budget(episodes=20_000),
        proposals=proposals,
        batch_size=4,
        gate=ta.Gate(z=0),  # a completion is always read in the same way
        deterministic=True,
    )


async def main(folder: Path, model: str | None) -> None:
    """Print how the live score grows, and what it is by chance."""
    records, nodes = recorded(folder), ta.wrap(answer, parameters=PARAMETERS).parameters()
    print(f"{len(records)} completions, {len(records) - len(records) // 2} of them held out")
    optimizer = ta.OptoPrime(nodes, llm=model) if model else ta.Search(nodes, seed=1)
    results = {type(optimizer).__name__: await learn(records, optimizer)}
    results["by chance"] = await learn(records, ta.Search(nodes, seed=1, engine="random"))
    show(results)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Learn to extract answers.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the completions")
    parser.add_argument("--model", help="a model for OptoPrime, by its litellm name")
    given = parser.parse_args()
    anyio.run(main, given.data, given.model)

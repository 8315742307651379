"""Learn to play battleship: which opening, how far apart, and what to do after a hit?

    python examples/battleship.py [--model NAME]

Without a model, `Search` tries the choices, beside a search by chance. A `NAME` that litellm
knows lets OptoPrime read the games instead.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from random import Random
from typing import TypeAlias

import anyio

import trace_agents as ta
from examples.curves import show
from trace_agents.optimizers import Optimizer

SIZE = 8
SHIPS = (4, 3, 3, 2)
Cell: TypeAlias = tuple[int, int]

opening = ta.node(
    "rows",
    "opening",
    trainable=True,
    constraint=ta.Choice(("rows", "columns", "scattered", "centre first", "border first")),
    description="in which order cells are shot at",
)
spacing = ta.node(
    1,
    "spacing",
    trainable=True,
    constraint=ta.Number(1, 5, integer=True),
    description="only every so-many-th diagonal is opened at first",
)
after_hit = ta.node(
    "go on",
    "after_hit",
    trainable=True,
    constraint=ta.Choice(("go on", "below", "corners", "around", "along the line")),
    description="where to shoot after a hit",
)


def hidden(seed: int) -> set[Cell]:
    """Return the cells of ships that lie somewhere, without overlap."""
    rng, taken = Random(seed), set[Cell]()
    for length in SHIPS:
        while True:
            row, column = rng.randrange(SIZE), rng.randrange(SIZE)
            down = rng.random() < 0.5
            cells = {(row + k * down, column + k * (not down)) for k in range(length)}
            if not cells & taken and all(max(cell) < SIZE for cell in cells):
                taken |= cells
                break
    return taken


def opened(order: str, apart: int, rng: Random) -> list[Cell]:
    """Return all cells in the order in which they are opened."""
    cells = [(row, column) for row in range(SIZE) for column in range(SIZE)]
    rng.shuffle(cells)
    return sorted(cells, key=lambda cell: (sum(cell) % apart != 0, rank(cell, order)))


def rank(cell: Cell, order: str) -> float:
    """Return when a cell's turn is."""
    outside = max(abs(place - (SIZE - 1) / 2) for place in cell)
    ranks = {"rows": cell[0], "columns": cell[1], "centre first": outside, "border first": -outside}
    return ranks.get(order, 0)


def beside(cell: Cell, hits: set[Cell], how: str) -> Iterator[Cell]:
    """Yield where to shoot after a hit."""
    steps = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    if how == "along the line":  # if a neighbour is hit, the ship goes on beyond it
        steps.sort(key=lambda step: (cell[0] - step[0], cell[1] - step[1]) not in hits)
    if how in ("go on", "below"):
        steps = steps[:1] if how == "below" else []
    if how == "corners":
        steps = [(1, 1), (-1, -1), (1, -1), (-1, 1)]
    yield from ((cell[0] + down, cell[1] + right) for down, right in steps)


@ta.bundle()
def play(board: int, opening: str, spacing: int, after_hit: str) -> int:
    """Return the shots that a game takes until the last ship is sunk."""
    ships, shots, hits = hidden(board), set[Cell](), set[Cell]()
    order, next_up = opened(opening, spacing, Random(board)), list[Cell]()
    while hits != ships:
        wanted = (cell for cell in (*reversed(next_up), *order) if cell not in shots)
        cell = next(c for c in wanted if min(c) >= 0 and max(c) < SIZE)
        shots.add(cell)
        if cell in ships:
            hits.add(cell)
            next_up.extend(reversed(list(beside(cell, hits, after_hit))))
    return len(shots)


async def game(board: ta.Node) -> object:
    """Play one game."""
    return play(board, opening, spacing, after_hit)


def judge(_board: object, shots: object) -> tuple[float, str]:
    """Score a game from 0 (every cell was shot at) to 1 (no shot missed)."""
    missed, most = int(str(shots)) - sum(SHIPS), SIZE * SIZE - sum(SHIPS)
    return 1 - missed / most, f"{missed} shots missed; a hit says that the ship goes on beside it"


async def learn(optimizer: Optimizer, *, proposals: int = 24, games: int = 40) -> ta.TrainResult:
    """Return a training on some boards, judged on others, reported on a third part."""
    return await ta.train(
        ta.wrap(game, parameters=[opening, spacing, after_hit]),
        range(games),
        gate_tasks=range(1_000, 1_000 + games),
        report_tasks=range(2_000, 2_000 + games),
        guide=judge,
        optimizer=optimizer,
        budget=ta.Budget(episodes=200 * games),
        proposals=proposals,
        batch_size=2,
        deterministic=True,
    )


async def main(model: str | None) -> None:
    """Print how the live score grows, and what it is by chance."""
    nodes = ta.wrap(game, parameters=[opening, spacing, after_hit]).parameters()
    optimizer = ta.OptoPrime(nodes, llm=model) if model else ta.Search(nodes, seed=1)
    results = {type(optimizer).__name__: await learn(optimizer)}
    results["by chance"] = await learn(ta.Search(nodes, seed=1, engine="random"))
    show(results)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Learn to play battleship.")
    parser.add_argument("--model", help="a model for OptoPrime, by its litellm name")
    anyio.run(main, parser.parse_args().model)

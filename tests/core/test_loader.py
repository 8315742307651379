from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_agents.errors import InvalidValue
from trace_agents.training import DataLoader

TASKS = [f"task {number}" for number in range(10)]


def drawn(loader: DataLoader, batches: int) -> list[object]:
    return [task for batch in islice(loader, batches) for task in batch]


@given(st.integers(1, 30), st.integers(1, 7), st.integers(0, 5))
def test_every_epoch_holds_every_task_once(count: int, size: int, seed: int) -> None:
    """Whatever the sizes, each stretch of one epoch's length is a permutation of the tasks."""
    loader = DataLoader(list(range(count)), batch_size=size, seed=seed)
    tasks = drawn(loader, 3 * count)
    for epoch in range(3):
        assert sorted(map(str, tasks[epoch * count :][:count])) == sorted(map(str, range(count)))


def test_the_seed_fixes_the_order_and_another_seed_another() -> None:
    """Two loaders of one seed agree; of two seeds they do not."""
    assert drawn(DataLoader(TASKS, seed=1), 9) == drawn(DataLoader(TASKS, seed=1), 9)
    assert drawn(DataLoader(TASKS, seed=1), 9) != drawn(DataLoader(TASKS, seed=2), 9)


@pytest.mark.parametrize("gone", [0, 1, 4, 7])
def test_a_loader_goes_on_where_another_stopped(gone: int) -> None:
    """The position is all of its state."""
    whole = [*islice(DataLoader(TASKS, batch_size=3), 9)]
    first = DataLoader(TASKS, batch_size=3)
    begun = [*islice(first, gone)]
    second = DataLoader(TASKS, batch_size=3)
    second.position = first.position
    assert [*begun, *islice(second, 9 - gone)] == whole


@given(st.lists(st.floats(0, 10), min_size=2, max_size=12).filter(lambda w: sum(w) > 0.1))
def test_weights_decide_how_often_a_task_comes(weights: list[float]) -> None:
    """In every epoch a task comes as often as its weight says, rounded up or down."""
    count = len(weights)
    loader = DataLoader(range(count), batch_size=count, weight=lambda task: weights[int(str(task))])
    for epoch in islice(loader, 4):
        seen = Counter(int(str(task)) for task in epoch)
        for task, weight in enumerate(weights):
            assert abs(seen[task] - weight / sum(weights) * count) < 1 + 1e-6


def test_a_task_of_no_weight_never_comes() -> None:
    """Weight 0 leaves a task out, and the others fill its place."""
    loader = DataLoader(TASKS, weight=lambda task: task != "task 3")
    assert "task 3" not in drawn(loader, 20)


def test_a_curriculum_begins_with_the_easiest_and_ends_with_all() -> None:
    """Epoch by epoch a larger part is in, the easiest first."""
    loader = DataLoader(
        TASKS, batch_size=10, difficulty=lambda task: int(str(task).split()[1]), pace=5
    )
    epochs = [*islice(loader, 6)]
    hardest = [max(int(str(task).split()[1]) for task in epoch) for epoch in epochs]
    assert hardest == [1, 3, 5, 7, 9, 9]
    assert [len(set(epoch)) for epoch in epochs] == [2, 4, 6, 8, 10, 10]


def test_weights_hold_inside_a_curriculum() -> None:
    """Where the easiest tasks weigh nothing, they come all the same, evenly."""
    loader = DataLoader(
        [0, 1, 2, 3],
        batch_size=4,
        difficulty=lambda task: int(str(task)),
        weight=lambda task: int(str(task)) >= 2,
        pace=2,
    )
    first, second = islice(loader, 2)
    assert Counter(first) == {0: 2, 1: 2}
    assert set(second) == {2, 3}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: DataLoader([]), "no tasks"),
        (lambda: DataLoader(TASKS, batch_size=0), "batch_size"),
        (lambda: DataLoader(TASKS, weight=lambda _: -1), "weight of task 'task 0' is -1"),
        (lambda: DataLoader(TASKS, weight=lambda _: 0), "every task is 0"),
        (lambda: DataLoader(TASKS, difficulty=lambda _: float("nan")), "difficulty of task"),
        (lambda: DataLoader(TASKS, pace=0), "pace"),
    ],
)
def test_figures_that_cannot_be_used_are_refused(make: object, said: str) -> None:
    """The sentence names what is wrong."""
    assert callable(make)
    with pytest.raises(InvalidValue, match=said):
        make()

"""The household simulator: grammar, refusals, vision, conflicts, determinism."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_agents.errors import InvalidValue, TaskFileError
from trace_agents_multiagent.household import (
    FAMILIES,
    MACROS,
    Action,
    House,
    HouseTask,
    Ref,
    make_house,
    parse,
    read_tasks,
    unparse,
)

TASK = HouseTask("put_dishwasher", "dev", 1)
NAMES = st.from_regex(r"[a-z]{1,12}", fullmatch=True)
REFS = st.builds(Ref, NAMES, st.none() | st.integers(0, 999))
SINGLE = st.sampled_from(["grab", "open", "close", "walktowards", "goexplore", "gocheck"])
DOUBLE = st.sampled_from(["putin", "putback"])
ACTIONS = st.one_of(
    st.just(Action("noop")),
    st.builds(Action, SINGLE, st.tuples(REFS)),
    st.builds(Action, DOUBLE, st.tuples(REFS, REFS)),
    st.builds(Action, st.just("send_message"), st.tuples(st.builds(Ref, NAMES)), st.text()),
)


@given(ACTIONS)
def test_grammar_round_trips(action: Action) -> None:
    """Whatever can be written is read back as the same action, and written the same again."""
    assert parse(unparse(action)) == action
    assert unparse(parse(unparse(action))) == unparse(action)


@pytest.mark.parametrize(
    "text", ["grab plate", "[fly] <plate> (1)", "[grab]", "[grab] <a> (1) <b> (2)"]
)
def test_grammar_refuses_what_it_does_not_know(text: str) -> None:
    """A text that is no action is refused with the text in the sentence."""
    with pytest.raises(InvalidValue) as refusal:
        parse(text)
    assert repr(text) in str(refusal.value)


def test_macros_are_verbs_of_the_grammar() -> None:
    """Every macro that takes one thing can be parsed."""
    for verb in set(MACROS) - {"send_message"}:
        assert parse(f"[{verb}] <x> (1)").verb == verb


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("split", ["train", "gate", "dev"])
def test_layouts_hold_what_the_goal_wants(family: str, split: str) -> None:
    """Three to five goal objects exist outside the goal place, and all rooms are connected."""
    for seed in range(20):
        layout = make_house(HouseTask(family, split, seed))
        names = [item.name for item in layout.objects.values()]
        assert 3 <= layout.goal.total <= 5
        assert all(names.count(name) >= count for name, count in layout.goal.counts.items())
        assert layout.goal.target not in layout.places.values()
        here = next(iter(layout.rooms.values()))
        for room in layout.rooms.values():
            assert layout.path(here.centre, here.name, room.centre, room.name)
        assert len(layout.rooms) >= 4


def test_layouts_are_the_same_whatever_the_global_generator_does() -> None:
    """A task's house depends on its name only."""
    random.seed(1)
    first = make_house(TASK)
    random.seed(2)
    assert make_house(TASK) == first
    assert make_house(HouseTask("put_dishwasher", "dev", 2)) != first


def test_refusals_say_who_and_why() -> None:
    """Touching a thing from afar is refused with the distance or the room."""
    house = House(TASK)
    far = next(f for f in house.layout.furniture.values() if house.distance("alice", f) > 2)
    _, _, _, _, infos = house.step({"alice": f"[open] {far.ref}", "bob": "[dance]"})
    assert str(infos["alice"]["refusal"]).startswith(f"alice is not close to {far.ref}")
    assert "is not an action" in str(infos["bob"]["refusal"])


def test_an_agent_sees_its_room_only() -> None:
    """Nothing of other rooms and nothing in closed containers is visible."""
    house = House(TASK)
    view = house.observe("alice")
    assert {f.room for f in view.furniture} == {view.room}
    closed = [f.id for f in view.furniture if f.container and f.id not in view.opened]
    assert not set(closed) & set(view.visible)
    assert "bob" not in view.teammates


def test_a_message_arrives_with_the_next_step_and_only_then() -> None:
    """Mail is delivered once, to its receiver."""
    house = House(TASK)
    views, *_ = house.step({"alice": "[send_message] <bob>: hello"})
    assert views["bob"].messages == (("alice", "hello"),)
    assert views["alice"].messages == ()
    views, *_ = house.step({})
    assert views["bob"].messages == ()


def test_a_long_message_is_refused() -> None:
    """More than 500 characters are not sent."""
    *_, infos = House(TASK).step({"alice": f"[send_message] <bob>: {'x' * 501}"})
    assert "501 characters" in str(infos["alice"]["refusal"])


def _both_beside_an_object() -> tuple[House, Action]:
    house = House(TASK)
    number, place = next(iter(house.layout.places.items()))
    furniture = house.layout.furniture[place]
    for _ in range(60):
        house.step(dict.fromkeys(house.agents, f"[walktowards] {furniture.ref}"))
    if furniture.container:
        house.step({"alice": f"[open] {furniture.ref}"})
    return house, Action("grab", (house.layout.objects[number],))


def test_two_hands_on_one_object_are_settled_by_the_step_number() -> None:
    """One gets it, the other is told why; the next step number settles it the other way."""
    house, grab = _both_beside_an_object()
    later = house.clone()
    later.step({})
    winners: list[str] = []
    for each in (house, later):
        *_, infos = each.step({"alice": grab, "bob": grab})
        losers = [name for name, info in infos.items() if info["refusal"]]
        assert len(losers) == 1
        assert "holds it; a teammate was first" in str(infos[losers[0]]["refusal"])
        winners.append(losers[0])
    assert set(winners) == {"alice", "bob"}


def test_legal_actions_are_not_refused_and_clones_are_independent() -> None:
    """Random legal play is never refused, and a restored snapshot replays to the same state."""
    house, rng = House(TASK), random.Random(3)
    start = house.snapshot()
    taken: list[Action] = []
    for _ in range(80):
        taken.append(rng.choice(house.legal_actions("alice")))
        *_, infos = house.step({"alice": taken[-1]})
        assert infos["alice"]["refusal"] == ""
    end = house.snapshot()
    house.restore(start)
    for action in taken:
        house.step({"alice": action})
    assert house.snapshot() == end


def test_episodes_are_truncated_at_the_limit() -> None:
    """At `max_steps` the live agents leave, and dictionaries are keyed by who was live."""
    house = House(TASK, max_steps=2)
    house.step({})
    _, rewards, ends, cuts, _ = house.step({})
    assert rewards == {"alice": 0.0, "bob": 0.0}
    assert ends == {"alice": False, "bob": False}
    assert cuts == {"alice": True, "bob": True}
    assert house.agents == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[", "line 1"),
        ("{}", "no list"),
        ("[1]", "task 0"),
        ('[{"family": "x", "split": "a", "seed": 1}]', "choose one of"),
        ('[{"family": "read_book", "split": "", "seed": 1}]', "split"),
        ('[{"family": "read_book", "split": "a", "seed": "1"}]', "whole number"),
    ],
)
def test_bad_task_files_say_where_and_what_to_do(tmp_path: Path, content: str, words: str) -> None:
    """A task file that does not fit raises TaskFileError with the place."""
    path = tmp_path / "tasks.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TaskFileError, match=words):
        read_tasks(path)


def test_task_files_round_trip(tmp_path: Path) -> None:
    """What `to_json` writes is read back."""
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([TASK.to_json()]), encoding="utf-8")
    assert read_tasks(path) == (TASK,)

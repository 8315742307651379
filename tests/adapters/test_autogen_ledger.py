"""The ledger prompts of Magentic-One: found without a setting, and bound where they arrive."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from autogen_agentchat.base import ChatAgent
from autogen_agentchat.teams import MagenticOneGroupChat, RoundRobinGroupChat
from autogen_core.models import LLMMessage

import trace_agents as ta
from tests.adapters.autogen_kit import TASK, Book, assistant, run
from tests.adapters.autogen_teams import PROMPTS
from trace_agents.errors import InvalidValue
from trace_agents.tracing.context import Trace
from trace_agents_adapters.autogen import AutoGenWorkflow

FIELDS = {
    "task_ledger_facts": {"task"},
    "task_ledger_plan": {"team"},
    "task_ledger_full": {"task", "team", "facts", "plan"},
    "progress_ledger": {"task", "team", "names"},
    "task_ledger_facts_update": {"task", "facts"},
    "task_ledger_plan_update": {"team"},
    "final_answer": {"task"},
}


def stalls_once(messages: Sequence[LLMMessage]) -> str:
    """Lead a team that makes no progress at first, whatever words the prompts have."""
    last = str(messages[-1].content)
    seen = "".join(str(message.content) for message in messages)
    if "is_request_satisfied" in last:
        done = "The second plan" in seen
        entry = {"reason": "so", "answer": done}
        ledger: dict[str, Any] = {
            "is_request_satisfied": entry,
            "is_in_loop": {"reason": "so", "answer": False},
            "is_progress_being_made": entry,
            "next_speaker": {"reason": "so", "answer": "diver"},
            "instruction_or_question": {"reason": "so", "answer": "Dive."},
        }
        return json.dumps(ledger)
    answers = {"plan_update": "The second plan: wait.", "facts_update": "A newer fact: fog."}
    first = {"ledger_facts": "A fact: the mole.", "ledger_plan": "The first plan: dive."}
    return next((a for key, a in (answers | first).items() if key in last), "All is told.")


def led(book: Book, name: str = "deep", **settings: Any) -> MagenticOneGroupChat:
    members: list[ChatAgent] = [
        assistant(book, "diver", "I found a wreck.", description="Dives deep."),
        assistant(book, "clerk", "It is noted.", description="Takes notes."),
    ]
    client = book("leader", stalls_once)
    return MagenticOneGroupChat(members, client, name=name, max_stalls=1, **settings)


def named(part: str) -> str:
    """A prompt of another version: it names itself and keeps its fields."""
    told = " ".join(f"{field}=<{{{field}}}>" for field in sorted(FIELDS[part]))
    asked = '{{"is_request_satisfied"}}' if part == "progress_ledger" else ""
    return f"New {part}: {told} {asked}"


async def test_each_prompt_is_bound_with_its_fields() -> None:
    """On the way through a stall each of the seven prompts arrives once in its new words."""
    book = Book()
    workflow = AutoGenWorkflow(led(book))
    values: dict[str, object] = {f"deep.{part}_prompt": named(part) for part in FIELDS}
    assert await run(workflow, Trace("e", 1, values)) == "All is told."
    seen = "\n".join(book.clients["leader"].texts)
    team = "team=<diver: Dives deep.\nclerk: Takes notes.>"
    assert f"New task_ledger_facts: task=<{TASK}>" in seen
    assert f"New task_ledger_plan: {team}" in seen
    full = "New task_ledger_full: facts=<A fact: the mole.> plan=<The first plan: dive.>"
    assert f"{full} task=<{TASK}> {team}" in seen
    asked = f'names=<diver, clerk> task=<{TASK}> {team} {{"is_request_satisfied"}}'
    assert f"New progress_ledger: {asked}" in seen
    assert f"New task_ledger_facts_update: facts=<A fact: the mole.> task=<{TASK}>" in seen
    assert f"New task_ledger_plan_update: {team}" in seen
    assert "facts=<A newer fact: fog.> plan=<The second plan: wait.>" in seen
    assert f"New final_answer: task=<{TASK}>" in seen
    assert "Ken Jennings" not in seen


@pytest.mark.parametrize("part", FIELDS)
def test_a_prompt_keeps_its_fields(part: str) -> None:
    """A prompt that lost one of its fields is refused by their names."""
    parameters = AutoGenWorkflow(led(Book())).parameters()
    for field in FIELDS[part]:
        lost = named(part).replace(f"{{{field}}}", "it")
        with pytest.raises(InvalidValue, match=rf"lost its placeholders \['{field}'\]"):
            parameters.check({f"deep.{part}_prompt": lost})


async def test_braces_that_are_no_fields_stay() -> None:
    """A prompt with the braces of JSON, as a model may write them, reaches the leader as it is."""
    book = Book()
    asked = 'Of {names} in {team} for {task}: answer {"is_request_satisfied": true}!'
    await run(AutoGenWorkflow(led(book)), Trace("e", 1, {"deep.progress_ledger_prompt": asked}))
    end = f'for {TASK}: answer {{"is_request_satisfied": true}}!'
    assert any(text.endswith(end) for text in book.clients["leader"].texts)


async def test_prompts_of_a_class_of_ones_own_are_left_alone() -> None:
    """A subclass may ask in other words, so that only what its settings tell is found."""

    class Own(MagenticOneGroupChat):
        """Of a user's own."""

    def build() -> Own:
        member = assistant(Book(), "diver", "I found it.", description="Dives.")
        return Own([member], Book()("leader", stalls_once), name="deep")

    found = list(AutoGenWorkflow(build).parameters())
    assert [name for name in found if name.endswith("prompt")] == ["deep.final_answer_prompt"]


def test_they_are_found_without_a_call_of_a_model() -> None:
    """The rehearsal that shows the prompts asks no model, and says nothing of its own marks."""
    book = Book()
    parameters = ta.wrap(led(book, "MagenticOneGroupChat")).parameters()
    assert PROMPTS.keys() <= parameters.keys()
    assert all("⟦" not in str(parameter.value) for parameter in parameters.values())
    assert all(client.seen == [] for client in book.clients.values())


async def test_two_versions_of_a_ledger_run_at_once() -> None:
    """Two episodes of one team each ask in the words of their own version."""
    book = Book(pause=anyio.lowlevel.checkpoint)
    workflow = AutoGenWorkflow(led(book))
    name = "deep.task_ledger_facts_prompt"
    async with anyio.create_task_group() as group:
        for version in (1, 2):
            told: dict[str, object] = {name: f"ledger_facts of version {version}: {{task}}"}
            group.start_soon(run, workflow, Trace(f"e{version}", version, told))
    first = [t for t in book.clients["leader"].texts if t.startswith("ledger_facts of version")]
    versions = [int(text.split("version ")[1][0]) for text in first]
    assert sorted(versions) == [1, 1, 2, 2]  # the question for the plan repeats it


def test_a_team_inside_another_is_found_too() -> None:
    """The ledger of a team that is a member of another team is the inner one's."""
    inner = led(Book())
    found = AutoGenWorkflow(RoundRobinGroupChat([inner], max_turns=1)).parameters()
    assert "deep.progress_ledger_prompt" in found

"""The ledger prompts of Magentic-One, which are no setting of a team: seen in a rehearsal.

A small team of AutoGen's own is run on marked words, with model calls that are answered here: a
plan, then a stall, then a new plan, then the end. What the orchestrator asks on this way are its
prompts, with the marks where their fields are.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import MagenticOneGroupChat
from autogen_core.models import ChatCompletionClient, LLMMessage

from trace_agents_adapters.autogen.boundary import Rehearsal, patches
from trace_agents_adapters.sites import Site, template_fields

_MARK = "⟦{}⟧"
_MEMBER = "marked_member_of_a_rehearsal"
_TEAM = f"{_MEMBER}: {_MARK.format('described')}"

_PROMPTS = (
    "task_ledger_facts_prompt",
    "task_ledger_plan_prompt",
    "progress_ledger_prompt",
    "task_ledger_facts_update_prompt",
    "task_ledger_plan_update_prompt",
)
"""What the orchestrator asks in its first calls, one after the other."""
_FULL = "task_ledger_full_prompt"
"""What stands before the question for progress."""


@dataclass(eq=False)
class _Led(Rehearsal):
    """Answers the orchestrator, and keeps what it asked."""

    asked: list[list[str]] = field(default_factory=list[list[str]])

    def answer(self, messages: Sequence[LLMMessage]) -> str:
        """Return what leads the orchestrator to its next prompt."""
        self.asked.append([str(message.content) for message in messages])
        at = len(self.asked)
        if at in (1, 4):
            return _MARK.format("facts")
        if at in (2, 5):
            return _MARK.format("plan")
        return _progress(satisfied=at > 5)


def _progress(*, satisfied: bool) -> str:
    def entry(answer: object) -> dict[str, object]:
        return {"reason": "", "answer": answer}

    ledger = {
        "is_request_satisfied": entry(satisfied),
        "is_in_loop": entry(False),
        "is_progress_being_made": entry(satisfied),
        "next_speaker": entry(_MEMBER),
        "instruction_or_question": entry(""),
    }
    return json.dumps(ledger)


async def ledger_sites(
    name: str, client: ChatCompletionClient, members: tuple[str, ...]
) -> tuple[Site, ...]:
    """Return the sites of the ledger prompts of a team called `name`; its model is not called."""
    member = AssistantAgent(_MEMBER, client, description=_MARK.format("described"))
    team = MagenticOneGroupChat([member], client, max_stalls=1)
    led = _Led("")
    with patches.applied(), led.active():
        await team.run(task=_MARK.format("task"))
    return tuple(_sites(led.asked, name, members))


def _sites(asked: Sequence[Sequence[str]], name: str, members: tuple[str, ...]) -> Generator[Site]:
    full = asked[_PROMPTS.index("progress_ledger_prompt")][0]
    prompts = zip(_PROMPTS, (texts[-1] for texts in asked), strict=False)
    for part, text in (*prompts, (_FULL, full)):
        template = _template(text)
        fields = template_fields(template) or ()
        listed = members if "team" in fields else ()
        yield Site(f"{name}.{part}", name, "user", template, fields=fields, members=listed)


def _template(prompt: str) -> str:
    """Return a prompt with its fields for the marks."""
    text = prompt.replace("{", "{{").replace("}", "}}")
    text = text.replace(_TEAM, "{team}").replace(_MEMBER, "{names}")
    for part in ("task", "facts", "plan"):
        text = text.replace(_MARK.format(part), f"{{{part}}}")
    return text

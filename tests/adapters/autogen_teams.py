"""Each sort of team: how it is built, what is found, what is connected, what the model gets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from autogen_agentchat.agents import (
    AssistantAgent,
    MessageFilterAgent,
    MessageFilterConfig,
    PerSourceFilter,
)
from autogen_agentchat.base import ChatAgent, Handoff, Team
from autogen_agentchat.conditions import (
    MaxMessageTermination,
    TextMentionTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import FunctionCall
from autogen_core.models import LLMMessage

from tests.adapters.autogen_kit import (
    COUNT,
    TEXT,
    Book,
    Case,
    assistant,
)
from tests.adapters.scripted import calls


def pair(book: Book, **settings: Any) -> list[Any]:
    return [
        assistant(book, "writer", "The quay is made of granite.", **settings),
        assistant(book, "critic", "Mention the cranes as well.", **settings),
    ]


def selector(book: Book) -> SelectorGroupChat:
    def choose(messages: Sequence[LLMMessage]) -> str:
        return "critic" if "granite" in str(messages[0].content) else "writer"

    members: list[ChatAgent | Team] = [
        assistant(book, "writer", "The quay is made of granite.", description="Writes."),
        assistant(book, "critic", "Mention the cranes as well.", description="Finds   faults."),
        assistant(book, "idler", "Nothing to say about it.", description="Waits."),
    ]
    end = MaxMessageTermination(3) | TokenUsageTermination(max_total_token=900)
    return SelectorGroupChat(members, book("chooser", choose), termination_condition=end)


def swarm(book: Book) -> Swarm:
    def hand(messages: Sequence[LLMMessage]) -> list[FunctionCall]:
        return [FunctionCall(id="h1", name="transfer_to_pilot", arguments="{}")]

    handoff = Handoff(target="pilot", description="Give to the pilot.", message="Take her in.")
    members: list[ChatAgent] = [
        assistant(book, "captain", hand, handoffs=[handoff]),
        assistant(book, "pilot", "She is moored and safe."),
    ]
    return Swarm(members, termination_condition=TextMentionTermination("moored"))


def graph_flow(book: Book) -> GraphFlow:
    first, left, right, last = (
        assistant(book, "first", "Divide the work on the pier."),
        assistant(book, "left", "The left side needs paint."),
        assistant(book, "right", "The right side needs nails."),
        assistant(book, "last", "Paint and nails were ordered."),
    )
    builder = DiGraphBuilder()
    for agent in (first, left, right, last):
        builder.add_node(agent)
    builder.add_edge(first, left).add_edge(first, right)
    builder.add_edge(left, last).add_edge(right, last)
    return GraphFlow([first, left, right, last], builder.build())


def graph_loop(book: Book) -> GraphFlow:
    def judge(messages: Sequence[LLMMessage]) -> str:
        drafts = [m for m in messages if m.type == "UserMessage" and m.source == "drafter"]
        return "APPROVE it now" if len(drafts) > 1 else "REVISE the second line"

    def draft(messages: Sequence[LLMMessage]) -> str:
        done = sum(m.type == "AssistantMessage" for m in messages)
        return f"Draft number {done + 1} of the song"

    one, two = assistant(book, "drafter", draft), assistant(book, "judge", judge)
    end = assistant(book, "printer", "It went to the press.")
    builder = DiGraphBuilder()
    builder.add_node(one).add_node(two).add_node(end)
    builder.add_edge(one, two)
    builder.add_edge(two, one, condition="REVISE").add_edge(two, end, condition="APPROVE")
    builder.set_entry_point(one)
    return GraphFlow(
        [one, two, end], builder.build(), termination_condition=MaxMessageTermination(12)
    )


def graph_filter(book: Book) -> GraphFlow:
    first, second = pair(book)
    last = MessageFilterAgent(
        "last",
        assistant(book, "printer", "It went to the press."),
        filter=MessageFilterConfig(
            per_source=[PerSourceFilter(source="critic", position="last", count=1)]
        ),
    )
    builder = DiGraphBuilder().add_node(first).add_node(second).add_node(last)
    builder.add_edge(first, second).add_edge(second, last)
    return GraphFlow([first, second, last], builder.build())


def magentic(book: Book) -> MagenticOneGroupChat:
    def lead(messages: Sequence[LLMMessage]) -> str:
        last = str(messages[-1].content)
        if "pre-survey" in last:
            return "Fact: the harbour has a mole."
        if "bullet-point plan" in last:
            return "Plan: let the diver look."
        if "is_request_satisfied" in last:
            seen = any("wreck" in str(m.content) for m in messages)
            answer = {"reason": "as it is", "answer": seen}
            parts = {"is_request_satisfied": answer, "is_in_loop": {**answer, "answer": False}}
            progress = {"is_progress_being_made": {**answer, "answer": True}}
            speaker = {"next_speaker": {"reason": "only one", "answer": "diver"}}
            told = {"instruction_or_question": {"reason": "so", "answer": "Look below the mole."}}
            return json.dumps({**parts, **progress, **speaker, **told})
        return "In short, a wreck lies there."

    diver = assistant(book, "diver", "I found a wreck below.", description="Dives deep.")
    return MagenticOneGroupChat(
        [diver],
        book("leader", lead),
        final_answer_prompt="Say in short what was found.",
        termination_condition=TimeoutTermination(60),
    )


def nested(book: Book) -> RoundRobinGroupChat:
    inner = RoundRobinGroupChat(
        [assistant(book, "mate", "The mate counts nine ropes.")], name="deck", max_turns=1
    )
    return RoundRobinGroupChat(
        [inner, assistant(book, "clerk", "Nine ropes are noted.")], max_turns=2
    )


def agent_tool(book: Book) -> AssistantAgent:
    expert = assistant(book, "expert", "Tide turns at noon, they say.", description="Knows tides.")
    say = calls("expert", "Sail at noon then.", task="When does the tide turn?")
    return assistant(book, "chief", say, tools=[AgentTool(expert)], reflect_on_tool_use=True)


def team_tool(book: Book) -> AssistantAgent:
    crew = RoundRobinGroupChat([assistant(book, "hand", "All sails are mended.")], max_turns=1)
    tool = TeamTool(crew, "crew", "Asks the crew.", return_value_as_last_message=True)
    say = calls("crew", "We can leave today.", task="Are the sails mended?")
    return assistant(book, "chief", say, tools=[tool], reflect_on_tool_use=True)


LEDGER = {"leader#2", "leader#3", "leader#4", "leader#5", "diver-model"}
PROMPTS = {
    f"MagenticOneGroupChat.{part}_prompt": TEXT
    for part in (
        "final_answer",
        "progress_ledger",
        "task_ledger_facts",
        "task_ledger_facts_update",
        "task_ledger_full",
        "task_ledger_plan",
        "task_ledger_plan_update",
    )
}


ROLES = {"writer.description", "critic.description", "idler.description"}


TEAMS = [
    Case(
        "round robin",
        lambda book: RoundRobinGroupChat(
            pair(book), termination_condition=MaxMessageTermination(3)
        ),
        {
            "writer.system_message": TEXT,
            "critic.system_message": TEXT,
            "termination.max_messages": COUNT,
        },
        {
            "writer.system_message > writer-model",
            "task > writer-model",
            "critic.system_message > critic-model",
            "task > critic-model",
            "writer-model > critic-model",
            "critic-model > RoundRobinGroupChat",
            "termination.max_messages > RoundRobinGroupChat",
        },
        ("critic.system_message", "Praise it.", "critic-model"),
        output="Mention the cranes as well.",
    ),
    Case(
        "selector",
        selector,
        {
            "writer.system_message": TEXT,
            "critic.system_message": TEXT,
            "idler.system_message": TEXT,
            "SelectorGroupChat.selector_prompt": TEXT,
            "writer.description": TEXT,
            "critic.description": TEXT,
            "idler.description": TEXT,
            "termination.max_messages": COUNT,
            "termination.max_total_token": COUNT,
        },
        {f"{name} > chooser" for name in [*ROLES, "SelectorGroupChat.selector_prompt", "task"]}
        | {f"{name} > chooser#2" for name in [*ROLES, "SelectorGroupChat.selector_prompt", "task"]}
        | {
            "writer.system_message > writer-model",
            "task > writer-model",
            "writer-model > chooser#2",
            "critic.system_message > critic-model",
            "task > critic-model",
            "writer-model > critic-model",
            "critic-model > SelectorGroupChat",
            "termination.max_messages > SelectorGroupChat",
            "termination.max_total_token > SelectorGroupChat",
        },
        ("critic.description", "Reads\n it all.", "chooser"),
        output="Mention the cranes as well.",
        seen="critic: Reads it all.",
    ),
    Case(
        "swarm",
        swarm,
        {
            "captain.system_message": TEXT,
            "captain.tools.transfer_to_pilot.description": TEXT,
            "captain.handoffs.pilot.message": TEXT,
            "pilot.system_message": TEXT,
        },
        {
            "captain.system_message > captain-model",
            "captain.tools.transfer_to_pilot.description > captain-model",
            "task > captain-model",
            "captain-model > transfer_to_pilot",
            "captain.handoffs.pilot.message > transfer_to_pilot",
            "pilot.system_message > pilot-model",
            "task > pilot-model",
            "transfer_to_pilot > pilot-model",
            "pilot-model > Swarm",
        },
        ("captain.handoffs.pilot.message", "The wheel is yours now.", "pilot-model"),
        output="She is moored and safe.",
    ),
    Case(
        "graph with branches",
        graph_flow,
        {f"{name}.system_message": TEXT for name in ("first", "left", "right", "last")},
        {f"{n}.system_message > {n}-model" for n in ("first", "left", "right", "last")}
        | {f"task > {n}-model" for n in ("first", "left", "right", "last")}
        | {f"first-model > {n}-model" for n in ("left", "right", "last")}
        | {"left-model > last-model", "right-model > last-model", "last-model > GraphFlow"},
        ("right.system_message", "Count the nails.", "right-model"),
    ),
    Case(
        "graph with a loop",
        graph_loop,
        {f"{name}.system_message": TEXT for name in ("drafter", "judge", "printer")}
        | {"termination.max_messages": COUNT},
        {
            "drafter.system_message > drafter-model",
            "task > drafter-model",
            "judge.system_message > judge-model",
            "task > judge-model",
            "drafter-model > judge-model",
            "drafter.system_message > drafter-model#2",
            "task > drafter-model#2",
            "drafter-model > drafter-model#2",
            "judge-model > drafter-model#2",
            "judge.system_message > judge-model#2",
            "task > judge-model#2",
            "drafter-model > judge-model#2",
            "judge-model > judge-model#2",
            "drafter-model#2 > judge-model#2",
            "printer.system_message > printer-model",
            "task > printer-model",
            "drafter-model > printer-model",
            "judge-model > printer-model",
            "drafter-model#2 > printer-model",
            "judge-model#2 > printer-model",
            "printer-model > GraphFlow",
            "termination.max_messages > GraphFlow",
        },
        ("judge.system_message", "Judge twice.", "judge-model"),
    ),
    Case(
        "graph with a filter",
        graph_filter,
        {f"{name}.system_message": TEXT for name in ("writer", "critic", "printer")},
        {
            "writer.system_message > writer-model",
            "task > writer-model",
            "critic.system_message > critic-model",
            "task > critic-model",
            "writer-model > critic-model",
            "printer.system_message > printer-model",
            "critic-model > printer-model",
            "printer-model > GraphFlow",
        },
        ("printer.system_message", "Print in red.", "printer-model"),
        output="It went to the press.",
    ),
    Case(
        "magentic one",
        magentic,
        {
            "diver.system_message": TEXT,
            **PROMPTS,
            "diver.description": TEXT,
            "termination.timeout_seconds": COUNT,
        },
        {f"task > {name}" for name in ("leader", *LEDGER)}
        | {f"leader > {name}" for name in LEDGER}
        | {f"leader#2 > {name}" for name in LEDGER - {"leader#2"}}
        | {f"diver.description > {name}" for name in LEDGER}
        | {
            f"MagenticOneGroupChat.task_ledger_full_prompt > {name}"
            for name in LEDGER - {"leader#2"}
        }
        | {
            "MagenticOneGroupChat.task_ledger_facts_prompt > leader",
            "MagenticOneGroupChat.task_ledger_facts_prompt > leader#2",
            "MagenticOneGroupChat.task_ledger_plan_prompt > leader#2",
            "MagenticOneGroupChat.progress_ledger_prompt > leader#3",
            "MagenticOneGroupChat.progress_ledger_prompt > leader#4",
            "diver.system_message > diver-model",
            "leader#3 > diver-model",
            "leader#3 > leader#4",
            "leader#3 > leader#5",
            "diver-model > leader#4",
            "diver-model > leader#5",
            "MagenticOneGroupChat.final_answer_prompt > leader#5",
            "leader#5 > MagenticOneGroupChat",
            "termination.timeout_seconds > MagenticOneGroupChat",
        },
        ("MagenticOneGroupChat.final_answer_prompt", "Tell it in a line.", "leader"),
        output="In short, a wreck lies there.",
    ),
    Case(
        "nested team",
        nested,
        {"mate.system_message": TEXT, "clerk.system_message": TEXT},
        {
            "mate.system_message > mate-model",
            "task > mate-model",
            "clerk.system_message > clerk-model",
            "task > clerk-model",
            "mate-model > clerk-model",
            "clerk-model > RoundRobinGroupChat",
        },
        ("mate.system_message", "Count again.", "mate-model"),
        output="Nine ropes are noted.",
    ),
    Case(
        "agent as tool",
        agent_tool,
        {
            "chief.system_message": TEXT,
            "chief.tools.expert.description": TEXT,
            "expert.system_message": TEXT,
        },
        {
            "chief.system_message > chief-model",
            "chief.tools.expert.description > chief-model",
            "task > chief-model",
            "chief-model > expert",
            "expert.system_message > expert-model",
            "chief-model > expert-model",
            "expert-model > expert",
            "chief.system_message > chief-model#2",
            "task > chief-model#2",
            "chief-model > chief-model#2",
            "expert > chief-model#2",
            "chief-model#2 > chief",
        },
        ("expert.system_message", "Know the tides.", "expert-model"),
        output="Sail at noon then.",
    ),
    Case(
        "team as tool",
        team_tool,
        {
            "chief.system_message": TEXT,
            "chief.tools.crew.description": TEXT,
            "hand.system_message": TEXT,
        },
        {
            "chief.system_message > chief-model",
            "chief.tools.crew.description > chief-model",
            "task > chief-model",
            "chief-model > crew",
            "hand.system_message > hand-model",
            "chief-model > hand-model",
            "hand-model > crew",
            "chief.system_message > chief-model#2",
            "task > chief-model#2",
            "chief-model > chief-model#2",
            "crew > chief-model#2",
            "chief-model#2 > chief",
        },
        ("chief.tools.crew.description", "Wakes the crew.", "chief-model"),
        output="We can leave today.",
    ),
]

"""The demo's parts, from its settings: team, tasks, guide and optimizers."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import trace_agents as ta
from trace_agents.feedback import Feedback
from trace_agents.graph import Parameters
from trace_agents.llm import Model, as_model, check_model
from trace_agents.optimizers import OptoPrime
from trace_agents.plugins import CHAT_MODELS, load
from trace_agents_multiagent.agents import (
    autogen_factory,
    langchain_agent,
    rule_following_chat_model,
    rule_following_client,
)
from trace_agents_multiagent.demo.settings import Settings
from trace_agents_multiagent.household import (
    COMPLAINTS,
    FAMILIES,
    Finding,
    HouseholdResult,
    HouseTask,
    judge,
    render_findings,
)
from trace_agents_multiagent.standin.reflect import RandomModel, ReflectingModel
from trace_agents_multiagent.standin.usage import NAME
from trace_agents_multiagent.team import HouseholdTeam

if TYPE_CHECKING:
    from autogen_core.models import ChatCompletionClient
    from langchain_core.language_models import BaseChatModel

SEEDS_APART = 100_000
"""Runs with different seeds draw their tasks from ranges that do not meet."""
OBJECTIVE = (
    "Two agents share a household task. Change their planning prompts so that they finish in "
    "fewer steps. A planning prompt is plain sentences that tell an agent what to do."
)


def tasks_of(split: str, count: int, seed: int) -> tuple[HouseTask, ...]:
    """Return `count` tasks of a split, the families in turn."""
    names = tuple(FAMILIES)
    first = seed * SEEDS_APART
    return tuple(HouseTask(names[i % len(names)], split, first + i) for i in range(count))


def build_team(settings: Settings) -> HouseholdTeam:
    """Return the team: alice is an AutoGen agent, bob a LangChain agent; their prompts may change.

    Raises:
        ExtraNotInstalled: a framework, or litellm where a model was named, is missing.
        UnknownModel: litellm knows no such model.
    """
    autogen, langchain = _chat_models(settings)
    alice = ta.wrap(autogen_factory("alice", autogen), name="alice")
    bob = ta.wrap(langchain_agent("bob", langchain), name="bob")
    return HouseholdTeam({"alice": alice, "bob": bob}).only("*.system_message")


def _chat_models(settings: Settings) -> tuple[ChatCompletionClient, BaseChatModel]:
    if settings.model is None:
        return rule_following_client(), rule_following_chat_model()
    name = _named(settings.model, settings.base_url)
    check_model(name)
    made = [
        cast("Callable[..., object]", load(CHAT_MODELS, framework))(name, **_address(settings))
        for framework in ("autogen", "langchain")
    ]
    return cast("ChatCompletionClient", made[0]), cast("BaseChatModel", made[1])


def _named(model: str, base_url: str | None) -> str:
    """Return the name as litellm wants it; behind an address it speaks the OpenAI protocol."""
    return f"openai/{model}" if base_url and "/" not in model else model


def _address(settings: Settings) -> dict[str, str | None]:
    """Return where the models are; a server of one's own needs no key, but litellm wants one."""
    own = settings.base_url is not None and "OPENAI_API_KEY" not in os.environ
    return {"base_url": settings.base_url, "api_key": "no-key" if own else None}


def build_optimizer(settings: Settings, parameters: Parameters, arm: str) -> OptoPrime:
    """Return the optimizer of one arm: OptoPrime over the arm's model."""
    return OptoPrime(parameters, llm=_optimizer_model(settings, arm), objective=OBJECTIVE)


def _optimizer_model(settings: Settings, arm: str) -> Model:
    if arm == "random":
        return RandomModel()
    if settings.optimizer_model is None:
        return ReflectingModel()
    name = _named(settings.optimizer_model, settings.base_url)
    address = _address(settings)
    return as_model(name, base_url=address["base_url"], api_key=address["api_key"])


def guide_of(arm: str) -> Callable[[object, object], Feedback]:
    """Return the guide of one arm: scores are always true, the words may be shuffled."""
    return shuffled_judge if arm == "shuffled" else judge


def shuffled_judge(task: object, output: object) -> Feedback:
    """Return the true score with feedback whose counts belong to other agents and causes.

    The sentences and the numbers are an episode's; which number stands in which sentence is a
    permutation over all agents and complaints, those with a count of zero among them. What an
    optimizer still learns from that, it owes to the gate and not to the feedback.
    """
    feedback = judge(task, output)
    result = cast(HouseholdResult, output)
    counted = {(f.agent, f.kind): f for f in result.findings}
    agents = list(dict.fromkeys(f.agent for f in result.findings))
    cells = [(agent, kind) for agent in agents for kind in COMPLAINTS]
    counts = [counted[cell].count if cell in counted else 0 for cell in cells]
    random.Random(f"shuffled feedback/{task}").shuffle(counts)
    partners = dict(zip(agents, reversed(agents), strict=True))
    dealt = [
        Finding(agent, kind, count, count, partners[agent])
        for (agent, kind), count in zip(cells, counts, strict=True)
        if count
    ]
    return Feedback(feedback.score, render_findings(result, dealt))


def stand_ins(settings: Settings) -> tuple[str, ...]:
    """Return the names of the stand-ins that a run uses; none with real models only."""
    used = [] if settings.model else [NAME]
    if settings.optimizer_model is None:
        used.append(ReflectingModel().name)
    if settings.controls:
        used.append(RandomModel().name)
    return tuple(used)

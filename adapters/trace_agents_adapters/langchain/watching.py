"""What a prototype's models are offered: seen in their stead, so that no model is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from langchain_core.messages import BaseMessage

from trace_agents.errors import InvalidValue
from trace_agents.graph import Number
from trace_agents_adapters.boundary import Json, Probe
from trace_agents_adapters.langchain import messages as shapes
from trace_agents_adapters.langchain.markers import says_something, template_of
from trace_agents_adapters.langchain.syntaxes import Plain
from trace_agents_adapters.langchain.texts import texts_of
from trace_agents_adapters.langchain.walking import AnyModel
from trace_agents_adapters.sites import Offer, Place, Site

_NAMES: Mapping[str, str] = {"system": "system_message", "user": "user_message"}


class Seen(BaseException):
    """Ends a prototype's run at its first model call; it never leaves the probe.

    It is no `Exception`, because retries and fallbacks of the prototype catch those.
    """


@dataclass(eq=False)
class Watch(Probe):
    """Sees what LangChain's models are offered in this context."""

    asked: Mapping[str, Number] = field(default_factory=dict[str, Number])
    """Settings of models that are to be parameters."""
    sites: list[Site] = field(default_factory=list[Site])
    """Templates and settings that were seen; what has no fields is among the offers."""
    marked: set[Site] = field(default_factory=set[Site])
    """Those of the sites whose fields are named by markers, not by a template."""
    silent: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Agents and their tools that have no description."""
    made: dict[str, Plain] = field(default_factory=dict[str, Plain])
    """Texts that came of templates, with these."""

    def calls(self, agent: str, model: AnyModel, settings: Mapping[str, object]) -> Caller:
        """Note a model's settings, and return who calls it."""
        who = agent or self.agent
        self.sites += settings_of(who, model, settings, self.asked)
        return Caller(self, who)


@dataclass(frozen=True, slots=True)
class Caller:
    """An agent of a prototype, at its model call."""

    watch: Watch
    agent: str

    def heard(self, messages: Sequence[BaseMessage], tools: Sequence[Json]) -> Seen:
        """Note the messages and tools; the caller raises what comes back."""
        texts = [found for message in messages for found in texts_of(message)]
        return self._note(texts, tools)

    def read(self, prompt: str) -> Seen:
        """Note a prompt of plain text; the caller raises what comes back."""
        return self._note([("user", prompt)], ())

    def _note(self, texts: Sequence[tuple[Place, str]], tools: Sequence[Json]) -> Seen:
        systems: list[str] = []
        for place, text in texts:
            known = self.watch.made.get(text)
            template, fields = (known.text, known.fields) if known else template_of(text)
            if place == "system" and not fields:
                systems.append(text)
            elif says_something(text):
                name = f"{self.agent}.{_NAMES[place]}"
                site = Site(name, self.agent, place, template, fields=fields)
                self.watch.sites.append(site)
                if known is None and fields:
                    self.watch.marked.add(site)
        self.watch.silent |= {
            (self.agent, str(tool["name"])) for tool in tools if not tool.get("description")
        }
        self.watch.offers.append(offer(self.agent, systems, tools))
        return Seen("the prototype's model call was seen")


def offer(agent: str, systems: Sequence[str], tools: Sequence[Json]) -> Offer:
    """Return what a model is offered."""
    described = tuple((str(t["name"]), str(t.get("description", ""))) for t in tools)
    arguments = tuple(
        (str(t["name"]), name, text) for t in tools for name, text in shapes.arguments(t)
    )
    return Offer(agent, tuple(systems), described, arguments)


def settings_of(
    agent: str,
    model: AnyModel,
    given: Mapping[str, object],
    asked: Mapping[str, Number],
) -> list[Site]:
    """Return the sites of the asked settings that a model carries."""
    found: list[Site] = []
    for name, number in asked.items():
        if not isinstance(number, Number):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValue(
                f"settings: {name!r} needs a range such as ta.Number(0, 1), not {number!r}"
            )
        value: object = given.get(name, getattr(model, name, None))
        if isinstance(value, int | float) and not isinstance(value, bool):
            found.append(Site(f"{agent}.{name}", agent, "setting", str(value), name, number=number))
    return found

"""Sites: the places in a model call where a parameter's text stands."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from trace_agents.graph import Parameter, Parameters, Text

Place: TypeAlias = Literal["system", "user", "tool"]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a model was offered in one call, as far as it can be a parameter."""

    agent: str
    system: tuple[str, ...] = ()
    tools: tuple[tuple[str, str], ...] = ()
    """Name and description of each tool."""


@dataclass(frozen=True)
class Site:
    """A parameter's name and where its first text is found."""

    name: str
    agent: str
    place: Place
    text: str
    tool: str = ""
    fields: tuple[str, ...] = ()
    """The `{placeholders}` of a template; a call holds the text with these filled in."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the filled-in template looks like."""
        parts: list[str] = []
        seen: set[str] = set()
        for literal, name, _, _ in string.Formatter().parse(self.text):
            parts.append(re.escape(literal))
            if name in seen:
                parts.append(f"(?P={name})")
            elif name is not None:
                seen.add(name)
                parts.append(f"(?P<{name}>.*?)")
        return re.compile("".join(parts), re.DOTALL)

    def render(self, value: str, found: str) -> str | None:
        """Return `value` with the fields that `found`, a filled-in first text, was filled with.

        None: `found` is not this site's text.
        """
        if not self.fields:
            return value if found == self.text else None
        match = self.pattern.fullmatch(found)
        return value.format_map(match.groupdict()) if match else None

    def parameter(self) -> Parameter:
        """Return the parameter that stands here."""
        what = {
            "system": f"System message of the agent {self.agent!r}.",
            "user": f"Template of the message that {self.agent!r} sends to its model.",
            "tool": f"Description of the tool {self.tool!r}, as the agent {self.agent!r} sees it.",
        }[self.place]
        return Parameter(self.name, self.text, Text(placeholders=self.fields), what)


def template_fields(text: str) -> tuple[str, ...] | None:
    """Return the names of the fields of an f-string template; None where it is no plain one."""
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError:
        return None
    names = [name for _, name, _, _ in parsed if name is not None]
    if not all(name.isidentifier() for name in names):
        return None
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True)
class Sites:
    """The sites of one workflow, found by text, agent and tool."""

    all: tuple[Site, ...] = ()

    @cached_property
    def _plain(self) -> Mapping[tuple[Place, str, str], list[Site]]:
        index: dict[tuple[Place, str, str], list[Site]] = {}
        for site in self.all:
            if not site.fields:
                index.setdefault((site.place, site.tool, site.text), []).append(site)
        return index

    @cached_property
    def _templates(self) -> tuple[Site, ...]:
        return tuple(site for site in self.all if site.fields)

    def find(self, place: Place, text: str, agent: str, tool: str = "") -> Site | None:
        """Return the site of a text; where several agents share the text, the agent's own."""
        plain = self._plain.get((place, tool, text), ())
        for site in plain:
            if site.agent == agent:
                return site
        if plain:
            return plain[0]
        for site in self._templates:
            if site.place == place and site.tool == tool and site.pattern.fullmatch(text):
                return site
        return None

    def parameters(self) -> Parameters:
        """Return the parameters of all sites."""
        return Parameters(site.parameter() for site in self.all)


def sites_of(offers: Iterable[Offer], known: Iterable[Site] = ()) -> Sites:
    """Return the sites of what models were offered: each text of an agent once."""
    names = Names()
    sites = [names.add(site) for site in known]
    seen = {(site.agent, site.place, site.tool, site.text) for site in sites}
    for offer in offers:
        for site in _offered(offer):
            key = (site.agent, site.place, site.tool, site.text)
            filled_in = any(s.fields and s.render(s.text, site.text) is not None for s in sites)
            if key not in seen and not filled_in:
                seen.add(key)
                sites.append(names.add(site))
    return Sites(tuple(sites))


def _offered(offer: Offer) -> Iterator[Site]:
    for text in offer.system:
        if text.strip():
            yield Site(f"{offer.agent}.system_message", offer.agent, "system", text)
    for tool, text in offer.tools:
        if text.strip():
            name = f"{offer.agent}.tools.{tool}.description"
            yield Site(name, offer.agent, "tool", text, tool)


class Names:
    """Keeps the names of sites unique: a second text of one name gets a number."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}

    def add(self, site: Site) -> Site:
        """Return the site under a name that no other has."""
        count = self._count[site.name] = self._count.get(site.name, 0) + 1
        if count == 1:
            return site
        name = f"{site.name}.{count}"
        return Site(name, site.agent, site.place, site.text, site.tool, site.fields)

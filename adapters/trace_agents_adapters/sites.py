"""Sites: the places in a model call where a parameter's text stands."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeAlias

from trace_agents.graph import Code, Number, Parameter, Parameters, Text
from trace_agents.sandbox import Sandbox

Place: TypeAlias = Literal[
    "system", "user", "tool", "argument", "role", "result", "limit", "setting", "code"
]
"""Where a text stands: in a message, in what is told of a tool, of one of its arguments or of
an agent, in what a tool gives, in a condition that ends a run, in a model's settings, or as the
code of a tool."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a model was offered in one call, as far as it can be a parameter."""

    agent: str
    system: tuple[str, ...] = ()
    tools: tuple[tuple[str, str], ...] = ()
    """Name and description of each tool."""
    arguments: tuple[tuple[str, str, str], ...] = ()
    """Tool, name and description of each argument that is described."""


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
    members: tuple[str, ...] = ()
    """Names that stand in what a template was filled with; they tell two equal templates apart."""
    shapes: tuple[tuple[str, str], ...] = ()
    """What fields of a template are known to look like, as regular expressions without groups."""
    number: Number | None = None
    """The type, where the text is that of a number."""
    sandbox: Sandbox | None = field(default=None, compare=False, repr=False)
    """Where the text runs once it has changed, if it is code."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the filled-in template looks like."""
        return re.compile(self._expression({}), re.DOTALL)

    @cached_property
    def _readings(self) -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
        """The ways to read off fields, each with its shortest and its longest reading."""
        known = dict(self.shapes)
        expressions = dict.fromkeys([self._expression({}), self._expression(known)])
        # an escaped star is followed by a backslash, never by a question mark
        return tuple(
            (re.compile(each, re.DOTALL), re.compile(each.replace("*?", "*"), re.DOTALL))
            for each in expressions
        )

    def _expression(self, shapes: Mapping[str, str]) -> str:
        parts: list[str] = []
        seen: set[str] = set()
        for literal, name, _, _ in string.Formatter().parse(self.text):
            parts.append(re.escape(literal))
            if name in seen:
                parts.append(f"(?P={name})")
            elif name is not None:
                seen.add(name)
                parts.append(f"(?P<{name}>{shapes.get(name, '.*?')})")
        return "".join(parts)

    def filling(self, found: str) -> Mapping[str, object] | None:
        """Return what `found`, a filled-in first text, was filled with.

        None: `found` is not this site's text, or it could have been filled in several ways.
        """
        if not self.fields:
            return {} if found == self.text else None
        for shortest, longest in self._readings:
            match, other = shortest.fullmatch(found), longest.fullmatch(found)
            if match is not None and other is not None and match.groupdict() == other.groupdict():
                return match.groupdict()
        return None

    def render(
        self, value: str, found: str, fields: Mapping[str, object] | None = None
    ) -> str | None:
        """Return `value` with what `found` was filled with, read off it where it is not given."""
        known = self.filling(found) if fields is None else fields
        if known is None or not self.fields:
            return None if known is None else value
        return _filled(value, known)

    def parameter(self) -> Parameter:
        """Return the parameter that stands here."""
        what = {
            "system": f"System message of the agent {self.agent!r}.",
            "user": f"Template of the message that {self.agent!r} sends to its model.",
            "tool": f"Description of the tool {self.tool!r}, as the agent {self.agent!r} sees it.",
            "argument": f"Description of the argument {self.tool!r}, as {self.agent!r} sees it.",
            "role": f"Description of the agent {self.agent!r}, by which speakers are chosen.",
            "result": f"What {self.agent!r} says when it calls {self.tool!r}.",
            "limit": f"Limit {self.tool!r}, at which a run ends.",
            "setting": f"Setting {self.tool!r} of the model that {self.agent!r} calls.",
            "code": f"Code of the tool {self.tool!r}, which the agent {self.agent!r} calls.",
        }[self.place]
        if self.number is not None:
            return Parameter(self.name, self.number.parse(self.text), self.number, what)
        if self.place == "code":
            return Parameter(self.name, self.text, Code.of(self.text), what)
        return Parameter(self.name, self.text, Text(placeholders=self.fields), what)


def _filled(template: str, fields: Mapping[str, object]) -> str:
    """Return a template with its fields filled in; braces that are no fields stay, as of JSON."""
    try:
        if template_fields(template) is not None:  # nothing behind a field is looked up
            return template.format_map(fields)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        pass
    return re.sub(r"\{(\w+)\}", lambda m: str(fields.get(m[1], m[0])), template)


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
        filled = [
            site
            for site in self._templates
            if site.place == place and site.tool == tool and site.pattern.fullmatch(text)
        ]
        for site in filled:
            if site.members and all(member in text for member in site.members):
                return site
        return filled[0] if filled else None

    def template(self, place: Place, text: str, agent: str) -> Site | None:
        """Return the site of a template; where several agents share it, the agent's own."""
        found = [site for site in self._templates if site.place == place and site.text == text]
        return next((site for site in found if site.agent == agent), found[0] if found else None)

    def at(self, place: Place) -> tuple[Site, ...]:
        """Return the sites of one place."""
        return self._by_place.get(place, ())

    @cached_property
    def _by_place(self) -> Mapping[Place, tuple[Site, ...]]:
        index: dict[Place, list[Site]] = {}
        for site in self.all:
            index.setdefault(site.place, []).append(site)
        return {place: tuple(sites) for place, sites in index.items()}

    def joined(self, others: Sites) -> Sites:
        """Return these sites and those of `others` that are not among them."""
        if others is self:
            return self
        known = set(self.all)
        new = [site for site in others.all if site not in known]
        if not new or not self.all:
            return others if new else self
        names = Names()
        return Sites(tuple(names.add(site) for site in (*self.all, *new)))

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
    for tool, argument, text in offer.arguments:
        if text.strip():
            name = f"{offer.agent}.tools.{tool}.arguments.{argument}.description"
            yield Site(name, offer.agent, "argument", text, f"{tool}.{argument}")


class Names:
    """Keeps the names of sites unique: a second text of one name gets a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def add(self, site: Site) -> Site:
        """Return the site under a name that no other has."""
        name, number = site.name, 1
        while name in self._taken:
            number += 1
            name = f"{site.name}.{number}"
        self._taken.add(name)
        return site if name == site.name else replace(site, name=name)

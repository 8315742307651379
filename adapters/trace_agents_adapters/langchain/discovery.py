"""Finding the parameters of runnables: their parts are walked, their first model calls seen."""

from __future__ import annotations

import string
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from types import FunctionType, MethodType
from typing import cast

from langchain_core.language_models import BaseLanguageModel
from langchain_core.prompts import BasePromptTemplate
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from trace_agents.errors import InvalidValue
from trace_agents.graph import Number
from trace_agents.wrapping import wrap
from trace_agents_adapters.bound import BoundWorkflow, NothingToLearn, in_own_loop
from trace_agents_adapters.langchain import messages as shapes
from trace_agents_adapters.langchain.closures import is_library, referred
from trace_agents_adapters.langchain.probing import seen, trials
from trace_agents_adapters.langchain.prompts import sites_in
from trace_agents_adapters.langchain.runs import NOTHING, Given
from trace_agents_adapters.langchain.tools import function_of
from trace_agents_adapters.langchain.walking import (
    AnyModel,
    AnyRunnable,
    Part,
    Walk,
    is_a,
    is_foreign,
)
from trace_agents_adapters.langchain.watching import Watch, offer, settings_of
from trace_agents_adapters.sites import Offer, Site, Sites, sites_of, template_fields
from trace_agents_adapters.toolcode import Codes

_NO_SETTINGS: Mapping[str, Number] = {}
_NO_CODES = Codes(asked=False)


def find_sites(
    thing: AnyRunnable | None,
    found: Walk,
    agent: str,
    asked: Mapping[str, Number] = _NO_SETTINGS,
    codes: Codes = _NO_CODES,
    given: Given = NOTHING,
) -> Sites:
    """Return the sites of a runnable and of all its parts; no model is called, no tool runs.

    Without a runnable they are those of the parts alone.

    Raises:
        InvalidValue: a setting was asked for that no model has, or code that cannot change.
    """
    tried = trials(thing, found, agent, given)
    watches = in_own_loop(lambda: seen(tried, lambda name: Watch(name, asked=asked)))
    walked = [s for part in found.of(BasePromptTemplate) for s in sites_in(part.thing, part.agent)]
    walked += _summaries(found)
    models = list(found.of(BaseLanguageModel))
    settings = [site for part in models for site in _settings(part, asked)]
    watched = list(_watched(watches))
    known = _once([*_unlike(watched, walked), *settings], walked)
    offers = [o for watch in watches for o in watch.offers] + [_bound_tools(p) for p in models]
    _all_asked(known, asked)
    _warn({pair for watch in watches for pair in watch.silent})
    own = (sites_of(offers, known), sites_of((), _codes(found, codes)))
    sites = reduce(Sites.joined, (*own, *_foreign(found)))
    if not sites.all and thing is not None:
        warnings.warn(
            f"{agent!r} has nothing to learn: no prompt, no tool with a description and no setting "
            "that was asked for reaches a model; give it a prompt, or ask for a setting",
            NothingToLearn,
            stacklevel=2,
        )
    return sites


def sites_referred(function: object, agent: str) -> Sites:
    """Return the sites of the runnables that a function, and those it calls, refer to."""
    found = Walk()
    for inner in referred(function):
        if isinstance(inner, FunctionType) and not is_library(inner):
            found.visit(inner, inner.__name__)
        elif is_a(inner, Runnable, BoundWorkflow):
            found.visit(inner, agent)
    return find_sites(None, found, agent)


def _foreign(found: Walk) -> Iterator[Sites]:
    """Yield the sites of the workflows, agents and teams of other frameworks among the parts."""
    for part in found.parts:
        if isinstance(part.thing, BoundWorkflow):
            yield part.thing.sites()
        elif is_foreign(part.thing):
            yield cast("BoundWorkflow", wrap(part.thing)).sites()


def _summaries(found: Walk) -> Iterator[Site]:
    """Yield the templates by which middleware has a conversation summed up."""
    for part in found.of(MethodType):
        prompt: object = getattr(cast("MethodType", part.thing).__self__, "summary_prompt", None)
        if isinstance(prompt, str) and (fields := template_fields(prompt)):
            name, text = f"{part.agent}.summary_prompt", prompt.rstrip()
            yield Site(name, part.agent, "user", text, fields=fields)


def _codes(found: Walk, codes: Codes) -> list[Site]:
    tools = {id(part.thing): part for part in found.of(BaseTool)}.values()
    return codes.of(
        [(p.agent, cast("BaseTool", p.thing).name, function_of(p.thing)) for p in tools]
    )


def _settings(part: Part, asked: Mapping[str, Number]) -> list[Site]:
    model = cast("AnyModel", part.thing)
    return settings_of(part.agent, model, part.settings, asked)


def _bound_tools(part: Part) -> Offer:
    """Return what is bound to a model where it is made."""
    tools = cast("list[object]", part.settings.get("tools") or [])
    known = [each for tool in tools if (each := shapes.definition(tool)) is not None]
    return offer(part.agent, (), known)


def _watched(watches: Sequence[Watch]) -> Iterator[Site]:
    """Yield the sites that were seen; of those whose calls look the same only the first."""
    met: set[tuple[object, ...]] = set()
    for watch in watches:
        for site in watch.sites:
            looks = (site.agent, site.place, *_looks(site)) if site in watch.marked else ()
            if looks not in met:
                yield site
            if looks:
                met.add(looks)


def _looks(site: Site) -> Iterator[tuple[str, int | None]]:
    """Yield the parts of a template, whatever its fields are called."""
    for text, name, _, _ in string.Formatter().parse(site.text):
        yield text, None if name is None else site.fields.index(name)


def _once(sites: list[Site], before: list[Site]) -> list[Site]:
    """Return each site once, those of `before` first."""
    kept: dict[tuple[object, ...], Site] = {}
    for site in [*before, *sites]:
        what = (site.tool,) if site.place == "setting" else (site.text, site.fields)
        kept.setdefault((site.agent, site.place, *what), site)
    return list(kept.values())


def _unlike(sites: list[Site], walked: list[Site]) -> list[Site]:
    """Return the sites that are not another one's template, filled in with what never changes."""
    return [
        site
        for site in sites
        if not any(_fills(site, other) for other in walked)
        and not any(_fills(site, o) and set(site.fields) < set(o.fields) for o in sites)
    ]


def _fills(site: Site, other: Site) -> bool:
    return bool(
        site.agent == other.agent
        and site.place == other.place
        and other.fields
        and other.pattern.fullmatch(site.text.replace("{{", "{").replace("}}", "}"))
    )


def _all_asked(sites: list[Site], asked: Mapping[str, Number]) -> None:
    for name in asked:
        if not any(site.place == "setting" and site.tool == name for site in sites):
            raise InvalidValue(
                f"no model of the workflow carries the setting {name!r}; set it where the model "
                f"is made, as in ChatModel({name}=...), or do not ask for it"
            )


def _warn(silent: set[tuple[str, str]]) -> None:
    for agent, tool in sorted(silent):
        warnings.warn(
            f"the tool {tool!r} of {agent!r} has no description: its model sees only its name, and "
            "training can change nothing; give its function a docstring",
            NothingToLearn,
            stacklevel=2,
        )

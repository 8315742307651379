"""Which optimizer a run uses where the caller names a model, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from trace_agents.errors import InvalidValue
from trace_agents.graph import Parameters
from trace_agents.llm import Model, as_model
from trace_agents.optimizers import Optimizer, OptoPrime, Search
from trace_agents.training.proposals.proposers import MakeOptimizer


@dataclass(frozen=True, slots=True)
class Maker:
    """Where the optimizer of a run came from."""

    kind: str
    """Its type."""
    model: str | None = None
    """The model's name, where the run was given one."""
    given: bool = False
    """Whether it was an object of the caller's, which nobody else can make again."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The optimizer of a run."""

    whole: Optimizer
    """For all parameters together."""
    make: MakeOptimizer | None = None
    """Makes one for a part of them, where that is possible."""


def choose_optimizer(
    parameters: Parameters,
    *,
    optimizer: Optimizer | MakeOptimizer | None = None,
    model: str | Model | None = None,
    seed: int = 0,
) -> Chosen:
    """Return `optimizer`, else OptoPrime with `model`, else a Search, which needs no model.

    A function in place of the optimizer makes one for the parameters that it is given, so that
    parts of them can be thought about apart; so does a model. A Search looks at no graph, and
    tries all parameters together.

    Raises:
        InvalidValue: both are given; or neither, and no parameter has choices or a range.
        UnknownModel: no provider knows the model's name.
        ExtraNotInstalled: a model's name, and litellm is missing.
    """
    if optimizer is not None and model is not None:
        raise InvalidValue(
            "both optimizer and optimizer_model are given; give the model to your optimizer, or "
            "leave the optimizer out to use OptoPrime with the model"
        )
    if optimizer is not None:
        return _given(optimizer, parameters)
    if model is not None:
        shared = as_model(model)  # one for all parts, with one limit and one cache

        def prime(some: Parameters) -> Optimizer:
            return OptoPrime(some, llm=shared)

        return Chosen(prime(parameters), prime)
    search = Search(parameters, seed=seed)
    if not search.space.axes:
        raise InvalidValue(_no_optimizer(parameters))
    return Chosen(search)


def _given(given: object, parameters: Parameters) -> Chosen:
    if isinstance(given, str):
        raise InvalidValue(
            f"optimizer={given!r} is a text; give a model's name as optimizer_model=, or an "
            "optimizer such as ta.OptoPrime(workflow.parameters(), llm=model)"
        )
    if isinstance(given, type):
        raise InvalidValue(
            f"optimizer={given.__name__} is a class; give an object of it: "
            f"{given.__name__}(workflow.parameters(), ...)"
        )
    if hasattr(given, "propose"):
        return Chosen(_fitting(given, parameters))
    if not callable(given):
        raise InvalidValue(f"optimizer={given!r:.80} is neither an optimizer nor makes one")
    make = cast("MakeOptimizer", given)
    return Chosen(_fitting(make(parameters), parameters), make)


def _fitting(optimizer: object, parameters: Parameters) -> Optimizer:
    """Return an optimizer that can change something of the workflow."""
    if not hasattr(optimizer, "propose"):
        raise InvalidValue(f"optimizer= made {optimizer!r:.80}, which is no optimizer")
    known: object = getattr(optimizer, "parameters", None)
    if isinstance(known, Parameters):
        name = type(optimizer).__name__
        if not known.trainable:
            raise InvalidValue(
                f"the optimizer {name} has no parameter that may change; make it with "
                "workflow.parameters()"
            )
        foreign = ", ".join(repr(one) for one in known.trainable if one not in parameters)
        if foreign:
            raise InvalidValue(
                f"the optimizer {name} would change {foreign}, which the workflow does not have; "
                "make it with workflow.parameters()"
            )
    return cast("Optimizer", optimizer)


def maker_of(chosen: Optimizer, *, given: object, model: str | Model | None) -> Maker:
    """Return where the optimizer came from, for the run's log."""
    name = model if isinstance(model, str) else None
    return Maker(type(chosen).__name__, name, given is not None or model is not name)


def left_alone(optimizer: Optimizer) -> tuple[str, ...]:
    """Return, one sentence each, the parameters that a search without a model cannot change."""
    return optimizer.space.frozen if isinstance(optimizer, Search) else ()


def _no_optimizer(parameters: Parameters) -> str:
    names = ", ".join(map(repr, parameters.trainable))
    if not names:
        return "the workflow has no parameter that may change; unfreeze one, or mark one trainable"
    return (
        f"without a model nothing can change {names}: give optimizer_model= (a litellm name such "
        "as 'openai/gpt-4o-mini', or a Model) so that OptoPrime writes new values, or declare "
        "choices or a range for a parameter (Choice, Bool, Number with two ends) so that Search "
        "can try them"
    )

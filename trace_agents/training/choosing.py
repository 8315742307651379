"""Which optimizer a run uses where the caller names a model, or nothing."""

from __future__ import annotations

from trace_agents.errors import InvalidValue
from trace_agents.graph import Parameters
from trace_agents.llm import Model
from trace_agents.optimizers import Optimizer, OptoPrime, Search
from trace_agents.training.config import Maker


def choose_optimizer(
    parameters: Parameters,
    *,
    optimizer: Optimizer | None = None,
    model: str | Model | None = None,
    seed: int = 0,
) -> Optimizer:
    """Return `optimizer`, else OptoPrime with `model`, else a Search, which needs no model.

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
        return optimizer
    if model is not None:
        return OptoPrime(parameters, llm=model)
    search = Search(parameters, seed=seed)
    if not search.space.axes:
        raise InvalidValue(_no_optimizer(parameters))
    return search


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

"""Which sandbox a name means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Literal, TypeAlias, cast, get_args

from trace_agents.errors import InvalidValue
from trace_agents.sandbox.job import Sandbox
from trace_agents.sandbox.unsafe import UnsafeSandbox

SandboxName: TypeAlias = Literal["monty", "process", "docker", "unsafe"]
HOMES: Mapping[str, str] = {
    "DockerSandbox": "trace_agents.sandbox.docker",
    "MontySandbox": "trace_agents.sandbox.monty",
    "ProcessSandbox": "trace_agents.sandbox.process",
}
"""The modules of the sandboxes, which are imported when one is made."""


def sandbox_of(
    choice: SandboxName | Sandbox,
    *,
    namespace: Mapping[str, object] | None = None,
    imports: Sequence[str] = (),
) -> Sandbox:
    """Return the sandbox that `choice` names, or `choice` itself where it is one.

    Args:
        choice: a name, or an object with a `run` method.
        namespace: what unsafe code sees as its globals.
        imports: modules that the code may import, where the sandbox can be told.

    Raises:
        InvalidValue: no sandbox has that name, or the object is none.
    """
    if choice == "unsafe":
        return UnsafeSandbox(namespace)
    if not isinstance(choice, str) and callable(getattr(choice, "run", None)):
        return choice
    if choice not in get_args(SandboxName):
        names = ", ".join(get_args(SandboxName))
        raise InvalidValue(
            f"{choice!r} is no sandbox; give an object with a `run` method, or one of: {names}"
        )
    name = f"{str(choice).capitalize()}Sandbox"
    kind = cast("Callable[..., Sandbox]", getattr(import_module(HOMES[name]), name))
    return kind(imports=tuple(imports)) if choice == "process" else kind()

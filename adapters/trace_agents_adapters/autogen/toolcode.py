"""New code in the place of a function that is an AutoGen tool."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine, Iterable, Mapping
from types import FunctionType, MethodType
from typing import Any, TypeAlias, cast

import anyio.to_thread
from autogen_core import CancellationToken
from autogen_core.tools import BaseTool, FunctionTool

from trace_agents.errors import InvalidValue
from trace_agents.sandbox import UnsafeSandbox
from trace_agents_adapters.sites import Site
from trace_agents_adapters.toolcode import Codes, Function, Pinned, is_asked

AnyTool: TypeAlias = BaseTool[Any, Any]


def function_of(tool: AnyTool) -> Function | None:
    """Return the user's function behind a tool, if it is one."""
    if not isinstance(tool, FunctionTool):
        return None
    members = cast("Mapping[str, object]", vars(tool)).values()
    return next((each for each in members if isinstance(each, FunctionType | MethodType)), None)


def codes_of(tools: Iterable[tuple[str, str, Function | None]], codes: Codes) -> list[Site]:
    """Return the code of the tools that were asked for, given as agent, name and function.

    Raises:
        InvalidValue: a tool was asked for that there is not, or whose code cannot change.
    """
    # whoever asks for all means all functions: agents and servers are tools too
    every = codes.asked is True
    found = [tool for tool in tools if tool[2] is not None or not every]
    for _, name, function in found:
        if function is not None and is_asked(codes.asked, name) and _takes_a_token(function):
            raise InvalidValue(
                f"the code of the tool {name!r} cannot change, because it takes a "
                "cancellation_token, which cannot enter a sandbox; leave it out: "
                "tool_code=[names of other tools]"
            )
    return codes.of(found)


def _takes_a_token(function: Function) -> bool:
    return "cancellation_token" in inspect.signature(function).parameters


async def run_changed(
    tool: AnyTool, code: Pinned, args: Mapping[str, object], token: CancellationToken
) -> object:
    """Return what the new code gives for arguments that the tool has checked."""
    given = tool.args_type().model_validate(args)
    told = {name: getattr(given, name) for name in type(given).model_fields}
    running = asyncio.ensure_future(_run(cast("Function", function_of(tool)), code, told))
    token.link_future(running)
    return await running


def _run(
    function: Function, code: Pinned, told: Mapping[str, object]
) -> Coroutine[object, object, object]:
    blocks = not inspect.iscoroutinefunction(function)
    if blocks and isinstance(code.site.sandbox, UnsafeSandbox):  # it is as the function itself
        return anyio.to_thread.run_sync(lambda: code.blocking(function)(**told))
    return cast("Coroutine[object, object, object]", code.awaited(function)(**told))

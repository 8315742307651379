"""Agent Framework's tools: what a model is told of them, and their calls."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import wraps
from typing import cast

from agent_framework import FunctionInvocationContext, FunctionTool
from pydantic import BaseModel

from trace_agents.tracing.context import current_trace
from trace_agents_adapters import boundary
from trace_agents_adapters.agent_framework import messages as shapes
from trace_agents_adapters.agent_framework import speaking
from trace_agents_adapters.boundary import Binding, Json
from trace_agents_adapters.patches import Method
from trace_agents_adapters.toolschemas import described, redescribed

Invoke = Callable[..., Awaitable[object]]


def described_arguments(tool: FunctionTool) -> Iterator[tuple[str, str]]:
    """Return name and description of each argument that is described."""
    return described(tool.parameters())


def bound(binding: Binding, tool: object) -> object:
    """Return a tool with the pinned descriptions; the caller's tool stays as it is."""
    if not isinstance(tool, FunctionTool):
        return tool
    text = binding.text("tool", tool.description, tool.name)
    told = {
        argument: new
        for argument, old in described_arguments(tool)
        if (new := binding.text("argument", old, f"{tool.name}.{argument}")) != old
    }
    return tool if text == tool.description and not told else _retold(tool, text, told)


def definition(tool: object) -> Json | None:
    """Return a tool's definition, if it is one that the program itself calls."""
    if not isinstance(tool, FunctionTool):
        return None
    about: Json = {"description": tool.description, "parameters": tool.parameters()}
    return {"type": "function", "name": tool.name, **about}


def wrap_invoke(original: Method) -> Method:
    """Return `FunctionTool.invoke` with its calls recorded."""
    invoke = cast("Invoke", original)

    @wraps(invoke)
    async def recorded_invoke(
        self: FunctionTool,
        *,
        arguments: BaseModel | Mapping[str, object] | None = None,
        context: FunctionInvocationContext | None = None,
        tool_call_id: str | None = None,
        **settings: object,
    ) -> object:
        given = {"arguments": arguments, "context": context, "tool_call_id": tool_call_id}
        trace = current_trace()
        if trace is None:
            return await invoke(self, **given, **settings)
        binding = Binding(trace, speaking.speaker())
        told = arguments if arguments is not None or context is None else context.arguments
        with boundary.tool_span(
            self.name,
            description=binding.text("tool", self.description, self.name),
            call_id=tool_call_id,
            arguments=_data(told),
        ) as finish:
            result = await invoke(self, **given, **settings)
            finish(shapes.text_of(result))
        return result

    return recorded_invoke


def _retold(tool: FunctionTool, text: str, told: Mapping[str, str]) -> FunctionTool:
    new = copy.copy(tool)
    new.description = text
    if told:
        schema = redescribed(tool.parameters(), told)
        # the schema is what the public method gives; the tool keeps no other name for it
        vars(new)["parameters"] = lambda: schema
    return new


def _data(arguments: BaseModel | Mapping[str, object] | None) -> Mapping[str, object]:
    if isinstance(arguments, BaseModel):
        return arguments.model_dump()
    return dict(arguments or {})

"""Each sort of agent: how it is built, what is found, what is connected, what the model gets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from autogen_agentchat.agents import (
    AssistantAgent,
    BaseChatAgent,
    CodeExecutorAgent,
    SocietyOfMindAgent,
    UserProxyAgent,
)
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_agentchat.teams import (
    RoundRobinGroupChat,
)
from autogen_core import CancellationToken, FunctionCall
from autogen_core.code_executor import CodeBlock, CodeExecutor, CodeResult
from autogen_core.memory import ListMemory, MemoryContent
from autogen_core.models import LLMMessage, SystemMessage, UserMessage
from autogen_core.tools import FunctionTool, StaticWorkbench, ToolResult, ToolSchema, Workbench
from autogen_core.tools._workbench import TextResultContent
from pydantic import BaseModel

from tests.adapters.autogen_kit import (
    CODE,
    TEXT,
    Book,
    Case,
    assistant,
    depth,
)
from tests.adapters.scripted import NamedClient, calls


def twice(messages: Sequence[LLMMessage]) -> str | list[FunctionCall]:
    """Call the tool two times, one after the other."""
    done = sum(m.type == "FunctionExecutionResultMessage" for m in messages)
    if done == 2:
        return "Both basins are measured."
    arguments = json.dumps({"place": ["Aberwick", "Dunholm"][done]})
    return [FunctionCall(id=f"c{done}", name="depth", arguments=arguments)]


class Verdict(BaseModel):
    good: bool
    why: str


class Shelf(Workbench):
    """A workbench that is no list of tools, as one over a connection."""

    component_type = "workbench"

    async def list_tools(self) -> list[ToolSchema]:
        return [ToolSchema(name="look", description="Look on the shelf.")]

    async def call_tool(
        self, name: str, arguments: Any = None, cancellation_token: Any = None, call_id: Any = None
    ) -> ToolResult:
        return ToolResult(
            name=name, result=[TextResultContent(content="A chart of 1821 lies here.")]
        )

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def reset(self) -> None: ...
    async def save_state(self) -> dict[str, Any]:
        return {}

    async def load_state(self, state: Any) -> None: ...


class Harmless(CodeExecutor):
    """An executor that runs nothing and tells what it was given."""

    component_type = "code_executor"

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        return CodeResult(exit_code=0, output=f"{len(code_blocks)} block would have run today.")

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def restart(self) -> None: ...


class Herald(BaseChatAgent):
    """An agent of a user's own, with a prompt of its own."""

    def __init__(self, client: NamedClient) -> None:
        super().__init__("herald", "Announces.")
        self._client = client

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        asked = [UserMessage(content=m.to_model_text(), source=m.source) for m in messages]
        result = await self._client.create([SystemMessage(content="Announce it."), *asked])
        return Response(chat_message=TextMessage(content=str(result.content), source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None: ...


def remembering(book: Book) -> AssistantAgent:
    memory = ListMemory()
    memory.content = [MemoryContent(content="The lamp was lit in 1790.", mime_type="text/plain")]
    return assistant(book, "keeper", "It burns still, as ever.", memory=[memory])


def society(book: Book) -> SocietyOfMindAgent:
    inner = RoundRobinGroupChat([assistant(book, "scout", "Gulls on the mole.")], max_turns=1)
    client = book("mind-model", "A summary of what the scout saw.")
    return SocietyOfMindAgent("mind", inner, client, response_prompt="Sum it up.")


def coder(book: Book) -> CodeExecutorAgent:
    def say(messages: Sequence[LLMMessage]) -> str:
        ran = any("would have run" in str(m.content) for m in messages)
        return "The program did its work." if ran else "Try:\n```python\nprint('ahoy there')\n```"

    client = book("coder-model", say)
    return CodeExecutorAgent("coder", Harmless(), model_client=client, system_message="Code well.")


def with_tool(book: Book, **settings: Any) -> AssistantAgent:
    say = calls("depth", "It is deep enough for her.", place="Aberwick")
    return assistant(book, "pilot", say, **settings)


def user_proxy(book: Book) -> RoundRobinGroupChat:
    user = UserProxyAgent("user", input_func=lambda prompt: "Make it shorter, please.")
    return RoundRobinGroupChat([assistant(book, "writer", "A long tale."), user], max_turns=2)


SHALLOW = """async def depth(place: Annotated[str, 'Name of the harbour.']) -> str:
    '''Look up how deep a harbour is.'''
    return f"The basin of {place} is far too shallow."
"""


TOOLS = {
    "pilot.system_message": TEXT,
    "pilot.tools.depth.description": TEXT,
    "pilot.tools.depth.arguments.place.description": TEXT,
}


TOOL_EDGES = {
    "pilot.system_message > pilot-model",
    "pilot.tools.depth.description > pilot-model",
    "pilot.tools.depth.arguments.place.description > pilot-model",
    "task > pilot-model",
    "pilot-model > depth",
}


REFLECTED = {
    "pilot.system_message > pilot-model#2",
    "task > pilot-model#2",
    "pilot-model > pilot-model#2",
    "depth > pilot-model#2",
    "pilot-model#2 > pilot",
}


AGENTS = [
    Case(
        "tool",
        lambda book: with_tool(book, tools=[depth]),
        TOOLS,
        TOOL_EDGES | {"depth > pilot"},
        ("pilot.tools.depth.description", "Sound the basin.", "pilot-model"),
        output="The basin of Aberwick is seven fathoms deep.",
    ),
    Case(
        "tool code",
        lambda book: with_tool(book, tools=[depth], reflect_on_tool_use=True),
        TOOLS | {"pilot.tools.depth.code": CODE},
        TOOL_EDGES | REFLECTED | {"pilot.tools.depth.code > depth"},
        ("pilot.tools.depth.code", SHALLOW, "pilot-model"),
        output="It is deep enough for her.",
        seen="The basin of Aberwick is far too shallow.",
        first="The basin of Aberwick is seven fathoms deep.",
        options={"tool_code": True},
    ),
    Case(
        "reflected tool",
        lambda book: with_tool(book, tools=[depth], reflect_on_tool_use=True),
        TOOLS,
        TOOL_EDGES | REFLECTED,
        ("pilot.tools.depth.arguments.place.description", "Which one?", "pilot-model"),
        output="It is deep enough for her.",
    ),
    Case(
        "tool loop",
        lambda book: assistant(book, "pilot", twice, tools=[depth], max_tool_iterations=5),
        TOOLS,
        TOOL_EDGES
        | {
            f"{name} > pilot-model{n}"
            for name in [*TOOLS, "task", "pilot-model", "depth"]
            for n in ("#2", "#3")
        }
        | {
            "pilot-model#2 > depth#2",
            "pilot-model#2 > pilot-model#3",
            "depth#2 > pilot-model#3",
            "pilot-model#3 > pilot",
        },
        ("pilot.system_message", "Measure all of them.", "pilot-model"),
        output="Both basins are measured.",
    ),
    Case(
        "workbench",
        lambda book: with_tool(
            book,
            workbench=StaticWorkbench([FunctionTool(depth, "Look it up.")]),
            reflect_on_tool_use=True,
        ),
        TOOLS,
        TOOL_EDGES | REFLECTED,
        ("pilot.tools.depth.description", "Sound the basin.", "pilot-model"),
        output="It is deep enough for her.",
    ),
    Case(
        "live workbench",
        lambda book: assistant(
            book,
            "keeper",
            calls("look", "There is a chart."),
            workbench=Shelf(),
            reflect_on_tool_use=True,
        ),
        {"keeper.system_message": TEXT, "keeper.tools.look.description": TEXT},
        {
            "keeper.system_message > keeper-model",
            "keeper.tools.look.description > keeper-model",
            "task > keeper-model",
            "keeper-model > look",
            "keeper.system_message > keeper-model#2",
            "task > keeper-model#2",
            "keeper-model > keeper-model#2",
            "look > keeper-model#2",
            "keeper-model#2 > keeper",
        },
        ("keeper.tools.look.description", "Search the shelf.", "keeper-model"),
        output="There is a chart.",
    ),
    Case(
        "memory",
        remembering,
        {"keeper.system_message": TEXT},
        {
            "keeper.system_message > keeper-model",
            "task > keeper-model",
            "keeper-model > keeper",
        },
        ("keeper.system_message", "Remember well.", "keeper-model"),
        output="It burns still, as ever.",
    ),
    Case(
        "structured",
        lambda book: assistant(
            book, "judge", '{"good": true, "why": "It holds."}', output_content_type=Verdict
        ),
        {"judge.system_message": TEXT},
        {"judge.system_message > judge-model", "task > judge-model", "judge-model > judge"},
        ("judge.system_message", "Judge hard.", "judge-model"),
        output='{"good":true,"why":"It holds."}',
    ),
    Case(
        "stream",
        lambda book: assistant(book, "bard", "A song of the sea.", model_client_stream=True),
        {"bard.system_message": TEXT},
        {"bard.system_message > bard-model", "task > bard-model", "bard-model > bard"},
        ("bard.system_message", "Sing.", "bard-model"),
        output="A song of the sea.",
    ),
    Case(
        "user proxy",
        user_proxy,
        {"writer.system_message": TEXT},
        {
            "writer.system_message > writer-model",
            "task > writer-model",
            "writer-model > user proxy",
        },
        ("writer.system_message", "Write short.", "writer-model"),
        shared=False,
        output="Make it shorter, please.",
    ),
    Case(
        "society of mind",
        society,
        {
            "scout.system_message": TEXT,
            "mind.instruction": TEXT,
            "mind.response_prompt": TEXT,
        },
        {
            "scout.system_message > scout-model",
            "task > scout-model",
            "mind.instruction > mind-model",
            "mind.response_prompt > mind-model",
            "scout-model > mind-model",
            "mind-model > mind",
        },
        ("mind.response_prompt", "Be brief about it.", "mind-model"),
        output="A summary of what the scout saw.",
    ),
    Case(
        "code executor",
        coder,
        {"coder.system_message": TEXT},
        {
            "coder.system_message > coder-model",
            "task > coder-model",
            "coder.system_message > coder-model#2",
            "task > coder-model#2",
            "coder-model > coder-model#2",
            "coder-model > Harmless",
            "Harmless > coder-model#2",
            "coder-model#2 > coder",
        },
        ("coder.system_message", "Code badly.", "coder-model"),
        output="The program did its work.",
    ),
    Case(
        "own agent",
        lambda book: Herald(book("herald-model", "Hear ye, all of you.")),
        {"herald.system_message": TEXT},
        {
            "herald.system_message > herald-model",
            "task > herald-model",
            "herald-model > own agent",
        },
        ("herald.system_message", "Whisper it.", "herald-model"),
        shared=False,
        output="Hear ye, all of you.",
    ),
]

"""Names of span attributes that several places need: the GenAI conventions', and ours."""

from __future__ import annotations

from trace_agents.attributes import EPISODE, INPUT, NODE_KIND, OUTPUT, PARAMETERS, VERSION

__all__ = ["EPISODE", "INPUT", "NODE_KIND", "OUTPUT", "PARAMETERS", "VERSION"]

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
PROMPT_VARIABLE = "gen_ai.prompt.variable."
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
AGENT_NAME = "gen_ai.agent.name"
WORKFLOW_NAME = "gen_ai.workflow.name"
TOOL_NAME = "gen_ai.tool.name"
TOOL_DESCRIPTION = "gen_ai.tool.description"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOOL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_RESULT = "gen_ai.tool.call.result"
ERROR_TYPE = "error.type"

CHAT_OPERATIONS = frozenset({"chat", "text_completion", "generate_content"})
AGENT_OPERATIONS = frozenset({"invoke_agent", "invoke_workflow"})

PARAMETER_VALUES = "trace_agents.parameter.values"
"""JSON object: the bound value of each name in `PARAMETERS`."""
GRAPH = "trace_agents.graph"
"""JSON object on the root span of an exported graph: its episode, version and edges."""
NODE = "trace_agents.node"
"""JSON object: one whole node of an exported graph."""

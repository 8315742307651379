"""A graph that grades what it found and asks again, after LangGraph's page "Agentic RAG".

https://docs.langchain.com/oss/python/langgraph/agentic-rag
The documents lie in a dict and the models answer from lists, so that this runs without a key. Two
lines are added to wrap it: the prompts that `str.format` makes in the nodes become templates, as do
the descriptions of the tool and of the grade.
Run it with `python examples/wrapped/langchain_agentic_rag.py` (needs langchain and langgraph).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal, cast

from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import BaseModel

import trace_agents as ta  # added

TASK = "When may I see it?"

NOTES = {
    "it": "The bakery opens at seven in the morning.",
    "lighthouse hours": "The lighthouse is open until six in the evening.",
}
GRADE_PROMPT = (
    "Grade whether a document fits a question.\n"
    "The document: {context}\n"
    "The question: {question}\n"
    "Answer yes or no."
)
REWRITE_PROMPT = "Say what is meant by this question:\n{question}\nWrite a better question."
GENERATE_PROMPT = "Answer in one sentence.\nQuestion: {question}\nContext: {context}"


class Listed(FakeMessagesListChatModel):
    """Says what stands in its list, whatever it is asked."""

    def bind_tools(self, tools: Sequence[Any], **settings: Any) -> Any:
        """Return the model with the tools that it is offered."""
        return self.bind(tools=[convert_to_openai_tool(each) for each in tools])


def call(name: str, **arguments: object) -> AIMessage:
    """Return a message that calls a tool."""
    return AIMessage(
        "", tool_calls=[{"id": f"{name}-{arguments}", "name": name, "args": arguments}]
    )


@tool
def search_notes(query: str) -> str:
    """Search the notes on the town."""
    return NOTES[query]


class Grade(BaseModel):
    """Grade a document: yes if it fits the question, or no."""

    fits: Literal["yes", "no"]


queries = [call("search_notes", query="it"), call("search_notes", query="lighthouse hours")]
asker = Listed(responses=list(queries)).bind_tools([search_notes])
grader = Listed(responses=[call("Grade", fits="no"), call("Grade", fits="yes")])
grading: Any = grader.with_structured_output(Grade)
rewriter = Listed(responses=[AIMessage("What are the hours of the lighthouse?")])
writer = Listed(responses=[AIMessage("You may see it until six.")])


def query_or_respond(state: MessagesState) -> dict[str, Any]:
    """Look something up, or answer at once."""
    return {"messages": [asker.invoke(state["messages"])]}


def grade(state: MessagesState) -> Literal["generate", "rewrite"]:
    """Tell where to go on with what was found."""
    question, context = state["messages"][0].content, state["messages"][-1].content
    prompt = GRADE_PROMPT.format(question=question, context=context)
    result = grading.invoke([{"role": "user", "content": prompt}])
    return "generate" if result.fits == "yes" else "rewrite"


def rewrite(state: MessagesState) -> dict[str, Any]:
    """Ask in other words."""
    prompt = REWRITE_PROMPT.format(question=state["messages"][0].content)
    said = rewriter.invoke([{"role": "user", "content": prompt}])
    return {"messages": [HumanMessage(said.text)]}


def generate(state: MessagesState) -> dict[str, Any]:
    """Answer from what was found."""
    question, context = state["messages"][0].content, state["messages"][-1].content
    prompt = GENERATE_PROMPT.format(question=question, context=context)
    return {"messages": [writer.invoke([{"role": "user", "content": prompt}])]}


builder = cast("Any", StateGraph(MessagesState))
builder.add_node(query_or_respond).add_node("retrieve", ToolNode([search_notes]))
builder.add_node(rewrite).add_node(generate)
builder.add_edge(START, "query_or_respond")
builder.add_conditional_edges("query_or_respond", tools_condition, {"tools": "retrieve", END: END})
builder.add_conditional_edges("retrieve", grade)
builder.add_edge("generate", END).add_edge("rewrite", "query_or_respond")
graph: Any = builder.compile(name="notes")

workflow = ta.wrap(graph)  # added


async def main() -> None:
    """Ask one question, as one would without the wrapping."""
    state = await graph.ainvoke({"messages": [{"role": "user", "content": TASK}]})
    print(state["messages"][-1].text)


if __name__ == "__main__":
    asyncio.run(main())

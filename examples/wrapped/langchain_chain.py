"""A translating chain, after LangChain's tutorial "Build a simple LLM application".

https://python.langchain.com/docs/tutorials/llm_chain/
The model answers from a list, so that this runs without a key. Two lines are added to wrap it:
both templates become parameters, which keep their fields.
Run it with `python examples/wrapped/langchain_chain.py` (needs langchain-core).
"""

from __future__ import annotations

import asyncio

from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

import trace_agents as ta  # added

TASK = {"language": "Italian", "text": "The sea is calm."}

prompt = ChatPromptTemplate.from_messages(
    [("system", "Translate into {language}."), ("human", "Text: {text}")]
)
model = FakeListChatModel(responses=["Il mare è calmo."])
chain = prompt | model | StrOutputParser()

workflow = ta.wrap(chain, name="translator")  # added


async def main() -> None:
    """Translate one text, as one would without the wrapping."""
    print(await chain.ainvoke(TASK))


if __name__ == "__main__":
    asyncio.run(main())

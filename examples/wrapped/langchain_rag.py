"""Answers from documents, after LangChain's page "Build a RAG agent", its chain of two steps.

https://docs.langchain.com/oss/python/langchain/rag
The documents lie in a list and the model answers from one, so that this runs without a key. Two
lines are added to wrap it: the template becomes a parameter that keeps `{context}` and
`{question}`, and what the retriever found is part of the graph.
Run it with `python examples/wrapped/langchain_rag.py` (needs langchain-core).
"""

from __future__ import annotations

import asyncio

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnablePassthrough

import trace_agents as ta  # added

TASK = "When does the lighthouse close?"

SHELF = [
    "The lighthouse closes at six in the evening.",
    "The bakery opens at seven in the morning.",
    "The lighthouse was built of granite.",
]


class Shelf(BaseRetriever):
    """Finds the documents that share a long word with the query."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        words = {word.strip("?.") for word in query.split() if len(word) > 6}
        return [Document(text) for text in SHELF if words & set(text.split())]


def joined(documents: list[Document]) -> str:
    """Return the documents as one text."""
    return "\n\n".join(document.page_content for document in documents)


prompt = ChatPromptTemplate.from_template(
    "Answer from these notes alone:\n{context}\n\nQuestion: {question}"
)
model = FakeListChatModel(responses=["It closes at six."])
given = {"context": Shelf() | joined, "question": RunnablePassthrough[str]()}
chain = given | prompt | model | StrOutputParser()

workflow = ta.wrap(chain, name="notes")  # added


async def main() -> None:
    """Ask one question, as one would without the wrapping."""
    print(await chain.ainvoke(TASK))


if __name__ == "__main__":
    asyncio.run(main())

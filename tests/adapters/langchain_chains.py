"""Each sort of chain: how it is built, what is found, what is connected, what the model gets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import (
    ChatPromptTemplate,
    PromptTemplate,
)
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import (
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)

from tests.adapters.langchain_kit import TASK, Book, Case, Completing, Drive, Streaming
from trace_agents.workflow import Workflow

CHAIN = {"name": "chain"}


class Shelf(BaseRetriever):
    """Finds the same two documents for every query."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document("The mole is of granite.\n\nQ: was it?"), Document("Seals lie on it.")]


def joined(documents: list[Document]) -> str:
    return "\n\n".join(document.page_content for document in documents)


def parallel(book: Book) -> Any:
    joke = ChatPromptTemplate.from_template("Joke about {x}") | book("joker", "A wet joke.")
    poem = PromptTemplate.from_template("Poem about {x}") | book("poet", "A grey poem.")
    return RunnableParallel(joke=joke | StrOutputParser(), poem=poem | StrOutputParser())


def retrieving(book: Book) -> Any:
    prompt = ChatPromptTemplate.from_template("Use this:\n{context}\n\nQ: {question}")
    given: dict[str, Any] = {"context": Shelf() | joined, "question": RunnablePassthrough()}
    return given | prompt | book("reader", "It is of granite.") | StrOutputParser()


def branching(book: Book) -> Any:
    def of_tea(given: dict[str, str]) -> bool:
        return "tea" in given["q"]

    tea = ChatPromptTemplate.from_template("Tea: {q}") | book("brewer", "Brew it.")
    return RunnableBranch(
        (of_tea, tea), ChatPromptTemplate.from_template("Other: {q}") | book("guide", "Go there.")
    )


def retried(book: Book) -> Any:
    return two_words(book).with_retry(wait_exponential_jitter=False)


def falling_back(book: Book) -> Any:
    first = ChatPromptTemplate.from_template("First try: {x}") | book("first", "The first answer.")
    second = ChatPromptTemplate.from_template("Second: {x}") | book("second", "The other answer.")
    return (first | StrOutputParser()).with_fallbacks([second | StrOutputParser()])


def completing(book: Book) -> Any:
    prompt = PromptTemplate.from_template("Complete this: {x}")
    return prompt | Completing(model_name="writer", answer="and so on it went.", book=book)


def in_function(book: Book) -> Any:
    model = book("guide", "It has a mole.")

    async def tell(given: dict[str, str]) -> str:
        said = await model.ainvoke([("system", f"Know of {given['x']}."), ("human", "Go on.")])
        return str(said.text)

    return RunnableLambda(tell)


def two_words(book: Book) -> Any:
    """Return two steps, of which the second one gets what the first one said."""
    first = ChatPromptTemplate.from_template("Name it: {x}") | book("namer", "The Old Basin")
    last = Streaming(model_name="teller", say=lambda _: "It is deep.", book=book)
    second: Any = ChatPromptTemplate.from_template("Tell of {name} now") | last
    return first | StrOutputParser() | second | StrOutputParser()


STEPS: dict[str, object] = {
    "chain.user_message": "Name it: {x}",
    "chain.user_message.2": "Tell of {name} now",
}
FLOW = {
    "chain.user_message > namer",
    "task > namer",
    "chain.user_message.2 > teller",
    "namer > teller",
    "teller > output",
}


def scoped(use: Callable[[Any, object], Any]) -> Drive:
    """Return what uses the application itself, in the scope of its workflow."""

    async def drive(workflow: Workflow, thing: Any, task: object) -> object:
        with workflow.instrumented():
            return await use(thing, task)

    return drive


async def invoked(thing: Any, task: object) -> object:
    return await anyio.to_thread.run_sync(thing.invoke, task, abandon_on_cancel=True)


async def batched(thing: Any, task: object) -> object:
    return await anyio.to_thread.run_sync(partial(thing.batch, [task]), abandon_on_cancel=True)


async def abatched(thing: Any, task: object) -> object:
    return await thing.abatch([task])


async def streamed(thing: Any, task: object) -> object:
    pieces = partial(list[str], thing.stream(task))
    return "".join(await anyio.to_thread.run_sync(pieces, abandon_on_cancel=True))


async def astreamed(thing: Any, task: object) -> object:
    return "".join([piece async for piece in thing.astream(task)])


async def events(thing: Any, task: object) -> object:
    seen = [event async for event in thing.astream_events(task, version="v2")]
    return [event["data"]["output"] for event in seen if event["event"] == "on_chain_end"][-1]


def way(name: str, use: Callable[[Any, object], Any], output: object, **more: Any) -> Case:
    """Return the case of one way to call a chain."""
    return Case(
        name,
        two_words,
        STEPS,
        FLOW,
        ("chain.user_message.2", "Sing of {name}!", "Sing of The Old Basin!"),
        "teller",
        first="Tell of The Old Basin now",
        output=output,
        options=CHAIN,
        drive=scoped(use),
        **more,
    )


CHAINS = [
    Case(
        "parallel",
        parallel,
        {"chain.user_message": "Joke about {x}", "chain.user_message.2": "Poem about {x}"},
        {
            "chain.user_message > joker",
            "task > joker",
            "chain.user_message.2 > poet",
            "task > poet",
            "joker > chain",
            "poet > chain",
        },
        ("chain.user_message.2", "Sonnet on {x}", f"Sonnet on {TASK}"),
        "poet",
        first=f"Poem about {TASK}",
        output={"joke": "A wet joke.", "poem": "A grey poem."},
        options=CHAIN,
        beside=("joker",),
    ),
    Case(
        "retriever",
        retrieving,
        {"chain.user_message": "Use this:\n{context}\n\nQ: {question}"},
        {
            "task > Shelf",
            "Shelf > reader",
            "chain.user_message > reader",
            "task > reader",
            "reader > chain",
        },
        (
            "chain.user_message",
            "{question} || {context}",
            f"{TASK} || The mole is of granite.\n\nQ: was it?\n\nSeals lie on it.",
        ),
        "reader",
        first=f"Use this:\nThe mole is of granite.\n\nQ: was it?\n\nSeals lie on it.\n\nQ: {TASK}",
        output="It is of granite.",
        options=CHAIN,
    ),
    Case(
        "branch",
        branching,
        {"chain.user_message": "Tea: {q}", "chain.user_message.2": "Other: {q}"},
        {"chain.user_message.2 > guide", "task > guide", "guide > chain"},
        ("chain.user_message.2", "Else: {q}", f"Else: {TASK}"),
        "guide",
        first=f"Other: {TASK}",
        output="Go there.",
        options=CHAIN,
    ),
    Case(
        "retry",
        retried,
        STEPS,
        {edge.replace("output", "chain") for edge in FLOW},
        ("chain.user_message.2", "Sing of {name}!", "Sing of The Old Basin!"),
        "teller",
        first="Tell of The Old Basin now",
        output="It is deep.",
        options=CHAIN,
        survives=True,
        rescued="It is deep.",
    ),
    Case(
        "fallback",
        falling_back,
        {"chain.user_message": "First try: {x}", "chain.user_message.2": "Second: {x}"},
        {"chain.user_message > first", "task > first", "first > chain"},
        ("chain.user_message", "One: {x}", f"One: {TASK}"),
        "first",
        first=f"First try: {TASK}",
        output="The first answer.",
        options=CHAIN,
        survives=True,
        rescued="The other answer.",
    ),
    Case(
        "plain text",
        completing,
        {"chain.user_message": "Complete this: {x}"},
        {"chain.user_message > writer", "task > writer", "writer > chain"},
        ("chain.user_message", "Go on: {x}", f"Go on: {TASK}"),
        "writer",
        first=f"Complete this: {TASK}",
        output="and so on it went.",
        options=CHAIN,
    ),
    Case(
        "function",
        in_function,
        {"chain.system_message": "Know of {x}.", "chain.user_message": "Go on."},
        {
            "chain.system_message > guide",
            "chain.user_message > guide",
            "task > guide",
            "guide > chain",
        },
        ("chain.system_message", "Learn {x}!", f"Learn {TASK}!"),
        "guide",
        first=f"Know of {TASK}.",
        output="It has a mole.",
        task={"x": TASK},
        options=CHAIN,
    ),
    way("invoke", invoked, "It is deep.", threads=True),
    way("batch", batched, ["It is deep."], threads=True),
    way("abatch", abatched, ["It is deep."]),
    way("stream", streamed, "It is deep.", threads=True),
    way("astream", astreamed, "It is deep."),
    way("astream_events", events, "It is deep."),
]

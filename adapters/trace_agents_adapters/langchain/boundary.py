"""LangChain's calls, bound and recorded by wrapping public methods of its base classes."""

from __future__ import annotations

from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.prompts import FewShotPromptTemplate
from langchain_core.prompts.prompt import PromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool

from trace_agents_adapters.langchain import models, tools
from trace_agents_adapters.langchain.templates import aremembering, remembering
from trace_agents_adapters.langchain.twins import astreaming, awaited, blocking, streaming
from trace_agents_adapters.patches import Patches

patches = Patches(
    [
        (
            BaseChatModel,
            (
                ("agenerate", awaited(models.chat)),
                ("generate", blocking(models.chat)),
                ("astream", astreaming(models.chat_stream)),
                ("stream", streaming(models.chat_stream)),
            ),
        ),
        (
            BaseLLM,
            (
                ("agenerate", awaited(models.text)),
                ("generate", blocking(models.text)),
                ("astream", astreaming(models.text_stream)),
                ("stream", streaming(models.text_stream)),
            ),
        ),
        (BaseTool, (("arun", awaited(tools.tool)), ("run", blocking(tools.tool)))),
        (
            BaseRetriever,
            (("ainvoke", awaited(tools.retriever)), ("invoke", blocking(tools.retriever))),
        ),
        (PromptTemplate, (("format", remembering),)),
        (FewShotPromptTemplate, (("format", remembering), ("aformat", aremembering))),
    ]
)
"""The wrapped classes of LangChain; one for the process, because classes are."""

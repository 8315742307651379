"""The end of a run for what it left behind: a thread cannot be killed, but it is called to stop."""

from __future__ import annotations

from langchain_core.callbacks import BaseCallbackHandler

from trace_agents.errors import EpisodeFailed


class Stop(BaseCallbackHandler):
    """Once set, no model, tool or retriever of its run starts any more.

    It goes with the run's config into every thread and task that LangChain starts for it.
    """

    raise_error = True
    run_inline = True

    def __init__(self) -> None:
        self.is_set = False

    @property
    def ignore_chain(self) -> bool:
        """Return True: what calls nothing needs no stopping."""
        return True

    def _check(self, *_: object, **__: object) -> None:
        if self.is_set:
            raise EpisodeFailed("the run is over, or was cancelled; what it left behind stops here")

    on_chat_model_start = _check
    on_llm_start = _check
    on_tool_start = _check
    on_retriever_start = _check

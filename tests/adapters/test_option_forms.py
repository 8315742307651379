"""Options of wrapped LangChain agents, written in the way that comes to mind first."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.prompts import ChatPromptTemplate

import trace_agents as ta
from tests.adapters.test_langchain_agents import agent
from tests.adapters.test_langchain_toolcode import asking, sounding
from trace_agents.errors import InvalidValue


def test_one_tool_may_be_named_without_a_list() -> None:
    """A name is one name, and not its letters."""
    workflow = ta.wrap(agent(asking("sounding"), sounding), tool_code="sounding")
    assert "bot.tools.sounding.code" in workflow.parameters()


def test_a_range_that_is_no_number_type_gets_a_sentence() -> None:
    """Two numbers are no type; the sentence writes one."""
    given: Any = {"temperature": (0, 1)}
    chain = ChatPromptTemplate.from_messages([("system", "Be brief.")]) | FakeListChatModel(
        responses=["Yes."]
    )
    with pytest.raises(
        InvalidValue, match=r"'temperature' needs a range such as ta.Number\(0, 1\)"
    ):
        ta.wrap(chain, name="brief", settings=given).parameters()

"""The one real model of all these tests, for as long as they run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.llm.fetching import Gone
from tests.llm.local import Place, place


@pytest.fixture(scope="session")
def real() -> Iterator[Place]:
    """A real small model on the loopback, or the server that the environment names."""
    if "TEST_LLM" not in os.environ:
        pytest.skip("run make test-llm")
    try:
        with place() as where:
            yield where
    except Gone as error:
        pytest.skip(f"NO REAL MODEL WAS TESTED: {error}")

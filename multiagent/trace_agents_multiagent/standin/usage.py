"""What both forms of the rule-following stand-in report beside their answer."""

from __future__ import annotations

import hashlib

NAME = "rule-following stand-in"


def count_tokens(text: str) -> int:
    """Return the number of words: the stand-in has no tokens of its own."""
    return len(text.split())


def call_id(system: str, prompt: str) -> str:
    """Return an id that follows from what was asked, so that a run can be repeated exactly."""
    digest = hashlib.blake2b(f"{system}\0{prompt}".encode(), digest_size=8)
    return f"call_{digest.hexdigest()}"

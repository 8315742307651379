"""Hostile code: nothing that it tries has an effect in `monty`; of `process` the docs say what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.core.sandbox_attacks import ATTACKS, Attack, effects
from trace_agents.sandbox import MontySandbox, ProcessSandbox, Sandbox, UnsafeSandbox

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"
ROW = re.compile(r"^\| ([a-z]+) \| ([^|]+) \| (yes|no) \| (yes|no) \|$", re.MULTILINE)
HARMLESS_HERE = (
    "open and read",
    "overwrite",
    "create",
    "remove",
    "symbolic link",
    "list a folder",
    "read through a reached io",
    "rename",
    "ask whether a file is there",
    "make a pipe through a fresh module",
    "read a variable",
    "reached variable",
    "os.system",
    "connect",
    "reached connect",
    "eval",
)
"""Attacks that do no harm to the process that runs the tests."""


@pytest.fixture(scope="module")
def monty() -> Sandbox:
    return MontySandbox(seconds=0.2, memory=32_000_000)


@pytest.fixture(scope="module")
def process() -> Sandbox:
    return ProcessSandbox(seconds=0.5, memory=100_000_000, workers=1)


def documented() -> dict[tuple[str, str], tuple[bool, bool]]:
    """Return what the page says is contained in `monty` and in `process`."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {(kind, name): (monty == "yes", process == "yes") for kind, name, monty, process in rows}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_no_attack_has_an_effect_in_monty(monty: Sandbox, attack: Attack) -> None:
    """Looked at from outside: files, connections, processes, memory, and the next call."""
    assert effects(monty, attack) == []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_page_says_what_process_contains(process: Sandbox, attack: Attack) -> None:
    """No more, and no less."""
    contained = not effects(process, attack)
    assert documented()[attack.kind, attack.name] == (True, contained)


def test_the_page_lists_every_attack_once() -> None:
    """In the order of the corpus."""
    assert list(documented()) == [(attack.kind, attack.name) for attack in ATTACKS]
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


# attacks do not close what they open
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("name", HARMLESS_HERE)
def test_the_attacks_do_what_they_say(name: str) -> None:
    """Without a sandbox they have their effect: what contains them is the sandbox."""
    (attack,) = (each for each in ATTACKS if each.name == name)
    assert effects(UnsafeSandbox(), attack) != []

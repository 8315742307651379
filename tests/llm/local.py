"""Where the real model is: a server of the user's, or one that is started here."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.llm.fetching import MODELS, PINNED, Gone, cache, fetch, pip

ROOT = Path(__file__).parent.parent.parent
SMALLEST = "smollm2-135m"


@dataclass(frozen=True, slots=True)
class Place:
    """A model behind OpenAI's protocol."""

    url: str
    model: str
    key: str = "none"

    @property
    def litellm_name(self) -> str:
        """The name for litellm."""
        return f"openai/{self.model}"


@contextmanager
def place() -> Generator[Place]:
    """Yield the place that the environment names, or a server of our own.

    `TEST_LLM_URL` is the address of any server that speaks the protocol; `TEST_LLM_MODEL` its
    model, or without an address, the small model to serve; `OPENAI_API_KEY` the key, if it wants
    one.

    Raises:
        Gone: the model or its runtime cannot be had.
        WrongFile: what came is not what was published.
    """
    name = os.environ.get("TEST_LLM_MODEL") or SMALLEST
    if url := os.environ.get("TEST_LLM_URL"):
        yield Place(url, name, os.environ.get("OPENAI_API_KEY") or "none")
        return
    with serving(name) as own:
        yield own


@contextmanager
def serving(name: str) -> Generator[Place]:
    """Yield a small model that is served for as long as the block lasts.

    Raises:
        Gone: the model or its runtime cannot be had.
        WrongFile: what came is not what was published.
    """
    python = environment(cache() / "runtime")
    file = fetch(MODELS[name], python, cache())
    command = [str(python), "-m", "tests.llm.serve", str(file)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            url = server.stdout.readline().strip()
            if not url:
                raise RuntimeError(f"the server of {name} ended with status {server.wait()}")
            yield Place(url, name)
        finally:
            server.stdin.close()


def environment(folder: Path) -> Path:
    """Return the Python of an environment with the runtime, made at the first call.

    Raises:
        Gone: the runtime cannot be had for this machine.
        WrongFile: it is another one than the pinned.
    """
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise Gone("the pinned runtime is for Linux on x86-64; name a server by TEST_LLM_URL")
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip(python, "install", listed=PINNED / "runtime.txt")
        (folder / "ready").touch()
    return python

"""The oldest AutoGen that the adapter takes, installed by pip into an environment of its own.

It takes about a minute and needs a package index; `SKIP_FLOOR=1` leaves it out.
"""

from __future__ import annotations

import os
import re
import subprocess
import venv
from pathlib import Path

import pytest

from tests.adapters.test_otel_floor import ROOT, pip

FLOOR = "0.7.1"
MATRIX = [f"tests/adapters/test_autogen_{part}.py" for part in ("cases", "ledger", "toolcode")]


@pytest.mark.skipif("SKIP_FLOOR" in os.environ, reason="SKIP_FLOOR is set")
def test_the_oldest_autogen_does_the_same(tmp_path: Path) -> None:
    """Each sort of agent and team has the parameters and the edges that it has with the newest."""
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    # the rest as it is tested elsewhere
    tested = (ROOT / "constraints.txt").read_text()
    (tmp_path / "others.txt").write_text(re.sub(r"^autogen-.*\n", "", tested, flags=re.M))
    family = [f"autogen-{part}=={FLOOR}" for part in ("agentchat", "core", "ext")]
    wanted = [f"{ROOT}[autogen,langchain,sandbox]", *family, "pytest", "pytest-asyncio"]
    limited = ["--python", str(python), "install", "-c", str(tmp_path / "others.txt")]
    done = pip(*limited, *wanted)
    if done.returncode:  # says nothing of the library
        pytest.skip(f"the package index does not give these versions: {done.stderr[-500:]}")
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *MATRIX]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    told = "from importlib.metadata import version; print(version('autogen-agentchat'))"
    asked = subprocess.run([str(python), "-c", told], capture_output=True, text=True)
    assert asked.stdout.strip() == FLOOR

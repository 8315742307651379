"""What trace-agents weighs: the time and the modules of its import, the size of its install."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.costs.rows import Row, at_most
from benchmarks.costs.runs import ROOT

SECONDS, MEGABYTES = 0.1, 40
_RUNS = 9
_IMPORT = """
import importlib, json, sys, time
before = set(sys.modules)
began = time.process_time()
for name in sys.argv[1:]:
    importlib.import_module(name)
taken = time.process_time() - began
new = set(sys.modules) - before
tops = {name.partition(".")[0] for name in new} - sys.stdlib_module_names
print(json.dumps([taken, sorted(tops), sorted(name for name in new if name.startswith("anyio"))]))
"""


def import_rows() -> Iterator[Row]:
    """Yield the time of the import in fresh processes, and the modules it should not load."""
    runs = [_imported("trace_agents") for _ in range(_RUNS + 1)]
    times = [taken for taken, _, _ in runs[1:]]  # the first may still write bytecode
    yield at_most("import trace_agents, CPU", statistics.median(times), SECONDS, "s")
    _, loaded, parts = runs[0]
    _, light, _ = _imported(*parts)
    heavy = sorted(loaded - light - {"trace_agents"})
    yield at_most(f"modules loaded besides anyio's: {', '.join(heavy) or 'none'}", len(heavy), 0)


def install_rows() -> Iterator[Row]:
    """Yield the size of an install without extras, over that of an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "bin", "python")
        try:
            _output([sys.executable, "-m", "venv", folder])
            empty = _bytes(Path(folder))
            _output([str(python), "-m", "pip", "install", "--quiet", str(ROOT)])
            size = float(_bytes(Path(folder)) - empty)
        except subprocess.CalledProcessError as error:
            print(f"the base install failed: {error.stderr}", file=sys.stderr)
            size = math.nan
    yield at_most("base install, all files", size, MEGABYTES * 1e6, "MB")


def _imported(*names: str) -> tuple[float, set[str], list[str]]:
    """Return the CPU seconds of these imports, what they loaded, and the parts of anyio in it."""
    taken, loaded, parts = json.loads(_output([sys.executable, "-c", _IMPORT, *names]))
    return float(taken), set(loaded), list(parts)


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout

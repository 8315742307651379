"""What the package exports is true, light, and free of frameworks."""

from __future__ import annotations

import subprocess
import sys

import pytest

import trace_agents


def test_every_exported_name_is_there() -> None:
    """`__all__` is sorted and each name in it can be had."""
    order = sorted(trace_agents.__all__, key=lambda n: (n.islower(), not n.isupper(), n))
    assert trace_agents.__all__ == order
    assert all(getattr(trace_agents, name) is not None for name in trace_agents.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Late imports do not change what a wrong name does."""
    with pytest.raises(AttributeError, match="nonsense"):
        getattr(trace_agents, "nonsense")  # noqa: B009 - a type checker would stop the plain form


def test_the_import_loads_only_the_standard_library_and_anyio() -> None:
    """Users who only trace pay for nothing else."""
    code = (
        "import sys, trace_agents; "
        "roots = {name.partition('.')[0] for name in sys.modules}; "
        "print(*sorted(r for r in roots - set(sys.stdlib_module_names) if r[0] != '_'))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(shown.stdout.split()) <= {"anyio", "sniffio", "idna", "trace_agents"}

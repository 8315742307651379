"""What a workbench offers, asked in an event loop that is not the one it lives in."""

from __future__ import annotations

from autogen_core.tools import StaticWorkbench, ToolSchema, Workbench


async def listed(bench: Workbench) -> list[ToolSchema]:
    """Return the tools of a workbench; one that holds connections is asked by a copy of it."""
    if isinstance(bench, StaticWorkbench):
        return await bench.list_tools()
    copy = _copied(bench)
    if copy is None:
        return await bench.list_tools()
    async with copy:
        return await copy.list_tools()


def _copied(bench: Workbench) -> Workbench | None:
    try:
        return Workbench.load_component(bench.dump_component())
    except Exception:  # noqa: BLE001 - any component may refuse, each in its own way
        return None

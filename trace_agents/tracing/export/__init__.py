"""What was learnt as plain Python source, without this library; no code is run for it."""

from typing import TYPE_CHECKING

from trace_agents.lazily import importing

if TYPE_CHECKING:
    from trace_agents.tracing.export.assemble import export_function, export_source

__getattr__ = importing(
    __name__,
    {
        "export_function": "trace_agents.tracing.export.assemble",
        "export_source": "trace_agents.tracing.export.assemble",
    },
)

__all__ = ["export_function", "export_source"]

"""What was learnt as plain Python source, without this library; no code is run for it."""

from trace_agents.tracing.export.assemble import export_function, export_source

__all__ = ["export_function", "export_source"]

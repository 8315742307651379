"""The command line: `trace-agents`. Sub-commands of other packages join by entry point."""

from trace_agents.cli.app import app

__all__ = ["app"]

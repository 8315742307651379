"""The command line as `python -m trace_agents`."""

from trace_agents.cli import app

if __name__ == "__main__":
    app()

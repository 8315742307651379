"""The main job, end to end: a household team of real agents gets better between episodes."""

from trace_agents_multiagent.demo.command import demo
from trace_agents_multiagent.demo.experiment import Outcome, run_experiment
from trace_agents_multiagent.demo.settings import Settings

__all__ = ["Outcome", "Settings", "demo", "run_experiment"]

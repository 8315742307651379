"""The page that shows a run: result, learning curve, versions, and one episode's DAG."""

from trace_agents.report.page import Report, Table, VersionView
from trace_agents.report.svg import Point

__all__ = ["Point", "Report", "Table", "VersionView"]

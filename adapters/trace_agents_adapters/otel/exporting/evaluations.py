"""Feedback as the GenAI conventions tell it: `gen_ai.evaluation.result` events.

The conventions define the event as a log record of the evaluated span; a span exporter sends no
log records, so that here it is an event on that span, with the same name and attributes.
"""

from __future__ import annotations

from collections.abc import Iterable

from trace_agents.feedback import Feedback
from trace_agents_adapters.otel.conventions import EPISODE
from trace_agents_adapters.otel.records import Event, SpanRecord

RESULT = "gen_ai.evaluation.result"
NAME = "gen_ai.evaluation.name"
SCORE = "gen_ai.evaluation.score.value"
EXPLANATION = "gen_ai.evaluation.explanation"

GUIDE = "guide"
"""The name of the evaluation that trains: the guide's."""


def to_event(feedback: Feedback, time: int, name: str = GUIDE) -> Event:
    """Return feedback as the event of an evaluation's result."""
    about: dict[str, object] = {NAME: name, SCORE: float(feedback.score)}
    if feedback.text:
        about[EXPLANATION] = feedback.text
    return Event(RESULT, time, about)


def read_feedback(spans: Iterable[SpanRecord], name: str = GUIDE) -> dict[str, Feedback]:
    """Return the feedback of each episode that has any, from the events on its spans."""
    found: dict[str, Feedback] = {}
    for span in spans:
        for event in span.events:
            score = event.attributes.get(SCORE)
            told = event.name == RESULT and event.attributes.get(NAME) == name
            if told and isinstance(score, int | float):
                text = str(event.attributes.get(EXPLANATION, ""))
                found[span.text(EPISODE) or span.trace_id] = Feedback(float(score), text)
    return found

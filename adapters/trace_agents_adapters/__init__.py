"""Bridges from agent frameworks and OpenTelemetry to the core; each folder is one bridge."""

"""The receiver: OTLP over HTTP on loopback, for agents in other processes."""

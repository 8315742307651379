"""DAGs, feedback and model calls as spans, through any exporter."""

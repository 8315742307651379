"""Stand-ins for language models: rule-following, never called results of a model."""

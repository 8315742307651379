"""A run's state and events, who hears of them, and what ends a run."""

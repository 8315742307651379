"""Teams in a shared world: the household, its team episodes, and the demo."""

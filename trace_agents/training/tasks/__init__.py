"""Tasks: lists of them, their order, and what shapes it."""

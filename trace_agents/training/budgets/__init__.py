"""Budgets: what may be spent, what was, and what an episode costs."""

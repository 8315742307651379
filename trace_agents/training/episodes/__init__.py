"""Episodes: how one runs, where, and what is kept of it."""

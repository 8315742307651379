"""From calls to DAGs: who said what, which value flowed where, and how that is known."""

"""Searches with a pool of candidates."""

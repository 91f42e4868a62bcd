"""Figures of any results: deterministic files, drawn from tables on disk."""

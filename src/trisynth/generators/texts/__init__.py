"""Generators of texts, and what they share: protection of passages of few rows, and a filter by label."""

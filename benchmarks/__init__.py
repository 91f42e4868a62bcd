"""Benchmarks of this repository, each a command of its own; see README.md."""

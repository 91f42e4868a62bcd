"""Reversible encoders from tables to matrices, fitted on real training rows only."""

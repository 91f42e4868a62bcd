"""Generators with a privacy budget: they see declared facts, and rows only through a ledger of noisy queries."""

"""Differential privacy: the budget, its accountants, noise, and the ledger that charges every query of private rows."""

from trisynth.privacy.budget import Budget

__all__ = ["Budget"]

"""Metrics of predictions (utility) and of synthetic rows against held-out and training rows (fidelity, copying)."""

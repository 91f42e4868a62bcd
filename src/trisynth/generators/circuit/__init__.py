"""Probabilistic circuits: exact likelihoods and exact conditional distributions of mixed tables."""

from trisynth.generators.circuit.circuit import Circuit

__all__ = ["Circuit"]

"""Probabilistic circuits: exact likelihoods and exact conditional distributions of mixed tables.

``circuit`` is the generator and the place to start. A fit goes through ``derived_columns``, ``chow_liu``,
``model_selection``, ``em``, ``class_circuits``, ``refinement`` and ``decision_regions``; a sample through ``sampler``;
likelihoods and conditional rows through ``evidence`` and ``mixture``.
"""

from trisynth.generators.circuit.circuit import Circuit

__all__ = ["Circuit"]

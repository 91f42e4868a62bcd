"""Generators of series and images without a network: the controls that a network must beat."""

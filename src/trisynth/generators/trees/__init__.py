"""Generators built from decision trees."""

from trisynth.generators.trees.arf import ARF

__all__ = ["ARF"]

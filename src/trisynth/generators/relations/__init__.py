"""Relations between columns: found on training rows or declared, taken out of what a generator models, and put back."""

from trisynth.generators.relations.relations import Relations

__all__ = ["Relations"]

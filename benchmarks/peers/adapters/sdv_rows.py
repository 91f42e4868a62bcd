"""SDV's single-table synthesizers, at their defaults, whose rows are taken as they are drawn."""

from adapters.sdv_models import fit

CONDITIONAL = True
__all__ = ["CONDITIONAL", "fit"]

"""Results as tables: on the screen by ``show_job`` and ``show_sweep``, for print by ``python -m trisynth.tables``."""

from trisynth.tables.console import show_job, show_sweep

__all__ = ["show_job", "show_sweep"]

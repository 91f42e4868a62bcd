"""Command line: configurations from overrides, help texts, and one line for each mistake."""

from trisynth.commandline.compose import checked, composed, require_budget_read, resolved, show, sweep_name
from trisynth.commandline.doors import enter
from trisynth.commandline.mistakes import one_line_errors
from trisynth.config import CONF

__all__ = [
    "CONF",
    "checked",
    "composed",
    "enter",
    "one_line_errors",
    "require_budget_read",
    "resolved",
    "show",
    "sweep_name",
]

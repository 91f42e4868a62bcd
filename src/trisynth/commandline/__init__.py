"""Command line: configurations from overrides, help texts, and one line for each mistake."""

from trisynth.commandline.compose import checked, composed, resolved, show, sweep_name
from trisynth.commandline.doors import enter
from trisynth.commandline.mistakes import one_line_errors
from trisynth.config import CONF

__all__ = ["CONF", "checked", "composed", "enter", "one_line_errors", "resolved", "show", "sweep_name"]

"""The one exception for a user's mistake: the parameter, its value and the remedy."""

import argparse
import re
from numbers import Integral, Real
from typing import NoReturn

# All but the tab and the end of a line, and the marks of direction.
_CONTROL = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]")


class InputError(ValueError):
    """A parameter that cannot be used, in one line.

    Parameters
    ----------
    parameter : str
        The name as the user typed it, such as ``dataset.target``.
    value : object
        The value that was given.
    remedy : str
        What is wrong and what to do instead.
    """

    def __init__(self, parameter: str, value: object, remedy: str):
        super().__init__(parameter, value, remedy)
        self.parameter, self.value, self.remedy = parameter, value, remedy

    def __str__(self) -> str:
        """Name parameter, value and remedy in one line."""
        # Arrays and tables have a representation of several lines.
        shown = " ".join(map(str.strip, repr(self.value).splitlines()))
        if len(shown) > 200:
            shown = shown[:200] + "..."
        # A name in a file may hold the end of a line.
        return printable(" ".join(f"{self.parameter}={shown}: {self.remedy}".splitlines()))


def printable(text: str) -> str:
    r"""Write control characters as escapes such as ``\x1b``: a name in a table must not control the terminal.

    Parameters
    ----------
    text : str
        A line; characters that reverse the direction of writing are escaped, too.
    """
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def require_whole(parameter: str, value: object, least: int) -> None:
    """Raise ``InputError`` unless ``value`` is an integer of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InputError(parameter, value, f"must be a whole number, {least} or more")


def require_number(parameter: str, value: object, low: float, high: float = float("inf")) -> None:
    """Raise ``InputError`` unless ``value`` is a finite number between ``low`` and ``high``, both included."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not low <= value <= high or value == float("inf"):
        limits = f"{low:g} or more" if high == float("inf") else f"from {low:g} to {high:g}"
        raise InputError(parameter, value, f"must be a number, {limits}")


def require_flag(parameter: str, value: object) -> None:
    """Raise ``InputError`` unless ``value`` is true or false."""
    if not isinstance(value, bool):
        raise InputError(parameter, value, "must be true or false")


class OneLineParser(argparse.ArgumentParser):
    """A parser of arguments that reports mistakes in one line, as all commands do."""

    def error(self, message: str) -> NoReturn:
        """Print the mistake and where help is, and exit with status 2."""
        self.exit(2, f"error: {message}; see {self.prog} --help\n")

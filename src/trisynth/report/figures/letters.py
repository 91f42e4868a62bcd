"""Fonts for all scripts in figures, and one log line about characters that no installed font has."""

import logging
import unicodedata
from collections.abc import Callable
from functools import cache

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text

from trisynth.errors import printable

# Comes with matplotlib, so that every machine draws the same Latin, Greek and Cyrillic letters.
OWN = "DejaVu Sans"
# Fonts of Linux, macOS and Windows for Chinese, Japanese, Korean, the scripts of India, Thai and others.
_OTHERS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Noto Sans JP",
    "Noto Sans KR",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Arial Unicode MS",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Tamil",
    "Noto Sans Thai",
    "Noto Sans Hebrew",
    "Noto Sans Arabic",
    "Lohit Devanagari",
    "Nirmala UI",
    "FreeSans",
    "Segoe UI",
)
_LOG = logging.getLogger(__name__)
# Most characters of a text that a line shows.
_SHOWN = 30
_NOTED: set[str] = set()


@cache
def families() -> list[str]:
    """List the default font and the installed ones that have further characters."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return [OWN, *(name for name in _OTHERS if name in installed)]


def note(figure: Figure) -> None:
    """Log one line about texts of a drawn figure that no font shows, or not as they are written; once for a text."""
    texts = sorted({part.get_text() for part in figure.findobj(Text)} - _NOTED)
    _NOTED.update(texts)
    absent = [text for text in texts if not all(map(_has, text))]
    # Letters of scripts from right to left change their form and order beside others; matplotlib keeps both.
    loose = [text for text in texts if text not in absent and any(map(_from_right, text))]
    for found, problem, concerned in (
        (absent, "no installed font has all characters of", lambda letter: not _has(letter)),
        (loose, "figures show unjoined letters, from left to right, in", _from_right),
    ):
        if found:
            named = list(dict.fromkeys(_named(text, concerned) for text in found))
            more = f" and {len(named) - 3} more" if len(named) > 3 else ""
            shown = ", ".join(named[:3]) + more
            _LOG.warning("%s %s; report=html shows them in a browser", problem, shown)


def _named(text: str, concerned: Callable[[str], bool]) -> str:
    """Name a text of a figure in one line; of a long one, which may be a cell, the letters concerned alone."""
    line = printable(" ".join(text.split()))
    if len(line) <= _SHOWN:
        return line
    letters = dict.fromkeys(filter(concerned, text))
    return f"a text with {printable(''.join(letters))[:_SHOWN]}"


def _has(letter: str) -> bool:
    return letter.isspace() or any(font.get_char_index(ord(letter)) for font in _fonts())


@cache
def _fonts() -> list:
    return [font_manager.get_font(font_manager.findfont(name)) for name in families()]


def _from_right(letter: str) -> bool:
    return unicodedata.bidirectional(letter) in ("R", "AL")

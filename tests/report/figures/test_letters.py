"""Letters of figures: those that no font has are named once, and those of other scripts change no figure."""

import logging

import pytest
from matplotlib import font_manager

from trisynth.report.figures import letters, style


def draw(title):
    with style.applied():
        figure = style.blank(2, 1)
        figure.subplots().set_title(title)
    return style.png(figure)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(letters, "_NOTED", set())


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("\U0001f9ea trial", "no installed font has all characters of"),
        ("الوزن", "figures show unjoined letters"),
        ("Größe, ångström, возраст", None),
    ],
)
def test_letters_that_figures_lack_are_named_once(caplog, monkeypatch, title, line):
    monkeypatch.setattr(letters, "_OTHERS", ())
    letters.families.cache_clear()
    letters._fonts.cache_clear()
    with caplog.at_level(logging.WARNING):
        draw(title)
        draw(title)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == (line is not None)
    assert all(each.startswith(line) and title in each and "report=html" in each for each in lines)
    letters.families.cache_clear()
    letters._fonts.cache_clear()


def test_a_cell_in_a_figure_neither_fills_the_line_nor_commands_the_terminal(caplog, monkeypatch):
    monkeypatch.setattr(letters, "_has", lambda letter: letter not in "\x1b\U0001f9ea")
    with caplog.at_level(logging.WARNING):
        draw("red\x1b[31m\n7")
        draw("\u2022 the patient lives in the High Street\n and \x1b[31m has a \U0001f9ea")
    first, second = [record.getMessage() for record in caplog.records]
    assert "characters of red\\x1b[31m 7; report=html" in first
    assert "characters of a text with \\x1b\U0001f9ea; report=html" in second


def test_installed_fonts_come_after_our_own():
    found = letters.families()
    installed = {font.name for font in font_manager.fontManager.ttflist}
    assert found[0] == letters.OWN and set(found) <= installed

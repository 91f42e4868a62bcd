"""Texts and marks of a report stand out from what is behind them, as WCAG 2.1 AA requires."""

import re
from pathlib import Path

import pytest

from trisynth.report.html import page, svg

CSS = (Path(page.__file__).parent / "page.css").read_text(encoding="utf-8")


def luminance(colour: str) -> float:
    colour = "#" + "".join(2 * sign for sign in colour[1:]) if len(colour) == 4 else colour
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def filled(colour: str) -> str:
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(part * svg.FILL + 255 * (1 - svg.FILL)):02x}" for part in parts)


def test_texts():
    colours = set(re.findall(r"(?<![-\w])color: (#\w+)", CSS)) | {svg.INK, svg.GREY}
    backgrounds = {"#ffffff", *re.findall(r"(?:body|code) \{[^}]*background: (#\w+)", CSS)}
    assert len(colours) > 3 and len(backgrounds) > 1
    assert min(contrast(one, other) for one in colours for other in backgrounds) >= 4.5


@pytest.mark.parametrize("mark", [svg.REAL, svg.SYNTHETIC, svg.GREY, svg.SCALE, svg.BETWEEN])
def test_marks(mark):
    assert contrast(mark, "#ffffff") >= 3


def test_outlines_before_filled_bars():
    assert contrast(svg.SYNTHETIC, filled(svg.REAL)) >= 3
    assert f".key.synthetic {{ border: 2px solid {svg.SYNTHETIC.lower()}" in CSS
    assert f".key.real {{ background: {filled(svg.REAL)}; border: 1px solid {svg.REAL.lower()}" in CSS

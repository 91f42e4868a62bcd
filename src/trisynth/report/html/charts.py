"""Drawings of the report, each made from numbers in its JSON."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from markupsafe import Markup

from trisynth.report.html.svg import (
    BETWEEN,
    FILL,
    GREY,
    INK,
    REAL,
    SCALE,
    SYNTHETIC,
    drawing,
    fitted,
    line,
    path,
    rect,
    tag,
    text,
)
from trisynth.report.names import printable

_WIDTH = 320.0
# White to the ends of the scale in so many steps: cells of one shade share an element.
_SHADES = 8
# Formats of dates on axes that span more than so many days, and units of durations in seconds.
_DATES = ((3650, "%Y"), (120, "%Y-%m"), (3, "%Y-%m-%d"), (-1, "%m-%d %H:%M"))
_CLOCK = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_ENDS = {"association": ("#b2182b", "#2166ac"), "difference": ("#b35806", "#542788")}


def column(figure: Mapping[str, Any], name: str) -> Markup:
    """Draw one column, real against synthetic."""
    return numbers(figure, name) if figure["type"] == "numbers" else levels(figure, name)


def numbers(figure: Mapping[str, Any], name: str) -> Markup:
    """Draw two histograms over each other: real rows filled, synthetic rows as an outline."""
    edges, real, synthetic = figure["edges"], figure["real"], figure["synthetic"]
    left, top, wide, high = 4.0, 16.0, _WIDTH - 8.0, 84.0
    largest = max(*real, *synthetic, 1e-9)
    # Bins of a logarithmic axis are drawn equally wide: their edges are round numbers.
    step = wide / len(real)
    bars = "".join(f"M{left + i * step:.1f} {top + high:.1f}v{-high * v / largest:.1f}h{step:.1f}V{top + high:.1f}z"
                   for i, v in enumerate(real) if v)  # fmt: skip
    outline = f"M{left:.1f} {top + high:.1f}" + "".join(
        f"V{top + high * (1 - v / largest):.1f}h{step:.1f}" for v in synthetic
    )
    ticks = range(0, len(edges), max(-(-(len(edges) - 1) // 4), 1))
    labels = [tick(edges[i] + figure["step"] / 2, figure) for i in ticks]
    places = [left + i * step for i in ticks]
    anchors = ["start", *["middle"] * (len(labels) - 1)]
    if labels and places[-1] > _WIDTH - 24:
        anchors[-1] = "end"
    shapes = [
        path(bars, fill=REAL, fill_opacity=FILL, stroke=REAL, stroke_width=0.6) if bars else Markup(""),
        path(f"{outline}V{top + high:.1f}", fill="none", stroke=SYNTHETIC, stroke_width=1.6),
        line(left, top + high, left + wide, top + high, INK),
        *(line(x, top + high, x, top + high + 4, INK) for x in places),
        *(text(x, top + high + 15, t, a) for x, t, a in zip(places, labels, anchors, strict=True)),
        text(left, 11, f"{largest:.0f} %", fill=GREY),
        text(_WIDTH - 4, 11, "log scale" if figure["log"] else figure["unit"], "end", fill=GREY),
    ]
    alt = (
        f"Histogram of {printable(name)}: {len(real)} bins from {labels[0]} to {tick(edges[-1], figure)}; "
        f"the largest bar of the real rows is {max(real):.1f} %, of the synthetic rows {max(synthetic):.1f} %."
    )
    return drawing(_WIDTH, top + high + 20, alt, *shapes)


def levels(figure: Mapping[str, Any], name: str) -> Markup:
    """Draw two bars for each category: real rows filled, synthetic rows as an outline."""
    shown = figure["levels"]
    names, wide, row = 110.0, 150.0, 22.0
    largest = max([max(each["real"], each["synthetic"]) for each in shown], default=0) or 1.0
    shapes = []
    for place, each in enumerate(shown):
        y, real, synthetic = place * row, each["real"] / largest * wide, each["synthetic"] / largest * wide
        shapes += [
            text(names - 6, y + 15, fitted(each["name"], names - 8), "end"),
            rect(names, y + 2, real, 8, REAL, fill_opacity=FILL, stroke=REAL, stroke_width=0.6),
            rect(names, y + 12, synthetic, 7, "none", stroke=SYNTHETIC, stroke_width=1.4),
            text(_WIDTH - 2, y + 15, f"{each['real']:.0f} | {each['synthetic']:.0f} %", "end", fill=GREY),
        ]
    alt = f"Bars of {printable(name)}, real and synthetic: " + "; ".join(
        f"{printable(each['name'])} {each['real']:.1f} and {each['synthetic']:.1f} %" for each in shown
    )
    return drawing(_WIDTH, max(len(shown), 1) * row + 2, alt, *shapes)


def heatmap(matrix: Sequence[Sequence[float]], names: Sequence[str], limit: float, scale: str, alt: str) -> Markup:
    """Draw a square matrix; ``limit`` is where the colours end."""
    count = len(names)
    size = max(min(11.0, 230.0 / max(count, 1)), 5.0)
    margin = min(max((len(name) for name in names), default=0) * size * 0.6 + 8, 96.0)
    cell = min((_WIDTH - margin) / max(count, 1), 28.0)
    shades: dict[int, list[str]] = {}
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            if value is not None:
                shade = round(max(min(value / limit, 1.0), -1.0) * _SHADES)
                x, y = margin + j * cell, i * cell
                shades.setdefault(shade, []).append(f"M{x:.1f} {y:.1f}h{cell:.1f}v{cell:.1f}h{-cell:.1f}z")
    shapes = [path("".join(d), fill=_shade(shade / _SHADES, *_ENDS[scale])) for shade, d in sorted(shades.items())]
    below = count * cell
    for place, name in enumerate(names):
        middle, short = (place + 0.5) * cell, fitted(name, margin - 6, size)
        x = margin + middle
        shapes += [
            text(margin - 4, middle + size / 3, short, "end", size),
            text(x, below + 5, short, "end", size, transform=f"rotate(-90 {x:.1f} {below + 5:.1f})", dy=size / 3),
        ]
    frame = rect(margin, 0, count * cell, below, "none", stroke=GREY, stroke_width=0.6)
    return drawing(below + margin, below + margin, alt, *shapes, frame)


def pair(table: Mapping[str, Any]) -> Markup:
    """Draw the percentages of two columns' bins, real beside synthetic; cells without a shade have few rows."""
    names, columns, rows = 74.0, table["axes"][0]["size"], table["axes"][1]["size"]
    cells = [value for which in ("real", "synthetic") for row in table[which] for value in row if value]
    largest = max(cells, default=1.0)
    wide, high = (_WIDTH - names - 14) / 2, 112.0
    shapes = []
    for place, which in enumerate(("real", "synthetic")):
        left, top, colour = names + place * (wide + 12), 16.0, (REAL, SYNTHETIC)[place]
        shapes.append(text(left, 11, which, fill=GREY))
        for i, row in enumerate(table[which]):
            x = left + i * wide / columns
            for j, value in enumerate(row):
                if value:
                    y = top + high - (j + 1) * high / rows
                    shapes.append(rect(x, y, wide / columns, high / rows, colour, fill_opacity=value / largest))
        shapes.append(rect(left, top, wide, high, "none", stroke=GREY, stroke_width=0.6))
        first, last = _ends(table["axes"][0], wide / 2)
        shapes += [text(left, top + high + 13, first), text(left + wide, top + high + 13, last, "end")]
    if "levels" in (axis := table["axes"][1]):
        for j, level in enumerate(axis["levels"]):
            y = 16 + high - (j + 0.5) * high / rows
            shapes.append(text(names - 4, y + 4, fitted(level, names - 6), "end"))
    else:
        first, last = _ends(axis, names)
        shapes += [text(names - 4, 16 + high, first, "end"), text(names - 4, 26, last, "end")]
    shapes.append(text(names, 16 + high + 28, f"darkest: {largest:.1f} % of the rows", fill=GREY))
    alt = (
        f"Two tables of {' and '.join(map(printable, table['columns']))}, real and synthetic: "
        f"the fullest of {columns} times {rows} cells have "
        + " and ".join(
            f"{max((value for row in table[which] for value in row if value), default=0):.1f} %"
            for which in ("real", "synthetic")
        )
        + " of the rows."
    )
    return drawing(_WIDTH, 16 + high + 34, alt, *shapes)


def _ends(axis: Mapping[str, Any], wide: float) -> tuple[str, str]:
    """Label both ends of an axis."""
    if "levels" in axis:
        levels = axis["levels"] or [""]
        return (fitted(levels[0], wide), fitted(levels[-1], wide)) if len(levels) > 1 else (fitted(levels[0], wide), "")
    edges = axis["edges"]
    return tick(edges[0] + axis["step"] / 2, axis), tick(edges[-1] + axis["step"] / 2, axis)


def classes(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw the real rows of each class, and the synthetic rows that fill it up to the largest."""
    names, wide, height = 110.0, 130.0, 24.0
    largest = max(each["real"] + each["added"] for each in rows) or 1
    # Hatched: in grey the two colours are alike.
    hatch = tag(
        "defs",
        tag(
            "pattern",
            rect(0, 0, 5, 5, "#fff"),
            path("M0 5L5 0", stroke=SYNTHETIC, stroke_width=2),
            id="hatch", width=5, height=5, patternUnits="userSpaceOnUse",
        ),
    )  # fmt: skip
    shapes = [hatch]
    for place, each in enumerate(rows):
        y, real, added = place * height, each["real"] / largest * wide, each["added"] / largest * wide
        shapes += [
            text(names - 6, y + 15, fitted(each["name"], names - 8), "end"),
            rect(names, y + 4, real, 14, REAL),
            rect(names + real, y + 4, added, 14, "url(#hatch)", stroke=SYNTHETIC, stroke_width=0.6),
            text(names + real + added + 4, y + 15, f"{each['real']:,} + {each['added']:,}", fill=INK),
        ]
    alt = "Rows of each class, real and added: " + "; ".join(
        f"{printable(each['name'])} {each['real']:,} and {each['added']:,}" for each in rows
    )
    return drawing(_WIDTH, len(rows) * height + 2, alt, *shapes)


def interval(gain: Mapping[str, float | None], limit: float, alt: str) -> Markup:
    """Draw a difference and its interval around zero; ``limit`` is the end of the scale."""
    wide, middle = 150.0, 9.0

    def place(value: float) -> float:
        return wide / 2 + max(min(value / limit, 1.0), -1.0) * (wide / 2 - 6)

    x = place(gain["mean"])
    shapes = [line(wide / 2, 0, wide / 2, 18, GREY, 1, stroke_dasharray="2 2")]
    if gain["low"] is not None:
        shapes.append(line(place(gain["low"]), middle, place(gain["high"]), middle, INK, 2))
    shapes.append(tag("circle", cx=x, cy=middle, r=4, fill=INK))
    return drawing(wide, 18, alt, *shapes)


def reference(score: Mapping[str, Any], alt: str) -> Markup:
    """Draw a score between its floor and its ceiling."""
    marks = {key: score[key] for key in ("floor", "ceiling", "value") if score[key] is not None}
    ideal = [score["ideal"]] if score["ideal"] is not None else []
    low, high = min([*marks.values(), *ideal]), max([*marks.values(), *ideal])
    margin = 12.0
    wide = _WIDTH - 2 * margin

    def place(value: float) -> float:
        return margin + (value - low) / (high - low) * wide if high > low else _WIDTH / 2

    shapes = [rect(margin, 12, wide, 2, SCALE)]
    if "floor" in marks and "ceiling" in marks:
        ends = sorted(map(place, (marks["floor"], marks["ceiling"])))
        shapes.append(rect(ends[0], 11, ends[1] - ends[0], 4, BETWEEN))
    for key, value in marks.items():
        shapes.append(mark(key, place(value), 13))
    shapes += [text(margin - 8, 36, number(low), fill=GREY), text(_WIDTH - 4, 36, number(high), "end", fill=GREY)]
    return drawing(_WIDTH, 40, alt, *shapes)


def mark(key: str, x: float, y: float) -> Markup:
    """Draw the mark of a floor, a ceiling or a value; each has a form of its own."""
    forms = {
        "floor": (f"M{x - 6:.1f} {y - 8:.1f}h12l-6 9z", {"fill": "#fff", "stroke": GREY}),
        "ceiling": (f"M{x - 6:.1f} {y + 8:.1f}h12l-6 -9z", {"fill": REAL, "stroke": REAL}),
        "value": (f"M{x:.1f} {y - 7:.1f}l6 7l-6 7l-6 -7z", {"fill": SYNTHETIC, "stroke": "#fff"}),
    }
    d, style = forms[key]
    return path(d, stroke_width=1.5, **style)


def legend(key: str) -> Markup:
    """Draw a mark alone, beside the text that explains it."""
    return tag("svg", mark(key, 8, 9), viewBox="0 0 16 18", width=16, height=18, aria_hidden="true")


def tick(value: float, figure: Mapping[str, Any]) -> str:
    """Format a place on the axis of a column."""
    span = figure["edges"][-1] - figure["edges"][0]
    if figure["kind"] == "duration":
        size, unit = next((part for part in _CLOCK if span > 2 * part[0]), _CLOCK[-1])
        return f"{number(value / size)} {unit}"
    if figure["kind"] != "date":
        return number(value)
    # Before 1970, and on every platform.
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
    form = next(form for least, form in _DATES if span > least * 86_400)
    return moment.strftime(form)


def number(value: float) -> str:
    """Format a number in few letters."""
    if abs(value) >= 1e7:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _shade(part: float, low: str, high: str) -> str:
    """Mix white with the colour of an end of the scale; positive parts are red or brown."""
    end = low if part > 0 else high
    mixed = (round(255 + (int(end[i : i + 2], 16) - 255) * abs(part)) for i in (1, 3, 5))
    return "#" + "".join(f"{value:02x}" for value in mixed)

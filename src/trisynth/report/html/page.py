"""Rendering of a report's content as one HTML file, and both files on disk."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from trisynth.cache import write_atomic
from trisynth.report.html import charts, meanings, scores

PAGE, DATA = "report.html", "report.json"


def render(content: Mapping[str, Any]) -> str:
    """Render the page of a content; every number on it stands in the content."""
    return _environment().get_template("page.html").render(content)


def write(content: Mapping[str, Any], folder: Path, name: str = "report") -> Path:
    """Write ``name.json`` and ``name.html`` into a folder; return the path of the page."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    # Read back: what the page shows is what the file holds.
    write_atomic(folder / f"{name}.json", text + "\n")
    write_atomic(folder / f"{name}.html", render(json.loads(text)))
    return folder / f"{name}.html"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("trisynth.report.html", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"charts": charts, "largest": scores.largest}
    made.filters |= {
        "number": meanings.number,
        "percent": meanings.percent,
        "signed": signed,
        "interval": interval,
        "plain": plain,
        "count": lambda value: f"{value:,}",
    }
    return made


def signed(value: float) -> str:
    """Format a difference with its sign; zero has none."""
    return f"{value:+.3f}".replace("-", "−") if round(value, 3) else "0.000"


def interval(value: Mapping[str, float | None], plus: bool = False) -> Markup:
    """Format a mean with its interval, where there is one."""
    form = signed if plus else lambda number: f"{number:.3f}".replace("-", "−")
    if value["mean"] is None:
        return Markup("")
    ends = "" if value["low"] is None else f" <small>({form(value['low'])} to {form(value['high'])})</small>"
    return Markup(form(value["mean"]) + ends)


def plain(value: Mapping[str, float | None]) -> str:
    """Format a difference with its interval as text without elements."""
    return interval(value, plus=True).striptags()

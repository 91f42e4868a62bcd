"""Elements of SVG drawings as escaped text, small enough for a page with a drawing for each column."""

from markupsafe import Markup, escape

from trisynth.report.names import printable, shortened

# Okabe and Ito's palette (2008), its orange darker: outlines stand out from filled bars at 3 to 1, texts at 4.5.
REAL, SYNTHETIC, GREY, INK = "#0072B2", "#B84F00", "#595959", "#1a1a1a"
# Opacity of filled bars, and the colours of a scale and of its part between floor and ceiling.
FILL, SCALE, BETWEEN = 0.3, "#949494", "#4a90c2"
# Pixels of a letter at size 1, on the wide side: names must not run out of the drawing.
_LETTER = 0.6


def tag(name: str, *children: object, **attributes: object) -> Markup:
    """Build one element: underscores of attributes become dashes, None leaves an attribute out, all is escaped."""
    given = "".join(
        f' {key.strip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = Markup("").join(children)
    return Markup(f"<{name}{given}>{inner}</{name}>" if inner else f"<{name}{given}/>")


def drawing(width: float, height: float, alt: str, *shapes: Markup) -> Markup:
    """Build a drawing that shrinks with the page; ``alt`` is the text for readers who do not see it."""
    # The attribute's name has a capital that keyword arguments would keep, too, but ruff would not.
    box = {"viewBox": f"0 0 {_short(width)} {_short(height)}", "width": _short(width), "height": _short(height)}
    return tag("svg", tag("title", escape(alt)), *shapes, role="img", aria_label=alt, **box)


def rect(x: float, y: float, width: float, height: float, fill: str, **more: object) -> Markup:
    """Build a rectangle; a negative size counts as none."""
    return tag("rect", x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), fill=fill, **more)


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = GREY, width: float = 1, **more: object) -> Markup:
    """Build a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width, **more)


def path(d: str, **attributes: object) -> Markup:
    """Build a path from its commands."""
    return tag("path", d=d, **attributes)


def text(x: float, y: float, content: object, anchor: str | None = None, size: float = 11, **more: object) -> Markup:
    """Build a text whose letters have ``size`` pixels; ``anchor`` is "middle" or "end"."""
    return tag(
        "text", escape(printable(content)), x=x, y=y, text_anchor=anchor, font_size=None if size == 11 else size, **more
    )


def fitted(content: object, width: float, size: float = 11) -> str:
    """Shorten a text to the letters that fit ``width`` pixels; wide scripts count double."""
    content = printable(content)
    wide = sum(ord(letter) > 0x2E7F for letter in content) / max(len(content), 1)
    return shortened(content, max(int(width / (size * _LETTER * (1 + wide))), 4))


def _short(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)

"""One look for all figures, and one way to write them: the same bytes each time, whole or not at all."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from trisynth.cache import write_atomic

# Inches: one and two columns of a journal page, and the most that a page leaves for a figure above its caption.
ONE_COLUMN, TWO_COLUMNS, PAGE = 3.5, 7.16, 8.8

# Okabe and Ito's palette (2008), told apart with every common colour vision; their yellow is too pale on white.
COLOURS = {
    "real": "#0072B2",
    "synthetic": "#D55E00",
    "combined": "#009E73",
    "balanced": "#CC79A7",
    "duplicated": "#56B4E9",
    "oversampled": "#E69F00",
    "class_weight": "#000000",
    "threshold": "#7F7F7F",
}
# A second mark of each arm, for prints without colour.
MARKERS = dict(zip(COLOURS, ("o", "s", "D", "^", "v", "<", "P", "X"), strict=True))
GREY = "#595959"
SMALL = 6.0

_RC = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine draws the same letters
    "font.size": 7.0,
    "axes.titlesize": 7.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 4.0,
    "axes.labelsize": SMALL,
    "axes.labelpad": 2.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "legend.frameon": False,
    "legend.fontsize": 7.0,
    "legend.borderpad": 0.0,
    "legend.borderaxespad": 0.2,
    "figure.titlesize": 8.5,
    "figure.titleweight": "bold",
    "figure.constrained_layout.h_pad": 0.04,
    "figure.constrained_layout.w_pad": 0.04,
    "lines.linewidth": 1.0,
    "patch.linewidth": 0.6,
    "text.parse_math": False,  # a "$" in a column's name is a dollar
    "pdf.fonttype": 42,  # letters stay letters: journals refuse Type 3 fonts
}

_ABBREVIATIONS = {"bmi": "BMI", "bp": "BP"}


@contextmanager
def applied() -> Iterator[None]:
    """Draw inside with this look, whatever the user's own matplotlib settings are."""
    with style.context(["default", _RC]):
        yield


def blank(width: float, height: float, layout: str | None = "constrained") -> Figure:
    """Empty figure, in inches, that belongs to no window."""
    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def heading(figure: Figure, title: str, simulated: bool = False) -> None:
    """Title at the upper left; a figure of simulated rows always says so."""
    shown = f"{shortened(title, 60)} (simulated, not patients)" if simulated else shortened(title, 60)
    figure.suptitle(shown, x=0.012, ha="left")


def footnote(figure: Figure, text: str) -> None:
    """Small print below all panels."""
    figure.supxlabel(text, x=0.012, ha="left", fontsize=SMALL, color=GREY)


def label(name: object) -> str:
    """A column's or an arm's name as a reader expects it: blanks for underscores, abbreviations in capitals."""
    words = str(name).replace("_", " ").split()
    return " ".join(_ABBREVIATIONS.get(word, word) for word in words)


def shortened(text: object, length: int) -> str:
    """At most ``length`` letters, the last one an ellipsis where some were left out."""
    text = " ".join(str(text).split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def letter(position: int) -> str:
    """Letter of a panel: a to z, then aa, ab and so on."""
    first, last = divmod(position, 26)
    return (chr(96 + first) if first else "") + chr(97 + last)


def png(figure: Figure, dpi: int) -> bytes:
    """A figure as PNG, without date or version."""
    return _printed(figure, format="png", dpi=dpi, metadata={"Software": None})


def save(figure: Figure, path: str | Path) -> None:
    """Write ``path``.png (300 dpi) and ``path``.pdf, each in one step.

    Parameters
    ----------
    figure : Figure
    path : path
        Without suffix; a dot in the name is no suffix.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    path = Path(path)
    write_atomic(path.with_name(f"{path.name}.png"), png(figure, dpi=300))
    fixed = dict.fromkeys(("Creator", "Producer", "CreationDate"))
    write_atomic(path.with_name(f"{path.name}.pdf"), _printed(figure, format="pdf", metadata=fixed))


def _printed(figure: Figure, **options: object) -> bytes:
    buffer = io.BytesIO()
    with applied(), mpl.rc_context({"savefig.bbox": None}):
        figure.savefig(buffer, **options)
    return buffer.getvalue()

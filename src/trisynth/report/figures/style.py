"""Style of all figures, and reproducible output of them as PNG and PDF."""

import io
import textwrap
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from matplotlib import style
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from trisynth.cache import write_atomic
from trisynth.report.figures import letters
from trisynth.report.names import shortened

# Inches: one and two columns of a journal page, and the most that a page leaves for a figure above its caption.
ONE_COLUMN, TWO_COLUMNS, PAGE = 3.5, 7.16, 8.8

# Okabe and Ito's palette (2008), distinct under every common colour vision; their yellow is too pale on white.
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
# One colour and mark per generator in every figure; the sequence is for generators that are not listed.
GENERATORS = {
    "circuit": ("#0072B2", "D"),
    "copula": ("#009E73", "s"),
    "smote": ("#E69F00", "^"),
    "vae": ("#CC79A7", "v"),
    "gan": ("#D55E00", "o"),
    "cgan": ("#8C510A", "<"),
    "diffusion": ("#56B4E9", ">"),
    "arf": ("#117733", "p"),
    "cart": ("#999933", "H"),
    "sequential_forest": ("#DDCC77", "8"),
    "ctgan": ("#882255", "h"),
    "tvae": ("#AA4499", "d"),
    "tgan": ("#332288", "P"),
    "aim": ("#117733", "D"),
    "label_triples": ("#D55E00", "o"),
    "mst": ("#009E73", "s"),
    "raked_pairs": ("#332288", "P"),
    "dpcircuit": ("#882255", "d"),
    "dpvae": ("#CC79A7", "v"),
    "dpgan": ("#56B4E9", ">"),
    "pategan": ("#E69F00", "^"),
    "independent": ("#7F7F7F", "X"),
    "copy": ("#000000", "*"),
}
_FURTHER = ("#44AA99", "#6699CC", "#994455")
GREY = "#595959"
SIMULATED = " (simulated, not patients)"
SMALL = 6.0

_RC = {
    "font.size": 7.0,
    "axes.titlesize": 7.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 4.0,
    "axes.titley": 1.0,  # fixed: looking for a free place costs a tenth of all drawing
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
    "legend.borderaxespad": 0.6,
    "figure.constrained_layout.h_pad": 0.04,
    "figure.constrained_layout.w_pad": 0.04,
    "lines.linewidth": 1.0,
    "patch.linewidth": 0.6,
    "text.parse_math": False,  # a "$" in a column's name is a dollar
    "hatch.linewidth": 0.5,
    "pdf.fonttype": 42,  # letters stay letters: journals refuse Type 3 fonts
}


@contextmanager
def applied() -> Iterator[None]:
    """Apply the style inside, independent of the user's matplotlib settings."""
    with style.context(["default", _RC, {"font.family": letters.families()}]), warnings.catch_warnings():
        # A letter that all fonts lack is drawn as a box, and a line names it; a job must not fail for it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def blank(width: float, height: float, layout: str | None = "constrained", dpi: int = 300) -> Figure:
    """Create an empty figure, sizes in inches, without a window."""
    figure = Figure(figsize=(width, height), layout=layout, dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def generator(name: str) -> dict[str, str]:
    """Return colour and mark of a generator, the same in every figure.

    Parameters
    ----------
    name : str
        Name of the generator, as its yaml file has it.

    Returns
    -------
    dict
        ``color`` and ``marker``, as matplotlib takes them.
    """
    # Without a random hash: the same name must have the same colour in every process.
    further = _FURTHER[sum(map(ord, name)) % len(_FURTHER)], "o"
    colour, marker = GENERATORS.get(name, further)
    return {"color": colour, "marker": marker}


def heading(figure: Figure, title: str, legend: Mapping[str, Artist], simulated: bool = False) -> None:
    """Add title and legend at the upper left, outside the panels.

    Parameters
    ----------
    figure : Figure
    title : str
    legend : mapping of str to Artist
        Marks by name; may be empty.
    simulated : bool
        The title of a figure of simulated rows names them so.
    """
    length = round(figure.get_figwidth() * 11)
    # A name occupies about its letters and six more for its mark.
    across = max(int(figure.get_figwidth() * 17 / (max(map(len, legend), default=0) + 6)), 1)
    title, suffix = capitalised(title), SIMULATED if simulated else ""
    figure.legend(
        list(legend.values()),
        list(legend),
        title=shortened(title, length - len(suffix)) + suffix,
        title_fontproperties={"weight": "bold", "size": 8.0},
        loc="outside upper left",
        alignment="left",
        ncols=max(min(len(legend), across), 1),
        columnspacing=1.6,
    )


def footnote(figure: Figure, text: str) -> None:
    """Add small print below all panels, broken into lines that fit the figure's width."""
    # An inch holds some 23 letters of this size.
    length = round(figure.get_figwidth() * 22)
    text = "\n".join(textwrap.fill(line, length) for line in text.splitlines())
    figure.supxlabel(text, x=0.012, ha="left", fontsize=SMALL, color=GREY)


def capitalised(text: str) -> str:
    """Capitalise the first letter and keep all others."""
    return text[:1].upper() + text[1:]


def letter(position: int) -> str:
    """Return the letter of a panel: a to z, then aa, ab and so on."""
    first, last = divmod(position, 26)
    return (chr(96 + first) if first else "") + chr(97 + last)


def png(figure: Figure) -> bytes:
    """Render a figure as PNG, without date or version."""
    return _printed(figure, format="png", metadata={"Software": None})


def save(figure: Figure, path: str | Path) -> None:
    """Write ``path``.png (300 dpi) and ``path``.pdf, each in one step.

    Parameters
    ----------
    figure : Figure
    path : path
        Without suffix; a dot in the name does not start one.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    path = Path(path)
    with applied():
        # Once for both files: it is the slowest part, and they should look alike.
        figure.get_layout_engine().execute(figure)
        figure.set_layout_engine("none")
    write_atomic(path.with_name(f"{path.name}.png"), png(figure))
    fixed = dict.fromkeys(("Creator", "Producer", "CreationDate"))
    write_atomic(path.with_name(f"{path.name}.pdf"), _printed(figure, format="pdf", metadata=fixed))


def _printed(figure: Figure, **options: object) -> bytes:
    buffer = io.BytesIO()
    with applied():
        figure.savefig(buffer, **options)
    letters.note(figure)
    return buffer.getvalue()

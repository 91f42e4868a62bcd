"""Tables as CSV, Markdown and LaTeX, reproducible byte by byte."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from trisynth.report.names import name
from trisynth.statistics.estimate import Estimate

_DIGITS = 6
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "−": "$-$",
    "±": r"$\pm$",
    "²": "$^2$",
    **{mark: f"\\{mark}" for mark in "&%$#_"},
}

Cell = str | int | Estimate | None


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    key : str
        Name in the CSV.
    label : str
        Printed heading.
    signed : bool
        Whether print shows the sign of positive numbers.
    interval : bool
        Whether print shows the interval; the CSV always has it.
    """

    key: str
    label: str
    signed: bool = False
    interval: bool = True


@dataclass(frozen=True)
class Table:
    """A table: cells, headings, caption and note.

    Parameters
    ----------
    name : str
        Name of its files.
    caption, note : str
    columns : sequence of Column
    rows : sequence of sequence of cells
        Texts as in the CSV, whole numbers, estimates, or None for an empty cell.
    bold : set of (int, int)
        Rows and columns of the cells in bold type.
    rules : set of int
        Rows with a line above.
    """

    name: str
    caption: str
    note: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    bold: set[tuple[int, int]] = field(default_factory=set)
    rules: set[int] = field(default_factory=set)


def csv(table: Table) -> str:
    """Format a table as CSV with six decimals; an estimate becomes three columns: mean, low, high."""
    columns: dict[str, list] = {}
    for place, column in enumerate(table.columns):
        cells = [row[place] for row in table.rows]
        if any(isinstance(cell, Estimate) for cell in cells):
            for suffix, end in (("", "mean"), ("_low", "low"), ("_high", "high")):
                columns[column.key + suffix] = [None if c is None else _rounded(getattr(c, end)) for c in cells]
        else:
            columns[column.key] = cells
    buffer = io.StringIO()
    pd.DataFrame(columns, dtype=object).to_csv(buffer, index=False, lineterminator="\n")
    return buffer.getvalue()


def markdown(table: Table, command: str) -> str:
    """Format a table as a Markdown pipe table with caption, note and the command that makes it."""
    marks = [" --- " if _is_text(table, place) else " ---: " for place in range(len(table.columns))]
    lines = [f"**{table.caption}**", "", _piped([_pipes(c.label) for c in table.columns]), f"|{'|'.join(marks)}|"]
    for r, row in enumerate(table.rows):
        cells = [_pipes(printed(cell, column)) for cell, column in zip(row, table.columns, strict=True)]
        lines.append(_piped([f"**{text}**" if (r, c) in table.bold else text for c, text in enumerate(cells)]))
    return "\n".join([*lines, "", table.note, "", f"Made by `{command}`; do not edit.", ""])


def latex(table: Table, command: str) -> str:
    """Format a table as a LaTeX ``table*`` environment, which needs the package ``booktabs``."""
    alignment = "".join("l" if _is_text(table, place) else "r" for place in range(len(table.columns)))
    lines = [
        f"% Made by `{command}`; do not edit. Needs \\usepackage{{booktabs}}.",
        r"\begin{table*}[t]",
        r"\centering",
        r"\footnotesize",
        f"\\caption{{{escaped(table.caption)} {escaped(table.note)}}}",
        f"\\label{{tab:{table.name}}}",
        f"\\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        " & ".join(escaped(column.label) for column in table.columns) + r" \\",
        r"\midrule",
    ]
    for r, row in enumerate(table.rows):
        if r in table.rules and r:
            lines.append(r"\midrule")
        texts = (escaped(printed(cell, column)) for cell, column in zip(row, table.columns, strict=True))
        lines.append(
            " & ".join(f"\\textbf{{{t}}}" if (r, c) in table.bold else t for c, t in enumerate(texts)) + r" \\"
        )
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table*}", ""])


def escaped(text: str) -> str:
    """Escape a text so that LaTeX prints every character literally."""
    return "".join(_LATEX.get(letter, letter) for letter in text)


def printed(cell: Cell, column: Column) -> str:
    """Format a cell for print: three decimals below 10, one below 1,000, none above."""
    if cell is None:
        return ""
    if not isinstance(cell, Estimate):
        return name(cell) if isinstance(cell, str) else str(cell)
    if math.isnan(cell.mean):
        return ""
    decimals = 3 if abs(cell.mean) < 10 else 1 if abs(cell.mean) < 1000 else 0
    sign = "+" if column.signed else ""
    mean = f"{cell.mean:{sign},.{decimals}f}".replace("-", "−")
    return mean if math.isnan(cell.half) or not column.interval else f"{mean} ± {cell.half:,.{decimals}f}"


def _rounded(value: float) -> float | None:
    # Adding 0 turns -0.0 into 0.0.
    return None if math.isnan(value) else round(value, _DIGITS) + 0.0


def _is_text(table: Table, place: int) -> bool:
    return any(isinstance(row[place], str) for row in table.rows)


def _pipes(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")


def _piped(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""Audits of every private generator, and of others at the right end: claims, lower bounds, ceilings, attacks, times.

Each row of ``audits.csv`` is a cell: one generator with one epsilon, on ``rows`` rows of framingham. An audit fits it
``fits`` times with and without a planted row; ``bound`` is the lower bound on its epsilon with 95 % confidence, and
``ceiling`` the largest bound that so many fits can show. Membership attacks on one fit of the training rows follow, as
ROC AUC with its 95 % interval, and the largest risk of the attacks on cells and rows. ``seconds`` is processor time of
the audit, ``attack_seconds`` that of the attacks. A cell that has a row is not run again, so that the command can be
stopped at any time. Private noise is from the operating system: another run gives other numbers. Networks are audited
with the few small steps that the column ``settings`` lists: the claim follows from the accounting and not from them.
``--draw`` runs nothing and draws ``audits.csv``.
"""

import math
import os
import sys
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks import output
from trisynth import commandline
from trisynth.audit import attacked, audited
from trisynth.report import names
from trisynth.report.figures import style

EPSILONS = (0.1, 1.0, 10.0)


@dataclass(frozen=True)
class Cell:
    """Fits of the audit and attacks of one generator.

    Parameters
    ----------
    fits : int
        Fits of each side of the audit; 0 leaves the audit out.
    drawn : int
        Rows that the audit draws from each fit; 0 attacks the values at the planted row alone.
    shadows : int
    settings : tuple of str
        Settings of the audit, so that hundreds of fits are fast; the attacks have the default ones.
    """

    fits: int = 0
    drawn: int = 0
    shadows: int = 0
    settings: tuple[str, ...] = ()


_SGD = "steps=10", "rate=0.5", "hidden=8", "learning_rate=0.05"
CELLS = {
    "mst": Cell(1000, shadows=8),
    "label_triples": Cell(500, shadows=8),
    "raked_pairs": Cell(250, shadows=8),
    "dp_circuit": Cell(100, settings=("n_states=4", "max_iter=10")),
    "aim": Cell(100, settings=("max_cells=2000",)),
    "dp_vae": Cell(300, shadows=4, settings=_SGD),
    "dp_gan": Cell(300, settings=(*_SGD, "critic_steps=5")),
    "pate_gan": Cell(300, settings=("teachers=10", "rounds=2", "votes=16")),
}
OTHERS = {
    "copy": Cell(60, 1000, 8),
    "independent": Cell(60, 1000, 8),
    "smotenc": Cell(shadows=8),
    "copula": Cell(60, 1000, 8),
    "cart": Cell(shadows=4),
    "sequential_forest": Cell(),
    "circuit": Cell(20, 1000),
    "arf": Cell(),
    "vae": Cell(),
    "gan": Cell(),
    "cgan": Cell(),
    "diffusion": Cell(),
    "tvae": Cell(),
    "ctgan": Cell(),
    "tgan": Cell(),
}
_KEY = ["generator", "epsilon"]
_ATTACKS = ("distance", "domias", "likelihood", "shadows")


def cells() -> list[tuple[str, str]]:
    """List all generators with the text of their epsilon, nothing for those without a budget."""
    private = [(name, f"{epsilon:g}") for name in CELLS for epsilon in EPSILONS]
    return [*private, *((name, "") for name in OTHERS)]


def cell(name: str, epsilon: str, table: str, rows: int, scale: float) -> dict:
    """Audit and attack one generator."""
    given = {**CELLS, **OTHERS}[name]
    settings = [f"dataset={table}", f"generator={name}"]
    if epsilon:
        settings.append(f"privacy.epsilon={epsilon}")
    row = {"generator": name, "epsilon": epsilon, "table": table, "rows": rows, "settings": " ".join(given.settings)}
    start, fits = time.process_time(), max(20, int(given.fits * scale))
    row |= {"fits": 0, "claimed": math.inf, "bound": math.nan, "ceiling": math.nan, "holds": True}
    if given.fits:
        own = commandline.composed([*settings, *(f"generator.{each}" for each in given.settings)])
        found = audited(own, fits, rows, given.drawn)
        row |= {"fits": fits, "claimed": found.claimed, "bound": found.bound, "ceiling": found.ceiling}
        row["holds"] = found.holds
    seconds = time.process_time() - start
    members, risks = attacked(commandline.composed(settings), given.shadows)
    for attack in _ATTACKS:
        own = members.get(attack)
        row |= {attack: own and own.auc, f"{attack}_low": own and own.low, f"{attack}_high": own and own.high}
        row[f"{attack}_tpr_1"] = own and own.tpr["tpr_at_1_percent"][0]
    worst = max(risks, key=lambda each: risks[each].interval[1])
    row |= {"risk": worst.split(" of ")[0], "risk_low": risks[worst].interval[1], "risk_high": risks[worst].interval[2]}
    return {**row, "seconds": seconds, "attack_seconds": time.process_time() - start - seconds}


def lines(rows: pd.DataFrame) -> list[str]:
    """Write the rows of the table in ``docs/privacy.md``, in Markdown.

    Parameters
    ----------
    rows : DataFrame
        As ``audits.csv`` has them.
    """
    found = []
    for row in _ordered(rows).to_dict("records"):
        audit = ("bound", "ceiling", "seconds") if row["fits"] else ()
        bound, ceiling, seconds = (row[name] if name in audit else math.nan for name in ("bound", "ceiling", "seconds"))
        stars = ["*" if row[f"{attack}_low"] > 0.5 else "" for attack in _ATTACKS]
        attacks = [_number(row[attack], 3) + star for attack, star in zip(_ATTACKS, stars, strict=True)]
        low, high = (_number(row[f"risk_{end}"], 3) for end in ("low", "high"))
        claimed = "none" if math.isinf(row["claimed"]) else _number(row["claimed"], 2)
        cells = [f"`{row['generator']}`", claimed, _number(bound, 2), _number(ceiling, 2), *attacks]
        cells += [f"{row['risk'].replace('_', ' ')} [{low}, {high}]", _number(seconds, 0)]
        found.append(f"| {' | '.join([*cells, _number(row['attack_seconds'], 0)])} |")
    return found


def _number(value: float, digits: int) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    """Sort rows in the order of ``cells``."""
    order = {key: place for place, key in enumerate(cells())}
    places = [order[key] for key in zip(*(rows[name] for name in _KEY), strict=True)]
    return rows.iloc[sorted(range(len(rows)), key=places.__getitem__)].reset_index(drop=True)


def picture(rows: pd.DataFrame) -> Figure:
    """Draw claims, lower bounds and ceilings of all audits, and all membership attacks beside them.

    Parameters
    ----------
    rows : DataFrame
        As ``audits.csv`` has them.
    """
    rows = _ordered(rows).iloc[::-1].reset_index(drop=True)
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 0.16 * len(rows) + 1.5)
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.2))
        handles = {**_bounds(left, rows), **_attacks(right, rows)}
        labels = [
            names.name(name) + (f", epsilon {epsilon}" if epsilon else "")
            for name, epsilon in zip(rows["generator"], rows["epsilon"], strict=True)
        ]
        left.set_yticks(range(len(rows)), labels)
        left.set_ylim(-0.7, len(rows) - 0.3)
        style.heading(figure, "Audited epsilon and membership attacks", handles)
        style.footnote(
            figure,
            "a: no lower bound may exceed what is claimed. The ceiling is the largest bound that the number of fits "
            "can show. Generators without a budget claim nothing. b: attacks on one fit of the training rows, by "
            "distance, density ratio (DOMIAS), likelihood and shadow models, with 95 % intervals; 0.5 is chance.",
        )
    return figure


def _bounds(axes: Axes, rows: pd.DataFrame) -> dict[str, Line2D]:
    """Draw a line from each bound to its ceiling, and the claim."""
    looks = {
        "claimed": {"marker": "|", "markersize": 8, "color": style.COLOURS["combined"]},
        "bound": {"marker": "o", "markersize": 4, "color": style.COLOURS["synthetic"]},
        "ceiling": {"marker": "o", "markersize": 4, "color": style.GREY, "markerfacecolor": "white"},
    }
    finite = rows["claimed"].where(rows["claimed"] < math.inf)
    axes.hlines(rows.index, rows["bound"], rows["ceiling"], color=style.GREY, linewidth=0.5, zorder=0)
    columns = {"claimed": finite, "ceiling": rows["ceiling"], "bound": rows["bound"]}
    for name, values in columns.items():
        axes.plot(values, rows.index, linestyle="none", **looks[name])
    axes.set_title("a  Lower bound on epsilon, 95 % confidence")
    axes.set_xlabel("epsilon")
    return {name: Line2D([], [], linestyle="none", **look) for name, look in looks.items()}


def _attacks(axes: Axes, rows: pd.DataFrame) -> dict[str, Line2D]:
    """Draw the ROC AUC of each attack with its interval."""
    marks = {"distance": "o", "domias": "s", "likelihood": "D", "shadows": "^"}
    colours = ("real", "balanced", "oversampled", "duplicated")
    labels = {"domias": "DOMIAS"}
    handles = {}
    for place, (attack, colour) in enumerate(zip(_ATTACKS, colours, strict=True)):
        heights = rows.index + 0.15 * (1.5 - place)
        look = {"marker": marks[attack], "markersize": 2.5, "color": style.COLOURS[colour]}
        axes.hlines(heights, rows[f"{attack}_low"], rows[f"{attack}_high"], color=look["color"], linewidth=0.7)
        axes.plot(rows[attack], heights, linestyle="none", **look)
        handles[labels.get(attack, attack)] = Line2D([], [], linestyle="none", **look)
    axes.axvline(0.5, color=style.GREY, linewidth=0.6, zorder=0)
    axes.set_title("b  Membership attacks")
    axes.set_xlabel("ROC AUC")
    return handles


def main(argv: list[str] | None = None) -> None:
    """Run the cells that ``audits.csv`` lacks, and draw all."""
    parser = output.parser("audits", __doc__)
    parser.add_argument("--generators", nargs="*", default=[*CELLS, *OTHERS], help="generators (default: all)")
    parser.add_argument("--table", default="framingham", help="data set with declared facts (default: framingham)")
    parser.add_argument("--rows", type=int, default=300, help="rows of the audits (default: 300)")
    parser.add_argument("--scale", type=float, default=1.0, help="factor of the numbers of fits (default: 1)")
    parser.add_argument("--draw", action="store_true", help="run nothing, draw audits.csv")
    given = parser.parse_args(argv)
    path = given.out / "audits.csv"
    if not given.draw:
        _run(given, path)
    if path.exists():
        rows = pd.read_csv(path, dtype={"epsilon": str}).fillna({"epsilon": ""})
        style.save(picture(rows), given.out / "audits")
        if not rows["holds"].all():
            sys.exit("a claim does not hold")


def _run(given: Namespace, path: Path) -> None:
    known = pd.read_csv(path, dtype={"epsilon": str}, keep_default_na=False) if path.exists() else pd.DataFrame()
    done = set(zip(*(known[name] for name in _KEY), strict=True)) if len(known) else set()
    for name, epsilon in cells():
        if name not in given.generators or (name, epsilon) in done:
            continue
        row = cell(name, epsilon, given.table, given.rows, given.scale)
        # The file is read again, since another process may have added a row.
        known = pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else pd.DataFrame()
        written = pd.DataFrame([row]).map(lambda value: f"{value:.4g}" if isinstance(value, float) else value)
        output.write(pd.concat([known, written.fillna("").astype(str)]), path)
        print(f"{name:<17} {epsilon or '-':<5} claimed {row['claimed']:<6.3g} audited {row['bound']:.2f}", flush=True)


if __name__ == "__main__":
    main()

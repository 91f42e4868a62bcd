"""Even against independent draws: changes of utility, fidelity and copying of the same fitted models."""

import pandas as pd
from matplotlib.lines import Line2D

from trisynth.errors import InputError
from trisynth.report import names
from trisynth.report.figures import style
from trisynth.report.markup import Column, Table
from trisynth.report.page import Picture
from trisynth.statistics.across_datasets import holm, mean_over_datasets, wilcoxon_p
from trisynth.statistics.estimate import Estimate

SCORES = ("synthetic/roc_auc", "combined/roc_auc", "fidelity/c2st_boosting", "copying/dcr_share", "copying/memorised")
_FIT = ["dataset", "generator", "classifier", "seed"]
# Rows of independent columns have the ROC AUC of chance, whose noise would hide the others in a mean.
_ALL, _CHANCE = "all with dependence", "independent"


def changes(jobs: pd.DataFrame) -> pd.DataFrame:
    """Subtract the scores of independent draws from those of even ones.

    Parameters
    ----------
    jobs : DataFrame
        With ``generator.draws``, and some of ``SCORES``.

    Returns
    -------
    DataFrame
        One row per data set, generator and seed, the index, mean over classifiers; one column per score.

    Raises
    ------
    InputError
        If no fit has both kinds of draws.
    """
    if "generator.draws" not in jobs:
        raise InputError("results", list(jobs.columns[:8]), "has no generator.draws; sweep experiment=even_draws")
    scores = [name for name in SCORES if name in jobs]
    parts = [jobs[jobs["generator.draws"] == draws].set_index(_FIT)[scores] for draws in ("even", "independent")]
    found = (parts[0] - parts[1]).dropna(how="all")
    if found.empty:
        remedy = "no fit has both; sweep generator.draws=independent,even"
        raise InputError("results", sorted(jobs["generator.draws"].dropna().unique()), remedy)
    return found.groupby(level=["dataset", "generator", "seed"], sort=False).mean()


def _groups(found: pd.DataFrame) -> dict[str, pd.DataFrame]:
    own = {str(name): part for name, part in found.groupby(level="generator", sort=False)}
    rest = found[found.index.get_level_values("generator") != _CHANCE]
    return own | ({_ALL: rest} if len(own) > 1 else {})


def draws_table(jobs: pd.DataFrame) -> Table:
    """Tabulate the change of each score by generator, with adjusted p-values of the utility of synthetic rows."""
    found = changes(jobs)
    groups = _groups(found)
    columns = [Column("generator", "Generator"), Column("pairs", "Pairs")]
    columns += [Column(name.replace("/", "_"), _title(name), signed=True) for name in found]
    main = [name for name in ("synthetic/roc_auc", "fidelity/c2st_boosting") if name in found]
    p_values = {}
    for name in main:
        columns.append(Column(f"p_{name.rpartition('/')[2]}", f"p, {_title(name)}", interval=False))
        p_values[name] = holm(
            pd.Series({g: wilcoxon_p(part[name].dropna()) for g, part in groups.items() if g != _ALL})
        )
    rows, bold = [], set()
    for place, (generator, part) in enumerate(groups.items()):
        cells = [mean_over_datasets(part[name].dropna()) for name in found]
        bold |= {(place, 2 + i) for i, cell in enumerate(cells) if cell.excludes_zero}
        tests = [float(p_values[name].get(generator, float("nan"))) for name in main]
        rows.append([generator, len(part), *cells, *(Estimate(p, float("nan"), len(part)) for p in tests)])
    note = (
        "Scores of even draws minus those of independent draws of the same generator, data set and seed; ± half of the "
        "95 % t interval over data sets, each of which counts once; Wilcoxon's p-values over data sets, adjusted by "
        "Holm's method for the number of generators. C2ST and DCR share: 0.5 is best. Bold: the interval excludes zero."
    )
    return Table("even_draws", "Changes of the scores by even draws.", note, columns, rows, bold)


def draws_picture(jobs: pd.DataFrame) -> Picture:
    """Draw the change of each main score by generator, with intervals, over the change on every data set."""
    found = changes(jobs)
    shown = [name for name in SCORES[:4] if name in found]
    groups = _groups(found)
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 0.9 + 0.26 * len(groups))
        panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        for letter, (axes, name) in enumerate(zip(panels, shown, strict=True)):
            for place, part in enumerate(groups.values()):
                values = part[name].dropna()
                points = values.groupby(level="dataset", sort=False).mean()
                axes.plot(points, [place + 0.22] * len(points), "|", color=style.GREY, markersize=4, alpha=0.7)
                mean = mean_over_datasets(values)
                error = mean.half if mean.half == mean.half else 0.0
                axes.errorbar(mean.mean, place - 0.12, xerr=error, fmt="o", color=style.COLOURS["real"], markersize=3.5)
            axes.axvline(0, color="0.8", linewidth=0.6, zorder=0)
            axes.set_title(f"{style.letter(letter)}  {_title(name)}")
            axes.set_xlabel("even − independent")
            axes.locator_params(axis="x", nbins=4)
            drawn = [part for generator, part in groups.items() if generator != _CHANCE] or [found]
            means = pd.concat([part[name].groupby(level=["generator", "dataset"]).mean() for part in drawn])
            axes.set_xlim(-1.1 * means.abs().max(), 1.1 * means.abs().max())
        panels[0].set_yticks(range(len(groups)), [names.label(name) for name in groups])
        panels[0].set_ylim(len(groups) - 0.5, -0.5)
        handles = {
            "mean, 95 % interval": Line2D([], [], marker="o", color=style.COLOURS["real"], markersize=3.5),
            "one data set": Line2D([], [], marker="|", color=style.GREY, linestyle="none"),
        }
        style.heading(figure, "Even against independent draws", handles)
        count = found.index.get_level_values("dataset").nunique()
        style.footnote(
            figure,
            f"Same generators, data sets ({count}) and seeds. ROC AUC: higher is better; C2ST and DCR share: 0.5 is "
            "best. Intervals are over data sets. Independent columns, whose ROC AUC is that of chance, may reach "
            "beyond a panel.",
        )
    return Picture("even_draws", "Changes of the scores by even draws, by generator and data set.", figure)


def _title(name: str) -> str:
    group = name.partition("/")[0]
    prefix = f"{group}: " if group in ("synthetic", "combined") else ""
    return prefix + names.metric(name)

"""Figures of the study of class imbalance."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from trisynth.report import names
from trisynth.report.figures import style
from trisynth.report.page import Picture
from trisynth.statistics.across_datasets import mean_over_datasets
from trisynth.statistics.estimate import Estimate
from trisynth.statistics.resampling import estimate
from trisynth.studies.imbalance import AGAINST, PRIMARY, REMEDIES, WORTH, gains, scores, selected

_TEST_SIZE = 1 / 3


def gains_picture(jobs: pd.DataFrame) -> Picture:
    """Draw the gains of balanced rows by ratio: over real rows, beside the remedies, and over the best baseline."""
    f1, precision = gains(jobs), gains(jobs, "average_precision")
    remedies = _remedies(jobs)
    classifiers, generators = list(dict.fromkeys(f1["classifier"])), list(dict.fromkeys(f1["generator"]))
    ratios = sorted(f1["imbalance"].unique())
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 0.9 + 2.0 * len(classifiers))
        panels = figure.subplots(len(classifiers), 3, squeeze=False)
        for row, classifier in enumerate(classifiers):
            shown = (
                (f1, "over_real", "macro-F1 over real rows"),
                (f1, "over_best", "macro-F1 over the best baseline"),
                (precision, "over_best", "average precision over the best"),
            )
            for column, (found, name, title) in enumerate(shown):
                axes = panels[row, column]
                marks = [(style.generator(g), selected(found, classifier, None, g), name) for g in generators]
                if name == "over_real":
                    own = remedies[remedies["classifier"] == classifier].set_index("dataset")
                    marks += [(_remedy(arm), own, arm) for arm in REMEDIES]
                for place, (look, part, value) in enumerate(marks):
                    offset = 0.8 * ((place + 0.5) / len(marks) - 0.5)
                    for tick, ratio in enumerate(ratios):
                        mean = mean_over_datasets(part[part["imbalance"] == ratio][value])
                        _point(axes, tick + offset, mean, look)
                axes.axhspan(-WORTH, WORTH, color="0.93", zorder=0)
                axes.axhline(0, color="0.7", linewidth=0.6, zorder=0)
                axes.set_xticks(range(len(ratios)), [f"{ratio}:1" for ratio in ratios])
                axes.set_xlabel("other rows for each of the rarest class")
                axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
                axes.set_title(f"{style.letter(3 * row + column)}  {title}")
            panels[row, 0].set_ylabel(f"{names.label(classifier)}: gain")
        handles = {
            names.label(g): Line2D([], [], linestyle="none", markersize=3.5, **style.generator(g)) for g in generators
        }
        handles |= {
            names.name(arm): Line2D([], [], linestyle="none", markersize=3.5, **_remedy(arm)) for arm in REMEDIES
        }
        style.heading(figure, "Gain of balanced rows by the ratio of the classes", handles)
        count = f1["dataset"].nunique()
        style.footnote(
            figure,
            f"{count} data sets, one of them simulated, each at the ratios that its own allows. Means over data sets "
            f"with 95 % t intervals; the grey band is ±{WORTH:g}. Coloured: synthetic rows fill up the classes; grey: "
            "remedies without a generator. The best baseline of real rows, threshold, class weights and oversampling "
            "is chosen by its test score. Macro-F1 has the test rows weighted to the ratio. Panels have their own "
            "scales.",
        )
    return Picture("gains", "Gains of balanced rows in macro-F1 and average precision by ratio.", figure)


def datasets_picture(jobs: pd.DataFrame) -> Picture:
    """Draw the primary comparison on every data set, with its mean."""
    found = selected(gains(jobs), generator=PRIMARY)
    datasets = list(dict.fromkeys(found.index))
    ratios = sorted(found["imbalance"].unique())
    over = ((f"over_{AGAINST}", "over the tuned threshold"), ("over_best", "over the best baseline"))
    with style.applied():
        figure = style.blank(style.TWO_COLUMNS, 0.9 + 0.3 * (len(datasets) + 1))
        panels = figure.subplots(1, 2, sharey=True, sharex=True)
        for letter, (axes, (name, title)) in enumerate(zip(panels, over, strict=True)):
            for tick, ratio in enumerate(ratios):
                offset = 0.24 * (tick - (len(ratios) - 1) / 2)
                part = found[found["imbalance"] == ratio]
                for place, dataset in enumerate(datasets):
                    values = part.loc[part.index == dataset].groupby("seed")[name].mean()
                    if len(values):
                        _point(axes, place + offset, estimate(values, _TEST_SIZE), _ratio(tick), across=True)
                _point(axes, len(datasets) + offset, mean_over_datasets(part[name]), _ratio(tick), across=True)
            axes.axvspan(-WORTH, WORTH, color="0.93", zorder=0)
            axes.axvline(0, color="0.7", linewidth=0.6, zorder=0)
            axes.axhline(len(datasets) - 0.5, color="0.7", linewidth=0.5, zorder=0)
            axes.set_xlabel("gain in macro-F1")
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.set_title(f"{style.letter(letter)}  {title}")
            axes.tick_params(axis="y", length=0)
        labels = [names.name(dataset) for dataset in datasets]
        panels[0].set_yticks(range(len(datasets) + 1), [*labels, "mean"])
        panels[0].set_ylim(len(datasets) + 0.5, -0.5)
        handles = {
            f"{ratio}:1": Line2D([], [], linestyle="none", markersize=3.5, **_ratio(tick))
            for tick, ratio in enumerate(ratios)
        }
        style.heading(figure, f"Rows balanced by the {names.label(PRIMARY)}, by data set", handles)
        style.footnote(
            figure,
            f"{_averaged(found)}; mean: 95 % t intervals over data sets. The grey band is ±{WORTH:g}.",
        )
    return Picture("datasets", "The comparison named before the run, by data set.", figure)


def _averaged(found: pd.DataFrame) -> str:
    if found["seed"].nunique() < 2:
        return "Means over classifiers. Data sets: a single split, without an interval"
    return (
        "Means over classifiers and seeds. Data sets: 95 % corrected resampled t intervals over the splits of the seeds"
    )


def _remedies(jobs: pd.DataFrame) -> pd.DataFrame:
    """Subtract the macro-F1 of real rows from that of each remedy."""
    keys = ["dataset", "classifier", "seed", "imbalance"]
    # The remedies are the same beside every generator.
    wide = scores(jobs).pivot_table("f1", keys, "arm", sort=False)
    return pd.DataFrame({arm: wide[arm] - wide["real"] for arm in REMEDIES}).reset_index()


def _remedy(arm: str) -> dict[str, str]:
    return {"color": style.GREY, "marker": style.MARKERS[arm]}


def _ratio(tick: int) -> dict[str, str]:
    # Darker is rarer.
    return {"color": ("#9ecae1", "#4292c6", "#08306b")[min(tick, 2)], "marker": ("o", "s", "D")[min(tick, 2)]}


def _point(axes: Axes, place: float, mean: Estimate, look: dict[str, str], across: bool = False) -> None:
    """Draw a mean with its interval; a single value has none."""
    if mean.mean != mean.mean:
        return
    half = mean.half if mean.half == mean.half else 0.0
    at, error = ((mean.mean, place), {"xerr": half}) if across else ((place, mean.mean), {"yerr": half})
    axes.errorbar(*at, **error, **look, linestyle="none", markersize=3.2, elinewidth=0.8)

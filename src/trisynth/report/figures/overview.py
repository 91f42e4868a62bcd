"""One light picture per job: real against synthetic columns at a glance."""

from pathlib import Path

from trisynth.cache import write_atomic
from trisynth.data.arrays.features import summarised_rows
from trisynth.data.dataset import Dataset
from trisynth.experiment.steps import Experiment
from trisynth.report.figures import panels, style
from trisynth.report.figures.levels import hide_rare
from trisynth.report.names import label

_MOST, _ACROSS = 12, 5


def write_overview(experiment: Experiment, folder: Path) -> None:
    """Write ``overview.png`` of a job into ``folder``; it is drawn once per synthetic table."""
    train, _ = experiment.parts
    rows_key, synthetic = experiment.rows(len(train))
    content = experiment.store.get_or_make(
        "figures",
        f"{experiment.job.split_key}-{rows_key}",
        lambda place: overview(train, synthetic, place / "overview.png"),
        lambda place: (place / "overview.png").read_bytes(),
    )
    write_atomic(folder / "overview.png", content)


def overview(real: Dataset, synthetic: Dataset, path: str | Path) -> None:
    """Write distributions of the target and of the first twelve features as PNG, 100 dots per inch.

    Parameters
    ----------
    real, synthetic : Dataset
        Training rows and synthetic rows of the same columns.
    path : path
        Written in one step.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    real, synthetic = (summarised_rows(rows) for rows in hide_rare(real, synthetic))
    target = real.spec.target
    features = list(real.X.columns)
    shown = {name: (real.X[name], synthetic.X[name]) for name in features[:_MOST]}
    down = -(-(len(shown) + 1) // _ACROSS)
    height = 1.5 * down + 0.6
    with style.applied():
        # Fixed margins: a layout that looks at every label takes longer than all the drawing.
        figure = style.blank(10, height, layout=None, dpi=100)
        grid = figure.add_gridspec(down, _ACROSS, left=0.07, right=0.99, top=1 - 0.62 / height, bottom=0.42 / height)
        grid.update(wspace=0.5, hspace=0.6)
        for position, (name, columns) in enumerate(
            [*shown.items(), *[(target, (real.y, synthetic.y))] * (real.y is not None)]
        ):
            axes = figure.add_subplot(grid[divmod(position, _ACROSS)])
            facts = real.spec.columns.get(name)
            panels.draw(axes, *columns, facts.unit if facts else "", letters=20)
            axes.set_title(style.shortened(label(name), 22) + (" (target)" if name == target else ""))
        names = panels.legend(f"real (n = {len(real):,})", f"synthetic (n = {len(synthetic):,})")
        part = f", {len(shown)} of {len(features)} features" if len(shown) < len(features) else ""
        figure.suptitle(f"{style.shortened(real.spec.name, 40)}{part}", x=0.01, ha="left", fontsize=8)
        figure.legend(list(names.values()), list(names), loc="upper right", ncols=2)
    write_atomic(Path(path), style.png(figure))

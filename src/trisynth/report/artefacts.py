"""Files that a report adds to a job's folder."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trisynth.cache import write_atomic
from trisynth.temporary import temporary_folder

if TYPE_CHECKING:
    from trisynth.experiment.steps import Experiment

MODEL = "generator.zip"

Writer = Callable[["Experiment", Path], None]


def writers(config: Mapping[str, Any]) -> list[Writer]:
    """List the writers that a resolved root config requests; ``run_job`` calls them after a job's last step."""
    tracking = config["tracking"]
    return [_figure] * bool(tracking["figure"]) + [_model] * bool(tracking.get("model"))


def _figure(experiment: "Experiment", folder: Path) -> None:
    # Plotting libraries take seconds to import, and a finished job draws nothing.
    from trisynth.report.figures.overview import write_overview

    experiment.progress("figure")
    write_overview(experiment, folder)


def _model(experiment: "Experiment", folder: Path) -> None:
    with temporary_folder("trisynth-") as place:
        file = place / MODEL
        experiment.generator().save(file)
        write_atomic(folder / MODEL, file.read_bytes())

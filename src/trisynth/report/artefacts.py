"""Files that a report adds to a job's folder."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trisynth.experiment.steps import Experiment

Writer = Callable[["Experiment", Path], None]


def writers(config: Mapping[str, Any]) -> list[Writer]:
    """List the writers that a resolved root config requests; ``run_job`` calls them after a job's last step."""
    return [_figure] if config["tracking"]["figure"] else []


def _figure(experiment: "Experiment", folder: Path) -> None:
    # Plotting libraries take seconds to import, and a finished job draws nothing.
    from trisynth.report.overview import write_overview

    experiment.progress("figure")
    write_overview(experiment, folder)

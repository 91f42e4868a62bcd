"""``trisynth run``: compose a configuration, run its job or its sweep, show the results."""

import math
import sys
import traceback
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from trisynth import commandline, lifeline
from trisynth.commandline import beside, compose
from trisynth.commandline.guard import guarded
from trisynth.errors import InputError, printable
from trisynth.sweeps.objectives import check, values


def main(arguments: list[str]) -> None:
    """Run the job or, with ``-m``, the sweep of a command line."""
    lifeline.end_with_starter()
    checked = commandline.checked(arguments)
    if {"-m", "--multirun"} & set(arguments):
        beside.announce(arguments)
    compose.register()
    # Hydra reads the command line from there.
    sys.argv = [sys.argv[0], *checked]
    try:
        with guarded():
            hydra.main(version_base="1.3", config_path=str(commandline.CONF), config_name="config")(job)()
    except (HydraException, OmegaConfBaseException) as error:
        raise compose.explained(error, arguments) from None


def job(cfg: DictConfig) -> Any:
    """Run one job; in a sweep, also record its state in the folder of the sweep.

    Returns
    -------
    float or tuple of float or None
        The value that a search optimises.
    """
    from trisynth.experiment.run import notes_of, run_job
    from trisynth.report.artefacts import writers
    from trisynth.report.steps import Steps

    hydra_config = HydraConfig.get()
    if hydra_config.mode == RunMode.RUN:
        with commandline.one_line_errors():
            config = commandline.resolved(cfg, hydra_config.overrides.task)
            check(config["objective"])
            commandline.require_budget_read(config, hydra_config.overrides.task)
            shown = show_findings(config)
            with Steps() as steps:
                result, _ = run_job(config, progress=steps, writers=writers(config))
                if config["report"]["html"]:
                    from trisynth.report.html.job import write_job

                    steps("report")
                    write_job(config, result, ["trisynth run", *hydra_config.overrides.task])
            for line in notes_of(config["paths"]["runs"], result):
                if line not in shown:
                    print(printable(line), file=sys.stderr)
            commandline.show(result, config)
        return objective(config, result)

    from trisynth.sweeps.folder import State

    state = State(Path(hydra_config.runtime.output_dir), " ".join(hydra_config.overrides.task))
    config = {}
    try:
        config = commandline.resolved(cfg, hydra_config.overrides.task, announce=False)
        check(config["objective"])
        if hydra_config.job.num == 0:
            show_findings(config)
        result, cached = run_job(config, writers=writers(config))
        found = objective(config, result)
        # A grid does not use the value; a search without it would continue blindly.
        if found is None and "direction" in hydra_config.sweeper:
            raise InputError(
                "objective",
                config["objective"],
                f"names a metric that the job lacks; its metrics are {', '.join(result.metrics)}",
            )
        state.write(result.key, "cached" if cached else "done")
        return found
    except Exception as error:
        # A failing job must not stop the others; the sweep reports it at the end and exits with an error.
        message = str(error) if isinstance(error, InputError) else traceback.format_exc()
        state.write(None, "failed", message)
        return None


def show_findings(config: dict) -> list[str]:
    """Print and return a line for each thing that cleaning changes in a table of the user's, or leaves open."""
    from trisynth import data
    from trisynth.data.cleaning import findings

    if not config["dataset"].get("path"):
        return []
    read = data.reader(config["dataset"], config.get("allow", ()))
    lines = list(findings.of_own_table(data.load(config["dataset"], config["paths"]["raw"], read)))
    for line in lines:
        print(printable(line), file=sys.stderr)
    return lines


def objective(config: dict, result: Any) -> float | tuple[float, ...] | None:
    """Return the value that a search optimises; None, which marks Optuna's trial as failed, if one is missing."""
    terms = config["objective"]
    found = values(terms, result.metrics)
    if any(map(math.isnan, found)):
        return None
    return tuple(found) if isinstance(terms, list) else found[0]


if __name__ == "__main__":
    commandline.enter("run", sys.argv[1:])

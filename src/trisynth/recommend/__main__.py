"""``trisynth recommend``: whether synthetic rows help on a table, which to use, and which to share."""

import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from trisynth import commandline
from trisynth.commandline import beside, form
from trisynth.recommend.plan import private
from trisynth.recommend.pool import Pool

if TYPE_CHECKING:
    from trisynth.recommend.recommendation import Recommendation
    from trisynth.tracking import Mirror

# Most seconds from the start of the program to the first line of this module's.
_LONGEST_START = 60.0
# Options for what a new user must say; everything else is a setting as in all commands.
_OPTIONS = {
    **form.TARGET,
    "--budget": "recommend.budget",
    "--metric": "recommend.metric",
    "--epsilon": "privacy.epsilon",
}


def parse(arguments: list[str]) -> list[str]:
    """Translate a command line with a table's name and options into overrides of the configuration.

    Raises
    ------
    InputError
        For a second table, or an option without a value.
    """
    overrides = named(arguments)
    given = {override.partition("=")[0] for override in overrides}
    # A panel that is named replaces this one.
    panel = "private" if private.is_given(overrides) and "privacy=none" not in overrides else "default"
    plain = [f"+recommend={panel}"] + ["metrics=recommend"] * ("metrics" not in given)
    plain += ["report=html"] * ("report" not in given)
    return [*plain, *overrides]


def named(arguments: list[str]) -> list[str]:
    """Translate a table's name and options into settings."""
    return form.named(["privacy." * a.startswith("epsilon=") + a for a in arguments], _OPTIONS)


def configured(overrides: list[str]) -> dict[str, Any]:
    """Compose the configuration; a generator or a classifier that is named replaces the panel of several.

    Raises
    ------
    InputError
        If the configuration is wrong, or the named generator reads no budget and one is given.
    """
    config = commandline.composed(overrides)
    given = dict(override.lstrip("+").partition("=")[::2] for override in overrides)
    section = dict(config["recommend"])
    if "generator" in given:
        commandline.require_budget_read(config, overrides)
        section["candidates"] = {given["generator"]: config["generator"]}
    if "classifier" in given:
        section["classifiers"] = {given["classifier"]: config["classifier"]}
    found = {**config, "recommend": section}
    private.require_budgets(found, private.is_given(overrides))
    return found


def main(arguments: list[str]) -> None:
    """Search, print the answer, and leave it in a folder of ``sweeps``."""
    begun = time.monotonic() - _started()
    config = configured(parse(arguments))
    path = config["dataset"].get("path")
    require = partial(private.require_declared, config, file=beside.place(path) if path else None)
    workers = Pool(config["recommend"].get("n_jobs"))
    try:
        # The workers import while this process does, so that the first trials need not wait.
        workers.start()
        from trisynth.recommend import drawing
        from trisynth.recommend.command import Course

        draw = partial(drawing.command, named(arguments), config)
        Course(config, workers, arguments, begun, report, mirror, require, draw).run()
    finally:
        workers.kill()


def _started() -> float:
    """Return the seconds since this program was started, which count; 0 in a process that did other things before."""
    age = time.time() - psutil.Process().create_time()
    return age if 0 < age < _LONGEST_START else 0.0


def report(found: "Recommendation", folder: Path, command: list[str]) -> Path | None:
    """Write the report of a recommendation; see ``write_recommendation``."""
    from trisynth.report.html.job import write_recommendation

    return write_recommendation(found, folder, command)


def mirror(config: Mapping[str, Any], name: str) -> "Mirror":
    """Build the mirror of a search in MLflow, whose parent run has that name."""
    from trisynth.tracking import Mirror

    return Mirror(config["tracking"], config["paths"], name, config.get("allow") or ())


if __name__ == "__main__":
    commandline.enter("recommend", sys.argv[1:])

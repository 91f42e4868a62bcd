"""``trisynth recommend``: whether synthetic rows help on a table, which to use, and which to share."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trisynth import commandline, data
from trisynth.cache import require_writable
from trisynth.commandline import form
from trisynth.config import digest
from trisynth.recommend import screen
from trisynth.recommend.answer import answer
from trisynth.recommend.pool import Pool
from trisynth.recommend.record import Record
from trisynth.recommend.search import Search
from trisynth.recommend.settings import Settings

# Options for what a new user must say; everything else is a setting as in all commands.
_OPTIONS = {**form.TARGET, "--budget": "recommend.budget", "--metric": "recommend.metric"}
# Settings that decide how long or where a search runs, not what it finds.
_NOT_IDENTITY = ("budget", "n_jobs")
# Times the budget, when the mirror of the trials in MLflow ends at the latest.
_LATEST = 1.05


def parse(arguments: list[str]) -> list[str]:
    """Translate a command line with a table's name and options into overrides of the configuration.

    Raises
    ------
    InputError
        For a second table, or an option without a value.
    """
    overrides = form.named(arguments, _OPTIONS)
    given = {override.partition("=")[0] for override in overrides}
    plain = ["+recommend=default"] + ["metrics=recommend"] * ("metrics" not in given)
    plain += ["report=html"] * ("report" not in given)
    return [*plain, *overrides]


def configured(overrides: list[str]) -> dict[str, Any]:
    """Compose the configuration; a generator or a classifier that is named replaces the panel of several."""
    config = commandline.composed(overrides)
    given = dict(override.partition("=")[::2] for override in overrides)
    section = dict(config["recommend"])
    if "generator" in given:
        section["candidates"] = {given["generator"]: config["generator"]}
    if "classifier" in given:
        section["classifiers"] = {given["classifier"]: config["classifier"]}
    return {**config, "recommend": section}


def folder_of(config: Mapping[str, Any]) -> Path:
    """Return the folder of a search, which is the same whatever its budget, so that it can be continued."""
    asked = {name: value for name, value in config["recommend"].items() if name not in _NOT_IDENTITY}
    parts = asked, data.data_key(config["dataset"]), config["seed"], config["metrics"], config["preprocessing"]
    return Path(config["paths"]["sweeps"]) / f"recommend-{config['dataset']['name']}-{digest(*parts)[:8]}"


def main(arguments: list[str]) -> None:
    """Search, print the answer, and leave it in a folder of ``sweeps``."""
    begun = time.monotonic()
    overrides = parse(arguments)
    config = configured(overrides)
    settings = Settings.of(config["recommend"])
    folder = folder_of(config)
    require_writable(folder, "paths.sweeps")
    read = data.reader(config["dataset"], config.get("allow", ()))
    dataset = data.load(config["dataset"], config["paths"]["raw"], read)
    record = Record(folder, config["paths"]["runs"], mirror_of(config, folder.name))
    with screen.Screen(settings.budget) as shown:

        def listen(search: Search, event: str) -> None:
            if event == "first":
                shown.line(screen.first(answer(search), search.elapsed()))
            shown.update(search)
            record.update(search, event)

        search = Search(config, dataset, Pool(settings.n_jobs), begun=begun, listen=listen)
        shown.line(screen.head(search))
        try:
            search.run()
        except KeyboardInterrupt:
            record.write(answer(search))
            shown.line(screen.interrupted(answer(search)))
            raise
    found = answer(search)
    record.write(found)
    print(screen.text(found))
    print(f"\nrecommendation: {folder / 'recommendation.json'}\ntrials: {folder / 'trials.csv'}")
    if config["report"]["html"]:
        from trisynth.report.html.job import write_recommendation

        if page := write_recommendation(found, folder, ["trisynth recommend", *arguments]):
            print(f"report: {page}")
    if not record.close(begun + _LATEST * settings.budget - time.monotonic()):
        raise SystemExit(1)


def mirror_of(config: Mapping[str, Any], name: str) -> Any:
    """Build the mirror in MLflow whose parent run has that name; None without tracking."""
    if not config["tracking"]["uri"]:
        return None
    from trisynth.tracking import Mirror

    return Mirror(config["tracking"], config["paths"], name, config.get("allow") or ())


if __name__ == "__main__":
    commandline.enter("recommend", sys.argv[1:])

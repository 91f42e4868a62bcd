"""Root configurations from command lines, with the facts declared beside a user's table."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from trisynth import renamed
from trisynth.commandline import beside, choices, form
from trisynth.commandline.environment import check_environment
from trisynth.commandline.guard import check_paths, searched
from trisynth.commandline.mistakes import ONE_VALUE, SWEEP, as_mistake
from trisynth.commandline.parsing import parsed_once
from trisynth.config import CONF, digest, files_of, locate, target_name
from trisynth.errors import InputError
from trisynth.places import current_name

# Overrides that decide where or how a sweep runs, not which results it has.
_NOT_IDENTITY = ("hydra/", "hydra.", "tracking", "report", "paths.")
_IDENTITY = ("hydra/sweeper", "hydra.sweeper")


def composed(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the resolved root configuration of a command line, where Hydra does not run the program."""
    form.check(arguments)
    arguments = form.quoted(arguments)
    for argument in arguments:
        choices.check(argument, arguments)
    try:
        return resolved(compose_only(arguments), arguments)
    except (HydraException, OmegaConfBaseException) as error:
        raise explained(error, arguments, ONE_VALUE) from None


def compose_only(arguments: list[str]) -> DictConfig:
    """Return the root configuration of a command line as Hydra composes it."""
    overrides, named = choices.split(arguments)
    if named:
        overrides = [*overrides, f"hydra.searchpath=[{','.join(f'file://{folder}' for folder in named)}]"]
    register()
    with searched(), parsed_once(), initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides)


def register() -> None:
    """Add the choices of installed packages to Hydra's configuration groups."""
    for group in choices.ENTRY_POINTS:
        for name, content in choices.installed(group).items():
            ConfigStore.instance().store(name=name, group=group, node=content, provider="entry points")


def explained(
    error: HydraException | OmegaConfBaseException, arguments: Sequence[str], several: str = SWEEP
) -> InputError:
    """Turn an error of Hydra into a mistake, with suggestions from the configuration that the command line chooses.

    ``several`` is the remedy where a setting has several values.
    """
    names, former = lambda: known_keys(arguments), lambda key: present_name(key, arguments)
    return as_mistake(error, arguments, names, former, several)


def known_keys(arguments: Sequence[str] = ()) -> list[str]:
    """Return the dotted names of all settings of the configuration that a command line chooses."""

    def names(node: Any, prefix: str) -> Iterator[str]:
        for key, value in node.items():
            yield f"{prefix}{key}"
            if isinstance(value, Mapping):
                yield from names(value, f"{prefix}{key}.")

    return list(names(_chosen(arguments), ""))


def present_name(key: str, arguments: Sequence[str]) -> str | None:
    """Return the present name of a former setting or constructor argument, given by its dotted name, or None."""
    for former, present in renamed.SETTINGS.items():
        if key == former or key.startswith(f"{former}."):
            return present + key.removeprefix(former)
    place, _, argument = key.rpartition(".")
    node: Any = _chosen(arguments)
    for part in filter(None, place.split(".")):
        node = node.get(part) if isinstance(node, Mapping) else None
    if not isinstance(node, Mapping) or "_target_" not in node:
        return None
    try:
        new = current_name(locate(node["_target_"]), argument)
    except InputError:
        return None
    return new and f"{place}.{new}"


def _chosen(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the configuration after the choices of a command line, before its settings; of a sweep, the first."""
    overrides, named = choices.split(list(arguments))
    chosen = [
        f"{group}={value.split(',')[0]}"
        for group, equals, value in (argument.partition("=") for argument in overrides)
        if equals and any((folder / group.lstrip("+")).is_dir() for folder in choices.folders(arguments))
    ]
    flags = [flag for folder in named for flag in ("--config-dir", folder)]
    try:
        return OmegaConf.to_container(compose_only([*chosen, *flags]))
    except (HydraException, OmegaConfBaseException):
        return OmegaConf.to_container(compose_only([]))


def checked(arguments: list[str]) -> list[str]:
    """Check a command line before Hydra starts, and name the folder of its sweep.

    Group choices are compared with the existing yaml files. A sweep gets a folder named after what decides its
    results, so that the same command finds its own jobs again.
    """
    form.check(arguments)
    arguments = form.quoted(arguments)
    for argument in arguments:
        choices.check(argument, arguments)
    choices.split(arguments)
    # Hydra refuses overrides on both sides of a flag.
    plain = [a for a in arguments if "=" in a and not a.startswith("-")]
    flags = [a for a in arguments if a not in plain]
    if {"-m", "--multirun"} & set(arguments) and not any(a.startswith("hydra.sweep.dir=") for a in plain):
        plain.append(f"hydra.sweep.dir=${{paths.sweeps}}/{sweep_name(arguments)}")
    return [*plain, *flags]


def sweep_name(arguments: list[str]) -> str:
    """Return the name of a sweep: its experiment, and a digest of what else decides its results."""
    plain, _ = choices.split(arguments)
    overrides = sorted(a for a in plain if a.startswith(_IDENTITY) or not a.startswith(("-", *_NOT_IDENTITY)))
    names = [a.removeprefix("experiment=") for a in overrides if a.startswith("experiment=")]
    rest = [a for a in overrides if not a.startswith("experiment=")]
    return "-".join([*(names or ["sweep"]), *([digest(rest)[:8]] if rest else [])])


def sources(cfg: DictConfig, tables: Iterable[str]) -> list[str]:
    """Return the files outside this package that decide a sweep's results, besides its tables.

    These are the facts beside tables, the yaml files of other folders, and the code of allowed packages.
    """
    found = [file for file in map(beside.find, tables) if file]
    for source in cfg.hydra.runtime.config_sources:
        if source.schema == "file" and Path(source.path) != CONF:
            found += Path(source.path).rglob("*.yaml")
    found += [file for name in cfg.get("allow") or () for file in files_of(str(name).partition(".")[0])]
    return sorted(map(str, found))


def resolved(cfg: DictConfig, overrides: Sequence[str] = (), announce: bool = True) -> dict[str, Any]:
    """Return the plain values of a composed configuration, with the facts declared beside its table.

    Parameters
    ----------
    cfg : DictConfig
    overrides : sequence of str
        The command line, whose values take precedence over the file beside the table.
    announce : bool, default=True
        Print a line about the file that was read.

    Raises
    ------
    InputError
        For a value that must be given and was not, or an interpolation of an unknown name.
    """
    try:
        read = beside.merge(cfg, overrides)
        check_environment(cfg)
        plain = beside.unfolded(OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True))
    except MissingMandatoryValue as error:
        option = " or --target COLUMN" if error.full_key == "dataset.target" else ""
        remedy = f"is missing; add {error.full_key}=...{option} to the command"
        raise InputError(error.full_key, "???", remedy) from None
    except OmegaConfBaseException as error:
        raise as_mistake(error, overrides) from None
    for name, value in (plain.get("report") or {}).items():
        if not isinstance(value, bool):
            raise InputError(f"report.{name}", value, "must be true or false")
    if isinstance(plain.get("paths"), dict):
        check_paths(plain["paths"])
        # "./runs" is shown as "runs".
        plain["paths"] = {k: os.path.normpath(v) if isinstance(v, str) else v for k, v in plain["paths"].items()}
    if read and announce:
        print(read, file=sys.stderr)
    return plain


def require_budget_read(config: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """Refuse a privacy budget on the command line where the generator reads none, and its rows would seem private.

    Raises
    ------
    InputError
    """
    budget = ("privacy.epsilon=", "privacy.delta=", "privacy=dp")
    given = [text.lstrip("+") for text in overrides if text.lstrip("+").startswith(budget)]
    if given and "privacy" not in config["generator"]:
        files = sorted((CONF / "generator").glob("*.yaml"))
        private = ", ".join(file.stem for file in files if "privacy" in OmegaConf.load(file))
        name, _, value = given[0].partition("=")
        remedy = f"applies only to {private}; the rows of {target_name(config['generator'])} have no guarantee"
        raise InputError(name, value, remedy)


def show(result: Any, config: Mapping[str, Any]) -> None:
    """Print one job's table and mirror it into MLflow; exit status 1 if the mirror cannot be written."""
    from trisynth.report import console

    print(console.job_summary(result), end="")
    folder = Path(config["paths"]["runs"]) / result.key
    if (folder / "summary.txt").exists():
        print(f"\n{(folder / 'summary.txt').read_text()}", end="")
    print(f"\nresult: {folder / 'result.json'}")
    if (folder / "overview.png").exists():
        print(f"figure: {folder / 'overview.png'}")
    if config["report"]["html"]:
        print(f"report: {folder / 'report.html'}")
    if config["tracking"]["uri"]:
        from trisynth.tracking import Mirror

        mirror = Mirror(config["tracking"], config["paths"], allow=config.get("allow") or ())
        mirror.job(result)
        if config["report"]["html"]:
            mirror.report(result.key)
        if mirror.close():
            raise SystemExit(1)

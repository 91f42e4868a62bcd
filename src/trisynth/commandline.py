"""What all entry points share: where the configuration lies, and one clear line for what a user got wrong."""

import difflib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from trisynth import renamed
from trisynth.config import CONF, digest
from trisynth.errors import InputError

# Choices that say where or how a sweep runs, not what it is.
_NOT_IDENTITY = ("hydra/", "hydra.", "tracking", "paths.")
_IDENTITY = ("hydra/sweeper", "hydra.sweeper")


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what a user can mend into one line on stderr: exit status 2 for a mistake, 1 for a lost worker."""
    # Otherwise Hydra prints its own errors over several lines and exits before they can be seen here.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    try:
        yield
    except (InputError, HydraException, OmegaConfBaseException) as error:
        mistake = error if isinstance(error, InputError) else as_mistake(error)
        message, status = str(mistake), 2
    except BrokenExecutor:
        remedy = "run the same command again to go on, with fewer at a time by hydra.launcher.n_jobs=1"
        message, status = f"a worker process died, perhaps for want of memory; finished jobs are kept: {remedy}", 1
    except KeyboardInterrupt:
        message, status = "interrupted; finished jobs are kept: run the same command again to go on", 130
    else:
        return
    print("error:", " ".join(message.split()), file=sys.stderr)
    raise SystemExit(status)


def as_mistake(error: HydraException | OmegaConfBaseException) -> InputError:
    """What Hydra or OmegaConf say over several lines, as a parameter, its value and a remedy."""
    first, *rest = str(error).strip().splitlines()
    unknown = re.match(r"Could not override '([^']+)'", first)
    key = unknown.group(1) if unknown else getattr(error, "full_key", None)
    if not key:
        return InputError("override", getattr(error, "override", None) or "", " ".join([first, *rest[:1]]))
    value = next((v for name, _, v in (a.partition("=") for a in sys.argv[1:]) if name.lstrip("+~") == key), "")
    if not unknown:
        return InputError(key, value, first)
    if key in renamed.SETTINGS:
        return InputError(key, value, f"is now called {renamed.SETTINGS[key]}")
    close = difflib.get_close_matches(key, known_keys(), n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return InputError(key, value, f"no such setting; {hint}+{key}={value} would add it")


def known_keys() -> list[str]:
    """Dotted names of all settings of the default configuration."""

    def names(node: Any, prefix: str) -> Iterator[str]:
        for key, value in node.items():
            yield f"{prefix}{key}"
            if isinstance(value, Mapping):
                yield from names(value, f"{prefix}{key}.")

    return list(names(OmegaConf.to_container(_compose([])), ""))


def composed(overrides: list[str]) -> dict[str, Any]:
    """Resolved root configuration of a command line's overrides, where Hydra does not run the program."""
    for argument in overrides:
        check_choice(argument)
    return resolved(_compose(overrides))


def _compose(overrides: list[str]) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides)


def checked(argv: list[str]) -> list[str]:
    """Command line, after its group choices were compared with the files of ``conf``.

    A sweep is also given a folder named for what it is, so that the same command finds its own jobs again.
    """
    with one_line_errors():
        for argument in argv[1:]:
            check_choice(argument)
    if not {"-m", "--multirun"} & set(argv) or any(a.startswith("hydra.sweep.dir=") for a in argv):
        return argv
    return [*argv, f"hydra.sweep.dir=${{paths.sweeps}}/{sweep_name(argv[1:])}"]


def sweep_name(arguments: list[str]) -> str:
    """Name of the sweep that a command line asks for: its experiment, and a digest of what else decides its results."""
    overrides = sorted(a for a in arguments if a.startswith(_IDENTITY) or not a.startswith(("-", *_NOT_IDENTITY)))
    names = [a.removeprefix("experiment=") for a in overrides if a.startswith("experiment=")]
    rest = [a for a in overrides if not a.startswith("experiment=")]
    return "-".join([*(names or ["sweep"]), *([digest(rest)[:8]] if rest else [])])


def check_choice(argument: str) -> None:
    """Refuse ``group=option`` where ``conf/group/option.yaml`` does not exist, with the nearest that does."""
    group, equals, value = argument.partition("=")
    folder = CONF / group.lstrip("+")
    # Hydra's own groups have choices that lie elsewhere.
    if not equals or not group or group.startswith("hydra/") or not folder.is_dir():
        return
    if any(mark in value for mark in "()[]{}$*"):
        return
    known = sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yaml"))
    for option in value.split(","):
        if option not in known:
            if present := renamed.CHOICES.get(group, {}).get(option):
                raise InputError(group, option, f"is now called {present}")
            close = difflib.get_close_matches(option, known, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise InputError(group, option, f"{hint}known: {', '.join(known)}")


def resolved(cfg: DictConfig) -> dict[str, Any]:
    """Plain values of a composed configuration.

    Raises
    ------
    InputError
        For a value that must be given and was not, or an interpolation that leads nowhere.
    """
    try:
        return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        raise InputError(error.full_key, "???", f"must be given: add {error.full_key}=... to the command") from None
    except OmegaConfBaseException as error:
        raise as_mistake(error) from None


def show(result: Any, config: Mapping[str, Any]) -> None:
    """Print one job's table and mirror it into MLflow; exit status 1 if the mirror cannot be written."""
    from trisynth.report import console

    console.show_job(result)
    folder = Path(config["paths"]["runs"]) / result.key
    if (folder / "words.txt").exists():
        print(f"\n{(folder / 'words.txt').read_text()}", end="")
    print(f"\nresult: {folder / 'result.json'}")
    if config["tracking"]["uri"]:
        from trisynth.tracking import Mirror

        mirror = Mirror(config["tracking"], config["paths"])
        mirror.job(result)
        if mirror.problem:
            raise SystemExit(1)

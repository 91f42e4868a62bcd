"""What all entry points share: where the configuration lies, and one clear line for what a user got wrong."""

import difflib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from trisynth.config import digest
from trisynth.errors import InputError

CONF = Path(__file__).resolve().parents[2] / "conf"
# Choices that say where or how a sweep runs, not what it is.
_NOT_IDENTITY = ("hydra/", "hydra.", "tracking", "paths.")


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn a user's mistake into one line on stderr and exit status 2."""
    try:
        yield
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def checked(argv: list[str]) -> list[str]:
    """Command line, after its group choices were compared with the files of ``conf``.

    A sweep is also given a folder named for what it is, so that the same command finds its own jobs again.
    """
    with one_line_errors():
        for argument in argv[1:]:
            check_choice(argument)
    if not {"-m", "--multirun"} & set(argv) or any(a.startswith("hydra.sweep.dir=") for a in argv):
        return argv
    overrides = sorted(a for a in argv[1:] if not a.startswith(("-", *_NOT_IDENTITY)))
    names = [a.removeprefix("experiment=") for a in overrides if a.startswith("experiment=")]
    rest = [a for a in overrides if not a.startswith("experiment=")]
    name = "-".join([*(names or ["sweep"]), *([digest(rest)[:8]] if rest else [])])
    return [*argv, f"hydra.sweep.dir=${{paths.sweeps}}/{name}"]


def check_choice(argument: str) -> None:
    """Refuse ``group=option`` where ``conf/group/option.yaml`` does not exist, with the nearest that does."""
    group, equals, value = argument.partition("=")
    folder = CONF / group.lstrip("+")
    if not equals or not group or not folder.is_dir() or any(mark in value for mark in "()[]{}$*"):
        return
    known = sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yaml"))
    for option in value.split(","):
        if option not in (*known, "null"):
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
        raise InputError(error.full_key or "config", "", str(error).splitlines()[0]) from None


def show(result: Any, config: Mapping[str, Any]) -> None:
    """Print one job's table and mirror it into MLflow."""
    from trisynth import tables

    tables.show_job(result)
    print(f"\nresult: {Path(config['paths']['runs']) / result.key / 'result.json'}")
    if config["tracking"]["uri"]:
        from trisynth.tracking import Mirror

        Mirror(config["tracking"], config["paths"]).job(result)

"""Choices of each configuration group: yaml files of this package, of the user, and of installed packages."""

import difflib
import importlib.metadata
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from trisynth import renamed
from trisynth.config import CONF
from trisynth.errors import InputError

# Groups that an installed package may extend by entry points, and where its class stands in the group's yaml.
ENTRY_POINTS = {
    "generator": {"trisynth.generators": ()},
    "preprocessing": {"trisynth.preprocessing": ()},
    "classifier": {"trisynth.classifiers": ("classification",), "trisynth.regressors": ("regression",)},
}
_FLAGS = ("--config-dir", "-cd")


def folders(arguments: Iterable[str] = ()) -> list[Path]:
    """Return the folders of yaml files, first this package's, then those that a command line names."""
    found = [CONF]
    given = list(arguments)
    for position, argument in enumerate(given):
        flag, equals, value = argument.partition("=")
        if flag in _FLAGS:
            found += [Path(value if equals else "".join(given[position + 1 : position + 2]))]
        elif flag == "hydra.searchpath":
            found += [Path(part.removeprefix("file://")) for part in re.findall(r"[^\[\],'\"\s]+", value)]
    return found


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Split a command line into overrides and folders named by ``--config-dir``.

    Raises
    ------
    InputError
        If such a folder does not exist.
    """
    overrides, named = [], []
    waiting = iter(arguments)
    for argument in waiting:
        flag, equals, value = argument.partition("=")
        if flag in _FLAGS:
            given = value if equals else next(waiting, "")
            folder = Path(given)
            if not given or not folder.is_dir():
                raise InputError("--config-dir", given, "no such folder; check the spelling")
            named.append(str(folder.absolute()))
        else:
            overrides.append(argument)
            # Hydra skips a folder of its search path that does not exist.
            for place in folders([argument])[1:]:
                if "://" not in str(place) and ":/" not in str(place) and not place.is_dir():
                    raise InputError("hydra.searchpath", str(place), "no such folder; check the spelling")
    return overrides, named


def options(group: str, arguments: Iterable[str] = ()) -> list[str]:
    """Return the names of all choices of a group, those of installed packages included."""
    places = [folder / group for folder in folders(arguments)]
    files = {str(path.relative_to(place).with_suffix("")) for place in places for path in place.rglob("*.yaml")}
    return sorted(files | set(installed(group)))


def groups() -> list[str]:
    """Return the names of the groups of the root configuration, in its order."""
    text = (CONF / "config.yaml").read_text()
    return [name for name in re.findall(r"^  - (\w+): ", text, flags=re.M) if name != "hydra"]


@cache
def installed(group: str) -> dict[str, dict[str, Any]]:
    """Return the choices that installed packages declare by entry points, as the contents of their yaml files."""
    found: dict[str, dict[str, Any]] = {}
    for name, keys in ENTRY_POINTS.get(group, {}).items():
        for point in importlib.metadata.entry_points(group=name):
            content = found.setdefault(point.name, {"name": point.name} if keys else {})
            for key in keys:
                content = content.setdefault(key, {})
            content["_target_"] = f"{point.module}.{point.attr}"
    return found


def packages(content: Any) -> Iterator[str]:
    """Yield the packages of the classes that a choice's content names."""
    if isinstance(content, dict):
        if "_target_" in content:
            yield content["_target_"].partition(".")[0]
        for value in content.values():
            yield from packages(value)


def check(argument: str, arguments: Iterable[str] = ()) -> None:
    """Refuse ``group=option`` where no yaml file has that name, and suggest the nearest that exists.

    Parameters
    ----------
    argument : str
        One override.
    arguments : iterable of str, default=()
        The whole command line, whose ``--config-dir`` and ``hydra.searchpath`` may add choices.
    """
    group, equals, value = argument.partition("=")
    group = group.lstrip("+")
    # Hydra's own groups have choices elsewhere.
    if not equals or not group or group.startswith("hydra/"):
        return
    if not any((folder / group).is_dir() for folder in folders(arguments)):
        return
    if any(mark in value for mark in "()[]{}$*"):
        return
    known = options(group, arguments)
    for option in value.split(","):
        if option not in known:
            if present := renamed.CHOICES.get(group, {}).get(option):
                raise InputError(group, option, f"is now called {present}")
            if command := renamed.COMMANDS.get(group, {}).get(option):
                raise InputError(group, option, f"is now a command of its own: {command}; see {command} --help")
            close = difflib.get_close_matches(option, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            raise InputError(group, option, f"no such choice{hint} The choices are {', '.join(known)}")

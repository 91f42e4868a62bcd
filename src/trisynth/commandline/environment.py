"""Refusal of environment variables in settings that results store."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from trisynth.errors import InputError

# Folders and servers may depend on the environment: results do not contain them.
_NOT_STORED = ("hydra", "paths", "tracking")


def check_environment(cfg: DictConfig) -> None:
    """Refuse ``${oc.env:...}`` where a result would store the value, such as a password.

    Raises
    ------
    InputError
        With the dotted name of the setting; the value of the variable is not shown.
    """
    plain = OmegaConf.to_container(cfg)
    reading = [name for name, text in _texts(plain) if "oc.env" in _references(text)]
    if not reading:
        return
    for name in reading:
        if name.partition(".")[0] not in _NOT_STORED:
            raise InputError(
                name, "${oc.env:...}", "would store an environment variable in the results; write the value itself"
            )
    # A stored setting may refer to one of these.
    for name, text in _texts({key: value for key, value in plain.items() if key not in _NOT_STORED}):
        if any(f"{{{part}" in _references(text).replace(" ", "") for part in ("paths", "tracking", "hydra")):
            raise InputError(
                name, text, "reads an environment variable through another setting; write the value itself"
            )


def _references(text: str) -> str:
    """Leave out references that are escaped: an odd number of backslashes makes them plain text, as in cells."""
    return re.sub(r"(?<!\\)(?:\\\\)*\\\$\{[^${}]*", "", text)


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield position and text of every text in a nested value."""
    if isinstance(value, Mapping | list):
        for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _texts(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, str):
        yield place, value

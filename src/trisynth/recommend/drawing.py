"""The command that draws a candidate's rows: a choice of ``conf/generator``, and the settings in which it differs."""

import inspect
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from trisynth.config import CONF, locate

# Settings of a search, which decide nothing about the rows of one fit.
_OF_SEARCH = ("recommend", "generator@recommend", "classifier", "metrics", "report", "tracking")
_LINK = re.compile(r"\$\{(\w+)\}")


def command(overrides: Sequence[str], config: Mapping[str, Any], generator: Mapping[str, Any]) -> str | None:
    """Return the command that fits a candidate on all rows and draws as many.

    Parameters
    ----------
    overrides : sequence of str
        Settings that the user gave to the search.
    config : mapping
        Resolved root configuration of the search.
    generator : mapping
        Resolved config of the candidate.

    Returns
    -------
    str or None
        None where the candidate is no shipped choice, with or without other settings.
    """
    kept = [each for each in overrides if not each.lstrip("+~").startswith(_OF_SEARCH)]
    if not any(each.startswith("generator=") for each in kept):
        found = [
            [f"generator={file.stem}", *changes]
            for file in sorted((CONF / "generator").glob("*.yaml"))
            if (changes := _changes(yaml.safe_load(file.read_text()), config, generator)) is not None
        ]
        if not found:
            return None
        kept += min(found, key=len)
    return shlex.join(["trisynth", "synthesize", *kept, "out=rows.csv"])


def _changes(choice: Mapping, config: Mapping[str, Any], generator: Mapping[str, Any]) -> list[str] | None:
    """Return the settings that make a choice the candidate; None where its class or its arguments are others."""
    if choice.keys() != generator.keys() or choice["_target_"] != generator["_target_"]:
        return None
    changes = []
    for name, value in choice.items():
        link = _LINK.fullmatch(value) if isinstance(value, str) else None
        before, place = (config[link[1]], link[1]) if link else (value, f"generator.{name}")
        changes += _differences(place, before, generator[name])
    return changes


def _differences(place: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        # An argument that a candidate leaves out has the default of its class, whatever the user's settings are.
        defaults = inspect.signature(locate(after["_target_"])).parameters if "_target_" in after else {}
        left_out = {name: defaults[name].default for name in before if name in defaults}
        for name, value in {**left_out, **after}.items():
            yield from _differences(f"{place}.{name}", before.get(name), value)
    elif before != after:
        yield f"{place}={json.dumps(after)}"

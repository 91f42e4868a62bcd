"""Origin of a report: command, seeds, versions and digests, without host, user or folder."""

import importlib.metadata
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from trisynth.config import versions
from trisynth.experiment.results import Result
from trisynth.report.names import printable

# Settings that decide where results are stored, not their values; some hold addresses of servers.
_PLACES = ("paths.", "tracking", "hydra.run", "hydra.sweep.", "hydra.launcher", "--config-dir", "--config-path")
_LONGEST = 400


def made(results: Sequence[Result], arguments: Sequence[str], seconds: float | None, now: datetime) -> dict[str, Any]:
    """Collect what repeats the results.

    Parameters
    ----------
    results : sequence of Result
    arguments : sequence of str
        The command and its arguments.
    seconds : float or None
        Duration of all steps of all jobs.
    now : datetime
        Time of the report.
    """
    first = results[0]
    return {
        "command": command(arguments),
        "seeds": sorted({result.config["seed"] for result in results}),
        "test_size": first.config.get("test_size"),
        "jobs": len(results),
        "keys": sorted(result.key for result in results)[:50],
        "digests": dict(sorted(first.digests.items())) if len(results) == 1 else {},
        "versions": {
            "trisynth": importlib.metadata.version("trisynth"),
            "python": platform.python_version(),
            **versions(),
        },
        "seconds": None if seconds is None else round(seconds, 1),
        "time": now.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def command(arguments: Sequence[str]) -> str:
    """Join a command line; a file keeps its name and loses its folder, and places of results are left out."""
    words, skip = [], False
    for word in arguments:
        if skip or word.startswith(_PLACES):
            skip = not skip and word in ("--config-dir", "--config-path")
            continue
        words.append(_without_folder(word))
    return printable(" ".join(words), _LONGEST)


def _without_folder(word: str) -> str:
    key, equals, value = word.partition("=")
    return f"{key}{equals}{_name(value)}" if equals else _name(word)


def _name(value: str) -> str:
    """Return the last part of each path in a value."""
    # A list holds several: brackets and commas separate them, but not inside quotes.
    return re.sub(r"'[^']*'|\"[^\"]*\"|[^\[\](){},]+", lambda found: _last(found[0]), value)


def _last(part: str) -> str:
    quote = part[0] if part[0] in "'\"" else ""
    name = re.split(r"[/\\]", part)[-1]
    return f"{quote}{name.strip(quote)}{quote}" if quote else name


def duration(seconds: Sequence[Mapping[str, float]]) -> float | None:
    """Sum the seconds of all steps of all jobs; None where none are known."""
    total = sum(sum(each.values()) for each in seconds)
    return total or None

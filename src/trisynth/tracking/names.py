"""Encoding of arbitrary names as names that MLflow admits, and its inverse."""

import re
from collections.abc import Iterable
from functools import lru_cache

from trisynth.config import digest

_PLAIN = re.compile(r"[A-Za-z0-9_. /-]")
_ESCAPED = re.compile(r"-x([0-9a-f]+)-")
# MLflow admits 250 characters.
_LONGEST, _KEPT = 250, 230
# Values that MLflow shows in full; the files of a result have the rest.
_LONGEST_VALUE = 500
FULL_NAME = "trisynth.name."


@lru_cache(maxsize=4096)
def mlflow_name(name: str) -> str:
    """Spell a name in the letters that MLflow admits: others, and slashes and dots that make no path, as ``-x3d-``.

    Usual names stay as they are. A name of more than 250 characters is cut and ends with its digest;
    :func:`full_names` keeps it.
    """
    if not name:
        return "-x-"
    escaped = "/".join(_part(part) for part in name.split("/"))
    # A slash beside nothing would vanish when MLflow makes a path of the name.
    while "//" in escaped:
        escaped = escaped.replace("//", "/-x2f-")
    if escaped.startswith("/"):
        escaped = "-x2f-" + escaped[1:]
    if escaped.endswith("/"):
        escaped = escaped[:-1] + "-x2f-"
    return escaped if len(escaped) <= _LONGEST else f"{escaped[:_KEPT]}-{digest(name)}"


def _part(part: str) -> str:
    """Spell what lies between two slashes."""
    if part in (".", ".."):
        return _letter(".") + part[1:]
    part = part.replace("-x", f"{_letter('-')}x")
    return "".join(c if _PLAIN.fullmatch(c) else _letter(c) for c in part)


def _letter(letter: str) -> str:
    return f"-x{ord(letter):x}-"


def plain_name(name: str) -> str:
    """Return the name that :func:`mlflow_name` spelled as ``name``, unless it was cut."""
    return "" if name == "-x-" else _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name)


def full_names(names: Iterable[str]) -> dict[str, str]:
    """Return tags with the full names of those that are cut, by their digests."""
    return {f"{FULL_NAME}{digest(name)}": shown(name, 8000) for name in names if plain_name(mlflow_name(name)) != name}


def shown(value: object, longest: int = _LONGEST_VALUE) -> str:
    """Return a value as a text that is cut where it is long."""
    text = str(value)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."

"""Facts about a user's table in a yaml file beside it: ``mine.yaml`` next to ``mine.csv``."""

import difflib
import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf, flag_override, open_dict

from trisynth.errors import InputError

# Keys of such a file; the place of the table is not among them.
KEYS = (
    "name",
    "target",
    "task",
    "columns",
    "missing",
    "duplicates",
    "rare",
    "rows",
    "time",
    "confirmed",
    "read",
    "constraints",
    "relations",
    "licence",
    "note",
)
_MAPPINGS = ("columns", "read")
# Facts that a line below them may correct.
_REMEDIES = ("kind", "format", "categories", "missing", "duplicates")
# First line of a file that was written, and most of its characters.
_ABOUT, _FIRST = re.compile(r"# Facts about (.+), inferred from its cells"), 500
_PACKED = (".gz", ".bz2", ".xz", ".zip")
# A few lines of references can unfold to more values than memory holds.
_MOST = 1_000_000
# Bytes of a file: one of ten thousand columns has about two million, which take a minute to read.
_LARGEST = 4_000_000
# A value that OmegaConf takes for none.
_ABSENT = "???"
# Lists of more scalars, such as fifty thousand categories, are kept out of the configuration's tree.
_LONG = 100
# Scalars as in YAML 1.2: in 1.1, yes and no are booleans, 12:30 is a number and 007 is seven.
_SCALARS = {
    "bool": (r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    "int": (r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    "float": (r"^[-+]?(?:(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.inf)$", "-+.0123456789"),
    "null": (r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
}


class _Loader(yaml.SafeLoader):
    """YAML 1.2 with keys that stay text, as column names must."""

    yaml_implicit_resolvers: dict = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a string", problem_mark=key.start_mark)
            if key.value in found and not self._corrected(key.value, value, found):
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} is repeated", problem_mark=key.start_mark)
            found[key.value] = self.construct_object(value, deep=True)
        return found

    def _corrected(self, key: str, value: yaml.Node, found: dict[str, Any]) -> bool:
        """Return whether a repeated key is a remedy, below the fact that it corrects; the format of another kind goes.

        Prepare writes remedies as comments below the facts, and prints that a ``#`` is to be removed.
        """
        if key not in _REMEDIES or isinstance(value, yaml.MappingNode) or isinstance(found[key], dict):
            return False
        if key == "kind" and found[key] != value.value:
            found.pop("format", None)
        return True


for _name in ("int", "float", "bool", "null"):
    _pattern, _first = _SCALARS[_name]
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(_pattern), list(_first))


def find(path: str | Path) -> Path | None:
    """Return the yaml file beside a table, None if there is none."""
    file = place(path)
    return file if file.is_file() else None


def place(path: str | Path) -> Path:
    """Return where the yaml file beside a table is, or would be: ``mine.yaml`` for ``mine.csv`` and ``mine.csv.gz``.

    Where ``mine.yaml`` was written for ``mine.csv``, that of ``mine.parquet`` is ``mine.parquet.yaml``.
    """
    path = Path(path)
    # A path such as "." has no name to change.
    return path.with_name(f"{name_of(path)}.yaml") if path.name else path


def name_of(path: str | Path) -> str:
    """Return the name of a table: that of its file, without its endings unless another table has that name."""
    path = Path(path)
    name = Path(path.stem).stem if path.suffix.lower() in _PACKED else path.stem
    return path.name if path.name and name != path.name and _of_another(path, name) else name


def _of_another(path: Path, name: str) -> bool:
    """Return whether the first line of the yaml file names another table that is there."""
    if path.with_name(f"{path.name}.yaml").is_file():
        return True
    facts = path.with_name(f"{name}.yaml")
    # Opening a pipe waits for its writer.
    if not facts.is_file():
        return False
    try:
        with facts.open(encoding="utf-8") as file:
            first = file.readline(_FIRST)
    except (OSError, UnicodeDecodeError):
        return False
    found = _ABOUT.match(first)
    return bool(found) and found[1] != path.name and path.with_name(found[1]).is_file()


def load(text: str) -> Any:
    """Return the value of a text of YAML 1.2, with keys that stay texts."""
    return yaml.load(text, _Loader)


# All jobs of a worker read the same file, and fifty thousand categories take a second.
_parsed = lru_cache(maxsize=4)(load)


def read(file: Path) -> dict[str, Any]:
    """Return the facts that a yaml file beside a table declares.

    Raises
    ------
    InputError
        If it is no YAML, or has a key that a table's facts do not have.
    """
    try:
        if file.stat().st_size > _LARGEST:
            remedy = f"has more than {_LARGEST:,} bytes; declare only the columns that differ from what is inferred"
            raise InputError("dataset", str(file), remedy)
        facts = _parsed(file.read_text(encoding="utf-8")) or {}
        count = _cells(facts, {})
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("dataset", str(file), f"cannot be read ({error})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark else ""
        raise InputError(
            "dataset", str(file), f"is not valid YAML{place}: {getattr(error, 'problem', error)}"
        ) from None
    except InputError:
        raise
    except ValueError:
        raise InputError("dataset", str(file), "contains a number of too many digits") from None
    except RecursionError:
        raise InputError("dataset", str(file), "is nested too deeply; a table's facts have three levels") from None
    if count > _MOST:
        raise InputError("dataset", str(file), f"expands to more than {_MOST:,} values; use fewer references (*)")
    if not isinstance(facts, dict):
        raise InputError("dataset", str(file), f"must hold keys such as {', '.join(KEYS)}")
    facts = dict(facts)
    # Names of columns are texts, even those that look like numbers.
    if isinstance(facts.get("target"), int | float):
        facts["target"] = str(facts["target"])
    for key, value in facts.items():
        if key not in KEYS:
            close = difflib.get_close_matches(key, KEYS, n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            raise InputError(f"{file}: key", key, f"no such key{hint} The keys are {', '.join(KEYS)}")
        if key in _MAPPINGS and not isinstance(value, dict):
            remedy = f"must hold names and their facts, as in {key}: {{age: {{kind: number}}}}"
            raise InputError(f"{file}: {key}", value, remedy if key == "columns" else "must be a mapping")
    return facts


def _cells(value: Any, known: dict[int, int]) -> int:
    """Count the values in a nested value, where references are unfolded."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_cells(each, known) for each in inner)
    return known[id(value)]


def notice(file: Path, facts: dict[str, Any]) -> str:
    """Return the line that reports what was read."""
    parts = [key for key in facts if key != "columns"]
    if facts.get("columns"):
        count = len(facts["columns"])
        parts.append(f"{count} column" + "s" * (count > 1))
    return f"read {file}: {', '.join(parts) or 'empty'}"


def announce(arguments: Sequence[str]) -> None:
    """Check and report the files beside the tables that a command line names, before a sweep starts."""
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name == "dataset.path":
            for file in filter(None, map(find, value.split(","))):
                print(notice(file, read(file)), file=sys.stderr)


def merge(cfg: DictConfig, overrides: Sequence[str] = ()) -> str:
    """Set the facts beside the table in ``cfg.dataset``, below those of the command line; name the table by its file.

    Parameters
    ----------
    cfg : DictConfig
        Composed root configuration; it is changed.
    overrides : sequence of str
        The command line, whose values take precedence.

    Returns
    -------
    str
        A line about what was read, empty if there is no such file.
    """
    dataset = cfg.get("dataset")
    if not isinstance(dataset, DictConfig) or "path" not in dataset or OmegaConf.is_missing(dataset, "path"):
        return ""
    if not isinstance(dataset.path, str):
        return ""
    line = ""
    if file := find(dataset.path):
        facts = read(file)
        line = notice(file, facts)
        names = [name.lstrip("+") for name, equals, _ in (o.partition("=") for o in overrides) if equals]
        given = {name: OmegaConf.select(cfg, name) for name in names if name.startswith("dataset.")}
        if given.get("dataset.target", facts.get("target")) != facts.get("target"):
            # The task of one target is not that of another, and a table without a target has none.
            facts.pop("task", None)
        with open_dict(cfg), flag_override(cfg, "allow_objects", True):
            cfg.dataset = OmegaConf.merge(dataset, OmegaConf.create(_literal(facts), flags={"allow_objects": True}))
            for name, value in given.items():
                OmegaConf.update(cfg, name, value, merge=False, force_add=True)
    if cfg.dataset.get("name") is None:
        with open_dict(cfg):
            cfg.dataset.name = name_of(dataset.path)
    return line


class _Whole:
    """List that is one value of a configuration: OmegaConf makes and copies an object for each item of a list."""

    def __init__(self, items: list[Any]):
        self.items = items

    def __deepcopy__(self, _: dict[int, Any]) -> "_Whole":
        """Return the list itself, which nothing changes."""
        return self


def unfolded(value: Any) -> Any:
    """Put lists that :func:`merge` took as one value into their places in the plain values of a configuration."""
    if isinstance(value, dict):
        return {key: unfolded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [unfolded(inner) for inner in value]
    return list(value.items) if isinstance(value, _Whole) else value


def _literal(value: Any) -> Any:
    """Escape what OmegaConf would take for a reference or for no value; long lists of scalars stay whole."""
    if isinstance(value, dict):
        return {key: _literal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        plain = not any(isinstance(inner, dict | list) for inner in value)
        if plain and (len(value) > _LONG or _ABSENT in value):
            return _Whole(value)
        return [_literal(inner) for inner in value]
    if not isinstance(value, str):
        return value
    # Backslashes before a reference count, and each stands for itself.
    return re.sub(r"(\\*)\$\{", lambda found: 2 * found[1] + "\\${", value)

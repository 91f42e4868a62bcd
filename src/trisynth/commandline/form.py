"""Form of a command line: options that exist, and settings written as NAME=VALUE."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from trisynth.errors import InputError

# Options of Hydra; those in the first group take the next word as their value.
_VALUED = (
    *("--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp"),
    *("--package", "-p", "--cfg", "-c", "--info", "-i"),
)
# Values that two of these options take.
_CHOICES = {
    **dict.fromkeys(("--cfg", "-c"), ("job", "hydra", "all")),
    **dict.fromkeys(("--info", "-i"), ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")),
}
_PLAIN = ("-m", "--multirun", "-r", "--run", "--resolve", "--shell-completion", "-sc")
_HELP = ("-h", "--help", "--hydra-help", "--version")
_HYDRAS = (*_VALUED, *_PLAIN, *_HELP)
# Settings whose values are texts, which need no quotes here.
_TEXTS = ("dataset.path", "dataset.target")
# Settings of one value, also where it contains a comma, which would make Hydra vary it.
_PLACES = ("paths.", "hydra.sweep.dir", "hydra.run.dir", "tracking.uri")
_TABLES = (".csv", ".tsv", ".txt", ".parquet")
TARGET = {"--target": "dataset.target"}


def named(arguments: Sequence[str], options: Mapping[str, str] = TARGET) -> list[str]:
    """Translate the name of a table and options of a new user into settings: ``mine.csv --target outcome``.

    Parameters
    ----------
    arguments : sequence of str
    options : mapping of str to str
        Options with a value, and the settings that they stand for.

    Returns
    -------
    list of str
        All other words as they are.

    Raises
    ------
    InputError
        For a second table, an option without a value, or one that is nearly one of these.
    """
    overrides: list[str] = []
    path, waiting = None, iter(arguments)
    for argument in waiting:
        option, equals, value = argument.partition("=")
        if option in options:
            value = value if equals else next(waiting, "")
            if not value or value.startswith("--"):
                raise InputError("option", option, f"needs a value, such as {option}=VALUE")
            overrides.append(f"{options[option]}={value}")
        elif option.startswith("-") and option not in _HYDRAS and (close := _close(option, options)):
            raise InputError("option", argument, close)
        elif equals or argument.startswith(("-", "~")) or {*overrides[-1:]} & {*_VALUED} or not _is_table(argument):
            overrides.append(argument)
        elif path is not None:
            raise InputError("argument", argument, f"is a second table besides {path}; name only one")
        else:
            path = argument
    if path is None:
        return overrides
    kind = "parquet" if path.endswith(".parquet") or Path(path).is_dir() else "csv"
    return [f"dataset={kind}", f"dataset.path={path}", *overrides]


def check(arguments: Sequence[str]) -> None:
    """Refuse an unknown option, an option without its value, and a word that is neither a setting nor such a value.

    Raises
    ------
    InputError
        For the first such word, and where ``-m`` stands without any setting.
    """
    if {"-m", "--multirun"} & set(arguments) and not any("=" in a and not a.startswith("-") for a in arguments):
        raise InputError("option", "-m", "has nothing to vary; add values separated by commas, such as seed=0,1")
    before = ""
    for position, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if option.startswith("-"):
            if option not in _HYDRAS:
                raise InputError("option", argument, _remedy(option, value))
            if option in _VALUED and not equals:
                _check_value(option, next(iter(arguments[position + 1 :]), ""))
        elif before in _VALUED:
            pass
        elif not option and equals:
            raise InputError("argument", argument, "must have the form NAME=VALUE")
        elif not equals and not option.startswith("~"):
            remedy = "must have the form NAME=VALUE"
            if Path(argument).suffix in _TABLES:
                kind = "parquet" if argument.endswith(".parquet") else "csv"
                remedy = f"is not a setting; add dataset={kind} dataset.path={argument} dataset.target=COLUMN"
            raise InputError("argument", argument, remedy)
        before = argument


def quoted(arguments: Sequence[str]) -> list[str]:
    """Return the command line with quotes around paths and column names that Hydra would not read as one text."""
    parser = OverridesParser.create()

    def kept(argument: str) -> bool:
        try:
            override = parser.parse_override(argument)
        except HydraException:
            return False
        if argument.startswith(_PLACES):
            return not override.is_sweep_override()
        # A column may be called 7 or yes.
        return not isinstance(override.value(), bool | int | float)

    found = []
    for argument in arguments:
        name, _, value = argument.partition("=")
        if (name in _TEXTS or name.startswith(_PLACES)) and value and not kept(argument):
            escaped = value.replace("'", "\\'")
            argument = f"{name}='{escaped}'"
        found.append(argument)
    return found


def _is_table(argument: str) -> bool:
    return Path(argument).suffix in _TABLES or Path(argument).exists()


def _check_value(option: str, value: str) -> None:
    known = _CHOICES.get(option, ())
    if not value or value.startswith("-") or (known and value not in known):
        remedy = f"must be followed by one of {', '.join(known)}" if known else "must be followed by its value"
        raise InputError(option, value, remedy)


def _remedy(option: str, value: str) -> str:
    settings = f"no such option; settings have no dashes: {option.lstrip('-')}={value or 'VALUE'}"
    return _close(option, _HYDRAS) or settings


def _close(option: str, known: Iterable[str]) -> str:
    """Point out the option that was probably meant, if any."""
    close = difflib.get_close_matches(option, known, n=1, cutoff=0.8)
    return f"no such option; did you mean {close[0]}?" if close else ""

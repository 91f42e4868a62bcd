"""One clear line for each mistake of a user, and a suggestion where a name is close to a known one."""

import difflib
import errno
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager

import yaml
from hydra.errors import HydraException
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException, UnsupportedInterpolationType

from trisynth import renamed
from trisynth.errors import InputError, printable
from trisynth.lifeline import Terminated, terminable

# The disk, a file's largest size, or a user's part of the disk is full.
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NO_MEMORY = re.compile("can't allocate memory|out of memory")
# As of a program that SIGPIPE ended.
_CLOSED_PIPE = 141
SWEEP = "several values make a sweep: add -m to trisynth run; a list is written [first,second]"
ONE_VALUE = "must be one value for this command; a list is written [first,second]"
_GRAMMAR = "cannot be read as a value; close all quotes and brackets, and quote special characters: NAME='\"VALUE\"'"
# The first line of an error of Hydra, with its parameter and value as groups, and the remedy.
_KNOWN = (
    (
        r"Error merging override [+]*(?P<name>[\w./]+)=(?P<value>.*)",
        "has the wrong type; a mapping can only be replaced by a mapping, and an entry is removed by ~name",
    ),
    (r"Multiple values for (?P<name>[^ ]+)\. To override", "is chosen already; leave out the + before it"),
    (r"In '.*': Could not find '(?P<name>.*)/(?P<value>[^/]+)'", "no such choice; check the spelling"),
    (r"Could not delete '(?P<name>[^=']+)=(?P<value>.*)'", "is not chosen, so it cannot be removed"),
    (r"Could not delete( from config\.)? '(?P<name>[^']+)'", "is not set, so it cannot be removed"),
    (r"Cannot find primary config '(?P<value>[^']+)'(?P<name>)", "no such file in conf or in --config-dir"),
    (r"(?P<name>hydra\.searchpath) must be a list of strings\. Got: (?P<value>.*)", "must be a list of folders"),
)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print a mistake as one line on stderr and exit: status 2 for a user's mistake, 1 for a lost worker process."""
    # Otherwise Hydra prints its own errors over several lines and exits before they can be caught here.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    try:
        with terminable():
            yield
            sys.stdout.flush()
    except BrokenPipeError:
        # A reader such as head or less has closed the pipe; Python would otherwise fail again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(_CLOSED_PIPE) from None
    except (InputError, HydraException, OmegaConfBaseException) as error:
        mistake = error if isinstance(error, InputError) else as_mistake(error, sys.argv[1:])
        message, status = str(mistake), 2
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{mark.name}, line {mark.line + 1}" if mark else "a yaml file"
        message, status = f"{place}: is not valid YAML: {getattr(error, 'problem', error)}", 2
    except BrokenExecutor:
        remedy = "run the same command again to continue, with fewer processes by hydra.launcher.n_jobs=1"
        message, status = f"a worker process died, perhaps for lack of memory; finished jobs are kept: {remedy}", 1
    except (MemoryError, RuntimeError) as error:
        # PyTorch has no error of its own for the memory of a processor.
        if not isinstance(error, MemoryError) and not _NO_MEMORY.search(str(error)):
            raise
        reason = (str(error).strip().splitlines() or ["MemoryError"])[0]
        remedy = "use fewer rows or a smaller setting, such as generator.hidden_layer_sizes"
        message, status = f"not enough memory ({reason[-120:]}): {remedy}", 1
    except KeyboardInterrupt as error:
        message = "interrupted; what was finished is kept: run the same command again to continue"
        status = 143 if isinstance(error, Terminated) else 130
    except OSError as error:
        # Hydra and MLflow write files of their own.
        if error.errno not in _FULL:
            raise
        where = f"{error.filename}: " if error.filename else ""
        message, status = f"{where}{error.strerror}; free space and run the same command again", 1
    else:
        return
    print("error:", printable(" ".join(message.split())), file=sys.stderr)
    raise SystemExit(status)


def as_mistake(
    error: HydraException | OmegaConfBaseException,
    arguments: Sequence[str] = (),
    known: Callable[[], Sequence[str]] = list,
    present: Callable[[str], str | None] = renamed.SETTINGS.get,
    several: str = SWEEP,
) -> InputError:
    """Turn an error of Hydra or OmegaConf, which has several lines, into a parameter, its value and a remedy.

    Parameters
    ----------
    error : HydraException or OmegaConfBaseException
    arguments : sequence of str
        The command line.
    known : callable
        Returns the names of all settings of the chosen configuration, for a suggestion.
    present : callable
        Returns the present name of a former setting, or None.
    several : str, default=SWEEP
        Remedy where a setting has several values.
    """
    first, *rest = str(error).strip().splitlines()
    for pattern, remedy in _KNOWN:
        if found := re.match(pattern, first):
            name = found["name"] or "--config-name"
            value = found.groupdict().get("value") or _value(name, arguments)
            return InputError(name, value, remedy)
    if varied := re.match(r"(?:Ambiguous value for argument|Sweep parameters) '([^=]+)=(.*)'", first):
        return InputError(varied.group(1), varied.group(2), several)
    unknown = re.match(r"Could not override '([^']+)'", first)
    key = unknown.group(1) if unknown else getattr(error, "full_key", None)
    if isinstance(error, InterpolationResolutionError | UnsupportedInterpolationType):
        name, value = _reference(key or "arguments", first, arguments)
        return InputError(name, value, f"{first}; name an existing setting in ${{...}}, or write the value out")
    if not key:
        name, equals, value = (getattr(error, "override", None) or "").partition("=")
        if equals:
            return InputError(name, value, _GRAMMAR)
        return InputError("arguments", " ".join(arguments), " ".join([first, *rest[:1]]))
    value = _value(key, arguments)
    if not unknown:
        return InputError(key, value, first)
    if new := present(key):
        return InputError(key, value, f"is now called {new}")
    close = difflib.get_close_matches(key, known(), n=1)
    hint = f"; did you mean {close[0]}?" if close else "."
    return InputError(key, value, f"no such setting{hint} To add a new one, write +{key}={value}")


def _reference(key: str, message: str, arguments: Sequence[str]) -> tuple[str, str]:
    """Return the setting of a command line by which ``key``, perhaps through others, refers to what there is not."""
    given = [(name.lstrip("+"), text) for name, _, text in (a.partition("=") for a in arguments) if "${" in text]
    words = re.findall(r"(?:'|type )([^' ]+)", message)
    named = [each for each in given if any(word in each[1] for word in words)]
    return next(iter([*named, *given]), (key, _value(key, arguments)))


def _value(key: str, arguments: Sequence[str]) -> str:
    """Return the value that a command line gives to a setting, empty if it gives none."""
    return next((v for name, _, v in (a.partition("=") for a in arguments) if name.lstrip("+~") == key), "")

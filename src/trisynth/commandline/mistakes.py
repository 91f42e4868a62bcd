"""One clear line for each mistake of a user, and a suggestion where a name is close to a known one."""

import difflib
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager

import yaml
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from trisynth import renamed
from trisynth.errors import InputError
from trisynth.lifeline import Terminated, terminable

# As of a program that SIGPIPE ended.
_CLOSED_PIPE = 141


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
        message, status = f"{place}: is no YAML: {getattr(error, 'problem', error)}", 2
    except BrokenExecutor:
        remedy = "run the same command again to continue, with fewer processes by hydra.launcher.n_jobs=1"
        message, status = f"a worker process died, perhaps for lack of memory; finished jobs are kept: {remedy}", 1
    except KeyboardInterrupt as error:
        message = "interrupted; finished jobs are kept: run the same command again to continue"
        status = 143 if isinstance(error, Terminated) else 130
    else:
        return
    print("error:", " ".join(message.split()), file=sys.stderr)
    raise SystemExit(status)


def as_mistake(
    error: HydraException | OmegaConfBaseException,
    arguments: Sequence[str] = (),
    known: Callable[[], Sequence[str]] = list,
    present: Callable[[str], str | None] = renamed.SETTINGS.get,
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
    """
    first, *rest = str(error).strip().splitlines()
    if other := re.match(r"Error merging override [+]*([\w./]+)=(.*)", first):
        remedy = "has the wrong type; a mapping can only be replaced by a mapping, and an entry is removed by ~name"
        return InputError(other.group(1), other.group(2), remedy)
    if several := re.match(r"Ambiguous value for argument '([^=]+)=(.*)'", first):
        remedy = "several values make a sweep: add -m to trisynth run; a list is written [first,second]"
        return InputError(several.group(1), several.group(2), remedy)
    unknown = re.match(r"Could not override '([^']+)'", first)
    key = unknown.group(1) if unknown else getattr(error, "full_key", None)
    if not key:
        return InputError("override", getattr(error, "override", None) or "", " ".join([first, *rest[:1]]))
    value = next((v for name, _, v in (a.partition("=") for a in arguments) if name.lstrip("+~") == key), "")
    if not unknown:
        return InputError(key, value, first)
    if new := present(key):
        return InputError(key, value, f"is now called {new}")
    close = difflib.get_close_matches(key, known(), n=1)
    hint = f"; did you mean {close[0]}?" if close else "."
    return InputError(key, value, f"no such setting{hint} To add a new one, write +{key}={value}")

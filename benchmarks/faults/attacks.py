"""Every public callable of this package and its libraries, tried at every place of a configuration.

A tracer counts calls. An attempt has to end in one line, or in an object of the place's own kind. Nothing else may be
called more often than where a foreign function is refused, and no file may be made.

Most callables have several names, as modules import from each other. Each callable is tried at every place by one of
its names; all names are tried at one place of each kind of object.
"""

import importlib
import inspect
import pkgutil
import random
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Container, Iterator
from contextlib import chdir, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.faults.places import Place, places
from benchmarks.faults.subject import Row
from trisynth.errors import InputError

PACKAGES = ("trisynth", "sklearn", "imblearn")
# Their import runs tests or starts programs, and their names are refused as texts.
SKIPPED = ("tests", "conftest", "__main__", "externals")
# Places whose kinds of object are all there are.
EVERY_NAME = ("dataset.read", "generator", "classifier.classification", "study.shows", "hydra.callbacks.x")
# What has run code, written files or deleted a folder in earlier versions.
GADGETS = (
    "sklearn.utils._testing.assert_run_python_script_without_output",
    "sklearn.datasets.clear_data_home",
    "sklearn.datasets.dump_svmlight_file",
    "sklearn.datasets.fetch_california_housing",
    "sklearn.datasets.load_files",
    "sklearn.utils.Bunch",
    "sklearn.tests.test_base.MyEstimator",
    "imblearn.datasets.fetch_datasets",
    "trisynth.cache.write_atomic",
    "trisynth.cache.Store",
    "trisynth.sweeps.worker._begun",
    "trisynth.sampling.main",
    "trisynth.config.instantiate",
    "trisynth.data.readers.labelled",
    "trisynth.__main__.main",
)


@cache
def callables() -> list[str]:
    """List the public names of all callables in the modules of the packages, and the gadgets."""
    found = set(GADGETS)
    for package in PACKAGES:
        root = importlib.import_module(package)
        modules = [root]
        for info in pkgutil.walk_packages(root.__path__, f"{package}.", onerror=lambda _: None):
            parts = info.name.split(".")
            if set(SKIPPED) & set(parts) or any(part.startswith("_") for part in parts):
                continue
            try:
                modules.append(importlib.import_module(info.name))
            except (ImportError, AttributeError):
                continue  # of optional libraries that are not installed
        for module in modules:
            named = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
            found |= {f"{module.__name__}.{name}" for name in named}
    return sorted(found)


def distinct(names: list[str]) -> list[str]:
    """Return one name of each callable, that of its definition where there is one, and every gadget."""
    first: dict[Any, str] = {}
    for name in names:
        found = _resolved(name)
        module = f"{getattr(found, '__module__', None)}."
        if found is None or id(found) not in first or name.startswith(module):
            first[name if found is None else id(found)] = name
    return sorted({*first.values(), *GADGETS})


def _codes(found: Any) -> set[Any]:
    """Return the code objects that run when an object is called."""
    if isinstance(found, type):
        makers = (vars(base).get(name) for base in found.__mro__[:1] for name in ("__init__", "__new__"))
        return {inspect.unwrap(made).__code__ for made in makers if inspect.isfunction(made)}
    # All context managers share the code of their wrapper, so that only what it wraps is counted.
    unwrapped = inspect.unwrap(found)
    return {unwrapped.__code__} if inspect.isfunction(unwrapped) else set()


@contextmanager
def traced() -> Iterator[Counter]:
    """Yield the number of calls of each code object, and of each function that is not written in Python."""
    calls: Counter = Counter()

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            calls[frame.f_code] += 1
        elif event == "c_call":
            calls[id(argument)] += 1

    sys.setprofile(watch)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def usual(place: Place) -> Counter:
    """Count the calls by which a place refuses functions that are foreign, unknown, or of another kind."""
    most: Counter = Counter()
    for target in ("os.system", "sklearn.no_such_thing", "trisynth.seeds.stream"):
        with traced() as calls, suppress(Exception):
            # Libraries copy a mapping more often, the more it holds.
            place.build({"_target_": target, **{f"argument_{number}": "planted" for number in range(20)}})
        most |= calls
    return most


def _resolved(target: str) -> Any:
    module, _, name = target.rpartition(".")
    return getattr(sys.modules.get(module), name, None)


def _arguments(found: Any, folder: Path) -> dict[str, Any]:
    """Give every required argument a path in a folder that may be lost."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return {}
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {p.name: str(folder / "planted") for p in parameters if p.default is p.empty and p.kind in named}


def attempt(place: Place, target: str, folder: Path, known: Counter) -> str:
    """Try one callable at one place: ``refused``, ``admitted``, or what went wrong; ``known`` calls do not count."""
    found = _resolved(target)
    given = {"_target_": target, **(_arguments(found, folder) if found is not None else {})}
    with traced() as calls:
        try:
            place.build(given)
            outcome = "admitted"
        except InputError:
            outcome = "refused"
        except Exception as error:
            outcome = f"{type(error).__name__}"
    right = found is not None and place.kind(found)
    if not right and any(calls[code] > known[code] for code in (*_codes(found), id(found))):
        return "called"
    if outcome == "admitted" and not right and not target.startswith("trisynth.studies."):
        return "admitted wrongly"
    return outcome


def names() -> list[str]:
    """Return the names of all places."""
    with _folder() as folder:
        return [place.name for place in places(folder)]


def attack(at: str, targets: list[str] | None = None, seed: int = 0, count: int | None = None) -> Row:
    """Try callables at the place of a name; see :func:`campaign`."""
    (row,) = campaign(targets, seed, count, (at,))
    return row


def campaign(
    targets: list[str] | None = None, seed: int = 0, count: int | None = None, only: Container[str] | None = None
) -> list[Row]:
    """Try callables at places.

    Parameters
    ----------
    targets : list of str, optional
        Dotted names; by default all.
    seed : int, default=0
        Seed of the sample.
    count : int, optional
        Size of a sample of the targets, beside all gadgets; None tries all.
    only : container of str, optional
        Names of the places; by default all.
    """
    with _folder() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = [place for place in places(folder) if only is None or place.name in only]
        return [_attack(place, folder, _targets(place.name, targets, seed, count)) for place in chosen]


@contextmanager
def _folder() -> Iterator[Path]:
    """Enter a folder that may be lost."""
    with tempfile.TemporaryDirectory() as name, chdir(name):
        (Path(name) / "planted").mkdir()
        yield Path(name)


def _targets(at: str, given: list[str] | None, seed: int, count: int | None) -> list[str]:
    found = given
    if found is None:
        found = callables() if at in EVERY_NAME else distinct(callables())
    return found if count is None else [*GADGETS, *random.Random(seed).sample(found, min(count, len(found)))]


def _attack(place: Place, folder: Path, targets: list[str]) -> Row:
    before, known = _files(folder), usual(place)
    outcomes = {target: attempt(place, target, folder, known) for target in targets}
    wrong = [f"{target} ({o})" for target, o in outcomes.items() if o not in ("refused", "admitted")]
    wrong += sorted(_files(folder) ^ before)
    ends = Counter(outcomes.values())
    good = ends["refused"] + ends["admitted"]
    return Row("attacks", place.name, len(outcomes), good, wrong, f"{ends['admitted']} are of the kind of the place")


def _files(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")}

"""Kinds of object that the places of a configuration accept, decided from the object alone, before it is called.

A kind accepts classes whose constructors only store their arguments, and functions that are marked for their place. No
object is called to find out of which kind it is.
"""

import importlib
import importlib.util
import inspect
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar

from trisynth import renamed
from trisynth.errors import InputError

T = TypeVar("T")
# Modules of tests are installed with libraries; their import runs code that is not meant for users.
INTERNAL = ("tests", "conftest")
_PART, _READER = "_is_part", "_is_reader"
_ESTIMATOR = "sklearn.base.BaseEstimator"
# Classes of scikit-learn that are arguments of its estimators without being estimators themselves.
_ARGUMENTS = (
    "sklearn.gaussian_process.kernels.Kernel",
    "sklearn.model_selection._split.BaseCrossValidator",
    "sklearn.model_selection._split.BaseShuffleSplit",
)
_PREDICTORS = {
    "classifier": "sklearn.base.ClassifierMixin",
    "regressor": "sklearn.base.RegressorMixin",
}
_OTHERS = ("sklearn.base.ClusterMixin", "sklearn.base.DensityMixin", "sklearn.base.OutlierMixin")
_PLAIN = (bool, int, float, complex, str, bytes, NoneType)


@dataclass(frozen=True)
class Kind:
    """Kind of object that a place takes.

    Parameters
    ----------
    due : str
        Its description in an error, after the words "must be".
    admits : callable
        Returns True for an object of the kind; must not call it.
    private : bool, default=False
        Whether parts of its name may begin with an underscore.
    """

    due: str
    admits: Callable[[Any], bool]
    private: bool = False


def part(base: type[T]) -> type[T]:
    """Mark a base class: a configuration may name its subclasses as arguments of other objects."""
    setattr(base, _PART, True)
    return base


def reader(function: T) -> T:
    """Mark a function that returns a raw table as a DataFrame: a data set may name it as ``read``."""
    setattr(function, _READER, True)
    return function


def subclass(*bases: type, due: str = "") -> Kind:
    """Return the kind of the subclasses of ``bases``."""
    named = due or f"a subclass of {' or '.join(base.__name__ for base in bases)}"
    return Kind(named, lambda found: isinstance(found, type) and issubclass(found, bases))


def _has_base(found: Any, *names: str) -> bool:
    """Return whether a class has a base of one of these full names; the libraries behind them are not imported."""
    bases = found.__mro__ if isinstance(found, type) else ()
    return any(f"{base.__module__}.{base.__qualname__}" in names for base in bases)


def _is_part(found: Any) -> bool:
    marked = isinstance(found, type) and getattr(found, _PART, False) is True
    return marked or _has_base(found, _ESTIMATOR, *_ARGUMENTS)


def _is_reader(found: Any) -> bool:
    return inspect.isfunction(found) and getattr(found, _READER, False) is True


def _has(found: type, *methods: str) -> bool:
    return all(callable(getattr(found, method, None)) for method in methods)


def _predicts(which: str) -> Kind:
    own = _PREDICTORS[which]
    others = (*_OTHERS, *(name for name in _PREDICTORS.values() if name != own))

    # A class that combines others, such as Pipeline, is none of both by itself.
    def admits(found: Any) -> bool:
        right = _has_base(found, own) or not _has_base(found, *others)
        return _has_base(found, _ESTIMATOR) and _has(found, "fit", "predict") and right

    return Kind(f"a {which}: a subclass of scikit-learn's BaseEstimator with fit and predict", admits)


PART = Kind("a class for use in a configuration, such as a generator, a metric or an estimator", _is_part)
READER = Kind("a function that returns a DataFrame and is marked by trisynth.places.reader", _is_reader)


def _is_plain(found: Any) -> bool:
    if not isinstance(found, type) or hasattr(found, "__del__"):
        return False
    return found.__new__ is object.__new__ or inspect.isfunction(found.__new__)


# Its state is put into an empty instance of object.__new__, so that no code of the class runs when one is made or goes.
SAVED = Kind("a class whose instances are plain attributes", _is_plain, private=True)
ANY = Kind(f"{PART.due}, or a reader", lambda found: _is_part(found) or _is_reader(found))
TRANSFORMER = Kind(
    "an encoder with fit and transform, such as TableEncoder",
    lambda found: _has_base(found, _ESTIMATOR) and _has(found, "fit", "transform"),
)
CLASSIFIER, REGRESSOR = _predicts("classifier"), _predicts("regressor")
_NOTHING = Kind("a plain value: this argument takes no object", lambda found: False)
# Arguments that take one kind in whatever class has them.
_ARGUMENT_KINDS = {"encoder": TRANSFORMER, "scaler": TRANSFORMER}


def inner(outer: Any) -> Callable[[str], Kind]:
    """Return the function that names the kind of object that an argument of ``outer`` takes, from its annotation."""
    try:
        hints = typing.get_type_hints(outer.__init__ if isinstance(outer, type) else outer)
    except (NameError, TypeError, AttributeError):
        # Annotations of other packages may name what only a type checker imports.
        hints = {}

    def kind(argument: str) -> Kind:
        if argument in _ARGUMENT_KINDS:
            return _ARGUMENT_KINDS[argument]
        hint = hints.get(argument)
        named = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, UnionType) else (hint,)
        parts = [each for each in named if _is_part(each)]
        if parts:
            return subclass(*parts)
        return _NOTHING if hint is not None and all(each in _PLAIN for each in named) else PART

    return kind


def found(target: str, parameter: str, admitted: Sequence[str], kind: Kind) -> Any:
    """Return the object of a kind that a name leads to, if it was defined in an admitted package.

    Parameters
    ----------
    target : str
        Dotted name of which no part begins with an underscore.
    parameter : str
        Name of the setting, for error messages.
    admitted : sequence of str
        Packages, each with a final dot. The text is checked first, so that modules of others are not even imported.
    kind : Kind

    Raises
    ------
    InputError
        If the name is not public, cannot be imported, or leads to something else.
    """
    remedy = f"must be a class or function of {', '.join(name.rstrip('.') for name in admitted)}"
    module, _, name = str(target).rpartition(".")
    if not f"{module}.".startswith(tuple(admitted)):
        package = module.partition(".")[0]
        hint = f"; to admit an installed package, add allow=[{package}]" if package.isidentifier() else ""
        raise InputError(parameter, target, remedy + hint)
    hidden = "__" if kind.private else "_"
    if not all(part.isidentifier() and not part.startswith(hidden) for part in target.split(".")):
        raise InputError(parameter, target, "must be a public name: none of its parts may begin with an underscore")
    if set(INTERNAL) & set(target.split(".")):
        raise InputError(parameter, target, "lies in the tests of a package; name a class that is meant for use")
    made = imported(module, name, target, parameter)
    # What counts is where the object was defined: sklearn.utils.os is an alias.
    origin = f"{getattr(made, '__module__', '')}."
    if not callable(made) or not origin.startswith(tuple(admitted)) or set(INTERNAL) & set(origin.split(".")):
        raise InputError(parameter, target, remedy)
    if not kind.admits(made):
        raise InputError(parameter, target, f"must be {kind.due}")
    return made


def spec_of(package: str) -> ModuleSpec | None:
    """Find a package without importing it, an installed one or else one of the current folder."""
    try:
        return importlib.util.find_spec(package) or PathFinder.find_spec(package, [str(Path.cwd())])
    except (ImportError, ValueError, OSError):
        return None


def reach(package: str) -> None:
    """Let Python import a package of the current folder, if no installed one has its name.

    The folder is not searched before a package in it is admitted: its files may come from a stranger, and libraries
    try to import many optional modules.
    """
    spec = spec_of(package)
    places = [*(spec.submodule_search_locations or ()), spec.origin] if spec else []
    here = Path.cwd()
    if str(here) not in sys.path and any(place and Path(place).parent == here for place in places):
        sys.path.append(str(here))


def imported(module: str, name: str, target: str, parameter: str) -> Any:
    """Return the attribute ``name`` of a module; every failure of the import is a mistake in one line."""
    if module not in sys.modules:
        reach(module.partition(".")[0])
    try:
        return getattr(importlib.import_module(module), name)
    except (ModuleNotFoundError, AttributeError) as error:
        needed = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
        if needed and not f"{module}.".startswith(f"{needed}."):
            raise InputError(parameter, target, f"cannot be imported ({error}); install the missing package") from None
        present = renamed.target(target) if module.startswith("trisynth.") else None
        remedy = f"is now called {present}" if present else "no such class or function; check the spelling"
        raise InputError(parameter, target, remedy) from None
    except (ImportError, MemoryError, OSError) as error:
        # A library that is found but cannot be loaded is not misspelt: most often memory ran out.
        reason = str(error) or type(error).__name__
        remedy = f"cannot be imported ({reason}); free memory or repair the installation, and run again"
        raise InputError(parameter, target, remedy) from None
    except (Exception, SystemExit) as error:
        # Code of a user's package runs when it is imported.
        remedy = f"its import fails with {type(error).__name__}: {error}; correct the package"
        raise InputError(parameter, target, remedy) from error


def check_arguments(name: str, arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that let a library read or write pickles: the folder ``memory`` of its pipelines.

    Raises
    ------
    InputError
        If an argument of this name, also inside a grid of parameters, holds a text.
    """
    for key, value in arguments.items():
        place = f"{name}.{key}" if name else str(key)
        if str(key).split("__")[-1] == "memory" and any(isinstance(text, str) for text in _leaves(value)):
            raise InputError(place, value, "must be null: a folder of pickled steps would run code when it is read")
        if isinstance(value, Mapping):
            check_arguments(place, value)
        elif isinstance(value, list | tuple):
            for each in value:
                if isinstance(each, Mapping):
                    check_arguments(place, each)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def check_names(name: str, made: Any, arguments: Mapping[str, Any]) -> None:
    """Check the names of arguments against a signature; a former name is reported with the present one.

    Raises
    ------
    InputError
        If the class or function has no argument of such a name.
    """
    accepted = inspect.signature(made).parameters
    for key, value in arguments.items():
        place = f"{name}.{key}" if name else str(key)
        if (new := current_name(made, key)) in accepted:
            raise InputError(place, value, f"is now called {f'{name}.{new}' if name else new}")
        if key not in accepted and not any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
            listed = f"its arguments are {', '.join(accepted)}" if accepted else "it has none"
            raise InputError(place, value, f"{made.__name__} has no such argument; {listed}")


def current_name(made: Any, key: str) -> str | None:
    """Return the present name of a former constructor argument ``key`` of the class ``made``, None if it has none.

    A class lists its former names in the attribute ``renamed``, a mapping of former to present names.
    """
    return getattr(made, "renamed", {}).get(key)

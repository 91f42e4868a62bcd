"""Configs as values: canonical text, digests that name content, and objects made from an allow-list."""

import ast
import hashlib
import importlib
import importlib.metadata
import inspect
import json
import math
import os
import re
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from trisynth.errors import InputError

# What a yaml may name: the object's own module decides, after every alias has been followed.
ALLOWED = ("trisynth.", "sklearn.", "imblearn.")
ROOT = Path(__file__).resolve().parent
CONF = ROOT.parents[1] / "conf"
LIBRARIES = ("numpy", "pandas", "scikit-learn", "imbalanced-learn", "scipy", "torch")
# Variables that choose how numpy and torch round; dvc.yaml sets them.
KERNELS = ("MKL_CBWR", "OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")


def target_name(config: Mapping[str, Any]) -> str:
    """Name of what a config describes, as its yaml file is called: ``Copula`` is ``copula``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", config["_target_"].rpartition(".")[2]).lower()


def canonical(value: Any) -> str:
    """JSON text that is equal for equal configs: sorted keys, no blanks, NaN and infinities as text."""

    def plain(item: Any) -> Any:
        if isinstance(item, Mapping):
            return {str(key): plain(inner) for key, inner in item.items()}
        if isinstance(item, list | tuple):
            return [plain(inner) for inner in item]
        if isinstance(item, float) and not math.isfinite(item):
            return str(item)
        return item

    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(*values: Any) -> str:
    """First 16 hexadecimal digits of the sha256 of the values' canonical text."""
    return hashlib.sha256(canonical(values).encode()).hexdigest()[:16]


def locate(target: str, parameter: str = "_target_") -> Any:
    """The class or function behind a dotted name, if the allow-list admits it.

    The check looks at the module that the *object* says it comes from, so that an alias such as
    ``sklearn.utils.os.system`` is refused.

    Raises
    ------
    InputError
        If the name does not exist or the object comes from elsewhere.
    """
    module, _, name = str(target).rpartition(".")
    # A first look at the text keeps foreign modules from being imported at all.
    if not f"{module}.".startswith(ALLOWED):
        raise InputError(parameter, target, f"must lie in one of {', '.join(ALLOWED)}")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        raise InputError(parameter, target, "no such class or function; check the spelling") from None
    origin = f"{getattr(found, '__module__', '')}."
    if not callable(found) or not origin.startswith(ALLOWED):
        raise InputError(parameter, target, f"must be a class or function of {', '.join(ALLOWED)}")
    return found


def instantiate(config: Any, name: str = "", **extra: Any) -> Any:
    """Object that a config describes: ``_target_`` names it, the other keys are its arguments.

    Nested mappings with a ``_target_`` are made first. ``extra`` arguments win over the config's. ``name`` is where
    the config stands in the whole, such as ``generator``: errors name parameters as the user would type them.
    """
    if isinstance(config, Mapping):
        arguments = {key: instantiate(value, _dotted(name, key)) for key, value in config.items() if key != "_target_"}
        if "_target_" not in config:
            return arguments
        found = locate(config["_target_"], _dotted(name, "_target_"))
        arguments.update(extra)
        for key in arguments:
            if new := current_name(found, key):
                raise InputError(_dotted(name, key), arguments[key], f"is now called {_dotted(name, new)}")
        accepted = inspect.signature(found).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
            for key in arguments:
                if key not in accepted:
                    remedy = f"{found.__name__} does not take it; it takes {', '.join(accepted)}"
                    raise InputError(_dotted(name, key), arguments[key], remedy)
        with parameters_of(name, arguments):
            return _admissible(found(**arguments))
    if isinstance(config, list | tuple):
        return [instantiate(value, name) for value in config]
    return config


def current_name(made: Any, key: str) -> str | None:
    """Return the present name of a former constructor argument ``key`` of the class ``made``, None if it has none.

    A class lists its former names in the attribute ``renamed``, a mapping of former to present names.
    """
    return getattr(made, "renamed", {}).get(key)


def _dotted(name: str, key: str) -> str:
    return f"{name}.{key}" if name else str(key)


@contextmanager
def parameters_of(name: str, arguments: Container[str]) -> Iterator[None]:
    """Errors about ``arguments`` of the object that stands at ``name`` say so: ``k`` becomes ``generator.k``."""
    try:
        yield
    except InputError as error:
        if error.parameter in arguments:
            raise InputError(_dotted(name, error.parameter), error.value, error.remedy) from None
        raise


def _admissible(made: Any) -> Any:
    """An object, after scikit-learn has looked at its arguments; by itself it looks only when fitting."""
    if hasattr(made, "_parameter_constraints"):
        try:
            made._validate_params()
        except ValueError as error:
            name = (re.search(r"'(\w+)' parameter", str(error)) or ["", "arguments"])[1]
            raise InputError(name, getattr(made, name, ""), str(error)) from None
    return made


@cache
def _source(module: str) -> tuple[str, list[str]]:
    """Comment-free source text of a module of this package, and the modules of this package that it imports."""
    tree = ast.parse(_file(module).read_bytes())
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    imported = sorted(name for name in names if name.startswith("trisynth.") and _file(name))
    return ast.unparse(_without_docstrings(tree)), imported


def _file(module: str) -> Path | None:
    """Source file of a module of this package; found without importing it, which can take seconds."""
    place = ROOT.joinpath(*module.split(".")[1:])
    return next((path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()), None)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def code_digest(*modules: str) -> str:
    """Digest of the modules' code, of all they import from this package, and of the libraries' versions.

    Comments and docstrings do not count: explaining code better makes no result stale.
    """
    sources: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in sources:
            text, imported = _source(module)
            sources[module] = _text_digest(text)
            waiting += imported
    return digest(sources, versions())


# Every step of a job asks for the same sources.
_text_digest = cache(digest)


@cache
def versions() -> dict[str, str]:
    """Versions of the libraries that results depend on, and of their kernels where the environment chooses them."""
    chosen = {name: os.environ[name] for name in KERNELS if name in os.environ}
    return {name: importlib.metadata.version(name) for name in LIBRARIES} | chosen


def own_module(target: str) -> str | None:
    """Module of this package that a dotted name lies in, None for other packages; imports nothing."""
    module = str(target).rpartition(".")[0]
    return module if module.startswith("trisynth.") and _file(module) else None


def targets(config: Any) -> list[str]:
    """Modules of this package that a config's ``_target_`` entries name, at any depth."""
    if isinstance(config, Mapping):
        own = own_module(config.get("_target_", ""))
        return sorted({name for value in config.values() for name in targets(value)} | ({own} if own else set()))
    if isinstance(config, list | tuple):
        return sorted({name for value in config for name in targets(value)})
    return []

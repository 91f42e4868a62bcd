"""Configurations as values: canonical text, digests of content, and objects built from an allow-list."""

import ast
import hashlib
import importlib.metadata
import inspect
import json
import math
import os
import re
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from trisynth import places
from trisynth.errors import InputError
from trisynth.places import Kind

# Packages whose objects a yaml may name. The module of the resolved object decides, so that aliases cannot bypass it.
ALLOWED = ("trisynth.", "sklearn.", "imblearn.")
ROOT = Path(__file__).resolve().parent
# A wheel holds the configuration; in a clone it lies at the top.
CONF = ROOT / "conf" if (ROOT / "conf").is_dir() else ROOT.parents[1] / "conf"
LIBRARIES = ("numpy", "pandas", "scikit-learn", "imbalanced-learn", "scipy", "torch")
# Environment variables that decide how NumPy and PyTorch round; dvc.yaml sets them.
KERNELS = (
    "MKL_CBWR",
    "OPENBLAS_CORETYPE",
    "NPY_DISABLE_CPU_FEATURES",
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
)


def target_name(config: Mapping[str, Any]) -> str:
    """Return the name of the class that a config describes, as its yaml file has it: ``Copula`` is ``copula``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", config["_target_"].rpartition(".")[2]).lower()


def canonical(value: Any) -> str:
    """Return JSON text that is equal for equal configs: sorted keys, no blanks, NaN and infinities as text."""

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
    """Return the first 16 hexadecimal digits of the SHA-256 of the values' canonical text."""
    return hashlib.sha256(canonical(values).encode()).hexdigest()[:16]


def locate(target: str, parameter: str = "_target_", allow: Iterable[str] = (), kind: Kind = places.ANY) -> Any:
    """Return the class or function behind a dotted name, if the allow-list and the expected kind admit it.

    The check uses the module in which the *object* was defined, so that an alias such as
    ``sklearn.utils.os.system`` is refused. Nothing is called.

    Parameters
    ----------
    target : str
        Dotted name.
    parameter : str, default="_target_"
        Name of the setting, for error messages.
    allow : iterable of str, default=()
        Further packages whose objects are admitted, by the names under which Python imports them.
    kind : Kind, default=ANY
        Kind of object that the setting takes.

    Raises
    ------
    InputError
        If the name does not exist, or the object was defined in another package or is of another kind.
    """
    admitted = (*ALLOWED, *_prefixes(allowed([allow] if isinstance(allow, str) else allow)))
    return places.found(target, parameter, admitted, kind)


def allowed(given: Any) -> tuple[str, ...]:
    """Return the packages of the setting ``allow``, which may be null."""
    if isinstance(given or (), str | Mapping) or not isinstance(given or (), Iterable):
        raise InputError("allow", given, "must be a list of package names, such as allow=[lightgbm]")
    return tuple(given or ())


@cache
def _prefixes(allow: tuple[str, ...]) -> tuple[str, ...]:
    """Check the names of ``allow`` and return each with a final dot."""
    for name in allow:
        if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
            raise InputError("allow", name, "must be the name by which Python imports a package: allow=[lightgbm]")
        package = name.partition(".")[0]
        if package in sys.stdlib_module_names:
            raise InputError("allow", name, "is part of Python's standard library, which cannot be allowed")
        if _origin(package) is None:
            raise InputError("allow", name, "no package of this name is installed; check the spelling")
    return tuple(f"{name}." for name in allow)


def instantiate(
    config: Any, name: str = "", *, kind: Kind = places.PART, allow: Iterable[str] = (), **extra: Any
) -> Any:
    """Build the object that a config describes: ``_target_`` names it, the other keys are its arguments.

    Parameters
    ----------
    config : object
        A mapping with ``_target_``. Nested mappings with a ``_target_`` are built first; plain values are returned.
    name : str, default=""
        Position of the config in the whole, such as ``generator``, so that errors name parameters as a user types them.
    kind : Kind, default=PART
        Kind of object that the setting takes.
    allow : iterable of str, default=()
        Further packages whose objects may be built; see :func:`locate`.
    **extra
        Arguments that take precedence over those of the config.
    """
    if isinstance(config, Mapping):
        if "_target_" not in config:
            return {key: instantiate(each, _dotted(name, key), kind=kind, allow=allow) for key, each in config.items()}
        made = bind(config, name, kind=kind, allow=allow, **extra)
        with parameters_of(name, made.keywords):
            return _admissible(made())
    if isinstance(config, list | tuple):
        return [instantiate(value, name, kind=kind, allow=allow) for value in config]
    return config


def bind(
    config: Mapping[str, Any], name: str = "", *, kind: Kind = places.PART, allow: Iterable[str] = (), **extra: Any
) -> partial:
    """Return the class or function that ``_target_`` names with its arguments, checked by name but not called.

    The parameters are those of :func:`instantiate`. Objects among the arguments are built last, each of the kind that
    the annotation of its argument names.
    """
    found = locate(config["_target_"], _dotted(name, "_target_"), allow, kind)
    if inspect.isabstract(found):
        raise InputError(_dotted(name, "_target_"), config["_target_"], "is a base class; name one of its subclasses")
    given = {key: value for key, value in config.items() if key != "_target_"}
    places.check_names(name, found, given | extra)
    places.check_arguments(name, given)
    kind_of = places.inner(found)
    arguments = {
        key: instantiate(value, _dotted(name, key), kind=kind_of(key), allow=allow)
        for key, value in given.items()
        if key not in extra
    }
    return partial(found, **arguments, **extra)


def _dotted(name: str, key: str) -> str:
    return f"{name}.{key}" if name else str(key)


@contextmanager
def parameters_of(name: str, arguments: Container[str]) -> Iterator[None]:
    """Prefix the parameter of an error about one of ``arguments`` with ``name``: ``k`` becomes ``generator.k``."""
    try:
        yield
    except InputError as error:
        if error.parameter in arguments:
            raise InputError(_dotted(name, error.parameter), error.value, error.remedy) from None
        raise


def _admissible(made: Any) -> Any:
    """Let scikit-learn check an object's arguments now; by itself it checks them only in ``fit``."""
    if hasattr(made, "_parameter_constraints"):
        try:
            made._validate_params()
        except ValueError as error:
            name = (re.search(r"'(\w+)' parameter", str(error)) or ["", "arguments"])[1]
            raise InputError(name, getattr(made, name, ""), str(error)) from None
    return made


def _origin(package: str) -> Path | None:
    """Return the folder of a package, or the file of a module, without importing it; None if it is not installed."""
    spec = places.spec_of(package)
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or [])
    return Path(folders[0]) if folders else Path(spec.origin or "") if spec.has_location else None


# It reads the files of every installed package.
_distributions = cache(importlib.metadata.packages_distributions)


@cache
def _release(package: str) -> str | None:
    """Return name and version of an installed package; None for one that is used from its source, such as this one."""
    if package == "trisynth":
        return None
    origin = _origin(package)
    # Reading the files of all distributions takes a second; no folder above a package in a clone holds one.
    if origin is None or not any(importlib.metadata.distributions(path=list(map(str, origin.parents)))):
        return None
    for name in _distributions().get(package, []):
        distribution = importlib.metadata.distribution(name)
        if origin.is_relative_to(Path(distribution.locate_file(""))):
            return f"{name} {distribution.version}"
    return None


def files_of(package: str) -> list[Path]:
    """Return the files that change with a package: its metadata if it is installed, otherwise its modules."""
    origin = _origin(package)
    if _release(package):
        found = [importlib.metadata.distribution(name) for name in _distributions()[package]]
        return [Path(d.locate_file(file)) for d in found for file in d.files or () if file.name == "METADATA"]
    return [] if origin is None else [origin] if origin.is_file() else sorted(origin.rglob("*.py"))


# Fields of syntax trees that hold statements.
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


@cache
def _source(module: str) -> tuple[str, list[str]]:
    """Return a module's source without comments and docstrings, and the modules it imports whose code counts."""
    try:
        tree = ast.parse(_file(module).read_bytes())
    except SyntaxError as error:
        raise InputError("_target_", module, f"is not valid Python ({error.msg}, line {error.lineno})") from None
    package = module if _file(module).name == "__init__.py" else module.rpartition(".")[0]
    names: set[str] = set()
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            base = ".".join(filter(None, (start, node.module)))
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    # What this package imports from others is covered by the versions of the libraries.
    own = module.startswith("trisynth.")
    imported = sorted(n for n in names if (n.startswith("trisynth.") or not own) and _counts(n))
    return ast.unparse(_without_docstrings(tree)), imported


def _file(module: str) -> Path | None:
    """Return the source file of a module without importing it, which can take seconds; None if there is none."""
    package, *rest = module.split(".")
    origin = ROOT if package == "trisynth" else _origin(package)
    if origin is None or origin.is_file():
        return None if rest else origin
    place = origin.joinpath(*rest)
    return next((path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()), None)


def _counts(module: str) -> bool:
    """Return whether results depend on a module beyond Python and the versions of the libraries."""
    package = module.partition(".")[0]
    if package in sys.stdlib_module_names or f"{package}." in ALLOWED[1:]:
        return False
    return _file(module) is not None or (package != "trisynth" and _release(package) is not None)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield a module and each part of it that has statements or is one; no expression holds imports or docstrings."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        for part in _BLOCKS:
            waiting += getattr(node, part, ())
        yield node


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in _statements(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def code_digest(*modules: str) -> str:
    """Return the digest of the modules' code, of the code that they import, and of the libraries' versions.

    Of an installed package the version counts; of this one, and of a module that lies outside the installed packages,
    the source. Comments and docstrings do not count: explaining code better makes no result stale.
    """
    sources: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        package = module.partition(".")[0]
        if release := _release(package):
            sources[package] = release
        elif module not in sources:
            text, imported = _source(module)
            sources[module] = _text_digest(text)
            waiting += imported
    return digest(sources, versions())


# The steps of a job share most of their sources.
_text_digest = cache(digest)


@cache
def versions() -> dict[str, str]:
    """Return the versions of the libraries that results depend on, and the kernels that the environment chooses."""
    chosen = {name: os.environ[name] for name in KERNELS if name in os.environ}
    return {name: importlib.metadata.version(name) for name in LIBRARIES} | chosen


def own_module(target: str) -> str | None:
    """Return the module of a dotted name if its code counts in a key; None for libraries. Imports nothing."""
    module = str(target).rpartition(".")[0]
    return module if module and _counts(module) else None


def targets(config: Any) -> list[str]:
    """Return the modules that a config's ``_target_`` entries name at any depth, where their code counts in a key."""
    if isinstance(config, Mapping):
        own = own_module(config.get("_target_", ""))
        return sorted({name for value in config.values() for name in targets(value)} | ({own} if own else set()))
    if isinstance(config, list | tuple):
        return sorted({name for value in config for name in targets(value)})
    return []

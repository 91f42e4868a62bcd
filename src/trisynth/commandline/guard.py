"""Check of the objects and actions that a configuration requests of Hydra, before Hydra builds anything.

Hydra calls whatever the ``_target_`` of a launcher, a sweeper, a sampler or a callback names, and sets up logging and
environment variables. Here each of these places takes only objects of its kind, and every other place takes none.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.plugins import Plugins
from hydra.experimental.callback import Callback
from hydra.plugins.config_source import ConfigSource
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from omegaconf import Container, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from trisynth.commandline.parsing import parsed_once
from trisynth.config import KERNELS, LIBRARIES, allowed, locate
from trisynth.errors import InputError
from trisynth.places import INTERNAL, Kind, subclass

_PLUGINS = {"hydra.launcher": Launcher, "hydra.sweeper": Sweeper}
_SAMPLER, _CALLBACK = "hydra.sweeper.sampler", r"hydra\.callbacks\.[^.]+"
# Classes of logging that write to the terminal, or to the file that Hydra names.
_HANDLERS = ("logging.StreamHandler", "logging.FileHandler", "logging.NullHandler")
_STREAMS = ("ext://sys.stdout", "ext://sys.stderr")
_FORMATTERS = ("colorlog.ColoredFormatter",)
_LOG = "${hydra.runtime.output_dir}/${hydra.job.name}.log"
# Others can make Python or a child process load code, such as PYTHONPATH.
_VARIABLES = re.compile(rf"[A-Z]+_NUM_THREADS|CUDA_VISIBLE_DEVICES|{'|'.join(KERNELS)}")
_MAKERS = re.compile(r"\$\{\s*oc\.(create|decode|dict)")
_DEEPEST = 30
_NAME = re.compile(r"\w[\w.-]*|\?\?\?")
# Packages whose yaml files Hydra may search; it imports them for that.
_SEARCHED = ("hydra", "hydra_plugins", "trisynth")
_IMPORTED = {"scikit-learn": "sklearn", "imbalanced-learn": "imblearn"}


def check_paths(paths: Mapping[str, Any]) -> None:
    """Refuse paths that name no folder, before anything is written below them."""
    for name, folder in paths.items():
        if isinstance(folder, str) and "${" in folder:
            continue
        # An empty one, such as that of an unset variable of a shell, would be the root of the file system.
        if not isinstance(folder, str) or not folder.strip():
            raise InputError(
                f"paths.{name}", folder, "must name a folder; . is the one in which the command is started"
            )
        if folder.startswith("~"):
            raise InputError(f"paths.{name}", folder, "is not expanded; write the folder of ~ in full")


def check(cfg: DictConfig) -> None:
    """Refuse a composed configuration by which Hydra would build, import or write something forbidden.

    Raises
    ------
    InputError
        With the dotted name of the setting.
    """
    node = cfg.get("hydra")
    if not isinstance(node, DictConfig):
        return
    if isinstance(paths := cfg.get("paths"), DictConfig):
        check_paths(OmegaConf.to_container(paths))
    allow = allowed(cfg.get("allow"))
    _check_texts(OmegaConf.to_container(node), "hydra")
    for place, target in _targets(node, "hydra"):
        _check_target(place, target, allow)
    if name := OmegaConf.select(node, "sweeper.custom_search_space", throw_on_missing=False):
        raise InputError(
            "hydra.sweeper.custom_search_space",
            name,
            "must be left out, as it would be called; use hydra.sweeper.params",
        )
    for name in OmegaConf.select(node, "job.env_set") or {}:
        if not _VARIABLES.fullmatch(str(name)):
            remedy = "may set only the number of threads, the devices, or how libraries round; set it in the shell"
            raise InputError(f"hydra.job.env_set.{name}", node.job.env_set[name], remedy)
    known = {_IMPORTED.get(name, name) for name in LIBRARIES} | {"trisynth", *allow}
    for name in OmegaConf.select(node, "launcher.preload") or ():
        package, *inside = str(name).split(".")
        if package not in known or any(part.startswith("_") or part in INTERNAL for part in inside):
            raise InputError("hydra.launcher.preload", name, f"must be a public module of {', '.join(sorted(known))}")
    name = (OmegaConf.to_container(node).get("job") or {}).get("name")
    if isinstance(name, str) and not _NAME.fullmatch(name):
        raise InputError("hydra.job.name", name, "names the log file; use only letters, digits, -, _ and .")
    plain = OmegaConf.to_container(node)
    if plain.get("output_subdir") is not None:
        remedy = "must be null: results hold their configuration, and Hydra would replace files of the same names"
        raise InputError("hydra.output_subdir", plain["output_subdir"], remedy)
    subdir = (plain.get("sweep") or {}).get("subdir") or ""
    if not isinstance(subdir, str) or subdir.startswith(("/", "~", "${hydra.runtime")) or ".." in subdir.split("/"):
        raise InputError("hydra.sweep.subdir", subdir, "must lie inside the folder of the sweep")
    for part in ("job_logging", "hydra_logging"):
        if node.get(part) is not None:
            _check_logging(OmegaConf.to_container(node[part]), f"hydra.{part}")


def _check_texts(value: Any, place: str) -> None:
    """Refuse resolvers that build a mapping from a text, which may be known only when a job starts."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            _check_texts(inner, f"{place}.{key}")
    elif isinstance(value, str) and _MAKERS.search(value):
        raise InputError(place, value, "must not create settings from a string; write them out")


def _targets(node: Container, place: str) -> Iterator[tuple[str, Any]]:
    """Yield position and value of every ``_target_``, also of those that a reference leads to."""
    if place.count(".") > _DEEPEST:
        raise InputError(place, "...", "refers to itself; write the value out")
    for key in node if isinstance(node, DictConfig) else range(len(node)):
        if OmegaConf.is_missing(node, key):
            continue
        try:
            value = node[key]
        except OmegaConfBaseException as error:
            if key == "_target_":
                raise InputError(
                    f"{place}._target_", "...", f"cannot be resolved ({error}); write the name out"
                ) from None
            # Hydra sets some values only when a job starts; it fails itself on those that never get one.
            continue
        if key == "_target_":
            yield place, value
        elif isinstance(value, Container):
            yield from _targets(value, f"{place}.{key}")


def _check_target(place: str, target: Any, allow: tuple[str, ...]) -> None:
    parameter = f"{place}._target_"
    if place in _PLUGINS:
        # Hydra has found its plugins, and knows them by name: nothing is imported.
        found = Plugins.instance().class_name_to_class.get(str(target))
        if found is None or not issubclass(found, _PLUGINS[place]):
            raise InputError(parameter, target, f"must be an installed {_PLUGINS[place].__name__.lower()} of Hydra")
    elif place == _SAMPLER:
        _locate(target, parameter, "optuna.samplers", Kind("a sampler of Optuna", _is_sampler), ())
    elif re.fullmatch(_CALLBACK, place):
        _locate(target, parameter, "hydra.experimental", subclass(Callback, due="a callback of Hydra"), allow)
    else:
        raise InputError(parameter, target, "must be left out: this setting of Hydra takes no object")


def _locate(target: Any, parameter: str, home: str, kind: Kind, allow: tuple[str, ...]) -> None:
    package = home.partition(".")[0]
    if str(target).startswith(f"{package}.") and not str(target).startswith(f"{home}."):
        raise InputError(parameter, target, f"must be {kind.due}")
    locate(str(target), parameter, (*allow, package), kind)


def _is_sampler(found: Any) -> bool:
    from optuna.samplers import BaseSampler

    return isinstance(found, type) and issubclass(found, BaseSampler)


def _check_logging(value: Any, place: str) -> None:
    """Refuse logging settings that name factories, classes or files: Python would call or write them."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        name = f"{place}.{key}"
        if key == "()" and inner not in _FORMATTERS:
            raise InputError(name, inner, f"must be one of {', '.join(_FORMATTERS)}")
        if key == "class" and inner not in _HANDLERS:
            raise InputError(name, inner, f"must be one of {', '.join(_HANDLERS)}")
        if key == "filename" and inner != _LOG:
            raise InputError(name, inner, f"must be {_LOG}")
        if isinstance(inner, str) and "${" in inner and key != "filename":
            raise InputError(name, inner, "must not refer to another setting")
        if isinstance(inner, str) and "://" in inner and inner not in _STREAMS:
            raise InputError(name, inner, f"must be one of {', '.join(_STREAMS)}")
        _check_logging(inner, name)


@contextmanager
def searched() -> Iterator[None]:
    """Refuse a search path of Hydra in a package that is neither Hydra's nor this one: it would be imported."""
    original = ConfigSource.__init__

    @wraps(original)
    def checked(self: ConfigSource, provider: str, path: str) -> None:
        package = path.removeprefix("pkg://").replace("/", ".").partition(".")[0]
        if path.startswith("pkg://") and package not in _SEARCHED:
            raise InputError("hydra.searchpath", path, "would import a package; name a folder: file:///path/to/folder")
        original(self, provider, path)

    ConfigSource.__init__ = checked
    try:
        yield
    finally:
        ConfigSource.__init__ = original


@contextmanager
def guarded() -> Iterator[None]:
    """Check every configuration that Hydra composes; it offers no hook between composing one and building from it."""
    original = ConfigLoaderImpl.load_configuration

    @wraps(original)
    def checked(*args: Any, **kwargs: Any) -> DictConfig:
        cfg = original(*args, **kwargs)
        check(cfg)
        return cfg

    ConfigLoaderImpl.load_configuration = checked
    try:
        with searched(), parsed_once():
            yield
    finally:
        ConfigLoaderImpl.load_configuration = original

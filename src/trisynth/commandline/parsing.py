"""Yaml files of configurations, parsed once in a process however many jobs are composed of them.

Composing a job reads some twenty files, and parsing them takes half of its time; the jobs of a sweep share most. Of the
rest, a quarter was spent on a mapping of all choices for each file, which Hydra needs only where a list of defaults
refers to a choice.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from hydra._internal import defaults_list
from hydra._internal.config_repository import ConfigRepository
from hydra.core.default_element import InputDefault
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig

# Hydra receives copies, because it changes what it has loaded.
_parsed: dict[tuple, ConfigResult | None] = {}


@contextmanager
def parsed_once() -> Iterator[None]:
    """Let Hydra parse only those files inside the block that have not been parsed, or have changed since."""
    original = ConfigRepository.load_config

    @wraps(original)
    def loaded(self: ConfigRepository, config_path: str) -> ConfigResult | None:
        source = self._find_object_source(config_path, ObjectType.CONFIG)
        # Before the file is read: one that changes meanwhile is read again.
        known = source and _stamp(source, config_path)
        if known is None:
            return original(self, config_path)
        if known not in _parsed:
            _parsed[known] = original(self, config_path)
        return copy.deepcopy(_parsed[known])

    mapped = defaults_list._create_interpolation_map

    @wraps(mapped)
    def mapped_if_read(overrides: Any, defaults: list[InputDefault], self_added: bool) -> DictConfig | None:
        if any(not default.is_self() and default.is_interpolation() for default in defaults):
            return mapped(overrides, defaults, self_added)
        return None

    ConfigRepository.load_config = loaded
    defaults_list._create_interpolation_map = mapped_if_read
    try:
        yield
    finally:
        ConfigRepository.load_config = original
        defaults_list._create_interpolation_map = mapped


def _stamp(source: ConfigSource, config_path: str) -> tuple | None:
    """Return what differs for other files, and once a file is written again; None for what is no file."""
    if source.scheme() not in ("file", "pkg"):
        return None
    named = source.scheme(), source.provider, source.path, config_path
    if source.scheme() == "pkg":
        return named
    try:
        seen = (Path(source.path) / source._normalize_file_name(config_path)).stat()
    except OSError:
        return None
    return *named, seen.st_dev, seen.st_ino, seen.st_mtime_ns, seen.st_size

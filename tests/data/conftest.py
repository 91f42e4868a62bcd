"""Configs of data sets as the package gets them: plain dictionaries."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shipped():
    """Reader of a shipped yaml, with overrides in dot notation."""

    def read(name, **overrides):
        cfg = OmegaConf.load(ROOT / "conf" / "dataset" / f"{name}.yaml")
        for key, value in overrides.items():
            OmegaConf.update(cfg, key, value, force_add=True)
        return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)

    return read


@pytest.fixture
def table():
    """Maker of a small config for :func:`trisynth.data.cleaning.clean.clean`."""

    def make(target="y", task="classification", missing=("?",), **columns):
        return {"name": "small", "target": target, "task": task, "missing": list(missing), "columns": columns}

    return make


@pytest.fixture(scope="session")
def raw_folder():
    """The repository's own folder of raw files, so that a package is downloaded once and then kept."""
    return ROOT / "data" / "raw"

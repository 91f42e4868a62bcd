"""Generators of conf/generator, built with little training."""

from functools import cache
from pathlib import Path

from omegaconf import OmegaConf

from trisynth.config import instantiate
from trisynth.generators.base import Generator

CONF = Path(__file__).parents[2] / "conf"
BRIEF = {"epochs": 2, "min_steps": 2, "sampling_steps": 4}
# Of the generators that take one.
BRIEF["network"] = {"_target_": "trisynth.generators.neural.vae.VAE", "backbone": "conv", "epochs": 2, "min_steps": 2}


@cache
def config(name: str) -> dict:
    """Return the resolved yaml of a generator."""
    files = {"generator": name, "loss": "default", "preprocessing": "standard", "privacy": "dp"}
    root = OmegaConf.create({group: OmegaConf.load(CONF / group / f"{file}.yaml") for group, file in files.items()})
    root.privacy.delta = 1e-6
    return OmegaConf.to_container(root, resolve=True)["generator"]


def make(name: str) -> Generator:
    """Build a generator that trains for two steps."""
    return instantiate({**config(name), **{key: value for key, value in BRIEF.items() if key in config(name)}})

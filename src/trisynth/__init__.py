"""Synthetic tabular data: generators, evaluation of their utility, and experiments.

>>> from trisynth import Circuit
>>> rows = Circuit().fit(df, target="y").sample(1000)  # doctest: +SKIP

The names below are imported when they are first used, so that ``import trisynth`` takes no time.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "ADASYN": "generators.smote",
    "ARF": "generators.trees.arf",
    "Autoregressive": "generators.arrays.autoregressive",
    "BlockBootstrap": "generators.arrays.block_bootstrap",
    "BorderlineSMOTE": "generators.smote",
    "AIM": "generators.private.aim",
    "CART": "generators.trees.cart",
    "CGAN": "generators.neural.cgan",
    "CTGAN": "generators.neural.ctgan",
    "Circuit": "generators.circuit",
    "ClassGaussian": "generators.arrays.class_gaussian",
    "Column": "data.dataset",
    "Composed": "generators.composed",
    "ConvDiffusion": "generators.neural.conv_diffusion",
    "Copula": "generators.copula",
    "Copy": "generators.copy",
    "DPCircuit": "generators.private.dp_circuit",
    "DPGAN": "generators.private.dp_gan",
    "DPVAE": "generators.private.dp_vae",
    "Diffusion": "generators.neural.diffusion",
    "GAN": "generators.neural.gan",
    "Generator": "generators.base",
    "Independent": "generators.independent",
    "InputError": "errors",
    "Joint": "generators.joint",
    "LabelTriples": "generators.private.label_triples",
    "Loss": "objective",
    "MST": "generators.private.mst",
    "NGram": "generators.texts.ngram",
    "PATEGAN": "generators.private.pate_gan",
    "RCGAN": "generators.neural.series.rcgan",
    "RakedPairs": "generators.private.raked_pairs",
    "SMOTE": "generators.smote",
    "SMOTENC": "generators.smote",
    "SequentialForest": "generators.trees.sequential_forest",
    "StyleGAN": "generators.neural.stylegan.stylegan",
    "TGAN": "generators.neural.tgan",
    "TVAE": "generators.neural.tvae",
    "TextGRU": "generators.texts.text_gru",
    "TimeVAE": "generators.neural.series.timevae",
    "VAE": "generators.neural.vae",
    "evaluate": "frames",
    "load_runs": "frames",
    "read_folder": "data.stream",
    "synthesize": "frames",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

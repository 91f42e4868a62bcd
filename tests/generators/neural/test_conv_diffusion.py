"""Diffusion by convolutions: what its network can express, and that it learns arrays that depend on the class."""

import numpy as np
import pandas as pd
import pytest
import torch

from trisynth.data import tensors
from trisynth.data.dataset import Column
from trisynth.generators.neural import conv_diffusion
from trisynth.generators.neural.conv_diffusion import ConvDiffusion
from trisynth.generators.neural.networks.backbones import Part
from trisynth.generators.neural.networks.edm import Denoiser, noise_levels
from trisynth.generators.neural.networks.multistep import multistep
from trisynth.generators.neural.networks.unet import FourierTerm, UNet
from trisynth.objective import Loss

SERIES = Part(1, 21, (10, 2), ("time", "channel"))
IMAGE = Part(21, 56, (5, 7), ("height", "width"))
CONDITIONS = 3


def network() -> UNet:
    return UNet([SERIES, IMAGE], 57, CONDITIONS, [16], (4, 8), torch.Generator().manual_seed(0))


@pytest.mark.parametrize("steps", [1, 2, 9, 10])
def test_every_series_is_a_sum_of_the_trend_and_the_waves(steps):
    term = FourierTerm(Part(0, 2 * steps, (steps, 2), ("time", "channel")))
    assert torch.linalg.matrix_rank(term.basis) == steps
    coefficients = torch.zeros(1, term.width).unflatten(1, (-1, 2))
    coefficients[0, :, 1] = 1.0
    drawn = term(coefficients.flatten(1)).unflatten(1, (steps, 2))
    assert torch.allclose(drawn[0, :, 1], term.basis.sum(dim=0)) and not drawn[0, :, 0].any()


def test_columns_stay_in_their_places_and_sizes_may_be_odd():
    unet = network()
    inputs = torch.randn(6, 57 + CONDITIONS, generator=torch.Generator().manual_seed(1))
    drawn = unet(inputs)
    assert drawn.shape == (6, 57)
    # The path at full size sees its own array alone: with the other layers at zero nothing else moves.
    with torch.no_grad():
        for layer in (unet.joined[-1], *(each.writer.layers[-1] for each in unet.arrays)):
            for parameter in layer.parameters():
                parameter.zero_()
    moved = inputs.clone()
    moved[:, SERIES.start] += 1
    changed = (unet(moved) != unet(inputs)).any(dim=0).nonzero()[:, 0]
    assert set(changed.tolist()) <= set(range(SERIES.start, SERIES.start + 6)) and SERIES.start in changed


def test_solver_maps_noise_to_the_gaussian_and_is_of_second_order():
    variances = torch.tensor([0.3, 0.01])
    noise = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    # The flow of independent numbers is known: it rescales the noise.
    exact = noise * 80 * (variances / (variances + 80**2)).sqrt()

    def error(n: int) -> float:
        drawn = multistep(lambda x, sigma: x * variances / (variances + sigma**2), noise, noise_levels(n).tolist())
        return (drawn - exact).abs().max().item()

    assert error(50) < 0.02
    assert error(25) > 3 * error(50) > 9 * error(100)
    # A single level returns the estimate itself.
    assert multistep(lambda x, sigma: 0 * x + 7, noise, [80.0, 0.0]).eq(7).all()


def test_the_first_estimate_is_that_of_gaussian_rows_and_every_weight_learns():
    # The embedding of the noise takes 16 conditions, the class one.
    inner = UNet([SERIES, IMAGE], 57, Denoiser.inputs(57, 1) - 57, [16], (4, 8), torch.Generator().manual_seed(0))
    D = Denoiser(inner, 1, last=inner.last)
    x, sigma, y = torch.randn(4, 57), torch.full((4, 1), 0.5), torch.zeros(4, dtype=torch.long)
    assert torch.allclose(D(x, sigma, y), x / 2)
    with torch.no_grad():
        for layer in inner.last:
            for parameter in layer.parameters():
                parameter.add_(0.1)
    D(x, sigma, y).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in inner.parameters())


def bars(n: int = 200) -> tuple[pd.DataFrame, pd.Series]:
    """Images whose left half is bright in one class, and the right half in the other, and a number that agrees."""
    rng = np.random.default_rng(0)
    right = np.arange(n) % 2
    images = rng.normal(0, 0.2, (n, 4, 6))
    images[right == 0, :, :3] += 2
    images[right == 1, :, 3:] += 2
    X = pd.DataFrame({"image": tensors.column(images), "side": right + rng.normal(0, 0.1, n)})
    return X, pd.Series(np.array(["left", "right"])[right], name="half")


def test_images_and_numbers_follow_the_class_and_pieces_change_no_row(monkeypatch):
    X, y = bars()
    made = ConvDiffusion(epochs=2, min_steps=200, batch_size=64, loss=Loss(1.0, 0.0, 0.0), normal_scores=False)
    made.fit(X, y, facts={"image": Column(shape=(4, 6))}, seed=0)
    drawn = made.sample(200, seed=1)
    images = tensors.values(drawn["image"]).reshape(-1, 4, 6)
    brighter = images[:, :, 3:].mean(axis=(1, 2)) > images[:, :, :3].mean(axis=(1, 2))
    right = drawn["half"].eq("right").to_numpy()
    assert (brighter == right).mean() > 0.95
    assert abs(drawn["side"][right].mean() - 1) < 0.15 and abs(drawn["side"][~right].mean()) < 0.15
    monkeypatch.setattr(conv_diffusion, "_PIECE", 64)
    again = made.sample(200, seed=1)
    assert np.allclose(tensors.values(again["image"]), tensors.values(drawn["image"]), atol=1e-4)


@pytest.mark.parametrize(("kinds", "passes"), [(["image"], 3), (["image", "series"], 6), (["number"], 6)])
def test_rows_with_series_and_tables_take_twice_as_many_passes(kinds, passes, monkeypatch):
    rng, found = np.random.default_rng(0), []
    cells = {"image": rng.normal(size=(20, 4, 4)), "series": rng.normal(size=(20, 5)), "number": rng.normal(size=20)}
    X = pd.DataFrame({kind: cells[kind] if kind == "number" else tensors.column(cells[kind]) for kind in kinds})
    facts = {"image": Column(shape=(4, 4))} if "image" in kinds else None

    def solver(denoise, noise, levels):
        found.append(levels)
        return multistep(denoise, noise, levels)

    monkeypatch.setattr(conv_diffusion, "multistep", solver)
    made = ConvDiffusion(epochs=1, min_steps=1, sampling_steps=3, loss=Loss(1.0, 0.0, 0.0))
    assert len(made.fit(X, facts=facts, seed=0).sample(4, seed=1)) == 4
    assert len(found[0]) == passes + 1 and found[0][0] == 80 and found[0][-1] == 0

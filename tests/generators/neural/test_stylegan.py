import numpy as np
import pandas as pd
import pytest
import torch

from trisynth.data import tensors
from trisynth.data.dataset import Column
from trisynth.errors import InputError
from trisynth.generators.neural.optimizer import NetworkOptimizer
from trisynth.generators.neural.stylegan import networks
from trisynth.generators.neural.stylegan.stylegan import StyleGAN, slerp
from trisynth.objective import Loss

NATIVE = Loss(1.0, 0.0, 0.0, pairing="none")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(parts: networks.Parts | None = None, size=(8, 8), colours: int = 1) -> networks.StyleGenerator:
    generator = seeded()
    mapping = networks.Mapping(6, 2, (8, 8), 0.01, generator)
    return networks.StyleGenerator(mapping, size, colours, 4, parts or networks.Parts(), generator)


def images(n: int = 60) -> tuple[pd.DataFrame, pd.Series]:
    """Dark and bright images with a bar at a random place."""
    rng = np.random.default_rng(0)
    label = np.arange(n) % 2
    cells = 10 * label[:, None, None] + rng.random((n, 6, 5))
    cells[np.arange(n), rng.integers(0, 6, n)] += 3
    return pd.DataFrame({"image": tensors.column(cells)}), pd.Series(np.array(["dark", "bright"])[label], name="y")


FACTS = {"image": Column(shape=(6, 5))}


@pytest.fixture(scope="module")
def fitted() -> StyleGAN:
    model = StyleGAN((8, 8), 2, 120, 16, learning_rate=0.01, latent_dim=6, channels=4, loss=NATIVE, ema_decay=0.9)
    return model.fit(*images(), facts=FACTS, rare=0)


def test_drawn_images_have_the_brightness_of_their_class(fitted):
    drawn = fitted.sample({"dark": 50, "bright": 50}, seed=1)
    means = pd.Series(tensors.values(drawn["image"]).mean(axis=1)).groupby(drawn["y"].to_numpy()).mean()
    assert means["bright"] - means["dark"] > 5


def test_truncation_draws_images_nearer_to_the_mean_style(fitted):
    def spread(truncation: float) -> float:
        fitted.truncation = truncation
        cells = tensors.values(fitted.sample({"dark": 200}, seed=2)["image"])
        return float(cells.var(axis=0).mean())

    found = [spread(truncation) for truncation in (0.0, 0.5, 1.0)]
    assert found[0] < found[1] < found[2]
    fitted.truncation = 1.0


def test_many_images_are_those_of_single_draws_and_path_lengths_are_recorded(fitted):
    assert {"path_length_z", "path_length_w"} <= fitted.diagnostics().keys()
    assert all(value > 0 for value in fitted.path_lengths_.values())
    assert np.isfinite(fitted.history_["r1"]).all() and max(fitted.history_["r1"]) > 0


def test_the_mapping_network_learns_a_hundredth_as_fast():
    layers = [networks.ScaledLinear(5, 5, seeded(), rate) for rate in (1.0, 0.01)]
    rows = torch.randn(20, 5, generator=seeded(1))
    moved = []
    for layer in layers:
        before = layer(rows).detach()
        optimizer = NetworkOptimizer(layer, 10, 1e-3)
        optimizer.step(layer(rows).square().sum())
        moved.append(float((layer(rows).detach() - before).norm()))
    assert torch.allclose(layers[0].weight, layers[1].weight * 0.01, atol=5e-3)
    assert moved[1] == pytest.approx(moved[0] / 100, rel=0.05)


def test_styles_set_mean_and_deviation_of_each_channel():
    layer = networks.StyledLayer(3, 4, 5, networks.Parts(), seeded())
    inputs, w = torch.randn(2, 3, 8, 8, generator=seeded(1)), torch.randn(2, 5, generator=seeded(2))
    made = layer(inputs, w, torch.zeros(2, 1, 8, 8))
    scale, shift = layer.style(w).chunk(2, dim=1)
    assert torch.allclose(made.mean(dim=(2, 3)), shift, atol=1e-5)
    assert torch.allclose(made.std(dim=(2, 3), correction=0), (1 + scale).abs(), atol=1e-3)


def test_noise_changes_pixels_only_where_its_strength_is_not_zero():
    model, w = network(), [torch.zeros(2, 8)]
    noises = torch.randn(2, 2, model.noise_width, generator=seeded(1))
    assert torch.equal(model(w, noises[0]), model(w, noises[1]))
    with torch.no_grad():
        model.layers[-1].strength.fill_(1.0)
    assert not torch.equal(model(w, noises[0]), model(w, noises[1]))
    assert not any("strength" in name for name in network(networks.Parts(noise=False)).state_dict())


def test_a_second_style_changes_the_finer_layers_alone():
    model, noise = network(), torch.zeros(1, network().noise_width)
    one, other = torch.randn(2, 1, 8, generator=seeded(1))
    seen = []
    model.layers[1].register_forward_hook(lambda _, __, output: seen.append(output))
    made = [model([one, one, each, each], noise) for each in (one, other)]
    assert torch.equal(*seen) and not torch.equal(*made)


@pytest.mark.parametrize("size", [(8, 8), (7, 5), (28, 28), (3, 1), (9, 2)])
def test_images_of_any_size_pass_both_networks(size):
    model = network(size=size, colours=3)
    made = model([torch.zeros(2, 8)], torch.zeros(2, model.noise_width))
    assert made.shape == (2, 3, *size) and max(model.sizes[0]) <= 4
    judge = networks.StyleDiscriminator(size, 3, 4, 2, True, seeded())
    assert judge(made, torch.tensor([0, 1])).shape == (2, 1)


def test_parts_that_an_ablation_leaves_out_are_gone():
    plain = network(networks.Parts(bilinear=False, styles=False, constant=False, noise=False))
    names = plain.state_dict().keys()
    assert not any("style" in name or "constant" in name or "strength" in name for name in names)
    noise, zeros = torch.zeros(2, plain.noise_width), torch.zeros(2, 8)
    zeros[1] = 1
    first, second = plain([zeros], noise)
    assert not torch.equal(first, second)
    enlarged = plain._larger(torch.arange(4.0).reshape(1, 1, 2, 2), (4, 4))[0, 0]
    assert torch.equal(enlarged[:2, :2], torch.zeros(2, 2)) and torch.equal(enlarged[2:, 2:], torch.full((2, 2), 3.0))


def test_the_penalty_of_a_linear_score_is_the_squared_norm_of_its_weights():
    weights = torch.randn(1, 2, 3, 3, generator=seeded())
    batch = torch.randn(5, 2, 3, 3, generator=seeded(1)).requires_grad_()
    found = networks.gradient_penalty((batch * weights).sum(dim=(1, 2, 3)), batch)
    assert float(found) == pytest.approx(float(weights.square().sum()), rel=1e-5)


def test_arcs_keep_unit_length_and_meet_both_ends():
    ends = torch.nn.functional.normalize(torch.randn(2, 4, 3, generator=seeded()), dim=2)
    for at, expected in ((0.0, ends[0]), (1.0, ends[1])):
        assert torch.allclose(slerp(*ends, torch.full((4, 1), at)), expected, atol=1e-5)
    assert torch.allclose(slerp(*ends, torch.full((4, 1), 0.3)).norm(dim=1), torch.ones(4), atol=1e-5)


def test_what_is_not_one_image_of_classes_is_refused_in_one_line():
    X, y = images()
    with pytest.raises(InputError, match=r"StyleGAN takes one column of images"):
        StyleGAN().fit(X.assign(other=X["image"]), y, facts=FACTS | {"other": FACTS["image"]})
    with pytest.raises(InputError, match=r"^X='image': holds images of one pixel, which have no styles"):
        StyleGAN().fit(
            pd.DataFrame({"image": tensors.column(np.zeros((6, 1, 1)))}), facts={"image": Column(shape=(1, 1))}
        )
    with pytest.raises(InputError, match=r"StyleGAN takes a target of classes"):
        StyleGAN().fit(X, pd.Series(np.random.default_rng(0).random(len(X)), name="y"), facts=FACTS)

"""Style-based generator (Karras et al. 2019) for images, trained with L_total."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from trisynth import seeds
from trisynth.data.kinds import Kind
from trisynth.data.kinds import Tensor as TensorKind
from trisynth.encoders.standardized import StandardizedEncoder
from trisynth.errors import InputError, require_number
from trisynth.generators.neural import device
from trisynth.generators.neural.checks import check_flags, check_fractions, check_rates, check_sizes
from trisynth.generators.neural.gan_base import discriminator_loss, generator_loss
from trisynth.generators.neural.networks.backbones import Part
from trisynth.generators.neural.state import TrainingState
from trisynth.generators.neural.stylegan import networks
from trisynth.generators.neural.stylegan.networks import Parts, StyleDiscriminator, StyleGenerator
from trisynth.generators.neural.training import NeuralGenerator

BETAS = (0.0, 0.99)
# Rows and step of the path lengths; rows that estimate the mean of w; images drawn at once.
_PATHS, _STEP, _CENTRES, _DRAWN = 512, 1e-2, 1024, 256


def slerp(first: Tensor, second: Tensor, at: Tensor) -> Tensor:
    """Return the points at fractions ``at``, shape (n, 1), of the arcs between unit vectors of shape (n, d)."""
    angle = (first * second).sum(dim=1, keepdim=True).clamp(-1, 1).acos()
    return (((1 - at) * angle).sin() * first + (at * angle).sin() * second) / angle.sin()


@dataclass(eq=False, repr=False)
class StyleGAN(NeuralGenerator):
    """A mapping network makes a style w of z and the label, which sets mean and deviation of each layer's channels.

    The synthesis network starts from a learned constant and adds noise to each pixel of each layer. The label enters
    the mapping network, and chooses one of the discriminator's scores. L_rec is the cheapest pairing of a batch within
    classes, as for ``CGAN``; the adversarial loss, non-saturating with a gradient penalty of real images (R1), has
    weight one.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(32, 32, 32, 32)
        Widths of the mapping network's layers, the last of which is that of w.
    latent_dim : int, default=32
        Dimensions of z.
    mapping_rate : float, default=0.01
        Learning rate of the mapping network, as a multiple of that of the others.
    channels : int, default=16
        Channels of the finest layers of both networks; coarser ones have up to four times as many.
    r1 : float, default=1.0
        Weight of the gradient penalty, half of which multiplies the squared norm; 0 leaves it out.
    r1_interval : int, default=4
        Steps from one penalty to the next; each penalty is multiplied by this number.
    mixing : float, default=0.9
        Fraction of training images whose finer layers have the style of a second z.
    truncation : float, default=1.0
        Factor on the distance of drawn styles from the mean of their class; less than 1 draws images that are more
        typical and less varied.
    ema_decay : float, default=0.995
        Decay of the moving average of the generator's weights; 0 keeps the last weights.
    bilinear : bool, default=True
        Whether images are resized by bilinear filters, and not by repeated pixels.
    styles : bool, default=True
        Whether there are a mapping network and styles; else z is the input of the first layer.
    constant_input : bool, default=True
        Whether the first layer receives a learned constant, and not w.
    noise : bool, default=True
        Whether each layer adds noise to each pixel.

    Attributes
    ----------
    discriminator_ : dict of str to ndarray
        Weights of the discriminator.
    path_lengths_ : dict of str to float
        ``path_length_z`` and, with styles, ``path_length_w``: mean squared difference of a pixel, in standard
        deviations of all pixels, along a path between two draws of z or w of one class, per squared step (Karras et
        al. 2019, section 4.1, in pixels and not in features of a network).
    history_ : dict of str to list of float
        In addition to the terms, ``native`` and ``discriminator``, the losses of both networks, and ``r1``.

    Notes
    -----
    Source: Karras, Laine and Aila (2019), https://arxiv.org/abs/1812.04948. Faithful in mapping network, its learning
    rate, scaled weights, learned constant, adaptive instance normalisation, noise, style mixing, truncation, loss and
    average of weights; the label as in the authors' code. Scaled down to 32 dimensions and 16 channels, without
    progressive growing, whose first size is the last one here; the penalty has the weight 1, not 10, and is that of
    every fourth step.
    """

    kinds: ClassVar[tuple[type[Kind], ...]] = (TensorKind,)
    renamed: ClassVar[Mapping[str, str]] = {}

    hidden_layer_sizes: Sequence[int] = (32, 32, 32, 32)
    min_steps: int = 2000
    batch_size: int = 64
    learning_rate: float = 2e-3
    latent_dim: int = 32
    mapping_rate: float = 0.01
    channels: int = 16
    r1: float = 1.0
    r1_interval: int = 4
    mixing: float = 0.9
    truncation: float = 1.0
    ema_decay: float = 0.995
    bilinear: bool = True
    styles: bool = True
    constant_input: bool = True
    noise: bool = True

    def _new_encoder(self) -> StandardizedEncoder:
        return StandardizedEncoder(normal_scores=False)

    @property
    def _image(self) -> Part:
        """The image of an encoded row; a row is one image and nothing else."""
        if self.numeric_target_:
            raise InputError("target", self.target_.name, "StyleGAN takes a target of classes; use generator=vae")
        for column in self.schema_.columns:
            if column.is_series:
                remedy = "is a series, but StyleGAN models images; declare axes: [height, width], or use generator=vae"
                raise InputError("X", column.name, remedy)
            if column.shape[:2] == (1, 1):
                remedy = "holds images of one pixel, which have no styles; use generator=vae"
                raise InputError("X", column.name, remedy)
        names = [column.name for column in self.schema_.columns]
        if len(names) > 1:
            raise InputError("X", names, "StyleGAN takes one column of images; use generator=vae")
        return self._parts()[0]

    def _network(self, generator: torch.Generator) -> StyleGenerator:
        image, hidden = self._image, self.hidden_layer_sizes if self.styles else ()
        mapping = networks.Mapping(self.latent_dim, len(self.labels_), hidden, self.mapping_rate, generator)
        parts = Parts(self.bilinear, self.styles, self.constant_input and self.styles, self.noise)
        return StyleGenerator(mapping, image.inner, image.channels, self.channels, parts, generator)

    def _training(self, state: TrainingState) -> Callable[[], dict[str, float]]:
        image, classes = self._image, len(self.labels_)
        made = StyleDiscriminator(image.inner, image.channels, self.channels, classes, self.bilinear, state.generator)
        generator = state.add("weights", self._network(state.generator), betas=BETAS, ema_decay=self.ema_decay)
        discriminator = state.add("discriminator", made, betas=BETAS)
        G, D, batches = generator.network, discriminator.network, state.batches(self.batch_size)
        penalty = torch.zeros(())

        def step() -> dict[str, float]:
            nonlocal penalty
            batch = next(batches)
            x, y = state.rows[batch], state.labels[batch]
            generated = G(self._mixed(G, y, state), state.normal(len(y), G.noise_width))
            real = image.first(x)
            penalised = self.r1 > 0 and discriminator.taken % self.r1_interval == 0
            if penalised:
                real = real.requires_grad_()
            scores = D(real, y)
            d_loss = total = discriminator_loss(scores, D(generated.detach(), y))
            if penalised:
                penalty = networks.gradient_penalty(scores, real)
                total = d_loss + self.r1 / 2 * self.r1_interval * penalty
            discriminator.step(total)
            g_loss = generator_loss(D(generated, y))
            generator.step(state.objective.adversarial(g_loss, x, y, generated.movedim(1, -1).flatten(1)))
            found = {"discriminator": float(d_loss.detach()), "r1": float(penalty.detach())}
            return {**state.objective.terms, **found}

        return step

    def _mixed(self, network: StyleGenerator, labels: Tensor, state: TrainingState) -> list[Tensor]:
        """Return the style of each layer; a fraction of the images changes to a second z at a random layer."""
        n, layers = len(labels), len(network.layers)
        w = network.mapping(state.normal(n, self.latent_dim), labels)
        if not (self.styles and self.mixing):
            return [w]
        other = network.mapping(state.normal(n, self.latent_dim), labels)
        uniform = state.uniform(n, 2)
        first = 1 + (uniform[:, 1:] * (layers - 1)).floor()
        first = torch.where(uniform[:, :1] < self.mixing, first, layers)
        return [torch.where(first > layer, w, other) for layer in range(layers)]

    def _fit(self, table: pd.DataFrame, labels: np.ndarray, rng: np.random.Generator) -> None:
        super()._fit(table, labels, rng)
        place = device.checked_device(self.device)
        network = device.from_arrays(self._network(torch.Generator()), self.weights_).to(place).eval()
        with torch.inference_mode(), device.one_thread():
            self.path_lengths_ = self._path_lengths(network, seeds.torch_generator(rng), place)

    def _path_lengths(
        self, network: StyleGenerator, generator: torch.Generator, place: torch.device
    ) -> dict[str, float]:
        """Return mean path lengths in z and w over random pairs of one class."""

        def normal(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator).to(place)

        frequencies = torch.from_numpy(self.counts_ / self.counts_.sum())
        labels = torch.multinomial(frequencies, _PATHS, replacement=True, generator=generator).to(place)
        ends, noise = normal(2, _PATHS, self.latent_dim), normal(_PATHS, network.noise_width)
        at = torch.rand(_PATHS, 1, generator=generator).to(place)
        ends = ends / ends.norm(dim=2, keepdim=True)

        def length(first: Tensor, second: Tensor) -> float:
            images = [network([w], noise) for w in (first, second)]
            return float((images[1] - images[0]).square().mean()) / _STEP**2

        found = {"path_length_z": length(*(network.mapping(slerp(*ends, t), labels) for t in (at, at + _STEP)))}
        if self.styles:
            first, second = (network.mapping(z, labels) for z in ends)
            found["path_length_w"] = length(*(torch.lerp(first, second, t) for t in (at, at + _STEP)))
        return found

    def diagnostics(self) -> dict[str, float]:
        """Return the path lengths beside the sizes of the encoding."""
        return {**super().diagnostics(), **self.path_lengths_}

    def _draw(self, network: StyleGenerator, labels: Tensor, rng: np.random.Generator) -> Tensor:
        noise = self._normal(labels, self.latent_dim + network.noise_width, rng)
        w = network.mapping(noise[:, : self.latent_dim], labels)
        if self.truncation < 1 and self.styles:
            centres = self._centres(network, labels.device)
            w = torch.lerp(centres[labels], w, self.truncation)
        # Features of all layers at once would take much more memory than the images.
        parts = zip(w.split(_DRAWN), noise[:, self.latent_dim :].split(_DRAWN), strict=True)
        return torch.cat([network([w], noise) for w, noise in parts]).movedim(1, -1).flatten(1)

    def _centres(self, network: StyleGenerator, place: torch.device) -> Tensor:
        """Return the mean of w of each class over fixed draws of z, shape (classes, width)."""
        z = torch.randn((_CENTRES, self.latent_dim), generator=torch.Generator().manual_seed(0)).to(place)
        labels = range(len(self.labels_))
        return torch.stack(
            [network.mapping(z, torch.full((_CENTRES,), label, device=place)).mean(dim=0) for label in labels]
        )

    def check(self) -> None:
        """Refuse arguments that cannot be used."""
        super().check()
        check_sizes(**{name: getattr(self, name) for name in ("latent_dim", "channels", "r1_interval")})
        check_rates(mapping_rate=self.mapping_rate)
        check_fractions(ema_decay=self.ema_decay)
        require_number("r1", self.r1, 0)
        for name in ("mixing", "truncation"):
            require_number(name, getattr(self, name), 0, 1)
        check_flags(**{name: getattr(self, name) for name in ("bilinear", "styles", "constant_input", "noise")})

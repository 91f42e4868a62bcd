"""Networks of StyleGAN (Karras et al. 2019) for images of a few pixels; every random number is handed in."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

# Sizes are halved until none is larger than this, the size of the learned constant.
_SMALLEST = 4
# Most channels, in multiples of those of the finest layers.
_MOST = 4
_KERNEL = 3


@dataclass(frozen=True)
class Parts:
    """Defining parts of the generator, which an ablation leaves out one after another.

    Parameters
    ----------
    bilinear : bool
        Whether images are resized by bilinear filters, and not by repeated pixels.
    styles : bool
        Whether z passes through the mapping network and enters each layer as a style (adaptive instance
        normalisation); else z is the input of the first layer, and pixels are normalised over channels.
    constant : bool
        Whether the first layer receives a learned constant, and not w.
    noise : bool
        Whether each layer adds noise to each pixel.
    """

    bilinear: bool = True
    styles: bool = True
    constant: bool = True
    noise: bool = True


class ScaledLinear(nn.Module):
    """Affine layer whose weights are scaled when they are used, so that all learn equally fast.

    ``rate`` multiplies the learning rate of this layer.
    """

    def __init__(self, inner: int, outer: int, generator: torch.Generator, rate: float = 1.0, bias: float = 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outer, inner, generator=generator) / rate)
        self.bias = nn.Parameter(torch.full((outer,), bias / rate))
        self.factor, self.rate = rate / math.sqrt(inner), rate

    def forward(self, rows: Tensor) -> Tensor:
        """Map shape (n, inner) to (n, outer)."""
        return functional.linear(rows, self.weight * self.factor, self.bias * self.rate)


class ScaledConv(nn.Module):
    """Convolution whose weights are scaled when they are used; the image keeps its size."""

    def __init__(self, inner: int, outer: int, kernel: int, generator: torch.Generator):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outer, inner, kernel, kernel, generator=generator))
        self.bias = nn.Parameter(torch.zeros(outer))
        self.factor, self.padding = 1 / math.sqrt(inner * kernel**2), kernel // 2

    def forward(self, images: Tensor) -> Tensor:
        """Map shape (n, inner, height, width) to (n, outer, height, width)."""
        return functional.conv2d(images, self.weight * self.factor, self.bias, padding=self.padding)


def active(features: Tensor) -> Tensor:
    """Return a leaky rectifier of features, with a gain that keeps their mean square."""
    return functional.leaky_relu(features, 0.2) * math.sqrt(2)


def normalised(features: Tensor) -> Tensor:
    """Divide features by their root mean square over axis 1."""
    return features * (features.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


def blurred(images: Tensor) -> Tensor:
    """Filter images by (1, 2, 1) / 4 along both axes."""
    images = functional.pad(images, (1, 1, 1, 1), mode="replicate")
    images = (images[..., :-2] + 2 * images[..., 1:-1] + images[..., 2:]) / 4
    return (images[..., :-2, :] + 2 * images[..., 1:-1, :] + images[..., 2:, :]) / 4


def pyramid(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the sizes of images from the learned constant up to ``size``."""
    sizes = [tuple(size)]
    while max(sizes[0]) > _SMALLEST:
        sizes.insert(0, tuple((each + 1) // 2 for each in sizes[0]))
    return sizes


def channels_of(finest: int, levels: int) -> list[int]:
    """Return the channels of each level of the pyramid, coarsest first: twice those of the next, up to a limit."""
    return [min(finest * 2 ** (levels - 1 - level), finest * _MOST) for level in range(levels)]


class Mapping(nn.Module):
    """Network from z and the label to w; without layers, w is z and the embedded label."""

    def __init__(self, latent_dim: int, classes: int, hidden: Sequence[int], rate: float, generator: torch.Generator):
        super().__init__()
        self.classes = classes
        self.embedding = ScaledLinear(classes, latent_dim, generator)
        widths = [2 * latent_dim, *hidden]
        self.layers = nn.ModuleList(
            ScaledLinear(inner, outer, generator, rate) for inner, outer in itertools.pairwise(widths)
        )
        self.width = widths[-1]

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return w, shape (n, width), from z, shape (n, latent_dim)."""
        label = self.embedding(functional.one_hot(labels, self.classes).to(z))
        w = torch.cat([normalised(z), normalised(label)], dim=1)
        for layer in self.layers:
            w = active(layer(w))
        return w


class StyledLayer(nn.Module):
    """Convolution, noise, rectifier and style of one layer; the first has no convolution."""

    def __init__(self, inner: int, outer: int, width: int, parts: Parts, generator: torch.Generator):
        super().__init__()
        self.conv = ScaledConv(inner, outer, _KERNEL, generator) if inner else None
        self.strength = nn.Parameter(torch.zeros(1, outer, 1, 1)) if parts.noise else None
        self.style = ScaledLinear(width, 2 * outer, generator) if parts.styles else None

    def forward(self, images: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """Return features of shape (n, outer, height, width); ``noise`` has one channel."""
        if self.conv is not None:
            images = self.conv(images)
        if self.strength is not None:
            images = images + self.strength * noise
        images = active(images)
        if self.style is None:
            return normalised(images)
        scale, shift = self.style(w)[:, :, None, None].chunk(2, dim=1)
        return functional.instance_norm(images) * (1 + scale) + shift


class StyleGenerator(nn.Module):
    """Mapping network and synthesis network: two styled layers at each size of the pyramid, then one affine layer.

    Parameters
    ----------
    mapping : Mapping
    size : tuple of int
        Height and width of the images.
    colours : int
        Channels of the images.
    channels : int
        Channels of the finest layers.
    parts : Parts
    generator : torch.Generator
    """

    def __init__(
        self,
        mapping: Mapping,
        size: tuple[int, int],
        colours: int,
        channels: int,
        parts: Parts,
        generator: torch.Generator,
    ):
        super().__init__()
        self.mapping, self.sizes, self.parts, width = mapping, pyramid(size), parts, mapping.width
        features = channels_of(channels, len(self.sizes))
        self.first = (features[0], *self.sizes[0])
        if parts.constant:
            self.constant = nn.Parameter(torch.randn(1, *self.first, generator=generator))
        else:
            self.entry = ScaledLinear(width, math.prod(self.first), generator)
        inners = [0, *(each for each in features for _ in range(2))]
        outers = [each for each in features for _ in range(2)]
        self.layers = nn.ModuleList(
            StyledLayer(inner, outer, width, parts, generator) for inner, outer in zip(inners, outers, strict=False)
        )
        self.output = ScaledConv(features[-1], colours, 1, generator)

    @property
    def noise_sizes(self) -> list[tuple[int, int]]:
        """Sizes of the noise of each layer."""
        return [size for size in self.sizes for _ in range(2)]

    @property
    def noise_width(self) -> int:
        """Number of pixels of the noise of all layers."""
        return sum(map(math.prod, self.noise_sizes))

    def forward(self, w: Sequence[Tensor], noise: Tensor) -> Tensor:
        """Return images.

        Parameters
        ----------
        w : sequence of Tensor, shape (n, width)
            One for each layer, or one for all.
        noise : Tensor, shape (n, width of the noise)
            Standard normal: the pixels of all layers' noise.

        Returns
        -------
        Tensor, shape (n, colours, height, width)
        """
        w = list(w) * (len(self.layers) if len(w) == 1 else 1)
        if self.parts.constant:
            images = self.constant.expand(len(w[0]), -1, -1, -1)
        else:
            images = self.entry(w[0]).unflatten(1, self.first)
        each = noise.split([math.prod(size) for size in self.noise_sizes], dim=1)
        for place, (layer, size) in enumerate(zip(self.layers, self.noise_sizes, strict=True)):
            if place and place % 2 == 0:
                images = self._larger(images, size)
            images = layer(images, w[place], each[place].reshape(-1, 1, *size))
        return self.output(images)

    def _larger(self, images: Tensor, size: tuple[int, int]) -> Tensor:
        if self.parts.bilinear:
            images = functional.interpolate(images, scale_factor=2, mode="bilinear", align_corners=False)
        else:
            images = functional.interpolate(images, scale_factor=2, mode="nearest")
        return images[..., : size[0], : size[1]]


class StyleDiscriminator(nn.Module):
    """Convolutions down the pyramid, the deviation over the batch as a further channel, and one score per class.

    Parameters are those of ``StyleGenerator``; the score of the label alone is returned.
    """

    def __init__(
        self,
        size: tuple[int, int],
        colours: int,
        channels: int,
        classes: int,
        bilinear: bool,
        generator: torch.Generator,
    ):
        super().__init__()
        sizes = pyramid(size)[::-1]
        features = channels_of(channels, len(sizes))[::-1]
        self.bilinear, self.input = bilinear, ScaledConv(colours, features[0], 1, generator)
        self.layers = nn.ModuleList()
        for inner, outer in itertools.pairwise(features):
            self.layers.append(ScaledConv(inner, inner, _KERNEL, generator))
            self.layers.append(ScaledConv(inner, outer, _KERNEL, generator))
        self.last = ScaledConv(features[-1] + 1, features[-1], _KERNEL, generator)
        self.hidden = ScaledLinear(features[-1] * math.prod(sizes[-1]), features[-1], generator)
        self.scores = ScaledLinear(features[-1], classes, generator)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the logits of being real, shape (n, 1), of images of shape (n, colours, height, width)."""
        x = active(self.input(images))
        for first, second in zip(self.layers[::2], self.layers[1::2], strict=True):
            x = active(first(x))
            x = functional.avg_pool2d(blurred(x) if self.bilinear else x, 2, ceil_mode=True)
            x = active(second(x))
        spread = (x.var(dim=0, correction=0) + 1e-8).sqrt().mean()
        x = torch.cat([x, spread.expand(len(x), 1, *x.shape[2:])], dim=1)
        x = active(self.hidden(active(self.last(x)).flatten(1)))
        return self.scores(x).gather(1, labels[:, None])


def gradient_penalty(scores: Tensor, images: Tensor) -> Tensor:
    """Return R1: the mean squared norm of the gradient of scores in real images, a scalar (Mescheder et al. 2018)."""
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gradient.square().flatten(1).sum(dim=1).mean()

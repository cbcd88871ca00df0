"""Output sides of forecasts: distributions (normal, Student t, negative binomial), quantiles, and points.

Raw numbers of a network, (..., size), become a statement about a value. Values are scaled ones; ``scale`` is what they
are to be multiplied by, and ``anchor`` what a location is added to.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from unrolled.errors import UsageError, did_you_mean

LEAST = 1e-4
"""No deviation or mean is less."""


def normal_log_density(values: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """log N(values; mean, deviation²)."""
    return -0.5 * ((values - mean) / deviation) ** 2 - deviation.log() - 0.5 * math.log(2 * math.pi)


def student_t_log_density(values: Tensor, location: Tensor, scale: Tensor, freedom: Tensor) -> Tensor:
    """log of Student's t density with ``freedom`` degrees of freedom, moved and stretched."""
    away = (values - location) / scale
    norm = torch.lgamma((freedom + 1) / 2) - torch.lgamma(freedom / 2) - 0.5 * torch.log(freedom * math.pi)
    return norm - scale.log() - (freedom + 1) / 2 * torch.log1p(away**2 / freedom)


def negative_binomial_log_density(values: Tensor, mean: Tensor, dispersion: Tensor) -> Tensor:
    """log probability of counts with variance mean + dispersion * mean² (Salinas et al. 2020, section 3.1)."""
    size, product = 1 / dispersion, mean * dispersion
    choose = torch.lgamma(values + size) - torch.lgamma(values + 1) - torch.lgamma(size)
    return choose - size * torch.log1p(product) + values * (product.log() - torch.log1p(product))


def pinball(values: Tensor, quantiles: Tensor, levels: Tensor) -> Tensor:
    """The loss whose least is a quantile (Koenker & Bassett 1978): values (...), quantiles (..., levels)."""
    away = values.unsqueeze(-1) - quantiles
    return torch.maximum(levels * away, (levels - 1) * away)


class Output(ABC):
    """What a network says of a value."""

    size: int
    """Raw numbers it is made of."""
    draws: ClassVar[bool] = False
    """Whether values can be drawn from it."""
    counts: ClassVar[bool] = False
    """Whether it is of whole numbers from 0 on."""

    @abstractmethod
    def loss(self, raw: Tensor, values: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:
        """How badly raw numbers (..., size) foretell values (...)."""

    @abstractmethod
    def centre(self, raw: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:
        """The one value that is said, (...), scaled: the median, or else the mean."""


class Distribution(Output):
    """A distribution: its loss is -log of the density, in nats."""

    draws = True

    @abstractmethod
    def draw(self, raw: Tensor, anchor: Tensor, scale: Tensor, chance: np.random.Generator) -> np.ndarray:
        """One value for each of (...), float64."""


class Statistics(Output):
    """Named numbers, not a distribution."""

    names: tuple[str, ...]

    @abstractmethod
    def values(self, raw: Tensor, anchor: Tensor) -> Tensor:
        """The statistics (..., names)."""

    def centre(self, raw: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:  # noqa: ARG002
        """See :class:`Output`; of quantiles without a median the middle one."""
        place = self.names.index("median") if "median" in self.names else len(self.names) // 2
        return self.values(raw, anchor)[..., place]


class Normal(Distribution):
    """Mean and deviation."""

    size = 2

    def _read(self, raw: Tensor, anchor: Tensor) -> tuple[Tensor, Tensor]:
        return raw[..., 0] + anchor, softplus(raw[..., 1]) + LEAST

    def loss(self, raw: Tensor, values: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:  # noqa: ARG002
        """See :class:`Output`."""
        return -normal_log_density(values, *self._read(raw, anchor))

    def draw(self, raw: Tensor, anchor: Tensor, scale: Tensor, chance: np.random.Generator) -> np.ndarray:  # noqa: ARG002
        """See :class:`Distribution`."""
        mean, deviation = (one.double().numpy() for one in self._read(raw, anchor))
        return mean + deviation * chance.standard_normal(mean.shape)

    def centre(self, raw: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:  # noqa: ARG002
        """See :class:`Output`."""
        return self._read(raw, anchor)[0]


class StudentT(Distribution):
    """Location, scale and more than two degrees of freedom, so that there is a variance."""

    size = 3

    def _read(self, raw: Tensor, anchor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return raw[..., 0] + anchor, softplus(raw[..., 1]) + LEAST, 2 + softplus(raw[..., 2])

    def loss(self, raw: Tensor, values: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:  # noqa: ARG002
        """See :class:`Output`."""
        return -student_t_log_density(values, *self._read(raw, anchor))

    def draw(self, raw: Tensor, anchor: Tensor, scale: Tensor, chance: np.random.Generator) -> np.ndarray:  # noqa: ARG002
        """See :class:`Distribution`."""
        location, width, freedom = (one.double().numpy() for one in self._read(raw, anchor))
        return location + width * chance.standard_t(freedom)

    def centre(self, raw: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:  # noqa: ARG002
        """See :class:`Output`."""
        return self._read(raw, anchor)[0]


class NegativeBinomial(Distribution):
    """Counts: mean, and how much more than a Poisson's they vary; both grow with the scale (Salinas et al. 2020)."""

    size, counts = 2, True

    def _read(self, raw: Tensor, anchor: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        start = torch.log(torch.expm1(anchor.clamp(LEAST, 50.0)))  # softplus of it is the anchor
        mean = scale * (softplus(raw[..., 0] + torch.where(anchor > 50.0, anchor, start)) + LEAST)
        return mean, (softplus(raw[..., 1]) + LEAST) / scale.sqrt()

    def loss(self, raw: Tensor, values: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:
        """See :class:`Output`; values times scale are the counts."""
        return -negative_binomial_log_density(values * scale, *self._read(raw, anchor, scale))

    def draw(self, raw: Tensor, anchor: Tensor, scale: Tensor, chance: np.random.Generator) -> np.ndarray:
        """See :class:`Distribution`."""
        mean, dispersion = (one.double().numpy() for one in self._read(raw, anchor, scale))
        rates = chance.standard_gamma(1 / dispersion) * dispersion * mean
        return chance.poisson(np.minimum(rates, 1e15)) / scale.double().numpy()

    def centre(self, raw: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:
        """See :class:`Output`: the mean."""
        return self._read(raw, anchor, scale)[0] / scale


class Quantiles(Statistics):
    """Quantiles of some levels, in order (rearranged where they cross: Chernozhukov et al. 2010)."""

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels, self.size = tuple(levels), len(levels)
        self.names = tuple("median" if level == 0.5 else f"q{level:g}" for level in levels)

    def loss(self, raw: Tensor, values: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:  # noqa: ARG002
        """See :class:`Output`: twice the mean pinball loss, of the median the absolute error."""
        levels = torch.tensor(self.levels, dtype=raw.dtype, device=raw.device)
        return 2 * pinball(values, raw + anchor.unsqueeze(-1), levels).mean(-1)

    def values(self, raw: Tensor, anchor: Tensor) -> Tensor:
        """See :class:`Statistics`."""
        return (raw + anchor.unsqueeze(-1)).sort(-1).values


class Point(Statistics):
    """One number: the mean (squared error) or the median (absolute error)."""

    size = 1

    def __init__(self, squared: bool) -> None:
        self.squared, self.names = squared, ("mean",) if squared else ("median",)

    def loss(self, raw: Tensor, values: Tensor, anchor: Tensor, scale: Tensor) -> Tensor:  # noqa: ARG002
        """See :class:`Output`."""
        away = raw[..., 0] + anchor - values
        return away**2 if self.squared else away.abs()

    def values(self, raw: Tensor, anchor: Tensor) -> Tensor:
        """See :class:`Statistics`."""
        return raw + anchor.unsqueeze(-1)


OUTPUTS = ("normal", "student_t", "negative_binomial", "quantiles", "squared", "absolute")


def find_output(name: str, levels: Sequence[float]) -> Output:
    """The output side of a name. Raises UsageError where there is none."""
    if name not in OUTPUTS:
        raise UsageError(f"there is no output '{name}'; choose from {', '.join(OUTPUTS)}.{did_you_mean(name, OUTPUTS)}")
    if name == "quantiles":
        return Quantiles(levels)
    if name in ("squared", "absolute"):
        return Point(name == "squared")
    return {"normal": Normal, "student_t": StudentT, "negative_binomial": NegativeBinomial}[name]()

"""Input side for pictures: a small convolutional network makes of each a sequence of places, and one vector."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from unrolled.errors import UsageError
from unrolled.state import State
from unrolled.wirings.apart import apart

POOLED = "pooled"


class Seen(NamedTuple):
    """What is made of pictures."""

    values: Tensor
    """A vector a place, (N, S, E), row by row of the grid from its upper left corner on."""
    state: State
    """One vector a picture, (N, E), named ``pooled``: the mean over its places."""


class PictureInput(nn.Module):
    """Pictures as bytes, (N, C, H, W), to numbers: each channel less its mean, over its deviation, as in training.

    In training, each picture is changed by chance, so that few pictures serve for more.

    Args:
        channels: C.
        shift: How far a picture is moved at most, each way, as a share of its size; its edge goes on beyond it.
        zoom: By what share it becomes larger or smaller at most.
        mirror: Whether left and right change places in half of the cases.
        colour: By what share a channel becomes lighter or darker at most.
    """

    def __init__(
        self, channels: int = 3, shift: float = 0.0, zoom: float = 0.0, mirror: bool = False, colour: float = 0.0
    ) -> None:
        super().__init__()
        self.shift, self.zoom, self.mirror, self.colour = shift, zoom, mirror, colour
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("deviation", torch.ones(channels, 1, 1))

    def learn(self, pictures: Tensor) -> None:
        """Take mean and deviation from pictures (N, C, H, W)."""
        levels = torch.arange(256, dtype=torch.float64)
        for channel, values in enumerate(pictures.unbind(1)):
            counts = values.flatten().bincount(minlength=256).double()
            mean = (counts @ levels) / counts.sum()
            variance = (counts @ (levels - mean) ** 2) / counts.sum()
            self.mean[channel] = mean
            self.deviation[channel] = variance.sqrt() if variance > 0 else 1.0

    def forward(self, pictures: Tensor) -> Tensor:
        values = pictures.to(self.mean.dtype)  # (N, C, H, W)
        if self.training:
            values = self._moved(self._coloured(values))
        return (values - self.mean) / self.deviation

    def _coloured(self, values: Tensor) -> Tensor:
        if not self.colour:
            return values
        factors = 1 + self.colour * (2 * torch.rand(*values.shape[:2], 1, 1, device=values.device) - 1)
        return (values * factors).clamp(0, 255)

    def _moved(self, values: Tensor) -> Tensor:
        if not (self.shift or self.zoom or self.mirror):
            return values
        count, device = len(values), values.device
        change = torch.zeros(count, 2, 3, dtype=values.dtype, device=device)  # where each place is taken from
        scale = 1 + self.zoom * (2 * torch.rand(count, device=device) - 1)
        turn = torch.where(torch.rand(count, device=device) < 0.5 * self.mirror, -1.0, 1.0)
        change[:, 0, 0], change[:, 1, 1] = scale * turn, scale
        change[:, :, 2] = 2 * self.shift * (2 * torch.rand(count, 2, device=device) - 1)  # the picture is 2 wide here
        grid = nn.functional.affine_grid(change, list(values.shape), align_corners=False)
        return nn.functional.grid_sample(values, grid, padding_mode="border", align_corners=False)


class PictureEncoder(nn.Module):
    """Pictures (N, C, H, W) to a sequence of places and a pooled vector, see :class:`Seen`.

    Convolutions of 5 by 5 (the first, which also halves the picture) and 3 by 3, each with batch normalisation (Ioffe
    & Szegedy 2015, arXiv:1502.03167) and a rectifier; the picture is halved by maxima behind each but the last two,
    and the channels double: of 48 by 48 come 6 by 6 places. Outside training each picture is computed alone, so that
    no bit depends on the pictures beside it.

    Args:
        channels: C.
        size: H and W.
        width: Channels behind the first convolution.
        dropout: The share of channels dropped at all places of a picture, in training.

    Raises:
        UsageError: the picture is too small.
    """

    SMALLEST = 16

    def __init__(self, channels: int, size: int, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        if size < self.SMALLEST:
            raise UsageError(f"a picture has at least {self.SMALLEST} by {self.SMALLEST} points here, and is {size}.")
        self.convolutions = nn.Sequential(
            *_block(channels, width, 5, 2),
            nn.MaxPool2d(2),
            *_block(width, 2 * width, 3),
            nn.MaxPool2d(2),
            *_block(2 * width, 4 * width, 3),
            *_block(4 * width, 4 * width, 3),
        )
        self.dropout = nn.Dropout1d(dropout)
        self.output_size = 4 * width
        self.grid = (size + 1) // 2 // 2 // 2
        """Places in a row of the grid, and rows."""

    @property
    def ends(self) -> dict[str, int]:
        """The sizes of what the state holds."""
        return {POOLED: self.output_size}

    def forward(self, pictures: Tensor) -> Seen:
        if self.training:
            features = self.convolutions(pictures)  # (N, E, rows, columns)
        else:
            features = torch.cat(apart(lambda row: self.convolutions(row[0]), pictures.unsqueeze(1), None))
        places = self.dropout(features.flatten(2))  # (N, E, S)
        values = places.transpose(1, 2).contiguous()  # (N, S, E)
        pooled = values.mean(1) if self.training else torch.cat(apart(lambda row: row.mean(1), values, None))
        return Seen(values, State({POOLED: pooled}))


class Unseeing(nn.Module):
    """In the place of a :class:`PictureEncoder`: whatever the picture, one place and one vector of zeros."""

    def __init__(self, output_size: int) -> None:
        super().__init__()
        self.output_size = output_size
        self.nothing: Tensor  # a buffer, so that it takes the network's device and dtype; no model file holds it
        self.register_buffer("nothing", torch.zeros(1, 1, output_size), persistent=False)

    @property
    def ends(self) -> dict[str, int]:
        """The sizes of what the state holds."""
        return {POOLED: self.output_size}

    def forward(self, pictures: Tensor) -> Seen:
        values = self.nothing.expand(len(pictures), -1, -1)  # (N, 1, E)
        return Seen(values, State({POOLED: values[:, 0]}))


def _block(channels: int, width: int, window: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, width, window, stride, padding=window // 2, bias=False)
    return [convolution, nn.BatchNorm2d(width), nn.ReLU()]

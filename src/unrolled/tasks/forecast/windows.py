"""Windows to learn from: pieces of series, the values ahead of their last steps, and what is known of those."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import padded
from unrolled.tasks.forecast.config import ForecastConfig
from unrolled.tasks.forecast.encode import Encoder, History
from unrolled.tasks.forecast.network import ForecastNetwork
from unrolled.tasks.forecast.series import Series
from unrolled.training.course import Lesson, device_of


class Batch(NamedTuple):
    """Windows side by side. N windows, T steps, Q of them learned from, K steps ahead."""

    inputs: Tensor
    which: Tensor
    lengths: Tensor
    places: Tensor
    """(N, Q), the steps that are learned from."""
    ahead: Tensor
    targets: Tensor
    """(N, Q, K), scaled; NaN where there is none."""
    anchors: Tensor
    scale: Tensor


class Windows:
    """Every window of some series: the one that ends before each value, as long as it may be.

    Args:
        series: What to read.
        encoder: How it is read.
        config: Sizes: windows of context and horizon, their second part is learned from.
        steps: K.
        last: Only windows that end in so many last values of each series (validation).
    """

    def __init__(
        self, series: Sequence[Series], encoder: Encoder, config: ForecastConfig, steps: int, last: Sequence[int] = ()
    ) -> None:
        assert config.context is not None
        assert config.horizon is not None
        self.encoder, self.config, self.steps = encoder, config, steps
        self.histories = [encoder.history(one) for one in series]
        self.inputs = [torch.from_numpy(encoder.inputs(one, 1, len(one.values))).float() for one in self.histories]
        ahead = [np.arange(len(one.values) + steps) for one in self.histories]
        self.known = [_known(encoder, one, places) for one, places in zip(self.histories, ahead, strict=True)]
        self.places = {name: place + 1 for place, name in enumerate(encoder.names)}
        self.length = config.context + config.horizon
        self.learned = config.horizon if config.direct else max(config.horizon, self.length // 2)
        self.ends: list[tuple[int, int]] = []
        for place, one in enumerate(self.histories):
            total = len(one.values)
            if last:
                self.ends += [(place, end) for end in range(total, total - last[place], -self.learned) if end > 1]
            else:
                self.ends += [(place, end) for end in range(2, total + 1)]

    @property
    def lengths(self) -> list[int]:
        """The steps of every window."""
        return [min(self.length, end - 1) for _, end in self.ends]

    def batch(self, chosen: Sequence[int]) -> Batch:
        """Windows by their places. A window that ends at ``end`` reads what stands before values 1 to ``end`` - 1."""
        windows = [self.ends[one] for one in chosen]
        lengths = [min(self.length, end - 1) for _, end in windows]
        count = min(self.learned, max(lengths))
        parts = [self._ahead(place, np.arange(end - count, end)) for place, end in windows]
        inputs, sizes = padded(
            [self.inputs[place][end - 1 - size : end - 1] for (place, end), size in zip(windows, lengths, strict=True)]
        )
        which = torch.tensor([self.places.get(str(self.histories[place].series.name), 0) for place, _ in windows])
        places = (sizes[:, None] - count + torch.arange(count)).clamp(min=0)
        ahead, targets, anchors, scale = (torch.from_numpy(np.stack(one)).float() for one in zip(*parts, strict=True))
        return Batch(inputs, which, sizes, places, ahead, targets, anchors, scale)

    def whole(self, place: int) -> Batch:
        """A whole series of two values or more as one window, every step of it learned from."""
        count = len(self.histories[place].values) - 1
        which = torch.tensor([self.places.get(str(self.histories[place].series.name), 0)])
        parts = (torch.from_numpy(one).float().unsqueeze(0) for one in self._ahead(place, np.arange(1, count + 1)))
        places = torch.arange(count).unsqueeze(0)
        return Batch(self.inputs[place].unsqueeze(0), which, torch.tensor([count]), places, *parts)

    def _ahead(self, place: int, ends: np.ndarray) -> tuple[np.ndarray, ...]:
        """Of the steps that foretell values ``ends`` (Q,) and on: what is known, targets, anchors, scale."""
        history, encoder, steps = self.histories[place], self.encoder, self.steps
        there = ends >= 1
        begins = np.maximum(ends, 1)
        level, spread = history.level[begins - 1], history.spread[begins - 1]
        centre, scale = encoder.scaling.of(level, spread)
        tails = history.tails[begins]
        places = begins[:, None] + np.arange(steps)  # (Q, K)
        values = np.concatenate([history.series.values, np.full(steps, np.nan)])[places]
        targets = np.where(there[:, None], (values - centre[:, None]) / scale[:, None], np.nan)
        seasonal = encoder.ahead(tails, centre, scale, steps)
        ahead = np.concatenate([self.known[place][places], seasonal], -1)
        anchors = encoder.anchors(self.config.anchor, tails, centre, scale, steps)
        return ahead, targets, anchors, np.repeat(scale[:, None], steps, 1)

    def lesson(self, ready: object, network: ForecastNetwork, chosen: Sequence[int]) -> Lesson:
        """The mean loss of some windows; ``ready`` is the network as the device and precision want it."""
        batch = Batch(*(one.to(device_of(network)) for one in self.batch(chosen)))
        kind = next(network.parameters()).dtype
        raw = ready(batch.inputs.to(kind), batch.which, batch.lengths, batch.places, batch.ahead.to(kind))  # pyright: ignore[reportCallIssue]
        there = ~batch.targets.isnan()
        targets = torch.where(there, batch.targets, batch.anchors)
        losses = network.output.loss(raw, targets, batch.anchors, batch.scale)  # (N, Q, K)
        count = int(there.sum())
        return Lesson(torch.where(there, losses, 0).sum() / max(count, 1), count)


def _known(encoder: Encoder, history: History, places: np.ndarray) -> np.ndarray:
    """What is known of each place, zeros behind the last that is."""
    if not encoder.future:
        return encoder.known(history.series, places)
    have = len(history.series.future)
    known = encoder.known(history.series, places[:have])
    return np.concatenate([known, np.zeros((max(0, len(places) - len(known)), known.shape[1]))])


@torch.no_grad()
def mean_loss(network: ForecastNetwork, windows: Windows, batch: int) -> float:
    """The mean loss over all windows."""
    total, count = 0.0, 0
    for start in range(0, len(windows.ends), batch):
        loss, size = windows.lesson(network, network, range(start, min(start + batch, len(windows.ends))))
        total, count = total + float(loss) * size, count + size
    return total / max(count, 1)

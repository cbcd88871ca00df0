"""What is looked at of a forecast model: its recurrence over a series, and how surprising each next value is."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.inspection.examine import Subject
from unrolled.tasks.choose import with_steps
from unrolled.tasks.forecast.config import ForecastConfig
from unrolled.tasks.forecast.encode import Encoder
from unrolled.tasks.forecast.network import ForecastNetwork
from unrolled.tasks.forecast.series import Series
from unrolled.tasks.forecast.windows import Batch, Windows
from unrolled.training.course import device_of


def subject_of(network: ForecastNetwork, encoder: Encoder, config: ForecastConfig, series: Series) -> Subject:
    """A network reading a series from its first value on; each step is told by the time of the value it reads.

    Followed back is what it was trained for: the loss of all that it says of the steps ahead, their mean.
    """
    with_steps(len(series) - 1, f"{series.shown} of one value")
    network.eval()
    output = network.output
    windows = Windows([series], encoder, config, network.head.steps)
    kind, device = next(network.parameters()).dtype, device_of(network)
    batch = Batch(*(one.to(device) for one in windows.whole(0)))
    with torch.no_grad():
        x = network.read(batch.inputs.to(kind), batch.which)  # (1, T, D)
    there = ~batch.targets.isnan()  # (1, T, K)
    targets = torch.where(there, batch.targets, batch.anchors)

    def losses(outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Raw numbers, (R, T, K, size), and what they cost, (R, T, K)."""
        raw = network.head(outputs, batch.ahead.to(kind).expand(len(outputs), -1, -1, -1))
        return raw, output.loss(raw, *(one.expand(raw.shape[:3]) for one in (targets, batch.anchors, batch.scale)))

    def loss(outputs: Tensor) -> Tensor:
        _, found = losses(outputs)
        return torch.where(there, found, 0).sum(-1) / there.sum(-1).clamp(min=1)

    levels = windows.histories[0].level[:-1], windows.histories[0].spread[:-1]
    centres, scales = (torch.from_numpy(one) for one in encoder.scaling.of(*levels))

    def tell(outputs: Tensor) -> list[dict[str, Any]]:
        raw, found = losses(outputs)
        said = output.centre(raw, batch.anchors, batch.scale)[0, :, 0].cpu().double() * scales + centres
        cost = "surprisal" if output.draws else "loss"
        rows = []
        for place, value in enumerate(said.tolist()):
            row: dict[str, Any] = {"said": {"value": value}}
            if there[0, place, 0]:
                row |= {"observed": {"value": float(series.values[place + 1])}, cost: float(found[0, place, 0])}
            rows.append(row)
        return rows

    clock = encoder.frequency.times(series.start, np.arange(x.shape[1])).tolist()
    unit = "nats" if output.draws else "loss"
    return Subject(
        network.recurrent,
        x,
        [str(encoder.frequency.shown(time)) for time in clock],
        loss,
        tell=tell,
        times=there.any(-1)[0].nonzero().flatten().tolist(),
        about={"task": "forecast", "part": "network", "loss": f"{unit} of the steps ahead, of scaled values"},
    )

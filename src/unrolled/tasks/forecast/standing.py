"""Standing: all that is kept of a series to go on from: the network's state, its last values, its scale. And going on.

Reading one more value costs the same however long a series is, and gives the bits that reading it whole would give.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import padded
from unrolled.state import State
from unrolled.tasks.forecast.config import ForecastConfig
from unrolled.tasks.forecast.encode import Encoder, History
from unrolled.tasks.forecast.network import ForecastNetwork
from unrolled.tasks.forecast.series import Series
from unrolled.training.course import device_of
from unrolled.wirings.distributions import Distribution, Statistics

PATHS = 8192
"""Rows that are computed together at most, paths of one forecast aside."""


@dataclass(frozen=True)
class Standing:
    """Where R series stand, each behind ``seen`` values. The network has read what stands before the last value."""

    series: list[Series]
    seen: np.ndarray
    tails: np.ndarray
    """(R, L), the last values."""
    missing: np.ndarray
    level: np.ndarray
    spread: np.ndarray
    past: np.ndarray
    """(R, P), the past covariates of the last value, standardised."""
    static: np.ndarray
    which: Tensor
    state: State

    @staticmethod
    def together(many: Sequence["Standing"]) -> "Standing":
        """All rows as one."""
        arrays = ("seen", "tails", "missing", "level", "spread", "past", "static")
        whole = {name: np.concatenate([getattr(one, name) for one in many]) for name in arrays}
        state = State({name: torch.cat([one.state[name] for one in many]) for name in many[0].state})
        return Standing(
            [series for one in many for series in one.series],
            which=torch.cat([one.which for one in many]),
            state=state,
            **whole,
        )

    def rows(self, places: Sequence[int]) -> "Standing":
        """Some rows, in that order."""
        index = np.array(places)
        arrays = ("seen", "tails", "missing", "level", "spread", "past", "static")
        chosen = {name: getattr(self, name)[index] for name in arrays}
        picked = torch.from_numpy(index)
        series = [self.series[place] for place in places]
        return Standing(series, which=self.which[picked], state=self.state.reorder(picked), **chosen)


class Reader:
    """Reads series with a network in evaluation mode, and says what it says of the steps ahead."""

    def __init__(self, network: ForecastNetwork, encoder: Encoder, config: ForecastConfig) -> None:
        self.network, self.encoder, self.config = network, encoder, config
        self.places = {name: place + 1 for place, name in enumerate(encoder.names)}
        like = next(network.parameters())
        self.kind, self.device = like.dtype, device_of(network)

    @torch.inference_mode()
    def begin(self, histories: Sequence[History], seen: Sequence[int]) -> Standing:
        """Where series stand behind their first ``seen`` values, read from the beginning."""
        behind = np.array(seen)
        which = torch.tensor([self.places.get(str(one.series.name), 0) for one in histories])
        start = self.network.recurrent.initial_state(len(histories))
        first = self._at(histories, behind, which, start.map(lambda value: value.clone()))
        return replace(first, state=self._read(histories, [1] * len(histories), seen, first))

    @torch.inference_mode()
    def on(self, standing: Standing, histories: Sequence[History], seen: Sequence[int]) -> Standing:
        """Where the same series stand when they have been read on, to ``seen`` values."""
        later = self._at(histories, np.array(seen), standing.which, standing.state)
        return replace(later, state=self._read(histories, standing.seen.tolist(), seen, standing))

    def _at(self, histories: Sequence[History], seen: np.ndarray, which: Tensor, state: State) -> Standing:
        encoder, last = self.encoder, seen - 1
        pairs = list(zip(histories, last.tolist(), strict=True))
        past = [encoder.pasts(one.series.past[step : step + 1])[0] for one, step in pairs]
        return Standing(
            [one.series for one in histories],
            seen,
            np.stack([one.tails[step + 1] for one, step in pairs]),
            np.array([one.missing[step] for one, step in pairs]),
            np.array([one.level[step] for one, step in pairs]),
            np.array([one.spread[step] for one, step in pairs]),
            np.stack(past),
            np.stack([encoder.statics(one.series) for one in histories]),
            which,
            state,
        )

    def _read(
        self, histories: Sequence[History], begins: Sequence[int], ends: Sequence[int], standing: Standing
    ) -> State:
        pieces = [
            torch.from_numpy(self.encoder.inputs(one, begin, end))
            for one, begin, end in zip(histories, begins, ends, strict=True)
        ]
        inputs, lengths = padded(pieces)
        if not inputs.shape[1]:
            return standing.state
        read = self.network.read(inputs.to(self.device, self.kind), standing.which.to(self.device))
        return self.network.recurrent(read, standing.state, lengths.to(self.device)).state

    @torch.inference_mode()
    def observe(self, standing: Standing, values: np.ndarray, past: np.ndarray) -> Standing:
        """Where series stand behind one more value each (R,), NaN where missing, and its past covariates (R, P)."""
        walk = Walk(self, standing, 1, 1)
        walk.step()
        gone = np.isnan(values)
        level, spread = self.encoder.scaling.advance(standing.level, standing.spread, standing.seen, values)
        last = np.where(gone, standing.tails[:, -1], values)
        return replace(
            standing,
            seen=standing.seen + 1,
            tails=np.concatenate([standing.tails[:, 1:], last[:, None]], 1),
            missing=gone,
            level=np.where(gone, standing.level, level),
            spread=np.where(gone, standing.spread, spread),
            past=self.encoder.pasts(past),
            state=walk.state,
        )

    @torch.inference_mode()
    def ahead(self, standing: Standing, horizon: int) -> list[dict[str, np.ndarray]]:
        """What is said of each of the next steps: for each row its statistics by name, (horizon,) each."""
        output = self.network.output
        paths = self.config.samples if output.draws else 1
        size = max(1, PATHS // paths)
        count = len(standing.series)
        pieces = [list(range(start, min(start + size, count))) for start in range(0, count, size)]
        return [one for piece in pieces for one in self._ahead(standing.rows(piece), horizon, paths)]

    def _ahead(self, standing: Standing, horizon: int, paths: int) -> list[dict[str, np.ndarray]]:
        walk = Walk(self, standing, horizon, paths)
        output = self.network.output
        said = [walk.answer() for _ in range(0, horizon, self.network.head.steps)]
        whole = np.concatenate(said, 2)[:, :, :horizon]  # (R, S, horizon, numbers)
        if isinstance(output, Statistics):
            told = [dict(zip(output.names, row[0].T, strict=True)) for row in whole]
        else:
            told = [_of_paths(np.ascontiguousarray(row[:, :, 0]), self.config.quantiles) for row in whole]
        factors = self.network.widening.cpu().double().numpy()
        if (factors == 1).all():
            return told
        factors = factors[np.minimum(np.arange(horizon), len(factors) - 1)]
        return [_widened(one, factors, output.counts) for one in told]


def level_of(name: str) -> float:
    """The level of a quantile, from its name."""
    return 0.5 if name == "median" else float(name.removeprefix("q"))


def _widened(told: dict[str, np.ndarray], factors: np.ndarray, counts: bool) -> dict[str, np.ndarray]:
    """The same, its quantiles moved away from the median (horizon,) times; of counts none below 0."""
    around = {name: value - told["median"] for name, value in told.items() if name.startswith("q")}
    moved = {name: told["median"] + factors * value for name, value in around.items()}
    return told | {name: np.maximum(value, 0) if counts else value for name, value in moved.items()}


def _of_paths(paths: np.ndarray, levels: Sequence[float]) -> dict[str, np.ndarray]:
    """Mean, median and quantiles of drawn paths (S, horizon); a new path lies below a quantile with its own chance."""
    told = dict(zip(levels, np.quantile(paths, levels, axis=0, method="weibull"), strict=True))
    named = {f"q{level:g}": value for level, value in told.items() if level != 0.5}
    return {"mean": paths.mean(0), "median": told[0.5], **named}


class Walk:
    """Rows that go on by themselves: what is said of a step is taken as seen, on S paths a row where it is drawn."""

    def __init__(self, reader: Reader, standing: Standing, horizon: int, paths: int) -> None:
        self.reader, self.paths = reader, paths
        self.standing, self.count = standing, len(standing.series)
        network, steps = reader.network, reader.network.head.steps
        blocks = -(-horizon // steps)
        reach = standing.tails.shape[1]
        self.values = np.full((self.count * paths, reach + blocks * steps), np.nan)
        self.values[:, :reach] = self._each(standing.tails)
        self.gone = 0
        self.missing, self.past = self._each(standing.missing), self._each(standing.past)
        self.level, self.spread = self._each(standing.level), self._each(standing.spread)
        self.static, self.seen = self._each(standing.static), self._each(standing.seen)
        repeat = torch.arange(self.count).repeat_interleave(paths)
        self.which = standing.which[repeat].to(reader.device)
        self.state = standing.state.reorder(repeat)
        self.chances = [chance(reader.config.seed, one.name) for one in standing.series]
        self.known = self._known(horizon, blocks * steps)
        self.network, self.steps = network, steps

    def _each(self, array: np.ndarray) -> np.ndarray:
        return np.repeat(array, self.paths, 0)

    def _known(self, horizon: int, all_of_it: int) -> np.ndarray:
        """What is known of the steps ahead, (R, all of it, C + F); behind the horizon the last of it again."""
        rows = []
        for series, seen in zip(self.standing.series, self.standing.seen.tolist(), strict=True):
            known = self.reader.encoder.known(series, np.arange(seen, seen + horizon))
            rows.append(np.concatenate([known, np.repeat(known[-1:], all_of_it - horizon, 0)]))
        return np.stack(rows)

    @property
    def tails(self) -> np.ndarray:
        """(R * S, L), the last values."""
        return self.values[:, self.gone : self.gone + self.standing.tails.shape[1]]

    def answer(self) -> np.ndarray:
        """What is said of the next K steps, (R, S, K, numbers); they are taken as seen."""
        outputs = self.step()
        encoder, steps = self.reader.encoder, self.steps
        centre, scale = encoder.scaling.of(self.level, self.spread)
        anchors = encoder.anchors(self.reader.config.anchor, self.tails, centre, scale, steps)
        seasonal = encoder.ahead(self.tails, centre, scale, steps)
        known = self._each(self.known[:, self.gone : self.gone + steps])
        ahead = np.concatenate([known, seasonal], -1)
        said = self._say(outputs, ahead, anchors, scale)  # (R, S, K, numbers), scaled
        shape = (self.count, self.paths, 1, 1)
        said = said * scale.reshape(shape) + centre.reshape(shape)
        taken = self._taken(said).reshape(self.count * self.paths, steps)
        for step in range(steps):
            if step:
                self.step()
            self._take(taken[:, step])
        return said

    def _say(self, outputs: Tensor, ahead: np.ndarray, anchors: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """The head on each row's paths alone, so that no number depends on another row."""
        output = self.network.output
        rows = outputs.unflatten(0, (self.count, self.paths))  # (R, S, H)
        more, anchor = (self._rows(torch.from_numpy(one)) for one in (ahead, anchors))
        sizes = self._rows(torch.from_numpy(scale)).unsqueeze(-1).expand_as(anchor)
        said = []
        for row in range(self.count):
            numbers = self.network.head(rows[row], more[row].to(self.reader.device)).cpu()  # (S, K, size)
            if isinstance(output, Distribution):
                drawn = output.draw(numbers, anchor[row], sizes[row], self.chances[row])
                said.append(drawn[..., None])
            else:
                assert isinstance(output, Statistics)
                said.append(output.values(numbers, anchor[row]).double().numpy())
        return np.stack(said)

    def _rows(self, values: Tensor) -> Tensor:
        return values.to(self.reader.kind).unflatten(0, (self.count, self.paths))

    def _taken(self, said: np.ndarray) -> np.ndarray:
        """Which of what is said is taken as seen: the path itself, or the median, or the only number."""
        output = self.network.output
        names = output.names if isinstance(output, Statistics) else ("path",)
        return said[..., names.index("median") if "median" in names else 0]

    def step(self) -> Tensor:
        """The network reads what stands before the next value; its outputs (R * S, H)."""
        encoder, behind = self.reader.encoder, self.seen - 1
        rows = encoder.rows(self.tails, self.level, self.spread, self.missing)
        known = self._each(self.known[:, self.gone])
        inputs = np.concatenate([rows, encoder.ages(behind), known, self.past, self.static], 1)
        read = self.network.read(torch.from_numpy(inputs).to(self.reader.device, self.reader.kind), self.which)
        outputs, self.state = self.network.recurrent.step(read, self.state)
        return outputs

    def _take(self, values: np.ndarray) -> None:
        """Values (R * S,) as seen."""
        scaling = self.reader.encoder.scaling
        self.level, self.spread = scaling.advance(self.level, self.spread, self.seen, values)
        self.values[:, self.standing.tails.shape[1] + self.gone] = values
        self.missing = np.zeros_like(self.missing)
        self.seen, self.gone = self.seen + 1, self.gone + 1


def chance(seed: int, name: str | None) -> np.random.Generator:
    """A series' own source of chance: the same whatever stands beside it."""
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))

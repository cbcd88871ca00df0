"""ForecastModel, the forecast task's estimator: what comes next in series of numbers."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any, Self

import numpy as np
import torch

from unrolled.data.splits import Splits
from unrolled.data.tables import KINDS as TABLES
from unrolled.data.tables import is_table
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError
from unrolled.inspection.examine import Subject
from unrolled.model_folder import FORECAST, ModelFolder
from unrolled.tasks.card import SPLITS
from unrolled.tasks.choose import chosen, part_of
from unrolled.tasks.estimator import KnowledgeError, Report, Sources
from unrolled.tasks.fit import Trainable
from unrolled.tasks.forecast.backtest import Forecast, forecasts, scores
from unrolled.tasks.forecast.calibrate import widenings
from unrolled.tasks.forecast.config import ForecastConfig
from unrolled.tasks.forecast.encode import Encoder
from unrolled.tasks.forecast.follow import Following
from unrolled.tasks.forecast.network import ForecastNetwork
from unrolled.tasks.forecast.plot import SHOWN, Example, draw_forecasts
from unrolled.tasks.forecast.reader import Columns
from unrolled.tasks.forecast.reading import Part, read_parts, read_to_use
from unrolled.tasks.forecast.series import Series, plain
from unrolled.tasks.forecast.standing import Reader
from unrolled.tasks.forecast.subject import subject_of
from unrolled.tasks.forecast.windows import Windows, mean_loss
from unrolled.training.batching import BatchCourse

LESS_IS_BETTER = ("mase", "nd", "mse")


class ForecastModel(Trainable[ForecastConfig, Part]):
    """A network that forecasts series: :meth:`fit` or :meth:`load` one, then predict, backtest and follow.

    What it trains on: a table of series, a file or a frame, long (``unique_id, ds, y``) or wide. What is to validate or
    test: another table, of series that go on where those end, or whole ones; else the last steps.
    """

    TASK, CONFIG = "forecast", ForecastConfig
    FILES = TABLES
    network: ForecastNetwork

    def __init__(self, config: ForecastConfig, cell: Cell, encoder: Encoder, columns: Columns) -> None:
        network = ForecastNetwork(config, cell, encoder)
        super().__init__(config, network.recurrent.cell, network)
        self.encoder, self.columns = encoder, columns
        self.examples: list[Example] = []
        self.wanted: int | None = None
        self.validated_on = config.valid_steps or self.horizon

    def forecast(self, data: Any, horizon: int | None = None) -> list[Forecast]:
        """What is said of the steps behind each series, in order.

        Args:
            data: A table as in training; rows behind a series' last value, their target empty, ask for so many steps,
                and give their future covariates. Or a list of series as lists of numbers.
            horizon: Steps to forecast, any number; where left out, those given anew (:meth:`use_by`), asked for by such
                rows, or of training.

        Raises:
            UsageError: the data do not fit the model, or future covariates are not known so far ahead.
        """
        if horizon is not None and horizon < 1:
            raise UsageError(f"horizon is 1 or more, and is {horizon}.")
        series, reader = self._series(data), self._reader()
        steps = [horizon or self.wanted or one.asked or self.horizon for one in series]
        made: list[Forecast | None] = [None] * len(series)
        for size in sorted(set(steps)):
            places = [place for place, own in enumerate(steps) if own == size]
            chosen = [series[place] for place in places]
            said = forecasts(reader, chosen, [[len(one)] for one in chosen], size)
            for place, one in zip(places, said, strict=True):
                made[place] = one[0]
        return [one for one in made if one is not None]

    def predict(self, data: Any, horizon: int | None = None) -> Iterator[dict[str, Any]]:
        """A row for each series and step of a table, or for each series of a list; see :meth:`forecast`."""
        in_memory = isinstance(data, list | tuple)
        for one in self.forecast(data, horizon):
            if in_memory:
                yield {name: values.tolist() for name, values in one.told.items()}
            else:
                yield from one.rows(self.encoder)

    def backtest(
        self, data: Any, horizon: int | None = None, stride: int = 1, steps: int | None = None
    ) -> list[Forecast]:
        """Rolling forecasts, the same numbers as :meth:`forecast` gives from what stood before each moment.

        Args:
            data: See :meth:`forecast`.
            horizon: Steps of each forecast.
            stride: Steps from one moment to the next.
            steps: The last so many values of each series are forecast; where left out, all but the first context.
        """
        if stride < 1 or (horizon or 1) < 1:
            raise UsageError(f"horizon and stride are 1 or more, and are {horizon} and {stride}.")
        series, reader, horizon = self._series(data), self._reader(), horizon or self.horizon
        assert self.config.context is not None
        first = [max(1, len(one) - steps if steps else min(self.config.context, len(one))) for one in series]
        moments = [list(range(begin, len(one) - horizon + 1, stride)) for begin, one in zip(first, series, strict=True)]
        return [one for own in forecasts(reader, series, moments, horizon) for one in own]

    def follow(self, data: Any) -> Following:
        """Series that are read once, and then go on value by value: ``update``, ``forecast``."""
        series, reader = self._series(data), self._reader()
        return Following(reader, series, self.horizon)

    def evaluate(self, data: Any, report: Report = lambda *_: None) -> dict[str, Any]:
        """The figures of rolling forecasts of the last steps of each series: as many as were validated on, or a longer
        horizon that was given anew."""
        series = self._series(data)
        steps = max(self.validated_on, self.wanted or 0)
        kept = [one for one in series if len(one) > 1]
        if not kept:
            raise UsageError("no series has two values; there is nothing to score.")
        scored = [_scored(one, min(steps, len(one) - 1)) for one in kept]
        return self._figures(scored, report, "forecasts")

    def subject(self, data: Any, row: int | str = 1, part: str | None = None) -> Subject:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        part_of(part, self.PARTS)
        numbers = isinstance(data, np.ndarray | list | tuple) and all(np.ndim(one) == 0 for one in data)
        series = self._series([data] if numbers else data)
        names = [one.name for one in series]
        one = series[chosen(row, len(series), names if any(names) else None, "the data")]
        return subject_of(self.network, self.encoder, self.config, one)

    def use_by(self, **settings: Any) -> None:
        """See :class:`unrolled.tasks.estimator.Estimator`; a horizon wins over rows that ask for another."""
        super().use_by(**settings)
        self.wanted = settings.get("horizon", self.wanted)

    def check_use(self, config: ForecastConfig) -> None:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        for name in ("levels", "samples"):
            if getattr(config, name) != getattr(self.config, name) and not self.network.output.draws:
                raise UsageError(f"{name} are of drawn paths, and the model puts out {config.output}.")

    @property
    def horizon(self) -> int:
        """The steps that it was trained to forecast, or that were given anew."""
        assert self.config.horizon is not None
        return self.config.horizon

    def _series(self, data: Any) -> list[Series]:
        if isinstance(data, list | tuple):
            if self.encoder.frequency.unit != "step" or self.encoder.static or self.encoder.past or self.encoder.future:
                raise UsageError("the model reads times or covariates, which lists of numbers lack; give it a table.")
            return [plain(None, one) for one in data]
        if not is_table(data) and str(data) != "-":
            raise UsageError(f"a forecast is of a table (a file or a frame) or of lists of numbers, not of {data!r}.")
        return read_to_use(data, self.config, self.columns, self.encoder.frequency)

    def _reader(self) -> Reader:
        self.network.eval()
        return Reader(self.network, self.encoder, self.config)

    def _figures(self, series: Sequence[Series], report: Report, split: str) -> dict[str, Any]:
        stride = self.config.stride or self.horizon
        reader = self._reader()
        figures, made = scores(reader, series, self.horizon, stride, lambda done, total: report(split, done, total))
        for steps in sorted({one for one in self.config.measure or () if one < self.horizon}):
            more, _ = scores(reader, series, steps, self.config.stride or steps)
            compared = more.pop("baselines")
            figures |= {f"{name}_{steps}": value for name, value in more.items() if name not in ("horizon", "series")}
            for name, one in compared.items():
                figures["baselines"][name] |= {f"{key}_{steps}": value for key, value in one.items()}
        figures["baseline_wins"] = [
            f"{name} by {metric}"
            for metric in LESS_IS_BETTER
            for name, one in figures["baselines"].items()
            if metric in figures and one.get(metric, np.inf) <= figures[metric]
        ]
        self.examples = [self._example(own[-1]) for own in made[:SHOWN] if own]
        return figures

    def _example(self, made: Forecast) -> Example:
        series, horizon = made.series, len(next(iter(made.told.values())))
        begin = max(0, made.seen - max(3 * horizon, 2 * self.encoder.season))
        end = min(len(series), made.seen + horizon)
        frequency = self.encoder.frequency
        times = frequency.times(series.start, np.arange(begin, end))
        ahead = frequency.times(series.start, np.arange(made.seen, made.seen + horizon))
        return Example(str(series.name), times, series.values[begin:end], ahead, made.told)

    # What the estimator asks of a task

    @classmethod
    def read(cls, sources: Sources, config: ForecastConfig) -> Splits[Part]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return read_parts(sources, config)

    @classmethod
    def begin(cls, splits: Splits[Part], config: ForecastConfig, cell: Cell) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        part = splits.train
        config = config.model_copy(update=part.resolved)
        longest = max(config.measure or (0,))
        if longest > (config.horizon or 0):
            raise UsageError(f"measure names horizons from 1 to the horizon, {config.horizon}, and one is {longest}.")
        if config.output == "negative_binomial":
            _refuse_no_counts(part.series)
        return cls(config, cell, Encoder.learn(part.series, part.frequency, config), part.columns)

    @classmethod
    def assemble(cls, config: ForecastConfig, cell: Cell, knowledge: str) -> Self:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        try:
            known = json.loads(knowledge)
            encoder, where = Encoder.from_dict(known["encoder"]), Columns.from_dict(known["columns"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise KnowledgeError(f"it does not say how series are read ({error}).") from None
        return cls(config, cell, encoder, where)

    def knowledge(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return json.dumps({"encoder": asdict(self.encoder), "columns": asdict(self.columns)}, ensure_ascii=False)

    def course(self, splits: Splits[Part]) -> BatchCourse:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        network, config, steps = self.network, self.config, self.network.head.steps
        windows = Windows(splits.train.series, self.encoder, config, steps)
        held = splits.valid.series
        checks = Windows(held, self.encoder, config, steps, [one.scored for one in held])
        return BatchCourse(
            windows.lengths,
            lambda ready, places: windows.lesson(ready, network, places),
            lambda: mean_loss(network, checks, config.batch),
            config,
        )

    def figures(self, splits: Splits[Part], report: Report) -> dict[str, Any]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        parts = {"validation": splits.valid, "test": splits.test}
        self.network.widening.fill_(1.0)
        if self.config.calibrate:
            self.network.widening.copy_(torch.from_numpy(widenings(self._reader(), splits.valid.series, self.horizon)))
        made = {name: self._figures(part.series, report, name) for name, part in parts.items() if part is not None}
        made["validation"]["widening"] = float(self.network.widening.mean())
        return made

    @property
    def unit(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return "step"

    @property
    def loss_name(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        if self.network.output.draws:
            return "nats a step, of scaled values"
        return {"quantiles": "pinball loss", "squared": "squared error", "absolute": "absolute error"}[
            self.config.output
        ] + " of scaled values"

    def describe(self, splits: Splits[Part]) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        values = sum(len(one) for one in splits.train.series)
        held = sum(one.scored for one in splits.valid.series)
        config = self.config
        sizes = f"context {config.context}, horizon {config.horizon}, lags {', '.join(map(str, self.encoder.lags))}"
        return [f"{splits.name}: {values:,} values to learn, {held:,} to validate", *splits.notes, sizes]

    def counts(self, splits: Splits[Part]) -> dict[str, int]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return {"series": len(splits.train.series), "values": sum(len(one) for one in splits.train.series)}

    def summary(self) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        lines = []
        for split in SPLITS:
            if split in self.metrics:
                lines += _told(split, self.metrics[split])
        return lines

    def about(self) -> str:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        said = f"A recurrent network that forecasts {self.encoder.frequency} series, {self.config.output} output"
        wins = [f"{one} ({split})" for split in SPLITS for one in self.metrics.get(split, {}).get("baseline_wins", ())]
        return f"{said}; a baseline is better: {', '.join(wins)}" if wins else said

    def usage(self) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        return ["unrolled predict . FILE.csv", "unrolled evaluate . FILE.csv"]

    def draw(self, folder: ModelFolder) -> list[str]:
        """See :class:`unrolled.tasks.estimator.Estimator`."""
        if not self.examples:
            return []
        title = f"Forecasts of {self.metrics.get('data', {}).get('name', 'the data')}, {self.horizon} steps ahead"
        target = self.columns.target or "value"
        draw_forecasts(self.examples, folder.path / FORECAST, title, target, self.encoder.frequency)
        return [FORECAST]


def _scored(series: Series, steps: int) -> Series:
    return replace(series, scored=steps)


def _refuse_no_counts(series: Sequence[Series]) -> None:
    for one in series:
        bad = np.flatnonzero((one.values < 0) | (one.values % 1 > 0))
        if len(bad):
            raise UsageError(
                f"--output negative_binomial is of counts, and {one.shown} holds {one.values[bad[0]]:g}; "
                "student_t or normal take any number."
            )


def _told(split: str, figures: dict[str, Any]) -> list[str]:
    """A split's figures in a few lines, those of the baselines below, and plainly who wins."""
    names = [name for name in ("mase", "smape", "nd", "mse", "wql") if name in figures]
    shown = {"this model": figures, **figures["baselines"]}
    lines = [f"{split}: {figures['forecasts']:,} forecasts of {figures['series']:,} series, {figures['horizon']} steps"]
    for name, one in shown.items():
        lines.append(f"  {name:15}" + "  ".join(f"{key} {one[key]:.4g}" for key in names if key in one))
    wins = figures["baseline_wins"]
    lines.append(f"  A baseline wins: {', '.join(wins)}." if wins else "  It beats every baseline.")
    return lines

"""Tasks on real data that several claims are tried on: the data, the settings, the figure they are judged by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.data.bundled import bundled
from unrolled.lab.experiment import Bench, Result, Run, Setting
from unrolled.lab.tasks import files_of, train
from unrolled.lab.toys import hidden_for
from unrolled.tasks.classify.model import ClassifyModel
from unrolled.tasks.estimator import Estimator, Sources
from unrolled.tasks.forecast.model import ForecastModel
from unrolled.tasks.frames.model import FramesModel
from unrolled.tasks.text.model import TextModel

FEW = 100
"""Examples of the quick form."""


@dataclass(frozen=True)
class Real:
    """A task on a set of data."""

    kind: type[Estimator]
    files: tuple[str, ...]
    """To learn from, to validate on, to test on, as far as there are such."""
    inputs: int
    """Numbers in a step of what the recurrent layers read, by which layers are made equally large."""
    split: str
    metric: str
    unit: str
    """The figure in words."""
    settings: Mapping[str, Any]
    higher: bool = False
    """Whether more of the figure is better."""
    data: str | None = None
    """The data set; None for one that comes with the program."""
    prepare: str | None = None
    both: bool = False
    """Whether layers read in both directions."""


REAL: Mapping[str, Real] = {
    "text": Real(
        TextModel,
        (str(bundled("tinyshakespeare").path),),
        64,
        "validation",
        "nats_per_character",
        "nats a character",
        {"embedding": 64, "steps": 800, "rate": 1e-2, "batch": 32, "window": 64},
    ),
    "names": Real(
        ClassifyModel,
        ("train.csv", "", "test.csv"),
        48,
        "test",
        "accuracy",
        "accuracy",
        {"unit": "char", "lower": True, "batch": 64, "rate": 1e-2, "embedding": 48, "baselines": False, "steps": 2000},
        higher=True,
        data="names_nationality",
        prepare="classify.names",
        both=True,
    ),
    "chorales": Real(
        FramesModel,
        ("music_jsb_chorales/jsb-chorales-quarter.json",),
        52,
        "test",
        "nll",
        "nats a step",
        {"multilabel": True, "ahead": 1, "batch": 8, "rate": 1.5e-2, "baseline": False, "steps": 300},
        data="music_jsb_chorales",
    ),
    "ETTh1": Real(
        ForecastModel,
        ("ett.csv",),
        14,
        "test",
        "mse",
        "MSE, standardised",
        {"time": "date", "target": "OT", "horizon": 48, "direct": True, "output": "squared", "scale": "standard"}
        | {"context": 168, "batch": 64, "valid_steps": 2880, "test_steps": 2880, "stride": 24, "steps": 300},
        data="ett_hourly",
        prepare="forecast.ett",
    ),
}


def setting_of(task: str, quick: bool, **more: Any) -> Setting:
    """The setting of a run on a task; the quick form looks at few examples."""
    one = REAL[task]
    named = {"task": task, **({"data": one.data} if one.data else {})}
    return named | ({"examples": FEW} if quick else {}) | more


def is_small(runs: Sequence[Run]) -> bool:
    """Whether runs learned from few examples, from which nobody can tell which network is the better."""
    return any("examples" in run.setting for run in runs)


def units(task: str, cell: str, parameters: int, layers: int = 1) -> int:
    """The units of a layer with which stacked layers hold as near as can be to so many numbers, both ways together."""
    one = REAL[task]
    return hidden_for(parameters // (1 + one.both), cell, one.inputs, layers)


def run_real(setting: Setting, names: Sequence[str], seed: int, bench: Bench, **more: Any) -> Result:
    """Train on a task: its own settings, those parts of ``setting`` that are ``names``, and ``more``.

    The figure is ``metric``; ``curve`` has updates, seconds and loss of each validation.
    """
    one = REAL[setting["task"]]
    own = dict(one.settings) | {name: setting[name] for name in names if name in setting}
    if "minutes" in own:
        del own["steps"]
    own |= {"patience": 10**9, "validations": 15 if "examples" in setting else 40, "seed": seed} | more
    with files_of(bench.data, one.prepare) as folder:
        paths = (None if not name else name if folder is None else folder / name for name in one.files)
        model = train(one.kind, Sources(*paths), own, bench, setting.get("examples"))
    training = model.metrics["training"]
    curve = [[row["step"], round(row["seconds"], 2), row["valid"]] for row in model.history if row["valid"] is not None]
    return {
        "metric": float(model.metrics[one.split][one.metric]),
        "parameters": training["parameters"],
        "steps": training["steps"],
        "seconds": training["seconds"],
        "curve": curve,
    }

"""The contract that every task keeps; ``test_contract.py`` runs it for each row of CASES."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from unrolled.tasks.estimator import Estimator, Sources
from unrolled.tasks.fit import fit
from unrolled.tasks.observer import Silent
from unrolled.training.trainer import Progress


@dataclass(frozen=True)
class Case:
    """A task on data as small as can be."""

    kind: type[Estimator]
    sources: Callable[[Path], Sources]
    """Writes files into a folder, and says which they are."""
    inputs: list[Any]
    """What ``predict`` takes: at least four sequences of different lengths, as values in memory."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings that train in a second; steps and validations are the contract's."""


class Struck(Exception):
    """What a run is ended by from outside."""


class Striking(Silent):
    """An observer that ends a run at a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def stepped(self, progress: Progress) -> None:
        if progress.step == self.step:
            raise Struck


def trained(case: Case, folder: Path, **how: Any) -> Estimator:
    """A model of ten updates."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    settings = {"steps": 10, "validations": 2, "seed": 3, **case.settings, **how.pop("settings", {})}
    sources = Sources(None) if how.get("resume") else case.sources(data)
    return fit(case.kind, sources, settings={} if how.get("resume") else settings, **how)


def weights(model: Estimator) -> dict[str, torch.Tensor]:
    return model.network.state_dict()


def same_weights(one: Estimator, other: Estimator) -> bool:
    left, right = weights(one), weights(other)
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def saved_is_loaded(case: Case, folder: Path) -> None:
    """What a folder gives back predicts the same, whoever wrote it."""
    model = trained(case, folder, out=folder / "out")
    expected = list(model.predict(case.inputs))
    assert len(expected) == len(case.inputs)
    opened = case.kind.load(folder / "out")
    assert list(opened.predict(case.inputs)) == expected
    assert opened.metrics == model.metrics
    opened.save(folder / "again")
    assert list(case.kind.load(folder / "again").predict(case.inputs)) == expected


def any_batch_size_predicts_the_same(case: Case, folder: Path) -> None:
    """How many sequences are computed together changes no bit."""
    model = trained(case, folder)
    expected = list(model.predict(case.inputs))
    for batch in (1, 2, 3, 64):
        model.config = model.config.model_copy(update={"batch": batch})
        assert list(model.predict(case.inputs)) == expected, batch


def a_sequence_alone_is_predicted_as_beside_longer_ones(case: Case, folder: Path) -> None:
    """Padding and neighbours change no bit."""
    model = trained(case, folder)
    together = list(model.predict(case.inputs))
    assert [next(iter(model.predict([one]))) for one in case.inputs] == together
    assert list(model.predict(case.inputs[::-1])) == together[::-1]


def a_seed_repeats_a_run(case: Case, folder: Path) -> None:
    """The same seed gives the same weights to the bit, another one others."""
    one, same = trained(case, folder), trained(case, folder)
    assert same_weights(one, same)
    assert not same_weights(one, trained(case, folder, settings={"seed": 4}))


def a_run_cut_off_goes_on_to_the_same_end(case: Case, folder: Path) -> None:
    """Resumed from its last checkpoint, it ends with the weights of the run that was never stopped."""
    settings = {"checkpoint_seconds": 1e-9}
    whole = trained(case, folder, out=folder / "whole", settings=settings)
    try:
        trained(case, folder, out=folder / "cut", observer=Striking(6), settings=settings)
    except Struck:
        resumed = trained(case, folder, out=folder / "cut", resume=True)
        assert resumed.metrics["training"]["steps"] == 10
        assert same_weights(whole, resumed)
        return
    raise AssertionError("the run was not struck")


def what_is_evaluated_later_stands_beside_the_same_baselines(case: Case, folder: Path) -> None:
    """A folder measures over data what training measured over them, the baselines too."""
    (folder / "data").mkdir()
    data = case.sources(folder / "data").train
    apart = case.kind.TASK == "text"  # it has no file to validate on, and no folder holds what stands before a text
    model = trained(replace(case, sources=lambda _: Sources(data, None if apart else data)), folder, out=folder / "out")
    later, then = case.kind.load(folder / "out").evaluate(data)["baselines"], model.metrics["validation"]["baselines"]
    assert len(later) == len(then)
    assert apart or later == then


def a_folder_of_splits_is_its_files(case: Case, folder: Path) -> None:
    """Files that are called as splits are, in a folder, are what they are when each is given by its name."""
    (folder / "data").mkdir()
    given = case.sources(folder / "data").train
    if not case.kind.FILES or not isinstance(given, str | Path) or Path(given).is_dir():
        return  # the task finds its files itself, or they are in memory
    ending = "".join(Path(given).suffixes[-2:]) if str(given).endswith(".gz") else Path(given).suffix
    parts = [folder / "data" / f"{name}{ending}" for name in ("train", "valid", "my_test")]
    for part in parts:
        if not part.exists():
            shutil.copy(given, part)
    named = trained(replace(case, sources=lambda _: Sources(*parts)), folder)
    found = trained(replace(case, sources=lambda _: Sources(folder / "data")), folder, out=folder / "out")
    assert same_weights(named, found)
    assert all(found.metrics[name] == named.metrics[name] for name in ("validation", "test"))
    longer = fit(case.kind, Sources(None), settings={"steps": 12}, out=folder / "out", resume=True)
    assert longer.metrics["training"]["steps"] == 12


LAWS = (
    a_folder_of_splits_is_its_files,
    saved_is_loaded,
    what_is_evaluated_later_stands_beside_the_same_baselines,
    any_batch_size_predicts_the_same,
    a_sequence_alone_is_predicted_as_beside_longer_ones,
    a_seed_repeats_a_run,
    a_run_cut_off_goes_on_to_the_same_end,
)

"""FramesModel: streams equal whole sequences, figures stand beside baselines, and recurrence is worth something."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from tasks.samples_frames import INPUTS, SETTINGS, TINY, chords, drawn, rows, write_chords, write_csv
from unrolled.errors import UsageError
from unrolled.tasks.frames.model import ALONE, FramesModel

CAUSAL: dict[str, dict[str, Any]] = {
    "lstm": {},
    "projection": {"projection": 4},
    "two layers of gru": {"cell": "gru", "layers": 2},
    "lookahead": {"lookahead": 3, "projection": 5},
    "window": {"window": 3},
    "wide": {"hidden": 33, "projection": 17},
}


def trained(**settings: Any) -> FramesModel:
    return FramesModel.fit(pl.DataFrame(rows()), **TINY | {"baseline": False} | settings)


@pytest.mark.parametrize("name", CAUSAL)
def test_a_stream_says_what_the_whole_sequence_says_bit_for_bit(name: str) -> None:
    model = trained(**CAUSAL[name])
    for features, row in zip(INPUTS, model.predict(INPUTS), strict=True):
        stream = model.stream()
        said = [stream.step(step) for step in features]
        late = model.config.lookahead
        assert said[:late] == [None] * min(late, len(said))
        answers = [*said[late:], *stream.finish()]
        assert [one["label"] for one in answers if one] == row["labels"]
        assert [one["probabilities"] for one in answers if one] == row["probabilities"]


def test_a_stream_of_label_sets() -> None:
    model = FramesModel.fit(pl.DataFrame([{"y": "a;b"}, {"y": "b"}, {"y": ""}] * 5), multilabel=True, ahead=1, **TINY)
    whole = [["a"], ["b", "a"], []]
    stream = model.stream()
    said = [stream.step(step) for step in whole]
    (row,) = model.predict([whole])
    assert [one["probabilities"] for one in said if one] == row["probabilities"]


def test_a_stream_that_is_over_and_one_that_cannot_be() -> None:
    stream = trained(lookahead=1).stream()
    list(stream.finish())
    with pytest.raises(UsageError, match="the stream is finished"):
        stream.step(INPUTS[0][0])
    with pytest.raises(UsageError, match="bidirectional network reads the future"):
        trained(bidirectional=True).stream()


def test_lookahead_sees_so_many_steps_and_no_more() -> None:
    model = trained(lookahead=2)
    features = INPUTS[1]
    (before,) = model.predict([features])
    changed = features.copy()
    changed[6] += 1.0
    (after,) = model.predict([changed])
    same = [one == other for one, other in zip(before["probabilities"], after["probabilities"], strict=True)]
    assert same == [True] * 4 + [False] * 7


def test_ahead_learns_the_answer_of_a_later_step() -> None:
    """The label is the sign of the number before: only with the past, or one step ahead, can it be said."""
    generator, table = np.random.default_rng(2), []
    for number in range(12):
        values = generator.normal(size=15)
        for step, value in enumerate(values):
            label = "p" if step and values[step - 1] > 0 else "n"
            table.append({"id": number, "step": step, "v": value, "y": label})
    model = FramesModel.fit(pl.DataFrame(table), ahead=1, steps=60, rate=0.05, hidden=4, dropout_output=0.0)
    assert model.metrics["validation"]["accuracy"] > 0.9
    assert model.metrics["validation"]["baselines"][ALONE]["accuracy"] > 0.9  # the last number is all that it takes
    (row,) = model.predict([np.array([[2.0], [-2.0], [2.0]])])
    assert row["labels"] == ["p", "n", "p"]


def test_recurrence_is_worth_something_where_the_past_counts() -> None:
    table = rows((30,) * 24)
    model = FramesModel.fit(pl.DataFrame(table), steps=150, rate=0.03, hidden=12, batch=8, seed=2)
    figures = model.metrics["validation"]
    alone, majority = figures["baselines"][ALONE], figures["baselines"]["majority"]
    assert figures["accuracy"] > alone["accuracy"] + 0.1 > majority["accuracy"] + 0.1
    assert figures["accuracy_by_recurrence"] == figures["accuracy"] - alone["accuracy"]
    assert figures["edit_score"] > alone["edit_score"]
    assert figures["nll"] < alone["nll"] < majority["nll"]


def test_the_network_without_recurrence_has_no_memory() -> None:
    model = trained()
    plain = FramesModel(model.config, model.cell, model.form, model.answers, alone=True)
    features = np.stack([INPUTS[0][0], INPUTS[0][1], INPUTS[0][0]])
    (row,) = plain.predict([features])
    assert row["probabilities"][0] == row["probabilities"][2] != row["probabilities"][1]
    (alone,) = plain.predict([features[1:2]])
    assert alone["probabilities"] == row["probabilities"][1:2]


def test_numbers_are_predicted() -> None:
    table = []
    for number in range(16):
        features, _ = drawn(20, number)
        sums = np.cumsum(features[:, 0] * 0.3)
        table += [
            {"id": number, "step": step, "v": float(value), "total": float(total)}
            for step, (value, total) in enumerate(zip(features[:, 0], sums, strict=True))
        ]
    model = FramesModel.fit(pl.DataFrame(table), regression=True, label="total", steps=120, rate=0.03, hidden=12)
    figures = model.metrics["validation"]
    assert figures["rmse"] < 0.6 * figures["baselines"][ALONE]["rmse"]
    assert figures["rmse"] < figures["baselines"]["mean"]["rmse"]
    (row,) = model.predict([np.array([[1.0], [1.0]])])
    assert [set(step) for step in row["values"]] == [{"total"}] * 2


def test_a_table_is_predicted_without_its_labels(tmp_path: Path) -> None:
    model = trained()
    table = rows((4, 3), 5)
    with_labels = list(model.predict(pl.DataFrame(table)))
    without = list(model.predict(write_csv(tmp_path, "new.csv", [{**row, "phase": None} for row in table])))
    bare = list(model.predict(pl.DataFrame(table).drop("phase")))
    assert with_labels == without == bare
    assert [row["id"] for row in bare] == ["clip0", "clip1"]
    assert bare[0]["time"] == [0, 1, 2, 3]
    assert len(bare[0]["labels"]) == len(bare[0]["probabilities"]) == 4
    assert sum(bare[0]["probabilities"][0].values()) == pytest.approx(1.0)


def test_evaluation_on_labels_that_training_did_not_have() -> None:
    model = trained()
    table = [row | {"phase": "jump" if row["step"] == 1 else row["phase"]} for row in rows((4, 3), 5)]
    figures = model.evaluate(pl.DataFrame(table))
    assert figures["unseen_labels"] == ["jump"]
    assert figures["unseen_frames"] == 2
    assert figures["accuracy"] <= 5 / 7
    assert figures["baselines"]["majority"]["frames"] == figures["frames"] == 7


def test_evaluation_gives_the_figures_of_training(tmp_path: Path) -> None:
    train, valid = write_csv(tmp_path), write_csv(tmp_path, "valid.csv", rows((6, 3), 2))
    model = FramesModel.fit(train, valid, valid, **TINY)
    evaluated = model.evaluate(valid)
    beside = evaluated.pop("baselines")
    assert {name: model.metrics["test"][name] for name in evaluated} == evaluated
    assert beside["majority"] == model.metrics["test"]["baselines"]["majority"]
    assert model.metrics["test"] == model.metrics["validation"]


REFUSED: dict[str, tuple[Any, str]] = {
    "width": ([np.zeros((3, 2))], r"sequence 1 is \(T, 3\) with T at least 1, and is \(3, 2\)"),
    "no steps": ([INPUTS[0], np.zeros((0, 3))], r"sequence 2 is \(T, 3\)"),
    "infinite": ([np.full((2, 3), np.inf)], "sequence 1 holds an infinite number"),
    "texts": ([["a", "b"]], r"sequence 1 is"),
    "column": (pl.DataFrame(rows((3,))).drop("turn"), "no column 'turn', which is the model's features"),
    "kind": (7, "this is a int"),
    "name": ("steps.doc", r"frames are read from \.csv"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_model_cannot_read_is_refused(name: str) -> None:
    data, message = REFUSED[name]
    with pytest.raises(UsageError, match=message):
        list(trained().predict(data))


def test_missing_numbers_in_memory_are_refused_as_in_files() -> None:
    features = INPUTS[0].copy()
    features[1, 1] = np.nan
    with pytest.raises(UsageError, match="sequence 1, step 2, holds a missing number"):
        list(trained().predict([features]))
    (row,) = trained(missing="mean").predict([features])
    assert len(row["labels"]) == len(features)


def test_an_unknown_label_to_read_is_refused(tmp_path: Path) -> None:
    model = FramesModel.fit(write_chords(tmp_path), multilabel=True, ahead=1, **TINY)
    with pytest.raises(UsageError, match="step 2, has the label '99', which the model does not know; it knows 60, 61"):
        list(model.predict([[[60], [99]]]))
    assert model.metrics["validation"]["baselines"].keys() == {"independent frames", ALONE}
    assert len(chords()[0]) == len(next(model.predict(chords()))["labels"])


def test_one_class_is_refused() -> None:
    with pytest.raises(UsageError, match="every step to learn from has the label 'up'"):
        FramesModel.fit(pl.DataFrame([row | {"phase": "up"} for row in rows()]), **TINY)


def test_few_sequences_validate_on_their_ends() -> None:
    model = FramesModel.fit(pl.DataFrame(rows((50,))), **TINY, validation_fraction=0.2, baseline=False)
    assert model.metrics["validation"]["frames"] == 10
    assert any("(10 of 50 steps)" in note for note in model.metrics["data"]["notes"])
    model = FramesModel.fit(pl.DataFrame(rows((20, 1, 10))), **TINY, baseline=False)
    assert model.metrics["data"]["steps"] == 18 + 1 + 9
    assert model.metrics["validation"]["frames"] == 3
    with pytest.raises(UsageError, match="3 steps are too few to hold some out"):
        FramesModel.fit(pl.DataFrame(rows((1, 1, 1))), **TINY)


@pytest.mark.parametrize("settings", [{}, {"lookahead": 2}, {"window": 7}])
def test_at_another_tempo_every_step_keeps_its_answer(settings: dict[str, Any]) -> None:
    """The label is the sign of the step's own number; a step beside another's label would teach nothing."""
    x = np.random.default_rng(1).normal(size=(24, 20, 1)).astype(np.float32)
    data = {"x": x, "y": (x[..., 0] > 0).astype(np.int64)}
    how = {"hidden": 8, "batch": 8, "steps": 300, "validations": 2, "rate": 0.02, "baseline": False}
    model = FramesModel.fit(data, tempo=0.5, **how, **settings)
    assert model.metrics["validation"]["accuracy"] > 0.85


def test_arrays_in_memory() -> None:
    x = np.stack([drawn(8, seed)[0] for seed in range(6)])
    y = np.array([drawn(8, seed)[1] for seed in range(6)])
    model = FramesModel.fit({"x": x, "y": y}, **TINY, baseline=False)
    expected = [{name: row[name] for name in row if name != "id"} for row in model.predict({"x": x})]
    assert list(model.predict(list(x))) == expected


def test_settings_stand_in_no_way_of_each_other() -> None:
    for one, other in (("multilabel", "regression"), ("ahead", "lookahead"), ("lookahead", "bidirectional")):
        with pytest.raises(UsageError, match=f"--{one} and --{other} do not go together"):
            FramesModel.fit(pl.DataFrame(rows()), **{one: True, other: True})


def test_double_precision() -> None:
    model = trained(precision="64-true", **{name: SETTINGS[name] for name in ("projection",)})
    assert next(model.network.parameters()).dtype == torch.float64
    assert len(list(model.predict(INPUTS))) == 4

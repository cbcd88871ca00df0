"""Real sets, where they are there: every file reads to the size that its source states, and a network learns one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from unrolled.tasks.classify.config import ClassifyConfig
from unrolled.tasks.classify.model import ClassifyModel
from unrolled.tasks.classify.read import read_examples

SIZES = {
    "JapaneseVowels": (270, 370, 12, 7, 29, 9),
    "BasicMotions": (40, 40, 6, 100, 100, 4),
    "GunPoint": (50, 150, 1, 150, 150, 2),
    "ItalyPowerDemand": (67, 1029, 1, 24, 24, 2),
    "ArrowHead": (36, 175, 1, 251, 251, 3),
    "PickupGestureWiimoteZ": (50, 50, 1, 29, 361, 10),
}
"""Of each set of the archive: training and test cases, channels, the fewest and most steps, classes."""


@pytest.mark.parametrize("name", SIZES)
def test_sets_of_the_archive_have_the_stated_sizes(name: str, shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("ucr_uea") / name
    train, test = (read_examples(folder / f"{name}_{part}.ts", ClassifyConfig()) for part in ("TRAIN", "TEST"))
    assert train is not None
    assert test is not None
    lengths = [len(one) for part in (train, test) for one in part.inputs]
    classes = train.of_classes().classes
    found = (len(train), len(test), train.form.width, min(lengths), max(lengths), len(classes))
    assert found == SIZES[name]
    assert set(test.labels or ()) == set(classes)


def test_sounds_are_read_at_their_rate(shared_data: Callable[[str], Path]) -> None:
    found = read_examples(shared_data("audio_fsdd") / "wav", ClassifyConfig(), answers=False)
    assert found is not None
    assert (len(found), found.form.rate, found.form.width) == (900, 8000, 40)


def test_questions_without_a_header(shared_data: Callable[[str], Path]) -> None:
    config = ClassifyConfig(header=False, text="column_3", label="column_1")
    found = read_examples(shared_data("trec_questions") / "test.tsv", config)
    assert found is not None
    assert (len(found), len(found.of_classes().classes)) == (500, 6)


def test_a_network_tells_nine_speakers_better_than_their_neighbours(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("ucr_uea") / "JapaneseVowels"
    train, test = (folder / f"JapaneseVowels_{part}.ts" for part in ("TRAIN", "TEST"))
    figures = ClassifyModel.fit(train, test=test, epochs=12, hidden=64, rate=1e-2).metrics["test"]
    assert figures["accuracy"] > 0.96
    neighbour = next(one for name, one in figures["baselines"].items() if name.startswith("1-nearest"))
    assert neighbour["accuracy"] == pytest.approx(0.954, abs=0.01)

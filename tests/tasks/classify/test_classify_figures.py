"""Figures, baselines and the sound front end, each beside a source that is not ours."""

import math
import warnings

import numpy as np
import pytest
import torch
from scipy.signal import stft
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from tasks.samples_classify import reviews, waves
from unrolled.tasks.classify import baselines
from unrolled.tasks.classify.baselines import (
    Bag,
    KnownSeries,
    Majority,
    Neighbour,
    WarpedNeighbour,
    baselines_of,
    kept_by,
    known_from,
    learned,
    resampled,
)
from unrolled.tasks.classify.config import ClassifyConfig
from unrolled.tasks.classify.examples import Examples, Form
from unrolled.tasks.classify.score import figures_of
from unrolled.tasks.classify.sound import at_rate, log_mel, mel_filters
from unrolled.tasks.classify.warping import cells_of, warped_distances


@pytest.mark.parametrize(("classes", "count"), [(2, 1), (3, 50), (9, 20), (5, 400)])
def test_figures_are_those_of_scikit_learn(classes: int, count: int) -> None:
    generator = torch.Generator().manual_seed(count)
    targets = torch.randint(classes, (count,), generator=generator)
    noise = torch.randint(classes, (count,), generator=generator)
    chosen = torch.where(torch.rand(count, generator=generator) < 0.6, targets, noise)
    names = [f"class {place}" for place in range(classes)]
    ours = figures_of(targets, chosen, names)
    assert ours["accuracy"] == pytest.approx(accuracy_score(targets, chosen), abs=1e-12)
    assert ours["macro_f1"] == pytest.approx(f1_score(targets, chosen, average="macro", zero_division=0), abs=1e-12)
    labels = list(range(classes))
    assert ours["confusion"] == confusion_matrix(targets, chosen, labels=labels).tolist()
    theirs = precision_recall_fscore_support(targets, chosen, labels=labels, zero_division=0)
    for name, column in zip(("precision", "recall", "f1", "support"), theirs, strict=True):
        assert [one[name] for one in ours["classes"].values()] == pytest.approx(list(column), abs=1e-12)
    assert (ours["examples"], ours["labels"]) == (count, names)


def mel_by_hand(wave: np.ndarray, rate: int, mels: int) -> np.ndarray:
    """Log-mel frames from scipy's short-time transform, its scale taken out, band by band."""
    size, hop = rate // 40, rate // 100
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = stft(wave, rate, "hann", size, size - hop, nfft=size, boundary=None, padded=False)
    frequencies, spectrum = found[0], found[2]
    window = 0.5 * (1 - np.cos(2 * np.pi * np.arange(size) / size))
    power = np.abs(spectrum * window.sum()) ** 2  # (bins, T)
    top = 1127 * math.log(1 + rate / 1400)
    edges = [700 * (math.exp(top * place / (mels + 1) / 1127) - 1) for place in range(mels + 2)]
    bands = []
    for low, middle, high in zip(edges[:-2], edges[1:-1], edges[2:], strict=True):
        shape = np.interp(frequencies, [low, middle, high], [0, 1, 0], left=0, right=0)
        bands.append((shape[:, None] * power).sum(0))
    return np.log(np.maximum(np.array(bands).T, 1e-10))


@pytest.mark.parametrize(("rate", "mels"), [(8000, 40), (16000, 26), (48000, 64)])
def test_log_mel_frames_are_those_of_another_computation(rate: int, mels: int) -> None:
    wave = np.random.default_rng(rate).normal(size=rate // 3).astype(np.float32) * 0.1
    ours, theirs = log_mel(wave, rate, mels).numpy(), mel_by_hand(wave, rate, mels)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_a_tone_lies_in_its_band() -> None:
    rate, hertz = 16000, 1000
    wave = np.sin(2 * np.pi * hertz * np.arange(rate) / rate).astype(np.float32)
    band = int(log_mel(wave, rate, 40).mean(0).argmax())
    centre = 700 * (10 ** (2595 * math.log10(1 + 8000 / 700) * (band + 1) / 41 / 2595) - 1)
    assert abs(centre - hertz) < 100
    assert mel_filters(rate, 400, 40).shape == (40, 201)


def test_short_and_silent_sounds_have_frames() -> None:
    assert log_mel(np.zeros(3, dtype=np.float32), 8000, 40).shape == (1, 40)
    assert torch.isfinite(log_mel(np.zeros(8000, dtype=np.float32), 8000, 40)).all()


def test_a_sound_at_another_rate_is_the_same_sound() -> None:
    slow, fast = (np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32) for rate in (8000, 48000))
    assert np.array_equal(at_rate(slow, 8000, 8000), slow)
    np.testing.assert_allclose(at_rate(fast, 48000, 8000)[100:-100], slow[100:-100], atol=0.01)


def test_the_majority_is_the_class_of_most_examples() -> None:
    assert Majority([3, 7, 2]).choose(["a"] * 4).tolist() == [1] * 4


@pytest.mark.parametrize("by_word", [True, False])
def test_a_bag_tells_what_a_word_tells(by_word: bool) -> None:
    texts, labels = zip(*reviews(), strict=True)
    targets = torch.tensor([int(label == "good") for label in labels])
    bag = Bag.learned(texts, targets, by_word, lower=True)
    for one in (bag, known_from(bag.kept())):
        assert torch.equal(one.choose(texts), targets)
        assert one.choose(["LOVELY", "awful"]).tolist() == [1, 0]
        assert ("words" in one.name) == by_word


def test_the_nearest_neighbour_is_the_nearest() -> None:
    series, labels = waves(30)
    inputs = [torch.from_numpy(one) for one in series]
    targets = torch.tensor([int(label == "fast") for label in labels])
    series_known = KnownSeries.learned(inputs[:20], targets[:20], pictures=False, seed=1)
    finder = Neighbour(series_known)
    values = np.concatenate(series[:20])
    standard = [(one - values.mean(0)) / values.std(0) for one in series]
    rows = [np.stack([np.interp(np.linspace(0, len(one) - 1, series_known.steps), np.arange(len(one)), channel)
                      for channel in one.T], 1) for one in standard]  # fmt: skip
    near = [min(range(20), key=lambda place: float(((rows[place] - row) ** 2).sum())) for row in rows[20:]]
    assert finder.choose(inputs[20:]).tolist() == targets[near].tolist()
    assert f"{series_known.steps} steps" in finder.name


@pytest.mark.parametrize(("steps", "band", "channels"), [(1, 1, 1), (7, 0, 2), (7, 1, 1), (8, 3, 2), (6, 6, 3)])
def test_warped_distances_are_those_of_the_plain_recursion(steps: int, band: int, channels: int) -> None:
    draw = np.random.default_rng(steps + band)
    queries, known = (draw.normal(size=(count, steps, channels)).astype(np.float32) for count in (3, 5))

    def least(one: np.ndarray, other: np.ndarray, i: int, j: int) -> float:
        if i < 0 or j < 0 or abs(i - j) > band:
            return 0.0 if i == j == -1 else math.inf
        ways = ((i - 1, j - 1), (i - 1, j), (i, j - 1))
        return float(((one[i] - other[j]) ** 2).sum()) + min(least(one, other, *way) for way in ways)

    expected = [[least(one, other, steps - 1, steps - 1) for other in known] for one in queries]
    assert warped_distances(queries, known, band) == pytest.approx(np.array(expected), rel=1e-4, abs=1e-4)
    cells = sum(abs(i - j) <= band for i in range(steps) for j in range(steps))
    assert cells_of(steps, band) == cells


def test_the_warped_neighbour_knows_a_shape_that_comes_a_little_later() -> None:
    """A step up and a step down, early or late: Euclid sees when, warping sees what."""

    def bump(start: int, height: float) -> torch.Tensor:
        series = torch.zeros(40, 1)
        series[start : start + 6] = height
        return series

    inputs, targets = [bump(14, 1.0), bump(18, -0.2), bump(22, -1.0)], torch.tensor([0, 1, 2])
    queries = [bump(18, 1.0), bump(19, -1.0)]
    known = KnownSeries.learned(inputs, targets, pictures=False, seed=1)
    assert Neighbour(known).choose(queries).tolist() != [0, 2]
    finder = WarpedNeighbour(known, seed=1, queries=2)
    assert finder.choose(queries).tolist() == [0, 2]
    assert finder.name == "1-nearest neighbour (DTW, band 4 of 40 steps)"


def test_warping_takes_no_more_time_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = [torch.randn(20, 1) for _ in range(300)]
    targets = torch.arange(300) % 2
    train = Examples(Form("series", 1), inputs, [str(int(one)) for one in targets], lambda _: "", "", "")

    def named(queries: int) -> list[str]:
        known = learned(train, targets, ClassifyConfig())
        return [one.name for one in baselines_of(known, [150, 150], 1, queries)]

    monkeypatch.setattr(baselines, "WARPED_CELLS", 300 * 50 * cells_of(20, 2))
    assert named(50)[2] == "1-nearest neighbour (DTW, band 2 of 20 steps)"
    assert named(100)[2] == "1-nearest neighbour (DTW, band 2 of 20 steps, of 150 examples)"
    assert len(named(151)) == 2


def test_a_series_is_resampled_between_its_ends() -> None:
    values = np.array([[0.0], [1.0], [4.0]])
    assert resampled(values, 5)[:, 0].tolist() == [0.0, 0.5, 1.0, 2.5, 4.0]
    assert resampled(values[:1], 3)[:, 0].tolist() == [0.0] * 3


def test_several_classes_are_told_apart_as_scikit_learn_tells_them() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = ["red round", "red square", "blue round", "blue square", "green thin", "green fat"]
    texts = [f"{one} {other}" for one in words for other in words]
    targets = torch.tensor([("red", "blue", "green").index(text.split()[0]) for text in texts])
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True)
    expected = LogisticRegression(C=10.0).fit(vectorizer.fit_transform(texts), targets.numpy())
    asked = ["red", "thin", "blues", "a green one", "zzz"]
    found = Bag.learned(texts, targets, by_word=False, lower=True).choose(asked)
    assert found.tolist() == expected.predict(vectorizer.transform(asked)).tolist()


def test_what_is_large_stays_out_of_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    known = KnownSeries.learned([torch.randn(20, 3) for _ in range(10)], torch.arange(10) % 2, False, 1)
    kept = kept_by(known)
    assert kept is not None
    monkeypatch.setattr(baselines, "LARGEST", kept.size - 1)
    assert kept_by(known) is None

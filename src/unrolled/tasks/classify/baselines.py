"""What a sensible person would try first: the most frequent class, bags of words, the nearest neighbour."""

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.tasks.classify.config import ClassifyConfig
from unrolled.tasks.classify.examples import Examples
from unrolled.tasks.classify.warping import cells_of, warped_distances
from unrolled.tasks.classify.words import WORD
from unrolled.tasks.estimator import Kept, KnowledgeError

MAJORITY = "majority class"
NEIGHBOURS = 20_000
"""Examples at most that a nearest neighbour is looked for among."""
STEPS = 100
"""Steps at most that a series is brought to for its neighbours."""
BAND = 0.1
"""How far time may be warped, as a share of the steps."""
WARPED_CELLS = 1_000_000_000
"""Pairs of steps at most that are compared by warping, eight seconds or so; of more training series some are drawn."""
FEWEST = 100
"""Training series that are to be left then; with fewer there is no such baseline."""
GRAMS = 100_000
"""Words, pairs and runs of characters at most that a bag holds."""
LARGEST = 64_000_000
"""Bytes at most that go into a model's folder."""
MANY_CLASSES = "The number of unique classes"
"""How scikit-learn's warning begins that there are nearly as many classes as examples."""


class Baseline(Protocol):
    """A method that was shown the training data."""

    name: str

    def choose(self, inputs: Sequence[Any]) -> Tensor:
        """The places of the classes chosen, (N,)."""
        ...


class Majority:
    """Always the most frequent class of the training data."""

    name = MAJORITY

    def __init__(self, counts: Sequence[int]) -> None:
        self.place = int(np.argmax(counts))

    def choose(self, inputs: Sequence[Any]) -> Tensor:
        """See :class:`Baseline`."""
        return torch.full((len(inputs),), self.place)


class Bag:
    """Logistic regression over how often (tf-idf) words and pairs of words come, or runs of 1 to 4 characters.

    Args:
        terms: What is counted, in order.
        numbers: ``idf`` (F,), ``weights`` (C, F), ``offsets`` (C,) and ``classes`` (C,), the classes' places; of two
            classes one row of weights is for the second.
        by_word: Whether terms are words and pairs of words.
        lower: Whether texts are read as lower case.
    """

    def __init__(self, terms: Sequence[str], numbers: Mapping[str, Tensor], by_word: bool, lower: bool) -> None:
        self.name = f"bag of {'words and pairs' if by_word else '1 to 4 characters'} + logistic regression"
        self.terms, self.numbers, self.by_word, self.lower = terms, numbers, by_word, lower

    @classmethod
    def learned(cls, texts: Sequence[str], targets: Tensor, by_word: bool, lower: bool) -> Self:
        """Count, and fit."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        vectorizer = _vectorizer(by_word, lower)
        regression = LogisticRegression(C=10.0, max_iter=100)
        vectors = vectorizer.fit_transform(texts)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # near enough for a baseline
            warnings.filterwarnings("ignore", MANY_CLASSES)
            regression.fit(vectors, targets.numpy())
        found = {"idf": vectorizer.idf_, "weights": regression.coef_, "offsets": regression.intercept_}
        numbers = {name: torch.as_tensor(value, dtype=torch.float32) for name, value in found.items()}
        numbers["classes"] = torch.as_tensor(regression.classes_)
        return cls(vectorizer.get_feature_names_out().tolist(), numbers, by_word, lower)

    def choose(self, inputs: Sequence[str]) -> Tensor:
        """See :class:`Baseline`."""
        vectorizer = _vectorizer(self.by_word, self.lower, self.terms)
        vectorizer.idf_ = self.numbers["idf"].double().numpy()
        weights, offsets = (self.numbers[name].double().numpy() for name in ("weights", "offsets"))
        scores = vectorizer.transform(inputs) @ weights.T + offsets  # (N, C), of two classes (N, 1)
        best = scores.argmax(1) if scores.shape[1] > 1 else (scores[:, 0] > 0).astype(int)
        return self.numbers["classes"][torch.from_numpy(best)]

    def kept(self) -> Kept:
        """What :meth:`of` makes it from."""
        said = {"kind": "bag", "terms": self.terms, "by_word": self.by_word, "lower": self.lower}
        return Kept(dict(self.numbers), json.dumps(said, ensure_ascii=False))

    def methods(self, queries: int, seed: int) -> list[Baseline]:  # noqa: ARG002 (a bag is a bag)
        """Itself."""
        return [self]


def _vectorizer(by_word: bool, lower: bool, terms: Sequence[str] | None = None) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    cut: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (1, 4)}
    if by_word:
        cut = {"tokenizer": WORD.findall, "token_pattern": None, "ngram_range": (1, 2)}
    most = GRAMS if terms is None else None
    return TfidfVectorizer(lowercase=lower, sublinear_tf=True, max_features=most, vocabulary=terms, **cut)


class KnownSeries:
    """Training series of one number of steps, from which the nearest is taken.

    Args:
        numbers: ``rows`` (N, T, D), float32, brought to mean 0 and deviation 1; ``targets`` (N,); ``mean`` and
            ``deviation`` (D,) of each channel, of pictures (1,).
        pictures: Whether they are pictures, for which time is not warped.
        drawn: A word where they are not all.
    """

    def __init__(self, numbers: Mapping[str, Tensor], pictures: bool, drawn: str = "") -> None:
        self.numbers, self.pictures, self.drawn = numbers, pictures, drawn
        self.known: NDArray[np.float32] = numbers["rows"].numpy()
        self.targets = numbers["targets"]
        self.steps = self.known.shape[1]

    @classmethod
    def learned(cls, inputs: Sequence[Tensor], targets: Tensor, pictures: bool, seed: int) -> Self:
        """From training series (T_n, D), of which some are drawn where they are many."""
        places, drawn = _drawn(len(inputs), NEIGHBOURS, seed)
        inputs = [inputs[place] for place in places]
        steps = min(STEPS, int(np.median([len(one) for one in inputs])))
        values = np.concatenate([one.double().numpy() for one in inputs])
        axis = None if pictures else 0
        mean, deviation = (np.atleast_1d(one) for one in (np.nanmean(values, axis), np.nanstd(values, axis)))
        scale = {"mean": mean, "deviation": np.where(deviation > 0, deviation, 1.0)}
        numbers = {name: torch.from_numpy(value) for name, value in scale.items()}
        rows = torch.from_numpy(_standard(inputs, numbers, steps))
        return cls(numbers | {"rows": rows, "targets": targets[torch.from_numpy(places)]}, pictures, drawn)

    def rows(self, inputs: Sequence[Tensor]) -> NDArray[np.float32]:
        """Other series in the same form, (N, T, D)."""
        return _standard(inputs, self.numbers, self.steps)

    def kept(self) -> Kept:
        """What :meth:`of` makes it from."""
        said = {"kind": "series", "pictures": self.pictures, "drawn": self.drawn}
        return Kept(dict(self.numbers), json.dumps(said))

    def methods(self, queries: int, seed: int) -> list[Baseline]:
        """The neighbours that can be found for so many series."""
        found: list[Baseline] = [Neighbour(self)]
        if not self.pictures:
            warped = WarpedNeighbour(self, seed, queries)
            found += [warped] if warped.most >= min(FEWEST, len(self.known)) else []
        return found


def _standard(inputs: Sequence[Tensor], scale: Mapping[str, Tensor], steps: int) -> NDArray[np.float32]:
    mean, deviation = scale["mean"].numpy(), scale["deviation"].numpy()
    even = (np.nan_to_num((one.double().numpy() - mean) / deviation, nan=0.0) for one in inputs)
    return np.stack([resampled(one, steps) for one in even]).astype(np.float32)


class Neighbour:
    """The class of the nearest training series: Euclidean distance of all, resampled to as many steps."""

    def __init__(self, series: KnownSeries) -> None:
        self.series = series
        self.name = f"1-nearest neighbour (Euclidean, {series.steps} steps{series.drawn})"

    def choose(self, inputs: Sequence[Tensor]) -> Tensor:
        """See :class:`Baseline`."""
        from sklearn.neighbors import NearestNeighbors

        known, rows = (one.reshape(len(one), -1) for one in (self.series.known, self.series.rows(inputs)))
        finder = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(known)
        nearest = finder.kneighbors(rows, return_distance=False)[:, 0]
        return self.series.targets[torch.from_numpy(nearest)]


class WarpedNeighbour:
    """The class of the training series that is nearest by dynamic time warping, of all resampled to as many steps.

    The literature's baseline for series (Bagnall et al. 2017, The great time series classification bake off). The band
    is a tenth of the steps.

    Attributes:
        most: How many training series can be compared with so many queries within :data:`WARPED_CELLS`.
    """

    def __init__(self, series: KnownSeries, seed: int, queries: int) -> None:
        self.series, self.band = series, max(1, round(series.steps * BAND))
        self.most = WARPED_CELLS // (cells_of(series.steps, self.band) * max(queries, 1))
        self.places, drawn = _drawn(len(series.known), self.most, seed)
        self.name = f"1-nearest neighbour (DTW, band {self.band} of {series.steps} steps{drawn or series.drawn})"

    def choose(self, inputs: Sequence[Tensor]) -> Tensor:
        """See :class:`Baseline`."""
        distances = warped_distances(self.series.rows(inputs), self.series.known[self.places], self.band)
        return self.series.targets[torch.from_numpy(self.places[distances.argmin(1)])]


def _drawn(count: int, most: int, seed: int) -> tuple[NDArray[np.int64], str]:
    """The places of so many examples at most, by chance; and a word where there were more."""
    if count <= most:
        return np.arange(count), ""
    return np.random.default_rng(seed).choice(count, most, replace=False), f", of {most:,} examples"


def resampled(values: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """A series (T, D) read at ``steps`` times, evenly from its first step to its last, linear between steps."""
    if len(values) == steps:
        return values
    times = np.linspace(0, len(values) - 1, steps)
    low = np.floor(times).astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    share = (times - low)[:, None]
    return values[low] * (1 - share) + values[high] * share


Known = Bag | KnownSeries


def learned(train: Examples, targets: Tensor, config: ClassifyConfig) -> Known | None:
    """What the methods that fit the data know of the training part; nothing where they are not asked for."""
    if not config.baselines:
        return None
    if train.form.kind == "text":
        return Bag.learned(train.inputs, targets, config.unit == "word", config.lowers)
    return KnownSeries.learned(train.inputs, targets, train.form.kind == "pictures", config.seed)


def kept_by(known: Known | None) -> Kept | None:
    """What goes into the model's folder; nothing where it is large."""
    kept = None if known is None else known.kept()
    return None if kept is None or kept.size > LARGEST else kept


def known_from(kept: Kept) -> Known:
    """What :func:`kept_by` gave, again. Raises KnowledgeError where it is damaged."""
    try:
        said = json.loads(kept.said)
        if said["kind"] == "bag":
            return Bag(list(said["terms"]), kept.tensors, bool(said["by_word"]), bool(said["lower"]))
        return KnownSeries(kept.tensors, bool(said["pictures"]), str(said["drawn"]))
    except (ValueError, KeyError, TypeError) as error:
        raise KnowledgeError(f"{type(error).__name__} {error}") from None


def baselines_of(known: Known | None, counts: Sequence[int], seed: int, queries: int) -> list[Baseline]:
    """The methods that there are, to be asked about so many examples."""
    return [Majority(counts), *(known.methods(queries, seed) if known else ())]

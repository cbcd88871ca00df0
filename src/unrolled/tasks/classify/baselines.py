"""What a sensible person would try first: the most frequent class, bags of words, the nearest neighbour."""

import warnings
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.tasks.classify.config import ClassifyConfig
from unrolled.tasks.classify.examples import Examples
from unrolled.tasks.classify.warping import cells_of, warped_distances
from unrolled.tasks.classify.words import WORD

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
    """Logistic regression over how often (tf-idf) words and pairs of words come, or runs of 1 to 4 characters."""

    def __init__(self, texts: Sequence[str], targets: Tensor, by_word: bool, lower: bool) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        self.name = f"bag of {'words and pairs' if by_word else '1 to 4 characters'} + logistic regression"
        cut: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (1, 4)}
        if by_word:
            cut = {"tokenizer": WORD.findall, "token_pattern": None, "ngram_range": (1, 2)}
        self.vectorizer = TfidfVectorizer(lowercase=lower, sublinear_tf=True, max_features=GRAMS, **cut)
        self.regression = LogisticRegression(C=10.0, max_iter=100)
        vectors = self.vectorizer.fit_transform(texts)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # near enough for a baseline
            warnings.filterwarnings("ignore", MANY_CLASSES)
            self.regression.fit(vectors, targets.numpy())

    def choose(self, inputs: Sequence[str]) -> Tensor:
        """See :class:`Baseline`."""
        return torch.as_tensor(self.regression.predict(self.vectorizer.transform(inputs)))


class _Resampled:
    """Training series of one number of steps: channels brought to mean 0 and deviation 1; pictures, as whole."""

    def __init__(self, inputs: Sequence[Tensor], together: bool) -> None:
        self.steps = min(STEPS, int(np.median([len(one) for one in inputs])))
        values = np.concatenate([one.double().numpy() for one in inputs])
        axis = None if together else 0
        self.mean, deviation = np.nanmean(values, axis), np.nanstd(values, axis)
        self.deviation = np.where(deviation > 0, deviation, 1.0)

    def rows(self, inputs: Sequence[Tensor]) -> NDArray[np.float32]:
        """Series as (N, T, D)."""
        return np.stack([resampled(self._standard(one), self.steps) for one in inputs]).astype(np.float32)

    def _standard(self, one: Tensor) -> NDArray[np.float64]:
        return np.nan_to_num((one.double().numpy() - self.mean) / self.deviation, nan=0.0)


class Neighbour:
    """The class of the nearest training series: Euclidean distance of all, resampled to as many steps."""

    def __init__(self, inputs: Sequence[Tensor], targets: Tensor, together: bool, seed: int) -> None:
        from sklearn.neighbors import KNeighborsClassifier

        inputs, targets, drawn = _drawn(inputs, targets, NEIGHBOURS, seed)
        self.form = _Resampled(inputs, together)
        self.name = f"1-nearest neighbour (Euclidean, {self.form.steps} steps{drawn})"
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", MANY_CLASSES)
            self.finder = KNeighborsClassifier(1, algorithm="brute").fit(self._rows(inputs), targets.numpy())

    def _rows(self, inputs: Sequence[Tensor]) -> NDArray[np.float32]:
        return self.form.rows(inputs).reshape(len(inputs), -1)

    def choose(self, inputs: Sequence[Tensor]) -> Tensor:
        """See :class:`Baseline`."""
        return torch.as_tensor(self.finder.predict(self._rows(inputs)))


class WarpedNeighbour:
    """The class of the training series that is nearest by dynamic time warping, of all resampled to as many steps.

    The literature's baseline for series (Bagnall et al. 2017, The great time series classification bake off). The band
    is a tenth of the steps.

    Attributes:
        most: How many training series can be compared with so many queries within :data:`WARPED_CELLS`.
    """

    def __init__(self, inputs: Sequence[Tensor], targets: Tensor, seed: int, queries: int) -> None:
        self.form = _Resampled(inputs, together=False)
        self.band = max(1, round(self.form.steps * BAND))
        self.most = WARPED_CELLS // (cells_of(self.form.steps, self.band) * max(queries, 1))
        inputs, self.targets, drawn = _drawn(inputs, targets, self.most, seed)
        self.known = self.form.rows(inputs) if inputs else np.empty(0, dtype=np.float32)
        self.name = f"1-nearest neighbour (DTW, band {self.band} of {self.form.steps} steps{drawn})"

    def choose(self, inputs: Sequence[Tensor]) -> Tensor:
        """See :class:`Baseline`."""
        distances = warped_distances(self.form.rows(inputs), self.known, self.band)
        return self.targets[torch.from_numpy(distances.argmin(1))]


def _drawn(inputs: Sequence[Tensor], targets: Tensor, most: int, seed: int) -> tuple[Sequence[Tensor], Tensor, str]:
    """So many examples at most, by chance; and a word where there were more."""
    if len(inputs) <= most:
        return inputs, targets, ""
    places = np.random.default_rng(seed).choice(len(inputs), most, replace=False)
    return [inputs[place] for place in places], targets[torch.from_numpy(places)], f", of {most:,} examples"


def resampled(values: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """A series (T, D) read at ``steps`` times, evenly from its first step to its last, linear between steps."""
    if len(values) == steps:
        return values
    times = np.linspace(0, len(values) - 1, steps)
    low = np.floor(times).astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    share = (times - low)[:, None]
    return values[low] * (1 - share) + values[high] * share


def baselines_of(
    train: Examples, targets: Tensor, counts: Sequence[int], config: ClassifyConfig, queries: int
) -> list[Baseline]:
    """The methods that fit the data, each shown the training part, to be asked about so many examples."""
    found: list[Baseline] = [Majority(counts)]
    if not config.baselines:
        return found
    if train.form.kind == "text":
        return [*found, Bag(train.inputs, targets, config.unit == "word", config.lowers)]
    pictures = train.form.kind == "pictures"
    found.append(Neighbour(train.inputs, targets, pictures, config.seed))
    if not pictures:
        warped = WarpedNeighbour(train.inputs, targets, config.seed, queries)
        found += [warped] if warped.most >= min(FEWEST, len(train)) else []
    return found

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
from unrolled.tasks.classify.words import WORD

MAJORITY = "majority class"
NEIGHBOURS = 20_000
"""Examples at most that a nearest neighbour is looked for among."""
STEPS = 100
"""Steps at most that a series is brought to for its neighbours."""
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


class Neighbour:
    """The class of the nearest training series: Euclidean distance of all, resampled to as many steps.

    Channels are brought to mean 0 and deviation 1 first; pictures, as whole.
    """

    def __init__(self, inputs: Sequence[Tensor], targets: Tensor, together: bool, seed: int) -> None:
        from sklearn.neighbors import KNeighborsClassifier

        self.steps = min(STEPS, int(np.median([len(one) for one in inputs])))
        self.name = f"1-nearest neighbour (Euclidean, {self.steps} steps)"
        if len(inputs) > NEIGHBOURS:
            places = np.random.default_rng(seed).choice(len(inputs), NEIGHBOURS, replace=False)
            inputs, targets = [inputs[place] for place in places], targets[torch.from_numpy(places)]
            self.name = f"1-nearest neighbour (Euclidean, {self.steps} steps, of {NEIGHBOURS:,} examples)"
        values = np.concatenate([one.double().numpy() for one in inputs])
        axis = None if together else 0
        self.mean, deviation = np.nanmean(values, axis), np.nanstd(values, axis)
        self.deviation = np.where(deviation > 0, deviation, 1.0)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", MANY_CLASSES)
            self.finder = KNeighborsClassifier(1, algorithm="brute").fit(self._rows(inputs), targets.numpy())

    def _rows(self, inputs: Sequence[Tensor]) -> NDArray[np.float32]:
        return np.stack([resampled(self._standard(one), self.steps).ravel() for one in inputs]).astype(np.float32)

    def _standard(self, one: Tensor) -> NDArray[np.float64]:
        return np.nan_to_num((one.double().numpy() - self.mean) / self.deviation, nan=0.0)

    def choose(self, inputs: Sequence[Tensor]) -> Tensor:
        """See :class:`Baseline`."""
        return torch.as_tensor(self.finder.predict(self._rows(inputs)))


def resampled(values: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """A series (T, D) read at ``steps`` times, evenly from its first step to its last, linear between steps."""
    if len(values) == steps:
        return values
    times = np.linspace(0, len(values) - 1, steps)
    low = np.floor(times).astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    share = (times - low)[:, None]
    return values[low] * (1 - share) + values[high] * share


def baselines_of(train: Examples, targets: Tensor, counts: Sequence[int], config: ClassifyConfig) -> list[Baseline]:
    """The methods that fit the data, each shown the training part."""
    majority = Majority(counts)
    if not config.baselines:
        return [majority]
    if train.form.kind == "text":
        return [majority, Bag(train.inputs, targets, config.unit == "word", config.lowers)]
    return [majority, Neighbour(train.inputs, targets, train.form.kind == "pictures", config.seed)]

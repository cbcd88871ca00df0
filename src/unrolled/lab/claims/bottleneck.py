"""L10: an encoder-decoder with and without attention, by the length of what it reads."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from unrolled.data.parallel import Pair, Sides, read_pairs
from unrolled.lab.experiment import Bench, Experiment, Result, Run, Setting, Table, Verdict, by
from unrolled.lab.figure import figure, styles
from unrolled.lab.measure import spread
from unrolled.lab.tasks import files_of, train
from unrolled.tasks.edits import edit_distance
from unrolled.tasks.estimator import Sources
from unrolled.tasks.translate.model import TranslateModel

ATTENTIONS = ("none", "bilinear")
LETTERS = "abcdefgh"
SETS: Mapping[str, tuple[str, str, int]] = {
    "spelling": ("cmudict_g2p", "translate.spelling", 2),
    "multi30k": ("multi30k_en_de_fr", "translate.multi30k", 4),
}
"""Real sets: the data folder's name, the preparer, and how many tokens of length stand together."""
_PLAIN = {"dropout_input": 0.0, "dropout_output": 0.0, "beam": 1, "length_penalty": 0.0, "patience": 100}
_REAL: Mapping[str, Mapping[str, Any]] = {
    "spelling": {
        "unit": "char",
        "target_unit": "word",
        "alternatives": True,
        "hidden": 128,
        "embedding": 64,
        "batch": 128,
    }
    | {"steps": 3000, "beam": 1, "patience": 100},
    "multi30k": {"unit": "bpe", "lower": True, "vocabulary": 4000, "hidden": 192, "embedding": 192, "tie": True}
    | {"steps": 3000, "beam": 1, "rate": 4e-3, "dropout_input": 0.3, "dropout_output": 0.4, "patience": 100},
}


def grid(quick: bool) -> Sequence[Setting]:
    reverse = {"task": "reverse", "longest": 12 if quick else 40, "pairs": 3000 if quick else 20000, "tested": 20}
    reverse |= {"hidden": 48 if quick else 96, "steps": 350 if quick else 4000, "rate": 1e-2 if quick else 5e-3}
    settings = [{**reverse, "attention": attention} for attention in ATTENTIONS]
    if quick:
        return settings
    real = [
        {"task": task, "data": name, "attention": attention, **_REAL[task]}
        for task, (name, _, _) in SETS.items()
        for attention in ATTENTIONS
    ]
    return settings + real


def make(setting: Setting, seed: int, bench: Bench) -> Result:
    if setting["task"] == "reverse":
        return _reverse(setting, seed, bench)
    _, prepare, width = SETS[setting["task"]]
    settings = {name: value for name, value in setting.items() if name not in ("task", "data")} | {"seed": seed}
    with files_of(bench.data, prepare) as files:
        assert files is not None
        sources = Sources(*(files / f"{split}.tsv" for split in ("train", "valid")))
        model = train(TranslateModel, sources, settings, bench)
        pairs = read_pairs(files / "test.tsv", Sides(None, None)).pairs
    return {"errors": error_rates(model, pairs, width, alternatives=setting.get("alternatives", False))}


def _reverse(setting: Setting, seed: int, bench: Bench) -> Result:
    longest, count = setting["longest"], setting["pairs"]
    lengths = [1 + place % longest for place in range(count)]
    settings = _PLAIN | {"unit": "char", "embedding": 16, "batch": 64, "seed": seed, "attention": setting["attention"]}
    settings |= {name: setting[name] for name in ("hidden", "steps", "rate")}
    sources = Sources(reversals(lengths, seed), reversals(lengths[:64], seed + 1000))
    model = train(TranslateModel, sources, settings, bench)
    tested = [1 + place for place in range(longest) for _ in range(setting["tested"])]
    return {"errors": error_rates(model, reversals(tested, seed + 2000), 1)}


def reversals(lengths: Sequence[int], seed: int) -> list[Pair]:
    """Random letters of the lengths that are asked for, and the same backwards."""
    generator, pairs = torch.Generator().manual_seed(seed), []
    for length in lengths:
        places = torch.randint(len(LETTERS), (length,), generator=generator).tolist()
        text = "".join(LETTERS[place] for place in places)
        pairs.append(Pair(text, text[::-1]))
    return pairs


def error_rates(
    model: TranslateModel, pairs: Sequence[Pair], width: int, alternatives: bool = False
) -> list[list[float]]:
    """Edits over the tokens wanted, by the length of the source; lengths stand together in stretches of ``width``.

    Where several pairs with one source are ``alternatives``, the nearest target counts.
    """
    wanted: dict[Any, list[str]] = {}
    for place, pair in enumerate(pairs):
        wanted.setdefault((pair.source, None if alternatives else place), []).append(pair.target)
    sources, words = [key[0] for key in wanted], model.known.target.words
    edits: dict[int, list[int]] = {}
    for row, source, targets in zip(model.predict(sources), sources, wanted.values(), strict=True):
        mine = words(row["translation"])
        nearest = min((edit_distance(mine, words(one)), len(words(one))) for one in targets)
        length = len(model.known.source.words(source))
        counts = edits.setdefault((length - 1) // width * width + 1, [0, 0])
        counts[0], counts[1] = counts[0] + nearest[0], counts[1] + nearest[1]
    return [[length, wrong / max(1, total)] for length, (wrong, total) in sorted(edits.items())]


def _thirds(run: Run) -> tuple[float, float]:
    """The mean error rate over the shortest and over the longest third of the lengths."""
    errors = [error for _, error in run.result["errors"]]
    third = max(1, len(errors) // 3)
    return sum(errors[:third]) / third, sum(errors[-third:]) / third


def table(runs: Sequence[Run]) -> Table:
    columns = ("task", "attention", "error rate, shortest third", "longest third", "longest, tokens")
    rows = []
    for (task, attention), own in by(runs, "task", "attention").items():
        short, long = zip(*(_thirds(run) for run in own), strict=True)
        rows.append((task, attention, spread(short), spread(long), str(own[0].result["errors"][-1][0])))
    return Table(columns, rows)


def draw(runs: Sequence[Run]) -> Any:
    tasks = by(runs, "task")
    made, every = figure(len(tasks), width=5.0)
    for axes, (task, own) in zip(every, tasks.items(), strict=True):
        for (attention, lines), style in zip(by(own, "attention").items(), styles(), strict=False):
            for place, run in enumerate(lines):
                lengths, errors = zip(*run.result["errors"], strict=True)
                axes.plot(lengths, errors, label=f"attention: {attention}" if not place else None, alpha=0.8, **style)
        axes.set(title=task, xlabel="length of the source, tokens", ylabel="token error rate (edits over tokens)")
        axes.set_ylim(bottom=-0.02)
        axes.legend(fontsize=9)
    return made


def judge(runs: Sequence[Run]) -> Verdict:
    told, gains = [], {}
    for task, own in by(runs, "task").items():
        without, looking = ([_thirds(run) for run in by(own, "attention")[kind]] for kind in ATTENTIONS)
        gains[task] = [_mean(one) for one in (without, looking)]
        (short, long), (other_short, other_long) = gains[task]
        told.append(
            f"{task}: {short:.3f} to {long:.3f} without attention, {other_short:.3f} to {other_long:.3f} with it"
        )
    held = all(long > other and long > short for (short, long), (_, other) in gains.values())
    (short, long), (_, other) = gains["reverse"]
    says = f"token error rate, shortest to longest third of the lengths: {'; '.join(told)}"
    return Verdict(held, says, long > 1.5 * other and long > short)


def _mean(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    first, second = zip(*pairs, strict=True)
    return sum(first) / len(first), sum(second) / len(second)


BOTTLENECK = Experiment(
    "L10",
    "an encoder-decoder's single vector is a bottleneck that attention removes",
    "Cho et al. 2014, arXiv:1409.1259; Bahdanau, Cho & Bengio 2015, arXiv:1409.0473, section 5",
    "letters to be written backwards, spellings to phonemes, German to English: error rate by length of the source",
    grid,
    make,
    table,
    draw,
    judge,
    cost=lambda setting: setting["steps"] * {"reverse": 1, "spelling": 3, "multi30k": 15}[setting["task"]],
    seeds=(3, 1),
    robust=True,
)

"""How well classes are told: accuracy, precision, recall, F1 and who is taken for whom."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def confusion(targets: Tensor, chosen: Tensor, classes: int) -> Tensor:
    """How often each class (row) was taken for each (column), (C, C)."""
    return torch.bincount(targets * classes + chosen, minlength=classes * classes).reshape(classes, classes)


def figures_of(targets: Tensor, chosen: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """Accuracy, macro F1, and for each class its precision, recall, F1 and count.

    A precision without any choice, or a recall without any example, is 0; the macro F1 is the mean over classes that
    come among targets or choices.

    Args:
        targets: The places of the true classes, (N,).
        chosen: The places of the chosen ones, (N,).
        names: The classes.
    """
    counts = confusion(targets, chosen, len(names)).double()
    right, true, said = counts.diagonal(), counts.sum(1), counts.sum(0)
    precision, recall = right / said.clamp(min=1), right / true.clamp(min=1)
    f1 = 2 * right / (true + said).clamp(min=1)
    there = (true + said) > 0
    each = {
        name: {
            "precision": float(precision[place]),
            "recall": float(recall[place]),
            "f1": float(f1[place]),
            "support": int(true[place]),
        }
        for place, name in enumerate(names)
    }
    return short_figures(targets, chosen) | {
        "macro_f1": float(f1[there].mean()),
        "examples": len(targets),
        "classes": each,
        "labels": list(names),
        "confusion": counts.long().tolist(),
    }


def short_figures(targets: Tensor, chosen: Tensor) -> dict[str, float]:
    """The accuracy alone."""
    return {"accuracy": float((targets == chosen).double().mean())}


def baseline_figures(targets: Tensor, chosen: Tensor, names: Sequence[str]) -> dict[str, float]:
    """What is shown of a simple method: accuracy and macro F1."""
    whole = figures_of(targets, chosen, names)
    return {"accuracy": whole["accuracy"], "macro_f1": whole["macro_f1"]}

"""unrolled: recurrent networks whose cells are their equations.

``import unrolled`` costs next to nothing: each public name loads its room when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrolled.cells.library import LIBRARY, find_cell
    from unrolled.data.reading import load_text
    from unrolled.data.vocabulary import Vocabulary
    from unrolled.engine.explain import explain
    from unrolled.engine.scan import scan
    from unrolled.equations.cell import Cell
    from unrolled.equations.rewrite import (
        diagonal,
        drop_connect,
        layer_norm,
        learned_start,
        low_rank,
        variational_dropout,
        zoneout,
    )
    from unrolled.equations.text import EquationError
    from unrolled.errors import UnrolledError, UsageError
    from unrolled.inspection.look import inspect
    from unrolled.layers.accelerate import accelerate, restore
    from unrolled.layers.drop_in import GRU, LSTM, RNN
    from unrolled.layers.recurrent import Recurrent
    from unrolled.layers.torch_weights import from_torch, to_torch
    from unrolled.state import State
    from unrolled.tasks.caption.model import CaptionModel
    from unrolled.tasks.classify.model import ClassifyModel
    from unrolled.tasks.forecast.model import ForecastModel
    from unrolled.tasks.frames.model import FramesModel
    from unrolled.tasks.tag.model import TagModel
    from unrolled.tasks.text.model import TextModel
    from unrolled.tasks.translate.model import TranslateModel
    from unrolled.wirings.encoder_decoder import EncoderDecoder
    from unrolled.wirings.many_to_many import ManyToMany
    from unrolled.wirings.many_to_one import ManyToOne
    from unrolled.wirings.sampling import Sampling

_ROOMS = {
    "GRU": "layers.drop_in",
    "LIBRARY": "cells.library",
    "LSTM": "layers.drop_in",
    "RNN": "layers.drop_in",
    "CaptionModel": "tasks.caption.model",
    "Cell": "equations.cell",
    "ClassifyModel": "tasks.classify.model",
    "EncoderDecoder": "wirings.encoder_decoder",
    "EquationError": "equations.text",
    "ForecastModel": "tasks.forecast.model",
    "FramesModel": "tasks.frames.model",
    "ManyToMany": "wirings.many_to_many",
    "ManyToOne": "wirings.many_to_one",
    "Recurrent": "layers.recurrent",
    "Sampling": "wirings.sampling",
    "State": "state",
    "TagModel": "tasks.tag.model",
    "TextModel": "tasks.text.model",
    "TranslateModel": "tasks.translate.model",
    "UnrolledError": "errors",
    "UsageError": "errors",
    "Vocabulary": "data.vocabulary",
    "accelerate": "layers.accelerate",
    "diagonal": "equations.rewrite",
    "drop_connect": "equations.rewrite",
    "explain": "engine.explain",
    "find_cell": "cells.library",
    "from_torch": "layers.torch_weights",
    "inspect": "inspection.look",
    "layer_norm": "equations.rewrite",
    "learned_start": "equations.rewrite",
    "load_text": "data.reading",
    "low_rank": "equations.rewrite",
    "restore": "layers.accelerate",
    "scan": "engine.scan",
    "to_torch": "layers.torch_weights",
    "variational_dropout": "equations.rewrite",
    "zoneout": "equations.rewrite",
}
__all__ = [
    "GRU",
    "LIBRARY",
    "LSTM",
    "RNN",
    "CaptionModel",
    "Cell",
    "ClassifyModel",
    "EncoderDecoder",
    "EquationError",
    "ForecastModel",
    "FramesModel",
    "ManyToMany",
    "ManyToOne",
    "Recurrent",
    "Sampling",
    "State",
    "TagModel",
    "TextModel",
    "TranslateModel",
    "UnrolledError",
    "UsageError",
    "Vocabulary",
    "accelerate",
    "diagonal",
    "drop_connect",
    "explain",
    "find_cell",
    "from_torch",
    "inspect",
    "layer_norm",
    "learned_start",
    "load_text",
    "low_rank",
    "restore",
    "scan",
    "to_torch",
    "variational_dropout",
    "zoneout",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'unrolled' has no attribute {name!r}")
    value = getattr(import_module(f"unrolled.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])

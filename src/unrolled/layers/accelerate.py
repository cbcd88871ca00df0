"""accelerate and restore: torch.nn's recurrent modules inside any model made unrolled's, and back, in place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from unrolled.errors import UsageError
from unrolled.layers.drop_in import GRU, LSTM, RNN

_OURS: dict[type, type] = {nn.RNN: RNN, nn.LSTM: LSTM, nn.GRU: GRU}
_THEIRS: dict[type, type] = {ours: theirs for theirs, ours in _OURS.items()}
_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class Report:
    """What :func:`accelerate` or :func:`restore` did; printed, it is readable."""

    deed: str
    """What was done to the modules of ``swapped``."""
    swapped: tuple[str, ...]
    """Their names, as ``model.named_modules()`` gives them: the model itself is ``""``."""
    left: Mapping[str, str]
    """The recurrent modules that stay as they were: name to reason."""

    def __str__(self) -> str:
        lines = [f"{self.deed}: {', '.join(map(_shown, self.swapped)) or 'nothing'}"]
        return "\n".join([*lines, *(f"left: {_shown(name)}: {reason}" for name, reason in self.left.items())])


def accelerate(model: nn.Module) -> Report:
    """Make every torch.nn.RNN, LSTM and GRU inside ``model`` (or ``model`` itself) one of unrolled's, in place.

    A module stays the very same object, with its parameters, hooks, mode and names; its class alone changes, and with
    it ``forward``. So optimizers, references and saved weights remain good. :func:`restore` is the way back.

    Raises:
        UsageError: ``model`` is no module.
    """
    return _swap(model, _OURS, "now run by unrolled", _why_not_ours)


def restore(model: nn.Module) -> Report:
    """Give every unrolled.RNN, LSTM and GRU inside ``model`` torch.nn's class and forward again, in place.

    Raises:
        UsageError: ``model`` is no module.
    """
    report = _swap(model, _THEIRS, "now run by torch.nn", _why_not_theirs)
    for name in report.swapped:
        vars(model.get_submodule(name)).pop("backend", None)
    return report


def _swap(model: nn.Module, swaps: Mapping[type, type], deed: str, why_not: Callable[[nn.Module], str]) -> Report:
    if not isinstance(model, nn.Module):
        raise UsageError(f"a torch.nn.Module is wanted here, and this is a {type(model).__name__}.")
    swapped, left = [], {}
    for name, module in list(model.named_modules()):
        reason = why_not(module)
        if reason:
            left[name] = reason
        elif _own_class(module) in swaps:
            _become(module, swaps[_own_class(module)])
            swapped.append(name)
    return Report(deed, tuple(swapped), left)


def _own_class(module: nn.Module) -> type:
    """The class of a module; below it, where torch.nn.utils.parametrize put a class of its own in between."""
    return type(module).__bases__[0] if parametrize.is_parametrized(module) else type(module)


def _become(module: nn.Module, kind: type) -> None:
    if parametrize.is_parametrized(module):
        between = type(module)  # it holds the parametrized weights as properties, and goes on doing so
        kind = type(f"Parametrized{kind.__name__}", (kind,), dict(vars(between)))
    module.__class__ = kind


def _why_not_ours(module: nn.Module) -> str:
    """Why a recurrent module must stay as it is; empty where it need not, and for every other module."""
    kind = _own_class(module)
    if isinstance(module, torch.jit.ScriptModule):
        scripted = module.original_name in {"RNN", "LSTM", "GRU"}
        return "it is scripted; accelerate the model instead of scripting it" if scripted else ""
    if kind.__module__.startswith("torch.ao.") and kind.__name__ in {"RNN", "LSTM", "GRU"}:
        return f"it belongs to torch's quantization ({kind.__module__}.{kind.__name__}), and computes in its own way"
    if isinstance(module, nn.RNNCellBase):
        return f"{kind.__name__} does one step at a time; the loop over time is the model's own"
    if isinstance(module, tuple(_THEIRS)):
        return "it is one of unrolled's already"
    if not isinstance(module, nn.RNN | nn.LSTM | nn.GRU):
        return ""
    base = next(theirs for theirs in _OURS if isinstance(module, theirs))
    if kind.forward is not base.forward or "forward" in vars(module):
        where = "it" if "forward" in vars(module) else f"its class {kind.__name__}"
        return f"{where} has a forward of its own"
    if kind not in _OURS:
        return f"its class {kind.__name__} is derived from torch.nn.{base.__name__}; derive it from unrolled's"
    return _unfit_weights(module)


def _why_not_theirs(module: nn.Module) -> str:
    if isinstance(module, tuple(_THEIRS)) and _own_class(module) not in _THEIRS:
        return f"its class {_own_class(module).__name__} is derived from unrolled's"
    return ""


def _unfit_weights(module: nn.Module) -> str:
    for name, weight in module.named_parameters():
        if weight.dtype not in _DTYPES:
            return f"its {name} is {weight.dtype}; unrolled computes in {', '.join(map(str, _DTYPES))}"
        if type(weight) not in (Tensor, nn.Parameter):
            return f"its {name} is of class {type(weight).__name__}, no plain tensor"
    return ""


def _shown(name: str) -> str:
    return name or "the model itself"

"""Checkpoints to resume from: nested values and tensors in one safetensors file, written whole or not at all."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from unrolled.errors import UnrolledError
from unrolled.model_folder import write_whole

_KEY = "unrolled checkpoint"


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write nested dicts, lists, tuples, numbers, texts and tensors; nothing is pickled."""
    tensors: dict[str, Tensor] = {}
    layout = json.dumps(_pack(content, tensors))
    write_whole(path, save(tensors, {_KEY: layout}))


def load_checkpoint(path: Path, wanted: Collection[str] = ()) -> dict[str, Any]:
    """Read what :func:`save_checkpoint` wrote.

    Raises:
        UnrolledError: the file is missing, damaged or foreign, or lacks one of the ``wanted`` keys.
    """
    try:
        with safe_open(path, "pt") as file:
            layout = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
    except FileNotFoundError:
        raise UnrolledError(f"there is no checkpoint {path} to resume from.") from None
    except SafetensorError as error:
        raise UnrolledError(f"the checkpoint {path} is damaged ({error}).") from None
    except OSError as error:
        raise UnrolledError(f"the checkpoint {path} is damaged or no file ({error}).") from None
    if layout is None:
        raise UnrolledError(f"{path} is no checkpoint of unrolled.")
    try:
        content = _unpack(json.loads(layout), tensors)
    except (KeyError, TypeError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise UnrolledError(f"the checkpoint {path} is damaged (its layout does not fit its tensors).")
    if missing := [name for name in wanted if name not in content]:
        raise UnrolledError(f"the checkpoint {path} is no such checkpoint: it holds no '{missing[0]}'.")
    return content


def _pack(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"tensor": name}
    if isinstance(value, dict):
        return {"items": [[_pack(key, tensors), _pack(item, tensors)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_pack(item, tensors) for item in value]}
    if isinstance(value, list):
        return [_pack(item, tensors) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a checkpoint holds no {type(value).__name__}")


def _unpack(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_unpack(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return tensors[value["tensor"]]
    if "tuple" in value:
        return tuple(_unpack(item, tensors) for item in value["tuple"])
    return {_unpack(key, tensors): _unpack(item, tensors) for key, item in value["items"]}


def random_state() -> dict[str, Tensor]:
    """The state of torch's generators, on the processor and on every GPU."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states |= {str(index): state for index, state in enumerate(torch.cuda.get_rng_state_all())}
    return states


def restore_random_state(states: dict[str, Tensor]) -> None:
    """Put torch's generators where :func:`random_state` found them."""
    torch.set_rng_state(states["cpu"])
    if torch.cuda.is_available() and len(states) > 1:
        torch.cuda.set_rng_state_all([states[str(index)] for index in range(len(states) - 1)])

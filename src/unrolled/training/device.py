"""Where to compute and in which number format: Fabric, asked for what is really there."""

import torch

from unrolled.errors import UsageError, did_you_mean
from unrolled.training.config import TrainingConfig


def resolve_device(device: str) -> str:
    """The device that a setting means. Raises UsageError for one that this machine lacks."""
    known = ("auto", "cpu", "cuda", "mps")
    if device not in known:
        raise UsageError(f"there is no device '{device}'; choose from {', '.join(known)}.{did_you_mean(device, known)}")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there[device]:
        have = ", ".join(name for name, present in there.items() if present)
        raise UsageError(f"device {device} is asked for, and this machine has {have}; use --device auto.")
    return device


def make_fabric(config: TrainingConfig):
    """A Fabric for one device in the asked precision; in double precision the network is to be double itself.

    (Fabric's own "64-true" hands outputs and state back in single precision.)
    """
    from lightning.fabric import Fabric

    precision = "32-true" if config.precision == "64-true" else config.precision
    return Fabric(accelerator=resolve_device(config.device), devices=1, precision=precision)

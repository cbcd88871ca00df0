"""Which peer computes which cell, in which mode, up to which size, and what must be installed for it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from benchmarks.cases import CELLS, MODES, Case, Problem
from benchmarks.contender import Contender, LeftOut, Setting
from benchmarks.steps import RECIPES

OURS = "unrolled"


def _steps_up_to(most: int) -> Callable[[Case], str]:
    def too_long(case: Case) -> str:
        return f"its loop over time stays in Python: not run above T = {most}" if most < case.T else ""

    return too_long


@dataclass(frozen=True)
class Peer:
    """One kind of contender."""

    module: str
    """The file under ``benchmarks/peers/`` whose ``build`` makes it."""
    cells: tuple[str, ...]
    modes: tuple[str, ...] = MODES
    needs: tuple[str, ...] = ()
    """Packages to import beside torch."""
    variant: str = ""
    """Handed to ``build``."""
    too_big: Callable[[Case], str] = lambda case: ""
    """A reason to leave a case out, or nothing."""


_NN = ("lstm", "gru_reset_after", "elman")
_ONNX = ("lstm", "lstm_peephole", "gru_reset_after", "gru", "elman")
_KERAS = ("lstm", "gru_reset_after", "gru", "elman")

PEERS: dict[str, Peer] = {
    "torch.nn": Peer("torch_nn", _NN),
    "torch.nn compiled": Peer("torch_nn", _NN, variant="compiled"),
    "torch loop": Peer("torch_loop", tuple(RECIPES)),
    "torch loop, compiled step": Peer("torch_loop", tuple(RECIPES), variant="compiled", too_big=_steps_up_to(100)),
    "jax.lax.scan": Peer("jax_scan", tuple(RECIPES), needs=("jax",)),
    "onnxruntime": Peer("onnx_session", _ONNX, modes=("infer",), needs=("onnx", "onnxruntime")),
    "keras on torch": Peer("keras_process", _KERAS, needs=("keras",), variant="torch", too_big=_steps_up_to(1000)),
    "keras on jax": Peer("keras_process", _KERAS, needs=("keras", "jax"), variant="jax"),
    "torchrecurrent": Peer("torch_recurrent", ("lstm_peephole", "mgu", "indrnn"), needs=("torchrecurrent",)),
}


def missing(name: str) -> str:
    """Which packages a peer lacks here, in words; nothing where it can run."""
    absent = [package for package in PEERS[name].needs if find_spec(package) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def peers_of(cell: str, mode: str) -> list[str]:
    """The peers that compute a cell in a mode, installed or not."""
    return [name for name, peer in PEERS.items() if cell in peer.cells and mode in peer.modes]


def build(name: str, problem: Problem, mode: str, setting: Setting) -> Contender:
    """A peer's contender, or ours. Raises LeftOut with the reason where it does not run here."""
    if name == OURS:
        return import_module("benchmarks.peers.ours").build(OURS, problem, mode, setting, "")
    peer = PEERS[name]
    if reason := missing(name) or peer.too_big(problem.case):
        raise LeftOut(reason)
    return import_module(f"benchmarks.peers.{peer.module}").build(name, problem, mode, setting, peer.variant)


assert set(RECIPES) == set(CELLS)

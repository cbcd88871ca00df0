"""What a run is asked for: the command line's options, read once."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import CELLS, QUICK_CELLS, QUICK_SHAPES, SHAPES, Shape
from benchmarks.contender import Setting
from benchmarks.peers.table import PEERS

THEMES = ("layers", "step", "memory", "ragged")


@dataclass(frozen=True)
class Options:
    """One run."""

    theme: str
    quick: bool
    threads: int
    seed: int
    cells: tuple[str, ...]
    peers: tuple[str, ...]
    shapes: tuple[Shape, ...]
    minutes: float
    skip_tests: bool
    out: Path
    force: bool

    @property
    def setting(self) -> Setting:
        """What contenders need to know."""
        return Setting(self.threads, self.seed)

    @property
    def rounds(self) -> int:
        """Rounds in which each contender takes part at least."""
        return 3 if self.quick else 7


def read(arguments: list[str] | None = None) -> Options:
    """The options of a command line. Exits with 2 on wrong use."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Side by side with peers: in one run, interleaved, behind green tests."
    )
    parser.add_argument("theme", choices=THEMES)
    parser.add_argument("--quick", action="store_true", help="few cells and shapes, three rounds")
    parser.add_argument("--threads", type=int, default=2, help="threads, and processor cores, for everyone (default 2)")
    parser.add_argument("--seed", type=int, default=1, help="of parameters, inputs and lengths (default 1)")
    parser.add_argument("--cells", nargs="+", choices=CELLS, metavar="CELL", help=f"of {', '.join(CELLS)}")
    parser.add_argument("--peers", nargs="+", choices=PEERS, metavar="PEER", help=f"of {', '.join(PEERS)} (layers)")
    parser.add_argument("--shapes", nargs="+", type=_shape, metavar="T,N,D,H", help="instead of the grid (layers)")
    parser.add_argument("--minutes", type=float, default=20, help="about how long theme layers may take (default 20)")
    parser.add_argument(
        "--skip-tests", action="store_true", help="leave tests/engine out of the gate; the report says so"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results", help="folder for the results")
    parser.add_argument("--force", action="store_true", help="write over results of the same day")
    given = parser.parse_args(arguments)
    if given.threads < 1:
        parser.error(f"--threads is a whole number from 1 on, and is {given.threads}")
    return Options(
        theme=given.theme,
        quick=given.quick,
        threads=given.threads,
        seed=given.seed,
        cells=tuple(given.cells or (QUICK_CELLS if given.quick else CELLS)),
        peers=tuple(given.peers or PEERS),
        shapes=tuple(given.shapes or (QUICK_SHAPES if given.quick else SHAPES)),
        minutes=given.minutes,
        skip_tests=given.skip_tests,
        out=given.out,
        force=given.force,
    )


def _shape(text: str) -> Shape:
    try:
        t, n, d, h = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"a shape is four whole numbers T,N,D,H, and not {text!r}") from None
    if min(t, n, d, h) < 1:
        raise argparse.ArgumentTypeError(f"sizes go from 1 on, and this is {text!r}")
    return t, n, d, h

"""The texts that ship with the package: what each is, whose it is, and where its file lies."""

from dataclasses import dataclass
from pathlib import Path

from unrolled.errors import UsageError, did_you_mean

_FOLDER = Path(__file__).parent / "bundled"


@dataclass(frozen=True)
class Bundled:
    """One bundled text; `path` is its file, `bundled/NOTICE.md` beside it gives the full credit."""

    name: str
    title: str
    task: str
    characters: int
    licence: str
    source: str
    path: Path
    aliases: tuple[str, ...] = ()


_SETS = (
    Bundled(
        name="tinyshakespeare",
        title="Tiny Shakespeare: excerpts from the plays",
        task="text",
        characters=1_115_394,
        licence="public domain",
        source="text by William Shakespeare; file as distributed in GitHub karpathy/char-rnn @ 6f9487a6fe",
        path=_FOLDER / "tinyshakespeare.txt",
        aliases=("shakespeare",),
    ),
)


def bundled_sets() -> tuple[Bundled, ...]:
    """Return every bundled set, in the order of a listing."""
    return _SETS


def bundled_names() -> tuple[str, ...]:
    """Return every name that `bundled` knows, aliases too."""
    return tuple(name for one in _SETS for name in (one.name, *one.aliases))


def bundled(name: str) -> Bundled:
    """Return the bundled set of this name or alias; a name that is not bundled raises `UsageError`."""
    for one in _SETS:
        if name == one.name or name in one.aliases:
            return one
    known = bundled_names()
    raise UsageError(f"no bundled set is called {name!r}; bundled: {', '.join(known)}.{did_you_mean(name, known)}")

"""Reading texts: a file (plain or gzip), standard input, a folder of splits or a bundled name, to exact characters."""

import codecs
import gzip
import hashlib
import os
import sys
import zlib
from pathlib import Path

from unrolled.data.bundled import bundled, bundled_names
from unrolled.data.folders import find_splits, listed
from unrolled.data.splits import Splits
from unrolled.errors import UsageError, did_you_mean

_ENCODINGS = ("utf-8", "latin-1", "cp1252", "utf-16", "ascii", "koi8-r", "shift_jis", "euc-jp", "gb18030", "big5")
_EXPECTED = "train.txt, valid.txt (or val, dev) and, if there is one, test.txt"


TextSplits = Splits[str]
"""A text in its parts, every character as in the files.

Its fingerprint is over the bytes of every file, one after the other, train before valid before test. The bytes are
those before decoding; a `.gz` file counts with the bytes it holds, so packing it does not change the fingerprint.
"""


def read_text(path: str | Path, encoding: str | None = None) -> str:
    """Return the characters of a file, line ends untouched; a leading UTF-8 byte-order mark is dropped.

    It is UTF-8 where no encoding is given. `-` reads standard input; a file whose name ends in `.gz` is unpacked.
    Raises `UsageError` where the file is missing, a folder, empty, unreadable or not of this encoding (with the offset
    of the first bad byte, counted in the unpacked file).
    """
    return _decode(read_bytes(path), path, encoding)


def load_text(source: str | Path, encoding: str = "utf-8", validation_fraction: float = 0.1) -> TextSplits:
    """Return the splits of a text: from a file, a folder or a bundled name, looked for in this order.

    A file (or `-`, standard input) and a bundled text are cut by characters: the last `validation_fraction` of them
    is `valid`, and there is no `test`. A folder holds one file a split: `train.txt`, `valid.txt` (or `validation`,
    `val`, `dev`) and perhaps `test.txt`, each plain or `.gz`; where a split has no such file, the one file that has
    its word in the name, as `wiki.train.tokens` has. Raises `UsageError` where nothing fits, more than one file fits,
    or as `read_text` does.
    """
    if not 0 < validation_fraction < 1:
        raise UsageError(f"the validation fraction must lie between 0 and 1, but is {validation_fraction}; try 0.1.")
    if _is_standard_input(source):
        return _cut("standard input", read_bytes(source), source, encoding, validation_fraction)
    path = Path(source)
    if os.path.isdir(path):  # os.path: it answers False, too, to a name that no path can have
        return _load_folder(path, encoding)
    if os.path.exists(path):
        return _cut(path.name, read_bytes(path), path, encoding, validation_fraction)
    known = bundled_names()
    if str(source) in known:
        one = bundled(str(source))
        return _cut(one.name, read_bytes(one.path), one.path, "utf-8", validation_fraction)
    near = did_you_mean(path.name, [*known, *_names_beside(path)])
    raise UsageError(f"{_shown(source)} is no file, no folder and no bundled text; bundled: {', '.join(known)}.{near}")


def _cut(name: str, raw: bytes, path: str | Path, encoding: str, validation_fraction: float) -> TextSplits:
    text = _decode(raw, path, encoding)
    cut = int(len(text) * (1 - validation_fraction))
    if not 0 < cut < len(text):
        raise UsageError(
            f"{_shown(path)} has {len(text):,} characters, too few to train on some and keep the last "
            f"{validation_fraction:g} of them for validation; a longer text is needed."
        )
    return TextSplits(name, text[:cut], text[cut:], None, hashlib.sha256(raw).hexdigest())


def _load_folder(folder: Path, encoding: str) -> TextSplits:
    files = _find_splits(folder)
    raw = {split: read_bytes(path) for split, path in files.items()}
    texts = {split: _decode(raw[split], path, encoding) for split, path in files.items()}
    fingerprint = hashlib.sha256(b"".join(raw.values())).hexdigest()
    return TextSplits(folder.resolve().name, texts["train"], texts["valid"], texts.get("test"), fingerprint)


def _find_splits(folder: Path) -> dict[str, Path]:
    """The file of each split, in the order train, valid, test; `test` is left out where there is none."""
    found = find_splits(folder, (".txt",), only=False)
    missing = [split for split in ("train", "valid") if split not in found]
    if missing:
        names = sorted(one.name for one in folder.iterdir() if not one.is_dir() and not one.name.startswith("."))
        files = f"files {listed(names)}" if names else "no files"
        raise UsageError(
            f"{_shown(folder)} has no {' and no '.join(missing)} split: expected {_EXPECTED}, found {files}; "
            "one file alone is split by giving its own path."
        )
    return found


def read_bytes(path: str | Path) -> bytes:
    """Return the bytes of a file (unpacked where it ends in `.gz`) or of standard input; none at all is an error."""
    if _is_standard_input(path):
        raw = sys.stdin.buffer.read()
    else:
        try:
            raw = Path(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UsageError(_no_such_file(Path(path))) from error
        except IsADirectoryError as error:
            raise UsageError(f"{_shown(path)} is a folder; what is needed here is a file of text.") from error
        except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise UsageError(f"{_shown(path)} cannot be read: {reason}; a readable file of text is needed.") from error
        if str(path).endswith(".gz"):
            raw = _unpack(raw, path)
    if not raw:
        raise UsageError(f"{_shown(path)} is empty; a file with text in it is needed.")
    return raw


def _unpack(packed: bytes, path: str | Path) -> bytes:
    try:
        return gzip.decompress(packed)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        problem = "a gzip file that is cut short" if isinstance(error, EOFError) else f"no sound gzip file ({error})"
        raise UsageError(f"{_shown(path)} is {problem}; fetch it again, or give the unpacked file.") from error


def _decode(raw: bytes, path: str | Path, chosen: str | None) -> str:
    """Return the characters of these bytes; `path` is named in the error."""
    encoding = "utf-8" if chosen is None else chosen
    try:
        is_utf8 = codecs.lookup(encoding).name == "utf-8"
        text = raw.decode(encoding)
    except (LookupError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            skipped = len(raw) - len(error.object)  # the byte-order mark, where the codec took it off first
            works = "; save it as UTF-8" if chosen is None else _what_works(raw)
            raise UsageError(f"{_undecodable(raw, path, encoding, error.start + skipped)}{works}.") from error
        if isinstance(error, UnicodeError):  # the codecs that give no position, as idna
            raise UsageError(f"{_shown(path)} is not {encoding}: {error}{_what_works(raw)}.") from error
        raise UsageError(
            f"unknown encoding {encoding!r}; known are {', '.join(_ENCODINGS)} and the others of Python."
            f"{did_you_mean(encoding, _ENCODINGS)}"
        ) from error
    text = text.removeprefix("\ufeff") if is_utf8 else text
    if not text:
        raise UsageError(f"{_shown(path)} holds nothing but a byte-order mark; a file with text in it is needed.")
    return text


def _undecodable(raw: bytes, path: str | Path, encoding: str, offset: int) -> str:
    line = raw.count(b"\n", 0, offset) + 1
    where = f"offset {offset} (line {line})"
    return f"{_shown(path)} is not {encoding}: byte 0x{raw[offset]:02x} at {where}"


def _what_works(raw: bytes) -> str:
    """Name the first encoding that reads these bytes; latin-1 reads any."""
    marked_utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16" if marked_utf16 else "utf-8", "latin-1"):
        try:
            raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "latin-1" and b"\0" in raw:
            return "; it holds NUL bytes and may be no text at all (--encoding latin-1 reads any bytes)"
        return f"; --encoding {encoding} reads it"
    return ""


def _no_such_file(path: Path) -> str:
    if not os.path.isdir(path.parent):
        return f"no such file: {_shown(path)}; there is no folder {_shown(path.parent)}."
    beside = _names_beside(path)
    near = did_you_mean(path.name, beside)
    return f"no such file: {_shown(path)}; its folder holds {listed(beside) or 'nothing'}.{near}"


def _names_beside(path: Path) -> list[str]:
    """Return the names in the folder of a path but the hidden ones; none where it cannot be listed."""
    try:
        return sorted(name for name in os.listdir(path.parent) if not name.startswith("."))
    except (OSError, ValueError):
        return []


def _is_standard_input(path: str | Path) -> bool:
    return str(path) == "-"


def _shown(path: str | Path) -> str:
    """Return a path as it is printed in an error: quoted, on one line, not too long."""
    shown = "standard input" if _is_standard_input(path) else repr(str(path))
    return shown if len(shown) <= 200 else f"{shown[:100]}…{shown[-60:]}"

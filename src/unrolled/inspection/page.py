"""An examination as one HTML page that needs nothing else: no network, no server, no second file."""

import html
import json
import re
import zlib
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unrolled.inspection.examine import Examined
from unrolled.inspection.typeset import typeset
from unrolled.model_folder import write_whole

PARTS = Path(__file__).with_name("page_parts")
"""The page's template, its style, its scripts, and the library that draws (page_parts/plotly/NOTICE.md)."""
BUDGET = 13_000_000
"""Bytes that all values together may take: in base64, with the library and the document, under 20 MB."""
LEVELS = (255, 127, 63, 31, 23, 15)
"""How many values of a unit are told apart, from its lowest to its highest: as many as the budget allows."""
MISSING = 255
"""Stands for a value that is not finite."""
DIGITS = 5
"""Significant digits of the document's numbers on the page."""


class Packed(NamedTuple):
    """A quantity's values in few bytes."""

    codes: np.ndarray
    """(units, columns), uint8: from 0 at a unit's lowest value to levels - 1 at its highest."""
    low: np.ndarray
    """Each unit's lowest value, (units,)."""
    high: np.ndarray


class Form(NamedTuple):
    """How exact the values on the page are."""

    stride: int
    """Steps of which each column holds the mean."""
    levels: int


def write_page(examined: Examined, path: Path) -> None:
    """Write one self-contained page that shows an examination.

    The file stays under 20 MB: of long sequences it keeps each value less exactly, in the end means of several steps,
    and no pre-activations; the page says so.
    """
    values = {place: value.double().numpy() for place, value in examined.recorded.items()}
    if sum(value.size for value in values.values()) > BUDGET:
        values = {place: value for place, value in values.items() if not place.endswith("_pre")}
    form = choose_form(values)
    about: dict[str, Any] = {**form._asdict(), "complete": len(values) == len(examined.recorded), "quantities": {}}
    blocks = {"plotly": _part("plotly/plotly-cartesian.min.js").encode()}
    for place, value in values.items():
        blocks[place], about["quantities"][place] = _told(value, form)
    document = {**examined.document, "page": about}
    blocks["document"] = json.dumps(_short(document), separators=(",", ":"), allow_nan=False).encode()
    cell = examined.document["cell"]
    packed = (f'<script type="text/plain" id="{name}">{_block(one)}</script>' for name, one in blocks.items())
    parts = {
        "title": html.escape(f"{cell['name']}: {examined.verdict}"),
        "equations": typeset(cell["latex"], cell["text"]),
        "style": _part("page.css"),
        "scripts": "".join(_part(f"{name}.js") for name in ("values", "charts", "maps", "sequence", "page")),
        "blocks": "\n".join(packed),
    }
    page = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _part("page.html"))
    write_whole(path, page.encode())


def choose_form(values: Mapping[str, np.ndarray]) -> Form:
    """The most exact form in which all quantities, (T, units) each, are within the budget when they are packed."""
    size = sum(value.size for value in values.values())
    stride = 1
    while size / stride > BUDGET:
        finest = [_counts(pack(one, Form(stride, LEVELS[0])).codes) for one in values.values()]
        for levels in LEVELS:
            if sum(_bytes(counts, levels) for counts in finest) <= BUDGET:
                return Form(stride, levels)
        stride *= 2
    return Form(stride, LEVELS[0])


def pack(values: np.ndarray, form: Form) -> Packed:
    """A quantity over time, (T, units), as codes of one byte; each unit has its own range."""
    steps, units = values.shape
    finite = np.where(np.isfinite(values), values, np.nan)
    if form.stride > 1:
        rest = np.full((-steps % form.stride, units), np.nan)
        finite = _mean(np.concatenate([finite, rest]).reshape(-1, form.stride, units))
    low, high = np.fmin.reduce(finite, 0, initial=np.inf), np.fmax.reduce(finite, 0, initial=-np.inf)
    low, high = np.where(low <= high, low, 0.0), np.where(low <= high, high, 0.0)  # of a unit never finite: 0
    share = (finite - low) / np.where(high > low, high - low, 1.0)
    codes = np.where(np.isnan(share), MISSING, np.rint(share * (form.levels - 1)))
    return Packed(np.ascontiguousarray(codes.T.astype(np.uint8)), low, high)


def _told(values: np.ndarray, form: Form) -> tuple[bytes, dict[str, Any]]:
    """A quantity's codes, and what is to be known to read and to colour them."""
    packed = pack(values, form)
    sizes = np.abs(values[np.isfinite(values)])
    reach = float(np.quantile(sizes, 0.99)) if sizes.size else 1.0  # what colours tell apart where nothing bounds it
    ends = {"low": packed.low.tolist(), "high": packed.high.tolist(), "reach": reach}
    return packed.codes.tobytes(), {**ends, "columns": packed.codes.shape[1]}


def _mean(values: np.ndarray) -> np.ndarray:
    """Over the middle axis; NaN counts for nothing."""
    counts = (~np.isnan(values)).sum(1)
    return np.where(counts > 0, np.nansum(values, 1) / np.maximum(counts, 1), np.nan)


def _counts(codes: np.ndarray) -> np.ndarray:
    """How often each code occurs in each unit, (units, 256)."""
    units = len(codes)
    own = codes + 256 * np.arange(units)[:, None]
    return np.bincount(own.ravel(), minlength=256 * units).reshape(units, 256)


def _bytes(counts: np.ndarray, levels: int) -> float:
    """What the finest form's codes, so often each, take in so many levels: their entropy, and a little for tables."""
    coarser = np.rint(np.arange(LEVELS[0]) * (levels - 1) / (LEVELS[0] - 1)).astype(int)
    merged = np.zeros((len(counts), levels + 1))
    np.add.at(merged.T, np.append(coarser, levels), counts.T)  # the last is MISSING
    total = merged.sum(1, keepdims=True)
    shares = np.where(merged > 0, merged / np.maximum(total, 1), 1.0)
    return 1.06 * float(-(merged * np.log2(shares)).sum()) / 8


def _block(content: bytes) -> str:
    """Packed: by repetitions or, where chance repeats what is only seldom worth it, as noise does, without them."""
    plain = zlib.compressobj(strategy=zlib.Z_RLE)
    return b64encode(min(zlib.compress(content), plain.compress(content) + plain.flush(), key=len)).decode()


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _short(value: Any) -> Any:
    """The same with numbers of few digits."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {key: _short(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_short(one) for one in value]
    return value

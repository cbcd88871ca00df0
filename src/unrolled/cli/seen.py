"""What was seen inside a network, on a terminal: the verdict, the text and what surprised, gates, memory."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from unrolled.cli.strips import strip, under, written
from unrolled.errors import UsageError, did_you_mean

if TYPE_CHECKING:  # at run time it would bring torch along, and --help must not wait for it
    from unrolled.inspection.examine import Examined

LINES = 8
"""Lines of a text that are shown."""
FINDINGS = 6
TELLING = 6
"""Steps of a longer sequence that are shown one by one: the most surprising."""
SHORT = 12
"""Steps of a sequence that are all shown."""
BEFORE = 12
"""Characters shown of what has been read."""
DECADES = 3.0
"""Gradients by lag are shown down to a thousandth of the largest."""
NUMBERS = ("forecast", "frames")
"""Tasks that read numbers: their steps make no text."""
Document = Mapping[str, Any]


def show(examined: "Examined", units: Sequence[tuple[str, int]], title: str, console: Console) -> None:
    """Print all of it, with the course of some units under the text."""
    document = examined.document
    console.print(Text(f"{title}: {_heading(document)}", "bold"))
    console.print(_verdict(document))
    for section in (_read(document, console.width), *_units(examined, units, console.width)):
        if section is not None:
            console.print()
            console.print(section, overflow="ignore", no_wrap=True, crop=False)
    console.print()
    console.print(_quantities(document, console.width))
    console.print()
    console.print(_memory(document, console.width))


def unit_of(name: str, recorded: Mapping[str, Any]) -> tuple[str, int]:
    """The quantity and the unit of ``0.forward.c:17``. Raises UsageError where there is none."""
    place, _, number = name.rpartition(":")
    if not place or not number.isdecimal():
        raise UsageError(f"--unit names layer, direction, quantity and unit, as in 0.forward.c:17, and is {name!r}.")
    if place not in recorded:
        known = ", ".join(list(recorded)[:6])
        raise UsageError(f"there is no quantity '{place}' here; there are {known}, ….{did_you_mean(place, recorded)}")
    units = recorded[place].shape[1]
    if int(number) >= units:
        raise UsageError(f"'{place}' has {units} units, 0 to {units - 1}, and unit {number} is asked for.")
    return place, int(number)


def _heading(document: Document) -> str:
    layers, about = document["layers"], document["about"]
    units, both = layers["units"], " in both directions" if len(layers["directions"]) > 1 else ""
    size = f"{len(units)} layer{'s' * (len(units) > 1)} of {', '.join(map(str, dict.fromkeys(units)))} units{both}"
    part = "" if about["part"] == "network" else f"{about['part']}, "
    steps = len(document["steps"])
    return f"{about['task']}, {part}{document['cell']['name']}, {size}, {steps:,} step{'s' * (steps != 1)}"


def _verdict(document: Document) -> Text:
    findings = document["verdict"]["findings"]
    if not findings:
        return Text.assemble(("healthy", "bold green"), ": nothing saturated, dead, vanishing or exploding")
    lines = Text(document["verdict"]["says"], "bold red")
    for one in findings[:FINDINGS]:
        lines.append(f"\n  {one['says']}", "not bold default")
        lines.append(f"\n    try: {one['remedy']}", "not bold dim default")
    if len(findings) > FINDINGS:
        lines.append(f"\n  … and {len(findings) - FINDINGS} findings more (--json)", "not bold default")
    return lines


# What it read, and what it said


def _read(document: Document, width: int) -> RenderableType | None:
    rows = document["predictions"]
    if document["about"]["task"] == "classify":
        return _classes(document, rows, width)
    if not any("surprisal" in row or "loss" in row for row in rows):
        return _table(document, rows, range(len(rows))) if rows else None
    costs = [row.get("surprisal", row.get("loss")) for row in rows]
    most = max(one for one in costs if one is not None)
    name = "surprisal, nats" if any("surprisal" in row for row in rows) else "loss"
    if document["about"]["task"] in NUMBERS:
        course: list[RenderableType] = [Text(f"{name}: 0 to {most:.3g}", "bold"), strip(costs, 0.0, most, width)]
    else:
        shares = [None if one is None else one / max(most, 1e-12) for one in costs]
        late = [None, *shares[:-1]] if _is_next(document) else shares  # a token's own surprise stands under it
        heading = Text(f"what it read; below: {name} of each, 0 to {most:.3g}", "bold")
        course = [heading, *under(document["steps"], late, False, width, LINES)]
    known = [step for step, one in enumerate(costs) if one is not None]
    telling = sorted(sorted(known, key=lambda step: -(costs[step] or 0.0))[:TELLING])
    shown = range(len(rows)) if len(rows) <= SHORT else telling
    title = "step by step" if len(rows) <= SHORT else f"the {len(telling)} most surprising steps"
    return Group(*course, "", Text(title, "bold"), _table(document, rows, shown))


def _is_next(document: Document) -> bool:
    """Whether what is right at a step is what is read at the next one."""
    return document["about"]["task"] in ("text", "translate", "caption")


def _counted(document: Document) -> bool:
    """Whether a step has no other name than its number."""
    return all(one == str(place) for place, one in enumerate(document["steps"]))


def _classes(document: Document, rows: Sequence[Document], width: int) -> RenderableType:
    last = rows[-1]
    winner = last["top"][0][0]
    right = f" (right: {last['right']})" if "right" in last else ""
    said = ", ".join(f"{name} {chance:.1%}" for name, chance in last["top"])
    lines: list[RenderableType] = [Text.assemble((f"{winner}{right}", "bold"), f": {said}")]
    shares = [dict(row["top"]).get(winner) if row else None for row in rows]
    if any(one is not None for one in shares[:-1]):
        lines.append(Text(f"chance of {winner} if the sequence ended there, 0 to 1", "bold"))
        if _counted(document):
            lines.append(strip(shares, 0.0, 1.0, width))
        else:
            lines += under(document["steps"], shares, False, width, LINES)
    elif not _counted(document):
        lines.append("".join(written(document["steps"]))[:width])
    return Group(*lines)


def _table(document: Document, rows: Sequence[Document], places: Sequence[int] | range) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    numbers = any("said" in row for row in rows)
    looks = document["attention"]
    known = [row for row in rows if "right" in row or "observed" in row]
    cost = "surprisal" if any("surprisal" in row for row in rows) else "loss"
    counted = _counted(document)
    for name in ("step", *(() if counted else ("read",)), "said" if numbers else "expected"):
        table.add_column(name)
    if known:
        table.add_column("observed" if numbers else "right")
        table.add_column(cost, justify="right")
    if looks:
        table.add_column("looked at")
    for step in places:
        row = rows[step]
        cells = [str(step), *(() if counted else (_just_read(document["steps"], step),))]
        cells.append(_numbers(row["said"]) if numbers else _likely(row["top"]))
        if known:
            right = row.get("right")
            told = _numbers(row["observed"]) if "observed" in row else "" if right is None else _right(right)
            cells += [told, f"{row[cost]:.2f}" if row.get(cost) is not None else ""]
        if looks:
            share, place = max((one, place) for place, one in enumerate(looks["weights"][step]))
            cells.append(f"{looks['over'][place]} {share:.0%}")
        table.add_row(*map(Text, cells))
    return table


def _just_read(steps: Sequence[str], step: int) -> str:
    """What stands at a step; of characters those before it, too."""
    if any(len(one) > 1 for one in steps):
        return _sign(steps[step])
    return "".join(written(steps[max(0, step + 1 - BEFORE) : step + 1])).replace(" ", "␣")


def _likely(top: Sequence[Sequence[Any]]) -> str:
    return ", ".join(f"{_sign(name)} {chance:.0%}" for name, chance in top[:3])


def _right(right: str | Sequence[str]) -> str:
    return _sign(right) if isinstance(right, str) else ", ".join(right) or "none"


def _sign(token: str) -> str:
    return written([token])[0].strip() or "␣"


def _numbers(values: Mapping[str, float]) -> str:
    return ", ".join(f"{value:.4g}" if len(values) == 1 else f"{name} {value:.4g}" for name, value in values.items())


# Units


def _units(examined: "Examined", units: Sequence[tuple[str, int]], width: int) -> Iterator[RenderableType]:
    document = examined.document
    for place, unit in units:
        values = examined.recorded[place][:, unit].tolist()
        gate = document["quantities"][place]["function"] in ("sigmoid", "hard_sigmoid")
        reach = 1.0 if gate else max(max(map(abs, values)), 1e-12)
        ends = "0 to 1" if gate else f"-{reach:.3g} to {reach:.3g}"
        heading = Text(f"{place}:{unit}, {ends}", "bold")
        if _counted(document) or document["about"]["task"] in NUMBERS:
            yield Group(heading, strip(values, 0.0 if gate else -reach, reach, width))
        else:
            shares = [one / reach for one in values]
            yield Group(heading, *under(document["steps"], shares, not gate, width, LINES))


# Gates and states


def _quantities(document: Document, width: int) -> Table:
    shown = {place: one for place, one in document["quantities"].items() if not place.endswith("_pre")}
    table = _plain("quantity", "mean", "low", "high", "still", "dead")
    room = max(12, width - 36 - max(map(len, ("quantity", *shown))))
    table.add_column("over time, mean of the units", no_wrap=True)
    for place, one in shown.items():
        course = one["over_time"]
        high = 1.0 if one["function"] else max((value for value in course if value is not None), default=1.0)
        mean = sum(one["mean"]) / max(1, len(one["mean"]))
        bad = {"still": len(one["still"]), "dead": len(one["dead"])}
        cells = [place, f"{mean:.2f}", _share(one["low"]), _share(one["high"])]
        cells += [str(number) if number else "" for number in bad.values()]
        table.add_row(*map(Text, cells), strip(course, 0.0, high, room))
    return table


def _plain(*names: str) -> Table:
    """A table without lines, its first column to the left and the others to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, justify="left" if name == names[0] else "right", no_wrap=True)
    return table


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


# Memory


def _memory(document: Document, width: int) -> Table:
    table = _plain("memory", "1% at lag", "keeps, steps", "factor")
    room = max(12, width - 40 - max(map(len, ("memory", *document["gradients"]))))
    table.add_column("gradient by lag, 100% to 0.1%", no_wrap=True)
    for place, one in document["gradients"].items():
        norms = [value for value in document["factors"][place.rpartition(".")[0]]["norms"] if value is not None]
        factor = f"{sorted(norms)[len(norms) // 2]:.2f}" if norms else ""
        horizon = "beyond" if one["horizon"] is None else str(one["horizon"])
        table.add_row(*map(Text, (place, horizon, _kept(document, place), factor)), _by_lag(one["by_lag"], room))
    return table


def _kept(document: Document, place: str) -> str:
    """The time constants of the units: the middle one, and the longest."""
    if place not in document["direct_path"]:
        return ""
    constants = document["direct_path"][place]["time_constants"]
    ordered = sorted(math.inf if one is None else one for one in constants)
    return f"{ordered[len(ordered) // 2]:.3g} to {ordered[-1]:.3g}" if ordered else ""


def _by_lag(by_lag: Sequence[float | None], width: int) -> str:
    largest = max((one for one in by_lag if one is not None), default=0.0)
    if not largest:
        return ""
    decades = [None if one is None else math.log10(max(one / largest, 1e-9)) for one in by_lag]
    return strip(decades, -DECADES, 0.0, width)

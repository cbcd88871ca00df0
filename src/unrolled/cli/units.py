"""``unrolled units``, ``nearest``, ``clamp`` and ``compare``: which unit does what, and what happens without it."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from unrolled.cli.strips import written
from unrolled.cli.tasks import open_model

if TYPE_CHECKING:  # at run time these would bring torch along, and --help must not wait for it
    from unrolled.inspection.clamp import Hold
    from unrolled.inspection.examine import Subject

LONGEST = 20_000
"""Steps at most over which predictions are compared."""
REACH = 24
"""Steps shown before and behind one."""
HOLD = re.compile(r"(?P<where>[^:=\s]+)(:(?P<units>\d+(,\d+)*))?=(?P<value>[^=\s]+)")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A model folder.")]
Input = Annotated[str, typer.Argument(metavar="INPUT", help="A text as it is, or what 'predict' takes: a file.")]
Row = Annotated[str, typer.Option(help="Of several sequences the one to look at: its number, from 1, or its id.")]
Part = Annotated[str | None, typer.Option(help="Of several recurrences the one to look into: decoder or encoder.")]
Most = Annotated[int, typer.Option(min=1, help="How many to show.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def units(
    folder: Folder,
    data: Input,
    pattern: Annotated[
        str | None,
        typer.Option(help="What is followed: quotes, brackets, after-blank, line-start, position, upper or digit."),
    ] = None,
    regex: Annotated[str | None, typer.Option(help="Or what this regular expression finds.")] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Or a file with a number for each step: .npy, or one a line.")
    ] = None,
    row: Row = "1",
    part: Part = None,
    most: Most = 10,
    as_json: AsJson = False,
) -> None:
    """Which units follow a pattern over the steps: by correlation, with the F1 of the best threshold."""
    from unrolled.errors import UsageError
    from unrolled.inspection.patterns import matches, named, over_pieces, read_numbers
    from unrolled.inspection.units import search, windows

    if sum(one is not None for one in (pattern, regex, labels)) != 1:
        raise UsageError("give one of --pattern, --regex and --labels, as in: --pattern quotes")
    wanted = None if labels is not None else matches(str(regex)) if pattern is None else named(pattern)
    subject = _subject(folder, data, row, part)
    followed = over_pieces(wanted, subject.steps) if wanted is not None else read_numbers(Path(str(labels)))
    if len(followed) != len(subject.steps):
        raise UsageError(f"{labels} holds {len(followed):,} numbers, and there are {len(subject.steps):,} steps.")
    layer = subject.layer.eval()
    found = search(lambda: windows(layer, subject.x.detach(), subject.state), followed, most)
    says = wanted.says if wanted is not None else str(labels)
    always = 2 * followed.mean() / (1 + followed.mean()) if found[0].f1 is not None else None
    if as_json:
        print(
            json.dumps({"pattern": says, "steps": len(followed), "always": always, "units": [_.row() for _ in found]})
        )
        return
    table = _table("unit", "correlation", "F1", "says yes where")
    for one in found:
        rule = "" if one.threshold is None else f"{'≥' if one.above else '≤'} {one.threshold:.3g}"
        table.add_row(f"{one.where}:{one.unit}", f"{one.correlation:+.3f}", _number(one.f1), rule)
    share = "" if always is None else f", {followed.mean():.1%} of them (always yes: F1 {always:.3f})"
    _show(f"{says}: {len(followed):,} steps{share}", table)


def nearest(
    folder: Folder,
    data: Input,
    at: Annotated[int, typer.Option(help="The step, from 0; -1 is the last.")] = -1,
    quantity: Annotated[
        str | None, typer.Option(help="Whose values are compared, as in 0.forward.c; the top layer's output.")
    ] = None,
    measure: Annotated[Literal["cosine", "euclidean"], typer.Option(help="What is near.")] = "cosine",
    apart: Annotated[int, typer.Option(min=1, help="Steps between two that are shown.")] = 10,
    row: Row = "1",
    part: Part = None,
    most: Most = 10,
    as_json: AsJson = False,
) -> None:
    """At which other steps a network's state was most like that at one step."""
    from unrolled.inspection.units import around, values_of, windows
    from unrolled.inspection.units import nearest as near

    subject = _subject(folder, data, row, part)
    layer, count = subject.layer.eval(), len(subject.steps)
    where = quantity or f"{layer.num_layers - 1}.forward.{layer.cell.output}"
    seen = values_of(windows(layer, subject.x.detach(), subject.state), where)
    step = at + count if at < 0 else at
    found = near(seen, step, most, measure, apart)
    pieces = written(subject.steps)
    rows = [{"step": one.step, "distance": one.distance, "around": around(subject.steps, one.step)} for one in found]
    if as_json:
        print(json.dumps({"quantity": where, "measure": measure, "step": step, "nearest": rows}, ensure_ascii=False))
        return
    table = _table("step", "distance", "what stands there")
    table.add_row(f"{step:,}", "", _lit(around(pieces, step, REACH)))
    for one in found:
        table.add_row(f"{one.step:,}", f"{one.distance:.4f}", _lit(around(pieces, one.step, REACH)))
    _show(f"{where} most like that at step {step:,}, by {measure} distance", table)


def clamp(
    folder: Folder,
    data: Input,
    hold: Annotated[
        list[str],
        typer.Option(help="A quantity, or units of it, and a value: 0.forward.f=1, 0.forward.c:17=0 or :3,17=0."),
    ],
    begin: Annotated[int, typer.Option("--from", min=0, help="The first step held.")] = 0,
    end: Annotated[int | None, typer.Option("--to", min=1, help="The step behind the last one held.")] = None,
    row: Row = "1",
    part: Part = None,
    most: Most = 10,
    as_json: AsJson = False,
) -> None:
    """What a network says with some of its units or gates held at a value, beside what it says without."""
    from unrolled.inspection.clamp import effect

    holds = [_hold(one, begin, end) for one in hold]
    subject = _short(_subject(folder, data, row, part))
    found = effect(subject, holds, most)
    told = found.row()
    if as_json:
        print(json.dumps({"held": hold, **told}, ensure_ascii=False))
        return
    table = _table("step", "what stands there", "loss", "held", "divergence", "says", "held, says")
    pieces = written(subject.steps)
    for one in found.steps:
        values = (_number(one.loss), _number(one.loss_held), _number(one.divergence))
        table.add_row(f"{one.step:,}", _lit(_before(pieces, one.step)), *values, _top(one.top), _top(one.top_held))
    lost = "" if told["divergence"] is None else f", divergence {told['divergence']:.4f} nats a step"
    _show(f"{', '.join(hold)}: loss {_number(told['loss'])}, held {_number(told['loss_held'])}{lost}", table)


def compare(
    folder: Folder,
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="Another model folder of the same task.")],
    data: Input,
    row: Row = "1",
    part: Part = None,
    most: Most = 10,
    as_json: AsJson = False,
) -> None:
    """Two models on one input: what they say side by side, where they differ most, how alike their insides are."""
    from unrolled.inspection.compare import compare as beside

    subjects = [_short(_subject(one, data, row, part)) for one in (folder, other)]
    found = beside(subjects[0], subjects[1], most)
    told = found.row()
    if as_json:
        print(json.dumps({"models": [str(folder), str(other)], **told}, ensure_ascii=False))
        return
    names = _names(folder, other)
    agree = "" if found.agree is None else f"; both say the same at {found.agree:.1%} of the steps"
    losses = " and ".join(f"{_number(loss)} ({name})" for loss, name in zip(told["losses"], names, strict=True))
    table = _table("quantity", "units", "alike", "mean", "saturated", "mean difference")
    for one in found.quantities:
        ends = ", ".join("" if share is None else f"{share:.0%}" for share in one.saturated).strip(", ")
        units = f"{one.units[0]}, {one.units[1]}"
        means = f"{one.means[0]:+.3f}, {one.means[1]:+.3f}"
        table.add_row(one.where, units, f"{one.alike:.3f}", means, ends, _number(one.difference))
    _show(f"loss {losses}{agree}", table)
    if found.steps:
        table = _table("step", "what stands there", *(f"loss, {name}" for name in names), *(f"{n} says" for n in names))
        pieces = written(subjects[0].steps)
        for one in found.steps:
            values = (_number(one.losses[0]), _number(one.losses[1]))
            tops = (_top(one.tops[0]), _top(one.tops[1]))
            table.add_row(f"{one.step:,}", _lit(_before(pieces, one.step)), *values, *tops)
        _show("where they differ most", table)


def _subject(folder: Path, data: str, row: str, part: str | None) -> "Subject":
    """What is looked at: the model in a folder at work on a sequence."""
    return open_model(folder).subject(data, row, part)


def _short(subject: "Subject") -> "Subject":
    from unrolled.errors import UsageError

    if len(subject.steps) > LONGEST:
        raise UsageError(f"the sequence has {len(subject.steps):,} steps, and {LONGEST:,} can be; give a part of it.")
    return subject


def _hold(text: str, begin: int, end: int | None) -> "Hold":
    """What ``0.forward.c:3,17=0`` holds."""
    from unrolled.errors import UsageError
    from unrolled.inspection.clamp import Hold

    match = HOLD.fullmatch(text)
    try:
        value = float(match["value"]) if match else None
    except ValueError:
        value = None
    if match is None or value is None:
        raise UsageError(f"--hold says what is held at which value, as in 0.forward.c:17=0, and is {text!r}.")
    units = None if match["units"] is None else [int(one) for one in match["units"].split(",")]
    return Hold(match["where"], value, units, begin, end)


def _names(folder: Path, other: Path) -> tuple[str, str]:
    """What two folders are called in a table."""
    one, two = folder.resolve(), other.resolve()
    return (one.name, two.name) if one.name != two.name else (str(folder), str(other))


def _before(pieces: Sequence[str], step: int) -> tuple[str, str, str]:
    """What stands before a step, and at it."""
    return "".join(pieces[max(0, step - REACH // 2) : step]), pieces[step], ""


def _lit(parts: tuple[str, str, str]) -> Text:
    return Text.assemble((parts[0], "dim"), (parts[1], "bold reverse"), (parts[2], "dim"))


def _top(top: tuple[str, float] | None) -> str:
    return "" if top is None else f"{written([top[0]])[0].strip() or '␣'} {top[1]:.0%}"


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.3f}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        numeric = column in ("step", "correlation", "F1", "distance", "loss", "held", "divergence") or "loss," in column
        table.add_column(column, justify="right" if numeric else "left", no_wrap=number == 0)
    return table


def _show(title: str, table: Table) -> None:
    console = Console(highlight=False)
    console.print(Text(title, "bold"))
    console.print(table)
    console.print()

"""The unrolled net of any cell: time from left to right, inputs below, outputs above, layers stacked."""

from unrolled.drawing.grid import CHANNEL, CIRCLE, LINE, MARGIN, PAD, ROW, SMALL, Grid, plain, short
from unrolled.drawing.inside import NEXT
from unrolled.drawing.names import named, written
from unrolled.drawing.run import Run
from unrolled.drawing.scene import FAINT, SQUARE, Box, Line, Point, Scene, Strip, Text, measure
from unrolled.drawing.wiring import Plan
from unrolled.equations.cell import Cell
from unrolled.equations.picture import COLOURS

_WEIGHT = "#9a3412"
_BLOCK, _DECODER = ("#f4f4f5", "#3f3f46"), ("#f3e8ff", "#7e22ce")
_GREY, _BLUE, _AMBER, _GREEN = (COLOURS[kind][1] for kind in ("quantity", "state", "input", "gate"))
_SEAM = 3.0
"""How far lines reach into each other."""
_LONGEST, _TOKEN, _TITLE, _LEGEND = 60, 10, 14.0, 9.0


def unroll(cell: Cell, plan: Plan, run: Run | None = None) -> Scene:
    """The picture of a cell unrolled as planned; coloured by a run, if one is given."""
    grid = Grid(cell, plan, run)
    scene = Scene(f"{cell.name}, {plan.wiring}", grid.width, grid.height)
    _head(scene, grid)
    for layer in range(plan.layers):
        for direction in plan.directions:
            for gap in range(grid.count + 1 if plan.recurs else 0):
                _carry(scene, grid, layer, direction, gap)
            for index in range(grid.count):
                _block(scene, grid, layer, direction, index)
        for index in range(grid.count):
            _feed(scene, grid, layer, index)
    for index in range(grid.count):
        _input(scene, grid, index)
    _outputs(scene, grid)
    if run:
        _legend(scene, run, bool(grid.gates))
    return scene


def _head(scene: Scene, grid: Grid) -> None:
    title = f"{plain(short(grid.cell.name, _LONGEST))}, {grid.plan.wiring}"
    scene.write(MARGIN, MARGIN + 6.0, title, _TITLE, align="left", bold=True)
    scene.width = max(scene.width, measure(title, _TITLE, True)[0] + 2 * MARGIN)
    if grid.plan.wiring == "encoder-decoder":
        half = grid.count // 2
        for text, first, last in (("encoder", 0, half - 1), ("decoder", half, grid.count - 1)):
            x = (grid.lefts[first] + grid.lefts[last] + grid.width_of(last)) / 2
            scene.write(x, grid.below + 14.0, text, 12.0, colour=FAINT)


def _carry(scene: Scene, grid: Grid, layer: int, direction: str, gap: int) -> None:
    """The states' arrows across a gap, each with its name and the weights that it meets."""
    left, right = grid.gaps[gap]
    forward, columns = direction == "forward", grid.plan.columns
    source, target = (gap - 1, gap) if forward else (gap, gap - 1)
    known = columns[source] if 0 <= source < grid.count else None
    time = str(known.step) if known else "0" if forward else str(grid.count + 1)
    decodes = (known or columns[0]).decodes
    x = (left + grid.clear[0] + right - grid.clear[1]) / 2
    for state, y in zip(grid.cell.states, grid.lanes(layer, direction, gap), strict=True):
        ends = ((left, y), (right, y)) if forward else ((right, y), (left, y))
        scene.add(Line(ends, _BLUE, 1.6))
        if grid.run:
            entry = known.step if known and forward else gap if forward else grid.count - gap
            strip = grid.strip(decodes, layer, direction, state, entry)
            _put(scene, strip, x, y - SQUARE - 4.0)
        name = named(state, time, grid.place(layer, direction, decodes))
        scene.add(Text(x, y - grid.name_depth, name, colour=_BLUE))
        met = grid.weights.of_state[state]
        if met and 0 <= target < grid.count:
            label = written(met, grid.place(layer, direction, columns[target].decodes))
            scene.add(Text(x, y + grid.weight_rise, label, SMALL, _WEIGHT))


def _put(scene: Scene, strip: Strip, x: float, y: float) -> None:
    scene.add(Strip(x - strip.width / 2, y, strip.values, strip.reach, strip.gate))


def _block(scene: Scene, grid: Grid, layer: int, direction: str, index: int) -> None:
    x, y = grid.lefts[index], grid.tops[layer, direction]
    width, height = grid.width_of(index), grid.heights[layer, direction]
    column = grid.plan.columns[index]
    fill, line = _DECODER if column.decodes else _BLOCK
    if grid.is_open(layer, direction, index) and grid.inside:
        scene.add(Box(x, y, width, height, "#ffffff", line, 1.6, 10.0, behind=True))
        _ports(scene, grid, index)
        grid.inside.draw(scene, x + PAD, grid.inner_top(), grid.gives(index))
        return
    scene.add(Box(x, y, width, height, fill, line, 1.6, 10.0))
    row = y + (height - len(grid.name_lines) * LINE - len(grid.gates) * ROW) / 2 + LINE / 2
    for text in grid.name_lines:
        scene.write(x + width / 2, row, text, colour=line)
        row += LINE
    step = column.step - 1 if direction == "forward" else grid.count - column.step
    for gate in grid.gates:
        strip = grid.strip(column.decodes, layer, direction, gate, step)
        right = x + (width + grid.block) / 2 - 10.0
        scene.write(right - strip.width - 5.0, row, named(gate, ""), SMALL, align="right")
        _put(scene, strip, right - strip.width / 2, row - SQUARE / 2)
        row += ROW


def _ports(scene: Scene, grid: Grid, index: int) -> None:
    """The lines from the opened block's edges to the ports of its graph."""
    assert grid.inside is not None
    left, right = grid.lefts[index], grid.lefts[index] + grid.width_of(index)
    upper, inner = grid.tops[0, "forward"], grid.inner_top()
    lower = upper + grid.heights[0, "forward"]
    for edge, before in ((left, ""), (right, NEXT)) if grid.plan.recurs else ():
        for state in grid.cell.states:
            x, y = grid.inside.port(before + state)
            inward = left + PAD + x + (-_SEAM if before else _SEAM)
            scene.add(Line(((edge, inner + y), (inward, inner + y)), _BLUE, 1.6, tip=False))
    for state in () if grid.plan.recurs else grid.cell.states:  # they begin here and lead nowhere
        x, y = grid.inside.port(state)
        scene.write(left + PAD + x, inner + y - 11.0, named(state, "0"), SMALL, colour=_BLUE)
    ways = [(lower, "x", _AMBER)] + ([(upper, grid.inside.output, _GREY)] if grid.gives(index) else [])
    for edge, key, colour in ways:
        x, y = grid.inside.port(key)
        scene.add(Line(((left + PAD + x, edge), (left + PAD + x, inner + y)), colour, tip=False))


def _feed(scene: Scene, grid: Grid, layer: int, index: int) -> None:
    """What a layer reads: the input's circle, or the layer below."""
    column = grid.plan.columns[index]
    if not layer:
        colour, x1, y1 = _AMBER, grid.enters(index), grid.input_y - CIRCLE / 2
    elif grid.both:
        colour, x1, y1 = _GREY, grid.middle(index), grid.joins[layer - 1]
    else:
        colour, x1, y1 = _GREY, grid.leaves(index, layer - 1), grid.tops[layer - 1, "forward"]
    x2 = grid.middle(index) if layer else x1
    y2 = grid.tops[layer, "forward"] + grid.heights[layer, "forward"]
    low = y1 - CHANNEL
    scene.add(Line(((x1, y1), (x2, y2)) if x1 == x2 else ((x1, y1), (x1, low), (x2, low), (x2, y2)), colour))
    label = written(grid.weights.of_input, grid.place(layer, "forward", column.decodes))
    middle = (low + y2) / 2 + 2.0
    if layer and not grid.both:
        below = named(grid.cell.output, grid.time(column), grid.place(layer - 1, "forward", column.decodes))
        scene.write(x2 - 7.0, middle, label, SMALL, colour=_WEIGHT, align="right")
        scene.write(x2 + 7.0, middle, below, align="left")
    else:
        scene.write(x2 + 7.0, middle, label, SMALL, colour=_WEIGHT, align="left")
    if grid.both:
        _round(scene, grid, layer, index, (x2, low), colour)


def _round(scene: Scene, grid: Grid, layer: int, index: int, branch: Point, colour: str) -> None:
    """The way of an input past the first direction's block, and of both outputs to where they meet."""
    left, right = grid.lefts[index] - CHANNEL, grid.lefts[index] + grid.width_of(index) + CHANNEL
    middle, turned = grid.middle(index), grid.middle(index) - grid.block / 4
    under, top, join = grid.tops[layer, "forward"], grid.tops[layer, "reverse"], grid.joins[layer]
    level, bottom = under - 16.0, top + grid.heights[layer, "reverse"]
    scene.add(Line((branch, (left, branch[1]), (left, level), (turned, level), (turned, bottom)), colour))
    label = written(grid.weights.of_input, grid.place(layer, "reverse", False))
    scene.write(turned + 7.0, (level + bottom) / 2 + 3.0, label, SMALL, colour=_WEIGHT, align="left")
    begin = grid.leaves(index, layer) if grid.is_open(layer, "forward", index) else middle + grid.block / 4
    way: tuple[Point, ...] = ((begin, under), (begin, level), (right, level))
    low = join + grid.join_height
    if layer + 1 == grid.plan.layers and grid.plan.wiring == "many-to-one":
        if not index:
            scene.add(Line(((middle, top), (middle, low)), _GREY))
        if index + 1 == grid.count:
            scene.add(Line((*way, (right, low)), _GREY))
        return
    text = grid.joined(grid.time(grid.plan.columns[index]), layer)
    wide = measure(text)[0] + 16.0
    _pill(scene, (middle - wide / 2, middle + wide / 2), join, grid.join_height, text)
    scene.add(Line(((middle, top), (middle, low)), _GREY))
    half = join + grid.join_height / 2
    scene.add(Line((*way, (right, half), (middle + wide / 2, half)), _GREY))


def _pill(scene: Scene, ends: tuple[float, float], top: float, height: float, text: str) -> None:
    scene.add(Box(ends[0], top, ends[1] - ends[0], height, "#ffffff", _GREY, radius=height / 2))
    _, above, below = measure(text)
    scene.add(Text(sum(ends) / 2, top + (height + above - below) / 2, text))


def _input(scene: Scene, grid: Grid, index: int) -> None:
    column, x, y, half = grid.plan.columns[index], grid.enters(index), grid.input_y, CIRCLE / 2
    text = named("x", "" if grid.plan.wiring == "one-to-many" else grid.time(column))
    if column.fed:
        text = _output(grid, str(column.step - 1))
    _circle(scene, x, y, text, COLOURS["input"], dashed=column.fed)
    if column.fed and column.step > 1:
        begin, channel = grid.leaves(index - 1, grid.plan.layers - 1) + half, grid.lefts[index] - CHANNEL
        way = ((begin, grid.output_y), (channel, grid.output_y), (channel, y), (x - half, y))
        scene.add(Line(way, _GREEN, dashed=True))
    if grid.run:
        _put(scene, Strip(0.0, 0.0, tuple(grid.run.inputs[index]), grid.run.reach), x, y + half + 5.0)
        if grid.run.tokens:
            token = plain(short(grid.run.tokens[index], _TOKEN))
            scene.write(x, y + half + SQUARE + 15.0, token)


def _circle(scene: Scene, x: float, y: float, text: str, colours: tuple[str, str], dashed: bool = False) -> None:
    half = CIRCLE / 2
    scene.add(Box(x - half, y - half, CIRCLE, CIRCLE, *colours, radius=half, dashed=dashed))
    scene.write(x, y, text)


def _output(grid: Grid, time: str) -> str:
    """What stands above: the cell's own output where that is y, else the y that an output side makes of it."""
    is_own = grid.cell.output == "y" and not grid.both
    if is_own or "y" not in grid.cell.quantities:
        return named("y", time)
    return f"$\\hat{{y}}_{{{time}}}$" if time else "$\\hat{y}$"


def _outputs(scene: Scene, grid: Grid) -> None:
    top = grid.plan.layers - 1
    last = grid.plan.wiring == "many-to-one"
    ends = grid.middle(0) - grid.block / 2, grid.lefts[-1] + grid.width_of(grid.count - 1) + 2 * CHANNEL
    if grid.both and last:
        _pill(scene, ends, grid.joins[top], grid.join_height, grid.joined(str(grid.count), top, "1"))
    for index, column in enumerate(grid.plan.columns):
        if not column.gives:
            continue
        x = grid.leaves(index, top)
        if grid.both:
            x = sum(ends) / 2 if last else grid.middle(index)
        begin, end = grid.joins[top] if grid.both else grid.tops[top, "forward"], grid.output_y + CIRCLE / 2
        scene.add(Line(((x, begin), (x, end)), _GREY))
        is_own = grid.cell.output == "y" and not grid.both
        text = _output(grid, "" if last and not is_own else grid.time(column))
        _circle(scene, x, grid.output_y, text, COLOURS["gate"])
        if not grid.both:
            place = grid.place(top, "forward", column.decodes)
            own, given = written(grid.weights.of_output, place), named(grid.cell.output, grid.time(column), place)
            scene.write(x - 7.0, (begin + end) / 2, own, SMALL, colour=_WEIGHT, align="right")
            scene.write(x + 7.0, (begin + end) / 2, "" if is_own else given, align="left")
        if grid.run:
            strip = Strip(0.0, 0.0, tuple(grid.run.outputs[index]), grid.run.reach)
            _put(scene, strip, x, grid.output_y - CIRCLE / 2 - 5.0 - SQUARE)
            if grid.run.predicted:
                token = plain(short(grid.run.predicted[index], _TOKEN))
                scene.write(x, grid.output_y - CIRCLE / 2 - 10.0, token)


def _legend(scene: Scene, run: Run, gates: bool) -> None:
    """Which colour is which number, and whose run it was."""
    x, y = MARGIN, scene.height - MARGIN - SQUARE
    shares = [place / 7 for place in range(8)]
    ends = (f"{sign}{run.reach:.2g}" for sign in (("≤ −", "≥ ") if run.is_cut else ("−", "")))
    scales = [(*ends, [run.reach * (2 * share - 1) for share in shares], False)]
    scales += [("gates: 0", "1", shares, True)] if gates else []
    texts: list[tuple[float, str]] = []
    for low, high, values, is_gate in scales:
        texts.append((x, low))
        x += measure(low, _LEGEND)[0] + 5.0
        scene.add(Strip(x, y, tuple(values), run.reach, is_gate))
        x += len(values) * SQUARE + 5.0
        texts.append((x, high))
        x += measure(high, _LEGEND)[0] + 24.0
    says = plain(run.says)
    for left, text in (*texts, (x, says)):
        scene.write(left, y + SQUARE / 2, text, _LEGEND, align="left", colour=FAINT)
    scene.width = max(scene.width, x + measure(says, _LEGEND)[0] + MARGIN)

"""Where the blocks of an unrolled net stand: columns of steps, rows of layers, as wide as their names."""

from unrolled.drawing.inside import NEXT, Inside
from unrolled.drawing.names import Place, named, weights, written
from unrolled.drawing.run import Run
from unrolled.drawing.scene import SQUARE, Strip, measure, widest
from unrolled.drawing.wiring import Column, Plan
from unrolled.equations.cell import Cell
from unrolled.equations.picture import is_gate

MARGIN, CIRCLE, CHANNEL, PAD = 22.0, 30.0, 14.0, 12.0
"""Points around the picture, across an input, between a block and a line that passes it, around an opened step."""
LINE, ROW, SMALL = 15.0, 14.0, 10.0
"""Heights of a line of a block's name and of a gate's values; the size of weights."""
_HEAD, _RISE, _BETWEEN, _LOW, _SHORT = 30.0, 52.0, 58.0, 28.0, 30.0
_MOST_GATES = 6


class Grid:
    """Every place that the picture of a plan needs, in points from its upper left corner."""

    def __init__(self, cell: Cell, plan: Plan, run: Run | None) -> None:
        self.cell, self.plan, self.run = cell, plan, run
        self.weights = weights(cell)
        self.count = len(plan.columns)
        self.both = len(plan.directions) == 2
        every = [one.target.name for one in cell.statements if is_gate(one) and not one.target.primed]
        self.gates = every[:_MOST_GATES] if run else []
        self.name_lines = broken(cell.name)
        decoders = sorted({column.decodes for column in plan.columns})
        self._places = [
            self.place(layer, direction, decodes)
            for layer in range(plan.layers)
            for direction in plan.directions
            for decodes in decoders
        ]
        self._measure()
        self.inside = self._opened()
        self._across()
        self._down()

    # Names and values

    def time(self, column: Column) -> str:
        """A column's step in names."""
        return str(column.step) if self.plan.recurs else ""

    def place(self, layer: int, direction: str, decodes: bool) -> Place:
        """What the names of a layer carry."""
        return Place(layer + 1 if self.plan.layers > 1 else 0, direction, self.both, decodes)

    def joined(self, time: str, layer: int, second: str | None = None) -> str:
        """Both directions' outputs of a step, side by side; the reverse one of another step, if it is given."""
        steps = ("forward", time), ("reverse", time if second is None else second)
        one, other = (named(self.cell.output, at, self.place(layer, way, False)).strip("$") for way, at in steps)
        return f"$[{one};\\, {other}]$"

    def strip(self, decodes: bool, layer: int, direction: str, name: str, entry: int) -> Strip:
        """A quantity's values, to be put somewhere; a state's entry 0 is what it begins with."""
        assert self.run is not None
        values = tuple(self.run.quantities[decodes, layer, direction, name][entry])
        return Strip(0.0, 0.0, values, self.run.reach, name in self.gates)

    def _opened(self) -> Inside | None:
        if self.plan.opened is None:
            return None
        column = self.plan.columns[self.plan.opened]
        strips = {
            name: self.strip(column.decodes, 0, "forward", name, column.step - (name not in self.cell.states))
            for name in (self.cell.quantities if self.run else ())
        }
        now, before = (str(column.step), str(column.step - 1)) if self.plan.recurs else ("", "0")
        return Inside(self.cell.program, self.cell.output, (now, before), strips, self.lane)

    # Places

    def _measure(self) -> None:
        """The room that names and weights need above and below a state's arrow."""
        states = [named(state, "10", place) for place in self._places for state in self.cell.states]
        met = [written(one, place) for place in self._places for one in self.weights.of_state.values()]
        self.name_depth = max((measure(one)[2] for one in states), default=0.0) + 4.0
        self.name_depth += SQUARE + 3.0 if self.run else 0.0
        self.weight_rise = max((measure(one, SMALL)[1] for one in met if one), default=0.0) + 4.0
        above = max((measure(one)[1] for one in states), default=0.0) + self.name_depth
        below = max((measure(one, SMALL)[2] for one in met if one), default=0.0) + self.weight_rise
        self.lane, self.lane_above = above + below + 5.0, above + 2.0
        units = self.run.units * SQUARE if self.run else 0.0
        self.carried = max(widest(states), widest(met, SMALL), units)

    def _across(self) -> None:
        """The columns' left edges and widths, and the gaps before, between and behind them."""
        plan = self.plan
        read = widest([written(self.weights.of_input, place) for place in self._places], SMALL)
        own = widest([written(self.weights.of_output, place) for place in self._places], SMALL)
        given = widest([named(self.cell.output, "10", place) for place in self._places])
        aside = max(read if plan.layers > 1 else 0.0, own)
        units = self.run.units * SQUARE if self.run else 0.0
        gates = widest([named(gate, "") for gate in self.gates], SMALL) + units + 26.0 if self.gates else 0.0
        joined = measure(self.joined("10", 0))[0] + 16.0 if self.both else 0.0
        between = 4 * read / 3 + 8.0 if self.both else 0.0  # a weight's name stands between two lines there
        self.block = max(64.0, widest(self.name_lines) + 20.0, gates, 2 * aside, joined, between, units + 8.0)
        fed = any(one.fed for one in plan.columns)
        self.clear = (CHANNEL + 8.0 if self.both else 6.0), (CHANNEL + 8.0 if self.both or fed else 10.0)
        beside = max(read, given) + aside + 24.0 - self.block
        passed = max(read, given) + CHANNEL + 16.0 - self.block / 2 if self.both or fed else 0.0
        gap = max(46.0, self.carried + sum(self.clear), beside, passed) if plan.recurs else _SHORT
        x = MARGIN
        self.gaps: list[tuple[float, float]] = []
        self.lefts: list[float] = []
        for index, column in enumerate(plan.columns):
            wide = gap + (24.0 if index and column.decodes and not plan.columns[index - 1].decodes else 0.0)
            self.gaps.append((x, x + wide))
            self.lefts.append(x + wide)
            x += wide + self.width_of(index)
        self.gaps.append((x, x + gap))
        self.width = x + gap + MARGIN

    def width_of(self, index: int) -> float:
        """How wide a column's blocks are."""
        return self.inside.layout.width + 2 * PAD if self.inside and index == self.plan.opened else self.block

    def middle(self, index: int) -> float:
        """The middle of a column."""
        return self.lefts[index] + self.width_of(index) / 2

    def enters(self, index: int) -> float:
        """Where the input of the lowest layer comes in."""
        if self.inside and index == self.plan.opened:
            return self.lefts[index] + PAD + self.inside.port("x")[0]
        return self.middle(index)

    def leaves(self, index: int, layer: int) -> float:
        """Where a layer's output goes out, in the first direction."""
        if self.inside and index == self.plan.opened and not layer:
            return self.lefts[index] + PAD + self.inside.port(self.inside.output)[0]
        return self.middle(index)

    def is_open(self, layer: int, direction: str, index: int) -> bool:
        """Whether a block is the one that shows its inside."""
        return self.inside is not None and (layer, direction, index) == (0, "forward", self.plan.opened)

    def gives(self, index: int) -> bool:
        """Whether what the lowest layer gives at a step leads somewhere but into the next step."""
        joined = self.both and (self.plan.wiring == "many-to-many" or index + 1 == self.count)
        return self.plan.layers > 1 or self.plan.columns[index].gives or joined

    def _down(self) -> None:
        """The rows' tops and heights, from the outputs at the top to the inputs at the bottom."""
        plan = self.plan
        y = MARGIN + _HEAD + (SQUARE + 8.0 if self.run else 0.0)
        self.output_y = y + CIRCLE / 2
        y += CIRCLE
        self.tops: dict[tuple[int, str], float] = {}
        self.heights: dict[tuple[int, str], float] = {}
        self.joins: dict[int, float] = {}
        self.join_height = sum(measure(self.joined("10", 0))[1:]) + 10.0 if self.both else 0.0
        for layer in reversed(range(plan.layers)):
            y += _LOW if self.both and layer + 1 == plan.layers else _RISE
            if self.both:
                self.joins[layer] = y
                y += self.join_height + _LOW
            for direction in reversed(plan.directions):
                self.tops[layer, direction] = y
                self.heights[layer, direction] = self._height(layer, direction)
                y += self.heights[layer, direction] + (_BETWEEN if direction == "reverse" else 0.0)
        y += _RISE + (8.0 if self.both else 0.0)
        self.input_y = y + CIRCLE / 2
        self.below = self.input_y + CIRCLE / 2
        if self.run:
            self.below += SQUARE + 8.0 + (16.0 if self.run.tokens else 0.0)
        self.height = self.below + (24.0 if plan.wiring == "encoder-decoder" else 0.0) + MARGIN
        self.height += 34.0 if self.run else 0.0

    def _height(self, layer: int, direction: str) -> float:
        texts = LINE * len(self.name_lines) + ROW * len(self.gates) + 22.0
        height = max(56.0, texts, self.lane * len(self.cell.states) + 10.0)
        if self.inside and not layer and direction == "forward":
            height = max(height, self.inside.layout.height + 2 * PAD)
        return height

    def inner_top(self) -> float:
        """Where the graph of the opened step begins."""
        assert self.inside is not None
        return self.tops[0, "forward"] + (self.heights[0, "forward"] - self.inside.layout.height) / 2

    def lanes(self, layer: int, direction: str, gap: int) -> list[float]:
        """The heights of the states' arrows in a gap."""
        if self.inside and not layer and direction == "forward":
            after = NEXT if gap > (self.plan.opened or 0) else ""
            return [self.inner_top() + self.inside.port(after + state)[1] for state in self.cell.states]
        count = len(self.cell.states)
        begin = self.tops[layer, direction] + (self.heights[layer, direction] - self.lane * count) / 2
        return [begin + self.lane_above + self.lane * place for place in range(count)]


def broken(name: str) -> list[str]:
    """A cell's name in lines that a block holds."""
    lines = [""]
    for word in name.replace("_", " ").split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > 12:
            lines.append("")
        lines[-1] = short(f"{lines[-1]} {word}".strip(), 16)
    return [plain(line) for line in lines[:4]]


def short(text: str, most: int) -> str:
    """The text, cut where it is longer."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def plain(text: str) -> str:
    """A text that is no mathematics, whatever is in it."""
    return text.replace("$", r"\$")

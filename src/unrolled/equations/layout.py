"""Where things stand in a drawn graph: columns from left to right, few crossings, no line behind a box."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

GAP_X, GAP_Y = 64.0, 22.0
_LANE, _SWEEPS = 12.0, 12


@dataclass(eq=False)
class Node:
    """Something that stands in a column: a box, or a lane, the slot that a line takes to pass between boxes."""

    key: str
    column: int
    width: float = 0.0
    height: float = _LANE
    level: int = 0
    """Of one column, those of a lower level stand above."""
    x: float = 0.0
    """Its left edge."""
    y: float = 0.0
    """Its middle."""
    before: "list[Node]" = field(default_factory=list, repr=False)
    after: "list[Node]" = field(default_factory=list, repr=False)

    @property
    def is_lane(self) -> bool:
        """Whether it is a line's slot and no box."""
        return not self.width


@dataclass(frozen=True)
class Wire:
    """A line from a node to one in the next column: straight to ``bend``, curved to ``land``, straight to ``end``."""

    source: Node
    target: Node
    start: tuple[float, float]
    bend: tuple[float, float]
    land: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """A graph laid out: its lines, its width and its height; the boxes know their places."""

    wires: tuple[Wire, ...]
    width: float
    height: float


def lay_out(boxes: Mapping[str, Node], edges: Iterable[tuple[str, str]], gap: float = GAP_X) -> Layout:
    """Place the boxes, whose columns are given, and the lines between them; every edge leads to a later column."""
    columns: list[list[Node]] = [[] for _ in range(1 + max(box.column for box in boxes.values()))]
    for box in boxes.values():
        columns[box.column].append(box)
    lanes: dict[tuple[str, int], Node] = {}
    for source, target in edges:
        _connect(boxes[source], boxes[target], columns, lanes)
    _order(columns)
    _place(columns, gap)
    height = max(node.y + node.height / 2 for column in columns for node in column)
    width = max(box.x + box.width for box in boxes.values())
    return Layout(tuple(_wires(columns)), width, height)


def _connect(source: Node, target: Node, columns: list[list[Node]], lanes: dict[tuple[str, int], Node]) -> None:
    """Join two boxes, through lanes in the columns between; all lines of one source share its lanes."""
    last = source
    for column in range(source.column + 1, target.column):
        lane = lanes.get((source.key, column))
        if lane is None:
            lane = lanes[source.key, column] = Node(source.key, column)
            columns[column].append(lane)
            _join(last, lane)
        last = lane
    _join(last, target)


def _join(one: Node, other: Node) -> None:
    one.after.append(other)
    other.before.append(one)


def _order(columns: Sequence[list[Node]]) -> None:
    """Sort every column so that few lines cross: by the mean rank of neighbours, then by swaps that help."""
    rank: dict[Node, float] = {}

    def keep(column: list[Node]) -> None:
        column.sort(key=lambda node: node.level)
        rank.update({node: index - (len(column) - 1) / 2 for index, node in enumerate(column)})

    def mean(node: Node, near: Sequence[Node]) -> float:
        return sum(rank[other] for other in near) / len(near) if near else rank[node]

    for column in columns:
        keep(column)
    for _ in range(_SWEEPS):
        for column in columns[1:]:
            column.sort(key=lambda node: mean(node, node.before))
            keep(column)
        for column in reversed(columns[:-1]):
            column.sort(key=lambda node: mean(node, node.after))
            keep(column)
    for _ in range(_SWEEPS):
        for column in columns:
            for index in range(len(column) - 1):
                upper, lower = column[index : index + 2]
                if upper.level == lower.level and _crossings(lower, upper, rank) < _crossings(upper, lower, rank):
                    column[index : index + 2] = lower, upper
                    keep(column)


def _crossings(upper: Node, lower: Node, rank: Mapping[Node, float]) -> int:
    """How many lines of two nodes of one column cross if the first stands above the second."""
    return sum(
        rank[one] > rank[other]
        for above, below in ((upper.before, lower.before), (upper.after, lower.after))
        for one in above
        for other in below
    )


def _place(columns: Sequence[list[Node]], gap: float) -> None:
    """Give every node its x and y: near its neighbours, lanes straight, nothing on top of anything."""
    x = 0.0
    for column in columns:
        width = max(node.width for node in column)
        for node in column:
            node.x = x + (width - node.width) / 2
        x += width + gap
        _spread(column, [0.0] * len(column))
    for sweep in range(4 * _SWEEPS):
        for column in columns if sweep % 2 else reversed(columns):
            _spread(column, [_wanted(node) for node in column])
    top = min(node.y - node.height / 2 for column in columns for node in column)
    for column in columns:
        for node in column:
            node.y -= top


def _wanted(node: Node) -> float:
    """The height that suits a node: the mean of its neighbours', where a long line wants to be straight most of all."""
    near = [(other.y, 9.0 if node.is_lane and other.is_lane else 1.0) for other in (*node.before, *node.after)]
    return sum(y * weight for y, weight in near) / sum(weight for _, weight in near) if near else node.y


def _spread(column: Sequence[Node], wanted: Sequence[float]) -> None:
    """Put each node as near to its wanted height as order and gaps allow (least squares: pooled neighbours)."""
    offsets, below = [], 0.0
    for index, node in enumerate(column):
        if index:
            above = column[index - 1]
            gap = GAP_Y if not (node.is_lane and above.is_lane) else 0.0
            below += (above.height + node.height) / 2 + gap
        offsets.append(below)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, count = want - offset, 1
        while pools and pools[-1][0] >= mean:
            other, size = pools.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        pools.append((mean, count))
    heights = [mean for mean, count in pools for _ in range(count)]
    for node, height, offset in zip(column, heights, offsets, strict=True):
        node.y = height + offset


def _wires(columns: Sequence[list[Node]]) -> Iterable[Wire]:
    edges = [(min(node.x for node in column), max(node.x + node.width for node in column)) for column in columns]
    for index, column in enumerate(columns[1:], 1):
        left, right = edges[index]
        for node in column:
            arriving = sorted(node.before, key=lambda other: other.y)
            room = min(11.0, (node.height - 18.0) / max(1, len(arriving) - 1))
            for place, source in enumerate(arriving):
                y = node.y + (0.0 if node.is_lane else room * (place - (len(arriving) - 1) / 2))
                start = edges[index - 1][1] if source.is_lane else source.x + source.width
                end = right if node.is_lane else node.x
                yield Wire(source, node, (start, source.y), (edges[index - 1][1], source.y), (left, y), (end, y))

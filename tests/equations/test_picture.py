"""The drawn step: valid XML, every quantity in it, no box over another, no line through a box, the output marked."""

import itertools
import re
import time
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from equations.programs import Draft, drafts
from unrolled.cells.elman import rhn
from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.equations.layout import Node, Wire, lay_out

SVG = "{http://www.w3.org/2000/svg}"


def boxes(root: ElementTree.Element) -> dict[str, tuple[float, float, float, float]]:
    """Left, top, right and bottom of each box by its title and first line, such as ``h next step``."""
    found = {}
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if rect is not None:
            texts = ["".join(text.itertext()) for text in group.iter(f"{SVG}text")]
            x, y, width, height = (float(rect.get(key, "nan")) for key in ("x", "y", "width", "height"))
            found[" ".join(texts[:2]) if texts[1] in ("previous step", "next step") else texts[0]] = (
                x,
                y,
                x + width,
                y + height,
            )
    return found


def check(cell: Cell) -> ElementTree.Element:
    """Raise unless the picture of a cell is one that can be shown."""
    svg = cell.picture()
    assert svg == cell.picture()
    root = ElementTree.fromstring(svg)
    places = boxes(root)
    primed = [f"{name}'" if name in cell.states else name for name in cell.quantities]
    titles = [f"{name} (output)" if name.removesuffix("'") == cell.output else name for name in primed]
    expected = [*titles, *(f"{state} {which} step" for state in cell.states for which in ("previous", "next")), "x"]
    assert sorted(places) == sorted(expected)
    for one, other in itertools.combinations(places.values(), 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)
    width, height = (float(root.get(key, "nan")) for key in ("width", "height"))
    group = root.find(f"{SVG}g")
    assert group is not None
    left, top = map(float, re.findall(r"[\d.]+", group.get("transform", "")))
    for x1, y1, x2, y2 in places.values():
        assert 0 <= left + x1 < left + x2 <= width
        assert 0 <= top + y1 < top + y2 <= height
    for state in cell.states:
        assert places[f"{state} previous step"][2] < min(places[title][0] for title in titles)
        assert places[f"{state} next step"][0] > max(places[title][2] for title in titles)
    return root


@pytest.mark.parametrize("name", LIBRARY)
def test_every_cell_of_the_library_can_be_shown(name: str) -> None:
    check(LIBRARY[name])


@pytest.mark.parametrize(
    ("name", "at_most"), [("lstm", 6), ("gru", 2), ("rhn", 1), ("cornn", 1), ("mgu", 1), ("slstm", 19)]
)
def test_few_lines_cross(name: str, at_most: int) -> None:
    """x and h into four gates cross six times however they are drawn."""
    paths = re.findall(r'd="M[^H]* H([\d.]+) C[\d.]+,([\d.]+) [\d.]+,([\d.]+) ', LIBRARY[name].picture())
    lines = [tuple(map(float, path)) for path in paths]
    pairs = [(one, other) for one, other in itertools.combinations(lines, 2) if one[0] == other[0]]
    assert sum((one[1] - other[1]) * (one[2] - other[2]) < 0 for one, other in pairs) <= at_most


def test_boxes_hold_their_text() -> None:
    for cell in (LIBRARY["slstm"], LIBRARY["cornn"], LIBRARY["lstm_peephole"]):
        for group in check(cell).iter(f"{SVG}g"):
            rect = group.find(f"{SVG}rect")
            if rect is not None:
                longest = max(len("".join(text.itertext())) for text in group.iter(f"{SVG}text"))
                bottom = max(float(text.get("y", "nan")) for text in group.iter(f"{SVG}text"))
                # A letter of DejaVu Sans Mono at 12 pixels is 7.2 wide.
                assert longest * 7.25 + 8 <= float(rect.get("width", "nan"))
                assert bottom + 4 <= float(rect.get("y", "nan")) + float(rect.get("height", "nan"))


def test_equations_stand_in_their_boxes_and_uses_are_arrows() -> None:
    svg = LIBRARY["gru"].picture()
    assert "tanh(W_h @ x + U_h @ (r * h) + b_h)" in svg
    assert ">h&#x27; (output)<" in svg
    assert svg.count("marker-end") == 2 + 2 + 3 + 3 + 1
    assert svg.count('stroke-width="3.0"') == 1


def test_an_output_that_is_no_state_is_marked() -> None:
    svg = Cell("c", "h' = tanh(W @ x + U @ h)\ny = V @ h'").picture()
    assert ">y (output)<" in svg
    assert "(output)" not in svg.replace(">y (output)<", "")


def test_names_that_xml_would_read_are_escaped() -> None:
    cell = Cell("a < b & 'c'", "h' = W @ x + h")
    (title,) = check(cell).iter(f"{SVG}title")
    assert title.text == "a < b & 'c': one step"


def test_a_long_equation_is_cut_before_signs_into_lines_of_one_length() -> None:
    cell = Cell("c", "h' = tanh(W_one @ x + U_one @ h + V_one @ (h * h) - b_one) + " + "abs(" * 9 + "h" + ")" * 9)
    texts = ["".join(text.itertext()) for text in check(cell).iter(f"{SVG}text")]
    start = texts.index("h' (output)") + 1
    assert texts[start : start + 3] == [
        "tanh(W_one @ x + U_one @ h",
        "+ V_one @ (h * h) - b_one) +",
        "abs(abs(abs(abs(abs(abs(abs(abs(abs(h)))))))))",
    ]


@settings(max_examples=20)
@given(drafts())
def test_every_cell_can_be_shown(draft: Draft) -> None:
    check(Cell("random", draft.text))


def test_a_deep_cell_is_drawn_quickly() -> None:
    began = time.process_time()
    check(rhn(20))
    text = "\n".join(f"q{n} = {' + '.join(['W @ x', *(f'q{m}' for m in range(max(0, n - 20), n))])}" for n in range(60))
    check(Cell("dense", text + "\nh' = h + q59"))
    assert time.process_time() - began < 5.0


def crosses(wire: Wire, box: Node) -> bool:
    """Whether the straight parts of a line, which lie within columns, run through a box."""
    spans = ((wire.start, wire.bend), (wire.land, wire.end))
    inside = box.y - box.height / 2, box.y + box.height / 2
    return any(
        inside[0] < one[1] < inside[1] and one[0] < box.x + box.width - 0.1 and other[0] > box.x + 0.1
        for one, other in spans
    )


@settings(max_examples=20)
@given(drafts())
def test_no_line_runs_through_a_box(draft: Draft) -> None:
    cell = Cell("random", draft.text)
    nodes = {name: Node(name, 0, 60.0, 40.0) for name in ("x", *cell.states)}
    edges = []
    for one in cell.statements:
        read = [name for name in nodes if re.search(rf"(?<!\w){re.escape(name)}(?![\w'])", str(one).partition("=")[2])]
        column = 1 + max((nodes[name].column for name in read), default=0)
        nodes[str(one.target)] = Node(str(one.target), column, 80.0 + 7 * len(str(one)), 40.0)
        edges += [(name, str(one.target)) for name in read]
    layout = lay_out(nodes, edges)
    for wire in layout.wires:
        assert not any(crosses(wire, box) for box in nodes.values() if box not in (wire.source, wire.target))
        assert wire.start[0] <= wire.bend[0] < wire.land[0] <= wire.end[0]
        assert abs(wire.end[1] - wire.target.y) < wire.target.height / 2


def test_a_box_with_one_neighbour_is_level_with_it() -> None:
    nodes = {name: Node(name, column, 40.0, 40.0) for column, names in enumerate(("abc", "d", "efg")) for name in names}
    lay_out(nodes, [("a", "d"), ("d", "e"), ("b", "f"), ("c", "g")])
    assert abs(nodes["a"].y - nodes["d"].y) < 1.0
    assert abs(nodes["d"].y - nodes["e"].y) < 1.0


def test_a_layout_crosses_as_few_lines_as_it_can() -> None:
    nodes = {name: Node(name, column, 40.0, 40.0) for column, names in enumerate(("abc", "def")) for name in names}
    lay_out(nodes, [("a", "f"), ("b", "e"), ("c", "d")])
    order = sorted("abc", key=lambda name: nodes[name].y)
    assert [{"a": "f", "b": "e", "c": "d"}[name] for name in order] == sorted("def", key=lambda name: nodes[name].y)
    assert all(abs(nodes[one].y - nodes[other].y) < 1e-6 for one, other in ("af", "be", "cd"))

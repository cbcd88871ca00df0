"""The page in a real browser: it opens in silence, shows values, answers to pointer and keyboard, fits its window."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from inspection.test_examine import subject
from unrolled.inspection.examine import Examined, Subject, examine
from unrolled.inspection.page import write_page
from unrolled.layers.recurrent import Recurrent

playwright = pytest.importorskip("playwright.sync_api", reason="the page is tested with playwright: the test extra")

WINDOWS = [(1280, 800), (390, 844)]
TEXT = "“To be,\nor not to be”: that"
SOON = 3.0
"""Seconds of work until a page is drawn."""
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def seen() -> Examined:
    """Of a text, two layers in both directions."""
    one = subject("lstm", len(TEXT), num_layers=2, bidirectional=True)
    return examine(Subject(one.layer, one.x, TEXT, one.loss, one.predict, [*"ab", "\n", "<b>"], one.wanted))


@pytest.fixture(scope="module")
def text_page(seen: Examined, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "text.html"
    write_page(seen, path)
    return path


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """A function that opens a page; what it complains of, or asks a network for, fails the test."""
    heard, pages = [], []

    def open_one(path: Path, window: tuple[int, int] = WINDOWS[0], scheme: str = "light") -> Any:
        page = browser.new_page(
            viewport={"width": window[0], "height": window[1]}, color_scheme=scheme, reduced_motion="reduce"
        )
        page.set_default_timeout(10_000)
        pages.append(page)
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda asked: asked.url == path.as_uri() or heard.append(f"asks for {asked.url[:80]}"))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_one
    for page in pages:
        page.close()
    assert heard == []


def settle(page: Any) -> None:
    """Wait until what was asked for is drawn."""
    page.evaluate("() => new Promise(done => setTimeout(() => requestAnimationFrame(done), 60))")


def maps(page: Any) -> list[str]:
    return page.evaluate("element('maps').data.map(one => one.name)")


def colours(page: Any) -> list[float]:
    """How orange (above 0) or blue each step's token is: the last of its coordinates in the Oklab space."""
    script = "[...element('text').children].map(one => getComputedStyle(one).backgroundColor)"
    found = [re.fullmatch(r"oklab\(\S+ \S+ ([-\d.e]+).*\)", one) for one in page.evaluate(script)]
    return [float(one[1]) if one else float("nan") for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", WINDOWS)
def test_it_opens_in_silence_and_fits(open_page: Open, text_page: Path, window: tuple[int, int], scheme: str) -> None:
    page = open_page(text_page, window, scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert maps(page) == ["i", "f", "o", "g", "c", "h"]
    assert page.locator("#maps .heatmaplayer image").count() == 6
    assert page.locator("#gradients .scatterlayer .trace").count() == 8  # c and h, two layers, both directions
    assert page.locator("#factors .scatterlayer .trace").count() == 2
    assert page.locator("#equations path").count() == 12
    assert page.locator("#verdict").inner_text().endswith("healthy")
    assert page.locator("#attention-card").is_hidden()
    assert "".join(page.locator("#text span").all_text_contents()) == TEXT.replace("\n", "↵\n")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(part => part > 128)")
    assert light == (scheme == "light")
    page.click("#theme")
    settle(page)
    other = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(part => part > 128)")
    assert other != light
    other_window = WINDOWS[window == WINDOWS[0]]
    page.set_viewport_size({"width": other_window[0], "height": other_window[1]})
    page.wait_for_function("Math.abs(element('maps').layout.width ?? element('maps')._fullLayout.width) <= innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_hover_shows_values(open_page: Open, text_page: Path, seen: Examined) -> None:
    page = open_page(text_page)
    page.locator("#maps").scroll_into_view_if_needed()
    step, unit = 9, 3
    where = """([step, unit]) => {
      const { xaxis, yaxis, yaxis: { _offset } } = element("maps")._fullLayout;
      const box = element("maps").getBoundingClientRect();
      return [box.x + xaxis._offset + xaxis.l2p(step), box.y + _offset + yaxis.l2p(unit)];
    }"""
    x, y = page.evaluate(where, [step, unit])
    page.evaluate("y => scrollTo(0, y - 300)", y)
    page.mouse.move(*page.evaluate(where, [step, unit]))
    page.wait_for_selector("#maps .hovertext")
    value = float(seen.recorded["0.forward.i"][step, unit])
    assert f"step {step}, unit {unit}" in page.locator("#maps .hovertext").text_content()
    shown = re.search(r"i = (\S+)$", page.locator("#maps .hovertext").text_content())
    assert shown
    assert float(shown[1]) == pytest.approx(value, abs=3e-3)
    told = page.locator("#pointer").inner_text()
    assert f"step {step} “{TEXT[step]}”, unit {unit}:" in told
    for name in "ifogch":
        shown = re.search(rf"\b{name} (\S+)", told)
        assert shown
        assert float(shown[1]) == pytest.approx(float(seen.recorded[f"0.forward.{name}"][step, unit]), abs=5e-3)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("view.step === 9 && view.unit === 3")
    assert page.locator("#text .now").inner_text() == TEXT[step]


def test_a_picked_unit_colours_the_text(open_page: Open, text_page: Path, seen: Examined) -> None:
    page = open_page(text_page)
    for unit in (4, 1):
        page.fill("#unit", str(unit))
        settle(page)
        values = seen.recorded["0.forward.h"][:, unit]
        told = torch.tensor(colours(page))
        clear = values.abs() > 0.1 * seen.recorded["0.forward.h"].abs().max()
        assert clear.any()
        assert ((told > 0) == (values > 0))[clear].all()
        assert page.locator("#key").inner_text().startswith(f"h of unit {unit}:")
        assert page.evaluate("element('curves').data[0].y") == pytest.approx(values.tolist(), abs=5e-3)
        assert page.evaluate("element('maps').layout.shapes.map(one => one.y0)")[1::2] == [unit] * 6
    page.select_option("#by", "surprisal")
    settle(page)
    surprisals = torch.tensor([one.get("surprisal", -1.0) for one in seen.document["predictions"]])
    told = torch.tensor(colours(page))
    assert told.nan_to_num(-1.0).argmax() == surprisals.argmax()
    assert told.isnan().equal(surprisals < 0)  # what was right at the first step is not known


def test_switches(open_page: Open, text_page: Path, seen: Examined) -> None:
    page = open_page(text_page)
    page.check("#shown input[value=f]")
    settle(page)
    assert maps(page) == ["f"]
    shown = page.evaluate("element('maps').data.at(-1).z.map(row => [...row])")
    assert torch.tensor(shown).allclose(seen.recorded["0.forward.f"].T.float(), atol=1e-2)
    page.select_option("#place", "1.reverse")
    settle(page)
    shown = page.evaluate("element('maps').data.at(-1).z.map(row => [...row])")
    assert torch.tensor(shown).allclose(seen.recorded["1.reverse.f"].T.float(), atol=1e-2)
    page.check("#shown input[value=pre-activations]")
    settle(page)
    assert maps(page) == ["i_pre", "f_pre", "o_pre", "g_pre"]
    page.check("#shown input[value=all]")
    settle(page)
    assert maps(page) == ["i", "f", "o", "g", "c", "h"]
    mean = float(seen.recorded["1.reverse.f"].mean())
    row = page.locator("#behaviours tr", has=page.get_by_text("f", exact=True)).inner_text()
    assert float(row.split()[2]) == pytest.approx(mean, rel=1e-2)


def test_predictions_of_the_picked_step(open_page: Open, text_page: Path, seen: Examined) -> None:
    page = open_page(text_page)
    page.locator("#text span").nth(5).click()
    settle(page)
    row = seen.document["predictions"][5]
    names = [one.replace("\n", "↵") for one, _ in row["top"]]
    assert page.locator("#likely b").all_text_contents() == names
    assert page.locator("#likely span").all_text_contents() == [f"{100 * chance:.1f}%" for _, chance in row["top"]]
    assert page.locator("#likely .right b").inner_text() == row["right"].replace("\n", "↵")
    assert f"surprisal {row['surprisal']:.3f} nats" in page.locator("#surprise").inner_text()
    kept = seen.document["direct_path"]["0.forward.c"]["time_constants"][page.evaluate("view.unit")]
    lasts = page.locator("#values dt", has_text="c lasts").locator("+ dd").inner_text()
    assert float(lasts.split()[0]) == pytest.approx(kept, rel=1e-2)


def test_fewer_steps_are_shown_by_button_and_by_drag(open_page: Open, text_page: Path, seen: Examined) -> None:
    page = open_page(text_page)
    page.locator("#text span").nth(20).click()
    page.click("#closer")
    settle(page)
    view = page.evaluate("view")
    assert 8 <= view["to"] - view["from"] + 1 < len(TEXT)
    assert page.evaluate("element('maps').layout.xaxis.range") == [view["from"] - 0.5, view["to"] + 0.5]
    assert page.input_value("#to") == str(view["to"])
    shown = torch.tensor(page.evaluate("element('maps').data.at(-1).z.map(row => [...row])"))
    assert shown.allclose(seen.recorded["0.forward.h"][view["from"] : view["to"] + 1].T.float(), atol=1e-2)
    page.click("#whole")
    settle(page)
    assert page.evaluate("[view.from, view.to]") == [0, len(TEXT) - 1]
    page.evaluate("element('maps').scrollIntoView({ block: 'end' })")
    box = page.locator("#maps").bounding_box()
    y = box["y"] + box["height"] - 60
    page.mouse.move(box["x"] + 200, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 700, y, steps=5)
    page.mouse.up()
    page.wait_for_function("view.to - view.from < 25")
    assert page.input_value("#from") == str(page.evaluate("view.from")) != "0"


def test_the_keyboard_reaches_everything(open_page: Open, text_page: Path) -> None:
    page = open_page(text_page)
    reached = []
    for _ in range(24):
        page.keyboard.press("Tab")
        script = "document.activeElement.id || document.activeElement.name || document.activeElement.className"
        reached.append(page.evaluate(script))
    wanted = [
        "verdict",
        "theme",
        "text",
        "place",
        "shown",
        "by",
        "unit",
        "strongest",
        "from",
        "to",
        "closer",
        "farther",
    ]
    wanted += ["whole", "stack", "step", "equations", "table"]
    assert [one for one in reached if one in wanted][: len(wanted)] == wanted
    page.focus("#text")
    before = page.evaluate("[view.step, view.unit]")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate("view.step") == before[0] + 2
    page.focus("#stack")
    page.keyboard.press("ArrowDown" if before[1] == 0 else "ArrowUp")
    assert abs(page.evaluate("view.unit") - before[1]) == 1
    page.keyboard.press("End")
    assert page.evaluate("view.step") == len(TEXT) - 1
    page.keyboard.press("ArrowRight")  # not beyond the end
    assert page.evaluate("view.step") == len(TEXT) - 1
    page.keyboard.press("+")
    settle(page)
    assert page.evaluate("view.to - view.from") < len(TEXT) - 1
    page.keyboard.press("0")
    settle(page)
    assert page.evaluate("view.to - view.from") == len(TEXT) - 1
    page.focus("#shown input:checked")
    page.keyboard.press("ArrowRight")
    settle(page)
    assert maps(page) == ["i"]
    page.focus("#theme")
    page.keyboard.press("Enter")
    settle(page)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("window", WINDOWS)
def test_series_attention_and_findings(open_page: Open, tmp_path: Path, window: tuple[int, int]) -> None:
    torch.manual_seed(0)
    layer = Recurrent("elman", 1, 6)
    layer.load_state_dict({name: 5 * value for name, value in layer.state_dict().items()})
    series = torch.arange(30.0).sin()
    observed = series.tolist()
    times = [f"1949-{number:02d}" for number in range(30)]

    def loss(outputs: Tensor) -> Tensor:
        return outputs.square().sum(-1)

    examined = examine(Subject(layer, series.view(1, 30, 1), times, loss))
    said = [
        {"said": {"passengers": value + 1}, "observed": {"passengers": value}, "loss": abs(value)} for value in observed
    ]
    examined.document["predictions"] = [{}, *said[1:]]
    weights = torch.rand(30, 4).tolist()
    examined.document["attention"] = {"over": ["x", "y", "<i>", "z"], "weights": weights}
    examined.document["about"] = {"task": "forecast", "part": "network", "loss": "nats of the steps ahead"}
    norms = [0.5**lag for lag in range(20, -1, -1)] + [0.0] * 9
    examined.document["gradients"]["0.forward.h"]["at"] = [{"step": 20, "norms": norms}]
    write_page(examined, tmp_path / "page.html")
    page = open_page(tmp_path / "page.html", window)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#text").is_hidden()
    assert page.locator("#predictions").is_hidden()  # nothing is said at the first step
    drawn = page.evaluate("element('series').data[0]")
    assert drawn["y"][0] is None
    assert drawn["y"][1:] == pytest.approx(observed[1:], rel=1e-4)
    assert page.evaluate("element('series').data[1].y[7]") == pytest.approx(observed[7] + 1, rel=1e-4)
    values = examined.recorded["0.forward.h"][:, page.evaluate("view.unit")]
    assert drawn["marker"]["color"] == pytest.approx(((values + 1) / 2).tolist(), abs=5e-3)
    assert page.evaluate("element('attention').data[0].z.flat()") == pytest.approx(sum(weights, []), rel=1e-4)
    assert "<i>" in page.locator("#attention").inner_text()
    asked = page.evaluate("element('gradients').data.at(-1)")
    assert asked["name"] == "0.forward.h: loss at step 20"
    assert asked["y"] == pytest.approx([0.5**lag for lag in range(21)], rel=1e-4)
    assert "Followed back: nats of the steps ahead." in page.locator("#cards").inner_text()
    assert page.locator("#facts").inner_text().startswith("forecast, network: 30 steps")
    findings = [one["says"] for one in examined.document["verdict"]["findings"]]
    assert findings
    assert page.locator("#found div").all_text_contents() == findings
    across = "(id => { const { _offset, _length } = element(id)._fullLayout.xaxis; return [_offset, _length]; })"
    lined = [page.evaluate(f"{across}('{name}')") for name in ("series", "curves", "maps")]
    assert lined == lined[:1] * 3  # one below the other
    page.focus("#series")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("element('series').layout.shapes[0].x0") == 1
    assert page.locator("#likely").inner_text() == "passengers 1.841, came 0.8415"
    assert page.locator("#surprise").inner_text() == "loss 0.8415"
    page.select_option("#by", "loss")
    settle(page)
    colour = page.evaluate("element('series').data[0].marker.color")
    assert colour[1] == pytest.approx(abs(observed[1]) / max(map(abs, observed[1:])), rel=1e-3)


@pytest.mark.parametrize("steps", [0, 1])
def test_next_to_nothing_is_shown_too(open_page: Open, tmp_path: Path, steps: int) -> None:
    write_page(examine(subject("gru", steps)), tmp_path / "page.html")
    page = open_page(tmp_path / "page.html")
    assert maps(page) == ["r", "z", "g", "h"]
    page.focus("#text")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("view.step") == 0


def test_long_sequences_open_soon_and_are_shrunk_on_request(open_page: Open, tmp_path: Path) -> None:
    base = examine(subject(steps=25))
    generator = torch.Generator().manual_seed(0)
    noise = {place: torch.rand(10_000, 512, generator=generator) for place in base.recorded if place[-4:] != "_pre"}
    behave = {
        place: dict(one, mean=[0.5] * 512, deviation=[0.3] * 512) for place, one in base.document["quantities"].items()
    }
    long = {name: base.document[name] * 400 for name in ("steps", "predictions")}
    write_page(Examined({**base.document, **long, "quantities": behave}, noise, []), tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 20_000_000
    page = open_page(tmp_path / "page.html")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # processor time, whatever else the machine does
    page.reload()
    page.wait_for_selector("html[data-ready]")
    told = session.send("Performance.getMetrics")["metrics"]
    assert 0.1 < next(one["value"] for one in told if one["name"] == "TaskDuration") < SOON
    cells = "element('maps').data.at(-1)"
    spread = f"Math.max(...{cells}.z.map(row => Math.max(...row)))"
    wide = page.evaluate(f"{cells}.dx")
    assert page.evaluate(f"{cells}.z.length * {cells}.z[0].length") < 200_000
    assert wide > 1
    mean = page.evaluate(spread)
    page.select_option("#strongest", "yes")
    page.wait_for_function(f"{spread} > {mean}")
    for _ in range(8):
        page.click("#closer")
    page.wait_for_function(f"{cells}.dx <= 2")
    assert "means of 2 steps" in page.locator("#exactness").inner_text()

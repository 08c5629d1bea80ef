"""The map in real Chromium, on a small page: what is sent, what stays, what is shown as text, and how it recovers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.ui.app_driver import RunningApp, Visit, start_app, visit
from tests.ui.today_page import BRACES, HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
PAGE = Path(__file__).with_name("today_page.py")
FRAME = ".map-frame"
ROOT_BOX = ".buju-map[data-version]"


@pytest.fixture(scope="module")
def small_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with start_app(tmp_path_factory.mktemp("small_app"), script=str(PAGE)) as started:
        yield started


@pytest.fixture
def open_map(browser: Browser, small_app: RunningApp) -> Iterator[Callable[..., Visit]]:
    with ExitStack() as stack:

        def start(**query: str) -> Visit:
            seen = stack.enter_context(visit(browser, small_app))
            seen.page.on("dialog", lambda dialog: seen.console_errors.append("a name ran as a program"))
            seen.open("/", **query)
            seen.page.wait_for_selector(ROOT_BOX)
            return seen

        yield start


def _find(seen: Visit, kind: str, key: str) -> tuple[float, float]:
    """Where a school or unit is in the window, asked of the map itself."""
    found: Any = seen.page.evaluate(
        """([kind, id]) => {
          const map = globalThis.bujuMap.maps.get("today_map");
          const part = map.parts[kind === "school" ? "schools" : "units"], at = part.at.get(id);
          const [x, y] = kind === "school" ? [part.x[at], part.y[at]] : map.middle(part, at);
          const point = map.map.latLngToContainerPoint(map.toLatLng(x, y));
          const box = map.frame.getBoundingClientRect();
          return [box.left + point.x, box.top + point.y];
        }""",
        [kind, key],
    )
    return float(found[0]), float(found[1])


def _view(seen: Visit) -> list[float]:
    script = """() => { const map = globalThis.bujuMap.maps.get("today_map").map, c = map.getCenter();
      return [c.lat, c.lng, map.getZoom()]; }"""
    return [float(value) for value in seen.page.evaluate(script)]


def _switch(seen: Visit, key: str, number: int) -> None:
    version = seen.page.locator(".buju-map").get_attribute("data-version")
    seen.by_key(key).locator("button").nth(number).click()
    seen.page.wait_for_selector(f'.buju-map:not([data-version="{version}"])')
    seen.settle()


def test_a_click_opens_the_card_and_the_map_stays(open_map: Callable[..., Visit]) -> None:
    seen = open_map(lang="en")
    seen.page.locator(".leaflet-control-zoom-out").click()
    seen.page.wait_for_timeout(600)
    before = _view(seen)
    seen.page.mouse.click(*_find(seen, "school", "E"))
    card = seen.by_key("today_side")
    card.get_by_text("By the model").first.wait_for()
    assert "175%" in card.inner_text()
    _switch(seen, "today_mode", 1)
    assert _view(seen) == pytest.approx(before)
    # The card stays open over a switch, and a click on the same school closes it.
    assert "By the model" in card.inner_text()
    seen.page.mouse.click(*_find(seen, "school", "E"))
    card.get_by_text("Most pressing").wait_for()
    seen.require_clean()


def test_hostile_names_are_text_wherever_they_stand(open_map: Callable[..., Visit]) -> None:
    seen = open_map(lang="en")
    for kind, key, name in (("school", "W", HOSTILE), ("school", "E", BRACES), ("unit", "d", HOSTILE)):
        seen.page.mouse.move(*_find(seen, kind, key))
        seen.page.wait_for_function(
            "name => bujuMap.maps.get('today_map').tip.box.textContent.includes(name)", arg=name
        )
        seen.page.mouse.click(*_find(seen, kind, key))
        seen.by_key("today_side").locator("h3", has_text=name).wait_for()
    for number in range(4):
        seen.by_key("today_table").locator("button").nth(number).click()
        seen.settle()
    assert seen.page.locator("img[src=x]").count() == 0
    assert "49" not in seen.by_key("today_side").locator("h3").inner_text()
    seen.require_clean()


def test_shapes_are_sent_once(open_map: Callable[..., Visit]) -> None:
    seen = open_map(lang="en")
    sizes: list[int] = []
    script = """() => { const m = bujuMap.maps.get("today_map");
      return Object.values(m.data.parts).filter((part) => part && part.payload).length; }"""
    sizes.append(int(seen.page.evaluate(script)))
    seen.page.mouse.click(*_find(seen, "school", "W"))
    seen.by_key("today_side").get_by_text("By the model").first.wait_for()
    seen.settle()
    sizes.append(int(seen.page.evaluate(script)))
    assert sizes == [3, 0]
    assert seen.page.evaluate("() => !('source' in bujuMap.maps.get('today_map').data.engine)")


def test_what_was_lost_is_asked_for_again(open_map: Callable[..., Visit]) -> None:
    seen = open_map(lang="en")
    seen.page.evaluate("() => bujuMap.parts.clear()")
    _switch(seen, "today_mode", 2)
    seen.page.wait_for_function("() => bujuMap.parts.size === 3 && bujuMap.maps.get('today_map').units !== null")
    seen.page.mouse.move(*_find(seen, "unit", "b"))
    seen.page.wait_for_function("() => bujuMap.maps.get('today_map').tip.box.textContent.includes('Village b')")
    seen.require_clean()


def test_a_reload_brings_everything_back(open_map: Callable[..., Visit]) -> None:
    seen = open_map(lang="zh")
    seen.page.reload()
    seen.page.wait_for_selector(ROOT_BOX)
    seen.settle()
    assert seen.page.evaluate("() => bujuMap.maps.get('today_map').units.classes.length") == 5
    seen.require_clean()


def test_a_reload_keeps_the_view_and_a_larger_window_is_filled(open_map: Callable[..., Visit]) -> None:
    seen = open_map(lang="en")
    fitted = _view(seen)
    seen.page.set_viewport_size({"width": 1920, "height": 1000})
    seen.page.wait_for_function("zoom => bujuMap.maps.get('today_map').map.getZoom() > zoom + 0.2", arg=fitted[2])
    seen.page.set_viewport_size({"width": 1280, "height": 720})
    seen.page.wait_for_timeout(500)
    seen.page.locator(".leaflet-control-zoom-in").click()
    seen.page.wait_for_timeout(600)
    before = _view(seen)
    seen.page.reload()
    seen.page.wait_for_selector(ROOT_BOX)
    seen.settle()
    # The legend may be a few pixels higher than before.
    assert _view(seen) == pytest.approx(before, abs=5e-4)
    seen.page.locator(".fit").click()
    seen.page.wait_for_timeout(300)
    assert _view(seen)[2] == pytest.approx(fitted[2], abs=0.11)
    seen.require_clean()


def test_names_are_written_and_can_be_switched_off(open_map: Callable[..., Visit]) -> None:
    seen = open_map(lang="en")
    script = """() => {
      const canvas = bujuMap.maps.get("today_map").canvases.names._container;
      return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
    }"""
    seen.page.evaluate("() => bujuMap.maps.get('today_map').map.setZoom(14, { animate: false })")
    assert seen.page.evaluate(script)
    seen.page.locator(".layers summary").click()
    seen.page.locator("[data-layer=names]").uncheck()
    assert not seen.page.evaluate(script)
    seen.require_clean()


def test_the_keyboard_moves_and_zooms(open_map: Callable[..., Visit]) -> None:
    seen = open_map(lang="en")
    frame = seen.page.locator(FRAME)
    assert frame.get_attribute("aria-label")
    frame.focus()
    start = _view(seen)
    frame.press("+")
    seen.page.wait_for_timeout(600)
    assert _view(seen)[2] > start[2]
    frame.press("ArrowRight")
    seen.page.wait_for_timeout(600)
    assert _view(seen)[1] > start[1]


def test_layers_go_and_come_and_the_borders_are_fetched(open_map: Callable[..., Visit]) -> None:
    seen = open_map(lang="en")
    seen.page.locator(".layers summary").click()
    seen.page.locator("[data-layer=zones]").check()
    seen.page.wait_for_function("() => bujuMap.maps.get('today_map').parts.zones?.paths.count === 2")
    seen.page.locator("[data-layer=schools]").uncheck()
    legend = seen.page.locator(".legend").inner_text()
    assert "over capacity" not in legend
    assert "Minutes to school" in legend
    seen.require_clean()


def test_a_row_of_the_table_leads_to_the_school(open_map: Callable[..., Visit]) -> None:
    seen = open_map(lang="en")
    table = seen.page.locator("[data-testid=stDataFrame]").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    seen.page.mouse.click(box["x"] + 20, box["y"] + 52)
    seen.by_key("today_close").wait_for()
    assert "175%" in seen.by_key("today_side").inner_text()
    seen.require_clean()

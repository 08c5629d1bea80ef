"""Drawing zones on the map in real Chromium: tools, keys, touch, views, and that no stroke is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.ui.app_driver import RunningApp, Visit, start_app, visit
from tests.ui.drawing_county import build_drawing_county, find_nearest
from tests.ui.drawing_page import HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
PAGE = Path(__file__).with_name("drawing_page.py")
MAP = 'globalThis.bujuMap.maps.get("drawing_map")'
FRAME = ".map-frame:not(.twin-frame)"
COLUMNS = 12
POND, LAST = 95, 94
"""Area 95 lies in a hole of area 0; area 1 has a second part in the corner after area 94."""
FIND = f"""([kind, at]) => {{
  const map = {MAP}, {{ schools, table }} = map.parts, part = kind === "school" ? schools : table;
  const point = map.map.latLngToContainerPoint(map.toLatLng(part.x[at], part.y[at]));
  const box = map.frame.getBoundingClientRect();
  return [box.left + point.x, box.top + point.y];
}}"""


class Table:
    """One tab with the drawing map on it."""

    def __init__(self, seen: Visit) -> None:
        self.seen, self.page = seen, seen.page

    def at(self, kind: str, number: int) -> tuple[float, float]:
        """Where a school or a unit is in the window."""
        found: Any = self.page.evaluate(FIND, [kind, number])
        return float(found[0]), float(found[1])

    def tool(self, name: str) -> None:
        """Press a button of the tool bar."""
        self.page.locator(f".tool[data-name={name}]").click()

    def click(self, kind: str, number: int, **options: Any) -> None:
        """Click on a school or a unit."""
        self.page.mouse.click(*self.at(kind, number), **options)

    def aim(self, zone: int) -> None:
        """Choose the school to give to."""
        self.page.locator(".chooser input").click()
        self.page.locator(f"[data-zone='{zone}']").click()

    def drag(self, *units: int, steps: int = 1) -> None:
        """Drag from unit to unit, with so few samples as ``steps`` says."""
        self.page.mouse.move(*self.at("unit", units[0]))
        self.page.mouse.down()
        for unit in units[1:]:
            self.page.mouse.move(*self.at("unit", unit), steps=steps)
        self.page.mouse.up()

    def zones(self) -> list[int]:
        """The zones that the browser shows."""
        return [int(value) for value in self.page.evaluate(f"() => Array.from({MAP}.drawing.zone)")]

    def locked(self) -> list[int]:
        """The units that the browser shows as locked."""
        flags = self.page.evaluate(f"() => Array.from({MAP}.drawing.locked)")
        return [number for number, flag in enumerate(flags) if flag]

    def told(self) -> str:
        """What the line below the tools says."""
        return self.page.locator(".told").inner_text()

    def wait_for_server(self, ack: int) -> None:
        """Wait until the server has applied a stroke and the page shows its numbers."""
        self.page.wait_for_selector(f'.buju-map[data-ack="{ack}"][data-waiting="0"]')
        self.page.wait_for_selector(f'.moved[data-ack="{ack}"]')

    def server_zones(self) -> list[int]:
        """The zones that the server said it has."""
        return [int(value) for value in self.page.evaluate(f"() => Array.from({MAP}.drawing.server)")]

    def moved(self) -> str:
        """The number on the page beside the map."""
        return self.page.locator(".moved").inner_text()


@pytest.fixture(scope="module")
def drawing_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with start_app(tmp_path_factory.mktemp("drawing_app"), script=str(PAGE)) as started:
        yield started


@pytest.fixture
def open_table(browser: Browser, drawing_app: RunningApp) -> Iterator[Callable[..., Table]]:
    with ExitStack() as stack:

        def start(**query: str) -> Table:
            seen = stack.enter_context(visit(browser, drawing_app))
            seen.page.on("dialog", lambda dialog: seen.console_errors.append("a name ran as a program"))
            seen.open("/", **query)
            seen.page.wait_for_selector(".buju-map[data-version]")
            return Table(seen)

        yield start


@pytest.fixture
def table(open_table: Callable[..., Table]) -> Table:
    return open_table(lang="en")


def test_a_click_gives_an_area_and_the_numbers_follow(table: Table) -> None:
    table.tool("give")
    before = table.zones()
    table.click("unit", 40)
    assert table.zones() == before
    assert "First click a school" in table.told()
    table.click("school", 1)
    assert table.told() == "Give to 实验小学"
    table.click("unit", 40)
    assert table.zones()[40] == 1 != before[40]
    assert table.told() == "Area 40 → 实验小学"
    table.wait_for_server(1)
    assert table.moved() == "1 moved, 12 pupils"
    assert table.server_zones() == [*before[:40], 1, *before[41:]]
    table.click("unit", 40)
    assert table.told() == "Already there: nothing changes"
    table.seen.require_clean()


def test_looking_opens_the_card_and_gives_nothing(table: Table) -> None:
    table.click("unit", 40)
    table.page.locator(".chosen", has_text="u00040").wait_for()
    table.drag(40, 43)
    assert table.moved() == "0 moved, 0 pupils"


@pytest.mark.parametrize(("first", "last"), [(36, 46), (12, 84), (24, 93)])
def test_a_fast_stroke_of_the_brush_misses_no_area(table: Table, first: int, last: int) -> None:
    import shapely

    table.tool("brush")
    table.aim(2)
    table.drag(first, last)
    study = build_drawing_county(8, 12, 6, special=True)
    points = study.units[["x_m", "y_m"]].to_numpy(dtype=float)[[first, last]]
    crossed = np.flatnonzero(shapely.intersects(study.units.geometry.to_numpy(), shapely.linestrings(points)))
    zones = table.zones()
    assert [unit for unit in crossed if zones[unit] != 2] == []
    # The projection of the map bends the line by less than the pixel to which the pointer is rounded.
    nearly = shapely.buffer(shapely.linestrings(points), 12.0)
    touched = np.flatnonzero(shapely.intersects(study.units.geometry.to_numpy(), nearly))
    start = find_nearest(study)
    start[-3:] = -1
    changed = [unit for unit, zone in enumerate(zones) if zone != start[unit]]
    assert set(changed) <= set(touched.tolist())
    table.wait_for_server(1)
    assert table.server_zones() == zones


def test_a_wide_brush_takes_more_and_escape_takes_it_back(table: Table) -> None:
    table.tool("brush")
    table.aim(2)
    before = table.zones()
    table.page.locator(".size").nth(2).click()
    table.page.mouse.move(*table.at("unit", 64))
    table.page.mouse.down()
    table.page.mouse.move(*table.at("unit", 65))
    assert sum(a != b for a, b in zip(table.zones(), before, strict=True)) >= 6
    table.page.locator(FRAME).press("Escape")
    table.page.mouse.up()
    assert table.zones() == before
    assert table.moved() == "0 moved, 0 pupils"


def test_the_lasso_takes_what_has_its_people_inside(table: Table) -> None:
    table.tool("lasso")
    table.aim(4)
    before = table.zones()
    table.drag(13, 16, 40, 37, 13, steps=3)
    zones = table.zones()
    changed = {unit for unit, zone in enumerate(zones) if zone != before[unit]}
    assert {26, 27} <= changed <= {13, 14, 15, 16, 25, 26, 27, 28, 37, 38, 39, 40}
    assert table.told() == f"{len(changed)} areas → School 4"
    table.wait_for_server(1)


def test_locked_areas_stay_and_the_map_says_so(table: Table) -> None:
    table.tool("lock")
    table.drag(25, 27)
    assert table.locked() == [25, 26, 27]
    assert table.told() == "3 areas locked"
    table.tool("give")
    table.aim(5)
    before = table.zones()
    table.click("unit", 25)
    assert table.zones() == before
    assert table.told() == f"Area 25 is locked and stays with {HOSTILE}"
    table.tool("lasso")
    table.drag(12, 16, 52, 48, 12, steps=3)
    assert "3 locked areas stay as they are" in table.told()
    assert [table.zones()[unit] for unit in (25, 26, 27)] == [before[unit] for unit in (25, 26, 27)]
    table.tool("lock")
    table.click("unit", 25)
    assert table.locked() == [26, 27]
    table.wait_for_server(3)
    assert table.locked() == [26, 27]
    table.seen.require_clean()


def test_undo_and_redo_by_button_and_by_key(table: Table) -> None:
    undo = table.page.locator(".tool[data-name=undo]")
    assert undo.is_disabled()
    table.tool("brush")
    table.aim(3)
    start = table.zones()
    table.drag(40, 42)
    drawn = table.zones()
    table.wait_for_server(1)
    undo.click()
    table.wait_for_server(2)
    assert table.zones() == start
    table.page.locator(FRAME).focus()
    table.page.keyboard.press("Control+y")
    table.wait_for_server(3)
    assert table.zones() == drawn != start
    table.page.keyboard.press("Control+z")
    table.wait_for_server(4)
    table.page.keyboard.press("Control+Shift+Z")
    table.wait_for_server(5)
    assert table.zones() == drawn


def test_the_keyboard_alone_gives_and_locks(table: Table) -> None:
    frame = table.page.locator(FRAME)
    frame.focus()
    view = table.page.evaluate(f"() => {MAP}.map.getCenter().lng")
    frame.press("g")
    table.page.locator(".chooser input").focus()
    table.page.keyboard.type("school 5")
    table.page.keyboard.press("Enter")
    frame.focus()
    frame.press("ArrowRight")
    start = int(table.page.evaluate(f"() => {MAP}.keys.at"))
    frame.press("ArrowRight")
    frame.press("ArrowUp")
    there = int(table.page.evaluate(f"() => {MAP}.keys.at"))
    assert there == start + 1 + COLUMNS
    frame.press("Enter")
    assert table.zones()[there] == 5
    frame.press("ArrowDown")
    frame.press("Space")
    assert table.zones()[there - COLUMNS] == 5
    frame.press("k")
    frame.press("Enter")
    assert table.locked() == [there - COLUMNS]
    assert "locked" in table.told()
    table.wait_for_server(3)
    assert table.page.evaluate(f"() => {MAP}.map.getCenter().lng") == view
    # With the Look tool the arrows move the map.
    frame.press("v")
    frame.press("ArrowRight")
    table.page.wait_for_function(f"lng => {MAP}.map.getCenter().lng > lng", arg=view)
    table.seen.require_clean()


def test_holes_and_second_parts_are_hit_right(table: Table) -> None:
    table.tool("give")
    table.aim(5)
    table.click("unit", POND)
    zones = table.zones()
    assert (zones[POND], zones[0]) == (5, 0)
    table.aim(4)
    table.page.mouse.click(*_beside_the_hole(table))
    assert (table.zones()[POND], table.zones()[0]) == (5, 4)
    # The corner of the grid belongs to area 1, far away.
    right, top = table.at("unit", 83)
    table.page.mouse.click(right, top - (table.at("unit", 71)[1] - top))
    zones = table.zones()
    assert zones[1] == 4
    table.wait_for_server(3)


def _beside_the_hole(table: Table) -> tuple[float, float]:
    x, y = table.at("unit", POND)
    return x - abs(table.at("unit", 2)[0] - x) / 2 * 0.33, y


def test_picking_by_a_click_with_alt_and_with_the_tool(table: Table) -> None:
    table.tool("brush")
    table.page.keyboard.down("Alt")
    table.click("unit", 47)
    table.page.keyboard.up("Alt")
    assert table.told() == "Give to School 2"
    table.tool("pick")
    table.click("unit", 66)
    assert table.told() == "Give to School 4"
    assert table.page.locator(".tool[data-name=brush]").get_attribute("aria-pressed") == "true"
    table.click("school", 0)
    assert table.told() == f"Give to {HOSTILE}"
    assert table.moved() == "0 moved, 0 pupils"


def test_space_and_the_middle_button_move_the_map(table: Table) -> None:
    # Else the map glides on, as far as the machine is slow, and the next press meets a button.
    table.page.evaluate(f"() => ({MAP}.map.options.inertia = false)")
    table.tool("brush")
    table.aim(2)
    start = table.page.evaluate(f"() => {MAP}.map.getCenter().lng")
    table.page.locator(FRAME).focus()
    table.page.keyboard.down("Space")
    table.drag(64, 60, steps=5)
    table.page.keyboard.up("Space")
    table.page.wait_for_function(f"lng => {MAP}.map.getCenter().lng > lng", arg=start)
    there = table.page.evaluate(f"() => {MAP}.map.getCenter().lng")
    table.page.mouse.move(*table.at("unit", 65))
    table.page.mouse.down(button="middle")
    table.page.mouse.move(*table.at("unit", 68), steps=5)
    table.page.mouse.up(button="middle")
    table.page.wait_for_function(f"lng => {MAP}.map.getCenter().lng < lng", arg=there)
    assert table.moved() == "0 moved, 0 pupils"


def test_strokes_while_the_server_is_busy_are_not_lost(open_table: Callable[..., Table]) -> None:
    table = open_table(lang="en", slow="1")
    table.tool("give")
    table.aim(2)
    start = table.zones()
    for number, unit in enumerate((36, 37, 38, 48, 49, 50, 60), start=1):
        table.click("unit", unit)
        assert sum(a != b for a, b in zip(table.zones(), start, strict=True)) == number
        table.page.wait_for_timeout(230)
    drawn = table.zones()
    table.page.locator(FRAME).press("Control+z")
    table.wait_for_server(8)
    expected = [*drawn]
    expected[60] = start[60]
    assert table.zones() == table.server_zones() == expected
    assert table.moved() == "6 moved, 72 pupils"
    table.seen.require_clean()


def test_a_map_that_lost_its_zones_asks_for_them(table: Table) -> None:
    table.tool("give")
    table.aim(2)
    table.click("unit", 40)
    table.wait_for_server(1)
    table.page.evaluate(f"() => {MAP}.drawing.server[7] = 5")
    table.click("unit", 41)
    table.wait_for_server(2)
    table.page.wait_for_function(f"() => {MAP}.drawing.server[7] === 1")
    assert table.zones() == table.server_zones()


def test_only_what_changed_is_sent(table: Table) -> None:
    assert table.page.evaluate(f"() => 'whole' in {MAP}.data.edit.zone")
    table.tool("give")
    table.aim(2)
    table.click("unit", 40)
    table.wait_for_server(1)
    sent = table.page.evaluate(f"() => [{MAP}.data.edit.zone, Object.values({MAP}.data.parts).some((p) => p?.payload)]")
    assert set(sent[0]) == {"changed", "zones"}
    assert len(sent[0]["changed"]) == 8
    assert sent[1] is False


def test_only_the_changed_areas_are_painted_anew(table: Table) -> None:
    """Far from the stroke the picture stays; a full repaint afterwards makes the same picture."""
    table.page.evaluate(f"() => {{ {MAP}.switchLayer('names', false); {MAP}.switchLayer('schools', false); }}")
    table.tool("brush")
    table.aim(2)
    table.drag(40, 64)
    table.page.wait_for_timeout(100)
    grab = f"""() => ["units", "over"].map((name) => {{
      const canvas = {MAP}.canvases[name]._container;
      return Array.from(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data);
    }})"""
    compare = f"""() => {{
      const grab = {grab}, before = grab();
      {MAP}.repaint();
      return before.map((data, i) => data.filter((value, k) => Math.abs(value - grab()[i][k]) > 24).length);
    }}""".replace("grab()[i][k]", "after[i][k]").replace(f"{MAP}.repaint();", f"{MAP}.repaint(); const after = grab();")
    different = table.page.evaluate(compare)
    assert max(different) < 400, different


def test_a_rerun_of_the_page_keeps_view_tool_and_target(table: Table) -> None:
    table.tool("give")
    table.aim(2)
    table.page.evaluate(f"() => {MAP}.map.setZoom(14, {{ animate: false }})")
    view = table.page.evaluate(f"() => [{MAP}.map.getZoom(), {MAP}.map.getCenter().lng]")
    table.click("unit", 54)
    table.wait_for_server(1)
    now = table.page.evaluate(f"() => [{MAP}.map.getZoom(), {MAP}.map.getCenter().lng]")
    assert now == pytest.approx(view, abs=5e-5)
    assert table.page.locator(".tool[data-name=give]").get_attribute("aria-pressed") == "true"
    table.page.reload()
    table.page.wait_for_selector(".buju-map[data-version]")
    table.seen.settle()
    assert table.page.evaluate(f"() => {MAP}.map.getZoom()") == view[0]
    # A new session has its own zones; strokes go on from what its server says.
    table.tool("give")
    table.aim(2)
    table.click("unit", 54)
    table.wait_for_server(1)


def test_today_swipe_and_side_by_side_show_both(table: Table) -> None:
    table.tool("brush")
    table.aim(2)
    table.drag(36, 47)
    table.wait_for_server(1)
    first, second = (_colour_of(table, view, 37) for view in ("proposed", "today"))
    assert first != second
    assert table.page.locator(".tool[data-name=brush]").is_disabled()
    table.tool("swipe")
    assert _colour_of(table, "swipe", 37, "twin") == second
    assert _colour_of(table, "swipe", 46) == first
    divider = table.page.locator(".divider")
    x = divider.bounding_box()
    divider.press("ArrowRight")
    moved = divider.bounding_box()
    assert x is not None
    assert moved is not None
    assert moved["x"] > x["x"]
    table.page.mouse.move(moved["x"] + 2, moved["y"] + 40)
    table.page.mouse.down()
    table.page.mouse.move(*table.at("unit", 28))
    table.page.mouse.up()
    # The proposed side can be drawn on, today's side moves the map.
    table.drag(66, 68)
    assert table.zones()[67] == 2
    table.wait_for_server(2)
    table.drag(73, 74)
    assert table.zones()[74] != 2
    table.tool("side")
    assert _colour_of(table, "side", 37, "twin") == second
    assert _colour_of(table, "side", 37) == first
    table.page.mouse.wheel(0, -300)
    table.page.mouse.move(*table.at("unit", 50))
    table.page.mouse.wheel(0, -300)
    table.page.wait_for_timeout(700)
    same = f"""() => {{ const map = {MAP}, a = map.map, b = map.twin.map;
      return [a.getZoom() - b.getZoom(), a.getCenter().distanceTo(b.getCenter())]; }}"""
    zoom, metres = table.page.evaluate(same)
    assert zoom == 0
    assert metres < 15
    table.tool("proposed")
    assert table.page.locator(".twin-half").is_hidden()
    table.seen.require_clean()


def _colour_of(table: Table, view: str, unit: int, which: str = "main") -> list[int]:
    """The colour of a unit near its demand point, on the map itself or on today's."""
    button = table.page.locator(f".tool[data-name={view}]")
    if button.get_attribute("aria-pressed") != "true":
        button.click()
        table.page.wait_for_timeout(100)
    host = f"{MAP}.twin" if which == "twin" else MAP
    script = f"""(at) => {{
      const map = {MAP}, host = {host}, canvas = host.canvases.units, part = map.parts.table;
      const at0 = host.map.latLngToContainerPoint(map.toLatLng(part.x[at], part.y[at]));
      const p = host.map.containerPointToLayerPoint(at0).subtract(canvas._bounds.min);
      const ratio = canvas._container.width / canvas._bounds.getSize().x;
      return Array.from(canvas._container.getContext("2d").getImageData(p.x * ratio, p.y * ratio, 1, 1).data);
    }}"""
    return [int(value) for value in table.page.evaluate(script, unit)]


def test_hostile_names_stay_text(table: Table) -> None:
    table.tool("give")
    table.page.locator(".chooser input").click()
    assert HOSTILE in table.page.locator(".chooser-list").inner_text()
    table.aim(0)
    table.click("unit", 41)
    assert table.told() == f"Area 41 → {HOSTILE}"
    table.page.mouse.move(*table.at("unit", 41))
    table.page.wait_for_function(f"name => {MAP}.tip.box.textContent.includes(name)", arg=HOSTILE)
    assert table.page.locator("img[src=x]").count() == 0
    table.seen.require_clean()


def test_the_list_narrows_and_says_when_nothing_fits(table: Table) -> None:
    table.tool("give")
    field = table.page.locator(".chooser input")
    field.fill("验小")
    assert table.page.locator(".chooser-row").count() == 1
    field.fill("nowhere")
    assert table.page.locator(".chooser-list").inner_text() == "No school with this name"
    field.fill("school")
    field.press("ArrowDown")
    field.press("ArrowDown")
    field.press("Enter")
    assert table.told() == "Give to School 3"
    assert field.input_value() == "School 3"


def test_a_finger_draws_and_two_fingers_do_not(browser: Browser, drawing_app: RunningApp) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 844}, is_mobile=True)
    seen = Visit(context.new_page(), drawing_app)
    try:
        seen.open("/", lang="en")
        seen.page.wait_for_selector(".buju-map[data-version]")
        table = Table(seen)
        boxes = [
            seen.page.locator(f".tool[data-name={name}]").bounding_box() for name in ("look", "brush", "undo", "swipe")
        ]
        assert all(box is not None and box["height"] >= 44 for box in boxes)
        seen.page.locator(".tool[data-name=give]").tap()
        seen.page.touchscreen.tap(*table.at("school", 2))
        seen.page.touchscreen.tap(*table.at("unit", 41))
        table.wait_for_server(1)
        assert table.zones()[41] == 2
        seen.page.locator(".tool[data-name=brush]").tap()
        finger = context.new_cdp_session(seen.page)
        before = table.zones()
        points = [table.at("unit", unit) for unit in (37, 38, 39)]
        _touch(finger, "touchStart", points[:1])
        _touch(finger, "touchMove", points[1:2])
        _touch(finger, "touchMove", points[2:])
        _touch(finger, "touchEnd", [])
        table.wait_for_server(2)
        drawn = table.zones()
        assert [drawn[unit] for unit in (37, 38, 39)] == [2, 2, 2] != [before[unit] for unit in (37, 38, 39)]
        zoom = seen.page.evaluate(f"() => {MAP}.map.getZoom()")
        a, b = table.at("unit", 62), table.at("unit", 64)
        _touch(finger, "touchStart", [a])
        _touch(finger, "touchStart", [a, b])
        for step in range(1, 6):
            _touch(finger, "touchMove", [(a[0] - 8 * step, a[1]), (b[0] + 8 * step, b[1])])
        _touch(finger, "touchEnd", [])
        seen.page.wait_for_function(f"zoom => {MAP}.map.getZoom() > zoom", arg=zoom)
        assert table.zones() == drawn
    finally:
        context.close()


def _touch(finger: Any, kind: str, points: list[tuple[float, float]]) -> None:
    listed = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": listed})


def test_more_than_255_zones(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("many")
    with start_app(folder, script=str(PAGE), BUJU_TEST_GRID="30x40x300") as app, visit(browser, app) as seen:
        seen.open("/", lang="en")
        seen.page.wait_for_selector(".buju-map[data-version]")
        table = Table(seen)
        assert max(table.zones()) == 299
        table.tool("give")
        table.page.locator(".chooser input").fill("School 287")
        table.page.keyboard.press("Enter")
        # An area whose middle no school covers.
        free = f"""() => {{ const map = {MAP}, part = map.parts.table;
          return Array.from(part.x.keys()).find((at) => at > 500 && map.drawing.zone[at] !== 287
            && map.pick(map.map.latLngToContainerPoint(map.toLatLng(part.x[at], part.y[at])))?.kind === "unit"); }}"""
        unit = int(seen.page.evaluate(free))
        table.click("unit", unit)
        table.wait_for_server(1)
        assert table.zones()[unit] == table.server_zones()[unit] == 287
        assert table.told() == f"Area {unit} → School 287"
        seen.require_clean()

"""The drawing table in Chromium, on three villages: drawn, undone, improved, explained, kept, downloaded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reports.language import read_catalogue
from tests.small_county import SCHOOLS, STUDY, write_small_county
from tests.ui.app_driver import RunningApp, Visit, start_app, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
DRAWN, SHORT, PLAIN = "c" * 32, "d" * 32, "e" * 32
"""Tokens of three counties: with zones of today, with 90 places for 180 pupils, without zones of today."""
ZONES = "unit_id,stage,school_id\n00,primary,001\n01,primary,001\n02,primary,002\n"
MAP = 'globalThis.bujuMap.maps.get("catchments_map")'
READY = ".buju-map[data-version]"
PATIENCE_MS = 180_000.0
"""The first search on a machine compiles the solver."""
FIND = f"""([kind, at]) => {{
  const map = {MAP}, {{ schools, table }} = map.parts, part = kind === "school" ? schools : table;
  const point = map.map.latLngToContainerPoint(map.toLatLng(part.x[at], part.y[at]));
  const box = map.frame.getBoundingClientRect();
  return [box.left + point.x, box.top + point.y];
}}"""


@pytest.fixture(scope="module")
def county_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("catchments")
    for token in (DRAWN, SHORT, PLAIN):
        place = folder / "uploads" / token
        place.mkdir(parents=True)
        write_small_county(place)
        if token != PLAIN:
            (place / "zones.csv").write_text(ZONES, encoding="utf-8")
            (place / "study.toml").write_text(STUDY + '[zones]\npath = "zones.csv"\n', encoding="utf-8")
    scarce = SCHOOLS.replace(",90,120,2", ",30,120,2").replace(",180,60,4", ",60,60,4")
    (folder / "uploads" / SHORT / "schools.csv").write_text(scarce, encoding="utf-8")
    with start_app(folder) as started:
        yield started


class Table:
    """One tab with the drawing table. Villages 0, 1, 2 from west to east; zones 0 (school 001) and 1 (school 002)."""

    def __init__(self, seen: Visit) -> None:
        self.seen, self.page = seen, seen.page

    def wait(self) -> None:
        """Wait until the map stands."""
        self.page.wait_for_selector(READY, timeout=PATIENCE_MS)
        self.page.wait_for_function(f"() => {MAP} && {MAP}.ready")
        self.seen.settle()

    def at(self, kind: str, number: int) -> tuple[float, float]:
        """Where a school or a village is in the window."""
        found: Any = self.page.evaluate(FIND, [kind, number])
        return float(found[0]), float(found[1])

    def tool(self, name: str) -> None:
        """Press a button of the tool bar."""
        self.page.locator(f".tool[data-name={name}]").click()

    def aim(self, zone: int) -> None:
        """Choose the school to give to."""
        self.page.locator(".chooser input").click()
        self.page.locator(f"[data-zone='{zone}']").click()

    def click(self, kind: str, number: int) -> None:
        """Click on a school or a village."""
        self.page.mouse.click(*self.at(kind, number))

    def zones(self) -> list[int]:
        """Zone of every village, as the server knows it."""
        return [int(zone) for zone in self.page.evaluate(f"() => [...{MAP}.drawing.server]")]

    def expect(self, *zones: int) -> None:
        """Wait until the server knows these zones."""
        script = f"zones => JSON.stringify([...{MAP}.drawing.server]) === JSON.stringify(zones)"
        self.page.wait_for_function(script, arg=list(zones))
        self.seen.settle()

    def number(self, title: str) -> str:
        """A number of the panel."""
        row = self.page.locator(".numbers tr", has=self.page.get_by_text(title, exact=True))
        return row.locator("b").inner_text()

    def side(self) -> str:
        """The words of the panel beside the map."""
        return self.seen.by_key("catchments_side").inner_text()


@pytest.fixture
def open_table(browser: Browser, county_app: RunningApp) -> Iterator[Callable[..., Table]]:
    with ExitStack() as stack:

        def start(token: str = DRAWN, **query: str) -> Table:
            seen = stack.enter_context(visit(browser, county_app))
            seen.page.on("dialog", lambda dialog: seen.console_errors.append("a name ran as a program"))
            table = Table(seen.open("/catchments", study=f"upload-{token}", mode="walk", **query))
            table.wait()
            return table

        yield start


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_opens_says_what_to_do_and_fits_the_window(open_table: Callable[..., Table], language: str) -> None:
    table = open_table(lang=language)
    say = read_catalogue(language)
    words = table.seen.text()
    for word in ("Catchments", "Improve from here", "Begin from …", "Mean way (min)", "Pupils above the places"):
        assert say(word) in words
    assert table.page.locator(".guide").count() == 1
    assert table.zones() == [0, 0, 1]
    assert table.number(say("Pupils above the places")) == "30"
    for box in (table.page.locator(".numbers"), table.page.locator(".map-frame").first):
        place = box.bounding_box()
        assert place is not None
        assert place["y"] + place["height"] <= 720
    table.seen.require_clean()


def test_click_brush_lasso_lock_undo_and_redo_and_the_numbers_follow(open_table: Callable[..., Table]) -> None:
    table = open_table(lang="en")
    table.tool("give")
    table.aim(1)
    table.click("unit", 1)
    table.expect(0, 1, 1)
    assert table.page.locator(".guide").count() == 0
    assert (table.number("Pupils above the places"), table.number("Pupils who change school")) == ("0", "60")
    table.tool("lock")
    table.click("unit", 1)
    table.page.wait_for_function(f"() => {MAP}.drawing.serverLocked[1] === 1")
    table.seen.settle()
    table.tool("brush")
    table.aim(0)
    x, y = table.at("unit", 1)
    table.page.mouse.move(x, y + 40)
    table.page.mouse.down()
    table.page.mouse.move(*table.at("unit", 2), steps=4)
    table.page.mouse.up()
    table.expect(0, 1, 0)
    table.tool("undo")
    table.expect(0, 1, 1)
    table.tool("lasso")
    (left, top), (right, _y) = table.at("unit", 1), table.at("unit", 2)
    table.page.mouse.move(left - 20, top - 30)
    table.page.mouse.down()
    for x, y in ((right + 20, top - 30), (right + 20, top + 30), (left - 20, top + 30)):
        table.page.mouse.move(x, y, steps=3)
    table.page.mouse.up()
    table.expect(0, 1, 0)
    for zones in ((0, 1, 1), (0, 1, 1), (0, 0, 1)):
        table.tool("undo")
        table.expect(*zones)
    assert table.page.evaluate(f"() => {MAP}.drawing.serverLocked[1]") == 0
    table.tool("redo")
    table.expect(0, 1, 1)
    table.seen.require_clean()


def test_fast_strokes_are_all_taken_in_and_kept_in_one_file(open_table: Callable[..., Table]) -> None:
    table = open_table(lang="en")
    table.tool("give")
    table.aim(1)
    for unit in (0, 1):
        table.click("unit", unit)
    table.expect(1, 1, 1)
    address = table.page.url
    for _ in range(8):
        table.page.keyboard.press("Control+z")
        table.page.keyboard.press("Control+y")
    table.page.keyboard.press("Control+z")
    table.page.wait_for_function(f"() => {MAP}.drawing.pending.length === 0")
    table.expect(1, 0, 1)
    assert table.page.url == address
    assert "another window" not in table.side()
    table.page.reload()
    table.wait()
    assert table.zones() == [1, 0, 1]
    table.seen.require_clean()


def test_a_reload_keeps_the_drawing_with_its_way_back(open_table: Callable[..., Table]) -> None:
    table = open_table(lang="en")
    table.tool("give")
    table.aim(1)
    table.click("unit", 0)
    table.expect(1, 0, 1)
    assert "drawing=" in table.page.url
    table.page.reload()
    table.wait()
    assert table.zones() == [1, 0, 1]
    table.tool("undo")
    table.expect(0, 0, 1)
    table.tool("give")
    table.aim(1)
    table.click("unit", 1)
    table.expect(0, 1, 1)
    # Another page and back: the links carry the drawing.
    table.page.get_by_role("link", name="Zoning", exact=True).click()
    table.page.wait_for_selector(".st-key-zoning_page .buju-map[data-version]")
    table.page.get_by_role("link", name="Catchments", exact=True).click()
    table.wait()
    assert table.zones() == [0, 1, 1]
    table.seen.require_clean()


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": "buju-drawing", "version": 1}', b"\x00\xff"])
def test_a_damaged_file_is_told_and_a_new_drawing_begins(
    open_table: Callable[..., Table], county_app: RunningApp, content: bytes
) -> None:
    table = open_table(lang="en")
    table.tool("give")
    table.aim(1)
    table.click("unit", 1)
    table.expect(0, 1, 1)
    token = table.page.url.split("drawing=")[1].split("&")[0]
    path = next((county_app.cache_folder / "drawings").glob(f"*-{token}.json"))
    path.write_bytes(content)
    table.page.reload()
    table.wait()
    assert "cannot be opened" in table.side()
    assert table.zones() == [0, 0, 1]
    table.seen.require_clean()


def test_an_address_that_is_no_drawing_opens_a_new_one(open_table: Callable[..., Table]) -> None:
    for token in ("../../etc/passwd", "0" * 16, "<script>"):
        table = open_table(lang="en", drawing=token)
        assert table.zones() == [0, 0, 1]
        table.seen.require_clean()


def test_improve_finds_better_zones_keeps_the_locks_and_can_be_undone(open_table: Callable[..., Table]) -> None:
    # The village in the west goes past the middle one, where its school stands, to the school in the east.
    table = open_table(lang="en")
    table.tool("give")
    table.aim(1)
    table.click("unit", 0)
    table.expect(1, 0, 1)
    table.tool("lock")
    table.click("unit", 2)
    table.page.wait_for_function(f"() => {MAP}.drawing.serverLocked[2] === 1")
    table.seen.settle()
    table.seen.click("catchments_improve")
    table.page.get_by_text("Improved: 1 areas change school.").wait_for(timeout=PATIENCE_MS)
    table.expect(0, 0, 1)
    assert "No lawful plan can be" in table.page.locator(".st-key-catchments_side .proof").inner_text()
    table.tool("undo")
    table.expect(1, 0, 1)
    assert table.page.locator(".st-key-catchments_side .proof").count() == 0
    table.tool("lock")
    table.click("unit", 0)
    table.page.wait_for_function(f"() => {MAP}.drawing.serverLocked[0] === 1")
    table.seen.settle()
    table.seen.click("catchments_improve")
    table.page.locator(".st-key-catchments_side .told, .st-key-catchments_side .conflict").first.wait_for(
        timeout=PATIENCE_MS
    )
    table.seen.settle()
    assert table.zones() == [1, 0, 1]
    table.seen.require_clean()


def test_too_few_places_are_a_conflict_in_words(open_table: Callable[..., Table]) -> None:
    table = open_table(SHORT, lang="en")
    table.seen.by_key("catchments_rules").locator("button").first.click()
    table.seen.by_key("zoning_overload").get_by_text("forbidden").click()
    table.page.keyboard.press("Escape")
    table.seen.settle()
    table.seen.click("catchments_improve")
    table.page.locator(".st-key-catchments_side .conflict").first.wait_for(timeout=PATIENCE_MS)
    table.seen.settle()
    assert "No lawful plan with these rules and locks" in table.side()
    assert table.zones() == [0, 0, 1]
    table.seen.require_clean()


def test_the_card_of_an_area_gives_the_reason_and_acts(open_table: Callable[..., Table]) -> None:
    table = open_table(lang="en")
    table.click("unit", 1)
    table.seen.by_key("catchments_close").wait_for()
    table.seen.settle()
    words = table.side()
    for word in ("Why", "Drawn", "Today", "Nearest", "村1", "Lock this area here"):
        assert word in words
    table.seen.by_key("catchments_actions").get_by_text("Give to {{7*7}}小学").click()
    table.expect(0, 1, 1)
    assert "What would have to change" in table.side()
    table.seen.by_key("catchments_lock").locator("button").click()
    table.page.wait_for_function(f"() => {MAP}.drawing.serverLocked[1] === 1")
    table.seen.by_key("catchments_actions").get_by_text("Unlock this area").wait_for()
    table.seen.settle()
    assert table.seen.by_key("catchments_actions").get_by_text("Give to").count() == 0
    table.seen.require_clean()


def test_the_card_of_a_school_has_its_zone_in_words_and_hostile_names_stay_text(
    open_table: Callable[..., Table],
) -> None:
    table = open_table(lang="en")
    table.click("school", 1)
    table.page.get_by_text("The zone in words").wait_for()
    table.page.locator(".notice p").first.wait_for()
    table.seen.settle()
    words = table.side()
    assert "{{7*7}}小学" in words
    assert "49小学" not in words
    for word in ("Fill as drawn", "By grade, as drawn", "Its communities", "村2"):
        assert word in words
    table.seen.require_clean()


def test_the_lists_lead_to_the_map_and_the_files_are_safe(open_table: Callable[..., Table]) -> None:
    table = open_table(lang="en")
    table.tool("give")
    table.aim(1)
    table.click("unit", 0)
    table.expect(1, 0, 1)
    row = table.seen.by_key("catchments_list")
    for name in ("Pockets, islands, detours", "Who goes where", "Locks (0)", "Boundaries in words"):
        row.get_by_text(name, exact=True).click()
        table.seen.by_key("catchments_shown_list").wait_for()
        table.seen.settle()
        table.seen.require_clean()
    table.seen.click("catchments_write_words")
    table.page.locator(".st-key-catchments_shown_list .notice").first.wait_for(timeout=PATIENCE_MS)
    row.get_by_text("Downloads", exact=True).click()
    files = _download_all(table)
    assert set(files) == {
        *("zones_primary_walk.csv", "communities_primary_walk.csv", "changes_primary_walk.csv"),
        *("zones_primary_walk.gpkg", "boundaries_primary_walk.csv", "boundaries_primary_walk.txt"),
    }
    zones = list(csv.DictReader(io.StringIO(files["zones_primary_walk.csv"].decode("utf-8-sig"))))
    assert [(line["unit_id"], line["school_id"]) for line in zones] == [("00", "002"), ("01", "001"), ("02", "002")]
    for name, content in files.items():
        if name.endswith(".csv"):
            cells = [cell for line in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in line]
            assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
            assert any("第一小学" in cell for cell in cells)
    table.seen.require_clean()


def _download_all(table: Table) -> dict[str, bytes]:
    found = {}
    buttons = table.seen.by_key("catchments_downloads").locator("button")
    buttons.first.wait_for()
    for number in range(buttons.count()):
        with table.page.expect_download() as waiting:
            buttons.nth(number).click()
        found[waiting.value.suggested_filename] = Path(waiting.value.path()).read_bytes()
    return found


def test_what_is_broken_leads_to_the_place(open_table: Callable[..., Table]) -> None:
    table = open_table(lang="en")
    broken = table.seen.by_key("catchments_broken").locator("button")
    assert broken.count() >= 1
    assert "Places" in broken.first.inner_text()
    broken.first.click()
    table.page.wait_for_function(f"() => {MAP}.focused === 1 && {MAP}.data.focus.id === '001'")
    table.seen.require_clean()


def test_a_county_without_zones_of_today_begins_with_the_nearest_schools(open_table: Callable[..., Table]) -> None:
    table = open_table(PLAIN, lang="en")
    assert table.zones() == [0, 0, 1]
    assert "Pupils who change school" not in table.side()
    table.seen.by_key("catchments_begin").locator("button").first.click()
    assert "Today's zones" not in table.page.locator("[data-testid=stPopoverBody]").last.inner_text()
    table.seen.require_clean()


def test_a_file_of_zones_and_a_new_start_are_steps_like_any_other(
    open_table: Callable[..., Table], tmp_path: Path
) -> None:
    table = open_table(lang="en")
    path = tmp_path / "mine.csv"
    path.write_text("unit_id,stage,school_id\n00,primary,002\n01,primary,002\n02,primary,002\n", encoding="utf-8")
    table.seen.by_key("catchments_begin").locator("button").first.click()
    table.page.get_by_text("Own file").click()
    table.seen.settle()
    scope = table.page.locator("[class*='st-key-zoning_file_drawing_'] input[type=file]")
    scope.set_input_files(str(path))
    table.page.wait_for_timeout(500)
    table.seen.settle()
    table.seen.click("catchments_restart")
    table.expect(1, 1, 1)
    table.page.keyboard.press("Escape")
    assert "Begun from: Own file." in table.seen.text()
    table.tool("undo")
    table.expect(0, 0, 1)
    assert "Begun from: Today's zones." in table.seen.text()
    table.seen.require_clean()


def test_the_answer_of_the_zoning_page_is_taken_over(open_table: Callable[..., Table]) -> None:
    table = open_table(lang="en")
    table.tool("give")
    table.aim(1)
    table.click("unit", 0)
    table.expect(1, 0, 1)
    table.page.get_by_role("link", name="Zoning", exact=True).click()
    table.seen.by_key("zoning_run").wait_for()
    table.seen.settle()
    table.seen.click("zoning_run")
    table.page.wait_for_selector(".st-key-zoning_side .proof", timeout=PATIENCE_MS)
    table.seen.settle()
    table.seen.click("zoning_take")
    table.wait()
    table.expect(0, 0, 1)
    assert "Begun from: The last answer of the Zoning page." in table.seen.text()
    table.tool("undo")
    table.expect(1, 0, 1)
    table.seen.require_clean()


def test_two_windows_on_one_address_do_not_overwrite_each_other(
    open_table: Callable[..., Table], county_app: RunningApp
) -> None:
    first = open_table(lang="en")
    first.tool("give")
    first.aim(1)
    first.click("unit", 1)
    first.expect(0, 1, 1)
    token = first.page.url.split("drawing=")[1].split("&")[0]
    second = open_table(lang="en", drawing=token)
    assert second.zones() == [0, 1, 1]
    second.tool("give")
    second.aim(1)
    second.click("unit", 0)
    second.expect(1, 1, 1)
    first.click("unit", 2)
    first.aim(0)
    first.click("unit", 2)
    first.expect(0, 1, 0)
    assert "another window" in first.side()
    assert token not in first.page.url
    path = next((county_app.cache_folder / "drawings").glob(f"*-{token}.json"))
    assert json.loads(path.read_bytes())["revision"] == 2
    first.seen.require_clean()
    second.seen.require_clean()

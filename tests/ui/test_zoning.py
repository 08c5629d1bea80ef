"""The Zoning page in Chromium, on a county of three villages: opens, runs, refuses with reasons, stops, downloads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports.language import read_catalogue
from tests.small_county import SCHOOLS, write_small_county
from tests.ui.app_driver import RunningApp, Visit, start_app, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
ENOUGH, SHORT = "a" * 32, "b" * 32
"""Tokens of two uploaded counties: in the second there are 90 places for 180 pupils."""
PROOF, CONFLICT = ".st-key-zoning_side .proof", ".st-key-zoning_side .conflict"
PATIENCE_MS = 180_000.0
"""The first run on a machine compiles the solver."""


@pytest.fixture(scope="module")
def county_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("zoning")
    for token in (ENOUGH, SHORT):
        place = folder / "uploads" / token
        place.mkdir(parents=True)
        write_small_county(place)
    scarce = SCHOOLS.replace(",90,120,2", ",30,120,2").replace(",180,60,4", ",60,60,4")
    (folder / "uploads" / SHORT / "schools.csv").write_text(scarce, encoding="utf-8")
    with start_app(folder) as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, county_app: RunningApp) -> Iterator[Callable[..., Visit]]:
    with ExitStack() as stack:

        def start(token: str = ENOUGH, **query: str) -> Visit:
            seen = stack.enter_context(visit(browser, county_app))
            seen.open("/zoning", study=f"upload-{token}", **query)
            seen.page.wait_for_selector(".buju-map[data-version]")
            return seen.settle()

        yield start


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_opens_with_a_map_and_a_hostile_name_stays_text(
    open_page: Callable[..., Visit], language: str
) -> None:
    seen = open_page(lang=language, mode="walk")
    say = read_catalogue(language)
    words = seen.text()
    for word in ("Zoning", "Propose zones", "What to do", "Start from"):
        assert say(word) in words
    assert seen.by_key("zoning_table").count() == 0
    seen.require_clean()


def test_zones_come_with_a_number_a_map_downloads_and_survive_a_change_of_page(open_page: Callable[..., Visit]) -> None:
    seen = open_page(lang="en")
    before = seen.page.locator(".buju-map").get_attribute("data-version")
    seen.click("zoning_run")
    seen.page.wait_for_selector(PROOF, timeout=PATIENCE_MS)
    seen.settle()
    proof = seen.page.locator(PROOF).inner_text()
    assert "This plan:" in proof
    assert "pupil-minutes" in proof
    assert "No lawful plan can be" in proof
    assert seen.page.locator(".buju-map").get_attribute("data-version") != before
    colours = seen.page.evaluate("() => [...bujuMap.maps.get('zoning_map').units.classes]")
    assert len(set(colours)) == 2
    for number in range(seen.by_key("zoning_table").locator("button").count()):
        seen.by_key("zoning_table").locator("button").nth(number).click()
        seen.settle()
    names = _download_all(seen)
    assert set(names) >= {"zones_primary_walk.gpkg", "units_primary_walk.csv", "schools_primary_walk.csv"}
    certificate = json.loads(names["certificate_primary_walk.json"].read_text(encoding="utf-8"))
    assert certificate["status"] == "plan"
    seen.page.get_by_role("link", name="Today", exact=True).click()
    seen.page.wait_for_selector(".st-key-today_page .buju-map[data-version]")
    seen.page.get_by_role("link", name="Zoning", exact=True).click()
    seen.page.wait_for_selector(PROOF)
    assert seen.page.locator(PROOF).inner_text() == proof
    seen.require_clean()


def _download_all(seen: Visit) -> dict[str, Path]:
    """Press every button of the downloads and return the files by the names that the browser was told."""
    found: dict[str, Path] = {}
    buttons = seen.by_key("zoning_downloads").locator("button")
    buttons.first.wait_for()
    for number in range(buttons.count()):
        with seen.page.expect_download() as waiting:
            buttons.nth(number).click()
        found[waiting.value.suggested_filename] = Path(waiting.value.path())
    assert all(path.stat().st_size > 0 for path in found.values())
    return found


def test_a_click_opens_the_card_of_an_area_with_its_reason(open_page: Callable[..., Visit]) -> None:
    seen = open_page(lang="en")
    seen.by_key("today_zoning_task").locator("button").nth(1).click()
    seen.settle()
    seen.click("zoning_run")
    seen.page.wait_for_selector(PROOF, timeout=PATIENCE_MS)
    seen.settle()
    for kind, key, word in (("units", "00", "Nearest"), ("schools", "001", "Places")):
        script = """([kind, id]) => {
          const m = bujuMap.maps.get("zoning_map"), part = m.parts[kind], at = part.at.get(id);
          const [x, y] = kind === "schools" ? [part.x[at], part.y[at]] : m.middle(part, at);
          const p = m.map.latLngToContainerPoint(m.toLatLng(x, y)), b = m.frame.getBoundingClientRect();
          return [b.left + p.x, b.top + p.y]; }"""
        x, y = seen.page.evaluate(script, [kind, key])
        seen.page.mouse.click(x, y)
        seen.by_key("zoning_close").wait_for()
        seen.by_key("zoning_side").get_by_text(word, exact=True).first.wait_for()
        seen.settle()
    seen.require_clean()


def test_too_few_places_are_a_reason_not_a_traceback(open_page: Callable[..., Visit]) -> None:
    seen = open_page(SHORT, lang="en")
    seen.by_key("zoning_more_open").locator("label").first.click()
    seen.settle()
    seen.by_key("zoning_overload").get_by_text("forbidden").click()
    seen.settle()
    seen.click("zoning_run")
    seen.page.wait_for_selector(CONFLICT, timeout=PATIENCE_MS)
    seen.settle()
    assert "There is no lawful plan with these rules." in seen.text()
    assert "Cure:" in seen.by_key("zoning_side").inner_text()
    seen.require_clean()


def test_a_run_can_be_stopped(open_page: Callable[..., Visit]) -> None:
    seen = open_page(lang="en")
    seen.by_key("today_zoning_task").locator("button").nth(2).click()
    seen.settle()
    seen.click("zoning_run")
    seen.by_key("zoning_cancel").locator("button").click()
    seen.page.get_by_text("Stopped. The result shown before still stands.").wait_for()
    seen.settle()
    assert seen.by_key("zoning_run").locator("button").is_enabled()
    seen.require_clean()

"""The Forecast page in Chromium, and the year of the forecast on every page; a small county with six years of rolls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.ui.app_driver import RunningApp, Visit, start_app, visit
from tests.ui.forecast_county import write_forecast_county

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
TOKEN = "f" * 32
KEY = f"upload-{TOKEN}"
DIGEST = """() => bujuMap.maps.get("forecast_map").data.parts.paint_0.hash"""


@pytest.fixture(scope="module")
def county_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("forecast")
    place = folder / "uploads" / TOKEN
    place.mkdir(parents=True)
    write_forecast_county(place)
    with start_app(folder) as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, county_app: RunningApp) -> Iterator[Callable[..., Visit]]:
    with ExitStack() as stack:

        def start(path: str, wait: str, **query: str) -> Visit:
            seen = stack.enter_context(visit(browser, county_app))
            seen.open(path, study=KEY, **query)
            seen.page.wait_for_selector(wait, timeout=90_000)
            return seen.settle()

        yield start


def _read_children(seen: Visit) -> int:
    facts = seen.page.locator(".facts div", has_text="Children of this stage").first.inner_text()
    return int(re.sub(r"[^\d]", "", facts.split("\n")[-1]))


def _section(seen: Visit, name: str) -> None:
    seen.by_key("forecast_section").get_by_text(name, exact=True).first.click()
    seen.settle()


def test_page_says_what_comes_and_settings_change_it(open_page: Callable[..., Visit]) -> None:
    seen = open_page("/forecast", ".buju-map[data-version]")
    headline = seen.page.locator(".headline").first
    assert "Primary: pupils fall from 180" in headline.inner_text()
    assert "Rolls: 2020/21 – 2025/26" in seen.text()
    before = headline.inner_text()
    seen.click("forecast_settings")
    box = seen.by_key("forecast_set_migration_middle").locator("input").first
    box.fill("5.0")
    box.press("Enter")
    seen.page.wait_for_function(
        "words => !['', words].includes(document.querySelector('.headline')?.innerText ?? '')",
        arg=before,
        timeout=30_000,
    )
    seen.settle()
    query = parse_qs(urlsplit(seen.page.url).query)
    assert "migration_share_per_year" in query["forecast"][0]
    seen.require_clean()


def test_slider_repaints_the_map_and_the_year_goes_to_all_pages(open_page: Callable[..., Visit]) -> None:
    seen = open_page("/forecast", ".buju-map[data-version]")
    last = seen.page.evaluate(DIGEST)
    handle = seen.by_key("forecast_map_year").get_by_role("slider").first
    handle.focus()
    for _press in range(5):
        handle.press("ArrowLeft")
    seen.page.locator(".pane-badge", has_text="2030/31").first.wait_for(timeout=60_000)
    assert seen.page.evaluate(DIGEST) != last
    seen.settle()
    seen.click("forecast_use")
    seen.page.wait_for_function("() => location.search.includes('pupils=2030-middle')", timeout=60_000)
    seen.page.wait_for_selector("[data-testid=stPageLink] a[href*='pupils=2030-middle']", timeout=60_000)
    seen.settle()
    seen.page.locator("[data-testid=stPageLink]", has_text="Today").first.click()
    seen.page.wait_for_selector(".st-key-pupils_band", timeout=60_000)
    seen.settle()
    assert "Pupils of 2030/31, middle forecast" in seen.by_key("pupils_band").inner_text()
    assert "pupils=2030-middle" in seen.page.url  # a reload shows the same
    seen.require_clean()


def test_every_part_of_the_page_opens(open_page: Callable[..., Visit]) -> None:
    seen = open_page("/forecast", ".buju-map[data-version]")
    for name, words in {
        "Schools": "schools would hold more pupils",
        "Townships": "Children of the stage by where they live",
        "Seat alerts": "zones red",
        "How good is it?": "years ahead the forecast was off by",
        "Robust plans": "Judge the plan",
        "Downloads": "Excel workbook",
    }.items():
        _section(seen, name)
        seen.page.get_by_text(words).first.wait_for(timeout=30_000)
    with seen.page.expect_download() as found:
        seen.click("forecast_download_county")
    assert Path(found.value.path()).read_bytes().startswith(b"\xef\xbb\xbfstage,year")
    seen.require_clean()


def test_today_shows_the_children_of_the_year_asked_for(open_page: Callable[..., Visit]) -> None:
    seen = open_page("/today", ".facts")
    assert _read_children(seen) == 180
    assert "Pupils: today" in seen.by_key("pupils_box").inner_text()
    later = open_page("/today", ".st-key-pupils_band", pupils="2030-middle")
    children = _read_children(later)
    assert 60 < children < 180
    assert "Forecast roll" in later.page.locator(".facts").first.inner_text()
    later.click("pupils_today")
    later.page.wait_for_selector(".st-key-pupils_band", state="detached", timeout=30_000)
    later.settle()
    assert _read_children(later) == 180
    assert "pupils=" not in later.page.url
    for part in (seen, later):
        part.require_clean()


def test_language_and_a_year_without_forecast(open_page: Callable[..., Visit]) -> None:
    seen = open_page("/today", ".st-key-pupils_band", pupils="2030-low", lang="zh")
    assert "2030学年" in seen.by_key("pupils_band").inner_text()
    late = open_page("/today", ".st-key-pupils_band", pupils="2080-low")
    assert "There is no forecast of 2080/81" in late.by_key("pupils_band").inner_text()
    assert _read_children(late) == 180
    wild = open_page("/today", ".facts", pupils="<b>2030</b>")
    assert wild.page.locator(".st-key-pupils_band").count() == 0
    for part in (seen, late, wild):
        part.require_clean()

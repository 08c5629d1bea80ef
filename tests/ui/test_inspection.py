"""The Inspection page in Chromium, on a county of two schools with assets, and on one without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from planning.actions import MergeSchools
from planning.scenario import Scenario
from planning.scenario_file import render_scenario
from reports.language import read_catalogue
from store import open_store
from tests.small_county import write_small_county
from tests.ui.app_driver import RunningApp, Visit, start_app, visit
from ui.inspection_choices import name_inspection
from ui.inspection_panels import say_cv

if TYPE_CHECKING:
    from playwright.sync_api import Browser

EQUIPPED, BARE = "a" * 32, "b" * 32
MERGE = Scenario(name="Merge", actions=(MergeSchools(school_ids=("001",), into=("002",)),))
# 001 has 120 pupils and more than enough of all. 002 has 60: 2 teachers with a higher degree are 3.33 per 100, below
# 85 % of 4.2, and no backbone teacher: it reaches five of seven.
ASSETS = """school_id,stage,above_degree_teachers,backbone_teachers,pe_art_teachers,teaching_area_m2,indoor_sports_m2,\
outdoor_sports_m2,equipment_cny,multimedia_rooms
001,小学,90,90,90,900,0,900,900000,9
002,小学,2,0,1,900,0,1800,900000,9
"""


@pytest.fixture(scope="module")
def county_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningApp, str]]:
    """The app with both counties, and the id of a stored merger."""
    folder = tmp_path_factory.mktemp("inspection")
    for token in (EQUIPPED, BARE):
        place = folder / "uploads" / token
        place.mkdir(parents=True)
        study = write_small_county(place)
        if token == EQUIPPED:
            (place / "assets.csv").write_text(ASSETS, encoding="utf-8")
            with study.open("a", encoding="utf-8") as stream:
                stream.write('[assets]\npath = "assets.csv"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUJU_STORE", str(folder / "store"))
        patch.delenv("BUJU_DATABASE_URL", raising=False)
        store = open_store()
        key = f"upload-{EQUIPPED}"
        store.register_study(key, "小县", "", "planner")
        stored = store.create_scenario(key, MERGE.name, render_scenario(MERGE), "planner")
    with start_app(folder, BUJU_STORE=str(folder / "store")) as started:
        yield started, stored.scenario_id


@pytest.fixture
def open_page(browser: Browser, county_app: tuple[RunningApp, str]) -> Iterator[Callable[..., Visit]]:
    with ExitStack() as stack:

        def start(token: str = EQUIPPED, **query: str) -> Visit:
            seen = stack.enter_context(visit(browser, county_app[0]))
            seen.open("/inspection", study=f"upload-{token}", **query)
            seen.page.wait_for_selector(".tiles", timeout=90_000)
            return seen.settle()

        yield start


def _show(seen: Visit, name: str) -> None:
    seen.by_key("inspection_table").get_by_text(name, exact=True).click()
    seen.settle()


@pytest.mark.browser
def test_schools_are_judged_and_the_spread_is_told(open_page: Callable[..., Visit]) -> None:
    seen = open_page(lang="en")
    assert "1 of 2 schools pass, 1 fail, 0 are unknown." in seen.page.locator(".headline").inner_text()
    assert "1 / 2" in seen.page.locator(".tile").first.inner_text()
    _show(seen, "Spread between schools")
    rows = seen.page.locator(".buju-table tbody tr")
    assert rows.count() == 7
    # R7: 7.5 and 15 rooms per 100, mean 18/180: 10; sqrt(2/3 × 2.5² + 1/3 × 5²) / 10.
    assert "0.354" in rows.nth(6).inner_text()
    _show(seen, "What is short")
    assert "Backbone teachers" in seen.page.locator(".buju-table tbody").inner_text()
    seen.require_clean()


@pytest.mark.browser
def test_before_stands_beside_after_a_merger(
    open_page: Callable[..., Visit], county_app: tuple[RunningApp, str]
) -> None:
    seen = open_page(lang="en", scenario=county_app[1])
    assert "after “Merge”" in seen.page.locator(".headline").inner_text()
    _show(seen, "Before and after")
    assert "Schools that fail" in seen.page.locator(".buju-table").inner_text()
    seen.require_clean()


@pytest.mark.browser
def test_a_county_without_assets_says_what_is_missing_and_the_other_language_is_whole(
    open_page: Callable[..., Visit],
) -> None:
    seen = open_page(BARE, lang="zh")
    text = read_catalogue("zh")
    assert text("Nothing can be said of {count} schools: their assets are not known.", count="2") in seen.text()
    _show(seen, text("Items and evidence"))
    assert seen.page.locator(".inspection-items").count() >= 3
    _show(seen, text("Downloads"))
    with seen.page.expect_download() as waiting:
        seen.click("inspection_download_checklist")
    table = pd.read_csv(BytesIO(Path(waiting.value.path()).read_bytes()))
    assert {"item_id", "reported_value", "met", "document"} <= set(table.columns)
    with seen.page.expect_download() as waiting:
        seen.click("inspection_workbook")
    assert Path(waiting.value.path()).read_bytes()[:2] == b"PK"
    seen.require_clean()


def test_coefficients_have_three_decimals_and_kinds_have_names() -> None:
    assert [say_cv(value) for value in (0.5, 0.48881, float("nan"))] == ["0.500", "0.489", "–"]
    assert name_inspection("quality", read_catalogue("zh")) == "优质均衡（2017）"

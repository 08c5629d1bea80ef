"""The data page: three files, one error, its row shown, mended, built; stopping; hostile names."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ui.app_driver import Visit
from tests.ui.sample_files import HOSTILE_NAME, write_roads, write_schools, write_villages

pytestmark = pytest.mark.browser


def test_an_error_is_shown_with_its_row_mended_and_built(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    seen = new_visit(locale="en-GB").open("/data")
    seen.upload("drop_schools", write_schools(tmp_path / "schools.csv", broken=True))
    assert "6 rows" in seen.by_key("detected_schools").inner_text()
    seen.upload("drop_roads", write_roads(tmp_path / "roads.osm"))
    seen.upload("drop_population", write_villages(tmp_path / "villages.csv"))
    assert "12 rows" in seen.by_key("detected_population").inner_text()
    seen.page.get_by_text("Which column holds what").click()
    seen.page.get_by_role("tab", name="Population").click()
    seen.choose("map_population_primary_pupils", "孩子")
    seen.click("build")
    seen.page.wait_for_selector(".buju-table", timeout=120_000)
    table = seen.settle().page.locator(".buju-table").first.inner_text()
    assert re.search(r"Error\s+schools\.csv\s+4\s", table), table
    assert "934.7" in table

    seen.upload("drop_schools", write_schools(tmp_path / "schools.csv", broken=False))
    seen.click("build")
    seen.page.wait_for_selector(".st-key-built", timeout=180_000)
    words = seen.settle().by_key("built").inner_text()
    assert "Planning units" in words
    assert "12" in words
    seen.page.reload()
    seen.settle()
    assert "schools.csv" in seen.by_key("detected_schools").inner_text(), "the draft survives a reload"
    assert seen.by_key("built").is_visible()
    seen.click("to_today")
    seen.page.wait_for_url("**/today**")
    seen.settle().require_clean()
    assert seen.page.locator("img[src=x]").count() == 0


def test_wrong_files_are_refused_in_words(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    disguised = tmp_path / "schools.gpkg"
    disguised.write_text("<OGRVRTDataSource/>")
    seen = new_visit(locale="zh-CN").open("/data")
    seen.upload("drop_schools", disguised)
    assert "gpkg" in seen.by_key("card_schools").locator("[role=alert]").inner_text()
    seen.require_clean()


def test_hostile_headers_and_names_are_text(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    path = tmp_path / "<b>x<b>.csv"
    path.write_text(f"{HOSTILE_NAME},学校代码,:red[x] $a$ `b`\n{HOSTILE_NAME},1,2\n", encoding="utf-8")
    seen = new_visit().open("/data")
    seen.upload("drop_schools", path)
    assert seen.page.locator("img[src=x]").count() == 0
    assert "49" not in seen.text()
    seen.require_clean()


def test_a_running_build_can_be_stopped(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    seen = new_visit(locale="en-GB").open("/data")
    seen.upload("drop_schools", write_schools(tmp_path / "schools.csv", broken=False))
    seen.upload("drop_population", write_villages(tmp_path / "villages.csv"))
    seen.click("build")
    seen.page.wait_for_selector(".st-key-own_cancel button", timeout=30_000)
    seen.page.locator(".st-key-own_cancel button").click()
    seen.page.get_by_text("Stopped. Nothing was changed.").wait_for(timeout=5_000)
    seen.settle().require_clean()
    assert seen.by_key("build").is_visible(), "it can be started again"

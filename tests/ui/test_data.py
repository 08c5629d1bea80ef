"""The data page: three files, one error, its row shown, mended, built; stopping; hostile names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ui.app_driver import Visit, start_app, visit
from tests.ui.sample_files import (
    HOSTILE_NAME,
    write_filled_template,
    write_hexagons,
    write_layers,
    write_messy_workbook,
    write_roads,
    write_schools,
    write_two_years,
    write_villages,
    write_zones,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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
    assert re.search(r"Error\s+schools\.csv · row 4 · 纬度", table), table
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
    program = tmp_path / "schools.exe"
    program.write_bytes(b"MZ")
    seen.upload("drop_schools", program)
    assert "请使用" in seen.by_key("card_schools").locator("[role=alert]").inner_text()
    seen.require_clean()


def test_hostile_headers_and_names_are_text(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    path = tmp_path / "<b>x<b>.csv"
    path.write_text(f"{HOSTILE_NAME},学校代码,:red[x] $a$ `b`\n{HOSTILE_NAME},1,2\n", encoding="utf-8")
    seen = new_visit().open("/data")
    seen.upload("drop_schools", path)
    assert seen.page.locator("img[src=x]").count() == 0
    assert "49" not in seen.text()
    seen.require_clean()


def test_a_layer_of_what_keeps_schools_away_asks_for_its_kind(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    path = tmp_path / "zones.geojson"
    ring = [[113.0, 34.7], [113.01, 34.7], [113.01, 34.71], [113.0, 34.7]]
    feature = {"type": "Feature", "properties": {"note": "x"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    seen = new_visit(locale="zh-CN").open("/data")
    seen.page.get_by_text("用于新建学校：").click()
    seen.upload("drop_exclusions", path)
    assert "避让对象的类型" in seen.by_key("card_exclusions").locator("[role=alert]").inner_text()
    seen.choose("set_exclusion_kind", "洪水淹没区")
    assert seen.settle().by_key("card_exclusions").locator("[role=alert]").count() == 0
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


def test_every_fault_is_told_found_on_the_map_and_mended(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    seen = new_visit(locale="zh-CN").open("/data")
    seen.upload("drop_schools", write_messy_workbook(tmp_path / "学校名单.xlsx", mended=False))
    seen.upload("drop_population", write_two_years(tmp_path / "人口.xlsx"))
    seen.page.get_by_text("更多文件").click()
    seen.upload("drop_zones", write_zones(tmp_path / "学区.csv", unit="v01"))
    seen.click("build")
    seen.page.wait_for_selector(".st-key-issues_rows tbody tr", timeout=120_000)
    seen.settle()
    table = seen.page.locator(".st-key-issues_rows table")
    words = table.inner_text()
    for fault in ("934.7", "国际部", "约三百", "-40", "=1+1", "0004", "第 9 行"):
        assert fault in words, fault
    assert "错误 · 7" in seen.text()
    width = seen.page.evaluate("[document.body.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1], "nothing scrolls sideways"
    table.locator("tbody tr").filter(has_text="-40").click()
    seen.settle()
    assert table.locator("tr.picked").count() == 1
    assert "-40" in table.locator("tr.picked").inner_text()
    assert seen.page.locator(".st-key-issues_map canvas").count() > 0
    with seen.page.expect_download() as download:
        seen.click("issues_csv")
    assert ",'=1+1," in Path(download.value.path()).read_text(encoding="utf-8-sig")
    seen.by_key("issues_find").locator("input").fill("国际部")
    seen.by_key("issues_find").locator("input").press("Enter")
    seen.settle()
    assert table.locator("tbody tr").count() == 1

    seen.upload("drop_schools", write_messy_workbook(tmp_path / "学校名单.xlsx", mended=True))
    seen.click("build")
    seen.page.wait_for_selector(".st-key-built", timeout=180_000)
    seen.settle().require_clean()


def test_sheets_and_layers_can_be_chosen(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    seen = new_visit(locale="en-GB").open("/data")
    seen.upload("drop_schools", write_schools(tmp_path / "schools.csv", broken=False))
    seen.upload("drop_population", write_layers(tmp_path / "villages.gpkg"))
    understood = seen.by_key("card_population")
    assert "areas" in understood.inner_text()
    assert "Needed: 2 of 2 found" in understood.inner_text(), "the layer with people is taken by itself"
    seen.choose("part_population", "乡镇")
    assert "Still needed: people or children" in understood.inner_text()
    seen.upload("drop_population", write_two_years(tmp_path / "人口.xlsx"))
    seen.choose("part_population", "2024年")
    assert "2024年 · 12 rows" in seen.by_key("detected_population").inner_text()
    seen.click("build")
    seen.page.wait_for_selector(".st-key-built", timeout=180_000)
    assert "720" in seen.settle().by_key("built").inner_text(), "6 % of the people of the second sheet"
    seen.require_clean()


def test_a_filled_template_brings_its_other_sheets(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    seen = new_visit(locale="en-GB").open("/data")
    seen.upload("drop_schools", write_filled_template(tmp_path / "filled.xlsx"))
    seen.upload("drop_population", write_villages(tmp_path / "villages.csv"))
    seen.page.get_by_text("For forecasts and inspections").click()
    seen.settle()
    assert "历年在校生 rolls · 2023–2024 · 12 rows" in seen.by_key("detected_rolls").inner_text()
    assert "2022–2024 · 36 rows" in seen.by_key("detected_births").inner_text()
    housing = tmp_path / "housing.csv"
    housing.write_text("项目编号,经度,纬度,套数\nP1,113.011,34.702,300\n", encoding="utf-8")
    seen.upload("drop_housing", housing)
    assert "Still needed: year of completion" in seen.by_key("card_housing").inner_text()
    housing.write_text("项目编号,经度,纬度,套数,交付年份\nP1,113.011,34.702,300,2027\n", encoding="utf-8")
    seen.upload("drop_housing", housing)
    seen.click("build")
    seen.page.wait_for_selector(".st-key-built", timeout=180_000)
    words = seen.settle().by_key("built").inner_text()
    assert "rolls of 2023–2025 · births of 2022–2024 by 12 units · housing projects: 1 (300 dwellings)" in words
    seen.require_clean()


def test_places_with_a_count_of_schools_serve_as_schools(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    hexagons = write_hexagons(tmp_path / "hexagons.csv")
    seen = new_visit(locale="en-GB").open("/data")
    seen.upload("drop_schools", hexagons)
    assert "Still needed: stage" in seen.by_key("card_schools").inner_text()
    seen.upload("drop_population", hexagons)
    assert "Needed: 2 of 2 found" in seen.by_key("card_population").inner_text()
    seen.choose("set_keep", "schools")
    seen.choose("set_stage", "Primary")
    assert "Still needed" not in seen.by_key("card_schools").inner_text()
    seen.page.get_by_text("Settings", exact=True).click()
    assert seen.page.locator("[class*=st-key-set_kind] input").first.input_value() == "Hexagons by their centres"
    seen.click("build")
    seen.page.wait_for_selector(".st-key-built", timeout=180_000)
    words = seen.settle().by_key("built").inner_text()
    assert re.search(r"Schools\s+3\s", words), words
    seen.require_clean()


def test_without_internet_the_download_says_so(browser: Browser, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    settings = {"HTTPS_PROXY": nowhere, "https_proxy": nowhere, "NO_PROXY": "", "no_proxy": ""}
    with start_app(tmp_path, **settings) as app, visit(browser, app, locale="zh-CN") as seen:
        seen.open("/data")
        seen.upload("drop_schools", write_schools(tmp_path / "schools.csv", broken=False))
        seen.upload("drop_population", write_villages(tmp_path / "villages.csv"))
        seen.by_key("roads_from").get_by_text("从OpenStreetMap下载").click()
        seen.settle()
        assert "需要联网" in seen.by_key("card_roads").inner_text()
        seen.by_key("roads_place").locator("input").fill("河南省巩义市")
        seen.by_key("roads_place").locator("input").press("Enter")
        seen.settle().click("build")
        seen.page.wait_for_selector(".st-key-download_failed", timeout=60_000)
        words = seen.settle().by_key("download_failed").inner_text()
        assert "无法连接地图服务器" in words
        assert "上传OpenStreetMap数据" in words
        seen.require_clean()

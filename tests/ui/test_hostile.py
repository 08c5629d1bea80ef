"""Hostile and broken files in the browser: told in the reader's language, in time; the open study stays as it was."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.language import read_catalogue
from tests.ui.app_driver import Visit
from tests.ui.sample_files import write_roads, write_schools, write_villages

pytestmark = pytest.mark.browser

PATIENCE_S = 10.0
PAGES = (
    "today",
    "forecast",
    "zoning",
    "catchments",
    "scenarios",
    "closures",
    "sites",
    "compare",
    "inspection",
    "rules",
)


def pack(path: Path, parts: dict[str, bytes]) -> Path:
    """Write a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def write_hostile_files(folder: Path) -> list[tuple[str, Path, str]]:
    """Return role, file and the English sentence that is expected of each."""
    page = folder / "page.xlsx"
    page.write_text("<!DOCTYPE html><html><body>请先登录<script>alert(1)</script></body></html>", encoding="utf-8")
    virtual = folder / "virtual.gpkg"
    virtual.write_text(
        "<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>"
    )
    steps = folder / "steps.geojson"
    steps.write_text('{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read /etc/passwd"}')
    zeros = bytes(40_000_000)
    too_large = "The file is too large, or unpacks to too much."
    outside = "A part of the archive would be unpacked outside of it. Pack it again, without folders."
    shapes = {"a.shp": b"\x00\x00\x27\x0a" + bytes(96)}
    return [
        ("schools", page, "This is a web page, not a workbook."),
        ("schools", virtual, "The content is not what the ending .{ending} says."),
        ("schools", steps, "The content of the file does not fit its ending."),
        ("schools", pack(folder / "bomb.xlsx", {"xl/worksheets/sheet1.xml": zeros}), too_large),
        ("population", pack(folder / "bomb.zip", {"a.shp": zeros, "a.shx": b"", "a.dbf": b""}), too_large),
        ("population", pack(folder / "out.zip", {"../../a.geojson": b"{}"}), outside),
        ("population", pack(folder / "lacks.zip", shapes), "The shapefile lacks its part {ending}."),
    ]


def build_county(seen: Visit, folder: Path) -> str:
    """Build a small study and return what the page says of it."""
    seen.upload("drop_schools", write_schools(folder / "schools.csv", broken=False))
    seen.upload("drop_population", write_villages(folder / "villages.csv"))
    seen.click("build")
    seen.page.wait_for_selector(".st-key-built", timeout=180_000)
    return seen.settle().by_key("built").inner_text()


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_hostile_files_are_told_and_the_study_stays(
    new_visit: Callable[..., Visit], tmp_path: Path, locale: str
) -> None:
    say = read_catalogue("zh" if locale == "zh-CN" else "en")
    seen = new_visit(locale=locale).open("/data")
    built = build_county(seen, tmp_path)
    for role, path, sentence in write_hostile_files(tmp_path):
        start = time.monotonic()
        seen.upload(f"drop_{role}", path)
        took = time.monotonic() - start
        expected = say(sentence, ending="gpkg" if path.suffix == ".gpkg" else ".shx")
        assert squeeze(expected) in squeeze(seen.by_key(f"card_{role}").inner_text()), path.name
        assert took < PATIENCE_S, (path.name, took)
        assert seen.by_key("built").inner_text() == built, "the open study stays"
    seen.require_clean()


def squeeze(text: str) -> str:
    """Return a text without spaces and Markdown's strokes, as lines may break anywhere."""
    return re.sub(r"[\s\\]", "", text)


def test_a_broken_road_file_stops_the_build_and_nothing_else(
    new_visit: Callable[..., Visit], tmp_path: Path, cases: Path
) -> None:
    seen = new_visit(locale="en-GB").open("/data")
    build_county(seen, tmp_path)
    whole = (cases / "sao_paulo_r5r" / "spo_osm.pbf").read_bytes()
    (tmp_path / "cut.osm.pbf").write_bytes(whole[: len(whole) // 2])
    seen.upload("drop_roads", tmp_path / "cut.osm.pbf")
    seen.click("build")
    seen.page.get_by_text("The OpenStreetMap file is damaged or of another kind.").first.wait_for(timeout=60_000)
    seen.settle()
    seen.page.locator(".st-key-page_link_today a, .st-key-page_link_today_open a").first.click()
    seen.settle()
    assert seen.page.locator(".buju-map").count() > 0, "the study built before still opens"
    seen.require_clean()


def test_a_table_with_four_hundred_faults_is_shown_at_once(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    out = io.StringIO()
    out.write("学校代码,学校名称,学段,经度,纬度,学位数,在校生数,班数\n")
    for number in range(1_000):
        lat = f"未知{number}" if number % 5 < 2 else "34.7"
        out.write(f"{number:04d},第{number}小学,小学,{113 + number * 1e-4:.4f},{lat},300,250,8\n")
    (tmp_path / "schools.csv").write_text(out.getvalue(), encoding="utf-8")
    seen = new_visit(locale="zh-CN").open("/data")
    seen.upload("drop_schools", tmp_path / "schools.csv")
    seen.upload("drop_population", write_villages(tmp_path / "villages.csv"))
    seen.click("build")
    seen.page.wait_for_selector(".st-key-issues_rows tbody tr", timeout=60_000)
    seen.settle()
    assert re.search(r"错误 · [4-9]\d\d", seen.text()), seen.text()[:500]
    start = time.monotonic()
    seen.by_key("issues_find").locator("input").fill("未知995")
    seen.by_key("issues_find").locator("input").press("Enter")
    seen.settle()
    assert time.monotonic() - start < PATIENCE_S
    assert 1 <= seen.page.locator(".st-key-issues_rows tbody tr").count() <= 2
    seen.require_clean()


NAMES = ("<img src=x onerror=alert(1)>", "{{7*7}}小学", "{% print(1) %}", "=HYPERLINK(1)", "\u202e甲小学", "';DROP--")


def test_strange_names_stay_words_on_every_page(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    write_schools(tmp_path / "schools.csv", broken=False)
    lines = (tmp_path / "schools.csv").read_text(encoding="utf-8").splitlines()
    cells = [line.split(",") for line in lines]
    for row, name in zip(cells[1:], NAMES, strict=True):
        row[1] = name
    (tmp_path / "schools.csv").write_text("\n".join(",".join(row) for row in cells) + "\n", encoding="utf-8")
    seen = new_visit(locale="en-GB").open("/data")
    seen.page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    seen.upload("drop_schools", tmp_path / "schools.csv")
    seen.upload("drop_population", write_villages(tmp_path / "villages.csv"))
    seen.upload("drop_roads", write_roads(tmp_path / "roads.osm"))
    seen.click("build")
    seen.page.wait_for_selector(".st-key-built", timeout=180_000)
    query = seen.settle().page.url.partition("?")[2]
    told = ""
    for page in PAGES:
        seen.page.goto(f"{seen.app.url}/{page}?{query}")
        told += seen.settle().text()
        assert seen.page.locator("img[src=x]").count() == 0, page
        assert seen.page.locator("[data-testid=stException]").count() == 0, page
    assert "49小学" not in told
    seen.require_clean()

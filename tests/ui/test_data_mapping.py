"""Columns, words and coordinates on the Data page: chosen once, remembered, forgotten; names reviewed; cures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from geodata.errors import DataIssue
from geodata.messages import msg
from reports.language import read_catalogue
from tests.ui.app_driver import Visit
from tests.ui.sample_files import (
    LAT,
    LON,
    STEP,
    VILLAGES,
    write_gazetteer,
    write_metric_schools,
    write_road_shapefile,
    write_schools,
    write_village_list,
    write_villages,
    write_worded_schools,
)


@pytest.mark.browser
def test_words_are_explained_once_and_remembered(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    seen = new_visit(locale="en-GB").open("/data")
    seen.upload("drop_schools", write_worded_schools(tmp_path / "a.csv"))
    card = seen.by_key("card_schools")
    assert "Words not understood: 2" in card.inner_text()
    seen.upload("drop_population", write_villages(tmp_path / "villages.csv"))
    _explain(seen, "村级小学 (3 rows)", "teaching point")
    assert "Words not understood: 1" in card.inner_text()
    _explain(seen, "外语实验班 (1 rows)", "primary")
    assert "Words not understood" not in card.inner_text()
    seen.click("build")
    seen.page.wait_for_selector(".st-key-built", timeout=180_000)
    seen.settle().require_clean()

    again = new_visit(locale="en-GB").open("/data")
    again.upload("drop_schools", write_worded_schools(tmp_path / "next year.csv"))
    assert "Words not understood" not in again.by_key("card_schools").inner_text()
    again.page.get_by_text("Which column holds what").click()
    again.settle()
    assert "as last time" in again.by_key("memory_schools").inner_text()
    again.click("forget_schools")
    again.settle()
    assert "Words not understood: 2" in again.by_key("card_schools").inner_text()
    assert again.by_key("memory_schools").count() == 0
    again.require_clean()
    third = new_visit(locale="en-GB").open("/data")
    third.upload("drop_schools", write_worded_schools(tmp_path / "a.csv"))
    assert "Words not understood: 2" in third.by_key("card_schools").inner_text(), "forgotten for all"


def _explain(seen: Visit, label: str, meaning: str) -> None:
    """Say what a word means, in the box below it."""
    box = seen.page.locator("[data-testid=stSelectbox]").filter(has_text=label).locator("input").first
    box.scroll_into_view_if_needed()
    box.focus()
    box.press("ArrowDown")
    seen.page.get_by_role("option", name=meaning, exact=True).first.click()
    seen.settle()


@pytest.mark.browser
def test_lines_in_parts_serve_as_roads(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    seen = new_visit(locale="en-GB").open("/data")
    seen.upload("drop_schools", write_schools(tmp_path / "schools.csv", broken=False))
    seen.upload("drop_population", write_villages(tmp_path / "villages.csv"))
    seen.upload("drop_roads", *write_road_shapefile(tmp_path))
    assert "roads.zip\nShapefile · lines · 31 rows" in seen.by_key("detected_roads").inner_text()
    seen.click("build")
    seen.page.wait_for_selector(".st-key-built", timeout=180_000)
    words = seen.settle().by_key("built").inner_text()
    assert "Junctions" in words
    seen.require_clean()


@pytest.mark.browser
def test_the_zone_of_the_eastings_is_offered(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    seen = new_visit(locale="en-GB").open("/data")
    seen.upload("drop_schools", write_metric_schools(tmp_path / "schools.csv"))
    seen.upload("drop_population", write_villages(tmp_path / "villages.csv"))
    assert "Still needed: coordinate system" in seen.by_key("card_schools").inner_text()
    seen.choose("system_schools", "CGCS2000 · 3-degree zones")
    zone = seen.by_key("zone_schools_cgcs2000_3").locator("input").first.input_value()
    assert zone == "zone 38 · 114°E · eastings begin with 38"
    assert "Still needed" not in seen.by_key("card_schools").inner_text()
    seen.click("build")
    seen.page.wait_for_selector(".st-key-built", timeout=180_000)
    assert "Schools\n\n6" in seen.settle().by_key("built").inner_text()
    seen.require_clean()


@pytest.mark.browser
def test_swapped_columns_are_cured_at_one_press(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    rows = ["学校代码,学校名称,学段,经度,纬度,学位数"]
    rows += [f"00{n},第{n}小学,小学,{LAT + 0.005:.4f},{LON + STEP * n:.4f},300" for n in range(4)]
    (tmp_path / "schools.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    seen = new_visit(locale="en-GB").open("/data")
    seen.upload("drop_schools", tmp_path / "schools.csv")
    seen.upload("drop_population", write_villages(tmp_path / "villages.csv"))
    seen.click("build")
    seen.page.wait_for_selector(".st-key-issues_cures", timeout=120_000)
    seen.settle()
    assert "Schools: exchange longitude and latitude" in seen.by_key("issues_cures").inner_text()
    with seen.page.expect_download() as download:
        seen.click("issues_marked")
    assert download.value.suggested_filename == "schools-marked.xlsx"
    assert Path(download.value.path()).read_bytes()[:2] == b"PK"
    seen.click("issues_cure_0")
    seen.page.wait_for_selector(".st-key-built", timeout=180_000)
    seen.settle().require_clean()


@pytest.mark.browser
def test_a_list_of_names_is_reviewed_and_built(new_visit: Callable[..., Visit], tmp_path: Path) -> None:
    seen = new_visit(locale="en-GB").open("/data")
    seen.upload("drop_schools", write_schools(tmp_path / "schools.csv", broken=False))
    seen.upload("drop_population", write_village_list(tmp_path / "people.csv"))
    assert "Still needed: longitude and latitude" in seen.by_key("card_population").inner_text()
    seen.page.get_by_text("For the population: names with places").click()
    seen.upload("drop_gazetteer", write_gazetteer(tmp_path / "villages.geojson"))
    assert "Still needed" not in seen.by_key("card_population").inner_text()
    review = seen.by_key("matches")
    assert "certain: 10" in review.inner_text()
    for row in range(2):  # the boxes of “Accept” are drawn on a canvas
        _press_accept(seen, row)
    seen.click("keep_matches")
    review.get_by_text("accepted: 1").wait_for()
    seen.settle()
    assert "not found" not in review.inner_text()
    assert "left out: 1" in review.inner_text()
    seen.click("build")
    seen.page.wait_for_selector(".st-key-built", timeout=180_000)
    assert "Planning units\n\n12" in seen.settle().by_key("built").inner_text()
    seen.require_clean()


def _press_accept(seen: Visit, row: int) -> None:
    """Tick the box in the column “Accept” of one row of the review table, with the keyboard."""
    grid = seen.page.locator(".st-key-matches [data-testid=stDataFrame]").first
    grid.scroll_into_view_if_needed()
    frame = grid.bounding_box()
    assert frame is not None
    seen.page.mouse.click(frame["x"] + 20, frame["y"] + 35 * (row + 1) + 17)
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        seen.page.keyboard.press(key)
        seen.page.wait_for_timeout(150)
    seen.page.wait_for_timeout(400)
    seen.settle()


def test_who_chooses_another_place_accepts_it() -> None:
    from ui.data_matches import apply_answers

    table = pd.DataFrame(
        {
            "list_name": ["甲村", "乙村", "丙村"],
            "list_town": ["", "", ""],
            "place_name": ["甲", "乙", "丙"],
            "place_town": ["东镇", "", ""],
            "accept": [True, False, False],
            "status": ["near", "ambiguous", "unknown"],
        }
    )
    view = pd.DataFrame({"place": ["东镇 · 甲", "乙", "– none –"], "accept": [True, False, False]})
    edited = view.copy()
    edited.loc[0, "accept"] = False
    edited.loc[1, "place"] = "西镇 · 乙"
    edited.loc[2, "accept"] = True
    labels = {"– none –": ("", ""), "东镇 · 甲": ("甲", "东镇"), "乙": ("乙", ""), "西镇 · 乙": ("乙", "西镇")}
    answer = apply_answers(table, view, edited, labels)
    assert answer["accept"].tolist() == [False, True, True]
    assert answer["place_town"].tolist() == ["东镇", "西镇", ""]
    assert table["accept"].tolist() == [True, False, False], "a changed copy"


def test_words_that_matter_and_words_that_do_not(tmp_path: Path) -> None:
    from ui.columns import match_fields
    from ui.data_words import list_word_columns
    from ui.detect import detect_file

    found = detect_file(
        write_worded_schools(tmp_path / "a.csv", kinds=("完小", "小学、初中", "合计", "村小部")), "schools"
    )
    columns = match_fields("schools", found.headers, {})
    (listed,) = list_word_columns("schools", found, columns, {})
    assert (listed.header, listed.unknown) == ("办学类型", ("村小部",)), "totals rows are no words"
    (listed,) = list_word_columns("schools", found, columns, {"kind": {"村小部": "primary"}})
    assert listed.unknown == ()
    assert list_word_columns("zones", found, columns, {}) == [], "the study file has no words for zones"


def test_every_gauss_krueger_zone_is_offered_and_found_again() -> None:
    import pyproj

    from ui.data_systems import FAMILIES, find_family, is_known_system, name_system

    for key, family in FAMILIES.items():
        for zone in (family.zones[0], family.zones[-1]):
            for prefixed in (True, False):
                system = family.name_system(zone, prefixed=prefixed)
                assert find_family(system) == (key, zone, prefixed)
                facts = {p.name: p.value for p in pyproj.CRS(system).coordinate_operation.params}  # type: ignore[union-attr]
                assert facts["Longitude of natural origin"] == family.find_meridian(zone)
                assert facts["False easting"] == 500_000 + (zone * 1_000_000 if prefixed else 0)
    assert find_family("EPSG:32649") is None
    assert "38" in name_system(read_catalogue("zh"), "EPSG:4526")
    assert not is_known_system("+proj=longlat"), "a name is asked for, no definition"
    assert not is_known_system("/etc/passwd")


def test_cures_name_the_file_and_the_change() -> None:
    from ui.data_cures import Cure, find_cures, say_cure
    from ui.draft import Draft

    draft = Draft(files={"schools": ["schools-x/学校.csv"], "population": ["population-y/村.csv"]})
    shifted = DataIssue(
        "shifted_points", "warning", msg("X"), file="学校.csv", cure=msg("Write crs = {crs}.", crs="GCJ-02")
    )
    swapped = DataIssue("lonlat_swapped", "error", msg("X"), file="村.csv", column="纬度")
    foreign = DataIssue("shifted_points", "warning", msg("X"), file="z.csv", cure=msg("{crs}", crs="GCJ-02"))
    broken = DataIssue("metres_in_degrees", "error", msg("X"), file="学校.csv", cure=msg("{crs}", crs="+init=evil"))
    cures = find_cures([shifted, swapped, foreign, broken, shifted], draft)
    assert cures == [Cure("schools", system="GCJ-02"), Cure("population", swap=("lon_deg", "lat_deg"))]
    assert say_cure(read_catalogue("en"), cures[0]).startswith("Schools: read as GCJ-02")
    assert find_cures([shifted], Draft(files=draft.files, systems={"schools": "GCJ-02"})) == [], "done already"


def test_a_remembered_mapping_takes_only_what_fits(tmp_path: Path) -> None:
    from ui.data_memory import _take, build_content
    from ui.detect import detect_file
    from ui.draft import Draft

    found = detect_file(write_worded_schools(tmp_path / "a.csv"), "schools")
    draft = Draft(files={"schools": ["a.csv"]})
    content = {
        "columns": {"kind": "办学类型", "pupils": "不在此", "classes": "", "nonsense": "班数", "year": 7},
        "words": {"kind": {"村级小学": "primary", "别人的词": "junior"}, "nonsense": {"a": "b"}},
        "system": "GCJ-02",
        "settings": {"default_setting": "rural", "name": "other", "default_stage": 5},
    }
    assert _take(draft, "schools", found, content)
    assert draft.columns["schools"] == {"kind": "办学类型", "classes": ""}
    assert draft.words["schools"] == {"kind": {"村级小学": "primary"}}, "nobody else's words"
    assert (draft.systems["schools"], draft.default_setting, draft.default_stage) == ("GCJ-02", "rural", "")
    kept = build_content(draft, "schools", found)
    assert kept["settings"] == {"default_setting": "rural"}
    assert kept["columns"] == {"classes": ""}, "the dictionary finds the others by itself"
    assert build_content(Draft(columns={"schools": {"kind": "办学类型"}}), "schools", found) == {}
    assert not _take(Draft(), "schools", found, {"columns": "x", "words": [1], "system": 3})


def test_the_draft_says_words_lines_names_and_buildings() -> None:
    from ui.draft import Draft, build_document, build_spec

    draft = Draft(
        files={
            "schools": ["s/a.xls"],
            "roads": ["r/a.zip"],
            "population": ["p/a.csv"],
            "gazetteer": ["g/a.geojson"],
            "matches": ["m/matches.csv"],
            "buildings": ["b/a.zip"],
            "barriers": ["x/a.gpkg"],
            "zones": ["z/a.zip"],
            "age_totals": ["t/a.csv"],
        },
        words={"schools": {"kind": {"村小": "primary"}}, "roads": {"road_class": {"村道": "unclassified", "?": ""}}},
        population_kind="points",
        population_year=2025,
        barrier_kind="river",
        zone_stage="primary",
        snap_m=2.5,
    )
    spec = build_spec(draft, Path())
    assert spec.schools is not None and spec.schools.values == {"kind": {"村小": "primary"}}
    assert spec.roads is not None
    assert (spec.roads.snap_m, spec.roads.values) == (2.5, {"road_class": {"村道": "unclassified"}})
    assert spec.gazetteer is not None and spec.gazetteer.matches == "m/matches.csv"
    assert spec.population is not None
    assert (spec.population.age_totals, spec.population.year) == ("t/a.csv", 2025)
    assert spec.buildings is not None and spec.barriers is not None and spec.zones is not None
    assert (spec.barriers.kind, spec.zones.stage) == ("river", "primary")
    osm = Draft(
        files={"population": ["p/a.csv"], "roads": ["r/a.pbf"]}, population_kind="points", use_osm_buildings=True
    )
    assert build_document(osm)["buildings"] == {"path": "r/a.pbf"}
    assert "gazetteer" not in build_document(Draft(files={"gazetteer": ["g/a.csv"]})), "nothing to look up"


def test_every_village_of_the_samples_has_a_name_of_its_own() -> None:
    assert len(set(VILLAGES)) == 12


def test_known_totals_stand_beside_what_was_reached() -> None:
    from ui.data_residuals import build_shown

    table = pd.DataFrame(
        {
            "town": ["甲镇", "", "乙乡"],
            "what": ["population_people", "primary_pupils", "junior_pupils"],
            "known": [1000.0, 400.0, 0.0],
            "found": [1000.0, 390.0, 0.0],
            "difference": [0.0, -10.0, 0.0],
            "difference_share": [0.0, -0.025, float("nan")],
        }
    )
    shown = build_shown(read_catalogue("en"), table)
    assert shown["Township"].tolist() == ["whole county", "甲镇", "乙乡"], "the largest difference first"
    assert shown["What was counted"].tolist() == ["Children: Primary", "People", "Children: Junior secondary"]
    assert shown["Difference, %"].tolist()[0] == "-2.50%"


def test_the_parts_of_a_shapefile_become_one_file(tmp_path: Path) -> None:
    from types import SimpleNamespace
    from zipfile import ZipFile

    from geodata.errors import DataError
    from ui.upload_form import _bundle

    def send(path: Path) -> SimpleNamespace:
        return SimpleNamespace(name=path.name, getbuffer=lambda: memoryview(path.read_bytes()))

    parts = [send(path) for path in write_road_shapefile(tmp_path)]
    ((name, content),) = _bundle("roads", parts)
    assert name == "roads.zip"
    (tmp_path / "x.zip").write_bytes(content)
    assert {member.split(".")[-1] for member in ZipFile(tmp_path / "x.zip").namelist()} >= {"shp", "shx", "dbf", "prj"}
    tables = [send(write_villages(tmp_path / f"{letter}.csv")) for letter in "ab"]
    with pytest.raises(DataError, match="Several files"):
        _bundle("population", tables)
    rasters = [SimpleNamespace(name=f"chn_{year}.tif", getbuffer=lambda: b"II*") for year in (2020, 2025)]
    assert len(_bundle("population", rasters)) == 2


def test_years_are_asked_for_where_files_or_headers_tell_several() -> None:
    from ui.detect import Detected
    from ui.settings_form import _list_year_headers

    found = Detected("CSV", 0.1, 5, ("村名", "人口2020", "2025年人口", "编号20201"))
    assert _list_year_headers(found) == ["人口2020", "2025年人口"]
    assert _list_year_headers(None) == []


def test_rows_of_a_layer_of_catchments_have_a_place(tmp_path: Path) -> None:
    from ui.draft import Draft, build_spec
    from ui.issue_places import place_issues

    write_gazetteer(tmp_path / "z.geojson")
    write_villages(tmp_path / "v.csv")
    files = {"schools": ["s.csv"], "population": ["v.csv"], "zones": ["z.geojson"], "roads": ["r.pbf"]}
    issues = [DataIssue("x", "error", msg("X"), file=name, row=3) for name in ("z.geojson", "r.pbf")]
    placed = place_issues(issues, build_spec(Draft(files=files, population_kind="points"), tmp_path))
    assert placed[0].lon_deg == pytest.approx(LON + 2.5 * STEP)
    assert placed[1].lon_deg is None, "a map of roads is not read for the place of a row"

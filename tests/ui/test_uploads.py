"""Uploads: safe names, honest contents, nothing half-kept; the draft and its study file; words shown as words."""

from __future__ import annotations

import gzip
import io
import os
import time
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.errors import DataError, DataIssue
from geodata.messages import msg
from geodata.study_file import read_study_file
from reports.language import read_catalogue
from ui import uploads
from ui.columns import list_unmet, match_fields
from ui.draft import Draft, build_document, build_spec, read_draft, render_toml, write_draft, write_study
from ui.issue_table import build_csv, build_rows, order_issues, render_table
from ui.text import cell, clean, plain
from ui.uploads import (
    check_upload,
    clear_unused,
    find_upload_folder,
    keep_sheet,
    name_sheet_copy,
    open_upload_folder,
    safe_name,
    store_uploads,
)

HOSTILE = ["<img src=x onerror=alert(1)>", "{{7*7}}", "=HYPERLINK(1)", "**a** [b](javascript:x) $x$ :red[c] `d`"]


@pytest.fixture(autouse=True)
def upload_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BUJU_UPLOADS", str(tmp_path / "uploads"))
    return tmp_path / "uploads"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\schools\\学校 (2).XLSX", "学校 (2).xlsx"),
        ("/vsicurl/http://x/y.gpkg", "y.gpkg"),
        ("county.osm.pbf", "county.osm.pbf"),
        ("con.csv", "schools.csv"),
        (".csv", "schools.csv"),
        ("a\u202egnp.csv", "agnp.csv"),
        ("a\x00b;rm -rf.csv", "ab_rm -rf.csv"),
        ("x" * 300 + ".csv", "x" * 60 + ".csv"),
    ],
)
def test_safe_name(name: str, expected: str) -> None:
    assert safe_name(name, "schools") == expected


@given(st.text(max_size=300))
def test_safe_name_is_only_a_name(name: str) -> None:
    safe = safe_name(name, "schools")
    assert safe
    assert not set(safe) & set("/\\\x00:*?\"<>|'`$&;")
    assert safe not in (".", "..")
    assert len(safe) <= 255


def _workbook(member_bytes: int = 10, members: int = 1) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(members):
            archive.writestr(f"xl/{number}.xml", b"0" * member_bytes)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("role", "name", "content", "word"),
    [
        ("schools", "a.exe", b"x", "kind of file"),
        ("schools", "a", b"x", "kind of file"),
        ("schools", "a.csv", b"", "empty"),
        ("schools", "a.csv", b"a,b\x00c", "not what the ending"),
        ("schools", "a.gpkg", b"<OGRVRTDataSource>", "not what the ending"),
        ("schools", "a.geojson", b"<OGRVRTDataSource>", "not what the ending"),
        ("schools", "a.xlsx", b"PK\x03\x04 broken", "damaged"),
        ("schools", "a.xlsx", _workbook(60_000_000), "unpacks"),
        ("schools", "a.xlsx", _workbook(1, 3000), "unpacks"),
        ("schools", "a.xls", b"\x00\x01", "not what the ending"),
        ("units", "a.zip", b"Rar!", "not what the ending"),
        ("units", "a.zip", _workbook(60_000_000), "unpacks"),
        ("roads", "a.osm.gz", gzip.compress(b"<osm>" + bytes(60_000_000), mtime=0), "unpacks"),
        ("roads", "a.osm.pbf", b"nothing", "not what the ending"),
        ("roads", "a.osm.gz", gzip.compress(b"hello", mtime=0), "not OpenStreetMap"),
        ("roads", "a.osm.gz", gzip.compress(b"<osm>" + b"x" * 9000, mtime=0)[:-20], "damaged"),
        ("population", "a.tif", b"<VRTDataset>", "not what the ending"),
    ],
)
def test_refused(role: str, name: str, content: bytes, word: str) -> None:
    issues = check_upload(role, name, content)
    assert len(issues) == 1
    assert word in str(issues[0].problem)


@pytest.mark.parametrize(
    ("role", "name", "content"),
    [
        ("schools", "a.csv", "学校,经度\n".encode("gb18030")),
        ("schools", "a.xlsx", _workbook()),
        ("schools", "a.geojson", b'\xef\xbb\xbf {"type": 1}'),
        ("roads", "a.osm", b"<?xml version='1.0'?><osm></osm>"),
        ("roads", "a.osm.gz", gzip.compress(b"<osm></osm>", mtime=0)),
        ("roads", "a.pbf", b"\x00\x00\x00\x0d\x0a\x09OSMHeader"),
        ("population", "a.tif", b"II*\x00rest"),
    ],
)
def test_accepted(role: str, name: str, content: bytes) -> None:
    assert check_upload(role, name, content) == []


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES", {"schools": 10})
    assert "larger" in str(check_upload("schools", "a.csv", b"x" * 11)[0].problem)


def test_store_is_all_or_nothing() -> None:
    token, folder = open_upload_folder()
    with pytest.raises(DataError) as caught:
        store_uploads(folder, "population", [("a.tif", b"II*\x00"), ("b.tif", b"no")])
    assert [issue.file for issue in caught.value.issues] == ["b.tif"]
    assert list(folder.iterdir()) == []
    first = store_uploads(folder, "schools", [("a.csv", b"1")])
    second = store_uploads(folder, "schools", [("a.csv", b"2")])
    assert (folder / first[0]).read_bytes() == b"1", "the open study may still read it"
    clear_unused(folder, {second[0]})
    assert not (folder / first[0]).exists()
    assert (folder / second[0]).read_bytes() == b"2"
    assert open_upload_folder(token) == (token, folder)


def test_a_full_disk_keeps_nothing_half_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    _token, folder = open_upload_folder()
    before = store_uploads(folder, "schools", [("a.csv", b"1")])
    write_draft(folder, Draft(name="before"))

    def refuse(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", refuse)
        with pytest.raises(DataError, match="disk of this machine is full"):
            store_uploads(folder, "schools", [("b.csv", b"2")])
        patch.setattr(os, "fdopen", refuse)
        with pytest.raises(OSError, match="No space left"):
            write_draft(folder, Draft(name="after"))
    assert read_draft(folder).name == "before"
    assert sorted(path.name for path in folder.iterdir()) == sorted([before[0].split("/")[0], "draft.json"])


def test_a_layer_that_ends_its_reader_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    _token, folder = open_upload_folder()
    harm = DataIssue("file", "error", msg("X"), file="a.gpkg")
    monkeypatch.setattr(uploads, "check_layer_readable", lambda path: [harm])
    with pytest.raises(DataError):
        store_uploads(folder, "units", [("a.gpkg", b"SQLite format 3\x00")])
    assert list(folder.iterdir()) == []


def test_folders_are_private_and_cleared(upload_root: Path) -> None:
    token, folder = open_upload_folder()
    assert folder.stat().st_mode & 0o077 == 0
    for wrong in ("", "..", "../x", "0" * 31, "g" * 32, "0" * 32):
        assert find_upload_folder(wrong) is None
    old = time.time() - 8 * 86_400
    os.utime(folder, (old, old))
    fresh, _folder = open_upload_folder()
    assert fresh != token
    assert find_upload_folder(token) is None


def test_draft_survives(tmp_path: Path) -> None:
    draft = Draft(
        name='某县 "A"\n\\', files={"schools": ["schools-x/学校.csv"]}, columns={"schools": {"name": '名"称'}}
    )
    write_draft(tmp_path, draft)
    assert read_draft(tmp_path) == draft
    (tmp_path / "draft.json").write_text('{"name": 5, "unknown": 1, "units": "grid"}')
    assert read_draft(tmp_path) == Draft(units="grid")
    (tmp_path / "draft.json").write_text("{broken")
    assert read_draft(tmp_path) == Draft()


def test_study_file_says_what_the_draft_says(tmp_path: Path) -> None:
    draft = Draft(
        name='县 "x" \\ \x7f = [a]',
        files={"schools": ["schools-x/学校.csv"], "population": ["population-y/a.tif", "population-y/b.tif"]},
        columns={"schools": {"name": '名"称', "town": ""}},
        population_kind="age_rasters",
        units="grid",
        default_stage="primary",
    )
    assert tomllib.loads(render_toml(build_document(draft))) == build_document(draft)
    assert build_document(draft)["population"]["path"] == "population-y"
    spec = build_spec(draft, tmp_path)
    assert spec.schools is not None
    assert spec.schools.defaults == {"stage": "primary"}
    assert write_study(tmp_path, draft).is_file()


def test_street_blocks_are_written_where_there_are_roads(tmp_path: Path) -> None:
    files = {"schools": ["s.csv"], "population": ["p.gpkg"], "roads": ["r.osm.pbf"]}
    draft = Draft(
        name="x", files=files, population_kind="polygons", units="blocks", block_ha=6.5, block_compactness=0.3
    )
    units = build_spec(draft, tmp_path).units
    assert (units.kind, units.block_m2, units.compactness) == ("blocks", 65_000.0, 0.3)
    del draft.files["roads"]
    assert build_spec(draft, tmp_path).units.kind == "population", "no roads, no blocks"


def test_layers_of_the_ground_are_written_with_their_kind(tmp_path: Path) -> None:
    files = {"schools": ["schools-a/s.csv"], "population": ["p/v.csv"]}
    ground = {"exclusions": ["exclusions-b/z.gpkg"], "open_land": ["open_land-c/l.gpkg"]}
    draft = Draft(files=files | ground, population_kind="points", exclusion_kind="flood", parts={"exclusions": "zones"})
    spec = build_spec(draft, tmp_path)
    assert [(source.path, source.layer, source.kind) for source in spec.exclusions] == [
        ("exclusions-b/z.gpkg", "zones", "flood")
    ]
    assert spec.open_land is not None and spec.open_land.path == "open_land-c/l.gpkg"
    assert read_study_file(write_study(tmp_path, draft)) == spec


def test_study_file_without_schools_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        build_spec(Draft(name="x"), tmp_path)


def test_mapping_is_filled_in_and_kept() -> None:
    headers = ["学校代码", "学校名称", "经度", "纬度", "学位数", "备注"]
    found = match_fields("schools", headers, {})
    assert (found["school_id"], found["lon_deg"], found["capacity_places"]) == ("学校代码", "经度", "学位数")
    kept = match_fields("schools", headers, {"name": "备注", "capacity_places": "", "school_id": "gone"})
    assert kept["name"] == "备注"
    assert "capacity_places" not in kept
    assert kept["school_id"] == "学校代码", "a header that went away is matched anew"


@pytest.mark.parametrize(
    ("role", "found", "options", "still"),
    [
        ("schools", {"name": "校名"}, {}, ["place"]),
        ("schools", {"school_id": "a", "x_m": "b", "y_m": "c"}, {}, ["stage"]),
        ("schools", {"school_id": "a", "lon_deg": "b"}, {"default_stage": "primary"}, ["place"]),
        ("schools", {"school_id": "a"}, {"has_shapes": True, "parts": ["小学"]}, []),
        ("schools", {"primary_pupils": "a"}, {"has_shapes": True}, ["school"]),
        ("population", {"unit_id": "a"}, {}, ["place", "people"]),
        ("population", {}, {"has_shapes": True, "headers": ["age_0_4", "age_5_9"]}, []),
        ("population", {"lon_deg": "a", "lat_deg": "b", "junior_pupils": "c"}, {}, []),
        ("zones", {"unit_id": "a"}, {}, ["stage", "school"]),
        ("sites", {"site_id": "a"}, {"has_shapes": True}, []),
        ("units", {}, {"has_shapes": True}, []),
        ("rolls", {"school_id": "a", "year": "b", "stage": "c", "grade_1_pupils": "d"}, {}, []),
        ("rolls", {"school_id": "a"}, {}, ["year", "stage", "pupils"]),
        ("rolls", {"school_id": "a", "stage": "c", "pupils": "d"}, {"parts": ["2023学年", "2024学年"]}, []),
        ("births", {"year": "a"}, {}, ["births"]),
        ("housing", {"project_id": "a", "unit_id": "b"}, {}, ["dwellings", "completion"]),
        ("housing", {"project_id": "a", "new_dwellings": "b", "completion_year": "c"}, {"has_shapes": True}, []),
        ("housing", {"new_dwellings": "b", "completion_year": "c"}, {}, ["project", "place_or_unit"]),
        ("assets", {}, {}, ["code"]),
        ("groups", {}, {}, ["group", "code"]),
        ("evidence", {}, {}, ["item"]),
        ("exclusions", {"name": "a"}, {"has_shapes": True}, ["exclusion_kind"]),
        ("exclusions", {"kind": "a", "lon_deg": "b"}, {}, ["place"]),
        ("exclusions", {}, {"has_shapes": True, "default_kind": "flood"}, []),
        ("open_land", {"land_id": "a"}, {"has_shapes": True}, []),
        ("open_land", {}, {}, ["place"]),
    ],
)
def test_what_a_file_still_needs(role: str, found: dict[str, str], options: dict[str, Any], still: list[str]) -> None:
    assert [need.name for need in list_unmet(role, found, **options)] == still


def test_metres_need_a_named_system() -> None:
    from ui.detect import Detected
    from ui.upload_form import list_role_needs

    table = Detected("CSV", 0.1, 5, ("学校代码", "学段", "X坐标", "Y坐标"))
    assert [need.name for need in list_role_needs("schools", table, Draft())] == ["system"]
    assert not list_role_needs("schools", table, Draft(systems={"schools": "EPSG:4547"}))
    nameless = Detected("GeoPackage", 0.1, 5, ("人口",), shape="polygon", has_system=False)
    assert [need.name for need in list_role_needs("population", nameless, Draft())] == ["system"]
    assert not list_role_needs("population", Detected("GeoJSON", 0.1, 5, ("人口",), shape="polygon"), Draft())


def test_a_sheet_of_its_own_keeps_rows_and_words(tmp_path: Path) -> None:
    from geodata.files import read_raw_table
    from tests.ui.sample_files import write_workbook

    sheets: dict[str, list[tuple[object, ...]]] = {
        "甲": [("代码",), ("1",)],
        "乙": [("某县人口表",), ("代码", "人口"), (), ("007", "=1+1"), ("008", 5)],
    }
    (tmp_path / "population-x").mkdir()
    write_workbook(tmp_path / "population-x" / "人口.xlsx", sheets)
    keep_sheet(tmp_path, "population-x/人口.xlsx", "乙")
    copy = read_raw_table(tmp_path / name_sheet_copy("population-x/人口.xlsx", "乙"))
    first = read_raw_table(tmp_path / "population-x" / "人口.xlsx", sheet="乙")
    assert (
        (copy.sheet, copy.file, list(copy.rows)) == ("乙", "人口.xlsx", [4, 5]) == ("乙", first.file, list(first.rows))
    )
    assert copy.frame.equals(first.frame)
    assert copy.frame["人口"].tolist() == ["=1+1", "5"]


def test_draft_offers_what_the_study_file_offers(tmp_path: Path) -> None:
    draft = Draft(
        files={
            "schools": ["s/a.gpkg"],
            "population": ["p/a.xlsx"],
            "units": ["u/a.gpkg"],
            "outline": ["o/a.geojson"],
            "zones": ["z/a.xlsx"],
            "roads": ["r/a.pbf"],
        },
        parts={"schools": "校点", "population": "2024", "units": "面", "zones": "小学"},
        systems={"schools": "GCJ-02", "population": "EPSG:4547"},
        population_kind="points",
        units="polygons",
        keep_where_positive="在校生",
        calibrate=True,
        year=2025,
        roads_from="download",
    )
    spec = build_spec(draft, tmp_path)
    assert spec.crs == "EPSG:4547", "the study works in the system of metres that was named"
    assert spec.schools is not None
    assert (spec.schools.layer, spec.schools.keep_where_positive, spec.schools.year) == ("校点", "在校生", 2025)
    assert spec.schools.crs == "GCJ-02"
    assert spec.population is not None
    assert (spec.population.path, spec.population.sheet) == ("p/a.xlsx", "2024")
    assert spec.population.calibrate_to_rolls
    assert (spec.units.kind, spec.units.path, spec.units.layer) == ("polygons", "u/a.gpkg", "面")
    assert spec.zones is not None
    assert spec.zones.path == name_sheet_copy("z/a.xlsx", "小学")
    assert spec.roads is not None
    assert (spec.roads.path, spec.roads.polygon, spec.roads.place) == ("", "o/a.geojson", "")
    draft.files.pop("outline")
    draft.roads_place = "Gongyi"
    assert build_document(draft)["roads"] == {"place": "Gongyi"}
    draft.roads_from = "file"
    assert build_document(draft)["roads"] == {"path": "r/a.pbf"}


def test_worst_issues_come_first() -> None:
    found = [("note", "a", 1), ("error", "b", 9), ("error", "b", 2), ("warning", "a", None), ("error", "a", 7)]
    issues = [DataIssue("x", severity, msg("X"), file=file, row=row) for severity, file, row in found]  # type: ignore[arg-type]
    assert order_issues(issues) == [4, 2, 1, 3, 0]


def test_rows_in_error_have_a_place_on_the_map(tmp_path: Path) -> None:
    from reports.issue_map import build_issue_map
    from tests.ui.sample_files import write_messy_workbook, write_villages
    from ui.issue_places import place_issues

    write_messy_workbook(tmp_path / "a.xlsx", mended=False)
    write_villages(tmp_path / "v.csv")
    draft = Draft(files={"schools": ["a.xlsx"], "population": ["v.csv"]}, population_kind="points")
    issues = [
        DataIssue("x", "error", msg("X"), file="a.xlsx", sheet="学校名单", row=3),
        DataIssue("x", "error", msg("X"), file="a.xlsx", sheet="学校名单", row=5),
        DataIssue("x", "error", msg("X"), file="v.csv", row=2),
        DataIssue("x", "note", msg("X"), file="v.csv"),
    ]
    placed = place_issues(issues, build_spec(draft, tmp_path))
    assert [issue.lon_deg for issue in placed] == [None, 113.006, 113.001, None], "an impossible latitude is no place"
    built = build_issue_map(dict(enumerate(placed)), read_catalogue("zh"), picked=2, clicks=7)
    assert built is not None
    assert built[0]["focus"] == {"kind": "school", "id": "2", "n": 7}
    unplaced = build_issue_map(dict(enumerate(placed)), read_catalogue("zh"), picked=0)
    assert unplaced is not None
    assert "focus" not in unplaced[0]
    assert build_issue_map({0: placed[0]}, read_catalogue("zh")) is None


def test_the_layer_and_sheet_that_fit_are_found(tmp_path: Path) -> None:
    from tests.ui.sample_files import write_layers, write_messy_workbook, write_two_years
    from ui.detect import detect_file

    layers = detect_file(write_layers(tmp_path / "a.gpkg"), "population")
    assert (layers.parts, layers.used, layers.rows, layers.shape) == (("乡镇", "行政村"), ("行政村",), 12, "polygon")
    assert detect_file(tmp_path / "a.gpkg", "population", "乡镇").rows == 1
    schools = detect_file(write_messy_workbook(tmp_path / "a.xlsx", mended=True), "schools")
    assert (schools.used, schools.rows) == (("学校名单",), 6)
    assert "班数" in schools.numbers
    years = detect_file(write_two_years(tmp_path / "b.xlsx"), "population", "2024年")
    assert (years.parts, years.used, years.rows) == (("2023年", "2024年"), ("2024年",), 12)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_stay_words(name: str) -> None:
    issue = DataIssue("x", "error", msg("Wrong: {name}", name=name), file=name, row=2, found=name)
    rows = build_rows(read_catalogue("en"), [issue])
    html = render_table(rows, ["error"])
    assert "<img" not in html
    content = build_csv(rows).decode("utf-8-sig")
    assert ",=HYPERLINK" not in content
    assert not any(sign in plain(name).replace("\\" + sign, "") for sign in "*[]<>$`{}:")


def test_text_helpers() -> None:
    assert clean("a\u202eb\x00c\n d") == "abc d"
    assert cell("=1+1") == "'=1+1"
    assert cell("-12.5") == "-12.5"
    assert cell("@x") == "'@x"
    assert plain("学校 1") == "学校 1"
    assert len(clean("x" * 500)) == 200


def test_a_column_said_to_be_absent_is_not_matched(tmp_path: Path) -> None:
    from geodata.read_schools import read_schools
    from tests.ui.sample_files import write_schools, write_villages

    write_schools(tmp_path / "schools.csv", broken=False)
    write_villages(tmp_path / "villages.csv")
    draft = Draft(
        name="x",
        files={"schools": ["schools.csv"], "population": ["villages.csv"]},
        columns={"schools": {"capacity_places": "", "classes": ""}},
        population_kind="points",
    )
    places = read_schools(build_spec(draft, tmp_path), "EPSG:32649").places
    assert places["capacity_places"].isna().all()

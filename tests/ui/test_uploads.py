"""Uploads: safe names, honest contents, nothing half-kept; the draft and its study file; words shown as words."""

from __future__ import annotations

import gzip
import io
import os
import time
import tomllib
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.errors import DataError, DataIssue
from geodata.messages import msg
from reports.language import read_catalogue
from ui import uploads
from ui.draft import Draft, build_document, build_spec, read_draft, render_toml, write_draft, write_study
from ui.issue_table import build_csv, build_rows, render_table
from ui.mapping_form import list_missing, match_fields
from ui.text import cell, clean, plain
from ui.uploads import check_upload, clear_unused, find_upload_folder, open_upload_folder, safe_name, store_uploads

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
        ("roads", "a.osm.pbf", b"nothing", "not what the ending"),
        ("roads", "a.osm.gz", gzip.compress(b"hello"), "not OpenStreetMap"),
        ("roads", "a.osm.gz", gzip.compress(b"<osm>" + b"x" * 9000)[:-20], "damaged"),
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
        ("roads", "a.osm.gz", gzip.compress(b"<osm></osm>")),
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
    missing = list_missing("schools", match_fields("schools", ["学校名称"], {}), has_shapes=False)
    assert [field.name for field in missing] == ["school_id", "lon_deg", "lat_deg"]
    assert not list_missing("schools", {"school_id": "a", "x_m": "b", "y_m": "c"}, has_shapes=False)


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

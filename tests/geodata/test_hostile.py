"""Hostile and broken files, one test each: told in words of both languages, in time, and nothing else harmed."""

from __future__ import annotations

import csv
import gzip
import http.server
import io
import json
import sqlite3
import stat
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geodata import read_text
from geodata.archives import MAX_UNPACKED_BYTES
from geodata.build import build_study
from geodata.cache import DiskCache
from geodata.disk import is_disk_full, require_room, tell_disk_full
from geodata.errors import CrsError, DataError, DataIssue
from geodata.files import list_layers, read_layer, read_raw_table, read_raw_tables, require_layer_crs
from geodata.messages import Message
from geodata.osm import read_osm_roads
from geodata.osm_features import read_osm_buildings
from geodata.study_file import StudySpec, build_study_spec
from reports.language import read_catalogue
from tests.geodata.test_files import points, write_book

PATIENCE_S = 10.0


@contextmanager
def told() -> Iterator[list[DataIssue]]:
    """Expect a ``DataError`` within ten seconds, whose every sentence can be said in Chinese; give its issues."""
    issues: list[DataIssue] = []
    start = time.monotonic()
    with pytest.raises(DataError) as caught:
        yield issues
    assert time.monotonic() - start < PATIENCE_S
    issues += caught.value.issues
    chinese = read_catalogue("zh")
    for issue in issues:
        for words in (issue.problem, issue.cure, issue.expected):
            assert words is None or words.template == "{problem}" or chinese.say(words) != str(words), words


def pack(path: Path, parts: dict[str, bytes]) -> Path:
    """Write a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def write_shapefile(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Return the parts of a small shapefile."""
    points(id=["01", "02"]).to_file(folder / "schools.shp")
    return {part.name: part.read_bytes() for part in folder.glob("schools.*") if part.suffix not in without}


def test_a_road_file_cut_anywhere_is_told_or_read(cases: Path, tmp_path: Path) -> None:
    whole = (cases / "sao_paulo_r5r" / "spo_osm.pbf").read_bytes()
    for cut in (1, 3, 40, 131, 132, 133, 5_000, 70_445, 251_290, 251_300, len(whole) - 1):
        (tmp_path / "cut.osm.pbf").write_bytes(whole[:cut])
        with told() as issues:
            read_osm_roads(tmp_path / "cut.osm.pbf")
        assert issues[0].file == "cut.osm.pbf"


def test_a_zero_byte_in_a_word_of_a_road_file_does_not_end_the_program(cases: Path, tmp_path: Path) -> None:
    # osmium steps beyond its memory over such words: the process would die, not raise
    whole = (cases / "monaco" / "monaco-2016-03_osrm_bindings.osm.pbf").read_bytes()
    from benchmarks.fuzz_inputs import edit_blob

    broken = edit_blob(whole, 1, lambda block: block.replace(b"building", b"buil\x00ing", 1))
    (tmp_path / "a.osm.pbf").write_bytes(broken)
    for reader in (read_osm_roads, read_osm_buildings):
        with told():
            reader(tmp_path / "a.osm.pbf")


@pytest.mark.parametrize("word", [b"resid\xff\xfe\xfdial", b"residentia\xe5"])
def test_a_word_that_is_no_text_does_not_end_the_program(cases: Path, tmp_path: Path, word: bytes) -> None:
    # osmium's writer throws while it is cleared away, which ends the process
    whole = (cases / "monaco" / "monaco-2016-03_osrm_bindings.osm.pbf").read_bytes()
    from benchmarks.fuzz_inputs import edit_blob

    def spoil(block: bytes) -> bytes:
        return block.replace(b"residential", word)

    broken = whole
    for number in (1, 2, 3):
        broken = edit_blob(broken, number, spoil)
    (tmp_path / "a.osm.pbf").write_bytes(broken)
    with told():
        read_osm_roads(tmp_path / "a.osm.pbf")


PAGE = "<!DOCTYPE html><html><head><meta charset='gb2312'></head><body>{}</body></html>"
TABLE = "<table><tr><td>学校代码<td>学校名称</tr><tr><td>007<td>实验小学</tr></table>"


@pytest.mark.parametrize("name", ["a.xlsx", "a.xlsm", "a.xls"])
def test_a_web_page_saved_as_a_workbook_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(PAGE.format("请先登录<script>alert(1)</script>"), encoding="gb18030")
    with told() as issues:
        read_raw_tables(tmp_path / name)
    assert str(issues[0].problem) == "This is a web page, not a workbook."


def test_tables_of_a_web_page_saved_as_xls_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_text(PAGE.format(TABLE), encoding="gb18030")
    assert read_raw_table(tmp_path / "a.xls").frame.to_dict("list") == {"学校代码": ["007"], "学校名称": ["实验小学"]}
    (tmp_path / "b.xls").write_text("学校代码\t学校名称\n007\t实验小学\n", encoding="gb18030")
    assert read_raw_table(tmp_path / "b.xls").frame["学校代码"].tolist() == ["007"]
    (tmp_path / "a.xlsx").write_text(PAGE.format(TABLE), encoding="gb18030")
    with told():
        read_raw_table(tmp_path / "a.xlsx")


def test_a_workbook_of_another_kind_than_its_ending_is_read(tmp_path: Path) -> None:
    write_book(tmp_path / "a.xlsx", {"学校": [["id"], ["1"]]}).rename(tmp_path / "a.xls")
    assert read_raw_table(tmp_path / "a.xls").frame["id"].tolist() == ["1"]


def test_a_small_workbook_of_four_million_cells_is_told(tmp_path: Path) -> None:
    cells = "".join(
        f'<c r="{chr(65 + at // 26 - 1) if at > 25 else ""}{chr(65 + at % 26)}#"><v>@</v></c>' for at in range(40)
    )
    rows = (
        f'<row r="#">{cells}</row>'.replace("#", str(n)).replace("@", str(n * 7919 % 9973)) for n in range(1, 100_001)
    )
    book = write_book(tmp_path / "small.xlsx", {"a": [["id"], ["1"]]})
    with (
        zipfile.ZipFile(book) as source,
        zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
    ):
        for part in source.namelist():
            content = source.read(part)
            if part.endswith("sheet1.xml"):
                head, tail = content.split(b"<sheetData>")[0], content.split(b"</sheetData>")[1]
                head = head.replace(b'<dimension ref="A1:A2"/>', b"")
                content = head + b"<sheetData>" + "".join(rows).encode() + b"</sheetData>" + tail
            target.writestr(part, content)
    assert (tmp_path / "a.xlsx").stat().st_size > 5_000_000
    with told() as issues:
        read_raw_tables(tmp_path / "a.xlsx")
    assert "too large" in str(issues[0].problem)


def test_a_table_of_200_megabytes_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    row = b",".join([b"123456789"] * 20) + b"\n"
    with path.open("wb") as stream:
        stream.write(b",".join(b"c%d" % at for at in range(20)) + b"\n")
        for _ in range(100):
            stream.write(row * 10_000)
    assert path.stat().st_size > 199e6
    with told() as issues:
        read_raw_tables(path)
    assert "cells" in issues[0].found
    path.unlink()


def test_bombs_are_not_unpacked(tmp_path: Path) -> None:
    zeros = bytes(60 * 1024**2)
    bomb = pack(tmp_path / "bomb.zip", {"a.shp": zeros, "a.shx": b"", "a.dbf": b""})
    nested = pack(tmp_path / "nested.zip", {"inner.zip": bomb.read_bytes()})
    workbook = pack(tmp_path / "bomb.xlsx", {"xl/worksheets/sheet1.xml": zeros})
    crowd = pack(tmp_path / "crowd.zip", {f"{number}.geojson": b"{}" for number in range(2_001)})
    (tmp_path / "bomb.osm.gz").write_bytes(gzip.compress(b"<osm version='0.6'>" + zeros, mtime=0))
    readers: list[tuple[Callable[[Path], object], Path]] = [
        (read_layer, bomb), (read_layer, nested), (read_layer, crowd), (read_raw_tables, workbook),
        (read_osm_roads, tmp_path / "bomb.osm.gz"), (read_osm_buildings, tmp_path / "bomb.osm.gz"),
    ]  # fmt: skip
    for reader, path in readers:
        with told():
            reader(path)


def test_an_archive_that_lies_about_its_size_is_stopped(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.geojson": b'{"type": "FeatureCollection"}' + b" " * 300_000})
    content = path.read_bytes()
    size = (300_029).to_bytes(4, "little")
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, (50).to_bytes(4, "little")))
    with told():
        read_layer(path)
    assert MAX_UNPACKED_BYTES < 2**30


@pytest.mark.parametrize(
    "name", ["../a.geojson", "/etc/a.geojson", "x/../../a.geojson", "C:/a.geojson", "..\\a.geojson"]
)
def test_names_that_lead_out_of_an_archive_are_refused(tmp_path: Path, name: str) -> None:
    layer = points(id=["1"]).to_json().encode()
    with told() as issues:
        read_layer(pack(tmp_path / "a.zip", {name: layer}))
    assert "outside" in str(issues[0].problem)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_links_and_locked_parts_in_an_archive_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.geojson"
    points(id=["secret"]).to_file(secret)
    link = zipfile.ZipInfo("a.geojson")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, str(secret))
    with told() as issues:
        read_layer(tmp_path / "link.zip")
    assert "only a link" in str(issues[0].problem)
    content = bytearray(pack(tmp_path / "locked.zip", {"a.geojson": b"{}"}).read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(content)
    with told() as issues:
        read_layer(tmp_path / "locked.zip")
    assert "password" in str(issues[0].problem)


def test_a_shapefile_without_a_system_says_so(tmp_path: Path) -> None:
    layer = read_layer(pack(tmp_path / "a.zip", write_shapefile(tmp_path, without=(".prj",))))
    assert layer["id"].tolist() == ["01", "02"]
    with pytest.raises(CrsError, match="coordinate system"):
        require_layer_crs(layer, "", "a.zip")


@pytest.mark.parametrize("part", [".dbf", ".shx", ".shp"])
def test_a_shapefile_that_lacks_a_part_is_told(tmp_path: Path, part: str) -> None:
    path = pack(tmp_path / "a.zip", write_shapefile(tmp_path, without=(part,)))
    with told() as issues:
        read_layer(path)
    assert issues[0].file == "a.zip"
    assert part in str(issues[0].problem) or part == ".shp"


def test_files_that_only_name_other_files_are_refused(tmp_path: Path) -> None:
    points(id=["secret"]).to_file(tmp_path / "secret.gpkg")
    source = f"<SrcDataSource>{tmp_path}/secret.gpkg</SrcDataSource>"
    vrt = f"<OGRVRTDataSource><OGRVRTLayer name='x'>{source}</OGRVRTLayer></OGRVRTDataSource>"
    steps = f"gdal vector pipeline ! read {tmp_path}/secret.gpkg ! write s --of stream --format stream"
    pipe = {"type": "gdal_streamed_alg", "command_line": steps}
    for name, text in (("a.gpkg", vrt), ("a.geojson", vrt), ("b.geojson", json.dumps(pipe))):
        (tmp_path / name).write_text(text)
        with told():
            read_layer(tmp_path / name)
        with told():
            read_layer(pack(tmp_path / "a.zip", {name: text.encode()}))


def test_no_address_in_a_layer_is_followed(tmp_path: Path) -> None:
    asked: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/x"
        for text in (
            '"crs": {"type": "link", "properties": {"href": "HERE"}}',
            '"CRS": {"properties": {"url": "HERE"}, "type": "url"}',
            '"\\u0063rs" : {"type": "link", "properties": {"href": "HERE"}}',
            '"crs" /* */ : {"type": "link", "properties": {"href": "HERE"}}',
        ):
            feature = points(id=["1"]).to_json()
            (tmp_path / "a.geojson").write_text(
                feature.replace('"type"', text.replace("HERE", address) + ', "type"', 1)
            )
            with told():
                read_layer(tmp_path / "a.geojson")
        links = {"links": [{"rel": "data", "href": address}], "conformsTo": ["x"]}
        (tmp_path / "a.geojson").write_text(json.dumps(links))
        with told():
            read_layer(tmp_path / "a.geojson")
        server.shutdown()
    assert not asked


def test_a_property_called_crs_is_no_address(tmp_path: Path) -> None:
    points(crs=["EPSG:4326", "crs"]).to_file(tmp_path / "a.geojson")
    assert len(read_layer(tmp_path / "a.geojson")) == 2


ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT"


@pytest.mark.parametrize("target", ["layer", "contents", "columns"])
def test_a_view_that_never_ends_does_not_hold_us(tmp_path: Path, target: str) -> None:
    path = tmp_path / "a.gpkg"
    points(id=["1"]).to_file(path, layer="units")
    with closing(sqlite3.connect(path)) as base:
        if target == "layer":
            base.execute(f"CREATE VIEW endless AS {ENDLESS} c.n AS fid, u.geom AS geom FROM c, units u")
            names = "(table_name, data_type, identifier, srs_id)"
            base.execute(f"INSERT INTO gpkg_contents {names} VALUES ('endless', 'features', 'e', 4326)")
            base.execute("INSERT INTO gpkg_geometry_columns VALUES ('endless', 'geom', 'POINT', 4326, 0, 0)")
        else:
            table = "gpkg_contents" if target == "contents" else "gpkg_geometry_columns"
            base.execute("PRAGMA foreign_keys=OFF")
            base.execute(f"ALTER TABLE {table} RENAME TO kept")
            join = "FROM c JOIN kept WHERE c.n < 0" if target == "contents" else "FROM c, kept WHERE c.n < 0"
            base.execute(f"CREATE VIEW {table} AS {ENDLESS} kept.* {join}")
        base.commit()
    if target == "layer":
        assert list_layers(path) == {"units": ["id"]}
        assert len(read_layer(path)) == 1
        with told():
            read_layer(path, layer="endless")
        return
    for reader in (list_layers, read_layer):
        with told():
            reader(path)


def test_computed_columns_and_triggers_do_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    points(id=["1"]).to_file(path, layer="units")
    points(id=["2"]).to_file(path, layer="sites")
    with closing(sqlite3.connect(path)) as base:
        base.execute("ALTER TABLE units ADD COLUMN big AS (zeroblob(1000000000))")
        base.execute("CREATE TRIGGER t BEFORE UPDATE ON sites BEGIN DELETE FROM sites; END")
        base.commit()
    before = path.read_bytes()
    assert read_layer(path)["id"].tolist() == ["2"]
    with told():
        read_layer(path, layer="units")
    assert path.read_bytes() == before


def test_a_table_with_four_hundred_faults_tells_them_all(tmp_path: Path) -> None:
    stream = io.StringIO()
    out = csv.writer(stream)
    out.writerow(["学校代码", "学校名称", "学段", "经度", "纬度", "学位数", "在校生数", "班数"])
    faulty: set[int] = set()
    for number in range(1_000):
        row = [f"{number:04d}", f"第{number}小学", "小学", 113 + number * 1e-4, 34.7, 300, 250, 8]
        if number % 5 < 2:
            spoilt = {0: (3, f"未知{number}"), 1: (4, 900 + number), 2: (5, f"约{number}"), 3: (6, -number - 1)}
            column, value = {**spoilt, 4: (2, f"学段{number}"), 5: (7, f"{number}.5.1")}[number // 5 % 6]
            row[column] = value
            faulty.add(number + 2)
        out.writerow(row)
    assert len(faulty) == 400
    (tmp_path / "schools.csv").write_text(stream.getvalue(), encoding="utf-8")
    (tmp_path / "villages.csv").write_text("村代码,经度,纬度,人口\nv1,113.01,34.7,500\n", encoding="utf-8")
    with told() as issues:
        build_study(build_spec(tmp_path), cache=DiskCache(tmp_path / "cache"))
    assert {issue.row for issue in issues if issue.severity == "error" and issue.file == "schools.csv"} >= faulty


def build_spec(folder: Path) -> StudySpec:
    """Return a study of ``schools.csv`` and ``villages.csv``."""
    document = {
        "name": "x",
        "schools": {"path": "schools.csv"},
        "population": {"path": "villages.csv", "kind": "points", "share": {"primary": 0.06}},
        "travel": {"modes": ["walk"]},
    }
    return build_study_spec(document, folder=folder)


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "{{7*7}}",
    "{% print(1) %}",
    "=HYPERLINK(1)",
    "\u202egnp.exe",
    "';DROP TABLE x;--",
)


def write_small_county(folder: Path, names: tuple[str, ...] = HOSTILE) -> None:
    """Write schools and villages with strange names."""
    with (folder / "schools.csv").open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["学校代码", "学校名称", "学段", "经度", "纬度", "学位数", "在校生数"])
        out.writerows([f"00{n}", name, "小学", 113 + n * 0.01, 34.7, 300, 250] for n, name in enumerate(names))
    with (folder / "villages.csv").open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["村代码", "村名", "经度", "纬度", "人口"])
        out.writerows([f"v{n}", name, 113.005 + n * 0.01, 34.705, 500] for n, name in enumerate(names))


def test_strange_names_are_read_as_they_stand(tmp_path: Path) -> None:
    write_small_county(tmp_path)
    study = build_study(build_spec(tmp_path), cache=DiskCache(tmp_path / "cache"))
    assert study.schools["name"].tolist() == list(HOSTILE)


@pytest.mark.parametrize("name", ["schools.csv", "villages.csv"])
def test_a_file_replaced_while_it_is_read_is_told(tmp_path: Path, name: str) -> None:
    write_small_county(tmp_path)
    cache = DiskCache(tmp_path / "cache")
    before = build_study(build_spec(tmp_path), cache=cache)
    (tmp_path / "villages.csv").write_text("村代码,经度,纬度,人口\nv1,113.01,34.7,900\n", encoding="utf-8")

    def replace_it(step: Message, share: float) -> None:
        path = tmp_path / name
        if share > 0.5 and "9,9" not in path.read_text(encoding="utf-8"):
            path.write_text(path.read_text(encoding="utf-8") + "9,9,9,9,9\n", encoding="utf-8")

    with told() as issues:
        build_study(build_spec(tmp_path), cache=cache, progress=replace_it)
    assert [(issue.check, issue.file) for issue in issues] == [("file_changed", name)]
    write_small_county(tmp_path)
    assert build_study(build_spec(tmp_path), cache=cache).fingerprint == before.fingerprint, (
        "what was kept still stands"
    )


def test_a_full_disk_keeps_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_small_county(tmp_path)
    cache = DiskCache(tmp_path / "cache")
    cache.store("before", 1)
    monkeypatch.setattr("geodata.cache.tempfile.mkstemp", full_disk)
    study = build_study(build_spec(tmp_path), cache=cache)
    assert len(study.schools) == len(HOSTILE), "without room to keep it the study is built all the same"
    assert not cache.store("after", 1)
    assert (cache.load("before"), cache.load("after")) == (1, None)
    assert [path.name for path in cache.folder.iterdir()] == ["before.cache"]


def full_disk(*_: object, **__: object) -> object:
    """Stand in for anything that writes."""
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_known_by_its_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        require_room(tmp_path, 2**60)
    assert is_disk_full(caught.value)
    assert is_disk_full(RuntimeError("Write failed: No space left on device"))
    assert not is_disk_full(OSError(13, "Permission denied"))
    assert not is_disk_full(None)
    assert read_catalogue("zh").say(tell_disk_full()) != str(tell_disk_full())
    require_room(tmp_path, 1)


def test_a_workbook_may_not_hold_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_book(tmp_path / "a.xlsx", {"a": [["id"], ["1"]]})
    monkeypatch.setattr(read_text, "WORKBOOK_TIMEOUT_S", 0.01)
    with told():
        read_raw_tables(path)


def test_shapes_of_an_unusable_system_are_told(tmp_path: Path) -> None:
    parts = write_shapefile(tmp_path)
    parts["schools.prj"] = b'LOCAL_CS["x",UNIT["m",1]]'
    layer = read_layer(pack(tmp_path / "a.zip", parts))
    from geodata.shapes import project_shapes

    assert isinstance(layer, gpd.GeoDataFrame)
    with told():
        project_shapes(shapely.points([[1.0, 2.0]]), layer.crs.to_wkt(), "EPSG:4326")

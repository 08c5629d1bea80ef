"""From a study file to a study area: everything told at once, kept by content, the same from the cache."""

from pathlib import Path

import pytest

from geodata.build import compute_study_key, read_study
from geodata.cache import DiskCache
from geodata.errors import Cancelled, CrsError, DataError
from geodata.locate import choose_study_crs, compute_file_digest
from geodata.messages import Message
from geodata.study_file import build_study_spec, read_study_file
from tests.geodata.drawn_roads import write_osm
from tests.small_county import write_small_county


@pytest.fixture()
def cache(tmp_path: Path) -> DiskCache:
    return DiskCache(tmp_path / "cache")


def test_a_small_county(tmp_path: Path, cache: DiskCache) -> None:
    steps: list[float] = []

    def progress(step: Message, share: float) -> None:
        steps.append(share)

    study = read_study(write_small_county(tmp_path), cache=cache, progress=progress)
    assert study.crs == "EPSG:32649"
    assert list(study.schools["school_id"]) == ["001", "002"]
    assert study.units["primary_pupils"].sum() == 180
    assert study.travel["walk"].method == "straight line"
    assert len(study.adjacency.first_ids) == 2
    assert steps == sorted(steps) and steps[-1] == 1.0


def test_the_cache_gives_the_same_study_until_a_file_changes(tmp_path: Path, cache: DiskCache) -> None:
    path = write_small_county(tmp_path)
    first, again = read_study(path, cache=cache), read_study(path, cache=cache)
    assert first.fingerprint == again.fingerprint
    key = compute_study_key(read_study_file(path), None)
    schools = tmp_path / "schools.csv"
    schools.write_text(schools.read_text(encoding="utf-8").replace(",90,", ",95,"), encoding="utf-8")
    assert compute_study_key(read_study_file(path), None) != key
    assert read_study(path, cache=cache).fingerprint != first.fingerprint


def test_shuffled_rows_give_the_same_units_and_schools(tmp_path: Path, cache: DiskCache) -> None:
    path = write_small_county(tmp_path)
    study = read_study(path, cache=cache)
    schools = tmp_path / "schools.csv"
    head, *rows = schools.read_text(encoding="utf-8").strip().split("\n")
    schools.write_text("\n".join([head, *reversed(rows)]) + "\n", encoding="utf-8")
    again = read_study(path, cache=cache)
    assert set(study.schools["school_id"]) == set(again.schools["school_id"])
    column = again.travel["walk"].columns(["001"])[0]
    assert (again.travel["walk"].time_min[:, column] == study.travel["walk"].time_min[:, 0]).all()


def test_errors_of_all_files_are_told_together(tmp_path: Path, cache: DiskCache) -> None:
    path = write_small_county(tmp_path)
    (tmp_path / "schools.csv").write_text("学校名称,学段,经度,纬度\n甲,小学,213,34.5\n", encoding="utf-8")
    (tmp_path / "villages.geojson").write_text("{", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_study(path, cache=cache)
    assert {issue.file for issue in caught.value.issues} >= {"schools.csv", "villages.geojson"}


def test_it_can_be_stopped_and_leaves_nothing_behind(tmp_path: Path, cache: DiskCache) -> None:
    def stop(step: Message, share: float) -> None:
        if share > 0.4:
            raise Cancelled

    path = write_small_county(tmp_path)
    with pytest.raises(Cancelled):
        read_study(path, cache=cache, progress=stop)
    assert cache.load(compute_study_key(read_study_file(path), None)) is None


def test_a_study_that_lies_nowhere_says_so(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("学校名称,学段\n甲,小学\n", encoding="utf-8")
    document = {"name": "x", "schools": {"path": "s.csv"}, "population": {"path": "p.gpkg"}}
    with pytest.raises(CrsError, match="where on Earth"):
        choose_study_crs(build_study_spec(document, folder=tmp_path))


def test_digests_of_files_folders_and_patterns(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif", "note.txt"):
        (tmp_path / name).write_bytes(name.encode())
    both = compute_file_digest(tmp_path)
    assert both == compute_file_digest(tmp_path / "*.tif") == compute_file_digest(tmp_path / "a.tif;b.tif")
    assert compute_file_digest(tmp_path / "a.tif")[:16] == both[:16]
    assert compute_file_digest(tmp_path / "none.tif") == compute_file_digest(tmp_path / "none*.tif") == ""


def _write_blocks(folder: Path, roads: str = "roads.osm") -> Path:
    """Write the small county with a street through the middle of its three villages, and street blocks as units."""
    path = write_small_county(folder)
    nodes = {1: (112.98, 34.50), 2: (113.03, 34.50), 3: (113.005, 34.48), 4: (113.005, 34.52), 5: (113.005, 34.50)}
    ways = [
        ([1, 5, 2], {"highway": "primary", "name": "人民路"}),
        ([3, 5, 4], {"highway": "residential", "name": "南巷"}),
    ]
    write_osm(folder / "roads.osm", nodes, ways, node_tags={3: {"addr:street": "南巷", "addr:housenumber": "1"}})
    text = path.read_text(encoding="utf-8") + f'[roads]\npath = "{roads}"\n[units]\nkind = "blocks"\nblock_m2 = 1e6\n'
    path.write_text(text, encoding="utf-8")
    return path


def test_street_blocks_from_files(tmp_path: Path, cache: DiskCache) -> None:
    study = read_study(_write_blocks(tmp_path), cache=cache)
    assert sorted(study.units["name"]) == [f"人民路—南巷 {number}" for number in (1, 2, 3, 4)]
    assert study.units["primary_pupils"].sum() == pytest.approx(180)
    assert study.units["population_people"].max() == pytest.approx(750, rel=0.01), "half of one and a half villages"
    assert len(study.adjacency.first_ids) == 4 and study.travel["walk"].method == "roads"
    assert study.addresses[["street", "house_number"]].to_numpy().tolist() == [["南巷", "1"]]
    assert read_study(tmp_path / "study.toml", cache=cache).fingerprint == study.fingerprint


def test_a_broken_road_file_is_told_once_with_the_rest(tmp_path: Path, cache: DiskCache) -> None:
    path = _write_blocks(tmp_path, roads="gone.osm.pbf")
    (tmp_path / "schools.csv").write_text("学校名称,学段,经度,纬度\n甲,小学,213,34.5\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_study(path, cache=cache)
    files = [issue.file for issue in caught.value.issues]
    assert files.count("gone.osm.pbf") == 1 and "schools.csv" in files

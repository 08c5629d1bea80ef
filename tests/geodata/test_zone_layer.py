"""Catchments drawn as areas, and what planners draw wrong."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.build import read_study
from geodata.errors import DataError
from geodata.outlines import build_zone_outlines
from geodata.read_zones import import_zones, read_zones
from geodata.study import StudyArea
from geodata.study_file import StudySpec, ZonesSource
from geodata.write_layers import write_geopackage
from tests.small_county import write_small_county
from tests.worlds import WorldSchool, build_world

# Six squares of 1,000 m, demand points in the middle. P and Q are primary schools, N teaches primary and junior.
#   d    e    f/N
#   a/P  b    c/Q
SCHOOLS = {
    "P": WorldSchool(name="Green Hill"),
    "Q": WorldSchool(name="Twin"),
    "N": WorldSchool(kind="nine_year", stages=("primary", "junior"), name="Long School"),
    "T": WorldSchool(name="Twin"),
}


def _world() -> StudyArea:
    return build_world("d e f/N\na/P b/T c/Q", pupils=dict.fromkeys("abcdef", 10.0), schools=SCHOOLS)


def _layer(path: Path, rows: list[dict[str, object]]) -> Path:
    shapes = [row.pop("shape") for row in rows]
    gpd.GeoDataFrame(rows, geometry=shapes).to_file(path)
    return path


def _zones(path: Path, **source: object) -> tuple[dict[str, str], list[str]]:
    """Return "stage:units" per school in short, and the names of the issues."""
    zones, issues = import_zones(path, _world(), ZonesSource("", **source))  # type: ignore[arg-type]
    groups: dict[str, str] = {}
    for unit, stage, school in zones.sort_values("unit_id").itertuples(index=False, name=None):
        groups[f"{school} {stage}"] = groups.get(f"{school} {stage}", "") + unit
    return groups, [issue.check for issue in issues]


LEFT, RIGHT = shapely.box(0, 0, 1500, 2000), shapely.box(1500, 0, 3000, 2000)


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "shp"])
def test_ids_and_names_and_a_column_of_stages(tmp_path: Path, ending: str) -> None:
    rows = [
        {"school": "P", "stage": "小学", "shape": shapely.box(0, 0, 2000, 2000)},
        {"school": "LONG school", "stage": "小学", "shape": shapely.box(2000, 0, 3000, 2000)},
        {"school": "N", "stage": "初中", "shape": shapely.box(0, 0, 3000, 2000)},
    ]
    found, issues = _zones(_layer(tmp_path / f"z.{ending}", rows), crs="local")
    assert found == {"P primary": "abde", "N primary": "cf", "N junior": "abcdef"}
    assert issues == []


def test_the_stage_of_the_study_file_or_of_a_school_with_one_stage(tmp_path: Path) -> None:
    one = [{"学校": "P", "shape": LEFT}, {"学校": "Q", "shape": RIGHT}]
    # The middles of b and e lie on the border x = 1500: they go to the school whose id comes first.
    found, issues = _zones(_layer(tmp_path / "one.gpkg", one))
    assert (found, issues) == ({"P primary": "abde", "Q primary": "cf"}, [])
    nine = _layer(tmp_path / "nine.gpkg", [{"学校": "N", "shape": shapely.box(0, 0, 3000, 2000)}])
    with pytest.raises(DataError, match="which stage"):
        _zones(nine)
    assert _zones(nine, stage="junior")[0] == {"N junior": "abcdef"}


def test_areas_that_overlap_are_shared_and_told(tmp_path: Path) -> None:
    rows = [{"school": "P", "shape": shapely.box(0, 0, 2000, 2000)}, {"school": "Q", "shape": RIGHT.buffer(10)}]
    found, issues = _zones(_layer(tmp_path / "z.gpkg", rows))
    assert found == {"P primary": "abde", "Q primary": "bcef"}
    assert issues == ["zone_overlap"]
    group = [{"school": "P;Q", "shape": shapely.box(0, 0, 3000, 2000)}]
    assert _zones(_layer(tmp_path / "g.gpkg", group))[0] == {"P primary": "abcdef", "Q primary": "abcdef"}


def test_units_outside_and_empty_areas_are_told(tmp_path: Path) -> None:
    rows = [
        {"school": "P", "shape": shapely.box(0, 0, 3000, 1000)},
        {"school": "Q", "shape": shapely.box(5000, 0, 6000, 1000)},
    ]
    found, issues = _zones(_layer(tmp_path / "z.gpkg", rows))
    assert found == {"P primary": "abc"}
    assert issues == ["zone_empty", "zone_outside", "zone_gaps", "zone_gaps", "zone_gaps"]


def test_everything_wrong_at_once(tmp_path: Path) -> None:
    rows = [
        {"school": "Twin", "stage": "primary", "shape": LEFT},
        {"school": "Gren Hill", "stage": "primary", "shape": LEFT},
        {"school": "", "stage": "primary", "shape": LEFT},
        {"school": "P", "stage": "大学", "shape": LEFT},
        {"school": "P", "stage": "primary", "shape": shapely.Point(5, 5)},
    ]
    path = tmp_path / "z.geojson"
    gpd.GeoDataFrame(rows, geometry="shape").to_file(path)
    with pytest.raises(DataError) as caught:
        import_zones(path, _world(), ZonesSource("", crs="local"))
    told = [(issue.check, issue.row) for issue in caught.value.issues if issue.severity == "error"]
    assert set(told) >= {("unknown_ids", 1), ("unknown_ids", 2), ("required_value", 3), ("allowed_value", 4)}
    assert ("geometry", 5) in told
    assert "Did you mean Green Hill" in str(caught.value)


def test_a_layer_without_schools_and_a_table_with_strangers(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="school_id"):
        _zones(_layer(tmp_path / "z.gpkg", [{"x": "P", "shape": LEFT}]))
    assert _zones(_layer(tmp_path / "y.gpkg", [{"x": "P", "shape": LEFT}]), columns={"school_id": "x"})[0]
    table = tmp_path / "z.csv"
    table.write_text("unit,stage,school\na,primary,P\nzz,primary,Q\n", encoding="utf-8")
    with pytest.raises(DataError, match="zz"):
        import_zones(table, _world())
    table.write_text("unit,school\na,P\nb,Q\n", encoding="utf-8")
    zones, _ = import_zones(table, _world(), ZonesSource("", stage="primary"))
    assert zones.to_numpy().tolist() == [["a", "primary", "P"], ["b", "primary", "Q"]]


def test_a_study_may_name_a_layer(tmp_path: Path) -> None:
    path = write_small_county(tmp_path)
    shape = shapely.box(112.985, 34.48, 113.011, 34.52)
    layer = gpd.GeoDataFrame({"学校": ["=第一小学"], "学段": ["小学"]}, geometry=[shape], crs="EPSG:4326")
    layer.to_file(tmp_path / "zones.geojson")
    path.write_text(path.read_text(encoding="utf-8") + '[zones]\npath = "zones.geojson"\n', encoding="utf-8")
    study = read_study(path)
    assert study.zones.to_numpy().tolist() == [["00", "primary", "001"], ["01", "primary", "001"]]
    assert {"zone_outside", "zone_gaps"} <= {issue.check for issue in study.issues}
    spec = StudySpec("x", zones=ZonesSource("zones.geojson"), folder=tmp_path)
    assert len(read_zones(spec)[0]) == 0  # without units a layer says nothing


@given(seed=st.lists(st.sampled_from(["P", "Q", "P;Q"]), min_size=6, max_size=6))
def test_outlines_written_and_read_give_the_same_zones(
    tmp_path_factory: pytest.TempPathFactory, seed: list[str]
) -> None:
    world = _world()
    rows = [(u, "primary", s) for u, cell in zip("abcdef", seed, strict=True) for s in cell.split(";")]
    zones = pd.DataFrame(rows, columns=["unit_id", "stage", "school_id"], dtype=str)
    path = tmp_path_factory.mktemp("z") / "zones.gpkg"
    write_geopackage(path, {"zones": build_zone_outlines(world.units, zones)})
    again, issues = import_zones(path, world)
    assert issues == []
    assert sorted(again.itertuples(index=False, name=None)) == sorted(zones.itertuples(index=False, name=None))

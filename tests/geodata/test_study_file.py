from pathlib import Path

import pytest

from geodata.errors import DataError
from geodata.study_file import (
    ElevationSource,
    HousingSource,
    YearRowsSource,
    build_study_spec,
    compute_cases_folder,
    read_study_file,
)

GOOD = {"name": "x", "schools": {"path": "s.csv"}, "population": {"path": "p.gpkg"}}


def test_defaults_and_paths() -> None:
    spec = build_study_spec(GOOD, folder=Path("here"))
    assert spec.units.kind == "population"
    assert spec.travel.modes == ("walk", "bicycle", "drive")
    assert spec.resolve("s.csv") == Path("here/s.csv")
    assert spec.resolve("$BUJU_CASES/a/b.csv") == compute_cases_folder() / "a" / "b.csv"


def test_every_problem_is_told_at_once_with_a_suggestion() -> None:
    bad = {
        "nam": "x",
        "schools": {"path": 3, "shet": "a"},
        "population": {"path": "p", "kind": "dots"},
        "travel": {"modes": ["fly"], "detour_factor": True},
    }
    with pytest.raises(DataError) as caught:
        build_study_spec(bad, folder=Path())
    found = {issue.column: str(issue) for issue in caught.value.issues}
    assert set(found) == {
        *("nam", "schools.path", "schools.shet", "population.kind", "travel.modes", "travel.detour_factor", "name"),
    }
    assert "'name'" in found["nam"]
    assert "'sheet'" in found["schools.shet"]
    assert "points, polygons" in found["population.kind"]


def test_required_tables() -> None:
    with pytest.raises(DataError, match="schools"):
        build_study_spec({"name": "x", "population": {}}, folder=Path())
    assert build_study_spec({"name": "x", "demo": {}}, folder=Path()).demo is not None


def test_a_whole_number_is_a_fine_float_but_a_bool_is_not() -> None:
    spec = build_study_spec(GOOD | {"units": {"kind": "grid", "cell_m": 250}}, folder=Path())
    assert spec.units.cell_m == 250.0


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe\x00"])
def test_what_is_not_toml_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(content)
    with pytest.raises(DataError, match="not valid TOML"):
        read_study_file(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be opened"):
        read_study_file(tmp_path / "none.toml")


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('\ufeffname = "县"\n[demo]\n', encoding="utf-8")
    assert read_study_file(path).name == "县"


@pytest.mark.parametrize("path", sorted(Path("examples/studies").glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_is_a_valid_study_file(path: Path) -> None:
    assert read_study_file(path).name


def _columns_of(changes: dict[str, object]) -> dict[str, str]:
    """Return what is told about a study file with these tables changed, by key."""
    with pytest.raises(DataError) as caught:
        build_study_spec(GOOD | changes, folder=Path())
    return {issue.column: str(issue) for issue in caught.value.issues}


def test_tables_of_stages_and_modes_know_their_keys() -> None:
    population = {"path": "p.gpkg", "share": {"primry": 0.1}, "totals": {"juniour": 3}}
    found = _columns_of({"population": population, "travel": {"cutoff_min": {"wlak": 30}}})
    assert set(found) == {"population.share.primry", "population.totals.juniour", "travel.cutoff_min.wlak"}
    assert "'primary'" in found["population.share.primry"]
    assert "'walk'" in found["travel.cutoff_min.wlak"]


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("population", "share", {"primary": 1.5}),
        ("population", "totals", {"primary": float("inf")}),
        ("population", "totals", {"primary": -5}),
        ("travel", "cutoff_min", {"walk": 0}),
        ("travel", "detour_factor", 0),
        ("travel", "detour_factor", float("nan")),
        ("travel", "max_snap_m", -1),
        ("travel", "modes", []),
        ("units", "cell_m", 1),
        ("units", "cell_m", 10**400),
        ("schools", "year", 10**30),
    ],
)
def test_numbers_have_limits(table: str, key: str, value: object) -> None:
    base = GOOD.get(table, {})
    assert isinstance(base, dict)
    (found,) = _columns_of({table: base | {key: value}})
    assert found.startswith(f"{table}.{key}")


@pytest.mark.parametrize("path", ["http://evil/x.csv", "/vsicurl/http://evil/x.csv", "a\0b.csv", "a" * 300 + ".csv"])
def test_paths_that_cannot_be_paths(path: str) -> None:
    assert set(_columns_of({"sites": {"path": path}})) == {"sites.path"}


def test_missing_paths_are_told_with_everything_else() -> None:
    found = _columns_of({"population": {}, "zones": {"path": ""}, "units": {"kind": "polygons"}, "roads": {}, "x": 1})
    assert set(found) == {"population.path", "zones.path", "units.path", "roads.path", "x"}


def test_a_mode_named_twice_counts_once() -> None:
    spec = build_study_spec(GOOD | {"travel": {"modes": ["walk", "walk"]}}, folder=Path())
    assert spec.travel.modes == ("walk",)


def test_barriers_and_zone_layers() -> None:
    spec = build_study_spec(
        GOOD | {"barriers": {"path": "b.gpkg", "kind": "railway"}, "zones": {"path": "z.gpkg", "stage": "junior"}},
        folder=Path(),
    )
    assert spec.barriers is not None and spec.zones is not None
    assert (spec.barriers.kind, spec.zones.stage) == ("railway", "junior")
    bad = GOOD | {"barriers": {"kind": "wall"}, "zones": {"path": "http://x/z.gpkg", "stage": "nursery"}}
    with pytest.raises(DataError) as caught:
        build_study_spec(bad, folder=Path())
    assert {issue.column for issue in caught.value.issues} == {
        *("barriers.kind", "barriers.path", "zones.path", "zones.stage"),
    }


def test_street_blocks_and_addresses() -> None:
    units = {"kind": "blocks", "block_m2": 60_000, "compactness": 1, "road_classes": ["primary", "service"]}
    roads = {"path": "r.osm.pbf"}
    spec = build_study_spec(
        GOOD | {"units": units, "roads": roads, "addresses": {"path": "a.csv", "columns": {"street": "Strasse"}}},
        folder=Path(),
    )
    assert (spec.units.block_m2, spec.units.compactness) == (60_000.0, 1.0)
    assert spec.units.road_classes == ("primary", "service")
    assert spec.addresses is not None and spec.addresses.columns == {"street": "Strasse"}
    bad = GOOD | {
        "units": {"kind": "blocks", "block_m2": 10, "compactness": 1.5},
        "addresses": {"path": "https://x/a.csv"},
    }
    with pytest.raises(DataError) as caught:
        build_study_spec(bad, folder=Path())
    assert {issue.column for issue in caught.value.issues} == {
        *("units.block_m2", "units.compactness", "addresses.path", "[roads]"),
    }


def test_tables_of_forecasts_inspections_and_hills() -> None:
    tables = {
        "rolls": {"path": "r.csv", "year": 2024, "columns": {"pupils": "n"}},
        "births": {"path": "b.xlsx", "sheet": "2024"},
        "housing": {"path": "h.gpkg", "layer": "p", "crs": "EPSG:4547", "values": {"name": {"a": "b"}}},
        "assets": {"path": "a.csv"},
        "groups": {"path": "g.csv"},
        "evidence": {"path": "e.csv"},
        "elevation": {"path": "dem.tif"},
        "travel": {"crossing_penalty_s": {"main_road": 45, "railway": 120}},
    }
    spec = build_study_spec(GOOD | tables, folder=Path())
    assert spec.rolls == YearRowsSource("r.csv", year=2024, columns={"pupils": "n"})
    assert spec.housing == HousingSource("h.gpkg", layer="p", crs="EPSG:4547", values={"name": {"a": "b"}})
    assert spec.elevation == ElevationSource("dem.tif")
    assert spec.travel.crossing_penalty_s == {"main_road": 45.0, "railway": 120.0}
    bad = {
        "rolls": {"path": ""},
        "births": {"path": "b.csv", "year": 24},
        "groups": {"path": "g.csv", "year": 2024},
        "evidence": {},
        "elevation": {"path": "ftp://x/dem.tif"},
        "travel": {"crossing_penalty_s": {"mainroad": 45, "river": 601}},
    }
    with pytest.raises(DataError) as caught:
        build_study_spec(GOOD | bad, folder=Path())
    assert {issue.column for issue in caught.value.issues} == {
        *("rolls.path", "births.year", "groups.year", "evidence.path", "elevation.path"),
        *("travel.crossing_penalty_s.mainroad", "travel.crossing_penalty_s.river"),
    }

"""Outlines of zones on squares, cells and the real cases."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.build import read_study
from geodata.outlines import build_zone_outlines, check_outlines, unite_shapes
from geodata.study import StudyArea
from geodata.write_layers import write_geopackage
from tests.geodata.tilings import PATTERNS, build_tiling, disturb, draw_zones
from tests.worlds import build_nine_units

STUDIES = Path(__file__).resolve().parents[2] / "examples" / "studies"
BLOCKS = [path.stem for path in sorted(STUDIES.glob("*_blocks.toml"))]
REAL = sorted({"gongyi", "porto_alegre", "vasileostrovsky", "liechtenstein", *BLOCKS})
"""Every study of street blocks that stands in the examples is among them."""
TOLERANCES_M = (0.0, 20.0)


def _zones(**schools: str) -> pd.DataFrame:
    """Return primary zones: school = the letters of its units."""
    rows = [(unit, "primary", school) for school, units in schools.items() for unit in units]
    return pd.DataFrame(rows, columns=["unit_id", "stage", "school_id"], dtype=str)


def test_schools_shared_groups_and_pieces() -> None:
    # a b c     S has a, b, d and, cut off by c and f being shared, the corner i; S and T share c and f
    # d e f
    # g h i
    units = build_nine_units().units
    found = build_zone_outlines(units, _zones(S="abdicf", T="cfegh"))
    assert found[["school_id", "shared", "units", "parts"]].to_numpy().tolist() == [
        ["S", False, 4, 2],
        ["S;T", True, 2, 1],
        ["T", False, 3, 1],
    ]
    assert found["area_m2"].tolist() == [4e6, 2e6, 3e6]
    assert found.geometry.iloc[1].equals(shapely.box(2000, 1000, 3000, 3000))
    assert found.crs is None


def test_names_stages_strangers_and_nothing() -> None:
    units = build_nine_units().units
    zones = _zones(S="ab", T="b").assign(name=lambda t: t["school_id"].map({"S": "=1+1", "T": "东小学"}))
    both = pd.concat([zones, zones.assign(stage="junior"), zones.assign(unit_id="nobody")])
    found = build_zone_outlines(units, both)
    assert found["name"].tolist() == ["=1+1", "=1+1;东小学"] * 2
    assert found["stage"].tolist() == ["junior", "junior", "primary", "primary"]
    assert (found["units"] == 1).all()
    empty = build_zone_outlines(units, _zones())
    assert list(empty.columns) == ["stage", "school_id", "shared", "units", "area_m2", "parts", "geometry"]
    assert len(empty) == 0


def test_scattered_houses_have_the_land_around_them() -> None:
    spots = [(0.0, 0.0), (100.0, 0.0), (0.0, 100.0), (100.0, 100.0)]
    units = gpd.GeoDataFrame(
        {"unit_id": list("abcd"), "kind": "building", "x_m": [x for x, _ in spots], "y_m": [y for _, y in spots]},
        geometry=[shapely.box(x - 5, y - 5, x + 5, y + 5) for x, y in spots],
    )
    found = build_zone_outlines(units, _zones(S="ab", T="cd"))
    assert found["parts"].tolist() == [1, 1]
    assert found["area_m2"].sum() > 300 * 300 * 0.9
    assert shapely.intersection(*found.geometry).length == pytest.approx(300, abs=1)


def test_areas_that_overlap_are_united_by_overlay() -> None:
    assert unite_shapes(np.array([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)])).area == 3  # type: ignore[attr-defined]
    assert unite_shapes(np.array([shapely.box(0, 0, 2, 1)])).area == 2  # type: ignore[attr-defined]


tilings = st.builds(
    build_tiling, st.sampled_from(PATTERNS), st.integers(0, 10_000), side=st.integers(3, 6), needles=st.integers(0, 2)
)


@settings(max_examples=60)
@given(units=tilings, seed=st.integers(0, 10_000), tolerance_m=st.sampled_from([0.0, 5.0, 50.0, 300.0]))
def test_outlines_tile_the_land_of_their_units(units: gpd.GeoDataFrame, seed: int, tolerance_m: float) -> None:
    zones = draw_zones(units, seed, schools=3)
    found = build_zone_outlines(units, zones, scattered=False, tolerance_m=tolerance_m)
    assert found.is_valid.all()
    assert shapely.coverage_is_valid(found.geometry.to_numpy())
    assert found["units"].sum() == zones["unit_id"].nunique()
    assert check_outlines(units, found, zones, scattered=False, tolerance_m=tolerance_m) == []


@given(units=tilings, seed=st.integers(0, 10_000), width_m=st.floats(0.01, 0.4))
def test_uneven_drawing_is_evened_out(units: gpd.GeoDataFrame, seed: int, width_m: float) -> None:
    uneven = disturb(units, seed, width_m=width_m)
    zones = draw_zones(units, seed, schools=3)
    found = build_zone_outlines(uneven, zones, scattered=False)
    clean = build_zone_outlines(units, zones, scattered=False)
    assert check_outlines(uneven, found, zones, scattered=False) == []
    assert shapely.coverage_is_valid(found.geometry.to_numpy())
    assert found["parts"].tolist() == clean["parts"].tolist()
    assert found["area_m2"].to_numpy() == pytest.approx(clean["area_m2"].to_numpy(), rel=1e-3)


@given(units=tilings, seed=st.integers(0, 10_000), tolerance_m=st.sampled_from(TOLERANCES_M))
def test_stages_share_their_borders(units: gpd.GeoDataFrame, seed: int, tolerance_m: float) -> None:
    # A junior zone is two primary zones: its outline is theirs together, also where borders were simplified.
    primary = draw_zones(units, seed, schools=5).drop_duplicates("unit_id")
    junior = primary.assign(stage="junior", school_id=primary["school_id"].map(lambda key: f"J{int(key[1:]) // 2}"))
    both = pd.concat([primary, junior])
    found = build_zone_outlines(units, both, scattered=False, tolerance_m=tolerance_m)
    by_stage = {stage: part.set_index("school_id").geometry for stage, part in found.groupby("stage")}
    for key, whole in by_stage["junior"].items():
        parts = [shape for name, shape in by_stage["primary"].items() if f"J{int(str(name)[1:]) // 2}" == key]
        assert shapely.coverage_union_all(parts).equals(whole)


@settings(max_examples=40)
@given(units=tilings, seed=st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(units: gpd.GeoDataFrame, seed: int) -> None:
    zones = draw_zones(units, seed)
    found = build_zone_outlines(units, zones, scattered=False)
    other = build_zone_outlines(
        units.sample(frac=1, random_state=seed), zones.sample(frac=1, random_state=seed), scattered=False
    )
    assert found["school_id"].tolist() == other["school_id"].tolist()
    assert shapely.equals_identical(shapely.normalize(found.geometry), shapely.normalize(other.geometry)).all()


def test_units_without_a_zone_hold_their_place() -> None:
    # a b c : only a and c have a zone; b's bent borders move alike, and nothing opens or overlaps beside it
    borders = [[(x, 0), (x + 5, 300), (x - 5, 600), (x, 1000)] for x in (0, 1000, 2000, 3000)]
    cells = [shapely.Polygon([*west, *east[::-1]]) for west, east in pairwise(borders)]
    units = gpd.GeoDataFrame({"unit_id": list("abc"), "kind": "village", "x_m": 0.0, "y_m": 0.0}, geometry=cells)
    some = build_zone_outlines(units, _zones(S="a", T="c"), scattered=False, tolerance_m=50)
    every = build_zone_outlines(units, _zones(S="a", R="b", T="c"), scattered=False, tolerance_m=50)
    assert shapely.get_num_coordinates(every.geometry.to_numpy()).sum() == 3 * 5
    assert some.geometry.iloc[0].equals(every.geometry.iloc[1])
    assert some.geometry.iloc[1].equals(every.geometry.iloc[2])


def test_the_check_finds_what_is_wrong() -> None:
    units = build_nine_units().units
    zones = _zones(S="abc", T="def", R="ghi")
    good = build_zone_outlines(units, zones, scattered=False)
    west, east, south, north = 0, 3000, 1000, 2000
    assert good.geometry.iloc[2].equals(shapely.box(west, south, east, north))
    assert check_outlines(units, good, zones, scattered=False) == []

    def check(shape: shapely.Geometry, **names: str) -> set[str]:
        wrong = good.assign(school_id=good["school_id"].replace(names)).copy()
        wrong.loc[2, "geometry"] = shape
        return {message.template.split("{")[0] for message in check_outlines(units, wrong, zones, scattered=False)}

    same = good.geometry.iloc[2]
    assert check(same, T="U") == {"The zone of ", "The outline of "}
    assert "The outline of " in check(shapely.Polygon())
    assert check(shapely.box(west, south, east, north + 0.001)) >= {"The outlines of "}
    assert "The outlines leave out land of units that have a zone (more than " in check(
        shapely.box(west, south, east, north - 2)
    )
    assert "The outlines cover land of no unit of theirs (more than " in check(
        shapely.box(west, south, east + 2, north)
    )
    assert check(shapely.box(west, south, east - 0.4, north - 0.4)) == {"A narrow gap parts ", "The border of "}
    extra = shapely.Polygon([(0, 1000), (1500, 1000), (3000, 1000), (3000, 2000), (0, 2000)])
    assert check(extra) == {"The border of "}
    hole = shapely.difference(same, shapely.box(100, 1100, 200, 1200))
    assert check(hole) == {
        "The outline of ",
        "The outlines leave out land of units that have a zone (more than ",
    }


def test_no_units_and_one() -> None:
    units = gpd.GeoDataFrame(
        {"unit_id": ["a"], "kind": "village", "x_m": 0.0, "y_m": 0.0}, geometry=[shapely.box(0, 0, 9, 9)], crs=4547
    )
    one = build_zone_outlines(units, _zones(S="a"), tolerance_m=3.0)
    assert one.geometry.iloc[0].equals(shapely.box(0, 0, 9, 9))
    assert one.crs == units.crs
    for tolerance_m in TOLERANCES_M:
        none = build_zone_outlines(units.iloc[:0], _zones(S="a"), scattered=False, tolerance_m=tolerance_m)
        assert none.empty
        assert check_outlines(units.iloc[:0], none, _zones(S="a"), scattered=False) == []


def test_outlines_are_written(tmp_path: Path) -> None:
    units = build_nine_units().units
    found = build_zone_outlines(units, _zones(S="abc", T="def"), scattered=False, tolerance_m=10)
    write_geopackage(tmp_path / "zones.gpkg", {"zones": found})
    again = gpd.read_file(tmp_path / "zones.gpkg")
    assert again["school_id"].tolist() == ["S", "T"]
    assert shapely.equals_exact(again.geometry.to_numpy(), found.geometry.to_numpy(), normalize=True).all()


def _draw_nearest(study: StudyArea) -> pd.DataFrame:
    """Return zones of the nearest school: one stage of all schools, one of every third."""
    stages = study.places["stage"].unique()
    demand = study.units[["x_m", "y_m"]].to_numpy()
    drawn = []
    for stage, schools in ((stages[0], study.schools), ("senior", study.schools.iloc[::3])):
        seats = schools[["x_m", "y_m"]].to_numpy()
        near = np.argmin(np.hypot(*(demand[:, None] - seats[None]).transpose(2, 0, 1)), axis=1)
        ids = schools["school_id"].to_numpy()[near]
        drawn.append(pd.DataFrame({"unit_id": study.units["unit_id"], "stage": stage, "school_id": ids}))
    return pd.concat(drawn)


def _check_study(study: StudyArea, zones: pd.DataFrame) -> None:
    scattered = study.adjacency.scattered
    for tolerance_m in TOLERANCES_M:
        found = build_zone_outlines(study.units, zones, scattered=scattered, tolerance_m=tolerance_m)
        assert check_outlines(study.units, found, zones, scattered=scattered, tolerance_m=tolerance_m) == []
        for _stage, part in found.groupby("stage"):
            assert shapely.coverage_is_valid(part.geometry.to_numpy())
    exact = build_zone_outlines(study.units, zones, scattered=scattered)
    assert exact["area_m2"].sum() / zones["stage"].nunique() == pytest.approx(study.adjacency.area_m2.sum(), rel=1e-3)
    assert len(exact) == len(zones.drop_duplicates(["stage", "school_id"]))


@pytest.mark.real
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in BLOCKS else name for name in REAL]
)
def test_zones_of_real_cases(cases: Path, name: str) -> None:
    study = read_study(STUDIES / f"{name}.toml")
    _check_study(study, _draw_nearest(study))


def test_zones_of_the_demo_county() -> None:
    study = read_study(STUDIES / "demo.toml")
    _check_study(study, _draw_nearest(study))
    found = build_zone_outlines(study.units, study.zones, scattered=False)
    assert check_outlines(study.units, found, study.zones, scattered=False) == []

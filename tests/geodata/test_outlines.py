"""Outlines of zones on squares, cells and the real cases."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.build import read_study
from geodata.outlines import build_zone_outlines, unite_shapes
from geodata.tessellate import build_voronoi_cells
from tests.worlds import build_nine_units

STUDIES = Path(__file__).resolve().parents[2] / "examples" / "studies"


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


@given(seed=st.integers(0, 10_000), count=st.integers(3, 60), schools=st.integers(1, 6))
def test_outlines_tile_the_land(seed: int, count: int, schools: int) -> None:
    random = np.random.default_rng(seed)
    x_m, y_m = random.uniform(0, 5_000, (2, count))
    cells = build_voronoi_cells(x_m, y_m)
    units = gpd.GeoDataFrame(
        {"unit_id": [f"u{k}" for k in range(count)], "kind": "village", "x_m": x_m, "y_m": y_m}, geometry=cells
    )
    zones = pd.DataFrame(
        {"unit_id": units["unit_id"], "stage": "primary", "school_id": random.integers(0, schools, count).astype(str)}
    )
    found = build_zone_outlines(units, zones, scattered=False)
    assert found.is_valid.all()
    assert found["area_m2"].sum() == pytest.approx(shapely.area(cells).sum(), rel=1e-9)
    assert shapely.coverage_is_valid(found.geometry.to_numpy())
    assert found["units"].sum() == count


@pytest.mark.real
@pytest.mark.parametrize("name", ["gongyi", "zy_blocks", "porto_alegre", "vasileostrovsky"])
def test_zones_of_real_cases(cases: Path, name: str) -> None:
    study = read_study(STUDIES / f"{name}.toml")
    stage = str(study.places["stage"].iloc[0])
    schools = study.schools[["x_m", "y_m"]].to_numpy()
    demand = study.units[["x_m", "y_m"]].to_numpy()
    nearest = np.argmin(np.hypot(*(demand[:, None] - schools[None]).transpose(2, 0, 1)), axis=1)
    ids = study.schools["school_id"].to_numpy()[nearest]
    zones = pd.DataFrame({"unit_id": study.units["unit_id"], "stage": stage, "school_id": ids})
    found = build_zone_outlines(study.units, zones, scattered=study.adjacency.scattered)
    assert found.is_valid.all()
    assert found["area_m2"].sum() == pytest.approx(study.adjacency.area_m2.sum(), rel=1e-3)
    assert len(found) == len(set(ids))
    assert (found["parts"] == 1).mean() > 0.7

"""Where zones do not cover the study area: units without one, and land that is no unit."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.build import read_study
from geodata.zone_cover import COVER_COLUMNS, find_uncovered, tell_cover
from tests.geodata.tilings import PATTERNS, STAGE, build_tiling, draw_zones

STUDIES = Path(__file__).resolve().parents[2] / "examples" / "studies"


def _build_county() -> gpd.GeoDataFrame:
    """Return eight villages around a lake, and an island::

    a b c
    d . e     i
    f g h
    """
    spots = {"a": (0, 2), "b": (1, 2), "c": (2, 2), "d": (0, 1), "e": (2, 1), "f": (0, 0), "g": (1, 0), "h": (2, 0)}
    spots["i"] = (5, 1)
    rows = [
        {
            "unit_id": key,
            "name": f"{key.upper()}村" if key != "e" else None,
            "kind": "village",
            "x_m": 1000.0 * x + 500,
            "y_m": 1000.0 * y + 500,
            "primary_pupils": 10.0 * number,
            "geometry": shapely.box(1000 * x, 1000 * y, 1000 * x + 1000, 1000 * y + 1000),
        }
        for number, (key, (x, y)) in enumerate(spots.items())
    ]
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry")


def _zone(units: str, stage: str = "primary") -> pd.DataFrame:
    return pd.DataFrame({"unit_id": list(units), "stage": stage, "school_id": "S"}, dtype=str)


def _say(found: gpd.GeoDataFrame) -> list[str]:
    return [str(message) for message in tell_cover(found)]


def test_places_without_a_zone_and_the_lake() -> None:
    # Without a zone: c (20 pupils) with e (40), f (50) alone (g is in a zone; d too), the island i (80).
    found = find_uncovered(_build_county(), _zone("abdgh"), "primary", scattered=False)
    assert list(found.columns) == [*COVER_COLUMNS, "geometry"]
    rows = found[["kind", "name", "unit_ids", "pupils", "area_m2"]].to_numpy().tolist()
    assert rows[:3] == [
        ["no_zone", "I村", "i", 80.0, 1e6],
        ["no_zone", "C村;e", "c;e", 60.0, 2e6],
        ["no_zone", "F村", "f", 50.0, 1e6],
    ]
    assert rows[3][0] == "hole"
    assert sorted(rows[3][2].split(";")) == ["b", "d", "e", "g"]
    assert found.geometry.iloc[3].equals(shapely.box(1000, 1000, 2000, 2000))
    assert _say(found) == [
        "4 units with 190 pupils have no zone.",
        "Without a zone: I村 (100.0 ha, 80 pupils).",
        "Without a zone: C村, e (200.0 ha, 60 pupils).",
        "Without a zone: F村 (100.0 ha, 50 pupils).",
        "100.0 ha of enclosed land beside B村, D村, e, G村 are no unit: water, or land left out.",
    ]


def test_everything_covered_and_other_stages() -> None:
    county = _build_county()
    found = find_uncovered(county, _zone("abcdefghi"), "primary", scattered=False)
    assert found["kind"].tolist() == ["hole"]
    assert _say(found)[0] == "Every unit has a zone."
    nothing = find_uncovered(county.iloc[:0], _zone(""), "primary", scattered=False)
    assert list(nothing.columns) == [*COVER_COLUMNS, "geometry"]
    assert nothing.empty
    whole = find_uncovered(county.iloc[:3], _zone("abc"), "primary", scattered=False)
    assert whole.empty
    assert _say(whole) == ["The zones cover the whole study area."]
    junior = find_uncovered(county.iloc[:3], _zone("abc"), "junior", scattered=False)
    assert junior["unit_ids"].tolist() == ["a;b;c"]
    assert _say(junior)[0] == "3 units have no zone; how many pupils live there is not known."
    assert _say(junior)[1] == "Without a zone: A村, B村, C村 (300.0 ha)."


def test_an_island_in_the_lake_is_not_part_of_the_hole() -> None:
    county = _build_county()
    county.loc[8, "geometry"] = shapely.box(1200, 1200, 1300, 1300)
    found = find_uncovered(county, _zone("abcdefgh"), "primary", scattered=False)
    assert found["kind"].tolist() == ["no_zone", "hole"]
    assert found["area_m2"].tolist() == [10_000, 990_000]


def test_long_lists_are_cut() -> None:
    # A row of 24 places without a zone, each a unit away from the next.
    units = gpd.GeoDataFrame(
        {"unit_id": [f"u{k:02d}" for k in range(48)], "kind": "village", "x_m": 0.0, "y_m": 0.0},
        geometry=[shapely.box(k, 0, k + 1, 1) for k in range(48)],
    )
    some = _zone("").reindex(columns=["unit_id", "stage", "school_id"])
    some = pd.DataFrame({"unit_id": units["unit_id"][1::2], "stage": "primary", "school_id": "S"})
    said = _say(find_uncovered(units, some, "primary", scattered=False))
    assert len(said) == 12
    assert said[-1] == "14 more such places are not listed here."
    every = find_uncovered(units, some.iloc[:0], "primary", scattered=False)
    assert _say(every)[1] == "Without a zone: u00, u01, u02, u03, u04 and 43 more (0.0 ha)."


@given(pattern=st.sampled_from(PATTERNS), seed=st.integers(0, 10_000))
def test_zones_and_what_is_left_make_the_county(pattern: str, seed: int) -> None:
    units = build_tiling(pattern, seed, side=4)
    zones = draw_zones(units, seed)
    found = find_uncovered(units, zones, STAGE, scattered=False)
    zoned = units["unit_id"].isin(zones["unit_id"])
    left = found[found["kind"] == "no_zone"]
    assert sorted(";".join(left["unit_ids"]).split(";")) == sorted(units["unit_id"][~zoned]) or zoned.all()
    assert left["pupils"].sum() == units["primary_pupils"][~zoned].sum()
    assert left["area_m2"].sum() == pytest.approx(units.geometry[~zoned].area.sum())
    whole = shapely.union_all([*units.geometry, *found.geometry])
    assert all(not part.interiors for part in shapely.get_parts(whole))
    holes = found[found["kind"] == "hole"]
    assert whole.area == pytest.approx(units.geometry.area.sum() + holes["area_m2"].sum())


@pytest.mark.real
def test_gongyi_has_lakes(cases: Path) -> None:
    study = read_study(STUDIES / "gongyi.toml")
    zones = pd.DataFrame({"unit_id": study.units["unit_id"], "stage": "junior", "school_id": "S"})
    found = find_uncovered(study.units, zones, "junior", scattered=study.adjacency.scattered)
    assert found["kind"].tolist() == ["hole"] * 6
    assert found["area_m2"].max() == pytest.approx(36_022, abs=1)

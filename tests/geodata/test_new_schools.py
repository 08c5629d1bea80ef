"""Schools that are not there yet: their ways are those that a study built with them has."""

from __future__ import annotations

import time
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata import new_schools
from geodata.build import build_study
from geodata.new_schools import (
    NewPoint,
    add_schools,
    find_travel_method,
    lonlat_to_study,
    measure_gap_m,
    measure_new_school,
    measure_snap_m,
    unit_point,
)
from geodata.study import MODES, StudyArea
from geodata.study_file import DemoSource, StudySpec
from geodata.travel import compute_travel_matrix
from tests.worlds import WorldSchool, build_world


@pytest.fixture(scope="module")
def demo() -> StudyArea:
    return build_study(StudySpec(name="Demo county", demo=DemoSource(), synthetic=True))


def test_ways_by_road_are_those_of_a_study_built_with_the_school(demo: StudyArea) -> None:
    generator = np.random.default_rng(5)
    for mode in MODES:
        travel = demo.travel[mode]
        spots = demo.units.set_index("unit_id").loc[list(travel.unit_ids)]
        chosen = spots.iloc[generator.integers(0, len(spots), 3)]
        x_m, y_m = (chosen[axis].to_numpy() + generator.normal(0, 300, 3) for axis in ("x_m", "y_m"))
        whole = compute_travel_matrix(
            demo.networks[mode],
            (travel.unit_ids, spots["x_m"], spots["y_m"]),
            (["1", "2", "3"], x_m, y_m),
            mode=mode,
            cutoff_min=travel.cutoff_min,
            detour_factor=travel.detour_factor,
            max_snap_m=travel.max_snap_m,
        )
        for at in range(3):
            minutes, metres = measure_new_school(demo, mode, float(x_m[at]), float(y_m[at]))
            np.testing.assert_array_equal(minutes, whole.time_min[:, at])
            np.testing.assert_array_equal(metres, whole.length_m[:, at])


def test_the_ways_of_a_school_that_is_there_are_found_again(demo: StudyArea) -> None:
    school = demo.schools.iloc[7]
    column = demo.travel["walk"].destination_ids.index(school["school_id"])
    minutes, _ = measure_new_school(demo, "walk", school["x_m"], school["y_m"])
    np.testing.assert_array_equal(minutes, demo.travel["walk"].time_min[:, column])


def test_the_network_is_prepared_once(demo: StudyArea, monkeypatch: pytest.MonkeyPatch) -> None:
    measure_new_school(demo, "walk", *unit_point(demo, demo.units["unit_id"].iloc[0]))

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("prepared again")

    monkeypatch.setattr(new_schools, "TravelSearch", refuse)
    changed = replace(demo, fingerprint="other", schools=demo.schools.iloc[:-1])
    started = time.perf_counter()
    for study in (demo, changed):
        measure_new_school(study, "walk", *unit_point(demo, demo.units["unit_id"].iloc[1]))
    assert time.perf_counter() - started < 5.0
    with pytest.raises(AssertionError, match="prepared again"):
        measure_new_school(replace(demo, fingerprint="third", networks=dict(build_moved(demo))), "walk", 0.0, 0.0)


def build_moved(demo: StudyArea) -> dict[str, object]:
    """Return the networks of another county."""
    return {mode: replace(network, x_m=network.x_m + 1.0) for mode, network in demo.networks.items()}


def test_a_new_school_has_row_seat_side_and_travel(demo: StudyArea) -> None:
    x_m, y_m = unit_point(demo, demo.units["unit_id"].iloc[30])
    point = NewPoint("N1", "新学校", "primary", x_m, y_m)
    study = add_schools(demo, [point])
    row = study.schools.set_index("school_id").loc["N1"]
    unit = demo.units.iloc[30]
    assert (row["unit_id"], row["setting"], row["town"]) == (unit["unit_id"], unit["setting"], unit["town"])
    assert list(study.schools.columns) == list(demo.schools.columns)
    assert study.schools.dtypes.astype(str).tolist() == demo.schools.dtypes.astype(str).tolist()
    assert study.schools.crs == demo.schools.crs
    for mode in MODES:
        travel = study.travel[mode]
        assert (
            travel.destination_ids[-1] == "N1" and travel.time_min.shape[1] == demo.travel[mode].time_min.shape[1] + 1
        )
        np.testing.assert_array_equal(travel.time_min[:, -1], measure_new_school(demo, mode, x_m, y_m)[0])
    added = study.sides[(study.sides["place"] == "school") & (study.sides["id"] == "N1")]
    here = demo.sides[(demo.sides["place"] == "unit") & (demo.sides["id"] == unit["unit_id"])]
    assert (
        added[["kind", "side", "side_uncrossed"]].values.tolist()
        == here[["kind", "side", "side_uncrossed"]].values.tolist()
    )


def test_a_school_takes_the_travel_and_the_side_of_its_site(demo: StudyArea) -> None:
    site = demo.sites.iloc[1]
    study = add_schools(demo, [NewPoint("N1", "", "nine_year", site["x_m"], site["y_m"], site_id=site["site_id"])])
    assert site["site_id"] not in set(study.sites["site_id"]) and len(study.sites) == len(demo.sites) - 1
    for mode in MODES:
        old, new = demo.travel[mode], study.travel[mode]
        column = old.destination_ids.index(site["site_id"])
        assert new.destination_ids[column] == "N1" and np.shares_memory(old.time_min, new.time_min)
    assert study.schools["name"].iloc[-1] == "N1"


def test_the_side_of_a_new_school_does_not_cross_a_barrier() -> None:
    # A railway between a and b, at x = 1000. The school stands in the cell of a, but east of the line's bend.
    study = build_world("a b", pupils={"a": 1, "b": 1}, schools={})
    line = shapely.LineString([(600, -100), (600, 1100)])
    sides = pd.DataFrame(
        {"kind": "railway", "place": "unit", "id": ["a", "b"], "side": [0, 1], "side_uncrossed": [0, 1]}
    )
    study = replace(study, sides=sides, barriers=gpd.GeoDataFrame({"kind": ["railway"], "name": [""]}, geometry=[line]))
    for x_m, side in ((550.0, 0), (650.0, 1)):
        found = add_schools(study, [NewPoint("N", "N", "primary", x_m, 500.0)]).sides.set_index("id").loc["N"]
        assert (found["place"], found["side"]) == ("school", side)


def test_without_roads_the_pace_of_the_matrix_is_kept() -> None:
    # On a line, 10 min and 1,000 m to a cell: N between b and c is 15 min from a.
    study = build_world("a/S b c d", pupils=dict.fromkeys("abcd", 1.0), schools={"S": WorldSchool()})
    assert find_travel_method(study, "walk") == "pace"
    minutes, metres = measure_new_school(study, "walk", 2000.0, 500.0)
    assert minutes.tolist() == pytest.approx([15, 5, 5, 15]) and metres.tolist() == pytest.approx(
        [1500, 500, 500, 1500]
    )
    # A place that is known keeps its ways: S itself, whatever lies between.
    known = replace(study.travel["walk"], time_min=np.array([[0], [33], [20], [np.nan]], dtype=np.float32))
    study = replace(study, travel={"walk": known})
    assert measure_new_school(study, "walk", 500.0, 500.0)[0].tolist() == pytest.approx(
        [0, 33, 20, np.nan], nan_ok=True
    )


def test_a_given_matrix_without_metres_gives_metres_by_the_detour() -> None:
    study = build_world("a/S b", pupils={"a": 1, "b": 1}, schools={"S": WorldSchool()})
    bare = replace(study.travel["walk"], length_m=np.full((2, 1), np.nan, dtype=np.float32), method="given")
    minutes, metres = measure_new_school(replace(study, travel={"walk": bare}), "walk", 1000.0, 500.0)
    assert minutes.tolist() == pytest.approx([5, 5]) and metres.tolist() == pytest.approx([650, 650])


def test_straight_lines_are_continued_by_their_formula() -> None:
    study = build_world("a b", pupils={"a": 1, "b": 1}, schools={})
    spots = (study.units["unit_id"], study.units["x_m"], study.units["y_m"])
    travel = compute_travel_matrix(None, spots, ([], [], []), mode="walk", cutoff_min=10.0)
    study = replace(study, travel={"walk": travel})
    whole = compute_travel_matrix(None, spots, (["n"], [700.0], [0.0]), mode="walk", cutoff_min=10.0)
    minutes, metres = measure_new_school(study, "walk", 700.0, 0.0)
    np.testing.assert_array_equal(minutes, whole.time_min[:, 0])
    np.testing.assert_array_equal(metres, whole.length_m[:, 0])
    assert np.isnan(measure_new_school(study, "walk", 9000.0, 0.0)[0]).all()


def test_degrees_and_distances(demo: StudyArea) -> None:
    from geodata.crs import to_lonlat

    x_m, y_m = unit_point(demo, demo.units["unit_id"].iloc[3])
    lon_deg, lat_deg = to_lonlat([x_m], [y_m], demo.crs)
    assert lonlat_to_study(demo, float(lon_deg[0]), float(lat_deg[0])) == pytest.approx((x_m, y_m), abs=0.01)
    assert measure_gap_m(demo, x_m, y_m) == 0 and measure_gap_m(demo, x_m + 1e6, y_m) > 9e5
    assert measure_snap_m(demo, "walk", x_m, y_m) == pytest.approx(
        float(demo.travel["walk"].unit_snap_m[list(demo.travel["walk"].unit_ids).index(demo.units["unit_id"].iloc[3])])
    )
    with pytest.raises(KeyError):
        unit_point(demo, "nowhere")

"""Distances to what keeps a school away: hand-worked geometry, and which source tells of a kind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import LineString, MultiPolygon, Point, box

from geodata.site_exclusions import (
    DISTANCE_COLUMNS,
    EXCLUSION_KINDS,
    KIND_WORDS,
    ClearDistance,
    ClearDistances,
    find_excluded,
    list_known_kinds,
    measure_exclusions,
)
from tests.geodata.ground_worlds import add_basemap, add_exclusions, add_railway
from tests.worlds import build_world

WORLD = build_world("a b c/S")  # 3 km × 1 km, the middles at 500, 1500 and 2500 m east, 500 m north
SITES = pd.DataFrame({"site_id": ["one", "two"], "x_m": [500.0, 2500.0], "y_m": [500.0, 500.0]})


def test_every_kind_has_words() -> None:
    assert set(EXCLUSION_KINDS) | {"area"} == set(KIND_WORDS)


def test_distances_by_hand() -> None:
    # a railway 200 m north of both; two flood zones, one around the first site, one 300 m east of the second;
    # a funeral home 300 m east and 400 m south of the first: 500 m
    study = add_exclusions(
        WORLD,
        ("railway", "Line", LineString([(0, 700), (3000, 700)])),
        ("flood", "West", box(400, 400, 600, 600)),
        ("flood", "East", MultiPolygon([box(2800, 0, 3000, 1000), box(2900, -900, 3000, -800)])),
        ("funeral_home", "Rest", Point(800, 100)),
    )
    found = measure_exclusions(study, SITES)
    assert tuple(found.columns) == DISTANCE_COLUMNS
    rows = found[["site_id", "kind", "name", "distance_m", "within", "shape", "source"]].to_numpy().tolist()
    assert rows == [
        ["one", "railway", "Line", 200.0, False, "line", "layer"],
        ["one", "flood", "West", 0.0, True, "area", "layer"],
        ["one", "funeral_home", "Rest", 500.0, False, "point", "layer"],
        ["two", "railway", "Line", 200.0, False, "line", "layer"],
        ["two", "flood", "East", 300.0, False, "area", "layer"],
        ["two", "funeral_home", "Rest", pytest.approx(np.hypot(1700, 400)), False, "point", "layer"],
    ]
    clear = ClearDistances((ClearDistance("railway", 300, excludes=False), ClearDistance("flood")))
    assert find_excluded(found, clear).to_dict() == {"one": "flood", "two": ""}
    assert find_excluded(found, clear, excluding=False).to_dict() == {"one": "railway", "two": "railway"}


def test_exactly_the_distance_is_enough() -> None:
    study = add_exclusions(WORLD, ("railway", "", LineString([(0, 800), (3000, 800)])))
    found = measure_exclusions(study, SITES)
    assert found["distance_m"].tolist() == [300.0, 300.0]
    assert set(find_excluded(found, ClearDistances((ClearDistance("railway", 300),)))) == {""}
    assert set(find_excluded(found, ClearDistances((ClearDistance("railway", 300.1),)))) == {"railway"}


def test_areas_are_measured_from_their_edge_and_campuses_from_their_size() -> None:
    study = add_exclusions(WORLD, ("railway", "", LineString([(0, 800), (3000, 800)])))
    found = measure_exclusions(study, SITES, shapes=np.array([box(400, 400, 600, 600), box(2400, 700, 2600, 900)]))
    assert found["distance_m"].tolist() == [200.0, 0.0]
    sized = measure_exclusions(study, SITES.assign(area_m2=[np.pi * 2500, np.nan]))
    assert sized["campus_m"].tolist() == [pytest.approx(50.0), pytest.approx(np.nan, nan_ok=True)]


def test_roads_barriers_and_water_tell_where_no_layer_does() -> None:
    study = add_basemap(
        WORLD,
        [
            ("primary", "Ring", LineString([(0, 900), (3000, 900)])),
            ("residential", "Lane", LineString([(0, 510), (3000, 510)])),
        ],
        [box(0, 0, 100, 1000)],
    )
    study = add_railway(study, LineString([(0, 100), (3000, 100)]))
    known = list_known_kinds(study)
    assert known == {"railway": "barriers", "expressway": "barriers", "main_road": "roads", "water": "water"}
    found = measure_exclusions(study, SITES.head(1))
    assert found[["kind", "name", "distance_m"]].to_numpy().tolist() == [
        ["railway", "Old Line", 400.0],
        ["expressway", "", pytest.approx(np.nan, nan_ok=True)],  # there are roads, and none is an expressway
        ["main_road", "Ring", 400.0],
        ["water", "", 400.0],
    ]
    layered = add_exclusions(study, ("railway", "New", LineString([(0, 2000), (3000, 2000)])))
    assert list_known_kinds(layered)["railway"] == "layer"
    first = measure_exclusions(layered, SITES).iloc[0]
    assert (first["kind"], first["name"], first["distance_m"]) == ("railway", "New", 1500.0)


def test_nothing_known_gives_no_rows() -> None:
    assert list_known_kinds(WORLD) == {}
    found = measure_exclusions(WORLD, SITES)
    assert found.empty and tuple(found.columns) == DISTANCE_COLUMNS
    assert measure_exclusions(WORLD).empty, "of a study without sites"

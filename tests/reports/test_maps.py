"""Shapes packed for the browser, colours, classes, and the scene of the Today map."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import zlib
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.study import Basemap
from planning.rules import read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario
from reports.colours import (
    BANDS_MIN,
    FILL_BREAKS,
    FILL_COLOURS,
    MISSING_CLASS,
    TIME_BREAKS_MIN,
    TIME_COLOURS,
    UNKNOWN_COLOUR,
    ZONE_COLOURS,
    classify,
    compute_count_breaks,
    compute_radius_px,
    compute_zone_colours,
)
from reports.language import read_catalogue
from reports.map_scene import View, build_paint_part, build_scene, build_study_parts, build_zones_part
from reports.maps import WORLD_STEPS, encode_areas, encode_basemap, encode_lines, to_world
from reports.tables import render_csv
from reports.today_tables import (
    SEVERITIES,
    build_flag_table,
    build_leakage_table,
    count_flags,
    say_value,
    select_flags,
    select_pressing,
)
from tests.worlds import WorldSchool, build_five_villages, build_island, build_world

ENGLISH = read_catalogue("en")


def _unpack(text: str) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<i4")


def _decode(packed: dict[str, Any]) -> tuple[list[np.ndarray[Any, Any]], list[int]]:
    """Rings in world steps, and the number of rings of every shape: what the browser makes of it."""
    points = np.cumsum(_unpack(packed["steps"]).reshape(-1, 2), axis=0) + np.array(packed["origin"])
    ends = np.cumsum(_unpack(packed["sizes"]))
    return np.split(points, ends[:-1]) if len(ends) else [], _unpack(packed["owners"]).tolist()


def test_world_positions_are_those_of_web_mercator() -> None:
    # "local" lies round 0° N 0° E, the middle of the world; 1 km east is 1/40,030 of the way round the Earth.
    world = to_world([0.0, 1000.0], [0.0, 0.0], "local")
    assert world[0].tolist() == [WORLD_STEPS / 2, WORLD_STEPS / 2]
    assert world[1, 0] - world[0, 0] == pytest.approx(WORLD_STEPS * 1000 / 40_030_000, rel=1e-3)
    north = to_world([0.0], [1000.0], "local")
    assert north[0, 1] < WORLD_STEPS / 2


def test_holes_parts_and_missing_shapes_survive_packing() -> None:
    holed = shapely.Polygon([(0, 0), (90, 0), (90, 90), (0, 90)], [[(30, 30), (60, 30), (60, 60), (30, 60)]])
    double = shapely.MultiPolygon([shapely.box(200, 0, 300, 100), shapely.box(400, 0, 500, 100)])
    shapes = np.array([holed, None, double, shapely.Point(1, 1)], dtype=object)
    rings, owners = _decode(encode_areas(shapes, "local"))
    assert owners == [2, 0, 2, 0]
    assert [len(ring) for ring in rings] == [4, 4, 4, 4]
    expected = to_world([200, 300], [0, 100], "local")
    assert rings[2].min(axis=0).tolist() == [expected[:, 0].min(), expected[:, 1].min()]
    assert rings[2].max(axis=0).tolist() == [expected[:, 0].max(), expected[:, 1].max()]


def test_lines_are_simplified_and_nothing_is_packed_for_none() -> None:
    line = shapely.LineString([(0, 0), (50, 0.5), (100, 0)])
    rings, owners = _decode(encode_lines(np.array([line], dtype=object), "local", 3.0))
    assert owners == [1]
    assert len(rings[0]) == 2
    assert _decode(encode_lines(np.array([], dtype=object), "local", 3.0)) == ([], [0])
    assert _decode(encode_areas(np.array([], dtype=object), "local")) == ([], [])


def test_a_value_on_a_boundary_belongs_to_the_lower_class_and_unknown_is_no_class() -> None:
    assert classify([0.0, 0.5, 0.51, 1.0, 1.01, 9.0, np.nan], FILL_BREAKS).tolist() == [0, 0, 1, 2, 3, 4, MISSING_CLASS]
    assert len(FILL_COLOURS) == len(FILL_BREAKS) + 1
    assert len(TIME_COLOURS) == len(TIME_BREAKS_MIN) + 1


def test_travel_time_also_reads_in_grey() -> None:
    light = [
        0.2126 * int(colour[1:3], 16) + 0.7152 * int(colour[3:5], 16) + 0.0722 * int(colour[5:7], 16)
        for colour in TIME_COLOURS
    ]
    assert all(first - second > 12 for first, second in itertools.pairwise(light))


@given(st.lists(st.floats(0, 1e6) | st.just(float("nan")), max_size=60))
def test_count_classes_rise_and_begin_with_nobody(values: list[float]) -> None:
    breaks = compute_count_breaks(values)
    assert breaks[0] == 0
    assert all(first < second for first, second in itertools.pairwise(breaks))
    assert len(breaks) <= 5


@given(st.integers(2, 40), st.data())
def test_zones_that_touch_differ_in_colour(units: int, data: st.DataObject) -> None:
    zone = data.draw(st.lists(st.integers(-1, 5), min_size=units, max_size=units))
    pairs = [(i, j) for i in range(units) for j in range(i) if (i * j) % 3 == 0]
    colours = compute_zone_colours(zone, pairs)
    assert all(0 <= colour < len(ZONE_COLOURS) for colour in colours)
    for first, second in pairs:
        if zone[first] >= 0 and zone[second] >= 0 and zone[first] != zone[second]:
            assert colours[zone[first]] != colours[zone[second]]


def test_symbols_grow_with_pupils_and_unknown_is_smallest() -> None:
    sizes = compute_radius_px([np.nan, 0, 100, 1000, 1e6])
    assert sizes[0] == sizes[1] < sizes[2] < sizes[3] < sizes[4] <= 14


@pytest.fixture(scope="module")
def answer() -> Outcome:
    return run_scenario(build_five_villages(), read_rulebook("cn"), Scenario())


def test_the_paint_says_who_goes_where(answer: Outcome) -> None:
    study = build_five_villages()
    paint = build_paint_part(study, answer, View("primary", "walk"), ENGLISH).build()
    ids = study.units["unit_id"].tolist()
    schools = study.schools["school_id"].tolist()
    units = np.frombuffer(base64.b64decode(paint["units"]["link_units"]), dtype="<u4")
    chosen = np.frombuffer(base64.b64decode(paint["units"]["link_schools"]), dtype="<u2")
    found = {ids[unit]: schools[school] for unit, school in zip(units, chosen, strict=True)}
    # c is 20 minutes from both; the smaller id wins.
    assert found == {"a": "W", "b": "W", "c": "E", "d": "E", "e": "E"}
    classes = np.frombuffer(base64.b64decode(paint["units"]["classes"]), dtype=np.uint8)
    # 0, 10, 20, 10 and 0 minutes, bounds 5, 10, 15, 20 …
    assert classes[[ids.index(name) for name in "abcde"]].tolist() == [0, 1, 3, 1, 0]
    # East: 70 pupils for 40 places (175 %); West: 40 for 100.
    shown = {schools[item["at"]]: item for item in paint["shown"]}
    assert shown["E"]["mark"] == "over"
    assert shown["W"]["mark"] == ""
    assert shown["E"]["lines"][1] == "70 pupils, 40 places: 175%"


def test_what_nobody_knows_is_marked_and_hatched() -> None:
    study = build_island()
    outcome = run_scenario(study, read_rulebook("cn"), Scenario())
    paint = build_paint_part(study, outcome, View("primary", "walk"), ENGLISH).build()
    classes = np.frombuffer(base64.b64decode(paint["units"]["classes"]), dtype=np.uint8)
    assert classes[study.units["unit_id"].tolist().index("i")] == MISSING_CLASS


def test_where_no_places_are_known_the_symbols_are_calm_and_the_legend_says_so() -> None:
    study = build_world("a b/S", pupils={"a": 30, "b": 20}, schools={"S": WorldSchool(places=None)})
    outcome = run_scenario(study, read_rulebook("cn"), Scenario())
    view = View("primary", "walk", "time", "modelled")
    symbols = build_paint_part(study, outcome, view, ENGLISH).build()["shown"]
    assert [(item["colour"], item["mark"]) for item in symbols] == [(UNKNOWN_COLOUR, "")]
    legend = build_scene(study, outcome, view, ENGLISH, has_isochrones=False)["legend"]
    labels = [item["label"] for section in legend for item in section["items"]]
    assert "places unknown" in labels
    assert "over capacity" not in labels


def test_the_time_bands_have_their_own_legend_and_straight_lines_are_admitted(answer: Outcome) -> None:
    study = build_five_villages()
    walk = dataclasses.replace(study.travel["walk"], method="straight line")
    study = dataclasses.replace(study, travel={**study.travel, "walk": walk})
    scene = build_scene(study, answer, View("primary", "walk"), ENGLISH, has_isochrones=True)
    by_layer = {section.get("layer"): section for section in scene["legend"]}
    assert by_layer["isochrones"]["ramp"]["bounds"] == [f"{limit}" for limit in BANDS_MIN]
    assert set(scene["band_colours"]) >= {f"{limit}" for limit in BANDS_MIN}
    assert by_layer["units"]["note"] == "Estimated: straight line × 1.3, no roads given."


def test_streets_keep_their_names_path_by_path() -> None:
    roads = gpd.GeoDataFrame(
        {"road_class": ["residential", "residential"], "name": ["East Street", None]},
        geometry=[
            shapely.MultiLineString([[(0, 0), (100, 0)], [(200, 0), (300, 0)]]),
            shapely.LineString([(0, 50), (0, 90)]),
        ],
        crs="EPSG:32650",
    )
    payload = encode_basemap(Basemap(roads=roads, water=roads.head(0)), "EPSG:32650")
    (road,) = payload["roads"]
    names = [road["names"]["texts"][number] for number in _unpack(road["names"]["of"])]
    assert names == ["East Street", "East Street", ""]


def test_areas_with_many_children_come_before_those_with_one() -> None:
    study = build_world("a . b c d e f/S", pupils={"b": 1, "c": 40, "f": 5}, schools={"S": WorldSchool(places=50)})
    outcome = run_scenario(study, read_rulebook("cn"), Scenario())
    far = outcome.flags[outcome.flags["flag"] == "long_travel"]
    assert set(far["subject_id"]) == {"b"} or set(far["subject_id"]) == {"b", "c"}
    pressing = select_pressing(outcome, 20)
    assert "note" not in set(pressing["severity"])
    units = pressing[(pressing["subject"] == "unit") & (pressing["severity"] == "warn")]
    held = [{"b": 1, "c": 40}.get(key, 0) for key in units["subject_id"]]
    assert held == sorted(held, reverse=True)
    assert sum(row[3] for row in count_flags(outcome)) == len(outcome.flags)
    assert set(select_flags(outcome, SEVERITIES, ["unit"], "long_travel")["flag"]) == {"long_travel"}


def test_parts_are_named_by_content(answer: Outcome) -> None:
    study = build_five_villages()
    walk, again = (build_paint_part(study, answer, View("primary", "walk"), ENGLISH) for _ in range(2))
    children = build_paint_part(study, answer, View("primary", "walk", "children"), ENGLISH)
    assert walk.digest == again.digest != children.digest
    parts = build_study_parts(study)
    assert parts["basemap"] is None
    assert parts["units"] is not None
    payload = parts["units"].build()
    assert payload["ids"] == study.units["unit_id"].tolist()
    assert {label[0] for label in payload["labels"]} == {"Westtown", "Easttown"}


def test_zone_outlines_are_one_shape_for_each_school(answer: Outcome) -> None:
    part = build_zones_part(build_five_villages(), answer, "primary")
    rings, owners = _decode(part.build()["shape"])
    assert owners == [1, 1]
    assert len(rings) == 2


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("colour_by", ["time", "children", "school"])
def test_every_view_has_a_legend(answer: Outcome, language: str, colour_by: Any) -> None:
    study = build_five_villages()
    view = View("primary", "walk", colour_by, "actual", language)
    scene = build_scene(study, answer, view, read_catalogue(language), has_isochrones=False)
    assert all(section["title"] for section in scene["legend"])
    assert [layer["id"] for layer in scene["layers"]] == ["units", "schools", "others", "zones", "names"]
    assert scene["attribution"] == ""


def test_numbers_are_said_with_their_unit() -> None:
    assert say_value(0.125, "share", ENGLISH) == "12%"
    assert say_value(0.034, "share", ENGLISH) == "3.4%"
    assert say_value(0.9985, "share", ENGLISH) == "99.8%"
    assert say_value(0.99999, "share", ENGLISH) == "99.9%"
    assert say_value(1.0, "share", ENGLISH) == "100%"
    assert say_value(7.25, "min", ENGLISH) == "7.2 min"
    assert say_value(1530, "m", ENGLISH) == "1.5 km"
    assert say_value(float("nan"), "places", ENGLISH) == "–"


def test_tables_are_in_words_and_never_a_formula(answer: Outcome) -> None:
    table = build_flag_table(answer.flags, answer.rules, ENGLISH)
    assert table["Reason"].str.contains("70 pupils for 40 places").any()
    assert build_leakage_table(answer, "school", ENGLISH).iloc[0, 0] == "East School"
    table.iloc[0, 3] = "=HYPERLINK(1)"
    text = render_csv(table).decode("utf-8-sig")
    assert ",'=HYPERLINK(1)" in text

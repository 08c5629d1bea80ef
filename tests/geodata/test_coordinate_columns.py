"""Columns of coordinates under the wrong headers, in the wrong order, with or without zones, and written in words."""

from __future__ import annotations

import numpy as np
import pytest

from geodata.coordinate_columns import LONLAT, METRES, Pair, Placed, guess_systems, place_pair
from geodata.coordinate_text import parse_degrees
from geodata.crs import from_lonlat
from geodata.dictionary import Origin

STUDY = "EPSG:32649"
LON, LAT = np.array([113.0, 113.1, 113.2]), np.array([34.5, 34.6, 34.7])


def place(first: np.ndarray, second: np.ndarray, columns: tuple[str, str], crs: str = "", study: str = STUDY) -> Placed:
    origin = Origin("schools.csv", "", [2, 3, 4], {name: name.upper() for name in columns})
    return place_pair(Pair(np.asarray(first, float), np.asarray(second, float), columns, crs, study, origin))


def right(placed: Placed) -> bool:
    expected = from_lonlat(LON, LAT, STUDY)
    return bool(np.allclose(placed.x_m, expected[0], atol=1) and np.allclose(placed.y_m, expected[1], atol=1))


def test_degrees_as_they_should_be() -> None:
    placed = place(LON, LAT, LONLAT)
    assert right(placed) and not placed.issues


@pytest.mark.parametrize("datum", ["EPSG:4490", "CGCS2000", "2000国家大地坐标系"])
def test_degrees_of_cgcs2000_are_degrees(datum: str) -> None:
    assert right(place(LON, LAT, LONLAT, datum))


@pytest.mark.parametrize("crs", ["EPSG:4547", "EPSG:4526"])
def test_metres_under_headers_of_degrees_are_told_with_the_zone(crs: str) -> None:
    x, y = from_lonlat(LON, LAT, crs)
    placed = place(x, y, LONLAT)
    (issue,) = placed.issues
    assert (issue.check, issue.severity, issue.row, issue.column) == ("metres_in_degrees", "error", 2, "LON_DEG")
    suggested = dict(issue.cure.params)["crs"] if issue.cure else ""
    assert crs in str(issue.expected)
    if crs == "EPSG:4526":  # the easting tells the zone; without it the nearest meridians are listed
        assert suggested == crs
    assert np.isnan(placed.x_m).all()
    # the cure: the system in the study file, nothing else
    assert right(place(x, y, LONLAT, crs))


def test_degrees_under_headers_of_metres_are_read_and_told() -> None:
    placed = place(LON, LAT, METRES)
    assert [issue.check for issue in placed.issues] == ["degrees_in_metres"] and right(placed)
    assert placed.issues[0].severity == "warning"
    assert place(LON, LAT, METRES, "EPSG:4326").issues == []


@pytest.mark.parametrize("crs", ["EPSG:4547", "EPSG:4526", "EPSG:32649"])
def test_north_first_as_surveyors_write(crs: str) -> None:
    x, y = from_lonlat(LON, LAT, crs)
    placed = place(y, x, METRES, crs)
    assert [issue.check for issue in placed.issues] == ["xy_swapped"] and right(placed)
    assert place(x, y, METRES, crs).issues == []


def test_another_zone_before_the_easting_is_an_error() -> None:
    x, y = from_lonlat(LON, LAT, "EPSG:4526")
    (issue,) = place(x, y, METRES, "EPSG:4525").issues
    assert issue.check == "zone_number" and issue.cure and dict(issue.cure.params)["crs"] == "EPSG:4526"


def test_swapped_degrees_and_single_slips() -> None:
    assert [issue.check for issue in place(LAT, LON, LONLAT).issues] == ["lonlat_swapped"]
    slip = np.array([113.0, 1131.0, 113.2])
    placed = place(slip, LAT, LONLAT)
    assert [(issue.check, issue.row, issue.found) for issue in placed.issues] == [("range", 3, "1131")]
    assert np.isnan(placed.x_m).tolist() == [False, True, False]


def test_a_local_grid_is_left_alone() -> None:
    placed = place(np.array([10, 20, 30]), np.array([5, 6, 7]), METRES, study="local")
    assert placed.issues == [] and placed.x_m.tolist() == [10, 20, 30]


def test_web_mercator_is_among_the_guesses() -> None:
    assert ("EPSG:3857", "Web Mercator") in guess_systems(12_580_000.0, 4_100_000.0)


@pytest.mark.parametrize(
    "text",
    [
        *("113.25", "１１３.２５", "113.25°", "113.25°E", "E113.25", "东经113.25", "113°15′00″", "东经113度15分00秒"),
        *("113°15'0\"E", "113 15 00", "113:15:00.0", "113-15-00", "113°15′"),
    ],
)
def test_degrees_as_people_write_them(text: str) -> None:
    assert parse_degrees(text) == pytest.approx(113.25)


def test_other_texts_are_no_degrees() -> None:
    assert parse_degrees("") is None
    assert parse_degrees("30°30′S") == -30.5 and parse_degrees("西经51°12′") == pytest.approx(-51.2)
    for text in ("学校", "113°75′00″", "113 15", "12/3"):
        with pytest.raises(ValueError, match=r".+"):
            parse_degrees(text)

"""Coordinate systems: the zone, metres demanded, there and back, and the shifted ones of web maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.crs import (
    choose_metric_crs,
    convert_points,
    convert_to_wgs84,
    from_lonlat,
    normalise_crs,
    require_metric_crs,
    shift_to_gcj02,
    to_lonlat,
)
from geodata.errors import CrsError


@pytest.mark.parametrize(
    ("lon_deg", "lat_deg", "crs"),
    [
        (113.0, 34.7, "EPSG:32649"),
        (-51.2, -30.0, "EPSG:32722"),
        (9.55, 47.1, "EPSG:32632"),
        (180.0, 10.0, "EPSG:32660"),
        (-180.0, 0.0, "EPSG:32601"),
    ],
)
def test_the_zone_of_a_place(lon_deg: float, lat_deg: float, crs: str) -> None:
    assert choose_metric_crs(lon_deg, lat_deg) == crs


def test_swapped_degrees_have_no_zone() -> None:
    with pytest.raises(CrsError, match="swapped"):
        choose_metric_crs(34.7, 113.0)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2263", "EPSG:99999", "nonsense"])
def test_degrees_feet_and_nonsense_are_refused(crs: str) -> None:
    with pytest.raises(CrsError):
        require_metric_crs(crs)


@pytest.mark.parametrize("crs", ["EPSG:32649", "EPSG:2333", "EPSG:4547", "local"])
def test_metres_are_taken(crs: str) -> None:
    require_metric_crs(crs)


@given(st.floats(min_value=110, max_value=116), st.floats(min_value=20, max_value=50))
def test_there_and_back(lon_deg: float, lat_deg: float) -> None:
    for crs in ("EPSG:32649", "local"):
        x_m, y_m = from_lonlat([lon_deg], [lat_deg], crs)
        back = to_lonlat(x_m, y_m, crs)
        np.testing.assert_allclose(np.concatenate(back), [lon_deg, lat_deg], atol=1e-8)


def test_the_local_grid_lies_around_zero_with_true_metres() -> None:
    lon_deg, lat_deg = to_lonlat([0, 1000], [0, 1000], "local")
    assert (lon_deg[0], lat_deg[0]) == (0, 0)
    # one degree of the equator is 111.19 km
    np.testing.assert_allclose([lon_deg[1], lat_deg[1]], 1 / 111.195, rtol=1e-4)


def test_missing_points_stay_missing() -> None:
    x_m, y_m = from_lonlat([113.0, np.nan], [34.0, 34.0], "EPSG:32649")
    assert np.isfinite(x_m[0]) and np.isnan(x_m[1]) and np.isnan(y_m[1])


# Points of the tests of eviltransform (BSD-3): WGS 84 and GCJ-02, latitude first.
GCJ = [
    (31.1774276, 121.5272106, 31.17530398364597, 121.531541859215),
    (22.543847, 113.912316, 22.540796131694766, 113.9171764808363),
    (39.911954, 116.377817, 39.91334545536069, 116.38404722455657),
]


@pytest.mark.parametrize(("lat_deg", "lon_deg", "gcj_lat", "gcj_lon"), GCJ)
def test_gcj02_agrees_with_published_points(lat_deg: float, lon_deg: float, gcj_lat: float, gcj_lon: float) -> None:
    lon, lat = shift_to_gcj02(np.array([lon_deg]), np.array([lat_deg]))
    np.testing.assert_allclose([lon[0], lat[0]], [gcj_lon, gcj_lat], atol=1e-7)
    lon, lat = convert_to_wgs84([gcj_lon], [gcj_lat], "GCJ-02")
    np.testing.assert_allclose([lon[0], lat[0]], [lon_deg, lat_deg], atol=1e-8)


@given(st.floats(min_value=75, max_value=134), st.floats(min_value=19, max_value=53))
def test_bd09_is_undone_to_a_metre(lon_deg: float, lat_deg: float) -> None:
    # forwards by the published formula: GCJ-02 to BD-09
    lon, lat = shift_to_gcj02(np.array([lon_deg]), np.array([lat_deg]))
    wave = np.pi * 3000 / 180
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * wave)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * wave)
    back = convert_to_wgs84(radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006, "BD-09")
    np.testing.assert_allclose([back[0][0], back[1][0]], [lon_deg, lat_deg], atol=1e-5)


def test_outside_china_nothing_is_shifted() -> None:
    lon, lat = convert_to_wgs84([9.5], [47.1], "GCJ-02")
    assert (lon[0], lat[0]) == (9.5, 47.1)


def test_shifted_points_reach_the_metric_crs() -> None:
    x_m, y_m = convert_points([GCJ[2][3]], [GCJ[2][2]], "gcj02", "EPSG:32650")
    expected = from_lonlat([GCJ[2][1]], [GCJ[2][0]], "EPSG:32650")
    np.testing.assert_allclose([x_m[0], y_m[0]], [expected[0][0], expected[1][0]], atol=0.01)


def test_names_may_be_written_any_way() -> None:
    assert [normalise_crs(text) for text in ("gcj-02", "BD09", "wgs 84", "EPSG:4547", "")] == [
        "GCJ-02",
        "BD-09",
        "EPSG:4326",
        "EPSG:4547",
        "",
    ]

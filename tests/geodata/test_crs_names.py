"""Names of Chinese coordinate systems: every strip of three datums against PROJ, and how people write."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.crs import SHIFTED, convert_points, convert_to_wgs84, normalise_crs, shift_from_wgs84
from geodata.crs_names import GaussKrueger, find_crs_code, find_grid, guess_grids, list_gauss_krueger

ZONES = {3: range(25, 46), 6: range(13, 24)}


@pytest.mark.parametrize("datum", ["CGCS2000", "Xian 1980", "Beijing 1954"])
@pytest.mark.parametrize("width_deg", [3, 6])
@pytest.mark.parametrize("prefixed", [True, False])
def test_every_strip_is_the_one_that_proj_knows(datum: str, width_deg: int, prefixed: bool) -> None:
    for zone in ZONES[width_deg]:
        strip = GaussKrueger(datum, width_deg, zone, prefixed)
        known = pyproj.CRS(strip.crs)
        assert known.coordinate_operation is not None
        values = {item.name: float(item.value) for item in known.coordinate_operation.params}
        assert values["False easting"] == (zone * 1e6 if prefixed else 0) + 5e5
        assert values["Longitude of natural origin"] == strip.meridian_deg
        assert known.name.startswith(datum)
        assert find_grid(strip.crs) == strip
        # names of EPSG and of ArcGIS lead back to the code
        assert find_crs_code(known.name) == strip.crs
        assert find_crs_code(known.to_wkt("WKT1_ESRI").split('"')[1]) == strip.crs


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("CGCS2000 3度带 38带", "EPSG:4526"),
        ("CGCS2000_3_Degree_GK_CM_114E", "EPSG:4547"),
        ("国家2000 3度带 中央经线114", "EPSG:4547"),
        ("2000国家大地坐标系 3度带 中央子午线114度", "EPSG:4547"),
        ("ＣＧＣＳ２０００ 3°带 带号38", "EPSG:4526"),
        ("CGCS2000三度带38", "EPSG:4526"),
        ("西安80 6度带 19带", "EPSG:2333"),
        ("北京54 3度带 第38带", "EPSG:2414"),
        ("2000国家大地坐标系", "EPSG:4490"),
        ("China Geodetic Coordinate System 2000", "EPSG:4490"),
        ("火星坐标系", "GCJ-02"),
        ("高德", "GCJ-02"),
        ("百度坐标", "BD-09"),
        ("UTM 49N", "EPSG:32649"),
        ("WGS_1984_UTM_Zone_49N", "EPSG:32649"),
        ("GPS", "EPSG:4326"),
        ("CGCS2000 99带", ""),
        ("Pulkovo 1942", ""),
        ("nonsense", ""),
    ],
)
def test_names_as_people_write_them(name: str, code: str) -> None:
    assert find_crs_code(name) == code
    assert normalise_crs(name) == (code or name)


def test_codes_may_be_written_any_way() -> None:
    assert [normalise_crs(text) for text in ("epsg：4547", "4547", "EPSG: 4547")] == ["EPSG:4547"] * 3


@pytest.mark.parametrize("crs", ["EPSG:4526", "EPSG:4547"])
@pytest.mark.parametrize("easting", [500_123.0, 38_500_123.0])
def test_eastings_with_and_without_the_zone_are_one_place(crs: str, easting: float) -> None:
    lon, lat = convert_points([easting], [3_800_000.0], crs, "EPSG:4326")
    assert (lon[0], lat[0]) == (pytest.approx(114.001336, abs=1e-6), pytest.approx(34.327595, abs=1e-6))


def test_another_zone_is_not_bent_into_place() -> None:
    lon, _ = convert_points([37_500_123.0], [3_800_000.0], "EPSG:4547", "EPSG:4326")
    assert not 113 < lon[0] < 115


@settings(max_examples=200, deadline=None)
@given(st.floats(73, 135), st.floats(18, 54), st.sampled_from(SHIFTED))
def test_shifts_are_undone_to_a_hundred_millionth_degree(lon_deg: float, lat_deg: float, datum: str) -> None:
    there = shift_from_wgs84([lon_deg], [lat_deg], datum)
    assert abs(there[0][0] - lon_deg) + abs(there[1][0] - lat_deg) > 1e-4
    back = convert_to_wgs84(*there, datum)
    np.testing.assert_allclose([back[0][0], back[1][0]], [lon_deg, lat_deg], atol=1e-8)


def test_grids_that_hold_a_place() -> None:
    assert [strip.crs for strip in list_gauss_krueger(113.2)] == ["EPSG:4547", "EPSG:4526", "EPSG:4508", "EPSG:4497"]
    assert [strip.crs for strip in guess_grids(38_500_000.0)] == ["EPSG:4526"]
    assert guess_grids(500_000.0) == [] and guess_grids(12.0, 114.0) == []

"""Heights and slopes: tilted planes, holes in the raster, and one real town of hills."""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import from_origin

from geodata.build import build_study, read_study
from geodata.cache import DiskCache
from geodata.elevation import Ground, read_edge_heights, read_ground, sample_ground
from geodata.errors import DataError
from geodata.lived_roads import check_lived_options
from geodata.network import build_network, compute_speeds
from geodata.road_table import RoadTable
from geodata.slope import compute_ride_factor, compute_slope_factors, compute_walk_factor
from geodata.study import StudyArea
from geodata.study_file import ElevationSource, StudySpec, read_study_file
from geodata.travel import compute_travel_matrix
from tests.geodata.drawn_roads import write_osm
from tests.geodata.test_crossings import draw, measure_s
from tests.small_county import write_small_county

CRS = "EPSG:32649"
WEST, NORTH, CELL = 500_000.0, 3_800_000.0, 30.0


def write_plane(path: Path, *, rise: float = 0.1, size: int = 40, hole: tuple[slice, slice] | None = None) -> Path:
    """Write a raster of ``size`` cells of 30 m that rises by ``rise`` per metre to the east."""
    east = (np.arange(size) + 0.5) * CELL
    heights = np.tile(100.0 + rise * east, (size, 1)).astype(np.float32)
    if hole is not None:
        heights[hole] = -9999.0
    options = {"driver": "GTiff", "height": size, "width": size, "count": 1, "dtype": "float32", "nodata": -9999.0}
    with rasterio.open(path, "w", crs=CRS, transform=from_origin(WEST, NORTH, CELL, CELL), **options) as file:
        file.write(heights, 1)
    return path


def draw_street(*, kind: str = "residential", crs: str = CRS) -> RoadTable:
    """A street of 500 m to the east, in the middle of the raster: one edge of 400 m and one of 100 m."""
    y = NORTH - 600.0
    roads = draw([(WEST + 300, y), (WEST + 700, y), (WEST + 800, y)], [([0, 1, 2], kind)])
    return dataclasses.replace(roads, crs=crs)


def test_tobler_at_known_slopes() -> None:
    """Flat keeps the speed; 5 % down is fastest: exp(-0.175) = 0.8395; 10 % up takes exp(0.35) = 1.4191 times."""
    assert compute_walk_factor([0.0, -0.05, 0.1, -0.1]) == pytest.approx([1.0, 0.8394570, 1.4190675, 1.0])


@given(st.floats(0.001, 0.5), st.floats(5.0, 25.0))
def test_uphill_is_slower_than_downhill(slope: float, flat_kmh: float) -> None:
    assert compute_walk_factor(slope) > compute_walk_factor(-slope)
    up, down = (float(compute_ride_factor(s, flat_kmh=flat_kmh, walk_kmh=4.0)) for s in (slope, -slope))
    assert up >= 1.0 > down
    assert flat_kmh / up >= min(4.0 / float(compute_walk_factor(slope)), flat_kmh) - 1e-9  # never slower than pushing


def test_steeper_is_slower() -> None:
    slopes = np.linspace(0, 0.5, 51)
    assert (np.diff(compute_walk_factor(slopes)) > 0).all()
    assert (np.diff(compute_ride_factor(slopes, flat_kmh=12.0, walk_kmh=4.0)) >= 0).all()
    assert compute_ride_factor(0.1, flat_kmh=4.0, walk_kmh=4.0) == pytest.approx(compute_walk_factor(0.1))


def test_a_street_up_a_plane(tmp_path: Path) -> None:
    """10 % up 500 m: 450 s × 1.4191 uphill; 10 % down takes the time of the flat."""
    roads = draw_street()
    heights, issues = read_edge_heights(write_plane(tmp_path / "dem.tif"), roads)
    assert not issues
    assert heights.height_m[0] == pytest.approx(130.0, abs=0.01)
    assert len(heights.height_m) > 14  # 400 m are sampled about every 30 m
    factors = compute_slope_factors(roads, heights, "walk", flat_kmh=compute_speeds(roads, "walk"), walk_kmh=4.0)
    assert factors is not None
    assert factors.ahead == pytest.approx([1.4190675] * 2, abs=1e-4)
    network = build_network(roads, "walk", slopes=factors)
    low, high = (WEST + 300, NORTH - 600.0), (WEST + 800, NORTH - 600.0)
    assert measure_s(network, low, high) == pytest.approx(450 * 1.4190675, rel=1e-4)
    assert measure_s(network, high, low) == pytest.approx(450, rel=1e-4)
    assert compute_slope_factors(roads, heights, "drive", flat_kmh=np.full(2, 30.0), walk_kmh=4.0) is None


def test_steps_keep_their_own_speed(tmp_path: Path) -> None:
    roads = draw_street(kind="steps")
    heights, _ = read_edge_heights(write_plane(tmp_path / "dem.tif"), roads)
    factors = compute_slope_factors(roads, heights, "walk", flat_kmh=np.full(2, 3.0), walk_kmh=4.0)
    assert factors is not None
    assert factors.ahead.tolist() == [1.0, 1.0]


def test_a_hole_counts_as_flat_and_is_told(tmp_path: Path) -> None:
    path = write_plane(tmp_path / "dem.tif", hole=(slice(None), slice(24, 40)))  # east of 720 m
    heights, issues = read_edge_heights(path, draw_street())
    assert np.isnan(heights.height_m[-1])
    assert [(issue.check, issue.severity) for issue in issues] == [("elevation_coverage", "warning")]
    factors = compute_slope_factors(draw_street(), heights, "walk", flat_kmh=np.full(2, 4.0), walk_kmh=4.0)
    assert factors is not None
    assert 1.0 <= factors.ahead[1] < factors.ahead[0]


@given(st.floats(0.0, 1200.0), st.floats(0.0, 1200.0))
def test_between_cells_heights_lie_on_the_plane(east: float, south: float) -> None:
    ground = _plane()
    found = float(sample_ground(ground, [WEST + east], [NORTH - south], CRS)[0])
    assert found == pytest.approx(100.0 + 0.1 * np.clip(east, 15, 1185), abs=0.01)  # the rim keeps its last middle


@functools.cache
def _plane() -> Ground:
    with tempfile.TemporaryDirectory() as folder:
        path = write_plane(Path(folder) / "dem.tif")
        return read_ground(path, [WEST, WEST + 1200], [NORTH - 1200, NORTH], CRS)


def test_outside_nothing_is_known() -> None:
    assert np.isnan(sample_ground(_plane(), [WEST - 1.0, np.nan], [NORTH - 5, NORTH], CRS)).all()


@pytest.mark.parametrize("fault", ["missing", "text", "elsewhere", "local", "no_crs"])
def test_what_cannot_be_used_is_told(tmp_path: Path, fault: str) -> None:
    path, roads = tmp_path / "dem.tif", draw_street(crs="local" if fault == "local" else CRS)
    if fault == "text":
        path.write_text("no raster")
    elif fault == "no_crs":
        options = {"driver": "GTiff", "height": 2, "width": 2, "count": 1, "dtype": "float32"}
        with rasterio.open(path, "w", transform=from_origin(WEST, NORTH, CELL, CELL), **options) as file:
            file.write(np.zeros((1, 2, 2), dtype=np.float32))
    elif fault != "missing":
        write_plane(path)
    if fault == "elsewhere":
        roads = dataclasses.replace(roads, x_m=roads.x_m + 50_000)
    with pytest.raises(DataError) as caught:
        read_edge_heights(path, roads)
    assert [issue.check for issue in caught.value.issues] == ["elevation"]


def test_heights_without_roads_are_reported() -> None:
    spec = StudySpec(name="x", elevation=ElevationSource("dem.tif"))
    assert [issue.severity for issue in check_lived_options(spec)] == ["warning"]
    assert check_lived_options(StudySpec(name="x")) == ()


def write_county(folder: Path, more: str = "") -> Path:
    """Write three villages on a primary road of 4.6 km with a side road, and a raster that rises by 8 % to the east."""
    path = write_small_county(folder)
    nodes = {1: (112.98, 34.50), 2: (113.03, 34.50), 3: (113.005, 34.48), 4: (113.005, 34.52), 5: (113.005, 34.50)}
    ways = [([1, 5, 2], {"highway": "primary"}), ([3, 5, 4], {"highway": "residential"})]
    write_osm(folder / "roads.osm", nodes, ways)
    path.write_text(path.read_text(encoding="utf-8") + '[roads]\npath = "roads.osm"\n' + more, encoding="utf-8")
    return path


def write_hill(path: Path, rise_m: float) -> None:
    """Write a raster in degrees that rises by ``rise_m`` from its west to its east side, some 5.5 km apart."""
    heights = np.tile(np.linspace(100, 100 + rise_m, 60, dtype=np.float32), (60, 1))
    transform = from_origin(112.975, 34.53, 0.001, 0.001)
    options = {"driver": "GTiff", "height": 60, "width": 60, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    with rasterio.open(path, "w", transform=transform, **options) as file:
        file.write(heights, 1)


def test_a_study_with_hills_and_crossings(tmp_path: Path) -> None:
    """The study says so, keeps both apart in its cache, and is as before without them."""
    cache = DiskCache(tmp_path / "cache")
    plain = read_study(write_county(tmp_path), cache=cache)
    write_hill(tmp_path / "dem.tif", 440.0)
    hills = read_study(write_county(tmp_path, '[elevation]\npath = "dem.tif"\n'), cache=cache)
    village, school = plain.travel["walk"].unit_ids.index("00"), plain.travel["walk"].columns(["002"])[0]
    flat, up = (study.travel["walk"].time_min[village, school] for study in (plain, hills))
    assert 1.25 < up / flat < 1.45  # 8 % uphill all the way: exp(0.28) = 1.32
    assert np.array_equal(plain.travel["drive"].time_min, hills.travel["drive"].time_min, equal_nan=True)
    assert [(source.role, source.path) for source in hills.sources if source.role == "elevation"] == [
        ("elevation", "dem.tif")
    ]
    assert {issue.check for issue in hills.issues} - {issue.check for issue in plain.issues} == {"slopes"}
    write_hill(tmp_path / "dem.tif", 220.0)
    lower = read_study(tmp_path / "study.toml", cache=cache)
    assert flat < lower.travel["walk"].time_min[village, school] < up
    waits = "[travel]\ncrossing_penalty_s = { main_road = 60 }\n"
    crossings = read_study(write_county(tmp_path, waits), cache=cache)
    assert "crossings" in {issue.check for issue in crossings.issues}
    assert (crossings.travel["walk"].time_min >= plain.travel["walk"].time_min - 0.01).all()
    assert read_study(write_county(tmp_path), cache=cache).fingerprint == plain.fingerprint
    zero = read_study(write_county(tmp_path, waits.replace("60", "0")), cache=cache)
    assert zero.fingerprint == plain.fingerprint


def test_heights_of_another_place_stop_the_study(tmp_path: Path) -> None:
    path = write_county(tmp_path, '[elevation]\npath = "dem.tif"\n')
    write_plane(tmp_path / "dem.tif")
    with pytest.raises(DataError) as caught:
        read_study(path, cache=DiskCache(tmp_path / "cache"))
    assert "covers none of the roads" in str(caught.value)


@pytest.mark.real
@pytest.mark.slow
def test_the_hills_of_porto_alegre(cases: Path, tmp_path: Path) -> None:
    """Slopes make the walk to the nearest school about 5 % longer; crossings add to it; cars notice neither."""
    spec = read_study_file(Path(__file__).resolve().parents[2] / "examples" / "studies" / "porto_alegre_hills.toml")
    travel = dataclasses.replace(spec.travel, crossing_penalty_s={})
    cache = DiskCache(tmp_path)
    flat = build_study(dataclasses.replace(spec, elevation=None, travel=travel), cache=cache)
    hills = build_study(dataclasses.replace(spec, travel=travel), cache=cache)
    both = build_study(spec, cache=cache)
    means = [_mean_walk(study) for study in (flat, hills, both)]
    assert 1.03 < means[1] / means[0] < 1.07
    assert means[1] < means[2] < means[1] + 0.2
    assert np.array_equal(flat.travel["drive"].time_min, both.travel["drive"].time_min, equal_nan=True)
    assert len({study.fingerprint for study in (flat, hills, both)}) == 3
    _require_uphill_slower(hills, spec)
    checks = {issue.check for issue in both.issues}
    assert {"slopes", "crossings", "elevation_coverage"} <= checks
    assert not {"slopes", "crossings"} & {issue.check for issue in flat.issues}


def _require_uphill_slower(study: StudyArea, spec: StudySpec) -> None:
    """Between places that lie more than 20 m higher or lower, the way up takes longer than the way down."""
    assert spec.elevation is not None
    units = study.units.iloc[:60]
    points = (units["unit_id"], units["x_m"], units["y_m"])
    minutes = compute_travel_matrix(study.networks["walk"], points, points, mode="walk").time_min
    path = spec.resolve(spec.elevation.path)
    heights = sample_ground(read_ground(path, units["x_m"], units["y_m"], study.crs), *points[1:], study.crs)
    climbs = (heights[None, :] - heights[:, None] > 20) & np.isfinite(minutes)
    assert climbs.sum() > 500
    assert (minutes[climbs] > minutes.T[climbs]).mean() > 0.98


def _mean_walk(study: StudyArea) -> float:
    nearest = np.nanmin(study.travel["walk"].time_min, axis=1)
    return float(np.average(nearest, weights=study.units["primary_pupils"]))

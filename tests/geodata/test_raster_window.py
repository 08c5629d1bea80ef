"""Rasters larger than memory, of several years in bands, in another CRS; and their people in units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from geodata import population_raster, raster_shares, read_population
from geodata.cache import DiskCache
from geodata.errors import DataError
from geodata.population_raster import build_raster_cells, build_raster_land, build_raster_tiles
from geodata.raster_shares import compute_raster_shares, share_raster
from geodata.study_file import SchoolsSource, StudySpec, UnitsSource
from geodata.units import build_units
from tests.geodata.population_files import CRS, EAST, NORTH, build_spec, write_layer, write_raster

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


def _people(rows: int = 40, columns: int = 50) -> npt.NDArray[np.float64]:
    """Return cells of which about half hold people; whole numbers, so that sums are exact."""
    draw = np.random.default_rng(11)
    return np.where(draw.random((rows, columns)) < 0.5, draw.integers(1, 200, (rows, columns)), 0).astype(np.float64)


def _blocks(folder: Path, side_m: float = 730.0, *, turn: float = 20.0) -> UnitsSource:
    """Write tilted squares that cover the middle of the raster of :func:`_people` and stick out of it."""
    squares = [
        shapely.box(EAST + x, NORTH - y - side_m, EAST + x + side_m, NORTH - y)
        for x in np.arange(300, 4300, side_m)
        for y in np.arange(200, 4200, side_m)
    ]
    turned = [shapely.affinity.rotate(square, turn, origin=(EAST + 2500, NORTH - 2000)) for square in squares]
    write_layer(folder / "units.gpkg", {"code": [f"u{n:02d}" for n in range(len(turned))]}, turned)
    return UnitsSource(kind="polygons", path="units.gpkg")


def _sum(population_spec: StudySpec) -> pd.Series:
    units, _ = build_units(read_population.read_population(population_spec, CRS), population_spec, CRS)
    people: pd.Series = units.set_index("unit_id")["population_people"]
    return people


def test_strips_and_windows_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_raster(tmp_path / "p.tif", _people())
    spec = build_spec(tmp_path, _blocks(tmp_path), path="p.tif", kind="raster")
    whole = read_population.read_population(spec, CRS)
    expected = _sum(spec)
    monkeypatch.setattr(population_raster, "STRIP_CELLS", 130)
    strips = read_population.read_population(spec, CRS)
    assert whole.raster is not None
    assert strips.raster is not None
    assert strips.raster.cells.tolist() == whole.raster.cells.tolist()
    pd.testing.assert_series_equal(_sum(spec), expected)
    monkeypatch.setattr(population_raster, "MAX_CELLS", 1999)
    cut = read_population.read_population(spec, CRS)
    assert "raster_window" in {issue.check for issue in cut.issues}
    pd.testing.assert_series_equal(_sum(spec), expected)


def test_a_window_around_the_schools_keeps_the_names_of_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_raster(tmp_path / "p.tif", np.ones((90, 90)))
    lines = ["school_id,name,stage,capacity_places,x_m,y_m"]
    lines += [f"S{n},School {n},primary,100,{EAST + x},{NORTH - 4000}" for n, x in enumerate((4000, 5000))]
    (tmp_path / "schools.csv").write_text("\n".join(lines), encoding="utf-8")
    spec = replace(
        build_spec(tmp_path, path="p.tif", kind="raster"), schools=SchoolsSource(path="schools.csv", crs=CRS)
    )
    monkeypatch.setattr(population_raster, "MAX_CELLS", 8000)
    table = read_population.read_population(spec, CRS).table
    # 3 km around: columns 10 to 79, rows 10 to 69.
    assert (len(table), table["unit_id"].iloc[0], table["unit_id"].iloc[-1]) == (
        70 * 60,
        "r00010_00010",
        "r00069_00079",
    )
    assert table.loc[0, ["x_m", "y_m"]].tolist() == [EAST + 1050, NORTH - 1050]


def test_a_large_raster_elsewhere_or_without_a_study_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population_raster, "MAX_CELLS", 100)
    write_raster(tmp_path / "p.tif", np.ones((20, 20)))
    with pytest.raises(DataError, match="larger than"):
        read_population.read_population(build_spec(tmp_path, path="p.tif", kind="raster"), CRS)
    write_layer(tmp_path / "units.gpkg", {"code": ["far"]}, [shapely.box(EAST + 9e4, NORTH, EAST + 9.1e4, NORTH + 1e3)])
    units = UnitsSource(kind="polygons", path="units.gpkg")
    with pytest.raises(DataError, match="lies elsewhere"):
        read_population.read_population(build_spec(tmp_path, units, path="p.tif", kind="raster"), CRS)


def test_many_cells_are_added_up_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_raster(tmp_path / "p.tif", _people())
    spec = build_spec(tmp_path, _blocks(tmp_path), path="p.tif", kind="raster", share={"primary": 0.25})
    population = read_population.read_population(spec, CRS)
    expected, told = build_units(population, spec, CRS)
    monkeypatch.setattr(raster_shares, "MANY_PAIRS", 10)
    found, also = build_units(population, spec, CRS)
    pd.testing.assert_frame_equal(
        pd.DataFrame(found.drop(columns="geometry")), pd.DataFrame(expected.drop(columns="geometry"))
    )
    assert [str(issue.problem) for issue in also] == [str(issue.problem) for issue in told]
    assert any(issue.check == "people_left_out" for issue in told)


def test_overlapping_units_share_each_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster_shares, "MANY_PAIRS", 0)
    write_raster(tmp_path / "p.tif", [[8, 8, 8]])
    write_layer(
        tmp_path / "units.gpkg",
        {"code": ["a", "b"]},
        [shapely.box(EAST, NORTH - 100, EAST + 200, NORTH), shapely.box(EAST + 100, NORTH - 100, EAST + 300, NORTH)],
    )
    spec = build_spec(tmp_path, UnitsSource(kind="polygons", path="units.gpkg"), path="p.tif", kind="raster")
    assert _sum(spec).tolist() == pytest.approx([12, 12])


def test_large_pieces_cover_the_same_land(tmp_path: Path) -> None:
    write_raster(tmp_path / "p.tif", _people())
    raster = read_population.read_population(build_spec(tmp_path, path="p.tif", kind="raster"), CRS).raster
    assert raster is not None
    cells, land, tiles = (build(raster, CRS) for build in (build_raster_cells, build_raster_land, build_raster_tiles))
    whole = shapely.union_all(cells.geometry.to_numpy())
    assert shapely.equals(shapely.union_all(land.geometry.to_numpy()), whole)
    assert len(land) < len(cells)
    assert shapely.covers(shapely.union_all(tiles.geometry.to_numpy()), whole)
    assert len(tiles) == 2 * 3  # 20 × 20 cells of 100 m


def test_a_grid_of_large_pieces_keeps_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_raster(tmp_path / "p.tif", _people())
    spec = build_spec(tmp_path, UnitsSource(kind="grid", cell_m=330), path="p.tif", kind="raster")
    expected = _sum(spec)
    monkeypatch.setattr(read_population, "MANY_CELLS", 0)
    monkeypatch.setattr(raster_shares, "MANY_PAIRS", 0)
    pd.testing.assert_series_equal(_sum(spec), expected)


@pytest.mark.parametrize("crs", ["EPSG:4326", "ESRI:54009", "EPSG:4547"])
def test_a_raster_in_another_crs_keeps_its_people(tmp_path: Path, crs: str) -> None:
    """Degrees, an equal-area map of the world, Gauss-Krüger: squares and tilted units take everybody once."""
    from pyproj import Transformer

    corners = Transformer.from_crs(CRS, crs, always_xy=True).transform([EAST, EAST + 5000], [NORTH, NORTH - 4000])
    size = abs(corners[0][1] - corners[0][0]) / 50
    people = _people().astype(np.float32)
    options = {"driver": "GTiff", "width": 50, "height": 40, "count": 1, "dtype": "float32", "nodata": -1, "crs": crs}
    with rasterio.open(
        tmp_path / "p.tif", "w", transform=from_origin(corners[0][0], corners[1][0], size, size), **options
    ) as f:
        f.write(people, 1)
    spec = build_spec(tmp_path, UnitsSource(kind="grid", cell_m=470), path="p.tif", kind="raster")
    assert _sum(spec).sum() == pytest.approx(people.sum(dtype=np.float64), rel=1e-9)
    raster = read_population.read_population(spec, CRS).raster
    assert raster is not None
    # One large unit beside many small ones along a straight side: the cells on that side lose nobody.
    middle = shapely.box(EAST - 9000, NORTH - 9000, EAST + 2500, NORTH + 9000)
    small = [shapely.box(EAST + 2500, NORTH - 9000 + y, EAST + 14_000, NORTH - 8300 + y) for y in range(0, 18_000, 700)]
    write_layer(tmp_path / "u.gpkg", {"code": range(1 + len(small))}, [middle, *small])
    spec = build_spec(tmp_path, UnitsSource(kind="polygons", path="u.gpkg"), path="p.tif", kind="raster")
    assert _sum(spec).sum() == pytest.approx(people.sum(dtype=np.float64), rel=1e-9)


def test_bands_of_several_years(tmp_path: Path) -> None:
    options = {"driver": "GTiff", "width": 1, "height": 1, "count": 3, "dtype": "uint16", "crs": CRS}
    with rasterio.open(tmp_path / "p.tif", "w", transform=from_origin(EAST, NORTH, 100, 100), **options) as file:
        for band, year in enumerate((2020, 2030, 2025), start=1):
            file.write(np.array([[year - 2000]], dtype=np.uint16), band)
            file.set_band_description(band, f"population {year}")

    def read(year: int) -> tuple[float, list[str]]:
        found = read_population.read_population(build_spec(tmp_path, path="p.tif", kind="raster", year=year), CRS)
        return float(found.table["population_people"].sum()), [issue.check for issue in found.issues]

    assert read(0) == (30, ["raster_years", "raster_without_nodata", "population_sum"])
    assert read(2025) == (25, ["raster_without_nodata", "population_sum"])
    with pytest.raises(DataError, match="year 2021"):
        read(2021)


def test_the_coverage_of_a_study_is_used_again(tmp_path: Path) -> None:
    write_raster(tmp_path / "p.tif", _people())
    spec = build_spec(tmp_path, _blocks(tmp_path), path="p.tif", kind="raster")
    population = read_population.read_population(spec, CRS)
    units, _ = build_units(population, spec, CRS)
    assert population.raster is not None
    cache = DiskCache(tmp_path / "cache")
    first, _ = share_raster(population.raster, units, CRS, cache)
    again = compute_raster_shares(population.raster, units, CRS, cache)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    np.testing.assert_array_equal(first.share, again.share)


def test_tenths_of_people_in_whole_numbers(tmp_path: Path) -> None:
    """A raster may say by what its numbers are multiplied (scale), and what is added."""
    write_raster(tmp_path / "p.tif", _people())
    spec = build_spec(tmp_path, _blocks(tmp_path), path="p.tif", kind="raster")
    whole = _sum(spec)
    with rasterio.open(tmp_path / "p.tif", "r+") as raster:
        raster.scales = (0.1,)
    assert _sum(spec).sum() == pytest.approx(whole.sum() / 10)


def test_a_year_is_not_guessed_among_bands_without_years(tmp_path: Path) -> None:
    shape = {"height": 2, "width": 2, "count": 2, "dtype": "float32", "crs": CRS}
    with rasterio.open(tmp_path / "p.tif", "w", transform=from_origin(EAST, NORTH, 100, 100), **shape) as raster:
        raster.write(np.ones((2, 2, 2), dtype=np.float32))
    spec = build_spec(tmp_path, UnitsSource(kind="grid"), path="p.tif", kind="raster", year=2025)
    with pytest.raises(DataError) as caught:
        read_population.read_population(spec, CRS)
    assert [issue.check for issue in caught.value.issues] == ["raster_years"]
    (tmp_path / "p.tif").rename(tmp_path / "people_2025.tif")
    spec = build_spec(tmp_path, UnitsSource(kind="grid"), path="people_2025.tif", kind="raster", year=2025)
    assert "raster_bands" in {issue.check for issue in read_population.read_population(spec, CRS).issues}

"""Seats: the unit in which a school stands, on drawings whose answer can be seen."""

import time
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.build import read_study
from geodata.seats import find_seats
from geodata.tessellate import build_voronoi_cells
from tests.small_county import write_small_county


def _units(shapes: Sequence[shapely.Geometry], ids: list[str], demand: list[tuple[float, float]] | None = None):  # type: ignore[no-untyped-def]
    spots = demand or shapely.get_coordinates(shapely.centroid(shapes)).tolist()
    return gpd.GeoDataFrame(
        {"unit_id": ids, "kind": "village", "x_m": [x for x, _ in spots], "y_m": [y for _, y in spots]},
        geometry=shapes,
    )


def _seat(units: gpd.GeoDataFrame, *points: tuple[float, float], scattered: bool = False) -> list[str]:
    x_m, y_m = np.array(points, dtype=float).reshape(-1, 2).T
    return [str(seat) for seat in find_seats(units, x_m, y_m, scattered=scattered)]


# Two squares of 100 m side by side, then 60 m of nothing, then a third:  b | a  .  c
SQUARES = [shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100), shapely.box(260, 0, 360, 100)]


def test_the_polygon_that_holds_the_school_else_the_nearest() -> None:
    units = _units(SQUARES, ["b", "a", "c"])
    assert _seat(units, (50, 50), (150, 50), (215, 50), (245, 50), (400, 400)) == ["b", "a", "a", "c", "c"]


def test_ties_go_to_the_demand_point_then_to_the_id() -> None:
    units = _units(SQUARES, ["b", "a", "c"])
    assert _seat(units, (100, 50)) == ["a"]  # on the border of both: the id decides
    assert _seat(units, (230, 50)) == ["a"]  # 30 m from both, 80 m from both demand points: the id decides
    moved = _units(SQUARES, ["b", "a", "c"], [(50, 50), (110, 50), (270, 50)])
    assert _seat(moved, (230, 50)) == ["c"]  # 30 m from both; 120 m and 40 m from the demand points
    numbers = _units(SQUARES, ["10", "9", "c"])
    assert _seat(numbers, (100, 50)) == ["10"]  # ids are text


def test_scattered_units_take_the_nearest_demand_point() -> None:
    # The school stands in the yard of house b, nearer to the middle of house a.
    houses = [shapely.box(0, 0, 10, 10), shapely.box(12, 0, 200, 10)]
    units = _units(houses, ["a", "b"])
    assert _seat(units, (15, 5)) == ["b"]
    assert _seat(units, (15, 5), scattered=True) == ["a"]
    same = _units(houses, ["b", "a"], [(5, 5), (5, 5)])
    assert _seat(same, (15, 5), scattered=True) == ["a"]


def test_nowhere_and_nothing() -> None:
    units = _units(SQUARES, ["b", "a", "c"])
    assert _seat(units, (np.nan, 5)) == [""]
    assert _seat(units.iloc[:0], (5, 5)) == [""]
    assert _seat(units) == []


@given(seed=st.integers(0, 10_000), count=st.integers(1, 30), scattered=st.booleans())
def test_every_school_has_the_nearest_unit_whatever_the_order(seed: int, count: int, scattered: bool) -> None:
    random = np.random.default_rng(seed)
    x_m, y_m = random.uniform(0, 5_000, (2, count))
    cells = build_voronoi_cells(x_m, y_m)
    units = _units(list(cells), [f"u{k}" for k in range(count)], list(zip(x_m, y_m, strict=True)))
    points = random.uniform(-1_000, 6_000, (20, 2))
    seats = find_seats(units, *points.T, scattered=scattered)
    for point, seat in zip(points, seats, strict=True):
        away = np.hypot(x_m - point[0], y_m - point[1]) if scattered else shapely.distance(cells, shapely.Point(point))
        assert away[int(seat[1:])] <= away.min() + 0.001
    mixed = units.sample(frac=1, random_state=seed)
    assert find_seats(mixed, *points.T, scattered=scattered).tolist() == seats.tolist()


def test_many_units_are_fast() -> None:
    random = np.random.default_rng(1)
    x_m, y_m = random.uniform(0, 30_000, (2, 50_000))
    units = _units(list(build_voronoi_cells(x_m, y_m)), [str(k) for k in range(50_000)], list(zip(x_m, y_m)))  # noqa: B905
    schools = random.uniform(0, 30_000, (2, 300))
    started = time.perf_counter()
    assert (find_seats(units, *schools) == find_seats(units, *schools, scattered=True)).all()
    assert time.perf_counter() - started < 5


def test_a_study_knows_its_seats(tmp_path: Path) -> None:
    study = read_study(write_small_county(tmp_path))
    first, second = study.schools["unit_id"]
    assert first in ("00", "01")  # on their border, but for the rounding of the projection
    assert second == "02"  # on its eastern border
    assert list(study.sites["unit_id"]) == []


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "inside", "shared"),
    [("gongyi", 22, 0), ("zy_blocks", 16, 0), ("porto_alegre", 177, 0), ("vasileostrovsky", None, 0)],
)
def test_real_schools_stand_in_their_units(cases: Path, name: str, inside: int | None, shared: int) -> None:
    studies = Path(__file__).resolve().parents[2] / "examples" / "studies"
    study = read_study(studies / f"{name}.toml")
    seats = study.units.set_index("unit_id").loc[study.schools["unit_id"]]
    if inside is not None:
        held = shapely.intersects(seats.geometry.to_numpy(), study.schools.geometry.to_numpy())
        assert held.sum() == inside
    assert study.schools["unit_id"].duplicated().sum() == shared
    # Borders and perimeters are of the same shapes, whether polygons or cells.
    where = {key: position for position, key in enumerate(study.units["unit_id"])}
    border = np.zeros(len(where))
    for keys in (study.adjacency.first_ids, study.adjacency.second_ids):
        np.add.at(border, [where[key] for key in keys], study.adjacency.border_m)
    assert (border <= study.adjacency.perimeter_m + 0.01).all()
    assert study.adjacency.scattered == (name == "vasileostrovsky")

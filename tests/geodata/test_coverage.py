"""Cleaning of areas that nearly fit together: cracks, needles, overlaps; lakes and corners stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from geodata.adjacency import find_land
from geodata.build import read_study
from geodata.coverage import clean_coverage
from geodata.shapes import Shapes
from tests.geodata.tilings import NEEDLE_LENGTH_M, PATTERNS, build_tiling, disturb

STUDIES = Path(__file__).resolve().parents[2] / "examples" / "studies"
FIELD = box(0, 0, 100, 100)
EAST = box(100, 0, 200, 100)


def _clean(*shapes: BaseGeometry) -> list[Any]:
    cleaned = clean_coverage(np.array(shapes, dtype=object))
    assert shapely.coverage_is_valid(cleaned)
    assert shapely.is_valid(cleaned).all()
    return list(cleaned)


def test_what_fits_stays_as_it_is() -> None:
    shapes = [FIELD, EAST, box(300, 0, 400, 100)]
    assert all(new is old for new, old in zip(_clean(*shapes), shapes, strict=True))


def test_a_vertex_on_one_side_is_put_on_the_other() -> None:
    first, second = _clean(FIELD, Polygon([(100, 0), (200, 0), (200, 100), (100, 100), (100, 50)]))
    assert (100, 50) in first.exterior.coords
    assert second.equals(EAST)


@pytest.mark.parametrize(
    "east",
    [
        box(100.3, 0, 200, 100),
        box(99.8, 0, 200, 100),
        Polygon([(100, 0), (200, 0), (200, 100), (100.4, 100)]),
        Polygon([(100, 0), (200, 0), (200, 100), (100, 100), (100.3, 50)]),
    ],
    ids=["crack open at both ends", "overlap", "crack open at one end", "closed gap"],
)
def test_narrow_gaps_and_overlaps_are_closed(east: BaseGeometry) -> None:
    first, second = _clean(FIELD, east)
    assert first.intersection(second).length == pytest.approx(100, abs=0.5)
    assert shapely.union_all([first, second]).area == pytest.approx(20_000, abs=1e-6)


def test_wide_gaps_lakes_and_corners_stay() -> None:
    lake = FIELD.difference(box(20, 20, 80, 21))
    sharp = Polygon([(100, 0), (200, 0), (100, 8)])  # an angle of 4.6°: a corner between streets, narrow for 6 m
    far = box(-100, 0, -1, 100)
    cleaned = _clean(lake, sharp, far)
    assert cleaned[0].area == 10_000 - 60
    assert cleaned[1].area == pytest.approx(400, abs=2)
    assert cleaned[2].equals(far)


NEEDLE = [(50.2, 100), (50, 150), (49.8, 100)]
WITH_NEEDLE = Polygon([(0, 0), (100, 0), (100, 100), *NEEDLE, (0, 100)])


def test_a_needle_goes_to_the_neighbour_with_the_longest_border() -> None:
    # The needle (10 m² is 0.1 % of the field) ends where its neighbours' border begins: no ring of theirs turns back.
    left = Polygon([(0, 100), NEEDLE[2], NEEDLE[1], (50, 200), (0, 200)])
    right = Polygon([(100, 100), (100, 200), (50, 200), NEEDLE[1], NEEDLE[0]])
    first, *others = _clean(WITH_NEEDLE, left, right)
    assert first.equals(FIELD)
    assert sum(shape.area for shape in others) == pytest.approx(10_000, abs=1e-6)
    assert shapely.union_all(others).equals(box(0, 100, 100, 200))


def test_a_needle_into_the_open_is_cut_and_one_into_the_land_is_filled() -> None:
    assert _clean(WITH_NEEDLE)[0].equals(FIELD)
    notch = Polygon([(0, 0), (100, 0), (100, 100), (50.2, 100), (50, 50), (49.8, 100), (0, 100)])
    assert _clean(notch)[0].equals(FIELD)


def test_a_blunt_needle_and_a_needle_that_is_too_much_land() -> None:
    blunt = Polygon([(0, 0), (100, 0), (100, 100), (50.1, 100), (50.1, 120), (49.9, 120), (49.9, 100), (0, 100)])
    assert _clean(blunt)[0].equals(FIELD)
    small = Polygon([(40, 90), (60, 90), (60, 100), *NEEDLE, (40, 100)])  # 10 of 210 m²
    assert _clean(small)[0].equals(small)


def test_slivers_of_several_parts() -> None:
    first, second = _clean(FIELD, MultiPolygon([EAST, box(-0.1, 0, 0, 80)]))
    assert second.equals(EAST)
    assert first.area == pytest.approx(10_008)
    alone = MultiPolygon([EAST, box(500, 0, 500.1, 80)])
    assert _clean(FIELD, alone)[1].area == pytest.approx(10_000)


def test_land_on_two_areas_goes_to_the_smaller() -> None:
    first, second = _clean(FIELD, box(90, 0, 110, 100))
    assert (first.area, second.area) == (9_000, 2_000)
    first, second = _clean(FIELD, box(20, 20, 40, 40))
    assert (first.area, second.area) == (9_600, 400)
    assert sorted(shape.area for shape in _clean(FIELD, FIELD)) == [0, 10_000]


@given(pattern=st.sampled_from(PATTERNS), seed=st.integers(0, 10_000), needles=st.integers(1, 3))
def test_needles_of_tilings_go(pattern: str, seed: int, needles: int) -> None:
    shapes = np.asarray(build_tiling(pattern, seed, needles=needles).geometry)
    tips = _find_tips(shapes)
    assume(len(tips) > 0)
    cleaned = clean_coverage(shapes)
    assert shapely.coverage_is_valid(cleaned)
    assert not len(_find_tips(cleaned))
    _check_change(shapes, cleaned)
    shorter_m = shapely.length(shapes).sum() - shapely.length(cleaned).sum()
    assert shorter_m >= 2 * NEEDLE_LENGTH_M * len(tips) - 1
    assert shapely.equals_identical(clean_coverage(cleaned), cleaned).all()


def _find_tips(shapes: Shapes) -> set[tuple[float, float]]:
    """Return vertices whose edges are both as long as a needle and lead to nearly the same place."""
    tips = set()
    for ring in shapely.get_rings(shapely.get_parts(shapes)):
        places = shapely.get_coordinates(ring)[:-1]
        before, after = np.roll(places, 1, axis=0), np.roll(places, -1, axis=0)
        long = np.hypot(*(places - before).T) > NEEDLE_LENGTH_M - 1
        found = long & (np.hypot(*(before - after).T) < 0.3)
        tips |= {(float(x), float(y)) for x, y in places[found]}
    return tips


@given(pattern=st.sampled_from(PATTERNS), seed=st.integers(0, 10_000), width_m=st.floats(0.01, 0.45))
def test_unevenness_goes_and_no_unit_changes_much(pattern: str, seed: int, width_m: float) -> None:
    units = build_tiling(pattern, seed)
    shapes = np.asarray(disturb(units, seed, width_m=width_m).geometry)
    cleaned = clean_coverage(shapes)
    assert shapely.coverage_is_valid(cleaned)
    _check_change(shapes, cleaned)
    assert len(shapely.get_parts(cleaned)) == len(shapely.get_parts(shapes))


def _check_change(shapes: Shapes, cleaned: Shapes) -> None:
    changed_m2 = shapely.area(shapely.symmetric_difference(shapes, cleaned))
    assert (changed_m2 <= 1e-3 * shapely.area(shapes)).all()


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("name", [path.stem for path in sorted(STUDIES.glob("*.toml")) if path.stem != "demo"])
def test_units_of_real_cases_hardly_change(cases: Path, name: str) -> None:
    study = read_study(STUDIES / f"{name}.toml")
    shapes = find_land(study.units, scattered=study.adjacency.scattered)
    cleaned = clean_coverage(shapes)
    assert shapely.coverage_is_valid(cleaned)
    change = (shapely.area(cleaned) - shapely.area(shapes)) / shapely.area(shapes)
    # Three units of zy_blocks lie on others by up to 383 m²: nobody else may lose or gain more than 0.1 %.
    doubled = _measure_doubled(shapes)
    assert (np.abs(change) <= 1e-3 + doubled / shapely.area(shapes)).all()
    assert np.abs(change).max() < 3e-3
    assert (np.abs(change) > 1e-3).sum() <= (3 if name == "zy_blocks" else 0)


def _measure_doubled(shapes: Shapes) -> np.ndarray:
    """Return how much of each shape lies on others."""
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    first, second = first[first != second], second[first != second]
    area_m2 = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    return np.bincount(first, area_m2, minlength=len(shapes))

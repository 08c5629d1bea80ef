"""Simplifying areas together: no border further than the tolerance, none open, nothing vanished."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box

from geodata.shapes import Shapes
from geodata.simplify import simplify_coverage
from tests.geodata.tilings import PATTERNS, build_tiling


def _simplify(tolerance_m: float, *shapes: shapely.Geometry) -> Shapes:
    simple = simplify_coverage(np.array(shapes, dtype=object), tolerance_m)
    assert shapely.is_valid(simple).all()
    assert shapely.coverage_is_valid(simple)
    return simple


def test_a_border_is_straightened_on_both_sides() -> None:
    bend = [(100, 100), (100, 60), (102, 50), (100, 40), (100, 0)]
    west = Polygon([(0, 0), (0, 100), *bend])
    east = Polygon([(200, 100), (200, 0), *bend[::-1]])
    assert shapely.equals(_simplify(10, west, east), [box(0, 0, 100, 100), box(100, 0, 200, 100)]).all()
    assert shapely.equals(_simplify(1, west, east), [west, east]).all()
    assert shapely.equals(_simplify(0, west, east), [west, east]).all()
    assert len(simplify_coverage(np.empty(0, dtype=object), 5.0)) == 0


def test_a_long_thin_tongue_stays() -> None:
    # By area the tongue (2 m by 80 m) is less than the square of the tolerance, and would go: 80 m of border.
    tongue = Polygon([(0, 0), (100, 0), (100, 100), (51, 100), (51, 180), (49, 180), (49, 100), (0, 100)])
    around = box(-100, -100, 200, 300).difference(tongue)
    gone = shapely.coverage_simplify(np.array([tongue, around]), 20)
    kept = _simplify(20, tongue, around)
    assert gone[0].bounds[3] < 110
    assert kept[0].bounds[3] == 180


def test_small_parts_and_holes_stay() -> None:
    many = [(10 + 3 * np.cos(angle), 10 + 3 * np.sin(angle)) for angle in np.linspace(0, 2 * np.pi, 20)[:-1]]
    island = shapely.transform(Polygon(many), lambda places: places + 150)
    land = shapely.union(box(0, 0, 100, 100).difference(Polygon(many)), island)
    simple = _simplify(100, land)[0]
    assert len(shapely.get_parts(simple)) == 2
    assert sum(len(part.interiors) for part in shapely.get_parts(simple)) == 1
    assert simple.area == pytest.approx(land.area, rel=0.01)
    lens = Polygon([(0, 100), (50, 101), (100, 100), (50, 99)])
    south = Polygon([(0, 0), (100, 0), (100, 100), (50, 99), (0, 100)])
    north = Polygon([(0, 200), (100, 200), (100, 100), (50, 101), (0, 100)])
    assert _simplify(50, south, lens, north)[1].equals(lens)


def test_an_area_that_cleaning_left_empty() -> None:
    simple = _simplify(5, box(0, 0, 100, 100), Polygon(), box(100, 0, 200, 100))
    assert shapely.is_empty(simple).tolist() == [False, True, False]


@settings(max_examples=150)
@given(
    pattern=st.sampled_from(PATTERNS),
    seed=st.integers(0, 10_000),
    tolerance_m=st.sampled_from([1.0, 10.0, 50.0, 200.0, 2_000.0]),
    needles=st.integers(0, 2),
)
def test_borders_stay_near_and_common(pattern: str, seed: int, tolerance_m: float, needles: int) -> None:
    units = build_tiling(pattern, seed, side=4, needles=needles)
    shapes = np.asarray(units.geometry)
    simple = simplify_coverage(shapes, tolerance_m)
    assert shapely.is_valid(simple).all()
    assert shapely.coverage_is_valid(simple)
    for old, new in zip(shapes, simple, strict=True):
        assert len(shapely.get_parts(old)) == len(shapely.get_parts(new))
        before, after = shapely.boundary([old, new])
        assert shapely.hausdorff_distance(before, after, densify=0.02) <= tolerance_m * (1 + 1e-9)
        assert _list_places(new) <= _list_places(old)
    # Where three areas meet, and so every end of a border, nothing moved.
    rings = shapely.get_rings(shapely.get_parts(shapes))
    corners = np.concatenate([shapely.get_coordinates(ring)[:-1] for ring in rings])
    unique, count = np.unique(corners, axis=0, return_counts=True)
    meeting = {tuple(place) for place in unique[count >= 3].tolist()}
    assert meeting <= set().union(*map(_list_places, simple))


def _list_places(shape: shapely.Geometry) -> set[tuple[float, ...]]:
    return {tuple(place) for place in shapely.get_coordinates(shape).tolist()}

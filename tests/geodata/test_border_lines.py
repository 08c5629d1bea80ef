"""Border lines: every border once, with its two units, on worlds worked by hand and against shapely's own overlay."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.border_lines import OUTSIDE, BorderLines, build_border_lines
from tests.ui.drawing_county import build_drawing_county


def _measure(lines: BorderLines) -> dict[tuple[int, int], float]:
    """Length by pair of units."""
    found: dict[tuple[int, int], float] = {}
    start = 0
    for size, first, second in zip(lines.sizes, lines.first, lines.second, strict=True):
        points = lines.points_m[start : start + size]
        key = int(first), int(second)
        found[key] = found.get(key, 0.0) + float(np.hypot(*np.diff(points, axis=0).T).sum())
        start += size
    return found


def _box(left: float, bottom: float, wide: float = 10.0, high: float = 10.0) -> shapely.Polygon:
    return shapely.box(left, bottom, left + wide, bottom + high)


def test_two_squares_share_one_line() -> None:
    lines = build_border_lines(np.array([_box(0, 0), _box(10, 0)], dtype=object))
    assert _measure(lines) == {(0, 1): 10.0, (0, OUTSIDE): 30.0, (1, OUTSIDE): 30.0}
    # The three outer sides of a square are one chain of four vertices.
    assert sorted(lines.sizes.tolist()) == [2, 4, 4]


def test_a_hole_filled_by_another_unit_is_a_border_and_not_the_outside() -> None:
    inner = _box(4, 4, 2, 2)
    lines = build_border_lines(np.array([_box(0, 0).difference(inner), inner], dtype=object))
    assert _measure(lines) == {(0, 1): 8.0, (0, OUTSIDE): 40.0}


def test_an_empty_hole_and_the_parts_of_a_unit_lie_outside() -> None:
    shape = shapely.union(_box(0, 0).difference(_box(4, 4, 2, 2)), _box(30, 0))
    assert _measure(build_border_lines(np.array([shape], dtype=object))) == {(0, OUTSIDE): 88.0}


def test_a_corner_on_one_side_only_and_a_narrow_gap_are_still_borders() -> None:
    shapes = [_box(0, 0, 10, 20), _box(10, 0), _box(10, 10), _box(-10.2, 0, 10, 20)]
    found = _measure(build_border_lines(np.array(shapes, dtype=object)))
    # The long edge has two neighbours: its middle tells one of them, the short edges tell both.
    assert found[(0, 1)] >= 10.0
    assert found[(0, 2)] >= 10.0
    assert found[(0, 3)] == pytest.approx(40.0)
    assert found[(0, OUTSIDE)] == pytest.approx(20.0)


def test_nothing_and_shapes_without_area_have_no_lines() -> None:
    for shapes in ([], [shapely.Point(1, 2)]):
        lines = build_border_lines(np.array(shapes, dtype=object))
        assert len(lines.sizes) == len(lines.points_m) == 0


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 3))
def test_borders_agree_with_the_overlay_of_shapes(rows: int, columns: int, groups: int) -> None:
    shapes = build_drawing_county(rows, columns, 1).units.geometry.to_numpy()
    shapes = shapes[np.random.default_rng(groups).permutation(len(shapes))]
    lines = build_border_lines(shapes)
    assert (lines.first < np.where(lines.second == OUTSIDE, len(shapes), lines.second)).all()
    found = _measure(lines)
    for first in range(len(shapes)):
        for second in range(first + 1, len(shapes)):
            shared = shapely.length(shapely.intersection(shapes[first].boundary, shapes[second].boundary))
            assert found.get((first, second), 0.0) == pytest.approx(shared, abs=1e-3)
    outer = sum(metres for (_, second), metres in found.items() if second == OUTSIDE)
    assert outer == pytest.approx(shapely.union_all(shapes).length, abs=0.01)
    assert sum(found.values()) * 2 - outer == pytest.approx(shapely.length(shapes).sum())

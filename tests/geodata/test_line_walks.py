"""Closed walks along lines in a given order."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.line_walks import MEET_M, REACH_M, LineNet, WalkMaker, find_meetings


def _line(*places: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(places)


def _walks(*lines: shapely.Geometry) -> list[float]:
    """Return the metres of every closed walk, as found."""
    keyed = [(str(number), line) for number, line in enumerate(lines)]
    return [float(np.hypot(*np.diff(walk, axis=0).T).sum()) for walk in WalkMaker().list_walks(keyed)]


def test_a_line_is_walked_the_shorter_way() -> None:
    # A square ring road of 400 m: from the middle of the south side to the middle of the east side are 100 m.
    net = LineNet(_line((0, 0), (100, 0), (100, 100), (0, 100), (0, 0)))
    assert net.measure((50, 0), (100, 50)) == pytest.approx(100)
    assert net.measure((50, 0), (0, 50)) == pytest.approx(100)
    assert net.trace((50, 0), (100, 50)).tolist() == [[50, 0], [100, 0], [100, 50]]
    assert net.measure((20, 0), (70, 0)) == pytest.approx(50)


def test_pieces_of_a_line_are_joined_where_they_come_nearest() -> None:
    net = LineNet(shapely.MultiLineString([[(0, 0), (100, 0)], [(130, 0), (200, 0)], [(200, 40), (200, 90)]]))
    assert net.measure((0, 0), (200, 90)) == pytest.approx(100 + 30 + 70 + 40 + 50)


def test_lines_meet_where_they_cross_touch_or_nearly_touch() -> None:
    here, there = find_meetings(_line((0, 0), (1000, 0)), _line((500, -500), (500, 500)))
    assert here.tolist() == there.tolist() == [[500, 0]]
    here, there = find_meetings(_line((0, 0), (1000, 0)), _line((500, MEET_M - 5), (500, 500)))
    assert len(here) == 1
    assert there[0].tolist() == [500, MEET_M - 5]


def test_a_gap_is_crossed_up_to_a_limit() -> None:
    here, there = find_meetings(_line((0, 0), (1000, 0)), _line((500, REACH_M - 1), (500, 900)))
    assert here.tolist() == [[500, 0]]
    assert there.tolist() == [[500, REACH_M - 1]]
    assert not len(find_meetings(_line((0, 0), (1000, 0)), _line((500, REACH_M + 1), (500, 900)))[0])


def test_a_common_stretch_is_entered_and_left_at_its_ends() -> None:
    here, _ = find_meetings(_line((0, 0), (1000, 0)), _line((300, 400), (300, 0), (700, 0), (700, 400)))
    assert sorted(np.round(here[:, 0] / 50).tolist()) == [6, 14]  # 300 and 700, give or take the width


def test_walks_come_in_order_of_length() -> None:
    # A river winds across a street at x = 0, 300, 1000: around the three areas between them.
    street = _line((-100, 0), (1100, 0))
    river = _line((0, -50), (0, 100), (300, 100), (300, -200), (1000, -200), (1000, 50))
    found = _walks(street, river)
    assert found == sorted(found)
    rings = sorted({round(length) for length in found if length > 1})
    assert rings[:2] == [300 + 500, 700 + 1100]
    assert rings[-1] == 1000 + 1600


def test_lines_that_never_meet_have_no_walk() -> None:
    assert _walks(_line((0, 0), (1000, 0)), _line((0, 500), (1000, 500)), _line((0, 0), (0, 500))) == []
    assert _walks(_line((0, 0), (1000, 0))) == []


@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=2, unique=True),
    st.lists(st.integers(1, 9), min_size=2, max_size=2, unique=True),
)
def test_four_lines_of_a_grid_enclose_their_rectangle(across: list[int], along: list[int]) -> None:
    x, y = [100.0 * place for place in across], [100.0 * place for place in along]
    lines = [_line((0, y[0]), (1000, y[0])), _line((x[0], 0), (x[0], 1000))]
    lines += [_line((0, y[1]), (1000, y[1])), _line((x[1], 0), (x[1], 1000))]
    assert _walks(*lines) == [pytest.approx(2 * (abs(x[0] - x[1]) + abs(y[0] - y[1])))]

"""The parts that a travel table is made of: whole-number costs, the nearest road piece, the choice of the way."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.snap_grid import build_snap_grids, find_nearest_pieces
from geodata.travel_engines import _divide, run_blocks
from geodata.whole_costs import add_costs, cost_type, no_way, to_costs, to_limit

HOURS_S = st.floats(0, 200_000, allow_nan=False)
METRES = st.floats(0, 500_000, allow_nan=False)


@given(st.lists(st.tuples(HOURS_S, METRES), min_size=1, max_size=9), st.lists(st.tuples(HOURS_S, METRES), max_size=9))
def test_sums_of_whole_costs_order_ways_by_time_then_length(
    first: list[tuple[float, float]], second: list[tuple[float, float]]
) -> None:
    sums, exact = [], []
    for way in (first, second):
        parts = np.array(way or [(0.0, 0.0)])
        sums.append(int(to_costs(parts[:, 0], parts[:, 1], lengths=True).sum()))
        exact.append(tuple(np.rint(parts * 1000).astype(np.int64).sum(axis=0)))
    assert (sums[0] < sums[1]) == (exact[0] < exact[1])
    assert (sums[0] >> 32, sums[0] & (2**32 - 1)) == exact[0]


@pytest.mark.parametrize("lengths", [False, True])
def test_no_way_stays_no_way(lengths: bool) -> None:
    kind = cost_type(lengths)
    costs = to_costs([np.inf, np.nan, 1e9, 1.0], [np.inf, np.nan, 5.0, 2.0], lengths=lengths)
    assert costs.dtype == kind
    assert (costs[:3] == no_way(kind)).all() and costs[3] < no_way(kind)
    assert (add_costs(costs, costs)[:3] == no_way(kind)).all()
    assert to_limit(np.inf, kind) == no_way(kind) - 1
    assert int(to_costs([60.0], [1e5], lengths=lengths)[0]) <= to_limit(60.0, kind)
    assert int(to_costs([60.001], [0.0], lengths=lengths)[0]) > to_limit(60.0, kind)


@given(st.integers(1, 60), st.integers(0, 10**6), st.sampled_from([1.0, 40.0, 3000.0]))
def test_the_nearest_piece_is_that_of_a_tree(count: int, seed: int, spread: float) -> None:
    draw = np.random.default_rng(seed)
    tail = np.round(draw.normal(0, spread, (count, 2)), 1)
    head = np.round(tail + draw.normal(0, 20, (count, 2)) * draw.choice([0, 1, 30], (count, 1)), 1)
    points = np.concatenate([draw.normal(0, 2 * spread, (40, 2)), tail[:5], draw.normal(0, 50 * spread, (5, 2))])
    ends = tail[:, 0], tail[:, 1], head[:, 0], head[:, 1]
    found = find_nearest_pieces(build_snap_grids(ends), ends, points[:, 0], points[:, 1])
    lines = np.asarray(shapely.linestrings(np.stack([tail, head], axis=1)))
    own = shapely.distance(shapely.points(points), lines[found])
    expected = shapely.distance(shapely.points(points)[:, None], lines[None, :]).min(axis=1)
    np.testing.assert_allclose(own, expected, atol=1e-9 * max(spread, 1))


def test_of_equally_near_pieces_the_first_is_taken() -> None:
    ends = tuple(np.array(values, dtype=float) for values in ([0, 0, 0], [0, 0, 0], [9, 0, -9], [0, 9, 0]))
    found = find_nearest_pieces(build_snap_grids(ends), ends, np.zeros(1), np.zeros(1))  # type: ignore[arg-type]
    assert found.tolist() == [0]


@given(st.integers(0, 2000), st.integers(1, 8))
def test_groups_cover_all_schools_and_share_the_work(count: int, threads: int) -> None:
    size = _divide(count, 32, 128, threads)
    assert size % 32 == 0 and 32 <= size <= 128
    groups = -(-count // size)
    assert groups == 0 or (groups - 1) * size < count
    if count >= 128 * threads:  # no thread waits for long
        assert -(-groups // threads) * size <= 1.5 * count / threads


def test_blocks_end_with_the_first_that_fails() -> None:
    done: list[int] = []

    def task(at: int) -> None:
        if at == 3:
            raise ZeroDivisionError
        done.append(at)

    with pytest.raises(ZeroDivisionError):
        run_blocks(task, range(1000), 1)
    assert len(done) < 1000
    run_blocks(task, range(0), 2)

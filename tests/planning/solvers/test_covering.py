"""Set covering and maximal covering: hand-worked and brute-forced."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from geodata.errors import Cancelled, SolverError
from geodata.messages import Message
from planning.solvers.covering import solve_maximal_covering, solve_set_covering
from planning.solvers.location_problems import CoverProblem


def build(covers: np.ndarray, weight: list[float] | None = None, cost: list[float] | None = None) -> CoverProblem:  # type: ignore[type-arg]
    """``covers`` (rows, sites) bool."""
    rows, sites = covers.shape
    return CoverProblem(
        start=np.concatenate([[0], np.cumsum(covers.sum(axis=1))]).astype(np.int64),
        site=np.nonzero(covers)[1].astype(np.int32),
        weight=np.ones(rows) if weight is None else np.array(weight, dtype=float),
        site_cost=np.ones(sites) if cost is None else np.array(cost, dtype=float),
    )


# Five villages on a line, one site in each, each site reaches its neighbours.
LINE = np.abs(np.arange(5)[:, None] - np.arange(5)[None, :]) <= 1


def test_line_is_covered_by_two() -> None:
    # Sites 1 and 3 cover 0 to 4; sites 1 and 4 do as well; one site covers three villages at most.
    answer = solve_set_covering(build(LINE))
    assert (answer.objective, answer.bound, answer.status) == (2, 2, "optimal")
    assert answer.opened[1]
    assert LINE[np.arange(5), answer.site].all()
    assert answer.opened[answer.site].all()


def test_dear_sites_are_avoided() -> None:
    # Site 1 costs 9: sites 0, 2 and 4 at 1 each cover the line for 3.
    answer = solve_set_covering(build(LINE, cost=[1, 9, 1, 9, 1]))
    assert answer.opened.tolist() == [True, False, True, False, True]
    assert answer.objective == answer.bound == 3


def test_row_without_site_has_no_cover() -> None:
    covers = LINE.copy()
    covers[2] = False
    answer = solve_set_covering(build(covers))
    assert answer.status == "infeasible"
    assert answer.bound == np.inf and not answer.opened.any()


def test_no_rows_need_no_sites() -> None:
    assert solve_set_covering(build(np.zeros((0, 3), bool))).objective == 0


def test_most_pupils_with_one_and_two_sites() -> None:
    # Weights 5, 1, 1, 1, 6: site 0 or 1 reach 5 + 1 (+ 1) = 7, site 3 or 4 reach (1 +) 1 + 6 = 8; sites 1 and 3 all 14.
    problem = build(LINE, weight=[5, 1, 1, 1, 6])
    one, two = solve_maximal_covering(problem, 1), solve_maximal_covering(problem, 2)
    assert one.objective == 8 and one.opened.tolist() == [False, False, False, True, False]
    assert one.site.tolist() == [-1, -1, 3, 3, 3]
    assert two.objective == 14 and two.status == "optimal"
    assert two.bound == pytest.approx(14)


def test_counts_at_the_ends() -> None:
    problem = build(LINE, weight=[5, 1, 1, 1, 6])
    assert solve_maximal_covering(problem, 0).objective == 0
    assert solve_maximal_covering(problem, 50).objective == 14
    with pytest.raises(SolverError, match="0 or more"):
        solve_maximal_covering(problem, -1)


@pytest.mark.parametrize("seed", range(30))
def test_brute_force(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, sites = int(random.integers(3, 16)), int(random.integers(2, 9))
    covers = random.random((rows, sites)) < 0.3
    covers[np.arange(rows), random.integers(0, sites, rows)] = True
    cost = random.integers(1, 9, sites).astype(float) + (0.25 if seed % 2 else 0.0)
    weight = random.integers(0, 20, rows).astype(float)
    problem = build(covers, weight.tolist(), cost.tolist())
    choices = [list(c) for k in range(sites + 1) for c in combinations(range(sites), k)]
    least = min(cost[c].sum() for c in choices if covers[:, c].any(axis=1).all())
    answer = solve_set_covering(problem, seed=seed)
    assert answer.objective == pytest.approx(least) and answer.status == "optimal"
    assert answer.bound <= answer.objective and answer.bound == pytest.approx(least)
    assert covers[np.arange(rows), answer.site].all() and answer.opened[answer.site].all()
    count = int(random.integers(1, 4))
    most = max(weight[covers[:, c].any(axis=1)].sum() for c in choices if len(c) <= count)
    found = solve_maximal_covering(problem, count, seed=seed)
    assert found.objective == pytest.approx(most) and found.opened.sum() <= count
    assert found.bound >= most and found.bound == pytest.approx(most)


def build_county(rows: int, sites: int) -> CoverProblem:
    random = np.random.default_rng(5)
    places = random.random((rows, 2))
    distance = np.hypot(*(places[:, None] - places[None, :sites]).transpose(2, 0, 1))
    radius = max(0.12, float(distance.min(axis=1).max()))
    return build(distance <= radius, random.integers(1, 90, rows).tolist())


def test_larger_covers_are_proven_and_hurry_is_honest() -> None:
    problem = build_county(400, 60)
    calm, hurried = solve_set_covering(problem), solve_set_covering(problem, time_limit_s=0.0)
    assert calm.status == "optimal"
    assert hurried.bound <= calm.objective <= hurried.objective
    most, soon = solve_maximal_covering(problem, 5), solve_maximal_covering(problem, 5, time_limit_s=0.0)
    assert most.status == "optimal"
    assert soon.objective <= most.objective <= soon.bound


def test_cancel() -> None:
    def stop(step: Message, share: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        solve_set_covering(build(LINE), progress=stop)
    with pytest.raises(Cancelled):
        solve_maximal_covering(build(LINE), 1, progress=stop)

"""p-median and location with fixed costs: lines worked by hand, brute force, published optima, laws, stopping."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import floyd_warshall

from planning.solvers.location_problems import LocationAnswer, LocationProblem
from planning.solvers.p_median import solve_p_median
from planning.solvers.p_median_kernels import find_levels
from planning.solvers.p_median_rough import find_rough_sites
from planning.solvers.p_median_rows import CLOSED, FREE, OPEN, build_rows, compute_bound, reduce_rows, settle_sites
from planning.solvers.p_median_swap import PlanSearch
from planning.solvers.siting_highs import Watch

INF = np.inf
COSTS = (0.0, 1.0, 1.0, 2.0, 3.5, 7.0, 40.0, INF)


def build_problem(cost, count: int | None, fixed=None) -> LocationProblem:
    cost = np.asarray(cost)
    n_rows, n_sites = cost.shape
    fixed = np.zeros(n_sites) if fixed is None else np.asarray(fixed, float)
    return LocationProblem(cost, np.ones(n_rows), np.full(n_sites, INF), fixed, count)


def build_line(*km: float, weight=None) -> np.ndarray:
    """Costs between villages on a line, each also a site."""
    place = np.array(km)
    return np.abs(place[:, None] - place) * (np.ones(len(km)) if weight is None else np.array(weight))[:, None]


def build_square(n_rows: int, n_sites: int, seed: int, *, clusters: int = 0) -> np.ndarray:
    """Weighted distances on a square, homes uniform or in clusters."""
    draw = np.random.default_rng(seed)
    homes, sites = draw.uniform(0, 100, (n_rows, 2)), draw.uniform(0, 100, (n_sites, 2))
    if clusters:
        middle = draw.uniform(0, 100, (clusters, 2))
        homes = middle[draw.integers(0, clusters, n_rows)] + draw.normal(0, 4, (n_rows, 2))
    return np.hypot(*(homes[:, None] - sites).transpose(2, 0, 1)) * draw.integers(1, 10, n_rows)[:, None]


def find_by_force(problem: LocationProblem) -> float:
    """The least cost over all sets of sites."""
    most = problem.n_sites if problem.count is None else min(problem.count, problem.n_sites)
    return min(
        float(problem.cost[:, chosen].min(axis=1).sum(dtype=float) + problem.fixed_cost[list(chosen)].sum())
        for count in range(1, most + 1)
        for chosen in itertools.combinations(range(problem.n_sites), count)
    )


def check_answer(problem: LocationProblem, answer: LocationAnswer) -> None:
    """The answer is a plan, costs what it says, and its bound is below."""
    sites = np.flatnonzero(answer.opened)
    assert problem.count is None or len(sites) <= problem.count
    assert answer.opened[answer.site].all()
    served = problem.cost[np.arange(problem.n_rows), answer.site].astype(float)
    assert np.array_equal(served, problem.cost[:, sites].min(axis=1))
    assert answer.objective == pytest.approx(served.sum() + problem.fixed_cost[sites].sum(), rel=1e-12)
    assert answer.bound <= answer.objective


# Five villages at km 0, 1, 2, 10, 11. One school: the median, km 2: 2 + 1 + 0 + 8 + 9 = 20. Two: km 1 (1 + 0 + 1) and
# km 10 or 11 (1): 3. Three: one of 0, 1, 2 saves 1 of the 2: 2.
@pytest.mark.parametrize(("count", "cost"), [(1, 20), (2, 3), (3, 2), (4, 1), (5, 0), (9, 0)])
def test_line_of_five_villages(count: int, cost: float) -> None:
    problem = build_problem(build_line(0, 1, 2, 10, 11), count)
    answer = solve_p_median(problem)
    check_answer(problem, answer)
    assert (answer.objective, answer.bound) == (cost, cost)
    assert (answer.status, answer.stopped) == ("optimal", "proven")


def test_weights_move_the_median() -> None:
    # Pupils 1, 1, 1, 1, 5 at km 0, 1, 2, 10, 11: more than half are at km 11.
    answer = solve_p_median(build_problem(build_line(0, 1, 2, 10, 11, weight=[1, 1, 1, 1, 5]), 1))
    assert np.flatnonzero(answer.opened).tolist() == [4]
    assert answer.objective == 11 + 10 + 9 + 1


@pytest.mark.parametrize(("fixed", "cost", "n_open"), [(0.5, 2.5, 5), (1.5, 6, 2), (100, 120, 1)])
def test_fixed_costs_decide_how_many_open(fixed: float, cost: float, n_open: int) -> None:
    # All open: 5 x 0.5. Two: 3 + 2 x 1.5 (a third saves 1 for 1.5). One: 20 + 100 (a second saves 17).
    problem = build_problem(build_line(0, 1, 2, 10, 11), None, np.full(5, fixed))
    answer = solve_p_median(problem)
    check_answer(problem, answer)
    assert answer.objective == cost
    assert answer.bound == pytest.approx(cost, rel=1e-6)
    assert answer.opened.sum() == n_open


def test_count_and_fixed_costs_together() -> None:
    # Two at most of the five, for 0.5 each: 3 + 1.
    assert solve_p_median(build_problem(build_line(0, 1, 2, 10, 11), 2, np.full(5, 0.5))).objective == 4


def test_what_is_not_allowed_is_not_used() -> None:
    cost = np.array([[1.0, INF, 5.0], [INF, 1.0, 5.0]])
    assert solve_p_median(build_problem(cost, 1)).objective == 10  # only the third serves both
    assert solve_p_median(build_problem(cost, 2)).objective == 2


def test_impossible_demands_are_said() -> None:
    lonely = solve_p_median(build_problem([[1.0, 2.0], [INF, INF]], 1))
    assert lonely.status == "infeasible"
    few = solve_p_median(build_problem(np.where(np.eye(4) > 0, 1.0, INF), 3))
    assert (few.status, few.stopped) == ("infeasible", "proven")
    assert few.bound == INF
    assert (few.site == -1).all()


def test_nothing_to_serve() -> None:
    assert solve_p_median(build_problem(np.zeros((0, 3)), 1)).objective == 0


@pytest.mark.parametrize(
    "problem",
    [
        build_problem([[-1.0]], 1),
        build_problem([[np.nan]], 1),
        build_problem([[1.0]], 0),
        build_problem([[1.0]], 1, [-1.0]),
        build_problem([[1.0]], 1, [1.0, 2.0]),
    ],
)
def test_impossible_numbers_are_refused(problem: LocationProblem) -> None:
    with pytest.raises(ValueError, match=r"cost|site"):
        solve_p_median(problem)


@given(
    data=st.data(),
    shape=st.tuples(st.integers(1, 7), st.integers(1, 6)),
    count=st.one_of(st.none(), st.integers(1, 4)),
    with_fixed=st.booleans(),
)
def test_brute_force(data, shape, count, with_fixed) -> None:
    n_rows, n_sites = shape
    draw = st.lists(st.sampled_from(COSTS), min_size=n_sites, max_size=n_sites)
    cost = np.array([data.draw(draw) for _ in range(n_rows)])
    fixed = data.draw(st.lists(st.sampled_from((0.0, 0.7, 3.0)), min_size=n_sites, max_size=n_sites))
    problem = build_problem(cost, count, fixed if with_fixed else None)
    answer, optimum = solve_p_median(problem), find_by_force(problem)
    if optimum == INF:
        assert answer.status == "infeasible"
        return
    check_answer(problem, answer)
    assert answer.objective == pytest.approx(optimum, rel=1e-6)
    assert answer.bound == pytest.approx(optimum, rel=1e-6)


@given(seed=st.integers(0, 10_000), count=st.integers(2, 4), kind=st.sampled_from((np.float32, np.float64)))
def test_brute_force_on_the_square(seed: int, count: int, kind) -> None:
    problem = build_problem(build_square(25, 9, seed).astype(kind), count, np.full(9, float(seed % 3) * 20))
    answer, optimum = solve_p_median(problem, seed=seed), find_by_force(problem)
    check_answer(problem, answer)
    assert answer.bound <= optimum <= answer.objective * (1 + 1e-12)
    assert answer.gap_share <= 1e-6


@given(seed=st.integers(0, 10_000), most=st.integers(1, 5))
def test_bound_and_settled_sites_hold_at_any_prices(seed: int, most: int) -> None:
    draw = np.random.default_rng(seed)
    problem = build_problem(build_square(15, 8, seed), most, draw.choice([0.0, 30.0], 8))
    rows = build_rows(problem, 8)
    prices = problem.cost.min(axis=1) * draw.uniform(1, 3, 15)
    optimum = find_by_force(problem)
    bound = compute_bound(rows, prices, most)
    assert bound.value <= optimum
    # A site closed (opened) by the bound is so in every plan below the cutoff.
    marks = settle_sites(bound, most, optimum * 1.0001, np.zeros(8, np.int8))
    best = [
        chosen
        for count in range(1, most + 1)
        for chosen in itertools.combinations(range(8), count)
        if problem.cost[:, chosen].min(axis=1).sum() + problem.fixed_cost[list(chosen)].sum() < optimum * 1.0001
    ]
    for chosen in best:
        assert all(marks[site] != CLOSED for site in chosen)
        assert all(site in chosen for site in np.flatnonzero(marks == OPEN))
    # Short lists of sites give a weaker bound, never a wrong one.
    short = build_rows(problem, 3)
    assert compute_bound(short, np.minimum(prices, short.ceiling), most).value <= optimum


def test_only_kept_sites_are_left_in_reduced_rows() -> None:
    problem = build_problem(build_line(0, 1, 2, 10, 11), 2)
    rows = reduce_rows(build_rows(problem, 5), np.array([1, 3]))
    assert rows.site.tolist() == [[0, 1], [0, 1], [0, 1], [1, 0], [1, 0]]
    assert rows.value.tolist() == [[1, 10], [0, 9], [1, 8], [0, 9], [1, 10]]
    # Half of km 1 and half of km 10 open: each row is served half and half; the last part is the dearer one.
    level, cost = np.empty(5), np.empty(5)
    find_levels(rows, np.array([0.5, 0.5]), level, cost)
    assert level.tolist() == [10, 9, 8, 9, 10]
    assert cost.tolist() == [5.5, 4.5, 4.5, 4.5, 5.5]


def test_bound_on_a_line_by_hand() -> None:
    # Villages at 0, 1, 10, two schools. Prices 1, 1, 9: sum 11; worth -1 - 0, -0 - 1, -9; the best two: -10. Bound 1.
    rows = build_rows(build_problem(build_line(0, 1, 10), 2), 3)
    bound = compute_bound(rows, np.array([1.0, 1.0, 9.0]), 2)
    assert bound.worth.tolist() == [-1, -1, -9]
    assert bound.value == pytest.approx(1, rel=1e-8)
    assert bound.value < 1
    forced = compute_bound(rows, np.array([1.0, 1.0, 9.0]), 2, np.array([OPEN, OPEN, FREE], np.int8))
    assert forced.value == pytest.approx(9, rel=1e-8)


def test_swaps_keep_their_books() -> None:
    # The state kept up to date through many swaps says what a new count says.
    rows = build_rows(build_problem(build_square(120, 40, 1), 6, np.full(40, 3.0)), 40)
    plans = PlanSearch(rows, 6, 3)
    plans.start()
    plans.shake(50)
    kept = plans._state
    again = PlanSearch(rows, 6)
    again.open_sites(kept.opened[: kept.n_open[0]].astype(np.int64))
    assert again.cost == pytest.approx(plans.cost)
    assert np.allclose(again._state.gain, kept.gain)
    assert np.allclose(again._state.loss, kept.loss)
    assert np.allclose(again._state.extra, kept.extra)


def test_rows_added_up_lead_to_good_sites() -> None:
    problem = build_problem(build_square(2_000, 12, 5), 4)
    sites = find_rough_sites(problem, build_rows(problem, 12), 4, seed=0, watch=Watch())
    assert len(sites) == 4
    assert problem.cost[:, sites].min(axis=1).sum() <= 1.02 * find_by_force(problem)
    few = build_problem(build_square(20, 12, 5), 4)  # hardly two rows have the same nearest sites
    assert len(find_rough_sites(few, build_rows(few, 12), 4, seed=0, watch=Watch())) == 0


@pytest.mark.parametrize("clusters", [0, 5])
def test_squares_close_to_the_optimum(clusters: int) -> None:
    cost = build_square(250, 250, 7, clusters=clusters)
    problem = build_problem(cost, 12)
    answer = solve_p_median(problem)
    check_answer(problem, answer)
    assert answer.status == "optimal"
    more = solve_p_median(build_problem(cost, 13), gap_share=0.01)
    assert more.bound < answer.objective  # one more site never costs more
    assert more.objective <= answer.objective * 1.011


def test_short_lists_are_lengthened_where_needed() -> None:
    # 80 homes at one spot, 20 far off, one site to open: prices reach beyond the first sites listed.
    draw = np.random.default_rng(0)
    near, far = draw.normal(0, 1, (200, 2)), draw.normal(100, 1, (50, 2))
    homes = np.concatenate([near, far])
    cost = np.hypot(*(homes[:, None] - homes).transpose(2, 0, 1))
    for count in (2, 60):
        problem = build_problem(cost, count)
        answer = solve_p_median(problem)
        check_answer(problem, answer)
        assert answer.status == "optimal"


def test_same_seed_same_answer() -> None:
    problem = build_problem(build_square(150, 60, 3), 8)
    first, again = (solve_p_median(problem, seed=5) for _ in range(2))
    assert np.array_equal(first.opened, again.opened)
    assert (first.bound, first.facts) == (again.bound, again.facts)


def test_gap_and_time_end_the_search() -> None:
    problem = build_problem(build_square(300, 300, 2), 10)
    near = solve_p_median(problem, gap_share=0.05)
    assert (near.status, near.stopped) in (("feasible", "gap"), ("optimal", "proven"))
    assert near.gap_share <= 0.05
    hasty = solve_p_median(problem, time_limit_s=0.0)
    check_answer(problem, hasty)
    assert hasty.status == "feasible"
    assert hasty.stopped == "time"


def test_cancel_answers_at_once() -> None:
    class Cancelled(Exception):
        pass

    calls = 0

    def stop(step, share: float) -> None:
        nonlocal calls
        calls += 1
        assert 0 <= share <= 1
        if calls > 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        solve_p_median(build_problem(build_square(200, 200, 4), 8), progress=stop)


def read_pmed(path: Path) -> tuple[np.ndarray, int]:
    """Read a graph of OR-Library (the last of doubled edges counts): all shortest paths, and the sites to open."""
    numbers = np.array(path.read_text().split(), int)
    n, n_edges, count = numbers[:3]
    edges = np.full((n, n), INF)
    for one, other, length in numbers[3 : 3 + 3 * n_edges].reshape(-1, 3):
        edges[one - 1, other - 1] = edges[other - 1, one - 1] = length
    np.fill_diagonal(edges, 0)
    return floyd_warshall(edges, directed=False), int(count)


def _check_pmed(folder: Path, name: str) -> None:
    with (folder / "optima.csv").open(newline="") as file:
        optimum = {row["file"]: float(row["pmedian_opt"]) for row in csv.DictReader(file)}[name]
    cost, count = read_pmed(folder / name)
    answer = solve_p_median(build_problem(cost, count), time_limit_s=60)
    assert (answer.objective, answer.bound) == (optimum, optimum)
    assert answer.status == "optimal"


@pytest.mark.real
@pytest.mark.parametrize("number", range(1, 6))
def test_published_optima(cases: Path, number: int) -> None:
    _check_pmed(cases / "bench" / "orlib_pmed", f"pmed{number}.txt")


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("number", range(6, 21))
def test_published_optima_of_larger_graphs(cases: Path, number: int) -> None:
    _check_pmed(cases / "bench" / "orlib_pmed", f"pmed{number}.txt")

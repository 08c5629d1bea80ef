"""Floating catchment areas: one street worked by hand, laws, and PySAL's numbers on a real town."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.access import (
    E2SFCA_STEPS,
    TravelPairs,
    build_travel_pairs,
    compute_2sfca,
    compute_3sfca,
    compute_e2sfca,
    compute_gaussian_2sfca,
)

NAN = np.nan
# Three villages with 10, 30 and 0 children; school P with 20 places, Q with 30.
#          P    Q
TIMES = np.array(
    [
        [5.0, 25.0],
        [15.0, 5.0],
        [NAN, 40.0],
    ]
)
DEMAND, SUPPLY = [10.0, 30.0, 0.0], [20.0, 30.0]
METHODS: tuple[Callable[..., npt.NDArray[np.float64]], ...] = (
    lambda *args: compute_2sfca(*args, limit_min=30),
    lambda *args: compute_gaussian_2sfca(*args, limit_min=30),
    compute_e2sfca,
    compute_3sfca,
)


def test_two_steps_by_hand() -> None:
    """Within 20 min P is asked by 40 children (0.5 places each), Q by 30 (1.0 each)."""
    assert compute_2sfca(TIMES, DEMAND, SUPPLY, limit_min=20) == pytest.approx([0.5, 1.5, 0.0])


def test_steps_by_hand() -> None:
    """P is asked by 10·1 + 30·0.68 = 30.4, Q by 10·0.22 + 30·1 = 32.2."""
    p, q = 20 / 30.4, 30 / 32.2
    assert compute_e2sfca(TIMES, DEMAND, SUPPLY) == pytest.approx([p + 0.22 * q, 0.68 * p + q, 0.0])


def test_three_steps_by_hand() -> None:
    """Weights 1 and 0.5: village 1 asks P with 2/3 and Q with 1/3, village 2 the other way round."""
    steps = {10.0: 1.0, 30.0: 0.5}
    p = 20 / (10 * 1 * 2 / 3 + 30 * 0.5 / 3)
    q = 30 / (10 * 0.5 / 3 + 30 * 1 * 2 / 3)
    found = compute_3sfca(TIMES, DEMAND, SUPPLY, steps=steps)
    assert found == pytest.approx([2 / 3 * p + 0.5 / 3 * q, 0.5 / 3 * p + 2 / 3 * q, 0.0])


def test_gaussian_by_hand() -> None:
    weight = np.exp(-(np.array([5.0, 15.0]) ** 2) / (2 * 7.5**2))
    p = 20 / (10 * weight[0] + 30 * weight[1])
    q = 30 / (30 * weight[0])
    found = compute_gaussian_2sfca(TIMES, DEMAND, SUPPLY, limit_min=15)
    assert found == pytest.approx([weight[0] * p, weight[1] * p + weight[0] * q, 0.0])


def test_a_school_that_nobody_asks_for_tells_nothing() -> None:
    """Village 3 (no children) is the only one near R: its places per child are not known, and add to nobody."""
    times = np.array([[5.0, NAN], [NAN, 5.0]])
    found = compute_2sfca(times, [10.0, 0.0], [20.0, 30.0], limit_min=30)
    assert found[0] == 2.0
    assert np.isnan(found[1])


def test_unknown_numbers_count_as_none_and_bad_ones_are_refused() -> None:
    assert compute_2sfca(TIMES, DEMAND, [20.0, NAN], limit_min=20) == pytest.approx([0.5, 0.5, 0.0])
    with pytest.raises(ValueError, match="negative"):
        compute_2sfca(TIMES, [-1.0, 1.0, 1.0], SUPPLY, limit_min=20)
    with pytest.raises(ValueError, match="demand and supply"):
        compute_2sfca(TIMES, DEMAND, [1.0], limit_min=20)
    with pytest.raises(ValueError, match="sigma"):
        compute_gaussian_2sfca(TIMES, DEMAND, SUPPLY, limit_min=20, sigma_min=0.0)


COUNTS = st.lists(st.integers(0, 50), min_size=6, max_size=6)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=25, deadline=None)
@given(demand=COUNTS, supply=COUNTS, seed=st.integers(0, 10_000))
def test_laws(method: Callable[..., npt.NDArray[np.float64]], demand: list[int], supply: list[int], seed: int) -> None:
    """Dense and sparse agree; all places within reach are shared out; doubling demand halves, order does not matter."""
    generator = np.random.default_rng(seed)
    times = generator.uniform(0, 45, (6, 6))
    times[generator.random((6, 6)) < 0.2] = NAN
    wanted, offered = np.array(demand, dtype=float), np.array(supply, dtype=float)
    found = method(times, wanted, offered)
    assert np.allclose(found, method(build_travel_pairs(times), wanted, offered), equal_nan=True)
    order = generator.permutation(6)
    assert np.allclose(found[order], method(times[order], wanted[order], offered), equal_nan=True)
    assert np.allclose(found, 2 * method(times, 2 * wanted, offered), equal_nan=True)
    assert np.allclose(3 * found, method(times, wanted, 3 * offered), equal_nan=True)
    more = offered + np.eye(6)[0]
    assert (np.nan_to_num(method(times, wanted, more)) >= np.nan_to_num(found) - 1e-12).all()
    weighs = (times <= 30) & (wanted[:, None] > 0)
    asked = weighs.any(axis=0)  # every method counts each way of up to 30 minutes
    assert np.nansum(found * wanted) == pytest.approx(offered[asked].sum(), rel=1e-9, abs=1e-9)


@pytest.mark.real
def test_agrees_with_pysal(cases: Path) -> None:
    """PySAL access 1.1.10 on Porto Alegre's walks: 1,227 places × 177 schools. Empty there: nobody is within reach."""
    costs = pd.read_parquet(cases / "refs" / "poa_walk_minutes_cost.parquet")
    known = pd.read_csv(cases / "refs" / "poa_access_pysal.csv").set_index("id")
    schools = pd.read_csv(cases / "porto_alegre_r5r" / "poa_hexgrid.csv").set_index("id")["schools"]
    goals = pd.Index(sorted(set(costs["dest"])))
    pairs = TravelPairs(
        known.index.get_indexer(pd.Index(costs["origin"])).astype(np.int64),
        goals.get_indexer(pd.Index(costs["dest"])).astype(np.int64),
        costs["cost"].to_numpy(),
        (len(known), len(goals)),
    )
    demand, count = known["population"], schools.reindex(goals).to_numpy(dtype=float)
    for unit, supply in (("schools", count), ("seats", 700 * count)):
        for name, found in (
            ("2sfca15", compute_2sfca(pairs, demand, supply, limit_min=15)),
            ("g2sfca15", compute_gaussian_2sfca(pairs, demand, supply, limit_min=15, sigma_min=7.5)),
            ("e2sfca", compute_e2sfca(pairs, demand, supply, steps=E2SFCA_STEPS)),
            ("3sfca", compute_3sfca(pairs, demand, supply)),
        ):
            expected = known[f"{name}_{unit}"].fillna(0.0)
            assert np.abs(found - expected).max() < 1e-12

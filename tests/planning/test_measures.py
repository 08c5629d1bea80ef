import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning.measures import (
    compute_atkinson,
    compute_class_share,
    compute_cv,
    compute_gini,
    compute_hoover,
    compute_mean,
    compute_quantile,
    compute_schutz,
    compute_theil,
)

MEXICO_1940 = [
    10384, 22361, 9573, 3758, 2934, 8578, 8537, 6909, 17816, 12132, 4359, 2181, 4414, 5309, 3408, 3327, 6936, 4836,
    9073, 1892, 3569, 11016, 21965, 4372, 4840, 6399, 2459, 7508, 3605, 5203, 7990, 3734,
]  # fmt: skip
POSITIVE = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=40)


def test_gini_agrees_with_pysal():
    """PySAL's inequality package gives 0.3537237117 for Mexican states in 1940; its mean and std too."""
    values = np.array(MEXICO_1940, dtype=float)
    assert compute_gini(values) == pytest.approx(0.3537237117345285, abs=1e-12)
    assert compute_cv(values) == pytest.approx(5122.979998157658 / 7230.53125, abs=1e-12)


def test_cv_is_weighted_by_enrolment_as_in_the_official_note():
    """The method note's own example: five schools, books; 0.5153 weighted, 0.4888 unweighted."""
    pupils = np.array([45, 37, 89, 76, 55], dtype=float)
    books = np.array([279, 137, 935, 160, 402], dtype=float)
    assert compute_mean(books / pupils, pupils) == pytest.approx(6.3344, abs=1e-4)
    assert compute_cv(books / pupils, pupils) == pytest.approx(0.5153, abs=1e-4)
    assert compute_cv(books / pupils) == pytest.approx(0.4888, abs=1e-4)


def test_quantiles_are_values_that_occur():
    values, weights = np.array([30.0, 10.0, 20.0, np.nan]), np.array([1.0, 5.0, 4.0, 100.0])
    assert [compute_quantile(values, weights, share) for share in (0.0, 0.5, 0.51, 0.9, 0.91, 1.0)] == [
        10,
        10,
        20,
        20,
        30,
        30,
    ]


def test_nothing_known_is_nan():
    empty = np.array([])
    for value in (compute_mean(empty), compute_cv(empty), compute_gini(empty), compute_quantile(empty, None, 0.5)):
        assert np.isnan(value)
    assert np.isnan(compute_gini(np.zeros(3)))
    assert np.isnan(compute_class_share(np.array([np.nan]), np.array([3.0]), 56))


@given(POSITIVE)
def test_gini_lies_between_equal_and_all_for_one(values: list[float]):
    gini = compute_gini(np.array(values))
    assert 0 <= gini <= 1 - 1 / len(values) + 1e-9
    assert compute_gini(np.full(len(values), values[0])) == pytest.approx(0, abs=1e-12)


@given(POSITIVE, st.integers(1, 4))
def test_whole_weights_are_repetitions(values: list[float], times: int):
    array = np.array(values)
    weights = np.full(len(values), float(times))
    weights[0] += 1
    repeated = np.repeat(array, weights.astype(int))
    assert compute_gini(array, weights) == pytest.approx(compute_gini(repeated), abs=1e-9)
    assert compute_cv(array, weights) == pytest.approx(compute_cv(repeated), abs=1e-6)
    assert compute_quantile(array, weights, 0.95) == compute_quantile(repeated, None, 0.95)


@pytest.mark.real
def test_gini_of_the_reference_file(cases: Path):
    reference = json.loads((cases / "refs" / "spopt_inequality_reference.json").read_text())["inequality"]
    assert compute_gini(np.array(reference["values"])) == pytest.approx(reference["gini"], abs=1e-12)


def test_inequality_agrees_with_pysal():
    """PySAL inequality 1.1.2 on Mexican states in 1940: Theil, Schutz and Atkinson."""
    values = np.array(MEXICO_1940, dtype=float)
    assert compute_theil(values) == pytest.approx(0.20894344230358594, abs=1e-12)
    assert compute_schutz(values) == pytest.approx(83.21190092360088, abs=1e-9)
    assert compute_atkinson(values, epsilon=0.5) == pytest.approx(0.0984322239880091, abs=1e-12)
    assert compute_atkinson(values, epsilon=1.0) == pytest.approx(0.1836800569549023, abs=1e-12)
    assert compute_hoover(values) == pytest.approx(83.21190092360088 / 320, abs=1e-12)


def test_inequality_by_hand():
    """1 and 3 (mean 2): Hoover (1+1)/(2·2·2) = 0.25; Theil (½ ln ½ + 3/2 ln 3/2)/2; Atkinson 1: 1 − √3/2."""
    values = np.array([1.0, 3.0])
    assert compute_hoover(values) == pytest.approx(0.25)
    assert compute_theil(values) == pytest.approx((0.5 * np.log(0.5) + 1.5 * np.log(1.5)) / 2)
    assert compute_atkinson(values, epsilon=1.0) == pytest.approx(1 - np.sqrt(3) / 2)
    assert compute_atkinson(values, epsilon=2.0) == pytest.approx(1 - 1.5 / 2)  # harmonic mean 1.5
    assert compute_atkinson(np.array([0.0, 3.0]), epsilon=1.0) == 1.0
    assert compute_theil(np.array([0.0, 3.0])) == pytest.approx(np.log(2))
    with pytest.raises(ValueError, match="positive"):
        compute_atkinson(values, epsilon=0.0)


SPREADS = (compute_gini, compute_hoover, compute_theil, compute_atkinson, partial(compute_atkinson, epsilon=1.0))


@pytest.mark.parametrize("measure", SPREADS)
@given(values=POSITIVE, factor=st.floats(0.01, 100), times=st.integers(1, 4))
def test_laws_of_inequality(measure: Callable[..., float], values: list[float], factor: float, times: int):
    """Scale invariance, replication invariance, equal = 0, and whole-number weights are repetitions."""
    array = np.array(values)
    found = measure(array)
    assert 0 <= found <= max(1.0, np.log(len(values)) + 1e-9)
    assert measure(array * factor) == pytest.approx(found, abs=1e-9)
    assert measure(np.tile(array, times)) == pytest.approx(found, abs=1e-9)
    assert measure(np.full(len(array), array[0])) == pytest.approx(0, abs=1e-9)
    weights = np.full(len(array), float(times))
    weights[0] += 2
    assert measure(array, weights) == pytest.approx(measure(np.repeat(array, weights.astype(int))), abs=1e-9)
    assert measure(np.append(array, np.nan), np.append(weights, 7)) == pytest.approx(measure(array, weights))


@pytest.mark.parametrize("measure", [*SPREADS, compute_schutz])
def test_inequality_of_nothing_is_nan(measure: Callable[..., float]):
    assert np.isnan(measure(np.array([])))
    assert np.isnan(measure(np.zeros(3)))


@pytest.mark.real
def test_inequality_of_the_reference_file(cases: Path):
    reference = json.loads((cases / "refs" / "spopt_inequality_reference.json").read_text())["inequality"]
    values = np.array(reference["values"])
    assert compute_theil(values) == pytest.approx(reference["theil"], abs=1e-12)
    assert compute_schutz(values) == pytest.approx(reference["schutz"], abs=1e-9)
    assert compute_atkinson(values, epsilon=0.5) == pytest.approx(reference["atkinson_eps05"], abs=1e-12)
    assert compute_atkinson(values, epsilon=1.0) == pytest.approx(reference["atkinson_eps1"], abs=1e-12)

"""Totals of a stage by simple methods, and what weight each method has: the less it erred in back-tests, the more."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from planning.forecast_options import METHODS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAMPING = 0.8
"""Share of a trend that is left every year."""
FADING = 0.5
"""What is left of the weight of a method other than cohorts for every year beyond the horizons that were tested."""
SHARPNESS = 2.0
"""Power of the inverse squared error that is the weight: 1 weighs as if methods erred apart, which they do not."""
PRIOR_CASES = 6
PRIOR_ERRORS: Mapping[str, float] = {"cohort": 0.012, "trend": 0.06, "linear": 0.06, "naive": 0.06}
"""What errors are expected of a method before a county was tested, rounded from grown counties (docs/forecast.md)."""


def extrapolate(method: str, years: Ints, totals: Floats, later: Ints) -> Floats:
    """Return totals of later years, (later, …), from those known, (years, …): naive, linear or (damped) trend.

    Straight lines stop at 0. A trend is one of the logarithm of 1 + the total, and loses a fifth of its slope a year.
    NaN in a year makes that year count as unknown; where fewer than two are known the last value is held.
    """
    known = np.isfinite(totals)
    weight = known.astype(np.float64)
    last = np.where(known, np.arange(len(years)).reshape(-1, *[1] * (totals.ndim - 1)), -1).max(axis=0)
    held = np.take_along_axis(totals, np.maximum(last, 0)[None], axis=0)
    away = (later - years[-1]).reshape(-1, *[1] * (totals.ndim - 1)).astype(np.float64)
    if method == "naive":
        return np.asarray(np.broadcast_to(held, (len(later), *totals.shape[1:])) + 0.0 * away)
    values = totals if method == "linear" else np.log(np.maximum(totals, 1e-9))
    usable = weight if method == "linear" else np.where(known & (totals > 0), 1.0, 0.0)
    level, slope = _fit_line(years, values, usable)
    if method == "linear":
        return np.asarray(np.maximum(level + slope * away, 0.0))
    steps = DAMPING * (1 - DAMPING**away) / (1 - DAMPING)
    with np.errstate(over="ignore"):
        return np.asarray(np.where(held > 0, held * np.exp(np.clip(slope, -0.5, 0.5) * steps), 0.0))


def _fit_line(years: Ints, values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return the value at the last year and the slope of the least-squares line of every column."""
    shape = (-1, *[1] * (values.ndim - 1))
    x = (years - years[-1]).reshape(shape).astype(np.float64)
    v = np.where(weight > 0, values, 0.0)
    total = np.maximum(weight.sum(axis=0), 1e-12)
    mean_x, mean_v = (weight * x).sum(axis=0) / total, (weight * v).sum(axis=0) / total
    spread = (weight * (x - mean_x) ** 2).sum(axis=0)
    slope = np.divide(
        (weight * (x - mean_x) * (v - mean_v)).sum(axis=0), spread, out=np.zeros_like(spread), where=spread > 0
    )
    return mean_v - slope * mean_x, slope


def weigh_methods(errors: Mapping[str, tuple[float, int]]) -> dict[str, float]:
    """Return the weight of every method: in proportion to 1 / error⁴; cohorts alone where nothing was tested.

    A few years of one county are few cases, so each squared error is taken together with that expected beforehand:

        error² = (cases × squared error + PRIOR_CASES × prior²) / (cases + PRIOR_CASES)

    Parameters
    ----------
    errors
        Mean squared relative error and number of cases, by method.
    """
    if "cohort" not in errors:
        return {method: float(method == "cohort") for method in METHODS}
    raw = {}
    for method in METHODS:
        squared, cases = errors.get(method, (0.0, 0))
        error = (cases * squared + PRIOR_CASES * PRIOR_ERRORS[method] ** 2) / (cases + PRIOR_CASES)
        raw[method] = error**-SHARPNESS
    total = sum(raw.values())
    return {method: value / total for method, value in raw.items()}


def blend(totals: Mapping[str, Floats], weights: Mapping[str, float], tested: int) -> Floats:
    """Return the weighted mean of the methods' totals, (years,); beyond the horizons tested all but cohorts fade."""
    years = len(totals["cohort"])
    beyond = np.maximum(np.arange(1, years + 1) - tested, 0)
    table = np.array(
        [
            weights.get(method, 0.0) * (1.0 if method == "cohort" else FADING**beyond) * np.ones(years)
            for method in METHODS
        ]
    )
    values = np.array([totals[method] for method in METHODS])
    total = table.sum(axis=0)
    table[METHODS.index("cohort")] += total <= 0
    return np.asarray((table * values).sum(axis=0) / table.sum(axis=0))

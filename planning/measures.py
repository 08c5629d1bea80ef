"""Weighted mean, quantile, Gini and coefficient of variation. Pure numpy; NaN values carry no weight."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[np.float64]


def _clean(values: Values, weights: Values | None) -> tuple[Values, Values]:
    values = np.asarray(values, dtype=np.float64)
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    kept = np.isfinite(values) & np.isfinite(weights) & (weights > 0)
    return values[kept], weights[kept]


def compute_mean(values: Values, weights: Values | None = None) -> float:
    """Return the weighted mean; NaN where nothing has weight."""
    values, weights = _clean(values, weights)
    return float(values @ weights / weights.sum()) if len(values) else float("nan")


def compute_quantile(values: Values, weights: Values | None, share: float) -> float:
    """Return the smallest value that at least ``share`` (0 to 1) of the weight does not exceed; NaN without weight."""
    values, weights = _clean(values, weights)
    if not len(values):
        return float("nan")
    order = np.argsort(values, kind="stable")
    summed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(summed, share * summed[-1] * (1 - 1e-12))])


def compute_cv(values: Values, weights: Values | None = None) -> float:
    """Return the coefficient of variation, population form: ``sqrt(Σ w (x − x̄)² / Σ w) / x̄``.

    Weighted by enrolment this is the official 差异系数 (rule CV of the reference); unweighted it treats a school of 20
    pupils like one of 2,000. NaN where there is no value or the mean is 0.
    """
    values, weights = _clean(values, weights)
    mean = compute_mean(values, weights)
    if not len(values) or mean == 0:
        return float("nan")
    return float(np.sqrt(compute_mean((values - mean) ** 2, weights)) / mean)


def compute_gini(values: Values, weights: Values | None = None) -> float:
    """Return the Gini coefficient, ``Σᵢⱼ wᵢ wⱼ |xᵢ − xⱼ| / (2 x̄ W²)``: 0 = all equal. NaN as in :func:`compute_cv`."""
    values, weights = _clean(values, weights)
    mean = compute_mean(values, weights)
    if not len(values) or mean == 0:
        return float("nan")
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    below = np.cumsum(weights) - weights / 2
    total = weights.sum()
    return float(max(0.0, 2 * (weights * values) @ below / (total**2 * mean) - 1))


def compute_class_share(sizes: Values, classes: Values, start: float) -> float:
    """Return the share of classes in schools whose average class (``sizes``) has ``start`` pupils or more.

    All classes of such a school count as large; schools of unknown size are left out; NaN where none is known.
    """
    known = np.isfinite(sizes)
    total = float(classes[known].sum())
    return float(classes[known & (sizes >= start)].sum()) / total if total else float("nan")

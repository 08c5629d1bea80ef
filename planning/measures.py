"""Weighted mean, quantile and measures of inequality. Pure numpy; NaN values carry no weight.

All measures of inequality are 0 where every value is the same, and do not change when all values are multiplied
(scale invariance). All but :func:`compute_schutz` do not change when everybody is counted twice either (replication
invariance): a whole-number weight is that many equal values. Values must not be negative.
"""

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


def compute_hoover(values: Values, weights: Values | None = None) -> float:
    """Return the Hoover index, ``Σ w |x − x̄| / (2 x̄ W)``: the share that would have to change hands.

    Hoover 1936, "The measurement of industrial localization", Review of Economics and Statistics 18(4). Also the
    longest vertical distance between the Lorenz curve and equality (PySAL's Schutz ``distance``). NaN as in
    :func:`compute_cv`.
    """
    values, weights = _clean(values, weights)
    mean = compute_mean(values, weights)
    if not len(values) or mean == 0:
        return float("nan")
    return compute_mean(np.abs(values - mean), weights) / (2 * mean)


def compute_schutz(values: Values, weights: Values | None = None) -> float:
    """Return the Schutz coefficient as PySAL ``inequality`` gives it: ``10 n`` × the Hoover index, n values.

    Schutz 1951, "On the measurement of income inequality", American Economic Review 41(1): the slopes of the Lorenz
    curve above 1, added up. It grows with the number of values: compare only equal numbers, else take
    :func:`compute_hoover`. NaN as in :func:`compute_cv`.
    """
    return 10 * len(_clean(values, weights)[0]) * compute_hoover(values, weights)


def compute_theil(values: Values, weights: Values | None = None) -> float:
    """Return Theil's T, ``Σ w (x / x̄) ln(x / x̄) / W``: 0 = all equal, ``ln(W / w)`` = one has everything.

    Theil 1967, Economics and Information Theory. A value of 0 adds nothing. NaN as in :func:`compute_cv`.
    """
    values, weights = _clean(values, weights)
    mean = compute_mean(values, weights)
    if not len(values) or mean == 0:
        return float("nan")
    ratio = values / mean
    logs = np.log(ratio, out=np.zeros_like(ratio), where=ratio > 0)
    return float(max(0.0, compute_mean(ratio * logs, weights)))


def compute_atkinson(values: Values, weights: Values | None = None, *, epsilon: float = 0.5) -> float:
    """Return the Atkinson index, ``1 − (Σ w x^(1−ε) / W)^(1/(1−ε)) / x̄``; with ε = 1 the geometric mean by the mean.

    Atkinson 1970, "On the measurement of inequality", Journal of Economic Theory 2(3). The greater ``epsilon`` (above
    0), the more the small values count; from 1 on a single value of 0 makes it 1. NaN as in :func:`compute_cv`.

    Raises
    ------
    ValueError
        ``epsilon`` is not positive.
    """
    if not epsilon > 0:
        raise ValueError("epsilon must be positive")
    values, weights = _clean(values, weights)
    mean = compute_mean(values, weights)
    if not len(values) or mean == 0:
        return float("nan")
    ratio = values / mean  # scaled first, so that powers of large numbers stay finite
    if epsilon >= 1 and (ratio == 0).any():
        return 1.0
    if epsilon == 1:
        equal = np.exp(compute_mean(np.log(ratio), weights))
    else:
        equal = compute_mean(ratio ** (1 - epsilon), weights) ** (1 / (1 - epsilon))
    return float(max(0.0, 1 - equal))


def compute_class_share(sizes: Values, classes: Values, start: float) -> float:
    """Return the share of classes in schools whose average class (``sizes``) has ``start`` pupils or more.

    All classes of such a school count as large; schools of unknown size are left out; NaN where none is known.
    """
    known = np.isfinite(sizes)
    total = float(classes[known].sum())
    return float(classes[known & (sizes >= start)].sum()) / total if total else float("nan")

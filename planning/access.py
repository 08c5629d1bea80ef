"""Places within reach of a child, when everybody else who lives near may take them too: floating catchment areas.

First every school shares its places among the demand within its reach; then every unit adds up the shares of the
schools within its own. The result is places (or schools) for one child: 1.0 means that there are as many places as
children, all equally near.

Four forms, all on the same pairs of a unit and a school with the minutes between them:

``compute_2sfca``
    Every way up to the limit counts fully. Luo & Wang 2003, "Measures of spatial accessibility to health care in a GIS
    environment", Environment and Planning B 30(6), 865-884.
``compute_gaussian_2sfca``
    A way counts less the longer it is: ``exp(-t² / 2σ²)`` up to the limit, 1 at no distance. Dai 2010, "Black
    residential segregation, disparities in spatial access to health care facilities, and late-stage breast cancer
    diagnosis in metropolitan Detroit", Health & Place 16(5), 1038-1052, in the form of PySAL ``access``.
``compute_e2sfca``
    Steps of time with one weight each. Luo & Qi 2009, "An enhanced two-step floating catchment area (E2SFCA) method for
    measuring spatial accessibility to primary care physicians", Health & Place 15(4), 1100-1107.
``compute_3sfca``
    As the enhanced form, and a unit asks each of several schools for a part of its children only, by weight. Wan, Zou &
    Sternberg 2012, "A three-step floating catchment area method for analyzing spatial access to health services",
    International Journal of Geographical Information Science 26(6), 1073-1089.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from geodata.study import FrozenArrays

Floats: TypeAlias = npt.NDArray[np.float64]

E2SFCA_STEPS: Mapping[float, float] = MappingProxyType({10.0: 1.0, 20.0: 0.68, 30.0: 0.22})
"""Minutes and weights of Luo & Qi 2009."""
THREE_STEPS: Mapping[float, float] = MappingProxyType({10.0: 0.962, 20.0: 0.704, 30.0: 0.377})
"""Minutes and weights of Wan, Zou & Sternberg 2012 up to half an hour: a Gaussian at the middle of each step."""


@dataclass(frozen=True, eq=False)
class TravelPairs(FrozenArrays):
    """The ways that exist: positions of unit and school and the minutes between them, one row per way.

    ``shape`` is (units, schools). Pairs that are not listed have no way.
    """

    unit: npt.NDArray[np.int64]
    school: npt.NDArray[np.int64]
    time_min: Floats
    shape: tuple[int, int]


Times: TypeAlias = npt.NDArray[np.floating] | TravelPairs
"""Minutes of shape (units, schools), NaN = no way; or the pairs that have one."""


def build_travel_pairs(time_min: npt.NDArray[np.floating], *, limit_min: float = float("inf")) -> TravelPairs:
    """Return the ways of a table of minutes (units, schools) that are no longer than ``limit_min``; NaN is none."""
    unit, school = np.nonzero(time_min <= limit_min)
    minutes = np.asarray(time_min[unit, school], dtype=np.float64)
    return TravelPairs(unit, school, minutes, (time_min.shape[0], time_min.shape[1]))


def compute_2sfca(time_min: Times, demand: npt.ArrayLike, supply: npt.ArrayLike, *, limit_min: float) -> Floats:
    """Return supply per demand within ``limit_min`` of every unit, by two steps (Luo & Wang 2003).

    ``A_i = Σ_{j: t_ij ≤ T} S_j / Σ_{k: t_kj ≤ T} D_k``

    Parameters
    ----------
    time_min
        Minutes (units, schools), NaN = no way, or :class:`TravelPairs`.
    demand
        Children by unit, 0 or more; NaN counts as none.
    supply
        Places (or schools) by school, 0 or more; NaN counts as none.
    limit_min
        Longest way that counts.

    Returns
    -------
    array (units,)
        0 where no school is within reach; NaN where only schools are that no known child asks for.

    Raises
    ------
    ValueError
        The arrays do not fit each other, or a number is negative.
    """
    pairs = _cut(time_min, limit_min)
    return _float_catchments(pairs, demand, supply, np.ones(len(pairs.unit)))


def compute_gaussian_2sfca(
    time_min: Times,
    demand: npt.ArrayLike,
    supply: npt.ArrayLike,
    *,
    limit_min: float,
    sigma_min: float | None = None,
) -> Floats:
    """Return supply per demand with weights ``exp(-t² / 2σ²)`` up to ``limit_min``.

    ``sigma_min`` is half the limit unless given: a way as long as the limit then counts 0.135. For the other
    parameters, the value and the errors see :func:`compute_2sfca`.
    """
    sigma = limit_min / 2 if sigma_min is None else sigma_min
    if not sigma > 0:
        raise ValueError("sigma_min must be positive")
    pairs = _cut(time_min, limit_min)
    return _float_catchments(pairs, demand, supply, np.exp(-(pairs.time_min**2) / (2 * sigma**2)))


def compute_e2sfca(
    time_min: Times, demand: npt.ArrayLike, supply: npt.ArrayLike, *, steps: Mapping[float, float] = E2SFCA_STEPS
) -> Floats:
    """Return supply per demand with one weight for each step of time.

    ``steps`` maps the upper bound of each step in minutes (included) to its weight; longer ways count nothing. For the
    other parameters, the value and the errors see :func:`compute_2sfca`.
    """
    pairs = _cut(time_min, max(steps))
    return _float_catchments(pairs, demand, supply, _weigh(pairs.time_min, steps))


def compute_3sfca(
    time_min: Times, demand: npt.ArrayLike, supply: npt.ArrayLike, *, steps: Mapping[float, float] = THREE_STEPS
) -> Floats:
    """Return supply per demand where a unit's children are spread over the schools within reach by weight.

    With ``G_ij = W_ij / Σ_j W_ij``: ``A_i = Σ_j G_ij W_ij S_j / Σ_k G_kj W_kj D_k``. For the parameters, the value and
    the errors see :func:`compute_e2sfca`.
    """
    pairs = _cut(time_min, max(steps))
    weight = _weigh(pairs.time_min, steps)
    total = np.bincount(pairs.unit, weights=weight, minlength=pairs.shape[0])[pairs.unit]
    chosen = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    return _float_catchments(pairs, demand, supply, weight * chosen)


def _cut(time_min: Times, limit_min: float) -> TravelPairs:
    """Return the pairs within the limit."""
    if not isinstance(time_min, TravelPairs):
        return build_travel_pairs(time_min, limit_min=limit_min)
    kept = time_min.time_min <= limit_min
    if kept.all():
        return time_min
    return TravelPairs(time_min.unit[kept], time_min.school[kept], time_min.time_min[kept], time_min.shape)


def _weigh(minutes: Floats, steps: Mapping[float, float]) -> Floats:
    """Return the weight of the step in which each time falls; 0 beyond the last."""
    bounds = np.array(sorted(steps), dtype=np.float64)
    weights = np.array([*(steps[bound] for bound in bounds), 0.0], dtype=np.float64)
    if (weights < 0).any():
        raise ValueError("weights of steps must not be negative")
    return np.asarray(weights[np.searchsorted(bounds, minutes, side="left")], dtype=np.float64)


def _float_catchments(pairs: TravelPairs, demand: npt.ArrayLike, supply: npt.ArrayLike, weight: Floats) -> Floats:
    """Return ``Σ_j w_ij S_j / Σ_k w_kj D_k`` by unit."""
    wanted, offered = (_read_amounts(values) for values in (demand, supply))
    if (len(wanted), len(offered)) != pairs.shape:
        raise ValueError(f"times are for {pairs.shape}, demand and supply for {(len(wanted), len(offered))}")
    asked = np.bincount(pairs.school, weights=weight * wanted[pairs.unit], minlength=pairs.shape[1])
    shared = np.divide(offered, asked, out=np.zeros_like(offered), where=asked > 0)
    result = np.bincount(pairs.unit, weights=weight * shared[pairs.school], minlength=pairs.shape[0])
    counted = weight > 0
    near = np.bincount(pairs.unit[counted], minlength=pairs.shape[0])
    asked_near = np.bincount(pairs.unit[counted & (asked[pairs.school] > 0)], minlength=pairs.shape[0])
    return np.where((near > 0) & (asked_near == 0), np.nan, result)


def _read_amounts(values: npt.ArrayLike) -> Floats:
    amounts = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0)
    if (amounts < 0).any():
        raise ValueError("demand and supply must not be negative")
    return amounts

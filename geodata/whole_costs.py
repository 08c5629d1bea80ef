"""Costs of ways as whole numbers: sums are exact, and the order in which they are added cannot change a result.

Minutes alone
    ``int32`` milliseconds.
Minutes and metres
    ``int64`` = milliseconds × 2³² + millimetres. Adding two such numbers adds both parts, and the smaller of two is the
    faster way, of equally fast ways the shorter: one number carries the fastest way and its metres. A way of more than
    4,294 km would spill into the milliseconds; no county has one.

From 10⁹ milliseconds on (11 days) there is no way. Every step is rounded once, by at most half a millisecond and half
a millimetre.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Costs: TypeAlias = npt.NDArray[Any]
"""int32 or int64, see the module."""

LONGEST_MS = 10**9
_SHIFT = 2**32


def cost_type(lengths: bool) -> np.dtype[Any]:
    """Return the type of costs with or without metres."""
    return np.dtype(np.int64 if lengths else np.int32)


def no_way(dtype: npt.DTypeLike) -> int:
    """Return the cost from which on there is no way; two of them can be added."""
    return LONGEST_MS if np.dtype(dtype).itemsize == 4 else LONGEST_MS * _SHIFT


def to_costs(seconds: npt.ArrayLike, metres: npt.ArrayLike, *, lengths: bool) -> Costs:
    """Return costs of seconds and metres; NaN, ``inf`` and what is too long become "no way"."""
    millis = np.asarray(seconds, dtype=np.float64) * 1000.0
    open_ = millis < LONGEST_MS - 0.5
    whole = np.rint(np.where(open_, np.maximum(millis, 0.0), LONGEST_MS))
    if not lengths:
        return whole.astype(np.int32)
    thousandths = np.rint(
        np.where(open_, np.nan_to_num(np.asarray(metres, dtype=np.float64), posinf=0.0), 0.0) * 1000.0
    )
    return np.asarray(whole.astype(np.int64) * _SHIFT + thousandths.astype(np.int64))


def add_costs(first: Costs, second: Costs) -> Costs:
    """Return the sums; "no way" stays "no way"."""
    limit = no_way(first.dtype)
    return np.asarray(np.minimum(first + second, limit), dtype=first.dtype)


def to_limit(limit_s: float, dtype: npt.DTypeLike) -> int:
    """Return the largest cost that is not beyond ``limit_s`` seconds (``inf``: any way)."""
    shift = 1 if np.dtype(dtype).itemsize == 4 else _SHIFT
    if not limit_s * 1000.0 < LONGEST_MS - 1:
        return LONGEST_MS * shift - 1
    return (round(max(limit_s, -0.001) * 1000.0) + 1) * shift - 1

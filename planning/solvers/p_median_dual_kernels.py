"""Numba kernels of the volume algorithm: better prices of the rows, and shares of the sites that go with them.

F. Barahona, R. Anbil, *The volume algorithm: producing primal solutions with a subgradient method*, Mathematical
Programming 87, 2000; for location: F. Barahona, F. A. Chudak, 2005.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from planning.solvers.p_median_kernels import Rows, choose_best, compute_worth, count_unserved, find_least

Array: TypeAlias = "np.ndarray[Any, Any]"


class Volume(NamedTuple):
    """Where the algorithm stands; kept so that it can be run a little at a time.

    ``best`` (rows,): prices of the best bound. ``direction`` (rows,): mean of the subgradients. ``share`` (sites,):
    mean of the sites chosen, close to the optimum of the linear relaxation. ``numbers`` (5,): bound, step, weight of
    the newest choice, rounds without success, bound at the last look.
    """

    best: Array
    direction: Array
    share: Array
    numbers: Array


BOUND, STEP, WEIGHT, MISSES, LAST = range(5)
_START_STEP, _START_WEIGHT = 0.1, 0.1
_LOOK_EVERY = 100


def build_volume(lam: Array, n_sites: int) -> Volume:
    """Return the start from the prices given."""
    numbers = np.array([-np.inf, _START_STEP, _START_WEIGHT, 0.0, -np.inf])
    return Volume(lam.copy(), np.zeros(len(lam)), np.zeros(n_sites), numbers)


@njit(cache=True, nogil=True)
def _mix_in(state: Volume, slack: Array, chosen: Array) -> float:
    """Mix the newest choice into the means by the weight that makes the direction shortest; return the agreement."""
    agree, new, old = 0.0, 0.0, 0.0
    for row in range(len(slack)):
        agree += slack[row] * state.direction[row]
        new += slack[row] * slack[row]
        old += state.direction[row] * state.direction[row]
    most = state.numbers[WEIGHT]
    weight, apart = most, new + old - 2 * agree
    if apart > 0:
        weight = min(max((old - agree) / apart, most / 10), most)
    state.direction[:] = weight * slack + (1 - weight) * state.direction
    state.share[:] = weight * chosen + (1 - weight) * state.share
    return agree


@njit(cache=True, nogil=True)
def _judge(state: Volume, value: float, lam: Array, agree: float) -> None:
    """Keep better prices; lengthen or shorten the step."""
    numbers = state.numbers
    if value > numbers[BOUND]:
        numbers[BOUND] = value
        state.best[:] = lam
        numbers[MISSES] = 0.0
        if agree > 0:
            numbers[STEP] = min(numbers[STEP] * 1.1, 2.0)
        return
    numbers[MISSES] += 1
    if numbers[MISSES] >= 20:
        numbers[STEP] *= 0.66
        numbers[MISSES] = 0.0


@njit(cache=True, nogil=True)
def improve_prices(rows: Rows, state: Volume, most: int, target: float, rounds: int, first: int) -> None:
    """Run ``rounds`` rounds towards ``target`` (the cost of a plan), the ``first`` being counted from 0."""
    n_rows, n_sites = len(rows.reach), len(rows.fixed)
    least = find_least(rows)
    rho, chosen, slack = np.empty(n_sites), np.empty(n_sites), np.empty(n_rows)
    lam, numbers = state.best.copy(), state.numbers
    for number in range(first, first + rounds):
        if number > 0:
            length = 0.0
            for row in range(n_rows):
                length += state.direction[row] ** 2
            if length == 0.0:
                return
            step = numbers[STEP] * max(target - numbers[BOUND], 0.0) / length
            for row in range(n_rows):
                price = state.best[row] + step * state.direction[row]
                lam[row] = min(max(price, least[row]), rows.ceiling[row])
        value = compute_worth(rows, lam, rho)
        value += choose_best(rho, most, chosen)
        count_unserved(rows, lam, chosen, slack)
        if number == 0:
            state.direction[:] = slack
            state.share[:] = chosen
        agree = _mix_in(state, slack, chosen)
        _judge(state, value, lam, agree)
        if number % _LOOK_EVERY == _LOOK_EVERY - 1:
            if numbers[BOUND] - numbers[LAST] < 1e-5 * abs(numbers[BOUND]):
                numbers[WEIGHT] = max(numbers[WEIGHT] / 2, 1e-5)
            numbers[LAST] = numbers[BOUND]


@njit(cache=True, nogil=True)
def warm_up(rows: Rows, state: Volume, most: int, target: float, rounds: int) -> None:
    """Make prices of the right size quickly: subgradients, each mixed with the one before, steps after Polyak."""
    n_rows, n_sites = len(rows.reach), len(rows.fixed)
    least = find_least(rows)
    rho, chosen, slack = np.empty(n_sites), np.empty(n_sites), np.empty(n_rows)
    lam, direction, numbers = state.best.copy(), np.zeros(n_rows), state.numbers
    for number in range(rounds):
        value = compute_worth(rows, lam, rho)
        value += choose_best(rho, most, chosen)
        if value > numbers[BOUND]:
            numbers[BOUND] = value
            state.best[:] = lam
        count_unserved(rows, lam, chosen, slack)
        length = 0.0
        for row in range(n_rows):
            direction[row] = slack[row] if number == 0 else (direction[row] + slack[row]) / 2
            length += direction[row] ** 2
        if length == 0.0:
            return
        step = 1.5 * max(target - value, 0.0) / length
        for row in range(n_rows):
            lam[row] = min(max(lam[row] + step * direction[row], least[row]), rows.ceiling[row])

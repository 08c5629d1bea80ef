"""The Lagrangian bound of single-source location, raised by the volume algorithm, and what it rules out.

Relaxing "each row goes to one site" leaves one knapsack for each site and a choice of sites: the bound equals that of
column generation (A. Ceselli, G. Righini, *A branch-and-price algorithm for the capacitated p-median problem*,
Networks 45, 2005). F. Barahona, R. Anbil, *The volume algorithm*, Mathematical Programming 87, 2000.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from planning.solvers.single_source_kernels import CLOSED, FREE, OPEN, pack_any, pack_sites

Array: TypeAlias = "np.ndarray[Any, Any]"
_PATIENCE, _LEAST_STRIDE = 10, 1e-4
_SLOW, _QUICK = (0.01, 0.1), (0.1, 0.3)
"""Least and most share of the solution at hand in the running mean: quick where the choice of sites jumps."""
_SLACK_SHARE = 0.03
"""Share of the gap that all knapsacks together may leave unproven: less exact where less is needed."""


class Part(NamedTuple):
    """A part of the plans: the arcs left, by site (``start``, ``row``, ``cost``), and the sites.

    ``status`` (sites,) FREE, OPEN or CLOSED; at most ``most_open`` sites that offer ``need`` together; ``whole``:
    demands and room are whole numbers.
    """

    start: Array
    row: Array
    cost: Array
    demand: Array
    room: Array
    fixed: Array
    status: Array
    most_open: int
    need: float
    whole: bool


@njit(cache=True, nogil=True)
def choose_sites(value: Array, status: Array, room: Array, count: int, need: float, chosen: Array) -> float:
    """Return (at most) the least ``sum(value)`` of at most ``count`` sites that offer ``need`` together.

    ``chosen`` (sites,) becomes a choice of that value; where both limits bind, one that may break ``count``: then the
    limit on the count is priced, and the price found by halving.
    """
    m = len(value)
    for j in range(m):
        chosen[j] = status[j] == OPEN
    if chosen.sum() > count or room[status != CLOSED].sum() < need:
        return np.inf
    left = count - chosen.sum()
    for j in np.argsort(value):
        if value[j] >= 0.0 or left <= 0:
            break
        if status[j] == FREE:
            chosen[j] = True
            left -= 1
    if room[chosen].sum() >= need:
        return float(value[chosen].sum())
    best = _cover(value, status, room, need, 0.0, chosen)
    if chosen.sum() <= count:
        return best
    low, high = 0.0, 1.0 + 2.0 * np.abs(value).max()
    trial = np.zeros(m, np.bool_)
    for _ in range(24):
        middle = 0.5 * (low + high)
        found = _cover(value, status, room, need, middle, trial) - middle * count
        if found > best:
            best = found
            chosen[:] = trial
        if trial.sum() == count:
            break
        if trial.sum() > count:
            low = middle
        else:
            high = middle
    return best


@njit(cache=True, nogil=True)
def _cover(value: Array, status: Array, room: Array, need: float, fee: float, chosen: Array) -> float:
    """Return (at most) the least ``sum(value + fee)`` of sites that offer ``need``: a knapsack of sites left closed."""
    m = len(value)
    gain, load, site = np.empty(m), np.empty(m), np.empty(m, np.int64)
    total, most, items = 0.0, 0.0, 0
    for j in range(m):
        chosen[j] = status[j] != CLOSED
        if chosen[j]:
            total += value[j] + fee
            most += room[j]
        if status[j] == FREE and value[j] + fee > 0.0:
            gain[items], load[items], site[items] = value[j] + fee, room[j], j
            items += 1
    spare = np.zeros(items, np.bool_)
    saved, _ = pack_any(gain[:items], load[:items], most - need, 0.0, False, spare)
    for one in range(items):
        if spare[one]:
            chosen[site[one]] = False
    return total - saved


@njit(cache=True, nogil=True)
def climb(
    part: Part, price: Array, upper: float, rounds: int, stride: float, fresh: bool, quick: bool, average: Array,
    opened: Array,
) -> tuple[float, float]:  # fmt: skip
    """Raise the bound from ``price``, which becomes the best found; return it and the stride that was reached.

    ``average`` (arcs,) and ``opened`` (sites,) are the running means of the solutions, near to a fractional optimum;
    they start anew where ``fresh``, and forget sooner where ``quick``. Stops at ``upper``.
    """
    n, m = len(price), len(part.room)
    least, most = _QUICK if quick else _SLOW
    taken, chosen = np.zeros(len(part.row), np.bool_), np.zeros(m, np.bool_)
    trial, mean, slope = price.copy(), np.ones(n), np.empty(n)
    if not fresh:
        for at in range(len(part.row)):
            mean[part.row[at]] -= average[at]
    best, fails = -np.inf, 0
    for _ in range(rounds):
        slack = 1e-4 * abs(upper) / m
        if best > -np.inf:
            slack = _SLACK_SHARE * max(upper - best, 0.0) / m
        earned = pack_sites(
            part.start, part.row, part.cost, part.demand, part.room, part.whole, slack, trial, taken
        )  # fmt: skip
        value = part.fixed - earned
        bound = trial.sum() + choose_sites(value, part.status, part.room, part.most_open, part.need, chosen)
        if bound == np.inf:
            return bound, stride
        _find_slope(part, taken, chosen, slope)
        share = 1.0
        if not fresh:
            turn = slope - mean
            length = float(turn @ turn)
            share = most
            if length > 0.0:
                share = min(max(-float(mean @ turn) / length, least), most)
        mean = share * slope + (1.0 - share) * mean
        _mix(part.start, taken, chosen, share, average, opened)
        fresh = False
        if bound > best + 1e-6 * abs(bound):
            fails = 0
            stride = min(stride * 1.1, 2.0) if slope @ mean > 0.0 else stride
        else:
            fails += 1
        if bound > best:
            best = bound
            price[:] = trial
        if fails >= _PATIENCE:
            stride *= 0.66
            fails = 0
        square = float(mean @ mean)
        if best >= upper or stride < _LEAST_STRIDE or square < 1e-12:
            break
        step = stride * max(upper - bound, 1e-9 * abs(upper)) / square
        for i in range(n):
            trial[i] = max(price[i] + step * mean[i], 0.0)
    return best, stride


@njit(cache=True, nogil=True)
def _find_slope(part: Part, taken: Array, chosen: Array, slope: Array) -> None:
    """Fill ``slope`` (rows,) with 1 less the chosen sites that take the row."""
    slope[:] = 1.0
    for j in range(len(chosen)):
        if chosen[j]:
            for at in range(part.start[j], part.start[j + 1]):
                if taken[at]:
                    slope[part.row[at]] -= 1.0


@njit(cache=True, nogil=True)
def _mix(start: Array, taken: Array, chosen: Array, share: float, average: Array, opened: Array) -> None:
    """Move the running means a ``share`` of the way to the solution at hand."""
    for j in range(len(chosen)):
        opened[j] += share * ((1.0 if chosen[j] else 0.0) - opened[j])
        for at in range(start[j], start[j + 1]):
            average[at] += share * ((1.0 if chosen[j] and taken[at] else 0.0) - average[at])


@njit(cache=True, nogil=True)
def force_sites(part: Part, value: Array, forced: Array) -> None:
    """Fill ``forced`` (sites, 2): the least ``choose_sites`` with the site closed (0) and open (1)."""
    status, room = part.status, part.room
    trial, chosen = status.copy(), np.zeros(len(room), np.bool_)
    for j in range(len(room)):
        for way in range(2):
            forced[j, way] = np.inf
            if status[j] == FREE or (status[j] == OPEN) == (way == 1):
                trial[j] = OPEN if way == 1 else CLOSED
                forced[j, way] = choose_sites(value, trial, room, part.most_open, part.need, chosen)
        trial[j] = status[j]


@njit(cache=True, nogil=True)
def rule_out(part: Part, price: Array, bound: float, cutoff: float, keep: Array, must: Array) -> None:
    """Fix what no plan below ``cutoff`` has: sites in ``status``, arcs in ``keep`` (False = never) and ``must``.

    ``bound`` is about what ``price`` proves. An arc is weighed by the knapsack with the row forced in, one item cut
    (S. Martello, P. Toth, *Knapsack Problems*, 1990, chapter 2).
    """
    m, status = len(part.room), part.status
    taken = np.zeros(len(part.row), np.bool_)
    slack = _SLACK_SHARE * max(cutoff - bound, 0.0) / m
    earned = pack_sites(
        part.start, part.row, part.cost, part.demand, part.room, part.whole, slack, price, taken
    )  # fmt: skip
    forced = np.empty((m, 2))
    force_sites(part, part.fixed - earned, forced)
    total = price.sum()
    for j in range(m):
        if status[j] == FREE:
            if total + forced[j, 1] > cutoff:
                status[j] = CLOSED
            elif total + forced[j, 0] > cutoff:
                status[j] = OPEN
    for j in range(m):
        if status[j] == CLOSED:
            keep[part.start[j] : part.start[j + 1]] = False
        else:
            _weigh_arcs(part, j, price, earned[j], cutoff - total - forced[j, 1], keep, must)


@njit(cache=True, nogil=True)
def _weigh_arcs(part: Part, j: int, price: Array, earned: float, slack: float, keep: Array, must: Array) -> None:
    """Drop the arcs of a site that cost more than ``slack``; where it is open, note those that cost it to leave out."""
    begin, end, room = part.start[j], part.start[j + 1], part.room[j]
    count = 0
    gain, load, ratio = np.empty(end - begin), np.empty(end - begin), np.empty(end - begin)
    for at in range(begin, end):
        gained = price[part.row[at]] - part.cost[at]
        if gained > 0.0:
            gain[count], load[count] = gained, part.demand[part.row[at]]
            ratio[count] = -gained / load[count] if load[count] > 0.0 else -np.inf
            count += 1
    order = np.argsort(ratio[:count])
    sum_gain, sum_load = np.zeros(count + 1), np.zeros(count + 1)
    for one in range(count):
        sum_gain[one + 1] = sum_gain[one] + gain[order[one]]
        sum_load[one + 1] = sum_load[one] + load[order[one]]
    cut = np.searchsorted(sum_load, room, side="right") - 1
    rate, most = 0.0, sum_gain[cut]
    if cut < count:
        rate = gain[order[cut]] / load[order[cut]]
        most += (room - sum_load[cut]) * rate
    for at in range(begin, end):
        gained, weight = price[part.row[at]] - part.cost[at], part.demand[part.row[at]]
        if gained >= rate * weight:
            must[at] = part.status[j] == OPEN and earned - (most - gained + weight * rate) > slack
            continue
        if room - weight < 0.0:
            keep[at] = False
            continue
        low = np.searchsorted(sum_load, room - weight, side="right") - 1
        best = gained + sum_gain[low]
        if low < count:
            best += (room - weight - sum_load[low]) * gain[order[low]] / load[order[low]]
        keep[at] = earned - best <= slack

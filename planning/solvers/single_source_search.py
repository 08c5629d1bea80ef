"""Kicks for single-source location: sites open and close, rows move, the plan settles, and a cooling rule accepts.

Accepting a worse plan with a falling probability: S. Kirkpatrick, C. D. Gelatt, M. P. Vecchi, *Optimization by
simulated annealing*, Science 220, 1983.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

from planning.solvers.single_source_settle import Field, Layout, improve, measure

Array: TypeAlias = "np.ndarray[Any, Any]"
_SITE_KICK_SHARE = 0.6
_LEAST = 1e-9


@njit(cache=True, nogil=True)
def _roll(dice: Array) -> float:
    """Return a number from 0 to 1 (xorshift64*: S. Vigna, *ACM Transactions on Mathematical Software* 42, 2016)."""
    x = dice[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    dice[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@njit(cache=True, nogil=True)
def _draw(weight: Array, dice: Array) -> int:
    """Return a position, drawn by weight; ``-1`` where all weights are 0."""
    mark, last = _roll(dice) * weight.sum(), -1
    for j in range(len(weight)):
        if weight[j] > 0.0:
            last = j
            mark -= weight[j]
            if mark <= 0.0:
                break
    return last


@njit(cache=True, nogil=True)
def _kick_sites(field: Field, plan: Layout, count: int, likely: Array, dice: Array) -> None:
    """Open a likely closed site, close one near to it or an unlikely one, or both."""
    m = len(field.room)
    kind = int(4.0 * _roll(dice))
    if kind == 0 and plan.opened.sum() >= count:
        kind = 1
    k = -1
    if kind != 3:
        k = _draw(np.where(plan.opened | (field.status < 0), 0.0, likely), dice)
        if k < 0:
            return
        plan.opened[k] = True
        plan.touched[k] = True
    if kind == 0:
        return
    j = -1
    closable = plan.opened & (field.status <= 0)
    if k >= 0:
        closable[k] = False
    if k >= 0 and _roll(dice) < 0.7:
        skip = int(3.0 * _roll(dice))
        for at in range(m):
            if closable[field.near_site[k, at]]:
                j = field.near_site[k, at]
                skip -= 1
                if skip < 0:
                    break
    else:
        j = _draw(np.where(closable, np.maximum(1.02 - likely, 0.02), 0.0), dice)
    if j < 0:
        return
    plan.opened[j] = False
    plan.load[j] = 0.0
    for i in range(len(plan.site)):
        if plan.site[i] == j:
            plan.site[i] = -1


@njit(cache=True, nogil=True)
def _kick_rows(field: Field, plan: Layout, options: Array, dice: Array) -> None:
    """Send a few rows to one of their cheap open sites."""
    n = len(plan.site)
    hub = int(n * _roll(dice))
    for _ in range(2 + int(7.0 * _roll(dice))):
        i = int(n * _roll(dice)) if _roll(dice) < 0.5 else hub
        hub = (hub + 1) % n
        k, j = options[i, int(min(4, options.shape[1]) * _roll(dice))], plan.site[i]
        if k >= 0 and j >= 0 and plan.opened[k]:
            plan.load[j] -= field.demand[i]
            plan.load[k] += field.demand[i]
            plan.touched[j] = True
            plan.touched[k] = True
            plan.site[i] = k


@njit(cache=True, nogil=True)
def _copy(field: Field, site: Array, opened: Array, touched: bool) -> Layout:
    load = np.zeros(len(opened))
    for i in range(len(site)):
        if site[i] >= 0:
            load[site[i]] += field.demand[i]
    return Layout(site.copy(), load, opened.copy(), np.full(len(opened), touched))


@njit(cache=True, nogil=True)
def search(
    field: Field, count: int, likely: Array, site: Array, opened: Array, upper: float, fees: Array, heat: float,
    reach: int, rounds: int, seed: int,
) -> float:  # fmt: skip
    """Kick and settle ``rounds`` times from the plan in ``site``, ``opened``, which become the best lawful plan found.

    ``likely`` (sites,) steers which sites open. ``fees``: of a unit of overload, at least and at most, the first
    adapted so that about every other plan is lawful. ``heat`` is the share of its cost by which a plan may get worse
    at first. Returns the cost of the best plan, ``upper`` where none is cheaper (then the arrays stay).
    """
    dice = np.array([seed], np.uint64) * np.uint64(2685821657736338717) + np.uint64(88172645463325253)
    options = np.full((len(site), reach), -1, np.int64)
    least, slack = field.demand.sum() * (1.0 - 1e-9), 1e-9 * max(1.0, field.demand.sum())
    best, now = upper, np.inf
    now_site, now_open = site.copy(), opened.copy()
    for turn in range(rounds):
        plan = _copy(field, now_site, now_open, turn == 0)
        if turn > 0 and _roll(dice) < _SITE_KICK_SHARE:
            _kick_sites(field, plan, count, likely, dice)
        elif turn > 0:
            _kick_rows(field, plan, options, dice)
        if field.room[plan.opened].sum() < least or not improve(field, plan, options, fees[0]):
            continue
        total, over = measure(field, plan)
        fees[0] = min(fees[0] * 1.03, fees[2]) if over > slack else max(fees[0] / 1.05, fees[1])
        if over <= slack and total < best - _LEAST:
            best = total
            site[:] = plan.site
            opened[:] = plan.opened
        total += fees[0] * over
        allowed = -heat * (1.0 - turn / rounds) * abs(now) * np.log(_roll(dice) + 1e-12)
        if now == np.inf or total < now + allowed:
            now = total
            now_site, now_open = plan.site, plan.opened
    return best

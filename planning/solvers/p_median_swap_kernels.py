"""Numba kernels of the swap search: what every swap would save, kept up to date from one swap to the next."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from planning.solvers.p_median_kernels import Rows

Array: TypeAlias = "np.ndarray[Any, Any]"


class Swaps(NamedTuple):
    """Open sites, who serves whom, and what changes would save.

    ``place`` (sites,): position of the site among the open ones, or -1. ``opened`` (most,): the open sites.
    ``near``, ``second`` (rows,): positions of the cheapest and second cheapest open site, -1 = none.
    ``least``, ``next_least`` (rows,): their costs. ``gain`` (sites,): what the rows save when the site opens.
    ``loss`` (most,): what they lose when the site closes. ``extra`` (most, sites): how much of that loss the site
    that opens takes back beyond its gain. ``n_open`` (1,): number of open sites.
    """

    place: Array
    opened: Array
    near: Array
    second: Array
    least: Array
    next_least: Array
    gain: Array
    loss: Array
    extra: Array
    n_open: Array


def build_swaps(rows: Rows, most: int) -> Swaps:
    """Return a state with nothing open, with room for ``most`` open sites."""
    n_rows, n_sites = len(rows.reach), len(rows.fixed)
    return Swaps(
        place=np.full(n_sites, -1, np.int32),
        opened=np.full(most, -1, np.int32),
        near=np.full(n_rows, -1, np.int32),
        second=np.full(n_rows, -1, np.int32),
        least=np.full(n_rows, rows.unserved),
        next_least=np.full(n_rows, rows.unserved),
        gain=np.zeros(n_sites),
        loss=np.zeros(most),
        extra=np.zeros((most, n_sites)),
        n_open=np.zeros(1, np.int64),
    )


@njit(cache=True, nogil=True)
def _count_row(rows: Rows, state: Swaps, row: int, sign: float) -> None:
    """Add (or take away) what the row says about gains and losses."""
    least, wide, near = state.least[row], state.next_least[row], state.near[row]
    site, value = rows.site[row], rows.value[row]
    if near >= 0:
        state.loss[near] += sign * (wide - least)
        extra = state.extra[near]
        for at in range(rows.reach[row]):
            cost = value[at]
            if cost >= wide:
                break
            if cost < least:
                state.gain[site[at]] += sign * (least - cost)
                extra[site[at]] += sign * (wide - least)
            else:
                extra[site[at]] += sign * (wide - cost)
    else:
        for at in range(rows.reach[row]):
            state.gain[site[at]] += sign * (least - value[at])


@njit(cache=True, nogil=True)
def _find_nearest(rows: Rows, state: Swaps, row: int) -> None:
    """Find the two cheapest open sites of the row."""
    near, second, least, wide = -1, -1, rows.unserved, rows.unserved
    n_open, n_sites = state.n_open[0], len(state.place)
    if n_open * n_open >= 2 * n_sites:
        site = rows.site[row]
        for at in range(rows.reach[row]):
            place = state.place[site[at]]
            if place >= 0:
                if near < 0:
                    near, least = place, rows.value[row, at]
                else:
                    second, wide = place, rows.value[row, at]
                    break
    if second < 0:
        near, least, wide = -1, rows.unserved, rows.unserved
        for at in range(n_open):
            cost = rows.by_site[state.opened[at], row]
            if cost < least:
                second, wide = near, least
                near, least = at, cost
            elif cost < wide:
                second, wide = at, cost
    state.near[row], state.second[row], state.least[row], state.next_least[row] = near, second, least, wide


@njit(cache=True, nogil=True)
def count_all(rows: Rows, state: Swaps) -> None:
    """Compute the state from the open sites alone."""
    state.gain[:] = 0.0
    state.loss[:] = 0.0
    state.extra[:] = 0.0
    for row in range(len(state.near)):
        _find_nearest(rows, state, row)
        _count_row(rows, state, row, 1.0)


@njit(cache=True, nogil=True)
def change_sites(rows: Rows, state: Swaps, out: int, new: int) -> None:
    """Close the open site at position ``out`` (-1: none) and open the site ``new`` (-1: none); update the state."""
    count = state.n_open[0]
    place = count if out < 0 else out
    last = -1
    if out >= 0:
        state.place[state.opened[out]] = -1
        if new < 0:
            last = count - 1
            state.n_open[0] = last
            state.opened[out] = state.opened[last]
            if last != out:
                state.place[state.opened[last]] = out
    else:
        state.n_open[0] = count + 1
    if new >= 0:
        state.opened[place] = new
        state.place[new] = place
    for row in range(len(state.near)):
        near, second = state.near[row], state.second[row]
        hit = out >= 0 and (near == out or second == out)
        if not hit and new >= 0:
            hit = rows.by_site[new, row] < state.next_least[row]
        if hit or (last >= 0 and (near == last or second == last)):
            _count_row(rows, state, row, -1.0)
            _find_nearest(rows, state, row)
            _count_row(rows, state, row, 1.0)


@njit(cache=True, nogil=True)
def find_best_change(rows: Rows, state: Swaps, most: int) -> tuple[float, int, int]:
    """Return the saving of the best change, the position that closes and the site that opens (-1: none)."""
    best, best_out, best_new = 0.0, -1, -1
    count, n_sites = state.n_open[0], len(state.place)
    for new in range(n_sites):
        if state.place[new] < 0 and count < most and state.gain[new] - rows.fixed[new] > best:
            best, best_out, best_new = state.gain[new] - rows.fixed[new], -1, new
    for out in range(count):
        back = rows.fixed[state.opened[out]] - state.loss[out]
        if back > best and count > 1:
            best, best_out, best_new = back, out, -1
        extra = state.extra[out]
        for new in range(n_sites):
            saving = state.gain[new] + extra[new] - rows.fixed[new] + back
            if saving > best and state.place[new] < 0:
                best, best_out, best_new = saving, out, new
    return best, best_out, best_new


@njit(cache=True, nogil=True)
def total_cost(rows: Rows, state: Swaps) -> float:
    """Return what the open sites and serving all rows from them cost."""
    total = 0.0
    for row in range(len(state.least)):
        total += state.least[row]
    for at in range(state.n_open[0]):
        total += rows.fixed[state.opened[at]]
    return total


@njit(cache=True, nogil=True)
def descend(rows: Rows, state: Swaps, most: int, changes: int) -> int:
    """Make the best change again and again, ``changes`` times at most; return how many were made."""
    least = 1e-10 * total_cost(rows, state)
    for done in range(changes):
        saving, out, new = find_best_change(rows, state, most)
        if saving <= least:
            return done
        change_sites(rows, state, out, new)
    return changes


@njit(cache=True, nogil=True)
def _draw(dice: Array, limit: int) -> int:
    """Return a number from 0 to ``limit - 1`` (xorshift64*)."""
    x = dice[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    dice[0] = x
    return int((x * np.uint64(2685821657736338717) >> np.uint64(33)) % np.uint64(limit))


@njit(cache=True, nogil=True)
def _shake(rows: Rows, state: Swaps, strength: int, dice: Array) -> None:
    """Open random sites, each in place of the open site that is missed least."""
    n_sites = len(state.place)
    kept = np.zeros(n_sites, np.bool_)
    for _ in range(strength):
        new = _draw(dice, n_sites)
        for _ in range(20):
            if state.place[new] < 0:
                break
            new = _draw(dice, n_sites)
        if state.place[new] >= 0:
            return
        best, best_out = -np.inf, -1
        for out in range(state.n_open[0]):
            saving = rows.fixed[state.opened[out]] - state.loss[out] + state.extra[out, new]
            if saving > best and not kept[state.opened[out]]:
                best, best_out = saving, out
        if best_out < 0:
            return
        kept[new] = True
        change_sites(rows, state, best_out, new)


@njit(cache=True, nogil=True)
def set_open(rows: Rows, state: Swaps, sites: Array) -> None:
    """Open exactly the sites given."""
    state.place[:] = -1
    state.n_open[0] = len(sites)
    for at in range(len(sites)):
        state.opened[at] = sites[at]
        state.place[sites[at]] = at
    count_all(rows, state)


@njit(cache=True, nogil=True)
def shake_and_descend(
    rows: Rows, state: Swaps, most: int, rounds: int, strength: int, patience: float, seed: int
) -> float:
    """Shake the plan and descend again, ``rounds`` times; return the cost of the best plan.

    A plan that is worse than the best by no more than the share ``patience`` is shaken on; from others the way leads
    back. At the end the state is that of the best plan.
    """
    dice = np.array([seed], np.uint64) * np.uint64(2685821657736338717) + np.uint64(88172645463325252)
    best = total_cost(rows, state)
    kept = state.opened[: state.n_open[0]].copy()
    standing = kept
    for _ in range(rounds):
        _shake(rows, state, 1 + _draw(dice, strength), dice)
        descend(rows, state, most, 10_000)
        cost = total_cost(rows, state)
        if cost < best:
            best = cost
            kept = state.opened[: state.n_open[0]].copy()
            standing = kept
        elif cost <= best * (1.0 + patience):
            standing = state.opened[: state.n_open[0]].copy()
        else:
            _return_to(rows, state, standing)
    _return_to(rows, state, kept)
    return best


@njit(cache=True, nogil=True)
def _return_to(rows: Rows, state: Swaps, kept: Array) -> None:
    """Bring the open sites back to ``kept``."""
    wanted = np.zeros(len(state.place), np.bool_)
    for at in range(len(kept)):
        wanted[kept[at]] = True
    missing = np.empty(len(kept), np.int64)
    n_missing = 0
    for at in range(len(kept)):
        if state.place[kept[at]] < 0:
            missing[n_missing] = kept[at]
            n_missing += 1
    while n_missing > 0 or state.n_open[0] > len(kept):
        out = -1
        for at in range(state.n_open[0]):
            if not wanted[state.opened[at]]:
                out = at
                break
        new = -1
        if n_missing > 0:
            n_missing -= 1
            new = missing[n_missing]
        change_sites(rows, state, out, new)

"""Local search for single-source location with the sites open: rows shift, swap and chain, clusters relocate.

Overload is allowed at a fee per unit during the search, never in the answer. Chains of two rows are the short ejection
chains of M. Yagiura, T. Ibaraki, F. Glover, *An ejection chain approach for the generalized assignment problem*,
INFORMS Journal on Computing 16, 2004.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"
_LEAST = 1e-9


class Field(NamedTuple):
    """What does not change in a search: see ``Instance``; ``status`` (sites,) says which are fixed open or closed."""

    cost: Array
    demand: Array
    room: Array
    fixed: Array
    near: Array
    near_site: Array
    status: Array


class Layout(NamedTuple):
    """A plan in work: site of every row (``-1`` = none), load and state of every site, and which sites changed."""

    site: Array
    load: Array
    opened: Array
    touched: Array


@njit(cache=True, nogil=True)
def list_options(field: Field, opened: Array, options: Array) -> None:
    """Fill ``options`` (rows, reach) with the cheapest open sites of every row, ``-1`` where there are fewer."""
    n, m = field.cost.shape
    reach = options.shape[1]
    for i in range(n):
        found = 0
        for at in range(m):
            j = field.near[i, at]
            if opened[j]:
                if not np.isfinite(field.cost[i, j]):
                    break
                options[i, found] = j
                found += 1
                if found == reach:
                    break
        for at in range(found, reach):
            options[i, at] = -1


@njit(cache=True, nogil=True)
def _list_members(site: Array, first: Array, member: Array) -> None:
    """Fill ``member[first[j]:first[j + 1]]`` with the rows of site ``j``."""
    first[:] = 0
    for i in range(len(site)):
        if site[i] >= 0:
            first[site[i] + 1] += 1
    for j in range(len(first) - 1):
        first[j + 1] += first[j]
    fill = first[:-1].copy()
    for i in range(len(site)):
        if site[i] >= 0:
            member[fill[site[i]]] = i
            fill[site[i]] += 1


@njit(cache=True, nogil=True)
def _over(load: float, room: float) -> float:
    return max(load - room, 0.0)


@njit(cache=True, nogil=True)
def _find_chain(
    field: Field, plan: Layout, options: Array, fee: float, i: int, k: int, rows: Array, best: float
) -> tuple[float, int, int]:
    """Return the best move of row ``i`` to ``k`` with a row of ``k`` going on: gain below ``best``, that row, where."""
    cost, load, room, demand = field.cost, plan.load, field.room, field.demand
    j, weight = plan.site[i], demand[i]
    moved = cost[i, k] - cost[i, j]
    relief = fee * (_over(load[j], room[j]) - _over(load[j] - weight, room[j]))
    other, onward = -1, -1
    for i2 in rows:
        if plan.site[i2] != k or i2 == i:
            continue
        weight2 = demand[i2]
        part = moved - cost[i2, k] + fee * (_over(load[k] + weight - weight2, room[k]) - _over(load[k], room[k]))
        for at in range(options.shape[1]):
            to = options[i2, at]
            if to < 0 or part + cost[i2, to] - relief >= best:
                break
            if to == k:
                continue
            if to == j:
                after = fee * (_over(load[j] - weight + weight2, room[j]) - _over(load[j], room[j]))
            else:
                after = fee * (_over(load[to] + weight2, room[to]) - _over(load[to], room[to])) - relief
            gain = part + cost[i2, to] + after
            if gain < best:
                best, other, onward = gain, i2, to
    return best, other, onward


@njit(cache=True, nogil=True)
def _move(field: Field, plan: Layout, i: int, to: int) -> None:
    """Send a row to a site."""
    j = plan.site[i]
    plan.load[j] -= field.demand[i]
    plan.load[to] += field.demand[i]
    plan.touched[j] = True
    plan.touched[to] = True
    plan.site[i] = to


@njit(cache=True, nogil=True)
def settle(field: Field, plan: Layout, options: Array, fee: float, deep: bool) -> None:
    """Shift rows between open sites while that pays, with ``deep`` also swap and chain; overload costs ``fee`` a unit.

    Only rows at touched sites, or with such an option, are looked at.
    """
    cost, demand, room, site, load = field.cost, field.demand, field.room, plan.site, plan.load
    n, m = cost.shape
    clock = 1
    changed, checked = plan.touched.astype(np.int64), np.zeros(n, np.int64)
    first, member = np.zeros(m + 1, np.int64), np.zeros(n, np.int64)
    quiet, i = 0, -1
    while quiet < n:
        i = i + 1 if i + 1 < n else 0
        if i == 0:
            _list_members(site, first, member)
        j = site[i]
        stale = changed[j] > checked[i]
        for k in options[i]:
            stale |= k >= 0 and changed[k] > checked[i]
        quiet += 1
        if not stale:
            continue
        checked[i] = clock
        relief = fee * (_over(load[j], room[j]) - _over(load[j] - demand[i], room[j]))
        best, to, other, onward = -_LEAST, -1, -1, -1
        for k in options[i]:
            if k < 0:
                break
            if k == j:
                continue
            extra = fee * (_over(load[k] + demand[i], room[k]) - _over(load[k], room[k]))
            gain = cost[i, k] - cost[i, j] - relief + extra
            if gain < best:
                best, to, other = gain, k, -1
            if deep:
                rows = member[first[k] : first[k + 1]]
                gain, row, beyond = _find_chain(field, plan, options, fee, i, k, rows, best)
                if row >= 0:
                    best, to, other, onward = gain, k, row, beyond
        if to >= 0:
            quiet = 0
            clock += 1
            _move(field, plan, i, to)
            if other >= 0:
                _move(field, plan, other, onward)
                changed[onward] = clock
            changed[j] = clock
            changed[to] = clock


@njit(cache=True, nogil=True)
def measure(field: Field, plan: Layout) -> tuple[float, float]:
    """Return what the plan costs without fees, and its overload."""
    total, over = 0.0, 0.0
    for j in range(len(field.room)):
        if plan.opened[j]:
            total += field.fixed[j]
            over += _over(plan.load[j], field.room[j])
    for i in range(len(plan.site)):
        total += field.cost[i, plan.site[i]]
    return total, over


@njit(cache=True, nogil=True)
def relocate(field: Field, plan: Layout) -> bool:
    """Move whole touched clusters to a closed site where that pays and fits; return whether one moved."""
    n, m = field.cost.shape
    first, member, fresh = np.zeros(m + 1, np.int64), np.zeros(n, np.int64), np.zeros(m, np.bool_)
    _list_members(plan.site, first, member)
    moved = False
    for j in range(m):
        if not plan.opened[j] or field.status[j] > 0 or not plan.touched[j] or fresh[j]:
            continue
        rows = member[first[j] : first[j + 1]]
        best, to = field.fixed[j] - _LEAST, -1
        for i in rows:
            best += field.cost[i, j]
        for k in range(m):
            if plan.opened[k] or field.status[k] < 0 or field.room[k] < plan.load[j]:
                continue
            there = field.fixed[k]
            for i in rows:
                there += field.cost[i, k]
                if there >= best:
                    break
            if there < best:
                best, to = there, k
        if to >= 0:
            plan.opened[j] = False
            plan.opened[to] = True
            fresh[to] = True
            plan.touched[to] = True
            plan.load[to], plan.load[j] = plan.load[j], 0.0
            for i in rows:
                plan.site[i] = to
            moved = True
    return moved


@njit(cache=True, nogil=True)
def _place_rows(field: Field, plan: Layout, options: Array, fee: float) -> bool:
    """Place every row without a site at its cheapest option, overload priced, big rows first; False: one has none."""
    loose = np.flatnonzero(plan.site < 0)
    for i in loose[np.argsort(-field.demand[loose])]:
        best, to = np.inf, -1
        for k in options[i]:
            if k < 0:
                break
            extra = _over(plan.load[k] + field.demand[i], field.room[k]) - _over(plan.load[k], field.room[k])
            if field.cost[i, k] + fee * extra < best:
                best, to = field.cost[i, k] + fee * extra, k
        if to < 0:
            return False
        plan.site[i] = to
        plan.load[to] += field.demand[i]
        plan.touched[to] = True
    return True


@njit(cache=True, nogil=True)
def improve(field: Field, plan: Layout, options: Array, fee: float) -> bool:
    """Complete the plan, settle rows, close empty sites and relocate clusters; False: a row reaches no open site."""
    list_options(field, plan.opened, options)
    if not _place_rows(field, plan, options, fee):
        return False
    for _ in range(20):
        settle(field, plan, options, fee, False)
        settle(field, plan, options, fee, True)
        busy = np.zeros(len(field.room), np.bool_)
        for j in plan.site:
            busy[j] = True
        for j in range(len(busy)):
            if not busy[j] and field.status[j] <= 0:
                plan.opened[j] = False
        if not relocate(field, plan):
            break
        list_options(field, plan.opened, options)
    return True

"""Numba kernels of location problems without capacities: sorted costs, the Lagrangian bound, the cuts of a plan.

The bound relaxes "every row is served" with a price ``lam`` per row: ``sum(lam)`` plus the best choice of sites, each
worth ``rho = fixed + sum(min(0, cost - lam))`` (G. Cornuejols, M. L. Fisher, G. L. Nemhauser, *Location of bank
accounts to optimize float*, Management Science 23, 1977). It is valid whatever the prices. As rows are sorted, only
the sites cheaper than the price of a row are ever looked at.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"


class Rows(NamedTuple):
    """The costs of every row in rising order, and by site.

    ``site`` and ``value`` (rows, width): the sites of a row from the cheapest on, and what they cost. ``reach``
    (rows,): how many of them are allowed. ``ceiling`` (rows,): all sites cheaper than this are listed; ``unserved``
    where all that are allowed are. ``by_site`` (sites, rows): the costs, a line per site, ``unserved`` where not
    allowed. ``fixed`` (sites,): cost of opening. ``unserved``: what a row without an open site counts for; more than
    any plan that serves all rows costs.
    """

    site: Array
    value: Array
    reach: Array
    ceiling: Array
    by_site: Array
    fixed: Array
    unserved: float


@njit(cache=True, nogil=True)
def sort_rows(cost: Array, first: int, last: int, site: Array, value: Array, reach: Array, ceiling: Array) -> None:
    """Fill the cheapest sites of the rows from ``first`` up to ``last``; equal costs by position.

    ``ceiling`` comes in as the cost of a row without a site, and stays so where all allowed sites are listed.
    """
    n_sites, width = cost.shape[1], site.shape[1]
    near = np.empty(n_sites, np.int64)
    for row in range(first, last):
        limit = np.inf
        if width < n_sites:
            limit = np.partition(cost[row], width)[width]
        count = 0
        for at in range(n_sites):
            if cost[row, at] < limit:
                near[count] = at
                count += 1
        order = np.argsort(cost[row][near[:count]], kind="mergesort")
        for place in range(count):
            at = near[order[place]]
            site[row, place] = at
            value[row, place] = cost[row, at]
        reach[row] = count
        if limit < np.inf:
            ceiling[row] = limit


@njit(cache=True, nogil=True)
def count_kept(rows: Rows, new_number: Array) -> Array:
    """Return how many of the sites listed for each row have a ``new_number`` of 0 or more."""
    count = np.zeros(len(rows.reach), np.int64)
    for row in range(len(count)):
        for at in range(rows.reach[row]):
            if new_number[rows.site[row, at]] >= 0:
                count[row] += 1
    return count


@njit(cache=True, nogil=True)
def keep_sites(rows: Rows, new_number: Array, site: Array, value: Array) -> None:
    """Copy the sorted rows with only the sites whose ``new_number`` is 0 or more, under their new numbers."""
    for row in range(len(rows.reach)):
        place = 0
        for at in range(rows.reach[row]):
            number = new_number[rows.site[row, at]]
            if number >= 0:
                site[row, place] = number
                value[row, place] = rows.value[row, at]
                place += 1


@njit(cache=True, nogil=True)
def find_least(rows: Rows) -> Array:
    """Return the least that each row can cost, or less."""
    least = np.empty(len(rows.reach))
    for row in range(len(least)):
        least[row] = rows.value[row, 0] if rows.reach[row] > 0 else rows.ceiling[row]
    return least


@njit(cache=True, nogil=True)
def compute_worth(rows: Rows, lam: Array, rho: Array) -> float:
    """Fill ``rho`` with what opening each site is worth at the prices (negative: good); return the sum of prices."""
    rho[:] = rows.fixed
    total = 0.0
    for row in range(len(lam)):
        price = lam[row]
        total += price
        site, value = rows.site[row], rows.value[row]
        for at in range(rows.reach[row]):
            saved = value[at] - price
            if saved >= 0:
                break
            rho[site[at]] += saved
    return total


@njit(cache=True, nogil=True)
def choose_best(rho: Array, most: int, chosen: Array) -> float:
    """Mark the sites of most negative worth, ``most`` at most; return the sum of their worth."""
    limit = 0.0
    if most < len(rho):
        limit = min(0.0, np.partition(rho, most - 1)[most - 1])
    total, count = 0.0, 0
    for site in range(len(rho)):
        chosen[site] = 0.0
        if rho[site] < limit:
            chosen[site] = 1.0
            total += rho[site]
            count += 1
    for site in range(len(rho)):
        if count >= most or limit >= 0.0:
            break
        if rho[site] == limit:
            chosen[site] = 1.0
            total += rho[site]
            count += 1
    return total


@njit(cache=True, nogil=True)
def count_unserved(rows: Rows, lam: Array, chosen: Array, slack: Array) -> None:
    """Fill ``slack`` (rows,) with one less the chosen sites that are cheaper than the price: the subgradient."""
    for row in range(len(lam)):
        price, served = lam[row], 0.0
        site, value = rows.site[row], rows.value[row]
        for at in range(rows.reach[row]):
            if value[at] >= price:
                break
            served += chosen[site[at]]
        slack[row] = 1.0 - served


@njit(cache=True, nogil=True)
def find_levels(rows: Rows, share: Array, level: Array, cost: Array) -> None:
    """Serve every row from sites open by ``share``, cheapest first: the cost of its last part, and of all of it.

    The last part is where the shares reach one; the ceiling where they never do.
    """
    for row in range(len(level)):
        served, total, last = 0.0, 0.0, rows.ceiling[row]
        site, value = rows.site[row], rows.value[row]
        for at in range(rows.reach[row]):
            part = share[site[at]]
            if served + part >= 1.0 - 1e-9:
                last = value[at]
                break
            served += part
            total += part * value[at]
        level[row] = last
        cost[row] = total + (1.0 - served) * last


@njit(cache=True, nogil=True)
def count_cheaper(rows: Rows, row_list: Array, level: Array) -> Array:
    """Return how many allowed sites of each row listed are cheaper than its level."""
    count = np.zeros(len(row_list), np.int64)
    for place in range(len(row_list)):
        row = row_list[place]
        for at in range(rows.reach[row]):
            if rows.value[row, at] >= level[place]:
                break
            count[place] += 1
    return count


@njit(cache=True, nogil=True)
def fill_cuts(rows: Rows, row_list: Array, level: Array, start: Array, column: Array, value: Array) -> None:
    """Write the cuts ``theta + sum((level - cost) * y of cheaper sites) >= level`` of the rows listed."""
    n_sites = len(rows.fixed)
    for place in range(len(row_list)):
        row, begin = row_list[place], start[place]
        length = start[place + 1] - begin - 1
        for at in range(length):
            column[begin + at] = rows.site[row, at]
            value[begin + at] = level[place] - rows.value[row, at]
        column[begin + length] = n_sites + row
        value[begin + length] = 1.0


@njit(cache=True, nogil=True)
def find_steps(rows: Rows, lam: Array, below: Array, above: Array) -> None:
    """Fill the costs of the row next below its price and next at or above it (the ceiling where there is none)."""
    for row in range(len(lam)):
        last, following = -np.inf, rows.ceiling[row]
        for at in range(rows.reach[row]):
            if rows.value[row, at] >= lam[row]:
                following = rows.value[row, at]
                break
            last = rows.value[row, at]
        below[row], above[row] = last, following

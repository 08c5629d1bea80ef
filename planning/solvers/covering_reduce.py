"""Make a set cover small before it is solved: rows and sites that do not matter, sites that must be taken.

The reductions are those of J. E. Beasley (*An algorithm for set covering problem*, European Journal of Operational
Research 31, 1987): a row whose sites hold all those of another row is covered with it; a site whose rows another site
covers at no more cost is never needed; a row with one site takes it; and sites are fixed by their reduced cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planning.solvers.covering_kernels import (
    cover_greedily,
    drop_rows,
    drop_sites,
    find_reduced_costs,
    improve_prices,
    pack_bits,
    select_table,
    take_only_sites,
    turn_table,
)
from planning.solvers.problems import Bools, Floats, Ints, Schools

ROUNDING = 1e-9
"""Proven bounds are taken down by this share, more than floating point sums can be off."""
_TRIES = 4


@dataclass(frozen=True)
class Cover:
    """A set cover that is left to solve: ``start``, ``site`` by row, ``cost`` by site, all renumbered.

    ``name`` (sites,) is the number of each site in the first problem; ``taken`` are sites (first numbers) that are in
    the cover already, ``spent`` their cost. ``possible`` False: some row has no site.
    """

    start: Ints
    site: Schools
    cost: Floats
    name: Ints
    taken: Ints
    spent: float
    possible: bool = True

    @property
    def n_rows(self) -> int:
        """Number of rows left."""
        return len(self.start) - 1

    @property
    def tables(self) -> tuple[Ints, Schools, Ints, Schools]:
        """Sites of every row and rows of every site."""
        return self.start, self.site, *turn_table(self.start, self.site, len(self.cost))


@dataclass(frozen=True)
class Estimate:
    """Best cover known (sites by number of the ``Cover``), its cost, and a proven bound; without what is taken."""

    chosen: Bools
    value: float
    bound: float
    price: Floats


def reduce_cover(
    start: Ints,
    site: Schools,
    cost: Floats,
    *,
    name: Ints | None = None,
    taken: Ints | None = None,
    spent: float = 0.0,
    allowed: Bools | None = None,
) -> Cover:
    """Return the cover with everything left out that some best cover can do without.

    Parameters
    ----------
    start, site, cost : as in ``CoverProblem``
    name, taken, spent : what earlier reductions renamed and took
    allowed : shape (sites,), False: the site is in no cover of use
    """
    n_sites = len(cost)
    name = np.arange(n_sites) if name is None else name
    start, site = np.array(start, dtype=np.int64), np.array(site, dtype=np.int32)
    tables = (start, site, *turn_table(start, site, n_sites))
    row_on = np.ones(len(start) - 1, dtype=np.bool_)
    col_on = np.ones(n_sites, dtype=np.bool_) if allowed is None else allowed.copy()
    now = np.zeros(n_sites, dtype=np.bool_)
    row_bits, col_bits = pack_bits(start, site, n_sites), pack_bits(tables[2], tables[3], len(row_on))
    possible = True
    while possible:
        changes = take_only_sites(tables, row_on, col_on, now)
        if changes < 0:
            possible = False
            break
        changes += drop_sites(tables, col_bits, row_on, col_on, np.array(cost))
        changes += drop_rows(tables, row_bits, row_on, col_on)
        if changes == 0:
            break
    kept = np.flatnonzero(col_on)
    renamed = np.full(n_sites, -1, dtype=np.int64)
    renamed[kept] = np.arange(len(kept))
    new_start, new_site = select_table(start, site, row_on, renamed)
    earlier = np.zeros(0, dtype=np.int64) if taken is None else taken
    return Cover(
        start=new_start,
        site=new_site,
        cost=np.asarray(cost, dtype=np.float64)[kept],
        name=name[kept],
        taken=np.concatenate([earlier, name[now]]),
        spent=spent + float(np.asarray(cost)[now].sum()),
        possible=possible,
    )


def estimate_cover(cover: Cover, *, rounds: int = 300, seed: int = 0, upper: float = np.inf) -> Estimate:
    """Return a good cover and a proven bound of what is left: greedy covers, steered by Lagrangian prices.

    ``upper``: only covers cheaper than this are of interest; the bound stops once it exceeds it.
    """
    tables, cost = cover.tables, cover.cost
    level, plain = np.ones(len(cost)), np.ones(cover.n_rows)
    chosen = cover_greedily(tables, cost, plain, level)
    value = float(cost[chosen].sum())
    size = np.maximum(np.diff(tables[2]), 1)
    price = np.minimum.reduceat((cost / size)[cover.site], cover.start[:-1]) if cover.n_rows else plain
    bound, price = improve_prices(tables, cost, price, min(value, upper), rounds)
    noise = np.random.default_rng(seed)
    for trial in range(_TRIES):
        weight = price / max(float(price.mean()), 1e-300) + 1e-3
        factor = level if trial == 0 else 1 + 0.1 * noise.random(len(cost))
        other = cover_greedily(tables, cost, weight if trial % 2 == 0 else plain, factor)
        if float(cost[other].sum()) < value:
            chosen, value = other, float(cost[other].sum())
    return Estimate(chosen, value, round_down(bound, cost), price)


def round_down(bound: float, cost: Floats) -> float:
    """Return a bound taken down by the rounding, or up to a whole number where all costs are whole."""
    if not np.isfinite(bound):
        return bound
    bound = max(bound - ROUNDING * max(abs(bound), 1.0), 0.0)
    whole = bool((cost == np.round(cost)).all()) and float(cost.sum()) < 1e12
    return float(np.ceil(bound - 1e-6)) if whole else bound


def drop_by_price(cover: Cover, estimate: Estimate) -> Cover:
    """Return the cover without sites that no cover cheaper than the known one holds, and with those it must hold."""
    reduced = find_reduced_costs(cover.tables, cover.cost, estimate.price)
    least = float(estimate.price.sum() + np.minimum(reduced, 0.0).sum())
    margin = 1e-7 * max(abs(estimate.value), 1.0)
    return reduce_cover(
        cover.start,
        cover.site,
        cover.cost,
        name=cover.name,
        taken=cover.taken,
        spent=cover.spent,
        allowed=least + np.maximum(reduced, 0.0) < estimate.value + margin,
    )

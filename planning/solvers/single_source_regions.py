"""Parts of a plan solved anew for single-source location: a few sites with all their rows, while the rest stays.

Large neighbourhood search (P. Shaw, *Using constraint programming and local search methods to solve vehicle routing
problems*, CP 1998) with the tree as solver of the parts. The prices of the relaxation tell where a plan loses against
the bound: there it looks first.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from planning.solvers.problems import Floats, Ints
from planning.solvers.single_source_bound import climb
from planning.solvers.single_source_incumbent import Incumbent
from planning.solvers.single_source_instance import Instance
from planning.solvers.single_source_kernels import CLOSED, OPEN, pack_sites
from planning.solvers.single_source_tree import Tree, reduce_arcs

_FIRST_ROWS, _LEAST_ROWS = 40, 8
_GROWTH, _SHRINK = 1.05, 0.93
_MOST_NODES, _REGION_EFFORT = 150, 5
_PRICE_ROUNDS, _PRICE_WORK, _CLIMB_ROUNDS, _STRIDE = 300, 20_000_000, 60, 0.3
_JITTER, _BATCH = 0.5, 2
_SPARE_SITES = 4


@dataclass(frozen=True, eq=False)
class Region:
    """The part of a plan that is free: ``row`` (its rows), ``site`` (sites it may use); all as positions."""

    row: Ints
    site: Ints


class Solved(NamedTuple):
    """What was found in a region: sites of its rows (None: nothing better), whether all plans were looked at."""

    row: Ints
    site: Ints | None
    exact: bool
    nodes: int


def _tell_nobody() -> None:
    """Tell no progress: regions are solved in threads, and listeners expect their own."""


class RegionSearch:
    """Improves an incumbent region by region; ``price`` (rows,) are those of the root and what they say of sites."""

    def __init__(self, incumbent: Incumbent, price: Floats, seed: int, pool: Executor | None = None) -> None:
        self.incumbent, self.instance = incumbent, incumbent.instance
        self.root_price, self.price = price, price
        self.map = map if pool is None else pool.map
        self.rng = np.random.default_rng([seed, 77])
        self.rows = float(min(_FIRST_ROWS, self.instance.n_rows))
        self.least, self.priced_for = np.zeros(self.instance.n_sites), b""
        self.tries = self.solved = self.wins = 0

    def price_sites(self, site: Ints) -> None:
        """Fit the prices to the sites of a plan, once for each choice of sites."""
        own, arcs = self.instance, self.instance.arcs
        used = np.bincount(site, minlength=own.n_sites) > 0
        key = np.packbits(used).tobytes()
        if key == self.priced_for:
            return
        self.priced_for, self.price = key, self.root_price.copy()
        inside = used[arcs.site]
        start = np.searchsorted(arcs.site[inside], np.arange(own.n_sites + 1)).astype(np.int64)
        status = np.where(used, OPEN, CLOSED).astype(np.int8)
        part = own.part(start, arcs.row[inside], arcs.cost[inside], status)
        average, opened = np.zeros(len(part.row)), np.zeros(own.n_sites)
        rounds = int(np.clip(_PRICE_WORK // max(len(part.row), 1), 10, _PRICE_ROUNDS))
        climb(part, self.price, self.incumbent.upper, rounds, _STRIDE, True, False, average, opened)
        taken = np.zeros(len(arcs.row), dtype=bool)
        earned = pack_sites(
            arcs.start, arcs.row, arcs.cost, own.demand, own.room, own.whole, 0.0, self.price, taken
        )  # fmt: skip
        self.least = np.where(used, own.fixed - earned, np.minimum(own.fixed - earned, 0.0))

    def improve(self, effort: int, bound: float) -> None:
        """Solve regions of the best plan for about so many nodes; ``bound``: what is proven so far."""
        best = self.incumbent
        while effort > 0 and best.site is not None:
            if best.goal <= bound or best.is_late():
                return
            self.price_sites(best.site)
            # As many at once on any machine: what is found must not depend on its processors.
            regions = [self.draw_region(best.site) for _ in range(_BATCH)]
            seeds = [best.seed + self.tries + k for k in range(_BATCH)]
            for found in list(self.map(self.solve_region, regions, seeds)):
                before = best.upper
                self._merge(found)
                won = best.upper < before
                self.tries, self.solved, self.wins = self.tries + 1, self.solved + found.exact, self.wins + won
                self.rows *= _GROWTH if found.exact else _SHRINK
                effort -= found.nodes + _REGION_EFFORT
            self.rows = float(np.clip(self.rows, min(_LEAST_ROWS, self.instance.n_rows), 1.3 * self.instance.n_rows))

    def _merge(self, found: Solved) -> None:
        """Offer what was found in a region, on top of the best plan."""
        if found.site is not None and self.incumbent.site is not None:
            plan = self.incumbent.site.copy()
            plan[found.row] = found.site
            self.incumbent.offer(plan)

    def find_excess(self, site: Ints) -> Floats:
        """Return what each site costs above the relaxation at the prices (sites,): together that is about the gap."""
        own = self.instance
        paid = np.bincount(site, weights=own.cost[np.arange(own.n_rows), site] - self.price, minlength=own.n_sites)
        used = np.bincount(site, minlength=own.n_sites) > 0
        excess: Floats = np.maximum(np.where(used, paid + own.fixed, 0.0) - self.least, 0.0)
        return excess

    def draw_region(self, site: Ints) -> Region:
        """Return a region around a site that is likely to lose: its likes, or other sites that lose."""
        own = self.instance
        excess = self.find_excess(site)
        weight = excess + 0.1 * float(excess.mean()) + 1e-12
        hub = int(self.rng.choice(own.n_sites, p=weight / weight.sum()))
        rank = np.empty(own.n_sites)
        rank[own.near_site[hub]] = np.arange(own.n_sites)
        if self.rng.random() < 0.6:
            key = rank * (1.0 + _JITTER * self.rng.random(own.n_sites))
        else:
            key = -np.log(self.rng.random(own.n_sites)) / weight * (1.0 + rank / own.n_sites)
        key[hub] = -1.0
        order = np.argsort(key, kind="stable")
        used = np.bincount(site, minlength=own.n_sites)
        full = int(np.searchsorted(np.cumsum(used[order]), min(self.rows, own.n_rows))) + 1
        full = max(full, min(2, own.n_sites))
        inside = order[:full]
        row = np.flatnonzero(np.isin(site, inside))
        closed = np.flatnonzero(used == 0)
        closed = closed[~np.isin(closed, inside)]
        extra = closed[np.argsort(rank[closed])][:_SPARE_SITES]
        return Region(row, np.sort(np.concatenate([inside, extra])))

    def solve_region(self, region: Region, seed: int) -> Solved:
        """Look for a better plan of the region; changes nothing here."""
        own, best = self.instance, self.incumbent
        if best.site is None or len(region.row) == 0:
            return Solved(region.row, None, True, 0)
        part, site = self._cut_out(region)
        status = np.zeros(part.n_sites, dtype=np.int8)
        status[len(region.site) :] = OPEN
        inner = Incumbent(part, seed=seed, gap_share=0.0, deadline=best.deadline, tell=_tell_nobody)
        place = np.full(own.n_sites, -1, dtype=np.int64)
        place[site] = np.arange(len(site))
        inner.site = place[best.site[region.row]]
        inner.upper = before = part.price_plan(inner.site)
        target = before - (best.upper - best.goal)
        price, arcs = self.price[region.row].copy(), part.arcs
        average, opened = np.zeros(len(arcs.row)), np.zeros(part.n_sites)
        whole = part.part(arcs.start, arcs.row, arcs.cost, status)
        bound, _ = climb(whole, price, target, _CLIMB_ROUNDS, _STRIDE, True, False, average, opened)
        if bound >= target:
            return Solved(region.row, None, True, 0)
        tree = Tree(part, reduce_arcs(part, status, price, bound, target), status, target, inner)
        exact = tree.run(price, bound, most_nodes=_MOST_NODES)
        found = site[inner.site] if inner.upper < before else None
        return Solved(region.row, found, exact, tree.nodes)

    def _cut_out(self, region: Region) -> tuple[Instance, Ints]:
        """Return the region as an instance of its own, and its sites: after its own, others with room left."""
        own, plan = self.instance, self.incumbent.site
        assert plan is not None
        kept = np.ones(own.n_rows, dtype=bool)
        kept[region.row] = False
        load = np.bincount(plan[kept], weights=own.demand[kept], minlength=own.n_sites)
        used = np.bincount(plan[kept], minlength=own.n_sites) > 0
        used[region.site] = False
        least = float(own.demand[region.row].min())
        left = own.room - load
        others = np.flatnonzero(used & (left >= least) & (left > 0))
        cost = own.cost[region.row]
        site = np.concatenate([region.site, others])
        room = np.concatenate([own.room[region.site], left[others]])
        fixed = np.concatenate([own.fixed[region.site], np.zeros(len(others))])
        count = own.count - (int(used.sum()) - len(others))
        demand = own.demand[region.row]
        cost = np.where(demand[:, None] > room, np.inf, cost[:, site])
        part = Instance(
            np.ascontiguousarray(cost), demand, np.minimum(room, demand.sum()), fixed, min(count, len(site)),
            own.whole, own.grain,
        )  # fmt: skip
        return part, site

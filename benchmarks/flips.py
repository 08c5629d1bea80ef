"""Connected moves per second against gerrychain's flips, and balance where annealing alone does not get there.

The same rule on both sides, from the same plan (stripes, then mixed by many flips): draw a border between two
districts, let the unit on one side change to the other, keep the change when both districts stay connected and within
the bounds of population. A flip counts when it is kept.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from planning.solvers.problems import ZoneProblem
from planning.solvers.zone_anneal import anneal
from planning.solvers.zone_kernels import kernel, list_rim, may_leave, recount, settle, shift
from planning.solvers.zone_moves import draw_below
from planning.solvers.zone_search import search_zones
from planning.solvers.zone_start import build_start, estimate_place_price
from planning.solvers.zone_state import Array, Plan, World, build_plan, build_world

DISTRICTS = 10
TOLERANCE = 0.1
TARGETS = {1_000: 70.0, 10_000: 300.0}
REPEATS = 3
MIXING = 20
"""Flips per unit before anything is timed."""


def build_grid(rows: int, columns: int, schools: int, *, slack: float, seed: int = 1) -> ZoneProblem:
    """Return a grid of units with 1 to 20 pupils, schools at random, equal places, straight ways."""
    generator = np.random.default_rng(seed)
    count = rows * columns
    y, x = np.divmod(np.arange(count), columns)
    cells = np.arange(count).reshape(rows, columns)
    first = np.concatenate([cells[:, :-1].ravel(), cells[:-1].ravel()])
    second = np.concatenate([cells[:, 1:].ravel(), cells[1:].ravel()])
    links = np.concatenate([np.column_stack([first, second]), np.column_stack([second, first])])
    links = links[np.lexsort((links[:, 1], links[:, 0]))]
    seat = np.sort(generator.choice(count, schools, replace=False)).astype(np.int32)
    pupils = generator.integers(1, 21, count).astype(float)
    return ZoneProblem(
        cost=np.hypot(x[:, None] - x[seat], y[:, None] - y[seat]) * pupils[:, None],
        pupils=pupils,
        places=np.full(schools, np.ceil(pupils.sum() * slack / schools)),
        seat=seat,
        neighbour_start=np.searchsorted(links[:, 0], np.arange(count + 1)).astype(np.int64),
        neighbour=links[:, 1].astype(np.int32),
        overload_price=10_000.0,
        locked=np.full(count, -1, np.int32),
    )


def cut_stripes(rows: int, columns: int) -> Array:
    """Return districts of equal numbers of columns."""
    return np.tile(np.arange(columns) * DISTRICTS // columns, rows).astype(np.int32)


@kernel
def run_flips(world: World, plan: Plan, dice: Array, flips: int, least: float, most: float) -> int:
    """Keep ``flips`` flips; return how many were proposed."""
    list_rim(world, plan)
    kept = 0
    proposed = 0
    while kept < flips:
        unit = plan.rim[draw_below(dice, plan.rim_size[0])]
        first = world.start[unit]
        place = draw_below(dice, 4)
        if place >= world.start[unit + 1] - first:
            continue
        zone = plan.school[unit]
        to = plan.school[world.neighbour[first + place]]
        if to == zone:
            continue
        proposed += 1
        pupils = world.pupils[unit]
        if plan.load[zone] - pupils < least or plan.load[to] + pupils > most or not may_leave(world, plan, unit):
            continue
        shift(world, plan, unit, to)
        settle(world, plan, unit, zone)
        kept += 1
    return proposed


class Flips:
    """The state of one comparison: a grid, its mixed districts, and both ways to go on from them."""

    def __init__(self, rows: int, columns: int) -> None:
        problem = build_grid(rows, columns, DISTRICTS, slack=1.0 + TOLERANCE)
        world = build_world(problem, np.eye(5)[0], np.full(5, np.inf))
        count = problem.n_units
        self.size = (rows, columns)
        self.world = world._replace(fixed=np.zeros(count, bool), pupils=np.ones(count))
        self.plan = build_plan(self.world, cut_stripes(rows, columns))
        self.bounds = (count / DISTRICTS * (1 - TOLERANCE), count / DISTRICTS * (1 + TOLERANCE))
        self.dice = np.array([12345], np.uint64)
        recount(self.world, self.plan)
        self.run_ours(MIXING * count)

    def run_ours(self, flips: int) -> float:
        """Return flips kept per second; the plan changes."""
        began = time.perf_counter()
        run_flips(self.world, self.plan, self.dice, flips, *self.bounds)
        return flips / (time.perf_counter() - began)

    def run_gerrychain(self, flips: int) -> float:
        """Return flips kept per second from the same plan."""
        import networkx as nx
        from gerrychain import Graph, MarkovChain, Partition, accept, constraints, proposals, updaters

        graph: Any = nx.convert_node_labels_to_integers(nx.grid_2d_graph(*self.size), ordering="sorted")
        nx.set_node_attributes(graph, 1, "people")
        plan = Partition(
            Graph.from_networkx(graph),
            assignment=dict(enumerate(self.plan.school.tolist())),
            updaters={"people": updaters.Tally("people", alias="people"), "cut_edges": updaters.cut_edges},
        )
        chain = MarkovChain(
            proposals.propose_random_flip,
            [
                constraints.within_percent_of_ideal_population(plan, TOLERANCE, pop_key="people"),
                constraints.single_flip_contiguous,
            ],
            accept.always_accept,
            plan,
            flips,
        )
        began = time.perf_counter()
        steps = sum(1 for _ in chain)
        return steps / (time.perf_counter() - began)


def compare_flips() -> None:
    """Print flips per second and ratios, the median of a few runs in turn."""
    print("| units | flips/s | gerrychain flips/s | ratio | target |\n|---|---|---|---|---|")
    for rows, columns in ((25, 40), (100, 100)):
        count = rows * columns
        state = Flips(rows, columns)
        pairs = [(state.run_ours(200_000), state.run_gerrychain(10_000_000 // count)) for _ in range(REPEATS)]
        ours, theirs = np.median(np.array(pairs), axis=0)
        ratio = float(np.median([mine / other for mine, other in pairs]))
        print(f"| {count:,} | {ours:,.0f} | {theirs:,.0f} | {ratio:,.0f}x | {TARGETS[count]:,.0f}x |", flush=True)


def show_balance(rows: int = 200, columns: int = 250, schools: int = 300, time_limit_s: float = 60.0) -> None:
    """Print how far the fullest of 300 zones is above an equal share, by method, with 3 % places to spare."""
    problem = build_grid(rows, columns, schools, slack=1.03)
    share = float(problem.pupils.sum()) / schools
    world = build_world(problem, np.eye(5)[0], np.full(5, np.inf))

    def show(name: str, school: Array, seconds: float) -> None:
        load = np.bincount(school, weights=problem.pupils, minlength=schools)
        above, over = load.max() / share - 1.0, np.maximum(load - problem.places, 0.0).sum()
        cost = problem.cost[np.arange(problem.n_units), school].sum() / problem.pupils.sum()
        print(f"| {name} | {seconds:.1f} | {above:.1%} | {over / problem.pupils.sum():.3%} | {cost:.3f} |", flush=True)

    title = f"{rows * columns:,} units, {schools} zones"
    print(f"\n| {title} | s | fullest above an equal share | above places | mean way |\n|---|---|---|---|---|")
    began = time.perf_counter()
    nearest = build_start(problem)
    show("nearest", nearest, time.perf_counter() - began)
    plan = build_plan(world, nearest)
    recount(world, plan)
    began = time.perf_counter()
    anneal(world, plan, np.array([7], np.uint64), 40_000_000, 50.0, 0.5, 1.0, 50.0, np.zeros(schools))
    show("nearest, annealing alone", plan.school, time.perf_counter() - began)
    began = time.perf_counter()
    price = estimate_place_price(problem.cost, problem.pupils, problem.places, problem.overload_price)
    start = build_start(problem, place_price=price)
    show("by prices of places", start, time.perf_counter() - began)
    found = search_zones(problem, start, rounds=1, place_price=price)
    show("and passed on by chains", found.school, time.perf_counter() - began)
    found = search_zones(problem, start, rounds=10**9, time_limit_s=time_limit_s, place_price=price)
    show("and searched", found.school, time.perf_counter() - began)


def main() -> None:
    """Print both tables."""
    compare_flips()
    show_balance()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    main()

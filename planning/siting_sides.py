"""The rules over ways as inequalities ``sum(value · chosen) <= limit``: budgets, changes per year, building first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.study import FrozenArrays
from planning.siting_case import SitingCase
from planning.siting_ways import CLOSE, EXPAND, OPEN, STAY, SitingWays
from planning.solvers.problems import Floats, Ints

RECEIVERS = 2
"""Schools that are looked at as the next ones for the pupils of a school that closes."""
RECEIVER_SHARE = 0.1
"""Share of a school's pupils for whom another is among the next ones, so that it is likely to receive them."""


@dataclass(frozen=True, eq=False)
class Side(FrozenArrays):
    """One inequality.

    ``family``: budget, total_budget, changes, count, order, front or differ; ``period``: position of its year, or −1.
    """

    name: str
    family: str
    way: Ints
    value: Floats
    limit: float
    period: int = -1


def list_sides(case: SitingCase, ways: SitingWays, row: Ints, facility: Ints, minutes: Floats) -> tuple[Side, ...]:
    """Return the rules that are asked for; ``row``, ``facility``, ``minutes``: the arcs, nearest first in every row."""
    sides = [*_list_budgets(case, ways), *_list_changes(case, ways), *_list_count(case, ways)]
    if case.options.rules.build_before_closing:
        sides += _list_orders(case, ways, find_receivers(case, row, facility))
    return tuple(sides)


def _list_budgets(case: SitingCase, ways: SitingWays) -> list[Side]:
    """Add ``sum(money of the decisions of year t) <= budget of t``, and the same for all years together."""
    found = []
    for year, money in sorted(case.options.rules.budgets_cny):
        if year in case.years:
            period = case.years.index(year)
            found.append(_make(f"budget {year}", "budget", ways.money_cny[:, period], money, period))
    total = case.options.rules.total_budget_cny
    if total is not None:
        found.append(_make("total budget", "total_budget", ways.money_cny.sum(axis=1), total))
    return found


def _make(name: str, family: str, value: Floats, limit: float, period: int = -1) -> Side:
    used = np.flatnonzero(value)
    return Side(name, family, used.astype(np.int64), value[used].astype(np.float64), float(limit), period)


def _list_changes(case: SitingCase, ways: SitingWays) -> list[Side]:
    """Add ``number of facilities that change in year t <= N``."""
    most = case.options.rules.max_changes
    if most is None:
        return []
    return [
        _make(f"changes {year}", "changes", (ways.changes & (ways.period == period)).astype(float), most, period)
        for period, year in enumerate(case.years)
    ]


def _list_count(case: SitingCase, ways: SitingWays) -> list[Side]:
    """Add ``schools that stand in the last year = count``, as two inequalities."""
    count = case.options.count
    if count is None:
        return []
    stands = ways.open_now[:, -1].astype(float)
    return [_make("count at most", "count", stands, count), _make("count at least", "count", -stands, -count)]


def find_receivers(case: SitingCase, row: Ints, facility: Ints) -> list[Ints]:
    """Return, for each facility, those that are likely to receive its pupils if it closes.

    Those that are among the ``RECEIVERS`` nearest allowed other ones for at least ``RECEIVER_SHARE`` of its pupils of
    today (of all years together). Counted twice, over schools alone and over schools and sites together, so that
    neither hides the other.
    """
    width = case.facilities.count
    pupils = case.pupils.sum(axis=1)
    total = case.home.T @ pupils
    likely = np.zeros((width, width))
    schools = ~case.facilities.is_site[facility]
    for chosen in (np.ones(len(row), dtype=np.bool_), schools):
        seen = np.zeros((width, width))
        rows, targets = row[chosen], facility[chosen]
        starts = np.searchsorted(rows, np.arange(case.n_rows + 1))
        for at in range(case.n_rows):
            near = targets[starts[at] : starts[at + 1]][: RECEIVERS + 1]
            for home in np.flatnonzero(case.home[at]):
                seen[home, near[near != home][:RECEIVERS]] += case.home[at, home] * pupils[at]
        likely = np.maximum(likely, seen)
    share = likely / np.where(total > 0, total, np.inf)[:, None]
    return [np.flatnonzero(share[at] >= RECEIVER_SHARE) for at in range(width)]


def _list_orders(case: SitingCase, ways: SitingWays, receivers: list[Ints]) -> list[Side]:
    """Add ``closed(j, t) + built(k, t) <= 1`` for every likely receiver k of j: what is built stands a year earlier."""
    grows = (ways.kind == EXPAND) | (ways.kind == OPEN)
    found = []
    for closed in np.flatnonzero(ways.kind == CLOSE):
        home, period = int(ways.owner[closed]), int(ways.period[closed])
        for other in receivers[home]:
            span = np.arange(ways.start[other], ways.start[other + 1])
            built = span[grows[span] & (ways.period[span] == period)]
            if len(built):
                way = np.append(built, closed).astype(np.int64)
                name = f"order {case.facilities.ids[home]} {case.facilities.ids[other]} {case.years[period]}"
                found.append(Side(name, "order", way, np.ones(len(way)), 1.0, period))
    return found


def limit_cost(ways: SitingWays, cost: Floats, limit: float) -> Side:
    """Return ``sum(cost of the chosen ways) <= limit``: a point on the front."""
    return _make("cost", "front", cost, limit)


def differ_from(ways: SitingWays, chosen: Ints, differ: int) -> tuple[Side, ...]:
    """Return the rules that at least ``differ`` facilities decide otherwise than in ``chosen``: a Hamming cut.

    Another year or size is no other decision: closing, extending, opening, or nothing. At least half of the others are
    decisions of ``chosen`` that are not taken (as far as it has so many): a plan with something useless on top is none.
    """
    kind = ways.kind[chosen]
    same = ways.kind == kind[ways.owner]
    rules = [_make("differ", "differ", same.astype(float), len(chosen) - differ)]
    decided = int((kind != STAY).sum())
    undone = min(decided, (differ + 1) // 2)
    if undone:
        again = same & (kind != STAY)[ways.owner]
        rules.append(_make("undone", "differ", again.astype(float), decided - undone))
    return tuple(rules)

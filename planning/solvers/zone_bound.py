"""A proven lower bound for connected zones of whole units: column generation over zones.

Every school gets one connected zone within its allowed units, every unit lies in one zone. The bound is that of the
linear relaxation over all such zones (Dantzig-Wolfe; for districting: Garfinkel and Nemhauser 1970, Mehrotra, Johnson
and Nemhauser 1998). For any unit prices ``u`` the sum of ``u`` less the best prized zone of every school is a valid
bound; the master problem over the zones found so far says where to look for better prices, kept near the best ones by
a box (du Merle et al. 1999). Once it closes, triples of which the fractional plan uses more than one zone with two of
them are cut off (subset-row cuts, Jepsen et al. 2008). The bound is valid from the first sweep on and can be stopped
at any time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numba
import numpy as np

from planning.solvers.highs import open_highs
from planning.solvers.problems import Floats, ZoneProblem
from planning.solvers.zone_pricing import TOLERANCE, SchoolPricing, TriplePrices, Zone, build_triple_prices

_BOX_SHARE = 0.05
_CLOSED = 2e-5
_MISSES = 3
_PROVE_S = 2.0
_MOST_TRIPLES = 600
_TRIPLES_AT_ONCE = 40


@dataclass(frozen=True, eq=False)
class Prices:
    """Duals of the master: of units (units,), of budgets, and of the triples cut (0 or more)."""

    unit: Floats
    budget: Floats
    triple: Floats


@dataclass(eq=False)
class ZoneBound:
    """Column generation that can be run a little at a time.

    Parameters
    ----------
    problem : the zone problem
    cost : shape (units, schools)
        The linear objective to bound (``inf`` = not allowed); overload is priced as the problem says.
    prices : shape (units,)
        Where to start: of the transport problem, say.
    budgets : pairs of a matrix (units, schools) and the most that its sum may be
    """

    problem: ZoneProblem
    cost: Floats
    prices: Floats
    budgets: tuple[tuple[Floats, float], ...] = ()
    bound: float = -np.inf
    closed: bool = False
    sweeps: int = 0
    zones: list[tuple[int, Zone, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        problem = self.problem
        allowed = find_allowed(problem, self.cost)
        start = np.array(problem.neighbour_start)
        neighbour = np.array(problem.neighbour)
        pupils = np.array(problem.pupils)
        self._cost = np.where(allowed, self.cost, 0.0)
        self._schools = [
            SchoolPricing(
                pupils,
                float(problem.places[school]),
                float(problem.overload_price),
                int(problem.seat[school]),
                start,
                neighbour,
                np.array(allowed[:, school]),
            )
            for school in range(problem.n_schools)
        ]
        self._centre = np.array(self.prices, dtype=np.float64)
        self._box = _BOX_SHARE * np.maximum(np.abs(self._centre), float(np.abs(self._centre).mean()))
        self._triples = np.zeros((0, 3), dtype=np.int64)
        self._known: set[tuple[int, bytes]] = set()
        self._misses = 0
        self._model = self._open_master()
        self._next = Prices(self._centre.copy(), np.zeros(len(self.budgets)), np.zeros(0))
        self._best = self._next
        self._best_values: list[float] = []

    def add_plan(self, school: np.ndarray[Any, Any]) -> None:
        """Offer the zones of a plan to the master problem."""
        for position in range(self.problem.n_schools):
            self._add_zone(position, (school == position).astype(np.int8))

    def run(
        self,
        *,
        until: float | None,
        stop: Callable[[], bool] = lambda: False,
        target: float = np.inf,
        sweeps: int = 10_000,
    ) -> float:
        """Improve the bound until it is closed, reaches ``target``, the clock ``until`` (perf_counter) or a stop."""
        for _ in range(sweeps):
            if self.closed or self.bound >= target or stop() or (until is not None and time.perf_counter() > until):
                break
            self._sweep(until)
        return self.bound

    @property
    def duals(self) -> tuple[Floats, Floats] | None:
        """Prices of units and values of schools behind the best bound (cuts and budgets left out); None before one."""
        if not self._best_values:
            return None
        return self._best.unit, np.asarray(self._best_values, dtype=np.float64)

    def drop_units(self, upper: float) -> float:
        """Drop unit and school pairs that no plan cheaper than ``upper`` can hold; return the share of pairs left."""
        if not np.isfinite(self.bound):
            return 1.0
        left = 0
        for school, pricing in enumerate(self._schools):
            prize = self._prize(school, self._best)
            left += pricing.drop_units(prize, self._best_values[school] - (upper - self.bound) - TOLERANCE)
        return left / (self.problem.n_units * self.problem.n_schools)

    def allowed_pairs(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return (units, schools): pairs not dropped."""
        return np.column_stack([pricing.allowed for pricing in self._schools])

    def _prize(self, school: int, prices: Prices) -> Floats:
        prize = prices.unit - self._cost[:, school]
        for (matrix, _), price in zip(self.budgets, prices.budget, strict=True):
            prize = prize - price * matrix[:, school]
        return prize

    def _sweep(self, until: float | None) -> None:
        """Price every school once, then solve the master for the next prices."""
        prices = self._next
        triples = build_triple_prices(self._triples, prices.triple, self.problem.n_units)
        fixed = float(prices.unit.sum()) - float(prices.triple.sum())
        fixed -= sum(price * limit for (_, limit), price in zip(self.budgets, prices.budget, strict=True))
        answers: list[tuple[float, float, Zone]] = []
        for school, pricing in enumerate(self._schools):
            answers.append(pricing.price(self._prize(school, prices), triples))
            if until is not None and time.perf_counter() > until:
                return
        if fixed - sum(value for value, _, _ in answers) > self.bound:
            self._prove_all(answers, fixed, prices, triples, until)
        bound = fixed - sum(upper for _, upper, _ in answers)
        if bound > self.bound:
            self.bound = bound
            self._best = prices
            self._best_values = [upper for _, upper, _ in answers]
            self._centre = prices.unit
            self._misses = 0
        else:
            self._misses += 1
            if self._misses >= _MISSES:
                self._box = np.maximum(self._box * 0.5, 1e-9 + 1e-6 * np.abs(self._centre))
                self._misses = 0
        new = sum(self._add_zone(school, zone) for school, (_, _, zone) in enumerate(answers))
        self.sweeps += 1
        self._solve_master(new)

    def _prove_all(
        self,
        answers: list[tuple[float, float, Zone]],
        fixed: float,
        prices: Prices,
        triples: TriplePrices,
        until: float | None,
    ) -> None:
        """Spend more on the schools whose zone is not proven best, as long as the bound can still rise."""
        order = sorted(range(len(answers)), key=lambda school: answers[school][0] - answers[school][1])
        for school in order:
            value, upper, zone = answers[school]
            if upper <= value + TOLERANCE or (until is not None and time.perf_counter() > until):
                break
            left = _PROVE_S if until is None else min(_PROVE_S, until - time.perf_counter())
            proved = self._schools[school].prove(
                self._prize(school, prices),
                triples,
                value,
                zone,
                slack=_CLOSED * abs(fixed) / len(answers),
                time_limit_s=left,
            )
            answers[school] = (proved[0], min(upper, proved[1]), proved[2])
            if fixed - sum(found for found, _, _ in answers) <= self.bound:
                break

    def _open_master(self) -> Any:
        """Rows: units, schools, budgets. Columns: a box of two per unit, a slack per school; zones come later."""
        import highspy

        model = open_highs()
        infinite = highspy.kHighsInf
        nothing = np.zeros(0, dtype=np.int32)
        units, schools = self.problem.n_units, self.problem.n_schools
        for _ in range(units + schools):
            model.addRow(1.0, 1.0, 0, nothing, np.zeros(0))
        for _, limit in self.budgets:
            model.addRow(-infinite, limit, 0, nothing, np.zeros(0))
        for sign in (1.0, -1.0):
            for unit in range(units):
                model.addCol(0.0, 0.0, infinite, 1, np.array([unit], dtype=np.int32), np.array([sign]))
        dear = 1e3 * (1.0 + float(np.abs(self._centre).sum()))
        for school in range(schools):
            model.addCol(dear, 0.0, infinite, 1, np.array([units + school], dtype=np.int32), np.ones(1))
        return model

    def _add_zone(self, school: int, zone: Zone) -> bool:
        """Add a zone to the master and to the school's memory; False where it is known."""
        import highspy

        key = (school, zone.tobytes())
        if key in self._known:
            return False
        self._known.add(key)
        members = np.flatnonzero(zone)
        over = max(0.0, float(self.problem.pupils[members].sum()) - float(self.problem.places[school]))
        if over > TOLERANCE and not np.isfinite(self.problem.overload_price):
            return False
        cost = float(self._cost[members, school].sum()) + (over * float(self.problem.overload_price) if over else 0.0)
        units, schools = self.problem.n_units, self.problem.n_schools
        spent = [float(matrix[members, school].sum()) for matrix, _ in self.budgets]
        paid = np.flatnonzero(zone[self._triples].sum(axis=1) >= 2)
        first = units + schools
        rows = np.concatenate([members, [units + school], first + np.arange(len(spent)), first + len(spent) + paid])
        values = np.concatenate([np.ones(len(members) + 1), spent, np.ones(len(paid))])
        self._model.addCol(cost, 0.0, highspy.kHighsInf, len(rows), rows.astype(np.int32), values)
        self._schools[school].remember(zone)
        self.zones.append((school, zone, cost))
        return True

    def _solve_master(self, new: int) -> None:
        """Find the next prices within the box; widen the box where it holds the optimum back, else close."""
        units = self.problem.n_units
        box = np.concatenate([self._centre + self._box, self._box - self._centre])
        self._model.changeColsCost(2 * units, np.arange(2 * units, dtype=np.int32), box)
        self._model.run()
        value = float(self._model.getInfo().objective_function_value)
        solution = self._model.getSolution()
        duals = np.asarray(solution.row_dual)
        first = units + self.problem.n_schools
        cuts = first + len(self.budgets)
        self._next = Prices(duals[:units].copy(), np.maximum(0.0, -duals[first:cuts]), np.maximum(0.0, -duals[cuts:]))
        if new and value - self.bound >= _CLOSED * abs(value):
            return
        shares = np.asarray(solution.col_value)
        if float(shares[: 2 * units].sum()) > 1e-6:
            self._box = self._box * 2.0
        elif not self._cut_triples(shares[2 * units + self.problem.n_schools :]):
            self.closed = True

    def _cut_triples(self, shares: Floats) -> int:
        """Cut off triples of which more than one zone, fractions added up, holds two or three; return how many."""
        import highspy

        if len(self._triples) >= _MOST_TRIPLES:
            return 0
        used = np.flatnonzero(shares > 1e-6)
        if not len(used):
            return 0
        zones = np.array([self.zones[position][1] for position in used]).reshape(len(used), -1)
        split = np.flatnonzero((zones * np.minimum(shares[used], 1.0 - shares[used])[:, None]).sum(axis=0) > 1e-3)
        found = find_triples(np.ascontiguousarray(zones[:, split]), shares[used], _TRIPLES_AT_ONCE)
        if not len(found):
            return 0
        known = {tuple(triple) for triple in self._triples.tolist()}
        fresh = np.array([triple for triple in split[found].tolist() if tuple(triple) not in known], dtype=np.int64)
        if not len(fresh):
            return 0
        offset = 2 * self.problem.n_units + self.problem.n_schools
        members = np.array([zone for _, zone, _ in self.zones])
        for triple in fresh:
            columns = np.flatnonzero(members[:, triple].sum(axis=1) >= 2)
            self._model.addRow(
                -highspy.kHighsInf, 1.0, len(columns), (offset + columns).astype(np.int32), np.ones(len(columns))
            )
        self._triples = np.vstack([self._triples, fresh])
        self._next = replace(self._next, triple=np.append(self._next.triple, np.zeros(len(fresh))))
        self._model.run()
        return len(fresh)


@numba.njit(cache=True, nogil=True)
def find_triples(zones: np.ndarray[Any, Any], shares: np.ndarray[Any, Any], most: int) -> Any:
    """Return up to ``most`` triples of columns of ``zones`` (zones, units), most violated first, few per unit."""
    count = zones.shape[1]
    pair = np.zeros((count, count))
    for row in range(len(zones)):
        for first in range(count):
            if zones[row, first]:
                for second in range(count):
                    if zones[row, second]:
                        pair[first, second] += shares[row]
    sums, triples = [0.0], [(0, 0, 0)]
    for first in range(count):
        for second in range(first + 1, count):
            for third in range(second + 1, count):
                most_sum = pair[first, second] + pair[first, third] + pair[second, third]
                if most_sum < 1.02:
                    continue
                total = 0.0
                for row in range(len(zones)):
                    if zones[row, first] + zones[row, second] + zones[row, third] >= 2:
                        total += shares[row]
                if total > 1.02:
                    sums.append(total)
                    triples.append((first, second, third))
    order = np.argsort(-np.array(sums))
    times = np.zeros(count, np.int64)
    chosen = np.zeros((most, 3), np.int64)
    number = 0
    for position in order:
        first, second, third = triples[position]
        if sums[position] < 1.0 or number >= most:
            continue
        if max(times[first], times[second], times[third]) >= 5:
            continue
        for unit in (first, second, third):
            times[unit] += 1
        chosen[number, 0], chosen[number, 1], chosen[number, 2] = first, second, third
        number += 1
    return chosen[:number]


def find_allowed(problem: ZoneProblem, cost: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return (units, schools): pairs that a plan may hold; seats and locked units have one school only."""
    allowed = np.isfinite(cost)
    for units, schools in (
        (np.array(problem.seat), np.arange(problem.n_schools)),
        (np.flatnonzero(problem.locked >= 0), problem.locked[problem.locked >= 0]),
    ):
        allowed[units] = False
        allowed[units, schools] = True
    return allowed

"""The best connected zone of one school for given unit prices: the subproblem of the zone bound.

Maximise ``sum(prize of members) - overload price × pupils above the places`` over sets of units that are connected and
hold the school's seat. It is solved by branch and bound on the units that touch the zone. The bound at a node is a
fractional knapsack over the units still within reach. What makes it strong are separator cuts ``x[v] <= sum(x[S])``:
every way from ``v`` to the seat crosses ``S`` (node-based Steiner trees, Fischetti et al. 2017). They are found on the
linear relaxation once and kept, because they do not depend on the prices; their multipliers turn the prizes into
penalised ones, which bound the true ones from above on every connected set.

A zone that holds two or three units of a triple may also have to pay the price of that triple (subset-row cuts, Jepsen
et al. 2008, found by ``zone_bound``).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from planning.solvers.highs import open_highs
from planning.solvers.problems import Bools, Floats, Ints
from planning.solvers.zone_branch import branch, find_least_cut, find_mirror, find_separator, label_components, thin_out

FEW_NODES, MANY_NODES, MOST_NODES = 2_000, 20_000, 60_000
TOLERANCE = 1e-7
_THRESHOLDS = (1e-6, 0.1, 0.3, 0.6, 0.9)
_CUT_ROUNDS = 20
_VIOLATION = 1e-3
_MOST_CUTS = 3_000
_FLOWS = 40
_LEAST_SHARE = 0.05

Zone = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class TriplePrices:
    """Triples of units (triples, 3) and what a zone pays that holds two or more of one (triples,)."""

    triples: Ints
    price: Floats
    start: Ints
    triple: Ints

    def charge(self, zone: Zone) -> float:
        """Return what the zone pays."""
        if not len(self.price):
            return 0.0
        return float(self.price[zone[self.triples].sum(axis=1) >= 2].sum())


def build_triple_prices(triples: Ints, price: Floats, n_units: int) -> TriplePrices:
    """Return the prices above zero with, for every unit, the triples that it is in."""
    paid = price > 1e-9
    triples, price = triples[paid], price[paid]
    units = triples.ravel()
    order = np.argsort(units, kind="stable")
    start = np.searchsorted(units[order], np.arange(n_units + 1)).astype(np.int64)
    return TriplePrices(triples, price, start, (order // 3).astype(np.int64))


@dataclass(eq=False)
class SchoolPricing:
    """One school's subproblem with the cuts found so far.

    Parameters
    ----------
    pupils : shape (units,)
    places, overload_price : of the school
    seat : position of its unit
    start, neighbour : adjacency of the units
    allowed : shape (units,)
        Units that may belong to the school; those out of reach are dropped.
    """

    pupils: Floats
    places: float
    overload_price: float
    seat: int
    start: Ints
    neighbour: npt.NDArray[np.int32]
    allowed: Bools
    members: Ints = field(init=False)
    _columns: Ints = field(init=False)
    _column: Ints = field(init=False)
    _mirror: Ints = field(init=False)
    _vertices: list[int] = field(default_factory=list)
    _separators: list[Ints] = field(default_factory=list)
    _known: set[tuple[int, bytes]] = field(default_factory=set)
    _multipliers: Floats = field(default_factory=lambda: np.zeros(0))
    _model: Any = None
    _patience_s: float = 0.3
    _seen: list[Zone] = field(default_factory=list)

    def __post_init__(self) -> None:
        on = self.allowed.copy()
        on[self.seat] = True
        label = label_components(self.start, self.neighbour, on)
        self.allowed = on & (label == label[self.seat])
        self.members = np.flatnonzero(self.allowed)
        self._column = np.full(len(on), -1, dtype=np.int64)
        self._mirror = find_mirror(self.start, self.neighbour)

    def remember(self, zone: Zone) -> None:
        """Keep a zone: its value at the next prices is where the search starts."""
        self._seen.append(zone)
        del self._seen[:-60]

    def price(self, prize: Floats, triples: TriplePrices) -> tuple[float, float, Zone]:
        """Return the value of the best zone found, a proven upper bound on every zone, and the zone.

        Parameters
        ----------
        prize : shape (units,)
        """
        value, zone = self._recall(prize, triples)
        value, bound, zone = self._search(prize, triples, value, zone, FEW_NODES)
        if bound <= value + TOLERANCE:
            return value, value, zone
        self._solve_relaxation(prize)
        value, better, zone = self._search(prize, triples, value, zone, MANY_NODES)
        return value, max(value, min(bound, better)), zone

    def prove(
        self, prize: Floats, triples: TriplePrices, value: float, zone: Zone, *, slack: float, time_limit_s: float
    ) -> tuple[float, float, Zone]:
        """Return the same as :meth:`price` after more work, from a zone of a known value.

        Parameters
        ----------
        slack
            A bound this close to the value is good enough.
        time_limit_s
            Of the last resort, an integer programme.
        """
        value, bound, zone = self._search(prize, triples, value, zone, MOST_NODES)
        if bound <= value + slack or time_limit_s <= 0:
            return value, bound, zone
        limit_s = min(time_limit_s, self._patience_s)
        began = time.perf_counter()
        value, bound, zone = self._solve_integer(prize, triples, value, bound, zone, limit_s)
        late = bound > value + slack and time.perf_counter() - began > 0.9 * limit_s
        self._patience_s = self._patience_s * 0.3 if late else min(2.0, self._patience_s * 2.0)
        return value, bound, zone

    def _solve_integer(
        self, prize: Floats, triples: TriplePrices, value: float, bound: float, zone: Zone, time_limit_s: float
    ) -> tuple[float, float, Zone]:
        """Solve the subproblem with the cuts as an integer programme, cutting until its zone is connected."""
        import highspy

        model = self._open_model()
        count = len(self._columns)
        columns = np.arange(count, dtype=np.int32)
        self._price_columns(model, prize)
        first_column, first_row = model.getNumCol(), model.getNumRow()
        charged = self._charge_triples(model, triples)
        last_row = model.getNumRow()
        model.changeColsIntegrality(count, columns, np.full(count, highspy.HighsVarType.kInteger))
        model.setOptionValue("presolve", "on")
        shares = np.zeros(len(prize))
        until = time.perf_counter() + time_limit_s
        while time.perf_counter() < until:
            model.setOptionValue("time_limit", model.getRunTime() + max(0.05, until - time.perf_counter()))
            model.run()
            info = model.getInfo()
            bound = min(bound, float(info.mip_dual_bound))
            if not np.isfinite(info.objective_function_value) or abs(info.objective_function_value) > 1e29:
                break
            shares[self._columns] = np.asarray(model.getSolution().col_value)[:count]
            on = shares > 0.5
            on[self.seat] = True
            label = label_components(self.start, self.neighbour, on)
            found = (label == label[self.seat]).astype(np.int8)
            worth = self._value(prize, triples, found)
            if worth > value:
                value, zone = worth, found
            if bound <= value + TOLERANCE or label.max() == 0 or not self._cut(model, shares):
                break
        # the cuts stay; what belongs to these prices alone goes
        model.deleteRows(last_row - first_row, np.arange(first_row, last_row, dtype=np.int32))
        model.deleteCols(charged, np.arange(first_column, first_column + charged, dtype=np.int32))
        model.changeColsIntegrality(count, columns, np.full(count, highspy.HighsVarType.kContinuous))
        model.setOptionValue("presolve", "off")
        model.setOptionValue("time_limit", highspy.kHighsInf)
        return value, max(value, bound), zone

    def _charge_triples(self, model: Any, triples: TriplePrices) -> int:
        """Add a column per triple within reach that costs its price once two units of it are held; return how many."""
        import highspy

        nothing = np.zeros(0, dtype=np.int32)
        charged = 0
        for triple, price in zip(triples.triples, triples.price, strict=True):
            held = [self._column[unit] for unit in triple if self.allowed[unit]]
            if len(held) < 2:
                continue
            column = model.getNumCol()
            model.addCol(-price, 0.0, 1.0, 0, nothing, np.zeros(0))
            charged += 1
            for first in range(len(held)):
                for second in range(first + 1, len(held)):
                    pair = np.array([column, held[first], held[second]], dtype=np.int32)
                    model.addRow(-1.0, highspy.kHighsInf, 3, pair, np.array([1.0, -1.0, -1.0]))
        return charged

    def _price_columns(self, model: Any, prize: Floats) -> None:
        """Put the prizes on the columns and shut those that were dropped."""
        count = len(self._columns)
        columns = np.arange(count, dtype=np.int32)
        model.changeColsCost(count, columns, prize[self._columns])
        inside = self.allowed[self._columns].astype(float)
        model.changeColsBounds(count, columns, (self._columns == self.seat).astype(float), inside)

    def drop_units(self, prize: Floats, value: float) -> int:
        """Drop the units that no zone worth more than ``value`` can hold; return how many are left."""
        penalised = self._penalise(prize)
        order = np.flatnonzero(self.allowed & (penalised > 0.0))
        order = order[order != self.seat]
        density = penalised[order] / np.maximum(self.pupils[order], 1e-9)
        order = order[np.argsort(-density, kind="stable")]
        keep = thin_out(penalised, self.pupils, self.places, self._price, self.seat, self.allowed, value, order)
        label = label_components(self.start, self.neighbour, keep)
        self.allowed = keep & (label == label[self.seat])
        self.members = np.flatnonzero(self.allowed)
        return len(self.members)

    def _recall(self, prize: Floats, triples: TriplePrices) -> tuple[float, Zone]:
        """Return the best of the zones kept, at these prizes."""
        alone = np.zeros(len(prize), dtype=np.int8)
        alone[self.seat] = 1
        best, zone = self._value(prize, triples, alone), alone
        for seen in self._seen:
            value = self._value(prize, triples, seen)
            if value > best:
                best, zone = value, seen
        return best, zone

    def _value(self, prize: Floats, triples: TriplePrices, zone: Zone) -> float:
        inside = zone > 0
        over = max(0.0, float(self.pupils[inside].sum()) - self.places)
        if over > 1e-9 and not np.isfinite(self.overload_price):
            return -np.inf
        return float(prize[inside].sum()) - (over * self.overload_price if over > 0 else 0.0) - triples.charge(zone)

    def _penalise(self, prize: Floats) -> Floats:
        penalised = prize.copy()
        for position in np.flatnonzero(self._multipliers > 1e-12):
            penalised[self._vertices[position]] -= self._multipliers[position]
            penalised[self._separators[position]] += self._multipliers[position]
        return penalised

    @property
    def _price(self) -> float:
        return self.overload_price if np.isfinite(self.overload_price) else 1e300

    def _search(
        self, prize: Floats, triples: TriplePrices, value: float, zone: Zone, nodes: int
    ) -> tuple[float, float, Zone]:
        found = zone.copy()
        best, bound = branch(
            self.start,
            self.neighbour,
            prize,
            self._penalise(prize),
            triples.start,
            triples.triple,
            triples.price,
            self.pupils,
            self.places,
            self._price,
            self.seat,
            self.allowed,
            value,
            nodes,
            found,
        )
        return float(best), float(bound), found

    def _solve_relaxation(self, prize: Floats) -> None:
        """Cut the linear relaxation at these prizes; keep the cuts and their multipliers."""
        model = self._open_model()
        columns = len(self._columns)
        self._price_columns(model, prize)
        last = np.inf
        shares = np.zeros(len(prize))
        for cut_round in range(_CUT_ROUNDS):
            model.run()
            value = float(model.getInfo().objective_function_value)
            shares[self._columns] = np.asarray(model.getSolution().col_value)[:columns]
            found = self._cut(model, shares)
            if not found or (cut_round > 4 and value > last - 1e-4 * abs(value)):
                break
            last = value
        if found:
            model.run()
        duals = np.asarray(model.getSolution().row_dual)[1:]
        self._multipliers = np.abs(duals)  # any size of 0 or more keeps the bound valid, whatever the solver's signs

    def _open_model(self) -> Any:
        if self._model is not None:
            return self._model
        import highspy

        self._columns = self.members
        self._column[self.members] = np.arange(len(self.members))

        model = open_highs(presolve=False)
        model.changeObjectiveSense(highspy.ObjSense.kMaximize)
        nothing = np.zeros(0, dtype=np.int32)
        limit = self.places if np.isfinite(self.places) else highspy.kHighsInf
        model.addRow(-highspy.kHighsInf, limit, 0, nothing, np.zeros(0))
        row = np.zeros(1, dtype=np.int32)
        for unit in self._columns:
            model.addCol(0.0, float(unit == self.seat), 1.0, 1, row, np.array([self.pupils[unit]]))
        if np.isfinite(self.overload_price):
            model.addCol(-self.overload_price, 0.0, highspy.kHighsInf, 1, row, np.array([-1.0]))
        self._model = model
        return model

    def _cut(self, model: Any, shares: Floats) -> int:
        """Add the separators that the fractional zone breaks; return how many."""
        found = 0
        for threshold in _THRESHOLDS:
            on = self.allowed & (shares > threshold)
            on[self.seat] = True
            label = label_components(self.start, self.neighbour, on)
            for piece in range(int(label.max()) + 1):
                if piece == label[self.seat]:
                    continue
                separator = find_separator(self.start, self.neighbour, self.allowed, label == piece, self.seat)
                crossing = float(shares[separator].sum())
                for unit in np.flatnonzero((label == piece) & (shares > crossing + _VIOLATION)):
                    found += self._add_cut(model, int(unit), separator)
        if found:
            return found
        beside = self.neighbour[self.start[self.seat] : self.start[self.seat + 1]]
        worth = np.where(self.allowed, shares, 0.0)
        worth[beside] = worth[self.seat] = 0.0
        for unit in np.argsort(-worth, kind="stable")[:_FLOWS]:
            if worth[unit] < _LEAST_SHARE:
                break
            flow, separator = find_least_cut(
                self.start, self.neighbour, self._mirror, self.allowed, shares, self.seat, int(unit)
            )
            if flow < shares[unit] - _VIOLATION:
                found += self._add_cut(model, int(unit), separator)
        return found

    def _add_cut(self, model: Any, unit: int, separator: Ints) -> int:
        """Add ``x[unit] <= sum(x[separator])`` unless it is there; return how many were added."""
        import highspy

        key = (unit, separator.tobytes())
        if key in self._known or len(self._vertices) >= _MOST_CUTS:
            return 0
        self._known.add(key)
        self._vertices.append(unit)
        self._separators.append(separator)
        columns = np.append(self._column[separator], self._column[unit]).astype(np.int32)
        model.addRow(0.0, highspy.kHighsInf, len(columns), columns, np.append(np.ones(len(separator)), -1.0))
        return 1

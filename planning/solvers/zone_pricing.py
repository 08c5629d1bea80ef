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

from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from planning.solvers.highs import open_highs
from planning.solvers.problems import Bools, Floats, Ints

FEW_NODES, MANY_NODES, MOST_NODES = 2_000, 20_000, 200_000
TOLERANCE = 1e-7
_THRESHOLDS = (1e-6, 0.1, 0.3, 0.6, 0.9)
_CUT_ROUNDS = 20
_VIOLATION = 1e-3
_MOST_CUTS = 3_000

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
    _vertices: list[int] = field(default_factory=list)
    _separators: list[Ints] = field(default_factory=list)
    _known: set[tuple[int, bytes]] = field(default_factory=set)
    _multipliers: Floats = field(default_factory=lambda: np.zeros(0))
    _model: Any = None
    _seen: list[Zone] = field(default_factory=list)

    def __post_init__(self) -> None:
        on = self.allowed.copy()
        on[self.seat] = True
        label = label_components(self.start, self.neighbour, on)
        self.allowed = on & (label == label[self.seat])
        self.members = np.flatnonzero(self.allowed)
        self._column = np.full(len(on), -1, dtype=np.int64)

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

    def prove(self, prize: Floats, triples: TriplePrices, value: float, zone: Zone) -> tuple[float, float, Zone]:
        """Return the same as :meth:`price` after more work, from a zone of a known value."""
        return self._search(prize, triples, value, zone, MOST_NODES)

    def drop_units(self, prize: Floats, value: float) -> int:
        """Drop the units that no zone worth more than ``value`` can hold; return how many are left."""
        penalised = self._penalise(prize)
        order = np.flatnonzero(self.allowed & (penalised > 0.0))
        order = order[order != self.seat]
        density = penalised[order] / np.maximum(self.pupils[order], 1e-9)
        order = order[np.argsort(-density, kind="stable")]
        keep = _thin_out(penalised, self.pupils, self.places, self._price, self.seat, self.allowed, value, order)
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
        best, bound = _branch(
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
        worth = np.where(self.allowed[self._columns], prize[self._columns], -1e9)
        model.changeColsCost(columns, np.arange(columns, dtype=np.int32), worth)
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
        import highspy

        found = 0
        for threshold in _THRESHOLDS:
            on = self.allowed & (shares > threshold)
            on[self.seat] = True
            label = label_components(self.start, self.neighbour, on)
            for piece in range(int(label.max()) + 1):
                if piece == label[self.seat] or len(self._vertices) >= _MOST_CUTS:
                    continue
                separator = find_separator(self.start, self.neighbour, self.allowed, label == piece, self.seat)
                crossing = float(shares[separator].sum())
                for unit in np.flatnonzero((label == piece) & (shares > crossing + _VIOLATION)):
                    key = (int(unit), separator.tobytes())
                    if key in self._known:
                        continue
                    self._known.add(key)
                    self._vertices.append(int(unit))
                    self._separators.append(separator)
                    columns = np.append(self._column[separator], self._column[unit]).astype(np.int32)
                    signs = np.append(np.ones(len(separator)), -1.0)
                    model.addRow(0.0, highspy.kHighsInf, len(columns), columns, signs)
                    found += 1
        return found


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def label_components(start, neighbour, on):  # type: ignore[no-untyped-def]
    """Return for each unit of ``on`` the number of its connected part, −1 elsewhere."""
    label = np.full(len(on), -1)
    queue = np.empty(len(on), np.int64)
    number = 0
    for first in range(len(on)):
        if not on[first] or label[first] >= 0:
            continue
        label[first] = number
        queue[0] = first
        head, tail = 0, 1
        while head < tail:
            unit = queue[head]
            head += 1
            for link in range(start[unit], start[unit + 1]):
                other = neighbour[link]
                if on[other] and label[other] < 0:
                    label[other] = number
                    queue[tail] = other
                    tail += 1
        number += 1
    return label


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def find_separator(start, neighbour, allowed, piece, seat):  # type: ignore[no-untyped-def]
    """Return the units that every way from the seat to ``piece`` crosses first: a minimal separator beside it."""
    count = len(allowed)
    beside = np.zeros(count, numba.boolean)
    for unit in range(count):
        if piece[unit]:
            for link in range(start[unit], start[unit + 1]):
                other = neighbour[link]
                if allowed[other] and not piece[other]:
                    beside[other] = True
    seen = np.zeros(count, numba.boolean)
    met = np.zeros(count, numba.boolean)
    queue = np.empty(count, np.int64)
    queue[0] = seat
    seen[seat] = True
    met[seat] = beside[seat]
    head, tail = 0, 0 if beside[seat] else 1
    while head < tail:
        unit = queue[head]
        head += 1
        for link in range(start[unit], start[unit + 1]):
            other = neighbour[link]
            if not allowed[other] or piece[other]:
                continue
            if beside[other]:
                met[other] = True
            elif not seen[other]:
                seen[other] = True
                queue[tail] = other
                tail += 1
    return np.flatnonzero(met)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill_knapsack(order, penalised, pupils, reach, stamp, status, value, load, places, price):  # type: ignore[no-untyped-def]
    """Return the fractional knapsack bound: ``value`` of the zone so far, filled up with what is within reach.

    Units come by prize per pupil; above the places every pupil costs ``price``.
    """
    bound = value
    room = max(places - load, 0.0)
    for unit in order:
        if reach[unit] != stamp or status[unit] != 0:
            continue
        if pupils[unit] <= room:
            bound += penalised[unit]
            room -= pupils[unit]
            continue
        inside = room / pupils[unit]
        bound += penalised[unit] * inside
        left = penalised[unit] * (1.0 - inside) - price * (pupils[unit] - room)
        room = 0.0
        if left <= 0.0:
            break
        bound += left
    return bound


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _thin_out(penalised, pupils, places, price, seat, allowed, value, order):  # type: ignore[no-untyped-def]
    """Return the units that a zone better than ``value`` can hold: penalised prize and a price of places decide."""
    keep = allowed.copy()
    room = places - pupils[seat]
    density = 0.0
    for unit in order:
        if pupils[unit] > room:
            density = min(price, penalised[unit] / max(pupils[unit], 1e-300))
            break
        room -= pupils[unit]
    room = places - pupils[seat]
    bound = penalised[seat]
    if room <= 0.0:
        density = price
    if density > 0.0:
        bound += density * room
    for unit in order:
        bound += max(0.0, penalised[unit] - density * pupils[unit])
    for unit in range(len(keep)):
        if keep[unit] and unit != seat and penalised[unit] - density * pupils[unit] + bound <= value:
            keep[unit] = penalised[unit] - density * pupils[unit] > 0.0
    return keep


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _branch(
    start,
    neighbour,
    prize,
    penalised,
    in_start,
    in_triple,
    triple_price,
    pupils,
    places,
    price,
    seat,
    allowed,
    value,
    nodes,
    zone,
):  # type: ignore[no-untyped-def]
    """Return best value and proven upper bound; ``zone`` is overwritten where a better one than ``value`` is found."""
    count = len(prize)
    density = np.full(count, -np.inf)
    candidates = 0
    for unit in range(count):
        if allowed[unit] and unit != seat and penalised[unit] > 0.0:
            density[unit] = penalised[unit] / max(pupils[unit], 1e-9)
            candidates += 1
    order = np.argsort(-density)[:candidates]
    allowed = _thin_out(penalised, pupils, places, price, seat, allowed, value, order)
    status = np.zeros(count, np.int8)  # 0 undecided, 1 in the zone, 2 out
    reach = np.zeros(count, np.int64)
    queue = np.empty(count + 1, np.int64)
    inside = np.empty(count + 1, np.int64)
    trail = np.empty(count + 1, np.int64)
    tried = np.empty(count + 1, np.int8)
    bounds = np.empty(count + 1)
    status[seat] = 1
    inside[0] = seat
    held = np.zeros(len(triple_price), np.int64)
    for link in range(in_start[seat], in_start[seat + 1]):
        held[in_triple[link]] += 1
    members, depth, visited = 1, 0, 0
    gained, hoped, load = prize[seat], penalised[seat], pupils[seat]
    best = value
    down = True
    while True:
        if down:
            visited += 1
            over = price * max(0.0, load - places) if load - places > 1e-9 else 0.0
            if gained - over > best + 1e-7:
                best = gained - over
                for unit in range(count):
                    zone[unit] = 1 if status[unit] == 1 else 0
            tail = 0
            for position in range(members):
                reach[inside[position]] = visited
                queue[tail] = inside[position]
                tail += 1
            head, chosen, most = 0, -1, -np.inf
            room = places - load
            while head < tail:
                unit = queue[head]
                head += 1
                touching = head <= members
                for link in range(start[unit], start[unit + 1]):
                    other = neighbour[link]
                    if reach[other] == visited or status[other] != 0 or not allowed[other]:
                        continue
                    if pupils[other] - room > 1e-9 and price >= 1e299:
                        continue
                    reach[other] = visited
                    queue[tail] = other
                    tail += 1
                    if touching:
                        worth = penalised[other] / max(pupils[other], 1e-3)
                        if worth > most:
                            most, chosen = worth, other
            bound = _fill_knapsack(order, penalised, pupils, reach, visited, status, hoped - over, load, places, price)
            if visited >= nodes:
                bound = max(best, bound)
                for level in range(depth):
                    if tried[level] == 1:
                        bound = max(bound, bounds[level])
                return best, bound
            if bound <= best + 1e-7 or chosen < 0:
                down = False
                continue
            trail[depth], tried[depth], bounds[depth] = chosen, 1, bound
            depth += 1
            status[chosen] = 1
            gained += prize[chosen]
            hoped += penalised[chosen]
            for link in range(in_start[chosen], in_start[chosen + 1]):
                held[in_triple[link]] += 1
                if held[in_triple[link]] == 2:
                    gained -= triple_price[in_triple[link]]
                    hoped -= triple_price[in_triple[link]]
            load += pupils[chosen]
            inside[members] = chosen
            members += 1
        else:
            if depth == 0:
                return best, best
            chosen = trail[depth - 1]
            if tried[depth - 1] == 1:
                status[chosen] = 2
                gained -= prize[chosen]
                hoped -= penalised[chosen]
                for link in range(in_start[chosen], in_start[chosen + 1]):
                    held[in_triple[link]] -= 1
                    if held[in_triple[link]] == 1:
                        gained += triple_price[in_triple[link]]
                        hoped += triple_price[in_triple[link]]
                load -= pupils[chosen]
                members -= 1
                tried[depth - 1] = 2
                if bounds[depth - 1] <= best + 1e-7:
                    status[chosen] = 0
                    depth -= 1
                else:
                    down = True
            else:
                status[chosen] = 0
                depth -= 1

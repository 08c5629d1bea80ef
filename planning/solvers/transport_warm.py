"""The transport problem solved again after a small change, from the flow and the prices of the base.

Closing a school sets its pupils free: each goes to the open arc of least ``cost + price``, and what then stands above
the places is moved on along shortest paths, exactly as in ``transport_paths``. Prices only rise by this, since every
path ends at the sink, whose price stays. New places and new schools start empty at the price at which nobody would
come; shortest paths from the sink pull pupils in, and prices fall. Both end in an optimal flow with prices that prove
it (R. K. Ahuja, T. L. Magnanti, J. B. Orlin, *Network Flows*, 1993, ch. 9.11 and 11: reoptimisation).

Every row is given its cheapest arcs only. For each the least ``cost + price`` left out is known, so after a change a
row has to be looked at in full only where its least value rose beyond that, less the deepest fall of any price. Rows
that then miss an arc get more of them, for good, and the change is answered anew: what is returned is always optimal
over all arcs.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.study import FrozenArrays
from planning.solvers.problems import Floats, Ints, Schools, TransportAnswer, TransportProblem
from planning.solvers.transport import choose_cost_unit, choose_pupil_unit, snap
from planning.solvers.transport_kernels import finish_rows
from planning.solvers.transport_paths import Moves, Rows, Sink, list_moves, route_along
from planning.solvers.transport_warm_kernels import (
    Costs,
    compute_least,
    find_cheaper,
    free_closed,
    list_rows,
    merge_arcs,
    place_flow,
    send_waiting,
)

NEAR_ARCS = 12
"""Cheapest arcs of each row at first."""
_ROUNDS = 40


@dataclass(frozen=True, eq=False)
class CostTable(FrozenArrays):
    """Every arc there is: ``cost[line[row], column] * weight[row]``, ``inf`` = none; see ``transport_warm_kernels``.

    ``cost`` (lines, columns); ``line``, ``weight``, ``barred_row`` (rows,); ``barred_column`` (columns,): those rows
    may not use these columns; ``pin_row`` (rows,): line of ``pin_open`` (lines, columns) with the only columns that the
    row may use, −1 = all. ``twin_price``: every column has a twin dearer by this (times the weight), None = no twins.
    """

    cost: npt.NDArray[np.float32] | Floats
    line: Ints
    weight: Floats
    barred_row: npt.NDArray[np.bool_]
    barred_column: npt.NDArray[np.bool_]
    twin_price: float | None = None
    pin_row: Ints | None = None
    pin_open: npt.NDArray[np.bool_] | None = None

    def as_kernel(self, unit: float) -> Costs:
        """Return the same for the kernels."""
        pinned = self.pin_row is not None and self.pin_open is not None
        return Costs(
            np.array(self.cost, copy=False),
            np.array(self.line),
            np.array(self.weight),
            np.array(self.barred_row),
            np.array(self.barred_column),
            np.array(self.pin_row) if pinned else np.full(len(self.line), -1, dtype=np.int64),
            np.array(self.pin_open) if pinned else np.zeros((0, self.cost.shape[1]), dtype=np.bool_),
            -1.0 if self.twin_price is None else float(self.twin_price),
            unit,
        )


@dataclass(frozen=True, eq=False)
class WarmColumn(FrozenArrays):
    """A new school: cost of each row's pupils (rows,), ``inf`` = not allowed, and its places."""

    cost: Floats
    places: float


@dataclass(frozen=True, eq=False)
class WarmAnswer(FrozenArrays):
    """An optimal flow after a change, over the near arcs (the others carry nothing), and its proof.

    ``row``, ``school``, ``flow``, ``changed`` by arc: new schools stand behind those of the base; ``changed``: the flow
    is not that of the base. ``price`` (schools,): ``inf`` = closed; ``row_price`` (rows,) the least ``cost + price``
    over all arcs (0 = none). ``objective`` and ``bound`` of the rows that have an open arc, as in ``TransportAnswer``.
    """

    row: Ints
    school: Schools
    flow: Floats
    changed: npt.NDArray[np.bool_]
    price: Floats
    row_price: Floats
    objective: float
    bound: float


@dataclass(frozen=True, eq=False)
class _Network:
    """Near arcs with the flow and prices of the base; ``beyond`` (rows,) is the least value left out."""

    rows: Rows
    flow: Floats
    price: Floats
    beyond: Floats
    moves: Moves


class WarmTransport:
    """A transport problem solved once, ready to be solved again after changes. Safe to share between threads.

    Parameters
    ----------
    problem, answer
        The base and its optimal prices. ``flow`` (arcs of ``problem``) may be another optimal flow.
    costs
        All arcs of the same rows and schools.
    """

    def __init__(
        self, problem: TransportProblem, answer: TransportAnswer, costs: CostTable, flow: Floats | None = None
    ) -> None:
        self.unit, self.grain = choose_cost_unit(problem), choose_pupil_unit(problem)
        self.pupils = np.array(problem.pupils, dtype=np.float64)
        self.places = np.array(problem.places, dtype=np.float64)
        self.overload_price = float(problem.overload_price)
        self._snapped = snap(self.pupils, self.grain)
        self._lock = threading.Lock()
        self._ceiling = float(snap(np.array([problem.overload_price]), self.unit)[0])
        self._most = 2 * float(problem.pupils.sum()) + 1
        self._costs = costs.as_kernel(self.unit)
        self._network = self._build_base(problem, answer.flow if flow is None else flow, answer.place_price)

    @property
    def n_schools(self) -> int:
        """Number of schools of the base."""
        return len(self.places)

    @property
    def base_price(self) -> Floats:
        """Prices of the base (schools,)."""
        return self._network.price

    @property
    def n_arcs(self) -> int:
        """Number of arcs looked at now."""
        return len(self._network.flow)

    def solve(
        self,
        closed: Ints | None = None,
        places: Floats | None = None,
        columns: Sequence[WarmColumn] = (),
    ) -> WarmAnswer:
        """Return the optimum after a change of the base.

        Parameters
        ----------
        closed
            Positions of schools that take nobody any more.
        places : shape (schools,)
            New places of the schools of the base; None: as they were.
        columns
            New schools.
        """
        shut = np.zeros(0, dtype=np.int64) if closed is None else np.asarray(closed, dtype=np.int64)
        true_places = np.concatenate(
            [self.places if places is None else places, [float(column.places) for column in columns]]
        )
        true_places[shut] = 0.0
        slack = 0.0
        for _ in range(_ROUNDS):
            network = self._network
            if columns or places is not None:
                rows, before, flow, price = self._pull(network, shut, true_places, columns, slack)
            else:
                rows, before, flow, price = self._push(network, shut, true_places)
            least = compute_least(rows.start, rows.school, rows.cost, price)
            missed = self._find_missed(network, least, price)
            late = self._find_late(network, columns, least, price) if columns else 0.0
            if not len(missed) and late <= 0:
                return self._compose(rows, before, flow, price, true_places)
            if len(missed):
                self._widen(network, missed, least, price)
            slack = max(slack, late)
        raise RuntimeError("the warm start did not settle")

    def _build_base(self, problem: TransportProblem, flow: Floats, place_price: Floats) -> _Network:
        """Return the near arcs with an optimal flow of the base."""
        price = np.clip(snap(np.array(place_price), self.unit), 0.0, self._ceiling)
        busy = np.flatnonzero(self._snapped > 0)
        none = np.full(len(busy), -np.inf)
        start, school, cost, left_out = list_rows(self._costs, busy, price, none, np.full(len(busy), NEAR_ARCS))
        lengths, beyond = np.zeros(len(self._snapped), dtype=np.int64), np.full(len(self._snapped), np.inf)
        lengths[busy], beyond[busy] = np.diff(start), left_out
        used = np.flatnonzero(np.asarray(flow) > 0)
        row = np.searchsorted(problem.start, used, side="right") - 1
        to, amount = problem.school[used], np.asarray(flow)[used]
        counts = np.bincount(row, minlength=len(lengths))
        *arcs, near_flow, row_of = merge_arcs(
            *(_add_up(lengths), school, cost, np.zeros(len(school)), np.arange(len(lengths))),
            *(_add_up(counts), to, snap(problem.cost[used], self.unit)),
        )
        place_flow(arcs[0], arcs[1], self._snapped, near_flow, row, to, amount, self.grain)
        network = self._settle(Rows(arcs[0], arcs[1], arcs[2], row_of), near_flow, price, beyond)
        for _ in range(_ROUNDS):
            least = compute_least(*network.rows[:3], network.price)
            cheaper = find_cheaper(self._costs, busy, network.price, least, np.empty(len(price)))
            if not len(cheaper):
                return network
            network = self._settle(*self._extend(network, cheaper, least, network.price))
        raise RuntimeError("the base did not settle")

    def _settle(self, rows: Rows, flow: Floats, price: Floats, beyond: Floats) -> _Network:
        """Return the network with its flow made optimal."""
        flow = flow.copy()
        send_waiting(rows.start, rows.school, rows.cost, self._snapped, price, flow)
        moves = list_moves(rows, flow, len(price))
        price = self._route(rows, moves, flow, price, self._snap_places(self.places))
        return _Network(rows, flow, price, beyond, moves)

    def _snap_places(self, places: Floats) -> Floats:
        return snap(np.minimum(places, self._most), self.grain)

    def _route(self, rows: Rows, moves: Moves, flow: Floats, price: Floats, places: Floats) -> Floats:
        """Make the flow fit the places, in place; return the prices (``inf`` stays: closed)."""
        load = np.bincount(rows.school, weights=flow, minlength=len(places))
        inner = np.where(price > 0, places, np.minimum(load, places))
        over = np.where(price >= self._ceiling, np.maximum(load - places, 0.0), 0.0)
        excess = load - inner - over
        sink = Sink(places, self._ceiling, inner, over, np.append(excess, -excess.sum()))
        raised = np.append(price, 0.0)
        route_along(rows, moves, sink, flow, raised, np.inf)
        level = raised[:-1] - raised[-1]
        return np.where(np.isinf(level), np.inf, np.clip(level, 0.0, self._ceiling))

    def _push(self, network: _Network, shut: Ints, places: Floats) -> tuple[Rows, Floats, Floats, Floats]:
        """Close schools: return rows, the flow before, and the flow and prices after."""
        flow, price = network.flow.copy(), network.price.copy()
        if not len(shut):
            return network.rows, network.flow, flow, price
        kept = network.moves
        moves = kept._replace(
            first=kept.first.copy(),
            after=kept.after.copy(),
            before=kept.before.copy(),
            key=kept.key.copy(),
            leave=kept.leave.copy(),
            enter=kept.enter.copy(),
        )
        price[shut] = np.inf
        free_closed(shut, network.rows, moves, flow, price)
        return (
            network.rows,
            network.flow,
            flow,
            self._route(network.rows, moves, flow, price, self._snap_places(places)),
        )

    def _pull(
        self, network: _Network, shut: Ints, places: Floats, columns: Sequence[WarmColumn], slack: float
    ) -> tuple[Rows, Floats, Floats, Floats]:
        """Close and open schools and change places: the same as :meth:`_push`, over more arcs."""
        price = np.concatenate([network.price, np.zeros(len(columns))])
        price[shut] = np.inf
        rows, before = network.rows, network.flow
        if columns:
            least = compute_least(*rows[:3], price)
            price[self.n_schools :] = self._choose_prices(columns, least)
            least = np.maximum(least, compute_least(*rows[:3], network.price))
            rows, before = self._add_columns(network, columns, least + slack)
        flow = before.copy()
        send_waiting(rows.start, rows.school, rows.cost, self._snapped, price, flow)
        moves = list_moves(rows, flow, len(price))
        return rows, before, flow, self._route(rows, moves, flow, price, self._snap_places(places))

    def _choose_prices(self, columns: Sequence[WarmColumn], least: Floats) -> Floats:
        """Return prices of new schools at which nobody would leave another school for them, as far as they may rise."""
        prices = np.zeros(len(columns))
        for place, column in enumerate(columns):
            cost = self._snap_cost(column)
            asked = np.isfinite(least) & np.isfinite(cost) & (self._snapped > 0)
            wished = least[asked] - cost[asked]
            prices[place] = np.clip(wished.max(initial=0.0), 0.0, self._ceiling)
        return prices

    def _snap_cost(self, column: WarmColumn) -> Floats:
        return snap(np.asarray(column.cost), self.unit)

    def _add_columns(self, network: _Network, columns: Sequence[WarmColumn], limit: Floats) -> tuple[Rows, Floats]:
        """Return the arcs of the network and those to new schools that cost up to ``limit`` (rows,), with the flow."""
        cost = np.stack([self._snap_cost(column) for column in columns], axis=1)
        use = np.isfinite(cost) & (cost <= limit[:, None]) & (self._snapped > 0)[:, None]
        row, new = np.nonzero(use)
        *arcs, flow, row_of = merge_arcs(
            *(*network.rows[:3], network.flow, np.arange(len(cost)), _add_up(use.sum(axis=1))),
            *((new + self.n_schools).astype(np.int32), cost[row, new]),
        )
        return Rows(arcs[0], arcs[1], arcs[2], row_of), flow

    def _find_late(self, network: _Network, columns: Sequence[WarmColumn], least: Floats, price: Floats) -> float:
        """Return by how much the limit of the arcs to new schools was too low, 0 where it was not."""
        missed = 0.0
        known = compute_least(*network.rows[:3], network.price)
        for place, column in enumerate(columns):
            cost = self._snap_cost(column)
            late = (cost + price[self.n_schools + place] < least) & (self._snapped > 0)
            missed = max(missed, float((cost[late] - known[late]).max(initial=0.0)))
        return missed

    def _find_missed(self, network: _Network, least: Floats, price: Floats) -> Ints:
        """Return the rows that have a cheaper arc than the near ones at these prices."""
        price = price[: self.n_schools]
        fall = float(np.maximum(network.price - price, 0.0).max(initial=0.0))
        suspect = np.flatnonzero((least > network.beyond - fall) & (self._snapped > 0))
        missed: Ints = find_cheaper(self._costs, suspect, price, least, np.empty(len(price)))
        return missed

    def _extend(
        self, network: _Network, chosen: Ints, least: Floats, price: Floats
    ) -> tuple[Rows, Floats, Floats, Floats]:
        """Return the arcs, flow, prices and what is left out, with more arcs for the rows ``chosen``.

        They get all that are up to ``least`` at any prices between those of the base and ``price``, and twice as many
        as before at least.
        """
        fall = float(np.maximum(network.price - price[: self.n_schools], 0.0).max(initial=0.0))
        limit = np.where(np.isfinite(least[chosen]), least[chosen] + fall, -np.inf)
        most = 2 * np.maximum(np.diff(network.rows.start)[chosen], NEAR_ARCS)
        start, school, cost, left_out = list_rows(self._costs, chosen, network.price, limit, most)
        *arcs, flow, row_of = merge_arcs(*network.rows[:3], network.flow, chosen, start, school, cost)
        beyond = network.beyond.copy()
        beyond[chosen] = left_out
        return Rows(arcs[0], arcs[1], arcs[2], row_of), flow, network.price, beyond

    def _widen(self, network: _Network, missed: Ints, least: Floats, price: Floats) -> None:
        """Give rows more arcs, for this question and all that follow."""
        rows, flow, base_price, beyond = self._extend(network, missed, least, price)
        wider = _Network(rows, flow, base_price, beyond, list_moves(rows, flow, len(base_price)))
        with self._lock:
            if self._network is network:
                self._network = wider

    def _compose(self, rows: Rows, before: Floats, flow: Floats, price: Floats, places: Floats) -> WarmAnswer:
        """Return the answer; pupils of every row add up to the true number."""
        # sums of products, not dot products: these would be spread over threads that only wait for each other
        changed = flow != before
        row_price = finish_rows(rows.start, rows.school, rows.cost, self.pupils, price, flow)
        load = np.bincount(rows.school, weights=flow, minlength=len(places))
        over = np.maximum(load - places, 0.0)
        over[over <= 1e-12 * max(1.0, float(load.sum()))] = 0.0
        open_price = np.where(np.isfinite(price), price, 0.0)
        finite = np.where(open_price > 0, places, 0.0)
        return WarmAnswer(
            row=rows.row_of,
            school=rows.school,
            flow=flow,
            changed=changed,
            price=price,
            row_price=row_price,
            objective=float((rows.cost * flow).sum() + self.overload_price * over.sum()),
            bound=float((self.pupils * row_price).sum() - (finite * open_price).sum()),
        )


def _add_up(lengths: Ints) -> Ints:
    """Return starts from lengths."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)

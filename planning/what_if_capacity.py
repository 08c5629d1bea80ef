"""What-ifs of pupils sent to schools within places: the problem of ``planning.capacity``, from its optimum."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from geodata.errors import ScenarioError
from geodata.study import FrozenArrays, Progress
from planning.assignment_problem import Assignment
from planning.capacity import FLOW_TOLERANCE, Sent, send
from planning.solvers.transport_warm import CostTable, WarmAnswer, WarmColumn, WarmTransport
from planning.what_if_entries import Entries, Solved
from planning.what_if_types import Bools, Floats, Floats32, Ints


@dataclass(frozen=True, eq=False)
class Opening(FrozenArrays):
    """A school to be opened, for the engines: cost of one pupil's way (units,), ``inf`` = not allowed; its places."""

    cost: Floats
    places: float
    low_only: bool


@dataclass(frozen=True, eq=False)
class _Columns(FrozenArrays):
    """Columns after a change: those of the base (shut ones too), then new ones.

    ``start``, ``member``, ``share`` as in :class:`planning.assignment_problem.Columns`; ``cost`` (units, new ones);
    ``low_only`` and ``new_places`` (new ones,); ``shut`` positions of those that are no more; ``places`` (columns of
    the base,).
    """

    start: Ints
    member: Ints
    share: Floats
    shut: Ints
    places: Floats
    cost: Floats
    new_places: Floats
    low_only: Bools


class CapacityEngine:
    """One stage with places, solved once; answers changes. Safe to share between threads.

    Parameters
    ----------
    assignment
        The base problem.
    member_cost
        Cost of one pupil's way (units,) to each school that shares places with others, by position of the school.
    places
        Places (schools,), NaN = unknown.
    zones
        Settle ties, as in :func:`planning.capacity.send`.
    """

    def __init__(
        self,
        assignment: Assignment,
        member_cost: Mapping[int, Floats],
        places: Floats,
        zones: Mapping[int, Ints],
        progress: Progress,
    ) -> None:
        sent = send(assignment, zones=zones, progress=progress)
        if sent.problem is None or sent.answer is None:
            raise RuntimeError("the flow came without its problem")
        self.assignment = replace(assignment, cost=_shrink(assignment.cost))
        self._rows, self._columns = assignment.rows, assignment.columns
        self._member_cost, self._places = dict(member_cost), places
        self._warm = WarmTransport(
            sent.problem, sent.answer, _build_table(self.assignment), _spread_flow(sent, len(assignment.columns.name))
        )
        self._lock = threading.Lock()
        self._freed: tuple[WarmTransport, Ints] | None = None
        self._column_of = self._columns.of_school(len(places))
        self._idle, _ = self.assignment.nearest()
        self._idle[self._rows.pupils > 0] = -1
        unchanged = self._list_columns(np.zeros(0, dtype=np.int64), {}, ())
        self.base = self._read(self._warm.solve(), unchanged, self._idle)

    def solve(self, closed: Ints, places: Mapping[int, float], opened: Sequence[Opening]) -> Solved:
        """Return the optimum after a change: positions of schools closed, new places by position, schools opened."""
        if any(item.low_only for item in opened) and not self._rows.low.any():
            raise ScenarioError(
                "the base has no teaching points, so pupils are not known by grade: open a whole school"
            )
        columns = self._list_columns(closed, places, opened)
        warm, pin_row = self._free_pins(columns)
        answer = warm.solve(
            self._twin(columns.shut),
            self._place_twins(columns) if (columns.places != self._columns.places).any() else None,
            self._list_warm(columns, pin_row),
        )
        solved = self._read(answer, columns, self._find_idle(columns, pin_row))
        if warm is self._warm:
            return solved
        every = np.arange(len(self._rows.unit))
        return replace(solved, entries=replace(solved.entries, changed=every), touched=None)

    def _free_pins(self, columns: _Columns) -> tuple[WarmTransport, Ints | None]:
        """Return the base to start from, and the pins: rows that can reach none of their schools are not pinned."""
        pin_row, pin_open = self.assignment.pin_row, self.assignment.pin_open
        if pin_row is None or pin_open is None or not len(columns.shut):
            return self._warm, pin_row
        pinned = np.flatnonzero(pin_row >= 0)
        left = np.isfinite(self.assignment.row_costs(pinned))
        left[:, columns.shut] = False
        freed = pinned[~left.any(axis=1)]
        if not len(freed):
            return self._warm, pin_row
        fewer = pin_row.copy()
        fewer[freed] = -1
        with self._lock:
            if self._freed is None or not np.array_equal(self._freed[1], fewer):
                assignment = replace(self.assignment, pin_row=fewer)
                sent = send(assignment)
                if sent.problem is None or sent.answer is None:
                    raise RuntimeError("the flow came without its problem")
                self._freed = (WarmTransport(sent.problem, sent.answer, _build_table(assignment)), fewer)
            return self._freed

    def _list_columns(self, closed: Ints, places: Mapping[int, float], opened: Sequence[Opening]) -> _Columns:
        """Return the columns after a change. A group that loses a school or changes places is replaced by a new one."""
        base = self._columns
        capacity = self._places.copy()
        for school, value in places.items():
            capacity[school] = value
        touched = np.unique(self._column_of[np.concatenate([closed, np.array(sorted(places), dtype=np.int64)])])
        grouped = touched[np.diff(base.start)[touched] > 1]
        single = np.setdiff1d(touched, grouped)
        new_places = base.places.copy()
        first = base.member[base.start[single]]
        new_places[single] = np.where(np.isnan(capacity[first]), np.inf, capacity[first])
        members, shares, costs, pooled = [], [], [], []
        for column in grouped:
            left = np.setdiff1d(base.member[base.start[column] : base.start[column + 1]], closed)
            if len(left):
                members.append(left)
                shares.append(_split(capacity[left]))
                costs.append(sum(s * self._member_cost[int(at)] for s, at in zip(shares[-1], left, strict=True)))
                pooled.append(float(np.where(np.isnan(capacity[left]), np.inf, capacity[left]).sum()))
        for place, item in enumerate(opened):
            members.append(np.array([len(self._places) + place]))
            shares.append(np.ones(1))
            costs.append(np.asarray(item.cost))
            pooled.append(float(item.places) if not np.isnan(item.places) else np.inf)
        n_units = len(self.assignment.cost)
        return _Columns(
            start=np.concatenate([base.start, base.start[-1] + np.cumsum([len(m) for m in members], dtype=np.int64)]),
            member=np.concatenate([base.member, *members]).astype(np.int64),
            share=np.concatenate([base.share, *shares]),
            shut=np.union1d(grouped, np.intersect1d(single, self._column_of[closed])),
            places=new_places,
            cost=np.stack(costs, axis=1) if costs else np.zeros((n_units, 0)),
            new_places=np.array(pooled, dtype=np.float64),
            low_only=np.array([False] * (len(members) - len(opened)) + [item.low_only for item in opened], dtype=bool),
        )

    def _twin(self, columns: Ints) -> Ints:
        width = len(self._columns.name)
        return np.concatenate([columns, columns + width]) if self.assignment.twinned else columns

    def _place_twins(self, columns: _Columns) -> Floats:
        places = np.asarray(columns.places)
        return np.concatenate([places, np.full(len(places), np.inf)]) if self.assignment.twinned else places

    def _row_costs(self, columns: _Columns, pin_row: Ints | None) -> Floats:
        """Return costs (rows, new columns), unweighted."""
        cost: Floats = columns.cost[self._rows.unit]
        cost = np.where(~self._rows.low[:, None] & columns.low_only[None, :], np.inf, cost)
        if pin_row is not None:
            cost[pin_row >= 0] = np.inf
        return cost

    def _list_warm(self, columns: _Columns, pin_row: Ints | None) -> list[WarmColumn]:
        """Return the new columns, each followed by its twin where there are twins."""
        found: list[WarmColumn] = []
        if not len(columns.new_places):
            return found
        weight, cost = self._rows.weight, self._row_costs(columns, pin_row)
        for place, places in enumerate(columns.new_places):
            own = cost[:, place] * weight
            found.append(WarmColumn(own, float(places)))
            if self.assignment.twinned:
                found.append(WarmColumn(own + weight * self.assignment.overload_price, np.inf))
        return found

    def _find_idle(self, columns: _Columns, pin_row: Ints | None) -> Ints:
        """Return the column of every row without pupils: the nearest that is open."""
        idle = self._idle.copy()
        if not len(columns.shut) and not len(columns.new_places):
            return idle
        asked = np.flatnonzero(self._rows.pupils <= 0)
        if not len(columns.new_places):
            asked = asked[np.isin(idle[asked], columns.shut)]
        for begin in range(0, len(asked), 4_000):
            rows = asked[begin : begin + 4_000]
            cost = np.asarray(replace(self.assignment, pin_row=pin_row).row_costs(rows), dtype=np.float64)
            cost[:, columns.shut] = np.inf
            if len(columns.new_places):
                cost = np.concatenate([cost, self._row_costs(columns, pin_row)[rows]], axis=1)
            best = cost.argmin(axis=1)
            idle[rows] = np.where(np.isfinite(cost[np.arange(len(rows)), best]), best, -1)
        return idle

    def _read(self, answer: WarmAnswer, columns: _Columns, idle: Ints) -> Solved:
        """Return the entries of an answer of the solver."""
        rows, width = self._rows, len(self._columns.name)
        twins = 2 if self.assignment.twinned else 1
        flow, tolerance = answer.flow, FLOW_TOLERANCE * rows.pupils[answer.row]
        used = np.flatnonzero(flow > tolerance)
        row = answer.row[used]
        school = answer.school[used].astype(np.int64)
        column = np.where(school < twins * width, school % width, width + (school - twins * width) // twins)
        total = np.bincount(row, weights=flow[used], minlength=len(rows.unit))
        part = flow[used] / total[row]
        rest = np.flatnonzero(total <= 0)
        changed = answer.row[answer.changed]
        if len(rest):
            row = np.concatenate([row, rest])
            order = np.argsort(row, kind="stable")
            row = row[order]
            column = np.concatenate([column, idle[rest]])[order]
            part = np.concatenate([part, np.ones(len(rest))])[order]
            changed = np.concatenate([changed, np.flatnonzero(idle != self._idle)])
        share = part * rows.share[row]
        if len(self._columns.member) != width or len(columns.member) != len(columns.start) - 1:
            row, column, share = _expand(columns, row, column, share)
        else:
            column = np.where(column >= 0, columns.member[column], -1)
        entries = Entries(row, column, share, rows.unit, np.unique(changed))
        return Solved(entries, answer.objective, answer.bound, self._find_touched(answer, columns))

    def _find_touched(self, answer: WarmAnswer, columns: _Columns) -> Bools | None:
        """Return the columns of the solver where a price or a flow changed; None where columns were replaced."""
        if len(columns.new_places) or (np.diff(self._columns.start)[columns.shut % len(self._columns.name)] > 1).any():
            return None
        touched: Bools = answer.price != self._warm.base_price
        touched[answer.school[answer.changed]] = True
        return touched


def _expand(columns: _Columns, row: Ints, column: Ints, share: Floats) -> tuple[Ints, Ints, Floats]:
    """Return entries with the columns replaced by their schools."""
    counts = np.where(column >= 0, np.diff(columns.start)[column], 1)
    at = np.repeat(np.arange(len(row)), counts)
    member = columns.start[column[at]] + np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
    placed = column[at] >= 0
    member = np.where(placed, member, 0)
    school = np.where(placed, columns.member[member], -1)
    return row[at], school, share[at] * np.where(placed, columns.share[member], 1.0)


def _split(capacity: Floats) -> Floats:
    """Return shares in proportion to places, evenly where a number is unknown or all are 0 (as ``build_columns``)."""
    if np.isnan(capacity).any() or capacity.sum() <= 0:
        return np.full(len(capacity), 1.0 / len(capacity))
    return np.asarray(capacity / capacity.sum())


def _shrink(table: Floats) -> Floats:
    """Return the table in single precision where nothing is lost by it."""
    single: Floats32 = table.astype(np.float32)
    return single if np.array_equal(single, table) else table  # type: ignore[return-value]


def _build_table(assignment: Assignment) -> CostTable:
    return CostTable(
        cost=assignment.cost,
        line=assignment.rows.unit,
        weight=assignment.rows.weight,
        barred_row=~assignment.rows.low,
        barred_column=assignment.columns.low_only,
        twin_price=assignment.overload_price if assignment.twinned else None,
        pin_row=assignment.pin_row,
        pin_open=assignment.pin_open,
    )


def _spread_flow(sent: Sent, width: int) -> Floats:
    """Return the flow of an answer over the arcs of its problem: with twins, over the cheaper of the two."""
    problem, answer = sent.problem, sent.answer
    if problem is None or answer is None:
        raise ValueError("no problem")
    row = np.repeat(np.arange(problem.n_rows), np.diff(problem.start))
    wide = problem.n_schools
    key = row * wide + problem.school
    asked, place = np.unique(sent.row * width + sent.column, return_inverse=True)
    amount = np.bincount(place, weights=sent.pupils)
    main = np.searchsorted(key, asked // width * wide + asked % width)
    chosen = main
    if wide > width:
        twin = np.searchsorted(key, asked // width * wide + asked % width + width)
        value = problem.cost + answer.place_price[problem.school]
        chosen = np.where(value[twin] < value[main], twin, main)
    flow = np.zeros(len(problem.school))
    flow[chosen] = amount
    return flow

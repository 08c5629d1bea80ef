"""From a county to a transport problem, and back: rows of pupils, columns of places, and who may go where.

A *row* is the pupils of one unit, of one grade band (all, low, upper) and one priority class. A *column* is a school,
or a group of schools that share one zone (多校划片): its places are pooled, its cost is the mean way to its schools
weighed by their places, because the pupils are split among them in that proportion.

Priority: a minute of a pupil of one rank counts ``RANK_WEIGHT`` times a minute of the next rank, and so does being
above the places. So pupils of a lower rank are those who go farther, or have no place, where places are short. Since
a price above the places is then one of the pupils and not of the school, each column gets a twin without limit, whose
cost is the way plus the price of overload.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.errors import ScenarioError
from planning.assignment import Bools, Ints, Ways
from planning.assignment_options import AssignmentOptions, PriorityClass
from planning.pins import Pins
from planning.solvers.problems import TransportProblem

RANK_WEIGHT = 100.0
MAX_ARCS = 20_000_000
"""More arcs than this and each row starts with its nearest columns only; the others are priced back in."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Columns:
    """Where pupils can be sent: ``member`` and ``share`` list the schools of column ``c`` from ``start[c]`` on.

    ``name`` is a school id or the name of a group; ``places`` (columns,) pooled, ``inf`` = not known, so unlimited;
    ``low_only`` (columns,) marks teaching points.
    """

    name: tuple[str, ...]
    start: Ints
    member: Ints
    share: Floats
    places: Floats
    low_only: Bools

    def of_school(self, n_schools: int) -> Ints:
        """Return the column of each school (schools,)."""
        column = np.full(n_schools, -1, dtype=np.int64)
        column[self.member] = np.repeat(np.arange(len(self.name)), np.diff(self.start))
        return column

    def pool(self, cost: Floats) -> Floats:
        """Return costs (units, columns) from costs (units, schools): the weighted mean, ``inf`` if any member is."""
        if len(self.member) == len(self.name) and np.array_equal(self.member, np.arange(len(self.member))):
            return cost
        pooled = np.empty((len(cost), len(self.name)))
        for column in range(len(self.name)):
            members = slice(self.start[column], self.start[column + 1])
            pooled[:, column] = cost[:, self.member[members]] @ self.share[members]
        return pooled


@dataclass(frozen=True, eq=False)
class Rows:
    """Who is sent: position of the unit, share of its pupils, whether low grades only, and the rank (0 = first)."""

    unit: Ints
    share: Floats
    low: Bools
    rank: Ints
    pupils: Floats
    ranks: int
    class_names: tuple[str, ...]

    @property
    def weight(self) -> Floats:
        """Weight of a minute of each row's pupils."""
        return RANK_WEIGHT ** (self.ranks - 1 - self.rank).astype(np.float64)


def build_columns(schools: pd.DataFrame, ways: Ways, options: AssignmentOptions) -> Columns:
    """Return the columns of one stage. Group members that do not teach the stage are passed over."""
    capacity = schools.set_index("school_id")["capacity_places"].reindex(ways.school_ids).to_numpy(dtype=np.float64)
    position = {str(key): at for at, key in enumerate(ways.school_ids)}
    grouped = {name: [position[key] for key in sorted(ids) if key in position] for name, ids in options.groups}
    taken = {at for members in grouped.values() for at in members}
    if any(ways.low_only[at] for at in taken):
        points = sorted(str(ways.school_ids[at]) for at in taken if ways.low_only[at])
        raise ScenarioError("teaching points cannot be in a group of schools: " + ", ".join(points))
    lists = [(str(key), [at]) for at, key in enumerate(ways.school_ids) if at not in taken]
    lists += [(name, members) for name, members in grouped.items() if members]
    lists.sort(key=lambda item: item[1][0])
    shares = [_split_by_places(capacity[members]) for _, members in lists]
    places = np.where(np.isnan(capacity), np.inf, capacity)
    return Columns(
        name=tuple(name for name, _ in lists),
        start=np.concatenate([[0], np.cumsum([len(members) for _, members in lists])]).astype(np.int64),
        member=np.array([at for _, members in lists for at in members], dtype=np.int64),
        share=np.concatenate(shares) if shares else np.empty(0),
        places=np.array([places[members].sum() for _, members in lists]),
        low_only=np.array([bool(ways.low_only[members].any()) for _, members in lists], dtype=np.bool_),
    )


def _split_by_places(capacity: Floats) -> Floats:
    """Return the members' shares: in proportion to places, evenly where a number is unknown or all are 0."""
    if np.isnan(capacity).any() or capacity.sum() <= 0:
        return np.full(len(capacity), 1.0 / len(capacity))
    shares: Floats = capacity / capacity.sum()
    return shares


def build_rows(ways: Ways, options: AssignmentOptions, low_grade_share: float, pins: Pins | None = None) -> Rows:
    """Return the rows of one stage, units in order; rows of no share are left out. Unknown pupils weigh nothing."""
    known = np.nan_to_num(ways.pupils, nan=0.0)
    apart = bool(ways.low_only.any()) or (pins is not None and pins.split)
    split = apart and low_grade_share > 0
    bands = ((True, low_grade_share), (False, 1.0 - low_grade_share)) if split else ((False, 1.0),)
    classes = _share_classes(ways, options.priorities)
    ranks = sorted({rank for _, rank, _ in classes})
    parts = [
        (np.arange(len(known)), share * band, low, ranks.index(rank))
        for low, band in bands
        for _, rank, share in classes
    ]
    unit = np.concatenate([part[0] for part in parts])
    share = np.concatenate([part[1] for part in parts])
    low_grades = np.concatenate([np.full(len(known), part[2]) for part in parts])
    rank = np.concatenate([np.full(len(known), part[3]) for part in parts]).astype(np.int64)
    order = np.argsort(unit, kind="stable")
    order = order[share[order] > 0]
    names = {ranks.index(rank): name for name, rank, _ in reversed(classes)}
    return Rows(
        unit=unit[order],
        share=share[order],
        low=low_grades[order],
        rank=rank[order],
        pupils=(share * known[unit])[order],
        ranks=len(ranks),
        class_names=tuple(names[number] for number in range(len(ranks))),
    )


def pin_rows(rows: Rows, columns: Columns, travel: Floats, pins: Pins) -> tuple[Ints, Bools]:
    """Return ``pin_row`` and ``pin_open`` of :class:`Assignment`.

    ``travel`` (units, columns), ``inf`` = no way: a row that reaches none of its schools is not pinned.
    """
    line = np.full(len(rows.unit), -1, dtype=np.int64)
    lines: list[Bools] = []
    column_of = columns.of_school(len(columns.member))
    for row, (unit, low) in enumerate(zip(rows.unit.tolist(), rows.low.tolist(), strict=True)):
        found = (pins.low if low else pins.upper).get(unit)
        if found is None:
            continue
        open_here = np.zeros(len(columns.name), dtype=np.bool_)
        open_here[column_of[found]] = True
        reached = open_here & np.isfinite(travel[unit]) & ~(columns.low_only & (not low))
        if reached.any():
            line[row] = len(lines)
            lines.append(open_here)
    return line, np.array(lines, dtype=np.bool_).reshape(len(lines), len(columns.name))


def _share_classes(ways: Ways, priorities: tuple[PriorityClass, ...]) -> list[tuple[str, int, Floats]]:
    """Return (name, rank, share by unit) of the classes; what they leave over comes last."""
    rest = np.ones(len(ways.unit_ids))
    position = {str(key): at for at, key in enumerate(ways.unit_ids)}
    found: list[tuple[str, int, Floats]] = []
    for item in priorities:
        share = np.full(len(rest), item.share)
        for unit_id, own in item.unit_shares:
            if unit_id not in position:
                raise ScenarioError(f"priority class {item.name!r} names unit {unit_id!r}, which is not in the study")
            share[position[unit_id]] = own
        found.append((item.name, item.rank, share))
        rest -= share
    if (rest < -1e-9).any():
        worst = str(ways.unit_ids[int(rest.argmin())])
        raise ScenarioError(f"the shares of the priority classes add up to more than 1 in unit {worst!r}")
    rest = np.maximum(rest, 0.0)
    if (rest > 1e-12).any():
        found.append(("", max((rank for _, rank, _ in found), default=0) + 1, rest))
    return found


@dataclass(frozen=True, eq=False)
class Assignment:
    """Rows, columns, and the cost (units, columns) of one pupil's way; ``inf`` = not allowed.

    ``overload_price`` in the unit of the costs. Rows that an action pins to some schools: ``pin_row`` (rows,) gives
    their line in ``pin_open`` (lines, columns), −1 = not pinned; both None where nothing is pinned.
    """

    rows: Rows
    columns: Columns
    cost: Floats
    overload_price: float
    pin_row: Ints | None = None
    pin_open: Bools | None = None

    @property
    def twinned(self) -> bool:
        """Whether columns have twins without limit, for the classes of pupils."""
        return self.rows.ranks > 1

    @property
    def pruned(self) -> bool:
        """Whether there are more ways than one problem is given at first."""
        return int((self.rows.pupils > 0).sum()) * len(self.columns.name) > MAX_ARCS

    def row_costs(self, rows: Ints) -> Floats:
        """Return costs (rows, columns), unweighted; ``inf`` where the row may not go."""
        cost = self.cost[self.rows.unit[rows]]
        barred = ~self.rows.low[rows][:, None] & self.columns.low_only[None, :]
        if barred.any():
            cost = np.where(barred, np.inf, cost)
        if self.pin_row is not None and self.pin_open is not None:
            line = self.pin_row[rows]
            held = np.flatnonzero(line >= 0)
            if len(held):
                cost[held] = np.where(self.pin_open[line[held]], cost[held], np.inf)
        return cost

    def nearest(self) -> tuple[Ints, Floats]:
        """Return each row's cheapest column (−1 = none) and its cost: the answer if places did not count."""
        column = np.full(len(self.rows.unit), -1, dtype=np.int64)
        least = np.full(len(column), np.inf)
        for rows in self._runs():
            cost = self.row_costs(rows)
            best = cost.argmin(axis=1)
            least[rows] = cost[np.arange(len(rows)), best]
            column[rows] = np.where(np.isfinite(least[rows]), best, -1)
        return column, least

    def _runs(self) -> list[Ints]:
        size = max(1, 4_000_000 // max(1, len(self.columns.name)))
        return [np.arange(at, min(at + size, len(self.rows.unit))) for at in range(0, len(self.rows.unit), size)]

    def build_problem(
        self, *, places: Floats | None = None, price: Floats | None = None, row_price: Floats | None = None
    ) -> TransportProblem:
        """Return the transport problem of the rows that have pupils.

        With more than ``MAX_ARCS`` ways each row gets its cheapest columns only; ``price`` (columns,) and
        ``row_price`` (rows,) of an earlier answer add every way that would be cheaper than the row's best.
        """
        places = self.columns.places if places is None else places
        width = len(self.columns.name)
        busy = int((self.rows.pupils > 0).sum())
        kept = max(1, MAX_ARCS // max(1, busy)) if self.pruned else width
        counts: list[Ints] = []
        school: list[npt.NDArray[np.int32]] = []
        costs: list[Floats] = []
        for rows in self._runs():
            cost = self.row_costs(rows)
            cost[self.rows.pupils[rows] <= 0] = np.inf
            use = np.isfinite(cost)
            if kept < width:
                use &= cost <= np.partition(cost, kept - 1, axis=1)[:, kept - 1 : kept]
                if price is not None and row_price is not None:
                    weighed = cost * self.rows.weight[rows][:, None] + price[None, :width]
                    use |= np.isfinite(cost) & (weighed <= row_price[rows][:, None])
            at, column = np.nonzero(use)
            counts.append(use.sum(axis=1))
            school.append(column.astype(np.int32))
            costs.append(cost[at, column] * self.rows.weight[rows][at])
        count = np.concatenate(counts) if counts else np.empty(0, dtype=np.int64)
        problem = TransportProblem(
            start=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
            school=np.concatenate(school) if school else np.empty(0, dtype=np.int32),
            cost=np.concatenate(costs) if costs else np.empty(0),
            pupils=self.rows.pupils,
            places=places,
            overload_price=self.overload_price * RANK_WEIGHT ** (self.rows.ranks - 1),
        )
        return self._add_twins(problem) if self.twinned else problem

    def _add_twins(self, problem: TransportProblem) -> TransportProblem:
        """Return the problem with a second, unlimited copy of every column at the price of overload."""
        width = problem.n_schools
        count = np.diff(problem.start)
        weight = np.repeat(self.rows.weight, count)
        order = np.argsort(np.concatenate([np.repeat(np.arange(len(count)), count)] * 2), kind="stable")
        return TransportProblem(
            start=2 * problem.start,
            school=np.concatenate([problem.school, problem.school + np.int32(width)])[order],
            cost=np.concatenate([problem.cost, problem.cost + weight * self.overload_price])[order],
            pupils=problem.pupils,
            places=np.concatenate([problem.places, np.full(width, np.inf)]),
            overload_price=10.0 * problem.overload_price,
        )

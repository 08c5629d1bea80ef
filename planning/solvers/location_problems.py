"""The numeric problems of where to open facilities: positions and numbers only, no ids, no words.

Three families. ``LocationProblem``: one moment, rows served by open sites (p-median, capacitated p-median, capacitated
location with fixed costs). ``CoverProblem``: sites that cover rows (set covering, maximal covering; p-center is a
search over the former). ``SitingProblem``: facilities that follow one of several ways through the years, pupils who
may be split, and linear rules over the ways.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from geodata.study import FrozenArrays
from planning.solvers.problems import Bools, Floats, Ints, Schools


@dataclass(frozen=True, eq=False)
class LocationProblem(FrozenArrays):
    """Open sites and serve every row from an open one, at least cost.

    Minimise ``sum(fixed_cost of open sites) + sum(cost served)``.

    Parameters
    ----------
    cost : shape (rows, sites), float64 or float32
        Cost of serving the whole row from the site; ``inf`` = not allowed.
    demand : shape (rows,)
        What the row takes of a site's capacity.
    capacity : shape (sites,)
        ``inf`` = without limit.
    fixed_cost : shape (sites,)
        0 or more, paid by every open site.
    count
        Exactly so many sites are opened (fewer, where more would be of no use); None: as many as pay.
    single_source
        Every row is served by one site; else it may be split.
    """

    cost: npt.NDArray[np.floating[Any]]
    demand: Floats
    capacity: Floats
    fixed_cost: Floats
    count: int | None = None
    single_source: bool = True

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.cost.shape[0])

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return int(self.cost.shape[1])


@dataclass(frozen=True, eq=False)
class LocationAnswer(FrozenArrays):
    """Sites opened, and what is proven.

    ``opened`` (sites,) bool; ``site`` (rows,) the site of each row (``-1`` = none; of a split row the one that serves
    most of it); ``share`` (rows, sites) where rows are split, else None; ``objective``, and ``bound`` proven for it
    (``-inf`` = none); ``status`` as in ``planning.certificate``; ``stopped`` ``"proven"``, ``"gap"``, ``"time"`` or
    ``"cancelled"``; ``facts`` for the record (rounds, nodes, columns left …).
    """

    opened: Bools
    site: Schools
    objective: float
    bound: float
    status: str
    stopped: str = "proven"
    seconds: float = 0.0
    share: Floats | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def gap_share(self) -> float:
        """Return the proven distance from the best possible, 0 to 1."""
        if self.objective <= self.bound:
            return 0.0
        return (self.objective - self.bound) / abs(self.objective) if self.objective else float("inf")


@dataclass(frozen=True, eq=False)
class CoverProblem(FrozenArrays):
    """Choose sites that cover rows.

    Parameters
    ----------
    start, site : shape (rows + 1,), (pairs,)
        Row ``r`` is covered by the sites ``site[start[r]:start[r + 1]]``.
    weight : shape (rows,)
        What covering the row is worth (maximal covering).
    site_cost : shape (sites,)
        Cost of each site (set covering).
    """

    start: Ints
    site: Schools
    weight: Floats
    site_cost: Floats


@dataclass(frozen=True, eq=False)
class SitingProblem(FrozenArrays):
    """Choose one way through the periods for every facility, and send pupils to places, at least cost.

    A *way* of a facility says its places in every period (0 = closed, not there). Every facility follows exactly one
    of its ways. Minimise ``sum(way_cost of chosen ways) + sum over periods t of period_weight[t] * sum(arc_cost *
    flow[t]) + overload_price * unplaced pupils`` subject to: in every period the flow of a row is its pupils (less the
    unplaced); a facility takes at most its places and at least ``way_least_pupils`` where it is open; ``side @ chosen
    <= side_limit``.

    Parameters
    ----------
    row_start, facility, arc_cost : shape (rows + 1,), (arcs,), (arcs,)
        The arcs of row ``r`` are ``row_start[r]:row_start[r + 1]``: allowed facilities (each at most once in a row)
        and cost per pupil, 0 or more. A row without arcs is unplaced. Sorted by cost within a row.
    pupils : shape (rows, periods)
    period_weight : shape (periods,)
        0 or more: years that the period stands for, times the weight of travel.
    way_start : shape (facilities + 1,)
        The ways of facility ``j`` are ``way_start[j]:way_start[j + 1]``. The first is that of today (nothing done).
    way_cost : shape (ways,)
        Building, running, disruption and empty places; may be negative (what closing saves).
    way_places, way_least_pupils : shape (ways, periods)
    side_start, side_way, side_value, side_limit : CSR of the rules over ways, shape (rules + 1,), (entries,), …
        ``sum(side_value * chosen[side_way]) <= side_limit``.
    side_name : one per rule
        Which rule it is (``"budget 2030"`` …): for telling conflicts, never read by the solver.
    overload_price
        Cost of one pupil without a place in one period; exceeds everything else that one pupil can cost.
    """

    row_start: Ints
    facility: Schools
    arc_cost: Floats
    pupils: Floats
    period_weight: Floats
    way_start: Ints
    way_cost: Floats
    way_places: Floats
    way_least_pupils: Floats
    side_start: Ints
    side_way: Ints
    side_value: Floats
    side_limit: Floats
    side_name: tuple[str, ...]
    overload_price: float

    @property
    def n_rows(self) -> int:
        """Number of rows (parts of planning units)."""
        return len(self.row_start) - 1

    @property
    def n_facilities(self) -> int:
        """Number of facilities."""
        return len(self.way_start) - 1

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return len(self.period_weight)


@dataclass(frozen=True, eq=False)
class SitingSolution(FrozenArrays):
    """Ways chosen, pupils sent, and what is proven.

    ``way`` (facilities,) index into all ways; ``flow`` (periods, arcs) pupils; ``unplaced`` (rows, periods);
    ``objective`` with unplaced pupils priced; ``bound`` proven for it. ``least_unplaced``: proven least number of
    pupil-periods without a place under all rules (0: none is proven): above 0 no lawful plan exists. ``status``
    ``"infeasible"`` where the rules over ways contradict each other, whatever the pupils do.
    """

    way: Ints
    flow: Floats
    unplaced: Floats
    objective: float
    bound: float
    status: str
    stopped: str = "proven"
    seconds: float = 0.0
    least_unplaced: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)

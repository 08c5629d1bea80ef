"""The numeric problems that solvers answer: positions and numbers only, no ids, no words.

Two families: ``TransportProblem`` (pupils may be split, no connectedness) and ``ZoneProblem`` (whole planning units,
each zone one piece). Both always have an answer: places may be overrun at a price per pupil.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from geodata.study import FrozenArrays

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Schools = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

TRAVEL, FILL, MOVED, COMPACT, BORDER = range(5)
"""Positions of the objectives in vectors of weights, limits and values of a zone plan."""
OBJECTIVES = ("travel", "fill", "moved", "compact", "border")


@dataclass(frozen=True, eq=False)
class TransportProblem(FrozenArrays):
    """Send the pupils of every row (a unit, or a class of its pupils) to schools at least cost, within places.

    Minimise ``sum(cost * flow) + overload_price * sum(overload)`` subject to
    ``sum of the row's flow == pupils[row]`` and ``sum of the school's flow <= places[school] + overload[school]``.

    Parameters
    ----------
    start : shape (rows + 1,)
        The arcs of row ``r`` are ``start[r]:start[r + 1]``. A row without arcs cannot be placed and is left out.
    school, cost : shape (arcs,)
        School of each arc (each at most once in a row), cost per pupil (finite, 0 or more).
    pupils : shape (rows,)
        0 or more, fractions allowed.
    places : shape (schools,)
        0 or more; ``inf`` = without limit.
    overload_price
        Cost of one pupil above the places; should exceed every difference of costs, else overrunning places is
        cheaper than walking to free ones.
    """

    start: Ints
    school: Schools
    cost: Floats
    pupils: Floats
    places: Floats
    overload_price: float

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.pupils)

    @property
    def n_schools(self) -> int:
        """Number of schools."""
        return len(self.places)


@dataclass(frozen=True, eq=False)
class TransportAnswer(FrozenArrays):
    """An optimal flow and its proof.

    ``flow`` (arcs,) pupils; ``overload`` (schools,) pupils above the places; ``place_price`` (schools,) is the dual of
    the places: what one more place would save, between 0 and the overload price; ``row_price`` (rows,) the least
    ``cost + place_price`` of the row; ``bound`` = ``sum(pupils * row_price) - sum(places * place_price)``, a proven
    lower bound whatever the flow; ``objective`` the cost of the flow, overload priced.
    """

    flow: Floats
    overload: Floats
    place_price: Floats
    row_price: Floats
    objective: float
    bound: float


@dataclass(frozen=True, eq=False)
class ZoneProblem(FrozenArrays):
    """Give every unit to one school so that each zone is one piece that holds the school's seat.

    Parameters
    ----------
    cost : shape (units, schools)
        Cost of the whole unit at the school (pupils × minutes, say); ``inf`` = not allowed.
    pupils : shape (units,)
    places : shape (schools,)
        ``inf`` = without limit.
    seat : shape (schools,)
        Unit that the school stands in; each unit is the seat of one school at most.
    neighbour_start, neighbour : shape (units + 1,), (links,)
        Neighbours of unit ``i``: ``neighbour[neighbour_start[i]:neighbour_start[i + 1]]``, both directions present.
    overload_price
        Cost of one pupil above the places.
    locked : shape (units,)
        School that the unit must stay with, ``-1`` = free. Seats are locked to their school in any case.
    moved : shape (units, schools) or None
        Pupils that change school when the unit goes to the school; None: nobody has a current zone.
    border_m : shape (links,)
        Border with each neighbour.
    outline_m, area_m2 : shape (units,)
    target_pupils : shape (schools,) or None
        Pupils that the school would have if all were equally full (for ``FILL``); None: in proportion to the places.
    """

    cost: Floats
    pupils: Floats
    places: Floats
    seat: Schools
    neighbour_start: Ints
    neighbour: Schools
    overload_price: float
    locked: Schools
    moved: Floats | None = None
    border_m: Floats = field(default_factory=lambda: np.zeros(0))
    outline_m: Floats = field(default_factory=lambda: np.zeros(0))
    area_m2: Floats = field(default_factory=lambda: np.zeros(0))
    target_pupils: Floats | None = None

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.pupils)

    @property
    def n_schools(self) -> int:
        """Number of schools."""
        return len(self.places)


@dataclass(frozen=True, eq=False)
class ZoneAnswer(FrozenArrays):
    """A zone plan and what is proven of it.

    ``school`` (units,); ``values`` (5,) of the objectives in the order of ``OBJECTIVES`` (``TRAVEL`` without the price
    of overload); ``overload_pupils``; ``objective`` = weighted values + overload price × overload; ``bound`` proven
    for that objective (``-inf`` = none); ``status`` as in ``planning.certificate``; ``facts`` for the record.
    """

    school: Schools
    values: Floats
    overload_pupils: float
    objective: float
    bound: float
    status: str
    stopped: str
    facts: dict[str, Any] = field(default_factory=dict)

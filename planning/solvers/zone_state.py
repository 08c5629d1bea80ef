"""The values that the search for zones works on: a ``World`` that stays and a ``Plan`` that changes in place."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from planning.solvers.problems import BORDER, COMPACT, MOVED, Floats, Schools, ZoneProblem

Array: TypeAlias = "np.ndarray[Any, Any]"
FORBIDDEN_TIMES = 1e4
"""A pair that is not allowed counts as this many times the largest cost, so that sums stay finite."""
LONGEST_CHAIN = 3


class World(NamedTuple):
    """What does not change during a search.

    ``cost`` and ``moved`` (units, schools), ``moved`` of shape (1, 1) when nobody has a current zone; ``target``
    (schools,) negative where the school has no equal fill; ``fixed`` (units,) may not move; ``loose`` (schools,) need
    not be connected; ``key`` (units,) random words whose exclusive-or names a zone; ``weights``, ``limits`` (5,);
    ``forbidden``: a cost of this or more is not allowed; ``shaped``: compactness or borders count.
    """

    cost: Array
    moved: Array
    pupils: Array
    places: Array
    target: Array
    start: Array
    neighbour: Array
    border_m: Array
    outline_m: Array
    area_m2: Array
    fixed: Array
    seat: Array
    loose: Array
    key: Array
    weights: Array
    limits: Array
    overload_price: float
    forbidden: float
    shaped: bool


class Plan(NamedTuple):
    """What changes: ``school`` (units,), per zone load, perimeter, area and key, the five values, and workspace.

    ``open`` (schools,) are the zones that may change, ``held`` (units,) those that stay for now; ``rim`` holds the
    units that may move, ``rim_at`` their position in it or -1, ``rim_size`` (1,) how many there are. ``place_price``
    (schools,) is added for every pupil. ``seen``, ``ticket``, ``queue``, ``group``, ``waiting`` belong to the test of
    connectedness; ``clock``, ``age``, ``asked``, ``answer`` remember its answers while a zone has not changed; the
    rest is workspace of the moves.
    """

    school: Array
    load: Array
    place_price: Array
    perimeter_m: Array
    area_m2: Array
    zone_key: Array
    values: Array
    open: Array
    held: Array
    branch: Array
    rim: Array
    rim_at: Array
    rim_size: Array
    seen: Array
    ticket: Array
    queue: Array
    group: Array
    waiting: Array
    clock: Array
    age: Array
    asked: Array
    answer: Array
    before: Array
    kept_load: Array
    chain_units: Array
    chain_zones: Array


def build_world(problem: ZoneProblem, weights: Floats, limits: Floats) -> World:
    """Return the problem as the kernels read it; the large arrays are shared, not copied, unless pairs are forbidden.

    Parameters
    ----------
    weights, limits : shape (5,)
        Of the objectives; a limit of ``inf`` is none.
    """
    units = problem.n_units
    cost, forbidden = _price_forbidden(problem)
    fixed = problem.locked >= 0
    fixed[problem.seat[problem.seat >= 0]] = True
    links = len(problem.neighbour)
    weights = np.array(weights, float)
    if problem.moved is None:
        weights[MOVED] = 0.0
    counted = weights > 0.0
    limited = np.isfinite(np.asarray(limits, float))
    has_shape = len(problem.outline_m) == units and len(problem.border_m) == links
    return World(
        cost=cost,
        moved=_frozen(np.zeros((1, 1)) if problem.moved is None else problem.moved),
        pupils=_frozen(problem.pupils),
        places=_frozen(problem.places),
        target=_frozen(equal_fill(problem)),
        start=_frozen(problem.neighbour_start.astype(np.int64, copy=False)),
        neighbour=_frozen(problem.neighbour.astype(np.int32, copy=False)),
        border_m=_frozen(problem.border_m if len(problem.border_m) == links else np.zeros(links)),
        outline_m=_frozen(problem.outline_m if has_shape else np.zeros(units)),
        area_m2=_frozen(problem.area_m2 if has_shape else np.zeros(units)),
        fixed=_frozen(fixed),
        seat=_frozen(problem.seat.astype(np.int32, copy=False)),
        loose=_frozen(problem.seat < 0),
        key=_frozen(name_units(units)),
        weights=_frozen(weights),
        limits=_frozen(np.array(limits, float)),
        overload_price=_price_overload(problem),
        forbidden=forbidden,
        shaped=bool((counted | limited)[[COMPACT, BORDER]].any()),
    )


def build_plan(world: World, school: Schools) -> Plan:
    """Return a plan with the given schools and empty books: ``recount`` fills them."""
    units, schools = world.cost.shape
    degree = int(np.diff(world.start).max(initial=0)) + 2
    return Plan(
        school=np.array(school, np.int32),
        load=np.zeros(schools),
        place_price=np.zeros(schools),
        perimeter_m=np.zeros(schools),
        area_m2=np.zeros(schools),
        zone_key=np.zeros(schools, np.uint64),
        values=np.zeros(5),
        open=np.ones(schools, np.bool_),
        held=np.zeros(units, np.bool_),
        branch=np.zeros(units, np.int32),
        rim=np.zeros(units, np.int32),
        rim_at=np.full(units, -1, np.int32),
        rim_size=np.zeros(1, np.int64),
        seen=np.zeros(units, np.int64),
        ticket=np.ones(1, np.int64),
        queue=np.zeros(units, np.int32),
        group=np.zeros(degree, np.int32),
        waiting=np.zeros(degree, np.int32),
        clock=np.zeros(1, np.int64),
        age=np.zeros(schools, np.int64),
        asked=np.full(units, -1, np.int64),
        answer=np.zeros(units, np.bool_),
        before=np.zeros(5),
        kept_load=np.zeros(LONGEST_CHAIN + 1),
        chain_units=np.zeros(LONGEST_CHAIN, np.int64),
        chain_zones=np.zeros(LONGEST_CHAIN + 1, np.int64),
    )


def _price_overload(problem: ZoneProblem) -> float:
    """Return the price of overload; where it is forbidden (``inf``), one that no saving of travel can pay."""
    if np.isfinite(problem.overload_price):
        return float(problem.overload_price)
    largest = float(np.max(problem.cost, initial=1.0, where=np.isfinite(problem.cost)))
    return FORBIDDEN_TIMES * largest / max(1.0, float(problem.pupils.max(initial=1.0)))


def name_units(units: int) -> Array:
    """Return a random word (uint64) for every unit, the same ones every time; zones are named by combining them."""
    words = np.random.default_rng(20_240_901).integers(1, 2**63, units, dtype=np.int64)
    return np.asarray(words.astype(np.uint64))


def _frozen(array: Array) -> Array:
    """Return a read-only contiguous view, so that one compiled version serves every problem."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _price_forbidden(problem: ZoneProblem) -> tuple[Array, float]:
    """Return the costs with a large number for ``inf``, and that number (``inf`` where nothing is forbidden)."""
    barred = ~np.isfinite(problem.cost)
    if not barred.any():
        return _frozen(problem.cost), np.inf
    largest = float(np.max(problem.cost, initial=1.0, where=~barred))
    price = FORBIDDEN_TIMES * max(largest, _price_overload(problem) * float(problem.pupils.max(initial=1.0)))
    return _frozen(np.where(barred, price, problem.cost)), price


def equal_fill(problem: ZoneProblem) -> Array:
    """Return the pupils of each school if all were equally full; -1 for schools without a limit."""
    limited = np.isfinite(problem.places)
    if problem.target_pupils is not None:
        given = np.isfinite(problem.target_pupils) & limited
        return np.where(given, problem.target_pupils, -1.0)
    places = float(problem.places[limited].sum())
    share = float(problem.pupils.sum()) / places if places > 0.0 else 0.0
    return np.where(limited, np.where(limited, problem.places, 0.0) * share, -1.0)

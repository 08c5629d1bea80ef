"""The ways of every facility through the years: stay, close, extend, open; with places and money, year by year."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from geodata.study import FrozenArrays
from planning.siting_case import SitingCase
from planning.solvers.problems import Bools, Floats, Ints

STAY, CLOSE, EXPAND, OPEN = range(4)
"""What a way does. A site that is never built stays."""
DECISIONS = ("stay", "close", "expand", "open")


@dataclass(frozen=True, eq=False)
class SitingWays(FrozenArrays):
    """All ways, by facility; the first of each is to do nothing.

    Parameters
    ----------
    start : shape (facilities + 1,)
    owner, kind, period, size : shape (ways,)
        Facility; what is done; in which year (``-1``: nothing); position of the size among those of the facility.
    places, classes : shape (ways, periods)
        Places as they stand (before the share that may be used); classes.
    money_cny : shape (ways, periods)
        Whole cost of building and closing in the year of the decision: what budgets count.
    building_cny, running_cny, empty_cny : shape (ways,)
        Over the horizon, by part of the objective: building written off and closing; running; places (all of them:
        those that pupils fill are taken off as a constant).
    least_pupils, open_now : shape (ways, periods)
        Fewest pupils of an open school; whether it is open.
    """

    start: Ints
    owner: Ints
    kind: Ints
    period: Ints
    size: Ints
    places: Floats
    classes: Floats
    money_cny: Floats
    building_cny: Floats
    running_cny: Floats
    empty_cny: Floats
    least_pupils: Floats
    open_now: Bools

    @property
    def count(self) -> int:
        """Number of ways."""
        return len(self.owner)

    @property
    def changes(self) -> Bools:
        """Which ways change anything, shape (ways,)."""
        found: Bools = self.kind != STAY
        return found


@dataclass
class _List:
    """Ways while they are gathered."""

    owner: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    period: list[int] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    places: list[Floats] = field(default_factory=list)
    classes: list[Floats] = field(default_factory=list)
    money: list[float] = field(default_factory=list)
    built: list[float] = field(default_factory=list)

    def add(self, owner: int, kind: int, period: int, size: int, rest: tuple[Floats, Floats, float, float]) -> None:
        """Add one way; ``rest``: places and classes by year, whole money, and what of it is a building."""
        self.owner.append(owner)
        self.kind.append(kind)
        self.period.append(period)
        self.size.append(size)
        self.places.append(rest[0])
        self.classes.append(rest[1])
        self.money.append(rest[2])
        self.built.append(rest[3])


def build_siting_ways(case: SitingCase) -> SitingWays:
    """Return the ways of every facility.

    A school stays, closes at the start of one of the years, or is extended by one of its sizes in one of them. A site
    stays empty or is built, in one of its sizes, in one of the years. What is closed stays closed, and what is built
    stays: nothing is done twice to one facility.
    """
    found, facilities = _List(), case.facilities
    later = np.tri(case.n_periods, dtype=np.float64).T  # row t: the years from t on
    for at in range(facilities.count):
        before, classes = float(facilities.places[at]), float(facilities.classes[at])
        ever = np.ones(case.n_periods)
        found.add(at, STAY, -1, -1, (before * ever if before else 0.0 * ever, classes * ever, 0.0, 0.0))
        if facilities.may_close[at]:
            for period, closed in enumerate(later):
                left = np.where(closed > 0, 0.0, before), np.where(closed > 0, 0.0, classes)
                found.add(at, CLOSE, period, -1, (*left, case.options.costs.closing_cny, 0.0))
        if facilities.may_grow[at]:
            kind = OPEN if facilities.is_site[at] else EXPAND
            pairs = zip(facilities.sizes_classes[at], facilities.building_cny[at], strict=True)
            for size, (added, cost) in enumerate(pairs):
                for period, built in enumerate(later):
                    more = built * added
                    places = before + more * facilities.class_size[at]
                    found.add(at, kind, period, size, (places, classes + more, cost, cost))
    return _compose(case, found)


def _compose(case: SitingCase, found: _List) -> SitingWays:
    owner, kind, period = (np.array(item, dtype=np.int64) for item in (found.owner, found.kind, found.period))
    places = np.array(found.places, dtype=np.float64).reshape(len(owner), case.n_periods)
    money = np.zeros(places.shape)
    done = np.flatnonzero(period >= 0)
    money[done, period[done]] = np.array(found.money)[done]
    costs, weights = case.options.costs, case.year_weight
    left = np.array([weights[at:].sum() if at >= 0 else 0.0 for at in period])
    part = np.minimum(1.0, left / costs.building_years) if costs.building_years > 0 else np.ones(len(owner))
    built = np.array(found.built)
    open_now = _find_open(case, owner, kind, period)
    running = (open_now * compute_fixed_running(case)[owner]) @ weights
    empty = np.where(np.isfinite(places) & ~case.facilities.fixed[owner][:, None], places, 0.0) @ weights
    asked = case.options.rules.min_pupils or 0.0
    changeable = (case.facilities.may_close | case.facilities.is_site)[owner]
    return SitingWays(
        start=np.searchsorted(owner, np.arange(case.facilities.count + 1)).astype(np.int64),
        owner=owner,
        kind=kind,
        period=period,
        size=np.array(found.size, dtype=np.int64),
        places=places,
        classes=np.array(found.classes, dtype=np.float64).reshape(places.shape),
        money_cny=money,
        building_cny=built * part + (np.array(found.money) - built),
        running_cny=running,
        empty_cny=case.options.weights.empty_cny_per_place_year * empty,
        least_pupils=np.where(open_now & changeable[:, None], asked, 0.0),
        open_now=open_now,
    )


def _find_open(case: SitingCase, owner: Ints, kind: Ints, period: Ints) -> Bools:
    """Return in which years each way has its facility open, shape (ways, periods)."""
    years = np.arange(case.n_periods)[None, :]
    site = case.facilities.is_site[owner][:, None]
    since = (kind == OPEN)[:, None] & (years >= period[:, None])
    gone = (kind == CLOSE)[:, None] & (years >= period[:, None])
    found: Bools = np.where(site, since, ~gone)
    return found


def compute_fixed_running(case: SitingCase) -> Floats:
    """Return what an open facility costs a year beside the classes that its pupils fill, shape (facilities, periods).

    The sum for a school whatever its size (nothing where it goes on with another stage), and the classes that it runs
    above those that its pupils need if nothing is decided: a village school with 43 pupils in 3 classes has 2 spare
    ones. Private schools cost nothing here.
    """
    facilities, costs = case.facilities, case.options.costs
    need = case.home_pupils / np.where(facilities.class_size > 0, facilities.class_size, np.inf)[:, None]
    spare = np.where(facilities.is_site[:, None], 0.0, np.maximum(0.0, facilities.least_classes[:, None] - need))
    own = np.where(facilities.alone, costs.running_cny_per_school_year, 0.0)[:, None]
    found: Floats = np.where(facilities.fixed[:, None], 0.0, own + spare * costs.running_cny_per_class_year)
    return found


def list_changed_order(ways: SitingWays, chosen: Ints) -> list[int]:
    """Return the facilities at which something is decided: by year; what is built before what closes; then by id."""
    kind, period = ways.kind[chosen], ways.period[chosen]
    order = np.lexsort((np.arange(len(chosen)), -kind, period))
    return [int(at) for at in order if kind[at] != STAY]

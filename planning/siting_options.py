"""What a proposal is asked for: what may change, when, at what price, under which rules, and how hard to search."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from geodata.errors import ScenarioError
from geodata.study import MODES, STAGES, Mode, Stage
from planning.forecast_options import ForecastOptions

SitingModel = Literal["plan", "p_median", "p_center", "set_covering", "maximal_covering", "capacitated"]
AskedVariant = Literal["", "low", "middle", "high"]
SIZES_CLASSES = (12, 18, 24, 30, 36)
"""Sizes in which new schools are offered where neither the site nor the rulebook says otherwise."""


@dataclass(frozen=True)
class SitingWeights:
    """What the parts of the objective count for, in yuan: the stated mix.

    Conventions of this project, to be replaced by those of the county: ratios of what a county is ready to pay.

    Parameters
    ----------
    travel_cny_per_pupil_hour
        One hour on the way to school of one pupil (one direction).
    trips_per_year
        Ways to school per pupil and year.
    moved_cny_per_pupil
        One pupil who goes to another school than today, in one year.
    empty_cny_per_place_year
        One place that stays empty for a year.
    building, running
        Weight of one yuan of building and of running cost.
    """

    travel_cny_per_pupil_hour: float = 10.0
    trips_per_year: float = 400.0
    moved_cny_per_pupil: float = 500.0
    empty_cny_per_place_year: float = 500.0
    building: float = 1.0
    running: float = 1.0

    def __post_init__(self) -> None:
        _require(_check_numbers(self))


@dataclass(frozen=True)
class SitingCosts:
    """What building and running costs where the tables do not say, in yuan of one price year.

    Conventions of this project, not facts: give the county's own figures. A site's ``cost_cny`` goes before
    ``building_cny_per_place``, for the largest of its sizes, smaller ones in proportion.

    Parameters
    ----------
    building_cny_per_place, expanding_cny_per_place
        A new school; an extension.
    closing_cny
        What one closure costs once.
    running_cny_per_school_year, running_cny_per_class_year
        What a school costs a year whatever its size, and what every class costs.
    building_years
        Years over which a building is written off: the horizon carries its part of the cost. Budgets carry all.
    """

    building_cny_per_place: float = 50_000.0
    expanding_cny_per_place: float = 35_000.0
    closing_cny: float = 0.0
    running_cny_per_school_year: float = 600_000.0
    running_cny_per_class_year: float = 250_000.0
    building_years: float = 50.0

    def __post_init__(self) -> None:
        _require(_check_numbers(self))


@dataclass(frozen=True)
class SitingRules:
    """What every proposal keeps to, on top of the rulebook (None: what the rulebook says).

    Parameters
    ----------
    max_travel_min
        Longest way of a pupil. ``max_travel_low_min``: of grades 1 to 3.
    min_pupils
        An open school of the stage has at least so many pupils of it.
    max_classes
        No school grows beyond.
    max_class_size
        Pupils per class that places are counted with.
    fill_share
        Share of the places that may be used, so that room is left.
    budgets_cny
        (year, yuan) of building, extending and closing in each of ``SitingOptions.years``; a year that is not named
        is not limited. ``total_budget_cny``: over all years.
    max_changes
        At most so many schools change (close, expand, open) in each year of the plan; None: any number.
    build_before_closing
        先建后撤: a school closes only after the new places near it stand, never in the same year of the plan.
    protected
        Schools that stay open at their size or larger.
    """

    max_travel_min: float | None = None
    max_travel_low_min: float | None = None
    min_pupils: float | None = None
    max_classes: int | None = None
    max_class_size: float | None = None
    fill_share: float = 1.0
    budgets_cny: tuple[tuple[int, float], ...] = ()
    total_budget_cny: float | None = None
    max_changes: int | None = None
    build_before_closing: bool = True
    protected: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        found = _check_numbers(self)
        found += ["" if 0 < self.fill_share <= 1 else "fill_share must lie above 0 and be at most 1"]
        years = [year for year, _ in self.budgets_cny]
        found += ["a year stands twice in budgets_cny" if len(set(years)) < len(years) else ""]
        found += ["budgets must be 0 or more" if any(not money >= 0 for _, money in self.budgets_cny) else ""]
        _require(found)


@dataclass(frozen=True)
class SitingSearch:
    """How hard to search: recorded with the result, because it can change it.

    Parameters
    ----------
    time_limit_s
        For everything that is asked, shared out over the plans; None: no limit.
    gap_share
        A plan is good enough when it is proven to be so close to the best.
    front_plans
        Plans on the front of cost against travel, the two ends included; 1: only the best plan of the stated mix.
    alternatives
        Further plans within ``within_share`` of the best, each with at least ``differ`` other decisions.
    seed
        Of everything random.
    """

    time_limit_s: float | None = 120.0
    gap_share: float = 0.001
    front_plans: int = 5
    alternatives: int = 2
    within_share: float = 0.02
    differ: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        found = _check_numbers(self)
        found += [
            "" if 1 <= self.front_plans <= 15 else "front_plans must lie between 1 and 15",
            "" if 0 <= self.alternatives <= 10 else "alternatives must lie between 0 and 10",
            "" if self.differ >= 1 else "differ must be 1 or more",
        ]
        _require(found)


@dataclass(frozen=True)
class SitingOptions:
    """What is asked of one stage of one county.

    Parameters
    ----------
    model
        ``"plan"``: close, merge, expand and open over the years, at least cost of the stated mix. Or one of the
        models of the textbooks, for one moment, as special cases: ``"p_median"`` (``count`` schools, least travel),
        ``"p_center"`` (``count`` schools, least longest way), ``"set_covering"`` (fewest schools with everybody
        within ``cover_min``), ``"maximal_covering"`` (``count`` schools, most pupils within ``cover_min``),
        ``"capacitated"`` (``count`` schools, or as many as pay, within their places).
    stage, mode
        Whose schools, and how children travel.
    years
        The years of the plan, ascending; a decision may be taken in each. Each stands for the years until the next.
        Empty: the present alone.
    variant, forecast
        Of the forecast that gives the pupils of those years; empty: today's pupils in all years.
    count, cover_min
        See ``model``. ``count`` is the number of schools that stand at the end, those of today included.
    may_close, may_expand, may_open
        Ids of schools, schools, and sites that may be; None: all. Empty: none.
    sizes_classes
        Sizes of new schools where the site names none.
    expand_classes
        Sizes of extensions, in classes.
    weights, costs, rules, search
        See there.
    """

    model: SitingModel = "plan"
    stage: Stage = "primary"
    mode: Mode = "walk"
    years: tuple[int, ...] = ()
    variant: AskedVariant = ""
    forecast: ForecastOptions = field(default_factory=ForecastOptions)
    count: int | None = None
    cover_min: float | None = None
    may_close: tuple[str, ...] | None = None
    may_expand: tuple[str, ...] | None = None
    may_open: tuple[str, ...] | None = None
    sizes_classes: tuple[int, ...] = SIZES_CLASSES
    expand_classes: tuple[int, ...] = (6, 12)
    weights: SitingWeights = field(default_factory=SitingWeights)
    costs: SitingCosts = field(default_factory=SitingCosts)
    rules: SitingRules = field(default_factory=SitingRules)
    search: SitingSearch = field(default_factory=SitingSearch)

    def __post_init__(self) -> None:
        found = [
            _check_word("model", self.model, get_args(SitingModel)),
            _check_word("stage", self.stage, STAGES),
            _check_word("mode", self.mode, MODES),
            _check_word("variant", self.variant, get_args(AskedVariant)),
            "" if list(self.years) == sorted(set(self.years)) else "years must ascend",
            "a variant of the forecast needs years" if self.variant and not self.years else "",
            "" if len(self.years) <= 6 else "at most six years of decisions",
            "" if all(size > 0 for size in (*self.sizes_classes, *self.expand_classes)) else "sizes must be above 0",
            "" if self.count is None or self.count >= 1 else "count must be 1 or more",
            "" if self.cover_min is None or self.cover_min > 0 else "cover_min must be above 0",
        ]
        needs_count = self.model in ("p_median", "p_center", "maximal_covering")
        found.append(f"{self.model} needs count" if needs_count and self.count is None else "")
        needs_cover = self.model in ("set_covering", "maximal_covering")
        found.append(f"{self.model} needs cover_min" if needs_cover and self.cover_min is None else "")
        _require(found)


def _require(found: list[str]) -> None:
    problems = [problem for problem in found if problem]
    if problems:
        raise ScenarioError("; ".join(problems))


def _check_word(what: str, word: str, known: tuple[str, ...]) -> str:
    if word in known:
        return ""
    near = difflib.get_close_matches(str(word), known, n=1)
    return f"unknown {what} {word!r}; " + (f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(known))


def _check_numbers(value: Any) -> list[str]:
    """Return which plain numbers of a value are not 0 or more."""
    numbers = {item.name: getattr(value, item.name) for item in fields(value)}
    return [
        f"{name} must be a number, 0 or more"
        for name, number in numbers.items()
        if isinstance(number, (int, float)) and not (math.isfinite(number) and number >= 0)
    ]

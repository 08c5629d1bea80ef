"""What a proposal is asked for: what may change, when, at what price, under which rules, and how hard to search."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from geodata.messages import Message, msg
from geodata.study import MODES, STAGES, Mode, Stage
from planning.forecast_options import ForecastOptions
from planning.option_checks import check_numbers, check_word, require_none

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
        require_none(check_numbers(self))


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
        require_none(check_numbers(self))


@dataclass(frozen=True)
class SitingRules:
    """What every proposal keeps to, on top of the rulebook (None: what the rulebook says).

    Parameters
    ----------
    max_travel_min
        Longest way of a pupil. ``max_travel_low_min``: of grades 1 to 3.
    min_pupils
        An open school of the stage that may close, or is new, has at least so many pupils of it. None: no least size;
        that of the rulebook says which schools are small, not that they must close.
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
        found: list[Message | None] = [*check_numbers(self)]
        found += [None if 0 < self.fill_share <= 1 else msg("fill_share must lie above 0 and be at most 1")]
        years = [year for year, _ in self.budgets_cny]
        found += [msg("a year stands twice in budgets_cny") if len(set(years)) < len(years) else None]
        found += [msg("budgets must be 0 or more") if any(not money >= 0 for _, money in self.budgets_cny) else None]
        require_none(found)


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
        found: list[Message | None] = [*check_numbers(self)]
        found += [
            None if 1 <= self.front_plans <= 15 else msg("front_plans must lie between 1 and 15"),
            None if 0 <= self.alternatives <= 10 else msg("alternatives must lie between 0 and 10"),
            None if self.differ >= 1 else msg("differ must be 1 or more"),
        ]
        require_none(found)


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
        Ids of schools, schools, and sites that may be; None: all, but for closing those that are full by their rolls.
        Empty: none. Private schools stay as they are.
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
        found: list[Message | None] = [
            check_word("model", self.model, get_args(SitingModel)),
            check_word("stage", self.stage, STAGES),
            check_word("mode", self.mode, MODES),
            check_word("variant", self.variant, get_args(AskedVariant)),
            None if list(self.years) == sorted(set(self.years)) else msg("years must ascend"),
            msg("a variant of the forecast needs years") if self.variant and not self.years else None,
            None if len(self.years) <= 6 else msg("at most six years of decisions"),
            None
            if all(size > 0 for size in (*self.sizes_classes, *self.expand_classes))
            else msg("sizes must be above 0"),
            None if self.count is None or self.count >= 1 else msg("count must be 1 or more"),
            None if self.cover_min is None or self.cover_min > 0 else msg("cover_min must be above 0"),
        ]
        needs_count = self.model in ("p_median", "p_center", "maximal_covering")
        needed = msg("{model} needs count", model=self.model)
        found.append(needed if needs_count and self.count is None else None)
        needs_cover = self.model in ("set_covering", "maximal_covering")
        needed = msg("{model} needs cover_min", model=self.model)
        found.append(needed if needs_cover and self.cover_min is None else None)
        require_none(found)

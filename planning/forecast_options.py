"""What a forecast is asked for: how far, from how many years, by which method, and what is assumed on top."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from geodata.messages import msg
from planning.option_checks import check_word, require_none

Variant = Literal["low", "middle", "high"]
ForecastMethod = Literal["ensemble", "cohort", "trend", "linear", "naive"]
Capture = Literal["trend", "mean", "last"]
VARIANTS: tuple[Variant, ...] = ("low", "middle", "high")
METHODS: tuple[ForecastMethod, ...] = ("cohort", "trend", "linear", "naive")
"""The methods that an ensemble weighs against each other."""
MIN_WINDOW_YEARS, MAX_WINDOW_YEARS = 3, 6


@dataclass(frozen=True)
class ForecastOptions:
    """What a forecast is asked for.

    Parameters
    ----------
    last_year
        The last school year.
    window_years
        Number of yearly transitions from which ratios are taken: 3 to 6 (rule P4). Where fewer are known, those.
    method
        ``"ensemble"``: the methods weighted by their skill in back-tests; or one of them for the county's totals by
        stage. Schools, grades and units always follow cohorts, scaled to the county.
    capture
        Entry per child born: ``"mean"`` of the window, the ``"last"`` year, or ``"trend"`` (damped).
    shrink_cohorts
        How strongly the ratios of small schools are drawn to those of the town, and of towns to those of the county:
        weight of the wider area, in mean cohorts of a school and grade. 0: not at all.
    migration_share_per_year
        Net arrivals per year as a share of every cohort, on top of what the ratios contain: low, middle, high.
    range_deviations
        Width of the range: low and high lie so many standard deviations of the yearly changes from the middle.
    kindergarten_pupils_per_dwelling, primary_pupils_per_dwelling
        Children per new dwelling where the housing table does not say. None: such projects are not counted (no
        sourced number is known: rule P6).
    junior_pupils_per_dwelling, senior_pupils_per_dwelling
        The same for the later stages.
    base_year
        School year of today's data where the rolls do not say. None: the latest of the rolls.
    """

    last_year: int = 2035
    window_years: int = 5
    method: ForecastMethod = "ensemble"
    capture: Capture = "trend"
    shrink_cohorts: float = 1.0
    migration_share_per_year: tuple[float, float, float] = (0.0, 0.0, 0.0)
    range_deviations: float = 1.28
    kindergarten_pupils_per_dwelling: float | None = None
    primary_pupils_per_dwelling: float | None = None
    junior_pupils_per_dwelling: float | None = None
    senior_pupils_per_dwelling: float | None = None
    base_year: int | None = None

    def __post_init__(self) -> None:
        numbers = (self.shrink_cohorts, self.range_deviations, *self.migration_share_per_year, *self._list_yields())
        problems = [
            None if 1990 <= self.last_year <= 2100 else msg("last_year must lie between 1990 and 2100"),
            None if MIN_WINDOW_YEARS <= self.window_years <= MAX_WINDOW_YEARS else msg("window_years must be 3 to 6"),
            check_word("method", self.method, get_args(ForecastMethod)),
            check_word("capture", self.capture, get_args(Capture)),
            None if all(math.isfinite(number) for number in numbers) else msg("numbers must be finite"),
            None if self.shrink_cohorts >= 0 else msg("shrink_cohorts must be 0 or more"),
            None if 0 <= self.range_deviations <= 5 else msg("range_deviations must lie between 0 and 5"),
            None
            if len(self.migration_share_per_year) == 3
            else msg("migration_share_per_year holds low, middle, high"),
            None
            if list(self.migration_share_per_year) == sorted(self.migration_share_per_year)
            else msg("migration_share_per_year must not fall from low to high"),
            None
            if all(-0.5 <= share <= 0.5 for share in self.migration_share_per_year)
            else msg("migration_share_per_year must lie between -0.5 and 0.5"),
            None
            if all(0 <= number <= 3 for number in self._list_yields())
            else msg("children per dwelling lie from 0 to 3"),
            None if self.base_year is None or 1990 <= self.base_year <= 2100 else msg("base_year is out of range"),
        ]
        require_none(problems)

    def _list_yields(self) -> list[float]:
        held = (
            self.kindergarten_pupils_per_dwelling,
            self.primary_pupils_per_dwelling,
            self.junior_pupils_per_dwelling,
            self.senior_pupils_per_dwelling,
        )
        return [value for value in held if value is not None]

    def yield_of(self, stage: str) -> float:
        """Return children of a stage per dwelling where the housing table does not say; NaN: not known."""
        value: float | None = getattr(self, f"{stage}_pupils_per_dwelling")
        return math.nan if value is None else value

"""The registry of indicators: each has a name, a unit, a direction, a definition and a function.

Travel is weighted by pupils. "Where known" means: a school without the number is left out, never counted as zero. An
indicator without any known number is NaN. Units belong to an area by where the children live, schools by where they
stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import pandas as pd

from geodata.messages import Message, msg
from planning.area_view import (
    AreaView,
    compute_beyond,
    compute_fill,
    compute_known_sum,
    compute_large_share,
    compute_mean_class,
    compute_places_short,
    compute_pupils,
    compute_small_schools,
    compute_spread,
    compute_travel,
    compute_unreached,
    compute_within,
    iterate_areas,
)
from planning.flags import FLAG_MEANINGS, FLAG_NAMES
from planning.leakage import compute_leak_share
from planning.measures import (
    compute_atkinson,
    compute_cv,
    compute_gini,
    compute_hoover,
    compute_mean,
    compute_quantile,
    compute_theil,
)
from planning.rules import Rules
from planning.tables import StageTables

INDICATOR_COLUMNS = ("indicator", "value", "unit", "stage", "area_kind", "area")
TIME_BANDS_MIN = (5, 10, 15, 20, 30)
LENGTH_BANDS_M = (500, 1000, 2000)
Direction = Literal["higher", "lower", "neutral"]


@dataclass(frozen=True)
class Indicator:
    """One entry of the registry. ``direction``: which way is better. ``modelled``: needs a plan."""

    name: str
    unit: str
    direction: Direction
    title: Message
    definition: Message
    compute: Callable[[AreaView], float]
    modelled: bool = True


def _travel_indicators() -> Iterator[Indicator]:
    for field, unit, noun in (
        ("time_min", "min", msg("travel time to school")),
        ("length_m", "m", msg("way to school")),
    ):
        stem = "travel_min" if field == "time_min" else "length_m"
        for name, share, title, definition in (
            (
                "mean",
                None,
                msg("Mean {noun}", noun=noun),
                msg("Mean over the pupils who reach a school, one way, by the mode of the scenario."),
            ),
            (
                "median",
                0.5,
                msg("Median {noun}", noun=noun),
                msg("The smallest value that half of the pupils who reach a school do not exceed."),
            ),
            (
                "p95",
                0.95,
                msg("95th percentile of the {noun}", noun=noun),
                msg("The smallest value that 95% of the pupils who reach a school do not exceed."),
            ),
            ("max", 1.0, msg("Longest {noun}", noun=noun), msg("The largest value of any pupil who reaches a school.")),
        ):
            compute = partial(compute_travel, field=field, share=share)
            yield Indicator(f"{name}_{stem}", unit, "lower", title, definition, compute)


def _band_indicators() -> Iterator[Indicator]:
    definition = msg("Share of all pupils, those who reach no school included, whose way is not longer.")
    for minutes in TIME_BANDS_MIN:
        title = msg("Within {minutes} minutes", minutes=minutes)
        compute = partial(compute_within, field="time_min", limit=minutes)
        yield Indicator(f"within_{minutes}_min_share", "share", "higher", title, definition, compute)
    for metres in LENGTH_BANDS_M:
        title = msg("Within {metres:,} m", metres=metres)
        compute = partial(compute_within, field="length_m", limit=metres)
        yield Indicator(f"within_{metres}_m_share", "share", "higher", title, definition, compute)


def _spread_indicators() -> Iterator[Indicator]:
    gini = msg("Gini coefficient of pupils per place between schools: 0 = all equally full. Weighted by pupils.")
    cv = msg("Standard deviation of pupils per place between schools, divided by its mean. Weighted by pupils.")
    plain = msg("The same with equal weight for every school, large or small.")
    for name, measure, weighted, title, definition in (
        ("fill_gini", compute_gini, True, msg("Gini of fill"), gini),
        ("fill_gini_plain", compute_gini, False, msg("Gini of fill, unweighted"), plain),
        ("fill_cv", compute_cv, True, msg("Coefficient of variation of fill"), cv),
        ("fill_cv_plain", compute_cv, False, msg("Coefficient of variation of fill, unweighted"), plain),
    ):
        compute = partial(compute_spread, measure=measure, weighted=weighted)
        yield Indicator(name, "ratio", "lower", title, definition, compute)
    yield Indicator(
        "travel_gini",
        "ratio",
        "lower",
        msg("Gini of travel time"),
        msg("Gini coefficient of the travel time of the pupils who reach a school: 0 = all equally long."),
        lambda view: compute_gini(view.time_min, view.pupils),
    )
    yield Indicator(
        "travel_theil",
        "ratio",
        "lower",
        msg("Theil index of travel time"),
        msg(
            "Theil's T of the travel time of the pupils who reach a school: 0 = all equally long; long ways weigh more."
        ),
        lambda view: compute_theil(view.time_min, view.pupils),
    )
    yield Indicator(
        "travel_hoover_share",
        "share",
        "lower",
        msg("Hoover index of travel time"),
        msg("Share of all minutes that would have to change from long to short ways for all to be equally long."),
        lambda view: compute_hoover(view.time_min, view.pupils),
    )
    yield Indicator(
        "travel_atkinson",
        "ratio",
        "lower",
        msg("Atkinson index of travel time"),
        msg("Atkinson index (ε = 0.5) of the travel time of the pupils who reach a school: 0 = all equally long."),
        lambda view: compute_atkinson(view.time_min, view.pupils, epsilon=0.5),
    )


def _access_indicators() -> Iterator[Indicator]:
    about = msg(
        "Places per child within reach: every school shares its places among all children within the longest way of the"
        " rules (else 30 minutes), every child adds up its shares (two-step floating catchment area)."
    )
    for name, title, definition, direction, compute in (
        (
            "access_places_mean",
            msg("Mean places within reach of a child"),
            about,
            "higher",
            lambda view: compute_mean(view.reach, view.pupils),
        ),
        (
            "access_places_p10",
            msg("Places within reach of the worst-off tenth"),
            msg("A tenth of the children have no more places per child within reach than this."),
            "higher",
            lambda view: compute_quantile(view.reach, view.pupils, 0.1),
        ),
        (
            "access_places_gini",
            msg("Gini of places within reach"),
            msg("Gini coefficient of places per child within reach, weighted by children: 0 = all have the same."),
            "lower",
            lambda view: compute_gini(view.reach, view.pupils),
        ),
    ):
        yield Indicator(name, "ratio", direction, title, definition, compute)  # type: ignore[arg-type]


def _class_indicators() -> Iterator[Indicator]:
    for name, key, title, definition in (
        (
            "large_class_share",
            "large_class_from",
            msg("Share of large classes"),
            msg("Classes of schools whose average class is large or super-large, as a share of all known classes."),
        ),
        (
            "super_large_class_share",
            "super_large_class_from",
            msg("Share of super-large classes"),
            msg("Classes of schools whose average class is super-large, as a share of all known classes."),
        ),
    ):
        yield Indicator(
            name, "share", "lower", title, definition, partial(compute_large_share, key=key), modelled=False
        )
    yield Indicator(
        "mean_class_pupils",
        "pupils",
        "neutral",
        msg("Pupils in a class"),
        msg("Pupils on the rolls divided by classes, over the schools where both are known."),
        compute_mean_class,
        modelled=False,
    )
    yield Indicator(
        "small_schools",
        "schools",
        "neutral",
        msg("Small schools"),
        msg("Schools with fewer pupils on the roll than the rule for small schools names."),
        compute_small_schools,
        modelled=False,
    )


INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        "pupils",
        "pupils",
        "neutral",
        msg("Children of the stage"),
        msg("Children of the stage who live in the area."),
        compute_pupils,
    ),
    Indicator(
        "actual_pupils",
        "pupils",
        "neutral",
        msg("Pupils on the rolls"),
        msg("Pupils on the rolls of the schools in the area, where known."),
        lambda view: compute_known_sum(view.schools["actual_pupils"]),
        modelled=False,
    ),
    Indicator(
        "schools",
        "schools",
        "neutral",
        msg("Number of schools"),
        msg("Schools in the area that teach the stage."),
        lambda view: float(len(view.schools["classes"])),
        modelled=False,
    ),
    Indicator(
        "places",
        "places",
        "neutral",
        msg("Number of places"),
        msg("Places of the stage in the schools of the area, where known, given or derived from classes."),
        lambda view: compute_known_sum(view.schools["capacity_places"]),
        modelled=False,
    ),
    Indicator(
        "fill_share",
        "share",
        "neutral",
        msg("Pupils per place"),
        msg("Pupils on the rolls divided by places, over the schools where both are known."),
        partial(compute_fill, field="actual_pupils"),
        modelled=False,
    ),
    Indicator(
        "modelled_fill_share",
        "share",
        "neutral",
        msg("Modelled pupils per place"),
        msg("Pupils by the model divided by places, over the schools whose places are known."),
        partial(compute_fill, field="modelled_pupils"),
    ),
    Indicator(
        "places_short",
        "places",
        "lower",
        msg("Places short"),
        msg("Sum of pupils above the places of each school: by its roll, or by the model where no roll is known."),
        compute_places_short,
    ),
    *_travel_indicators(),
    *_band_indicators(),
    Indicator(
        "beyond_radius_share",
        "share",
        "lower",
        msg("Beyond the service radius"),
        msg("Share of pupils who live farther from school than the rule for their place allows, or reach none."),
        partial(compute_beyond, field="length_m", limits="radius_m"),
    ),
    Indicator(
        "beyond_time_share",
        "share",
        "lower",
        msg("Beyond the travel time"),
        msg("Share of pupils who travel longer than the rule allows, or reach no school."),
        partial(compute_beyond, field="time_min", limits="max_min"),
    ),
    Indicator(
        "unreached_pupils",
        "pupils",
        "lower",
        msg("Pupils without a way to school"),
        msg("Pupils of units from which no school of the stage can be reached."),
        compute_unreached,
    ),
    *_access_indicators(),
    *_spread_indicators(),
    *_class_indicators(),
    Indicator(
        "leak_share",
        "share",
        "lower",
        msg("Pupils at another school than the model says"),
        msg("At least this share of pupils is enrolled elsewhere: sum of missing pupils by expected pupils."),
        lambda view: compute_leak_share(view.schools["actual_pupils"], view.schools["expected_pupils"]),
    ),
)
"""Every indicator, in the order in which documents show them."""


def find_indicator(name: str) -> Indicator:
    """Return one indicator; ``KeyError`` for an unknown name."""
    return {indicator.name: indicator for indicator in INDICATORS}[name]


def build_indicators(tables: Iterable[StageTables], rules: Rules) -> pd.DataFrame:
    """Return every indicator by stage for the county, each setting and each town: ``INDICATOR_COLUMNS``."""
    rows: list[tuple[str, float, str, str, str, str]] = []
    for stage_tables in tables:
        modelled = stage_tables.modelled
        for area_kind, area, view in iterate_areas(stage_tables, rules):
            rows += [
                (item.name, item.compute(view), item.unit, stage_tables.stage, area_kind, area)
                for item in INDICATORS
                if modelled or not item.modelled
            ]
    return pd.DataFrame(rows, columns=list(INDICATOR_COLUMNS)).astype({"value": float})


def render_indicators_page() -> str:
    """Return ``docs/indicators.md``: every indicator and every flag."""
    from planning.compare_measures import MEASURES

    lines = [
        "# Indicators and flags",
        "",
        "Made from the registries by `make docs`; do not edit by hand.",
        "",
        "Every indicator is given for the county, by setting (urban, town, rural) and by town. Travel is weighted by"
        " pupils. A school or unit without the number is left out, never counted as zero; where nothing is known the"
        " value is empty. Units belong to an area by where the children live, schools by where they stand.",
        "",
        "## Indicators",
        "",
        "| name | title | unit | better | definition |",
        "|---|---|---|---|---|",
        *(
            f"| `{item.name}` | {item.title} | {item.unit} | {item.direction} | {item.definition} |"
            for item in INDICATORS
        ),
        "",
        "Gini: `Σᵢⱼ wᵢ wⱼ |xᵢ − xⱼ| / (2 x̄ W²)`. Coefficient of variation: `sqrt(Σ w (x − x̄)² / W) / x̄`,"
        " population form, weighted by enrolment as in the official method note (差异系数);"
        " the unweighted form stands beside it. Theil's T: `Σ w (x / x̄) ln(x / x̄) / W`. Hoover:"
        " `Σ w |x − x̄| / (2 x̄ W)`. Atkinson: `1 − (Σ w √x / W)² / x̄` at ε = 0.5. Places within reach:"
        " `Σⱼ Sⱼ / Σₖ Dₖ` over the schools j within the limit of a unit and the units k within that of each school"
        " (`planning/access.py`, with its sources).",
        "",
        "## Comparisons",
        "",
        "Numbers of an option against the baseline, the first of the options compared.",
        "",
        "| name | title | unit | better | definition |",
        "|---|---|---|---|---|",
        *(
            f"| `{item.name}` | {item.title} | {item.unit} | {item.direction} | {item.definition} |"
            for item in MEASURES
        ),
        "",
        "## Flags",
        "",
        "| flag | name | about | rule key | when |",
        "|---|---|---|---|---|",
        *(f"| `{flag}` | {name} | " + " | ".join(FLAG_MEANINGS[flag]) + " |" for flag, name in FLAG_NAMES.items()),
        "",
        "Class sizes are averages of a school: an average above a limit is a sure breach, one below proves nothing.",
        "",
    ]
    return "\n".join(lines)

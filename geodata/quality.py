"""Checks across tables: each is named, says what it found in words, and places it on the map where it has a place.

Every check is a function ``check_…(facts) -> list[DataIssue]`` in :data:`CHECKS`; :func:`check_study` runs them all,
:func:`render_checks_page` lists them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from geodata import (
    coordinate_checks,
    quality_banks,
    quality_places,
    quality_planning,
    quality_roads,
    quality_schools,
    quality_tables,
)
from geodata.errors import DataIssue
from geodata.quality_facts import Evidence, Facts
from geodata.read_planning import PlanningTables
from geodata.study import TravelMatrix

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

Check = Callable[[Facts], list[DataIssue]]

CHECKS: dict[str, Check] = {
    check.__name__.removeprefix("check_"): check
    for check in (
        quality_tables.check_duplicate_ids,
        quality_tables.check_unknown_ids,
        quality_tables.check_counts,
        quality_tables.check_kind_and_stages,
        quality_tables.check_stage_without_capacity,
        quality_tables.check_school_without_roll,
        quality_tables.check_roll_years,
        quality_tables.check_roll_over_capacity,
        quality_tables.check_class_size,
        quality_tables.check_units_without_children,
        quality_places.check_zone_stages,
        quality_places.check_zone_gaps,
        quality_places.check_zone_overlaps,
        quality_places.check_schools_without_zone,
        quality_places.check_crs_scale,
        quality_places.check_positions,
        quality_places.check_units_apart,
        coordinate_checks.check_shifted_points,
        quality_schools.check_doubled_schools,
        quality_schools.check_shared_positions,
        quality_places.check_schools_outside,
        quality_roads.check_road_pieces,
        quality_roads.check_road_extent,
        quality_places.check_far_from_roads,
        quality_places.check_unreachable_units,
        quality_places.check_unreached_schools,
        quality_banks.check_wrong_bank,
        quality_planning.check_planning_ids,
        quality_planning.check_past_schools,
        quality_planning.check_births_sums,
        quality_planning.check_housing_outside,
        quality_planning.check_assets_stages,
        quality_planning.check_parts,
        quality_planning.check_group_members,
    )
}
"""Every check by name, in the order in which they run."""


def check_study(
    schools: gpd.GeoDataFrame,
    places: pd.DataFrame,
    rolls: pd.DataFrame,
    units: gpd.GeoDataFrame,
    zones: pd.DataFrame,
    sites: gpd.GeoDataFrame,
    travel: Mapping[Any, TravelMatrix],
    *,
    crs: str = "",
    files: Mapping[str, str] | None = None,
    planning: PlanningTables | None = None,
    evidence: Evidence | None = None,
) -> list[DataIssue]:
    """Run every check of :data:`CHECKS` and return what they found: errors first, then warnings, then notes.

    ``files`` names the file of each table (``schools``, ``population``, ``units``, ``zones``, ``sites``, ``travel``,
    ``rolls``, ``births``, ``housing``, ``assets``, ``groups``). ``planning`` holds the tables of forecasts and
    inspections, ``evidence`` the roads, barriers and coordinate systems.
    """
    facts = Facts(schools, places, rolls, units, zones, sites, travel, crs, dict(files or {}))
    if planning is not None:
        facts = replace(facts, **{name: getattr(planning, name) for name in ("births", "housing", "assets", "groups")})
    if evidence is not None:
        facts = replace(facts, **vars(evidence))
    found = [issue for check in CHECKS.values() for issue in check(facts)]
    order = ("error", "warning", "note")
    return sorted(found, key=lambda issue: order.index(issue.severity))


def render_checks_page() -> str:
    """Return ``docs/checks.md``: every check by name with what it looks for."""
    head = (
        "# Checks\n\nEvery check across tables, by the name that stands in each finding. *Errors* must be mended, "
        "*warnings* should be looked at, *notes* only tell. This page is generated from `geodata/quality.py`.\n\n"
        "| check | what it looks for |\n|---|---|\n"
    )
    lines = []
    for name, check in CHECKS.items():
        text = " ".join(inspect.cleandoc(check.__doc__ or "").split())
        lines.append(f"| `{name}` | {text} |\n")
    return head + "".join(lines)

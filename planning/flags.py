"""Flags: what is wrong today, each with its severity, the numbers, the rule, and the reason in words.

A school is judged by its roll. Where no roll is known it is judged by the modelled pupils, and the reason says so.
Class sizes are averages of a school (roll / classes), and the reasons say "on average". What is not known is never
taken as zero: it gets a ``no_data`` flag, and no other.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable

import pandas as pd

from geodata.messages import Message, msg
from planning.flag_case import FLAG_COLUMNS, Flag, FlagCase
from planning.rules import Rules
from planning.scenario import Scenario
from planning.school_flags import find_school_flags
from planning.tables import JOINT_KINDS, StageTables
from planning.unit_flags import find_county_flags, find_unit_flags

FLAG_NAMES: dict[str, Message] = {
    "over_capacity": msg("Over capacity"),
    "nearly_full": msg("Nearly full"),
    "low_use": msg("Low use"),
    "super_large_class": msg("Super-large classes"),
    "large_class": msg("Large classes"),
    "class_over_limit": msg("Classes over the limit"),
    "oversize_school": msg("Oversize school"),
    "too_many_classes": msg("Too many classes"),
    "small_school": msg("Small school"),
    "teaching_point": msg("Teaching point"),
    "beyond_radius": msg("Beyond the service radius"),
    "long_travel": msg("Long way to school"),
    "unreachable": msg("No school can be reached"),
    "zone_detour": msg("Sent past a nearer school"),
    "large_class_share": msg("Share of large classes"),
    "super_large_class_share": msg("Share of super-large classes"),
    "no_data": msg("No data"),
    "setting_unknown": msg("Setting unknown"),
}
"""Every flag with its name for a reader, in the order in which they are shown."""

FLAG_MEANINGS = {
    "over_capacity": ("school", "max_fill_share", "pupils > limit × places; by the roll, else by the model"),
    "nearly_full": ("school", "nearly_full_from", "from the limit up to full"),
    "low_use": ("school", "min_fill_share", "pupils < limit × places"),
    "super_large_class": ("school", "super_large_class_from", "roll / classes ≥ limit"),
    "large_class": ("school", "large_class_from", "roll / classes ≥ limit, not super-large"),
    "class_over_limit": ("school", "max_class_size", "roll / classes > limit, not large"),
    "oversize_school": ("school", "max_school_pupils", "pupils > limit; nine-year schools: both stages together"),
    "too_many_classes": ("school", "max_classes", "classes > limit; nine-year schools: both stages together"),
    "small_school": ("school", "min_school_pupils", "roll < limit"),
    "teaching_point": ("school", "", "a teaching point that is not small; teaches grades 1 to 3"),
    "beyond_radius": ("school, unit", "service_radius, max_beyond_share", "metres > radius of the unit's setting"),
    "long_travel": ("unit", "max_travel_min", "minutes > limit, by the mode of the scenario"),
    "unreachable": ("unit", "", "pupils, and no way to any school of the stage"),
    "zone_detour": ("unit", "max_detour_min", "minutes to the zone's school − minutes to the nearest > limit"),
    "large_class_share": ("county", "max_large_class_share", "classes of schools with large classes / classes"),
    "super_large_class_share": ("county", "max_super_large_class_share", "the same, super-large"),
    "no_data": ("school, county", "", "places, roll or number of children unknown: unknown is not zero"),
    "setting_unknown": ("county", "", "units without a setting, where the radius depends on it"),
}
"""For the handbook: what the flag is about, the keys of its rules, and when it is raised."""

_read_flag = operator.attrgetter(*FLAG_COLUMNS)
SEVERITY_ORDER = {"block": 0, "warn": 1, "note": 2}


def build_flags(
    tables: Iterable[StageTables], rules: Rules, scenario: Scenario, *, year: int | None = None
) -> pd.DataFrame:
    """Return every flag of every stage: the gravest first, then by kind of flag, then by the largest value."""
    flags: list[Flag] = []
    for stage_tables in tables:
        case = FlagCase(stage_tables, rules, scenario, year)
        for find in (find_school_flags, find_unit_flags, find_county_flags):
            flags += find(case)
    table = pd.DataFrame([_read_flag(flag) for flag in flags], columns=list(FLAG_COLUMNS))
    for column in ("value", "limit"):
        table[column] = table[column].astype(float)
    joint = {rule.id for rule in rules.rules if set(rule.kind) & set(JOINT_KINDS)}
    twice = table["rule_id"].isin(joint) & table.duplicated(["subject", "subject_id", "flag"])
    table = table[~twice]
    order = {name: number for number, name in enumerate(FLAG_NAMES)}
    ranked = table.assign(
        _severity=table["severity"].map(SEVERITY_ORDER), _flag=table["flag"].map(order), _value=-table["value"]
    )
    ranked = ranked.sort_values(["_severity", "_flag", "stage", "_value", "subject_id"], kind="stable")
    return ranked.loc[:, list(FLAG_COLUMNS)].reset_index(drop=True)

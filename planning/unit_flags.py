"""Flags of units (no way, long way, beyond the radius, past a nearer school) and of the county as a whole."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd

from geodata.messages import Message, msg
from planning.flag_case import Flag, FlagCase, build_rule_flag, iterate_rows
from planning.measures import compute_class_share
from planning.rules import Rule
from planning.scenario import name_mode, name_stage

LEAST_PUPILS_TOLD = 0.5
"""Estimated children may be fractions; fewer than this would read as "0 children". Indicators count them all."""


def find_unit_flags(case: FlagCase) -> list[Flag]:
    """Return units whose pupils reach no school, travel too long, live too far, or are sent past a nearer school."""
    pairs = case.tables.pairs
    flags = _flag_unreached(case, pairs[(pairs["school_id"] == "") & (pairs["pupils"] > 0)])
    pairs = pairs[pairs["pupils"] >= LEAST_PUPILS_TOLD]
    late = pairs[pairs["time_min"] > pairs["max_min"]]
    far = pairs[pairs["length_m"] > pairs["radius_m"]]
    mode = name_mode(case.scenario.mode)
    for row in iterate_rows(_sum_by_unit(late, "time_min", "max_min")):
        rule = case.rules.find("max_travel_min", case.stage, setting=row.setting, year=case.year)
        if rule is None:
            continue
        reason = msg(
            "Children of {name} ({pupils:,.0f}) need {minutes:.0f} minutes {mode} to school; at most {limit:.0f} are"
            " advised.",
            pupils=row.pupils,
            name=row.name,
            minutes=row.value,
            mode=mode,
            limit=row.limit,
        )
        flags.append(build_rule_flag(rule, case.stage, "long_travel", "unit", row, row.value, reason))
    far_units = _sum_by_unit(far, "length_m", "radius_m")
    rules = {
        pair: _find_radius_rule(case, str(pair[0]), float(pair[1]))
        for pair in set(zip(far_units["setting"], far_units["limit"], strict=True))
    }
    for row in iterate_rows(far_units):
        rule = rules[row.setting, row.limit]
        flags += [] if rule is None else [_build_far_flag(case, rule, row)]
    return flags + _flag_detours(case)


def _find_radius_rule(case: FlagCase, setting: str, limit: float) -> Rule | None:
    """Return the rule that set ``limit``: by the setting of the unit, else by that of its school."""
    for name in (setting,) if setting else ("", "urban", "town", "rural"):
        rule = case.rules.find("service_radius", case.stage, setting=name, year=case.year)
        if rule is not None and rule.limit(case.stage) == limit:
            return rule
    return None


def _build_far_flag(case: FlagCase, rule: Rule, row: Any) -> Flag:
    reason = msg(
        "Children of {name} ({pupils:,.0f}) live {metres:,.0f} m from their school;"
        " the service radius is {limit:,.0f} m.",
        pupils=row.pupils,
        name=row.name,
        metres=row.value,
        limit=row.limit,
    )
    return build_rule_flag(rule, case.stage, "beyond_radius", "unit", row, row.value, reason)


def _sum_by_unit(pairs: pd.DataFrame, value: str, limit: str) -> pd.DataFrame:
    """Return one row per unit: its pupils concerned and the largest value among them."""
    groups = pairs.groupby("unit_id", sort=True)
    table = groups.agg(
        name=("name", "first"),
        setting=("setting", "first"),
        pupils=("pupils", "sum"),
        value=(value, "max"),
        limit=(limit, "first"),
    )
    return table.reset_index()


def _flag_unreached(case: FlagCase, pairs: pd.DataFrame) -> list[Flag]:
    return [
        Flag(
            subject="unit",
            subject_id=str(row.unit_id),
            name=str(row.name),
            stage=case.stage,
            flag="unreachable",
            severity="warn",
            reason=msg(
                "From {name} no {stage} can be reached {mode}; children living there: {pupils:,.1f}.",
                pupils=float(row.pupils),
                name=row.name,
                stage=name_stage(case.stage),
                mode=name_mode(case.scenario.mode),
            ),
            value=float(row.pupils),
            unit="pupils",
        )
        for row in iterate_rows(pairs)
    ]


def _flag_detours(case: FlagCase) -> list[Flag]:
    """Units that their zone sends past a nearer school."""
    rule = case.rules.find("max_detour_min", case.stage, year=case.year)
    if case.scenario.enrolment != "zones" or rule is None:
        return []
    units = case.tables.units
    names = case.tables.schools.set_index("school_id")["name"]
    extra = units["time_min"] - units["nearest_time_min"]
    sent = units[
        (extra > rule.limit(case.stage)) & (units["pupils"] >= LEAST_PUPILS_TOLD) & (units["origin"] == "zone")
    ]
    flags = []
    for row in iterate_rows(sent):
        reason = msg(
            "The zone sends {name} to {school}, {minutes:.0f} minutes {mode}; {nearer} is {nearest:.0f} minutes away.",
            name=row.name,
            school=row.school_name,
            minutes=float(row.time_min),
            mode=name_mode(case.scenario.mode),
            nearer=str(names.get(row.nearest_school_id, "")),
            nearest=float(row.nearest_time_min),
        )
        value = float(row.time_min) - float(row.nearest_time_min)
        flags.append(build_rule_flag(rule, case.stage, "zone_detour", "unit", row, value, reason))
    return flags


def find_county_flags(case: FlagCase) -> list[Flag]:
    """Return the county's share of large classes, and what is not known anywhere."""
    return _flag_large_class_shares(case) + _flag_unknown(case)


def _flag_large_class_shares(case: FlagCase) -> list[Flag]:
    """The county's share of large classes against the national targets."""
    flags = []
    for flag, key, band_key in (
        ("super_large_class_share", "max_super_large_class_share", "super_large_class_from"),
        ("large_class_share", "max_large_class_share", "large_class_from"),
    ):
        rule, start = case.rules.find(key, case.stage, year=case.year), case.rules.limit(band_key, case.stage)
        schools = case.tables.schools
        sizes, classes = schools["mean_class_pupils"].to_numpy(), schools["classes"].to_numpy()
        share = None if start is None else compute_class_share(sizes, classes, start)
        if rule is None or share is None or not share > rule.limit(case.stage):
            continue
        reason = msg(
            "About {share:.1%} of the classes have {start:.0f} pupils or more, estimated from the averages of the"
            " schools; the target is at most {limit:.0%}.",
            share=share,
            start=start,
            limit=rule.limit(case.stage),
        )
        flags.append(
            dataclasses.replace(
                _county_flag(case, flag, reason, severity=rule.severity),
                value=share,
                limit=rule.limit(case.stage),
                unit=rule.unit,
                rule_id=rule.id,
            )
        )
    return flags


def _county_flag(case: FlagCase, flag: str, reason: Message, *, severity: str = "note") -> Flag:
    return Flag("county", "", "", case.stage, flag, severity, reason)


def _flag_unknown(case: FlagCase) -> list[Flag]:
    """What is missing for the whole county, said once."""
    schools, units = case.tables.schools, case.tables.units
    stage = name_stage(case.stage)
    reasons: list[tuple[str, Message]] = []
    rolls, places = schools["actual_pupils"].notna().any(), schools["capacity_places"].notna().any()
    if len(schools) and not rolls:
        reasons.append(
            ("no_data", msg("The roll of no {stage} is known, so schools are judged by modelled pupils.", stage=stage))
        )
    if len(schools) and not places:
        reasons.append(
            (
                "no_data",
                msg("The places of no {stage} are known, so nobody can say how full it is.", stage=stage),
            )
        )
    unknown = int(units["pupils"].isna().sum())
    if unknown and unknown == len(units):
        reasons.append(("no_data", msg("The number of children is not known ({stage}).", stage=stage)))
    elif unknown:
        reasons.append(
            (
                "no_data",
                msg("The number of children is unknown in {units:,} units ({stage}).", stage=stage, units=unknown),
            )
        )
    reached = case.tables.pairs[case.tables.pairs["school_id"] != ""]
    if reached["radius_m"].notna().any() and not reached["length_m"].notna().any():
        reasons.append(
            (
                "no_data",
                msg(
                    "The way to school is known in minutes only, so the service radius could not be checked ({stage}).",
                    stage=stage,
                ),
            )
        )
    blank = int((units["setting"] == "").sum())
    if blank and units["radius_m"].isna().any() and case.rules.needs_setting("service_radius", case.stage):
        reasons.append(
            (
                "setting_unknown",
                msg(
                    "{units:,} units are not marked urban, town or rural, so the service radius could not be checked"
                    " there ({stage}).",
                    stage=stage,
                    units=blank,
                ),
            )
        )
    return [_county_flag(case, flag, reason) for flag, reason in reasons]

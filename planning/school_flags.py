"""Flags of schools: fill, class size, school size, classes, small schools, radius, and what is not known."""

from __future__ import annotations

import operator
from typing import Any

from geodata.messages import Message, msg
from planning.flag_case import Flag, FlagCase, build_rule_flag, iterate_rows
from planning.rules import Rule
from planning.tables import JOINT_KINDS


def find_school_flags(case: FlagCase) -> list[Flag]:
    """Return the flags of every school of the stage."""
    found: list[Flag | None] = []
    for row in iterate_rows(case.tables.schools):
        found += [_find_fill(case, row), _find_class_size(case, row), _find_size(case, row), _find_classes(case, row)]
        found += [_find_small(case, row), _find_beyond(case, row), _find_gaps(case, row)]
    return [flag for flag in found if flag is not None]


def _find_rule(case: FlagCase, key: str, row: Any) -> Rule | None:
    return case.rules.find(key, case.stage, kind=row.kind, setting=row.setting, year=case.year)


def _find_fill(case: FlagCase, row: Any) -> Flag | None:
    """Over capacity, nearly full, or low use: at most one of them."""
    places = row.capacity_places
    known = row.actual_pupils == row.actual_pupils
    pupils = row.actual_pupils if known else row.modelled_pupils
    if places == 0 and known and pupils > 0:
        rule = _find_rule(case, "max_fill_share", row)
        if rule is None:
            return None
        reason = msg("{name} has {pupils:,.0f} pupils and no places.", name=row.name, pupils=float(pupils))
        return build_rule_flag(rule, case.stage, "over_capacity", "school", row, float("nan"), reason)
    if not (places > 0 and pupils >= 0):
        return None
    fill = pupils / places
    tests = (
        ("over_capacity", "max_fill_share", operator.gt),
        ("nearly_full", "nearly_full_from", operator.ge),
        ("low_use", "min_fill_share", operator.lt),
    )
    for flag, key, holds in tests:
        rule = _find_rule(case, key, row)
        if rule is None or not holds(fill, rule.limit(case.stage)):
            continue
        values = {"name": row.name, "pupils": float(pupils), "places": float(places), "fill": float(fill)}
        if known:
            reason = msg("{name} has {pupils:,.0f} pupils for {places:,.0f} places ({fill:.0%} full).", **values)
        elif case.scenario.enrolment == "zones":
            reason = msg(
                "{name} would have {pupils:,.0f} pupils for {places:,.0f} places ({fill:.0%} full) if every child went"
                " to the school of its zone.",
                **values,
            )
        else:
            reason = msg(
                "{name} would have {pupils:,.0f} pupils for {places:,.0f} places ({fill:.0%} full) if every child went"
                " to the nearest school.",
                **values,
            )
        return build_rule_flag(rule, case.stage, flag, "school", row, fill, reason)
    return None


def _find_class_size(case: FlagCase, row: Any) -> Flag | None:
    """The gravest of super-large, large, and over the limit."""
    size = row.mean_class_pupils
    if not size > 0:
        return None
    values = {"name": row.name, "size": float(size), "pupils": float(row.actual_pupils), "classes": float(row.classes)}
    for flag, key in (("super_large_class", "super_large_class_from"), ("large_class", "large_class_from")):
        rule = _find_rule(case, key, row)
        if rule is not None and size >= rule.limit(case.stage):
            reason = msg(
                "{name} has {size:.1f} pupils in a class on average (roll {pupils:,.0f}, classes {classes:,.0f});"
                " {limit:.0f} and more count as {band}.",
                limit=rule.limit(case.stage),
                band=msg("super-large") if flag == "super_large_class" else msg("large"),
                **values,
            )
            return build_rule_flag(rule, case.stage, flag, "school", row, size, reason)
    rule = _find_rule(case, "max_class_size", row)
    if rule is None or size <= rule.limit(case.stage):
        return None
    reason = msg(
        "{name} has {size:.1f} pupils in a class on average (roll {pupils:,.0f}, classes {classes:,.0f});"
        " the limit is {limit:.0f}.",
        limit=rule.limit(case.stage),
        **values,
    )
    return build_rule_flag(rule, case.stage, "class_over_limit", "school", row, size, reason)


def _find_size(case: FlagCase, row: Any) -> Flag | None:
    """Too many pupils; nine- and twelve-year schools count primary and junior pupils together."""
    rule = _find_rule(case, "max_school_pupils", row)
    known = row.size_pupils == row.size_pupils
    pupils = row.size_pupils if known or row.kind in JOINT_KINDS else row.modelled_pupils
    if rule is None or not pupils > rule.limit(case.stage):
        return None
    values = {"name": row.name, "pupils": float(pupils), "limit": rule.limit(case.stage)}
    reason = (
        msg("{name} has {pupils:,.0f} pupils; the limit for a school of its kind is {limit:,.0f}.", **values)
        if known
        else msg(
            "{name} would have {pupils:,.0f} pupils by the model; the limit for a school of its kind is {limit:,.0f}.",
            **values,
        )
    )
    return build_rule_flag(rule, case.stage, "oversize_school", "school", row, pupils, reason)


def _find_classes(case: FlagCase, row: Any) -> Flag | None:
    rule = _find_rule(case, "max_classes", row)
    if rule is None or not row.size_classes > rule.limit(case.stage):
        return None
    reason = msg(
        "{name} has {classes:,.0f} classes; a school of its kind should have at most {limit:,.0f}.",
        name=row.name,
        classes=float(row.size_classes),
        limit=rule.limit(case.stage),
    )
    return build_rule_flag(rule, case.stage, "too_many_classes", "school", row, row.size_classes, reason)


def _find_small(case: FlagCase, row: Any) -> Flag | None:
    """Small rural schools; a teaching point is named as one, however many pupils it has."""
    rule = _find_rule(case, "min_school_pupils", row)
    pupils = row.actual_pupils
    if rule is not None and pupils < rule.limit(case.stage):
        limit = rule.limit(case.stage)
        values = {"name": row.name, "pupils": float(pupils), "limit": limit}
        if row.low_only:
            reason = msg("{name} is a teaching point with {pupils:,.0f} pupils, fewer than {limit:,.0f}.", **values)
        else:
            reason = msg("{name} has {pupils:,.0f} pupils, fewer than {limit:,.0f}.", **values)
        return build_rule_flag(rule, case.stage, "small_school", "school", row, pupils, reason)
    if not row.low_only:
        return None
    return Flag(
        subject="school",
        subject_id=str(row.school_id),
        name=str(row.name),
        stage=case.stage,
        flag="teaching_point",
        severity="note",
        reason=msg("{name} is a teaching point: it is taken to teach grades 1 to 3 only.", name=row.name),
        value=float(pupils),
        unit="pupils",
    )


def _find_beyond(case: FlagCase, row: Any) -> Flag | None:
    rule = _find_rule(case, "max_beyond_share", row)
    if rule is None or not row.beyond_radius_share > rule.limit(case.stage):
        return None
    reason = msg(
        "{share:.0%} of the {pupils:,.0f} children who would go to {name} live farther away than the service"
        " radius of their place allows.",
        name=row.name,
        share=float(row.beyond_radius_share),
        pupils=float(row.modelled_pupils),
    )
    return build_rule_flag(rule, case.stage, "beyond_radius", "school", row, row.beyond_radius_share, reason)


def _find_gaps(case: FlagCase, row: Any) -> Flag | None:
    """A school without capacity or without a roll. Where no school has one, the county flag says it once."""
    schools = case.tables.schools
    gaps = [
        column
        for column in ("capacity_places", "actual_pupils")
        if getattr(row, column) != getattr(row, column) and schools[column].notna().any()
    ]
    if not gaps:
        return None
    reasons: dict[tuple[str, ...], Message] = {
        ("capacity_places",): msg(
            "The places of {name} are not known, so nobody can say how full it is.", name=row.name
        ),
        ("actual_pupils",): msg("The roll of {name} is not known.", name=row.name),
    }
    both = msg("Neither the places nor the roll of {name} is known.", name=row.name)
    return Flag(
        subject="school",
        subject_id=str(row.school_id),
        name=str(row.name),
        stage=case.stage,
        flag="no_data",
        severity="note",
        reason=reasons.get(tuple(gaps), both),
    )

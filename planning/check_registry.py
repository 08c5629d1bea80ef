"""The registry of rule checks: by rule key, what is measured, from which data, and what cures it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from geodata.messages import Message, msg
from planning.balance_registry import QUALITY_INDICATORS
from planning.check_balance import check_assets, check_items, check_passes, check_spread
from planning.check_case import Block, CheckCase, build_row
from planning.check_closures import check_closures
from planning.check_county import check_large_share, check_people_per_school, check_places_per_1000
from planning.check_schools import (
    CLASSES,
    PLACES,
    ROLL,
    check_beyond_share,
    check_class_size,
    check_classes,
    check_fill,
    check_land,
    check_school_size,
)
from planning.check_units import check_detour, check_radius, check_travel_time

BALANCE_CURES = {"teachers": "teachers", "m2": "m2", "cny": "cny", "rooms": "rooms"}
NO_CURE = msg("Nothing that can be counted; see the rule.")


@dataclass(frozen=True)
class RuleCheck:
    """How the rules of one key are checked.

    ``subjects``: what one answer is about. ``title``: what is measured, as a noun. ``data``: the columns it is measured
    from. ``cure``: the kind of cure, ``cured``: in words. ``find``: returns the rows. ``needs_balance``: only the
    balance inspection knows; ``needs_closure``: only closures are judged.
    """

    key: str
    subjects: tuple[str, ...]
    title: Message
    data: tuple[str, ...]
    find: Callable[[CheckCase, str], Iterator[Block]]
    cure: str = ""
    cured: Message = NO_CURE
    needs_balance: bool = False
    needs_closure: bool = False


def check_unmeasured(case: CheckCase, key: str) -> Iterator[Block]:
    """Return rows of rules about something that no table of a study holds: unknown, with the name of the column."""
    for item in case.stages:
        rule = case.rules.find(key, item.stage, year=case.year)
        if rule is not None and rule.severity != "evidence":
            missing = _UNMEASURED[key]
            yield build_row(rule, item.stage, "county", ("", ""), "unknown", missing=missing, measured=np.nan)


_UNMEASURED = {"max_storey_teaching_rooms": "schools.storeys"}

_PLACES = msg("Places: pupils / limit, rounded up, less the places there are.")
_CLASSES = msg("Classes: pupils / limit, rounded up, less the classes there are.")
_ELSEWHERE = msg("Places at other schools for the pupils above the limit.")
_SEATS = msg("Seats of a bus line that brings the community to its school in time; none where no ride is short enough.")

_CHECKS = (
    RuleCheck(
        "max_fill_share",
        ("school", "town"),
        msg("pupils per place"),
        (ROLL, PLACES, "units.*_pupils"),
        check_fill,
        "places",
        _PLACES,
    ),
    RuleCheck("nearly_full_from", ("school",), msg("pupils per place"), (ROLL, PLACES), check_fill, "places", _PLACES),
    RuleCheck("min_fill_share", ("school",), msg("pupils per place"), (ROLL, PLACES), check_fill),
    RuleCheck(
        "max_class_size",
        ("school",),
        msg("class size"),
        (ROLL, CLASSES, "assets.largest_class_pupils"),
        check_class_size,
        "classes",
        _CLASSES,
    ),
    RuleCheck(
        "large_class_from",
        ("school",),
        msg("class size"),
        (ROLL, CLASSES, "assets.largest_class_pupils"),
        check_class_size,
        "classes",
        _CLASSES,
    ),
    RuleCheck(
        "super_large_class_from",
        ("school",),
        msg("class size"),
        (ROLL, CLASSES, "assets.largest_class_pupils"),
        check_class_size,
        "classes",
        _CLASSES,
    ),
    RuleCheck(
        "max_large_class_share",
        ("county",),
        msg("share of large classes"),
        (ROLL, CLASSES),
        check_large_share,
        "classes",
        msg("Classes to open at the schools with large classes, those first that mend most by each new class."),
    ),
    RuleCheck(
        "max_super_large_class_share",
        ("county",),
        msg("share of super-large classes"),
        (ROLL, CLASSES),
        check_large_share,
        "classes",
        msg("As for large classes."),
    ),
    RuleCheck(
        "max_school_pupils",
        ("school",),
        msg("school size"),
        (ROLL, "assets.founded_year", "assets.migrant_pupils"),
        check_school_size,
        "places",
        _ELSEWHERE,
    ),
    RuleCheck(
        "max_classes",
        ("school",),
        msg("number of classes"),
        (CLASSES,),
        check_classes,
        "classes",
        msg("Classes that other schools would have to run."),
    ),
    RuleCheck("min_school_pupils", ("school",), msg("school size"), (ROLL,), check_school_size),
    RuleCheck(
        "max_beyond_share",
        ("school",),
        msg("share of pupils beyond the service radius"),
        ("units.setting", "travel.length_m"),
        check_beyond_share,
    ),
    RuleCheck(
        "service_radius",
        ("unit",),
        msg("way to school"),
        ("units.setting", "travel.length_m"),
        check_radius,
    ),
    RuleCheck(
        "max_travel_min",
        ("unit",),
        msg("travel time to school"),
        ("units.setting", "travel.time_min"),
        check_travel_time,
        "bus",
        _SEATS,
    ),
    RuleCheck(
        "max_detour_min",
        ("unit",),
        msg("extra minutes to the zone's school"),
        ("zones.school_id", "travel.time_min"),
        check_detour,
    ),
    RuleCheck(
        "site_area_per_pupil",
        ("school",),
        msg("site area per pupil"),
        (ROLL, "schools.site_area_m2"),
        check_land,
        "m2",
        msg("Square metres of site: pupils × limit, less the site there is."),
    ),
    RuleCheck(
        "urban_floor_area_per_pupil",
        ("school",),
        msg("floor area per pupil"),
        (ROLL, "schools.floor_area_m2"),
        check_land,
        "m2",
        msg("Square metres of floor: pupils × limit, less the floor there is."),
    ),
    RuleCheck(
        "max_storey_teaching_rooms",
        ("county",),
        msg("storeys of teaching rooms"),
        ("schools.storeys",),
        check_unmeasured,
    ),
    RuleCheck(
        "people_per_school",
        ("county", "town"),
        msg("inhabitants per school"),
        ("units.population_people", "units.town", "schools.town"),
        check_people_per_school,
    ),
    RuleCheck(
        "kindergarten_seats_per_1000",
        ("county", "town"),
        msg("places per 1,000 inhabitants"),
        ("units.population_people", PLACES),
        check_places_per_1000,
        "places",
        msg("Places: limit × inhabitants / 1,000, rounded up, less the places there are."),
    ),
)

_CLOSURES = tuple(
    RuleCheck(key, ("school",), title, data, check_closures, cure, cured, needs_closure=True)
    for key, title, data, cure, cured in (
        (
            "max_no_way_pupils",
            msg("pupils without an assured way to another school"),
            ("travel.time_min", "units.*_pupils"),
            "bus",
            msg("Seats that the bus lines of the plan lack; none where no other school can be reached."),
        ),
        (
            "max_no_bed_pupils",
            msg("pupils who must board and have no bed"),
            ("schools.boarding_places", "travel.time_min"),
            "boarding",
            msg("Beds at the receiving schools."),
        ),
        (
            "max_new_oversize_schools",
            msg("receiving schools that become oversize or get large classes"),
            (ROLL, CLASSES),
            "",
            NO_CURE,
        ),
        (
            "min_boarding_grade",
            msg("pupils below the lowest boarding grade who would have to board or ride"),
            ("travel.time_min", "rolls.grade"),
            "bus",
            msg("Seats that the bus lines of the plan lack."),
        ),
        (
            "min_bus_seats",
            msg("pupils on bus lines that lack seats"),
            ("travel.time_min",),
            "bus",
            msg("Seats that the bus lines of the plan lack."),
        ),
    )
)

_BALANCE = (
    *(
        RuleCheck(
            item.rule_key,
            ("school",),
            item.title,
            tuple(f"assets.{column}" for column in item.columns),
            check_assets,
            BALANCE_CURES.get(item.asset_unit, ""),
            msg("Assets: limit × pupils (per 100 where the limit is), less those there are, rounded up."),
            needs_balance=True,
        )
        for item in QUALITY_INDICATORS
    ),
    RuleCheck(
        "school_pass_rule",
        ("school",),
        msg("indicators met"),
        ("assets.*",),
        check_passes,
        needs_balance=True,
    ),
    RuleCheck(
        "between_school_cv_each_indicator",
        ("county",),
        msg("coefficient of variation between schools"),
        ("assets.*",),
        check_spread,
        needs_balance=True,
    ),
    *(
        RuleCheck(key, ("county",), title, data, check_items, needs_balance=True)
        for key, title, data in (
            (
                "music_art_rooms",
                msg("schools with enough music and art rooms"),
                ("assets.music_rooms", "assets.art_rooms"),
            ),
            ("training_360h_completion", msg("teachers trained"), ("assets.trained_teachers", "assets.staff_teachers")),
            ("teacher_rotation", msg("teachers rotated"), ("assets.rotated_teachers", "assets.eligible_teachers")),
            (
                "rotated_backbone_share",
                msg("backbone teachers among those rotated"),
                ("assets.rotated_backbone_teachers", "assets.rotated_teachers"),
            ),
            ("certified_teachers", msg("teachers with a certificate"), ("assets.certified_teachers",)),
            ("in_catchment_enrolment", msg("pupils from inside the catchment"), ("assets.in_zone_pupils", ROLL)),
        )
    ),
    RuleCheck(
        "composite_cv_2012",
        ("county",),
        msg("coefficient of variation between schools"),
        ("assets.*",),
        check_spread,
        needs_balance=True,
    ),
)

RULE_CHECKS: Mapping[str, RuleCheck] = MappingProxyType({item.key: item for item in (*_CHECKS, *_CLOSURES, *_BALANCE)})
"""Every check by its rule key."""

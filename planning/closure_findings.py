"""What the rules say about a closure, and what is not known: travel, boarding, buses, places, classes, sizes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from planning.closure_rides import round_seats
from planning.closure_tables import Leavers
from planning.flag_case import iterate_rows
from planning.rules import Rule
from planning.scenario import name_stage

FindingSeverity = Literal["block", "warn", "note", "evidence"]
_ORDER: tuple[FindingSeverity, ...] = ("block", "warn", "note", "evidence")
_LEAST_PUPILS = 0.01
"""Fewer modelled pupils than this are nobody: what is left of rounding."""


@dataclass(frozen=True)
class Finding:
    """One thing that a rule (``rule_id``; empty: the lack of a figure) says about a closure."""

    rule_id: str
    severity: FindingSeverity
    message: Message


def find_closure_findings(
    leavers: Leavers, what: str, name: str, roll: float, receivers: pd.DataFrame
) -> tuple[Finding, ...]:
    """Return what stands against a closure, what has to be done for it, and what is not known; gravest first."""
    found = [
        *_find_way(leavers),
        *_find_rides(leavers),
        *_find_boarding(leavers, receivers),
        *_find_lines(leavers, receivers),
        *_find_burdens(leavers, receivers),
        *_find_gaps(leavers, name, roll),
    ]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))


def _whole(pupils: float) -> int:
    """Return pupils of the model as whole ones, rounded up: part of a pupil needs a seat too."""
    return math.ceil(pupils - 1e-6) if pupils > _LEAST_PUPILS else 0


def _rule(leavers: Leavers, key: str, *, kind: str = "", setting: str = "") -> Rule | None:
    return leavers.rules.find(key, leavers.stage, kind=kind, setting=setting, year=leavers.year)


def _by_rule(rule: Rule | None, message: Message, severity: FindingSeverity | None = None) -> Finding:
    """Return a finding with the severity of its rule; without a rule it warns."""
    if rule is None:
        return Finding("", severity or "warn", message)
    return Finding(rule.id, severity or rule.severity, message)


def _find_way(leavers: Leavers) -> Iterator[Finding]:
    """Nobody may be left without a school."""
    lost = _whole(leavers.count((leavers.flows["school_id"] == "").to_numpy()))
    rule = _rule(leavers, "max_no_way_pupils")
    if lost > (rule.limit(leavers.stage) if rule else 0):
        yield _by_rule(rule, msg("{count:,} pupils would reach no other school at all.", count=lost))


def _find_rides(leavers: Leavers) -> Iterator[Finding]:
    """Who is beyond the limit, and what that means for low and upper grades."""
    rides = leavers.rides
    reached = (leavers.flows["school_id"] != "").to_numpy()
    limits = leavers.flows["limit_min"].to_numpy(dtype=float)[rides.beyond & reached]
    if not len(limits):
        return
    limit = float(np.nanmin(limits))
    travel = _rule(leavers, "max_travel_min", setting=str(leavers.flows["setting"][rides.beyond & reached].iloc[0]))
    boarding = _rule(leavers, "min_boarding_grade")
    grade = rides.boarding_grade or 0.0
    low = _whole(leavers.count(rides.no_board * rides.beyond, reached))
    if low:
        today = leavers.count(rides.no_board * rides.beyond_before, reached)
        yield _by_rule(
            travel,
            msg(
                "{count:,} pupils below grade {grade:.0f} would have more than {limit:g} minutes to school"
                " (of the pupils who leave, {today:,.0f} have so today).",
                count=low,
                grade=grade,
                limit=limit,
                today=today,
            ),
        )
    lost = _whole(leavers.count(rides.no_way, reached))
    if lost:
        said = msg(
            "{count:,} pupils below grade {grade:.0f} would have more than {limit:g} minutes by bus too, and must not"
            " board: the plan leaves them no lawful way.",
            count=lost,
            grade=grade,
            limit=limit,
        )
        yield _by_rule(boarding, said)
    riding = _whole(leavers.count(rides.must_ride, reached))
    if riding:
        said = msg(
            "{count:,} pupils below grade {grade:.0f} must not board, so they must ride: the plan has no bus line that"
            " brings them to school in {limit:g} minutes.",
            count=riding,
            grade=grade,
            limit=limit,
        )
        yield _by_rule(boarding, said, "warn")
    either = _whole(leavers.count(rides.ride_or_board, reached))
    if either:
        yield _tell_either(leavers, travel, either, limit)


def _tell_either(leavers: Leavers, travel: Rule | None, count: int, limit: float) -> Finding:
    """Return what is said of those who must ride or board.

    In primary school these are grades 4 to 6. The limit is laid down for grades 1 to 3, so it is not cited for them:
    that their way must be safe is.
    """
    safe = _rule(leavers, "max_no_way_pupils")
    if leavers.stage == "primary" and leavers.rides.boarding_grade and safe is not None:
        said = msg(
            "{count:,} pupils of the upper grades, who may board, must ride or board: they would have more than"
            " {limit:g} minutes. The limit is laid down for grades 1 to 3; this project holds it to the others too,"
            " because their way must be safe.",
            count=count,
            limit=limit,
        )
        return _by_rule(safe, said, "warn")
    said = msg(
        "{count:,} pupils who may board must ride or board: they would have more than {limit:g} minutes.",
        count=count,
        limit=limit,
    )
    return _by_rule(travel, said, "warn")


def _find_boarding(leavers: Leavers, receivers: pd.DataFrame) -> Iterator[Finding]:
    """Whether the receiving schools can house those who have to board."""
    rides, flows = leavers.rides, leavers.flows
    rule = _rule(leavers, "max_no_bed_pupils")
    boarders = 0
    for row in iterate_rows(receivers):
        here = (flows["school_id"] == row.school_id).to_numpy()
        wanted = _whole(leavers.count(rides.must_board, here))
        boarders += wanted
        about = {"school": row.name, "count": wanted}
        if wanted and math.isnan(row.beds):
            said = msg("{count:,} pupils would have to board at {school}; whether it has beds is not known.", **about)
            yield _by_rule(rule, said, "warn")
        elif wanted - row.beds > (rule.limit(leavers.stage) if rule else 0):
            said = msg(
                "{count:,} pupils would have to board at {school}, which has {beds:,.0f} beds.", **about, beds=row.beds
            )
            yield _by_rule(rule, said)
        elif wanted:
            said = msg(
                "{count:,} pupils would have to board at {school}, which has {beds:,.0f} beds; how many of them are in"
                " use today is not known.",
                **about,
                beds=row.beds,
            )
            yield _by_rule(rule, said, "note")
    rule = _rule(leavers, "min_boarding_grade")
    if boarders and rule is not None:
        said = msg("{count:,} pupils of primary grades would board; they should go by day in the main.", count=boarders)
        yield _by_rule(rule, said, "warn")


def _find_lines(leavers: Leavers, receivers: pd.DataFrame) -> Iterator[Finding]:
    """Whether the bus lines of the plan have seats for those who take them."""
    rule = _rule(leavers, "min_bus_seats")
    for row in iterate_rows(receivers):
        riders = _whole(row.bus_pupils)
        if not riders:
            continue
        seats = round_seats(leavers.rules, leavers.stage, riders, leavers.year)
        about = {"school": row.name, "count": riders, "needed": seats}
        if math.isnan(row.bus_seats):
            said = msg(
                "{count:,} pupils take the bus to {school}: {needed:,.0f} seats. How many its lines have is not said.",
                **about,
            )
            yield _by_rule(rule, said, "note")
        elif seats > row.bus_seats:
            said = msg(
                "{count:,} pupils take the bus to {school}: {needed:,.0f} seats. Its lines have {seats:,.0f}.",
                **about,
                seats=row.bus_seats,
            )
            yield _by_rule(rule, said, "warn")


def _find_burdens(leavers: Leavers, receivers: pd.DataFrame) -> Iterator[Finding]:
    """Places, class sizes and sizes of the receiving schools; what the closure makes too large counts against it."""
    burdens = []
    for row in iterate_rows(receivers):
        if row.pupils_added > _LEAST_PUPILS:
            then: Any = leavers.schools_after.loc[row.school_id]
            scope = {"kind": str(then["kind"]), "setting": str(then["setting"])}
            yield from _find_places(leavers, row, scope)
            burdens += [*_find_classes(leavers, row, scope), *_find_size(leavers, row, scope)]
    made = {burden.school_id for burden in burdens if burden.made}
    blocker = _rule(leavers, "max_new_oversize_schools")
    blocks = blocker is not None and len(made) > blocker.limit(leavers.stage)
    for burden in burdens:
        yield _by_rule(blocker if blocks and burden.made else burden.rule, burden.message, burden.severity)


@dataclass(frozen=True)
class _Burden:
    """A receiving school that becomes larger than a rule allows; ``made``: it was not before."""

    school_id: str
    rule: Rule
    message: Message
    made: bool = False
    severity: FindingSeverity | None = None


def _find_size(leavers: Leavers, row: Any, scope: dict[str, Any]) -> Iterator[_Burden]:
    """An oversize school that grows; nine- and twelve-year schools count two stages, by the roll where it is known."""
    rule = _rule(leavers, "max_school_pupils", **scope)
    was, size = (_count_size(schools, row.school_id) for schools in (leavers.schools_before, leavers.schools_after))
    if rule is None or not size > rule.limit(leavers.stage) or size <= was:
        return
    limit = rule.limit(leavers.stage)
    said = msg(
        "{school} would have {pupils:,.0f} pupils; the limit for a school of its kind is {limit:,.0f}.",
        school=row.name,
        pupils=size,
        limit=limit,
    )
    yield _Burden(row.school_id, rule, said, made=not was > limit)


def _count_size(schools: pd.DataFrame, school_id: str) -> float:
    """Return the pupils that count for the size of a school; NaN where it is not there."""
    if school_id not in schools.index:
        return math.nan
    row: Any = schools.loc[school_id]
    return float(row["modelled_pupils"] if pd.isna(row["size_pupils"]) else row["size_pupils"])


def _find_places(leavers: Leavers, row: Any, scope: dict[str, Any]) -> Iterator[Finding]:
    if math.isnan(row.places):
        yield Finding("", "note", msg("The places of {school} are not known.", school=row.name))
        return
    rule = _rule(leavers, "max_fill_share", **scope)
    on_roll = not math.isnan(row.roll_after)
    pupils, was = (row.roll_after, row.roll_before) if on_roll else (row.pupils_after, row.pupils_before)
    if rule is not None and pupils > row.places * rule.limit(leavers.stage) + 0.5 and not pupils <= was:
        said = msg(
            "{school} would have {pupils:,.0f} pupils for {places:,.0f} places: {short:,} short.",
            school=row.name,
            pupils=pupils,
            places=row.places,
            short=_whole(pupils - row.places * rule.limit(leavers.stage)),
        )
        yield _by_rule(rule, said)


def _find_classes(leavers: Leavers, row: Any, scope: dict[str, Any]) -> Iterator[_Burden]:
    """The gravest of super-large and large classes, and classes over the limit, that the closure makes worse.

    A receiving school that has room may open classes, so what counts against a closure is the class size with as many
    classes as its places are meant for; what needs only more classes is a warning.
    """
    size, was = row.class_pupils_after, row.class_pupils_before
    if math.isnan(size) or size <= was:
        return
    design = leavers.rules.limit("design_class_size", leavers.stage, year=leavers.year, **scope)
    room = math.floor(row.places / design + 1e-6) if design and not math.isnan(row.places) else 0
    could = max(row.classes, room)
    with_room = size * row.classes / could
    for key in ("super_large_class_from", "large_class_from", "max_class_size"):
        rule = _rule(leavers, key, **scope)
        if rule is None or not _breaks(rule, leavers.stage, size):
            continue
        said = _tell_classes(leavers, row, scope, could)
        if not _breaks(rule, leavers.stage, with_room):
            yield _Burden(row.school_id, rule, said, severity="warn")
        else:
            made = key != "max_class_size" and not _breaks(rule, leavers.stage, was)
            yield _Burden(row.school_id, rule, said, made=made)
        return


def _breaks(rule: Rule, stage: str, size: float) -> bool:
    """Tell whether a class size breaks its rule: ``<`` forbids the limit itself, ``<=`` does not."""
    return size >= rule.limit(stage) if rule.op == "<" else size > rule.limit(stage)


def _tell_classes(leavers: Leavers, row: Any, scope: dict[str, Any], could: float) -> Message:
    about = {"school": row.name, "size": row.class_pupils_after, "classes": row.classes}
    limit = leavers.rules.limit("max_class_size", leavers.stage, year=leavers.year, **scope)
    if limit is None:
        return msg("{school} would have {size:.1f} pupils in a class with its {classes:,.0f} classes.", **about)
    wanted = math.ceil(row.class_pupils_after * row.classes / limit - 1e-6)
    return msg(
        "{school} would have {size:.1f} pupils in a class with its {classes:,.0f} classes; to keep to {limit:g} it"
        " needs {wanted:,}, and its places are meant for {could:,.0f}.",
        **about,
        limit=limit,
        wanted=wanted,
        could=could,
    )


def _find_gaps(leavers: Leavers, name: str, roll: float) -> Iterator[Finding]:
    """What is not known, and what is taken instead."""
    flows, rides = leavers.flows, leavers.rides
    if flows.empty:
        if roll > 0:
            said = msg(
                "By the model nobody leaves {name}. Where the {roll:,.0f} pupils on its roll live is not known.",
                name=name,
                roll=roll,
            )
        else:
            said = msg("By the model nobody leaves {name}.", name=name)
        yield Finding("", "note", said)
        return
    if flows["pupils"].isna().any():
        yield Finding("", "note", msg("How many children live in some of the communities is not known."))
    if not rides.limit_known.any():
        said = msg(
            "The rulebook has no limit of travel time for this stage ({stage}): who would have to ride or board is not"
            " known.",
            stage=name_stage(leavers.stage),
        )
        yield Finding("", "note", said)
    if rides.beyond.any() and not rides.ride_known:
        yield Finding("", "note", msg("The study has no times by car, so it is not known how long a ride takes."))
    if not leavers.mix.known:
        said = msg("The roll of {name} does not tell its grades; grades of equal size are assumed.", name=name)
        yield Finding("", "note", said)

"""Checks of communities (planning units): time and metres to school, and the way past a nearer school."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from planning.actions import AddBusLine
from planning.check_case import (
    Block,
    Bools,
    CheckCase,
    Floats,
    Ints,
    Spoken,
    StageCase,
    Texts,
    build_block,
    ceil_amount,
    keeps,
    speak_for_settings,
)
from planning.projected_rolls import NEGLIGIBLE_SHARE, split_bands
from planning.rules import Rule
from planning.unit_flags import LEAST_PUPILS_TOLD

STAGE_GRADES = {
    "kindergarten": (1, 2, 3),
    "primary": (1, 2, 3, 4, 5, 6),
    "junior": (7, 8, 9),
    "senior": (10, 11, 12),
}
LOW_GRADES = (1, 2, 3)
BUS_FACTOR, BUS_WAIT_MIN = (
    float(item.default)  # type: ignore[arg-type]
    for item in fields(AddBusLine)
    if item.name in ("time_factor", "wait_min")
)


@dataclass(frozen=True, eq=False)
class _Ways:
    """Pairs of unit and school of one stage; ``pupils``: those of the grades concerned; NaN unknown."""

    pairs: pd.DataFrame
    pupils: Floats
    setting: Texts


def check_travel_time(case: CheckCase, key: str) -> Iterator[Block]:
    """Minutes to school of every community, by the mode of the scenario; the cure is a school bus where one helps."""
    for item in case.stages:
        for rules, ways in _list_grades(case, key, item):
            values = ways.pairs["time_min"].to_numpy(dtype=np.float64)
            yield from _judge_units(case, item, (key, rules), ways, values, missing="travel.time_min")


def check_radius(case: CheckCase, key: str) -> Iterator[Block]:
    """Metres along the roads to school of every community."""
    for item in case.stages:
        for rules, ways in _list_grades(case, key, item):
            values = ways.pairs["length_m"].to_numpy(dtype=np.float64)
            yield from _judge_units(case, item, (key, rules), ways, values, missing="travel.length_m")


def check_detour(case: CheckCase, key: str) -> Iterator[Block]:
    """Minutes to the school of the zone beyond those to the nearest one; only where zones say who goes where."""
    if case.outcome.scenario.enrolment != "zones":
        return
    for item in case.stages:
        units = item.tables.units
        rows = units[(units["origin"] == "zone") & ~(units["pupils"] < LEAST_PUPILS_TOLD)]
        extra = (rows["time_min"] - rows["nearest_time_min"]).to_numpy(dtype=np.float64)
        spoken = speak_for_settings(case, key, item.stage, rows["setting"].astype(str).tolist())
        about = (rows["unit_id"].to_numpy(dtype=object), rows["name"].to_numpy(dtype=object))
        pupils = rows["pupils"].to_numpy(dtype=np.float64)
        yield build_block(spoken, item.stage, "unit", about, extra, missing="travel.time_min", pupils=pupils)


def _list_grades(case: CheckCase, key: str, item: StageCase) -> Iterator[tuple[tuple[int | None, ...], _Ways]]:
    """Return grades of the stage for which the same rules speak in every setting, each with its ways."""
    if not item.tables.modelled or item.tables.pairs.empty:
        return
    pairs = item.tables.pairs
    schools = item.schools.set_index("school_id")["setting"]
    there = schools.reindex(pairs["school_id"]).fillna("").to_numpy(dtype=object)
    own = pairs["setting"].fillna("").to_numpy(dtype=object)
    setting = np.where(own == "", there, own)
    names = sorted({str(name) for name in setting})
    groups: dict[tuple[Rule, ...], list[int]] = {}
    for grade in STAGE_GRADES[item.stage]:
        found = (case.rules.find(key, item.stage, setting=name, year=case.year, grade=grade) for name in names)
        groups.setdefault(tuple(rule for rule in found if rule is not None), []).append(grade)
    for rules, grades in groups.items():
        if rules or _list_set_rules(case, key, item.stage):
            pupils = pairs["pupils"].to_numpy(dtype=np.float64) * _share_of_grades(case, item, tuple(grades))
            yield tuple(grades), _Ways(pairs, pupils, setting)


def _share_of_grades(case: CheckCase, item: StageCase, grades: tuple[int, ...]) -> Floats:
    """Return which share of the pupils of each pair is in ``grades``; low grades are at teaching points first."""
    if set(grades) == set(STAGE_GRADES[item.stage]):
        return np.ones(len(item.tables.pairs))
    if item.stage != "primary":
        return np.full(len(item.tables.pairs), len(grades) / len(STAGE_GRADES[item.stage]))
    points = dict(zip(item.schools["school_id"], item.schools["low_only"].astype(bool), strict=True))
    split = split_bands(item.tables.pairs, points, case.outcome.scenario.low_grade_share)
    low, upper = (split[name].to_numpy(dtype=np.float64) for name in ("low_share", "upper_share"))
    part_low = len([grade for grade in grades if grade in LOW_GRADES]) / len(LOW_GRADES)
    part_upper = len([grade for grade in grades if grade not in LOW_GRADES]) / len(LOW_GRADES)
    share = low + upper
    part: Floats = np.divide(low * part_low + upper * part_upper, share, out=np.zeros(len(share)), where=share > 0)
    return part


def _judge_units(
    case: CheckCase,
    item: StageCase,
    asked: tuple[str, tuple[int | None, ...]],
    ways: _Ways,
    values: Floats,
    *,
    missing: str,
) -> Iterator[Block]:
    """Return one row per community and rule: the worst of its ways decides."""
    key, grades = asked
    spoken = speak_for_settings(case, key, item.stage, ways.setting.tolist(), grade=grades[0])
    pairs = ways.pairs
    there = ~(ways.pupils < NEGLIGIBLE_SHARE) & ~(pairs["pupils"].to_numpy(dtype=np.float64) < LEAST_PUPILS_TOLD)
    unreached = (pairs["school_id"] == "").to_numpy(dtype=bool)
    unset = (spoken.at < 0) & (ways.setting == "") & bool(_list_set_rules(case, key, item.stage))
    worst = _pick_worst(pairs, spoken, values, unreached, there & ((spoken.at >= 0) | unset))
    blank = worst[unset[worst]]
    if len(blank):
        yield _tell_unset(case, key, item.stage, pairs, blank, ways.pupils)
    worst = worst[~unset[worst]]
    chosen = Spoken(spoken.rules, *(part[worst] for part in (spoken.at, spoken.limit, spoken.eased, spoken.asked)))
    measured = np.where(unreached[worst], np.nan, values[worst])
    pupils = _sum_by_unit(pairs, ways.pupils, there)
    ids = pairs["unit_id"].to_numpy(dtype=object)[worst]
    block = build_block(
        chosen,
        item.stage,
        "unit",
        (ids, pairs["name"].to_numpy(dtype=object)[worst]),
        measured,
        missing=missing,
        cure="bus",
        cure_amount=_count_seats(case, item, worst, chosen, ways) if key == "max_travel_min" else None,
        pupils=pupils.reindex(ids).to_numpy(dtype=np.float64),
        detail=np.where(unreached[worst], "unreached", _name_grades(grades, item.stage)).astype(object),
    )
    lost = block["detail"] == "unreached"
    block["status"] = np.where(lost, "failed", block["status"])
    block["missing"] = np.where(lost, "", block["missing"])
    yield block


def _name_grades(grades: tuple[int | None, ...], stage: str) -> str:
    """Return the grades that a row is about, ``;``-joined; empty for all of the stage."""
    return "" if set(grades) == set(STAGE_GRADES[stage]) else "grades " + ";".join(str(grade) for grade in grades)


def _pick_worst(pairs: pd.DataFrame, spoken: Spoken, values: Floats, unreached: Bools, rows: Bools) -> Ints:
    """Return one pair per unit and rule: no way at all, then what is farthest beyond its limit, then the unknown."""
    at = np.flatnonzero(rows)
    excess = np.where(np.isfinite(values), values - np.nan_to_num(spoken.limit), -np.inf)[at]
    excess = np.where(unreached[at], np.inf, excess)
    broken = excess > 0
    unknown = ~np.isfinite(values[at]) & ~unreached[at]
    rank = np.where(broken, 2, np.where(unknown, 1, 0))
    units = pd.factorize(pairs["unit_id"].to_numpy(dtype=object)[at], sort=True)[0]
    order = np.lexsort((-excess, -rank, spoken.at[at], units))
    first = np.ones(len(order), dtype=bool)
    same = (units[order][1:] == units[order][:-1]) & (spoken.at[at][order][1:] == spoken.at[at][order][:-1])
    first[1:] = ~same
    return np.asarray(at[order][first], dtype=np.int64)


def _sum_by_unit(pairs: pd.DataFrame, pupils: Floats, rows: Bools) -> pd.Series[float]:
    table = pd.DataFrame({"unit_id": pairs["unit_id"].to_numpy(dtype=object)[rows], "pupils": pupils[rows]})
    return table.groupby("unit_id")["pupils"].sum(min_count=1)


def _tell_unset(case: CheckCase, key: str, stage: str, pairs: pd.DataFrame, rows: Ints, pupils: Floats) -> Block:
    """Return rows of communities whose setting is not known, so that nobody can say which limit holds."""
    rule = _list_set_rules(case, key, stage)[0]
    size = len(rows)
    none = np.full(size, np.nan)
    spoken = Spoken((rule,), np.zeros(size, dtype=np.int64), none, none, np.full(size, "", dtype=object))
    about = (pairs["unit_id"].to_numpy(dtype=object)[rows], pairs["name"].to_numpy(dtype=object)[rows])
    return build_block(
        spoken, stage, "unit", about, np.full(size, np.nan), missing="units.setting", pupils=pupils[rows]
    )


def _list_set_rules(case: CheckCase, key: str, stage: str) -> list[Rule]:
    """Return the rules of a key that speak about the stage in some setting."""
    found = [rule for rule in case.rules.rules if rule.enabled and rule.key == key and rule.setting]
    return [rule for rule in found if rule.applies(stage, setting=rule.setting[0], year=case.year)]


def _count_seats(case: CheckCase, item: StageCase, rows: Ints, spoken: Spoken, ways: _Ways) -> Floats:
    """Return the seats of a bus line that would bring a community to its school in time; NaN where none would.

    The ride is that of ``AddBusLine`` with its usual figures; one vehicle has at least the seats of the smallest bus.
    """
    matrix = case.study.travel.get("drive")
    seats = np.full(len(rows), np.nan)
    if matrix is None:
        return seats
    unit_ids, school_ids = (ways.pairs[name].to_numpy(dtype=object)[rows] for name in ("unit_id", "school_id"))
    row = pd.Index(matrix.unit_ids).get_indexer(pd.Index(unit_ids))
    column = pd.Index(matrix.destination_ids).get_indexer(pd.Index(school_ids))
    known = (row >= 0) & (column >= 0)
    ride = np.where(known, matrix.time_min[row, column].astype(np.float64), np.nan) * BUS_FACTOR + BUS_WAIT_MIN
    pupils = ways.pairs["pupils"].to_numpy(dtype=np.float64)[rows]
    least = case.rules.limit("min_bus_seats", item.stage, year=case.year) or 0.0
    helped = keeps(spoken, ride) & np.isfinite(ride) & (pupils > 0)
    seats[helped] = np.maximum(ceil_amount(pupils[helped]), least)
    return seats

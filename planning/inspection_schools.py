"""Inspection items that every school must meet: special rooms (G3), size (G4), class size (G5), small schools (G6)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from planning.balance_rules import find_rule, read_limit, read_param
from planning.balance_spread import meets
from planning.balance_tables import BALANCE_STAGES, NO, UNKNOWN, YES
from planning.inspection_facts import Finding, InspectionFacts, Tally
from planning.rules import Rule
from planning.tables import choose_year

MOST_NAMES = 8
CLASSES_PER_ROOM = 12.0


def name_schools(facts: InspectionFacts, ids: Sequence[str]) -> tuple[object, ...]:
    """Return the names of schools for a sentence: the first eight, and how many more."""
    names = facts.parts.drop_duplicates("school_id").set_index("school_id")["name"]
    found: list[object] = [str(names.get(key, key)) for key in ids[:MOST_NAMES]]
    if len(ids) > MOST_NAMES:
        found.append(msg("{count} more", count=len(ids) - MOST_NAMES))
    return tuple(found)


def tell_tally(facts: InspectionFacts, tally: Tally) -> Message | None:
    """Return which schools fail, and how many are not known."""
    failing = tally.list_failing()
    unknown = list(tally.met.values()).count(UNKNOWN)
    if failing and unknown:
        return msg(
            "Not met: {schools}. Not known: {unknown} of {count} schools.",
            schools=name_schools(facts, failing),
            unknown=unknown,
            count=len(tally.met),
        )
    if failing:
        return msg("Not met: {schools}.", schools=name_schools(facts, failing))
    if unknown:
        return msg("Not known: {unknown} of {count} schools.", unknown=unknown, count=len(tally.met))
    return None


def judge_special_rooms(facts: InspectionFacts) -> list[Finding]:
    """G3: a music and an art room for every twelve classes begun, large enough for the year of the school."""
    if find_rule(facts.rules, "music_art_rooms", year=facts.year) is None:
        return [Finding()]
    met: dict[str, str] = {}
    missing: set[str] = set()
    apart = 0
    for key, school in facts.whole_schools.iterrows():
        known = {name: _number(school[name]) for name in ("founded_year", "largest_class_pupils")}
        rule = find_rule(facts.rules, "music_art_rooms", setting=str(school["setting"]), year=facts.year, facts=known)
        if rule is None or rule.params.get("judged_apart"):
            apart += 1
            continue
        met[str(key)], lacking = judge_rooms_of(school, rule)
        missing |= lacking if met[str(key)] == UNKNOWN else set()
    tally = Tally(met)
    note = tell_tally(facts, tally)
    if apart:
        aside = msg("{count} small rural schools with classes below 30 are judged by themselves.", count=apart)
        note = aside if note is None else msg("{first} {second}", first=note, second=aside)
    return [Finding(tally.verdict, tally.share, missing=tuple(sorted(missing)), note=note, limit=1.0)]


def judge_rooms_of(school: pd.Series, rule: Rule) -> tuple[str, set[str]]:
    """Return yes, no or unknown for one school, and the columns that are lacking.

    Parameters
    ----------
    school
        ``classes``, ``music_rooms``, ``smallest_music_m2``, and the same for art; NaN where not known.
    rule
        As it holds for the school; exceptions that are left could lower the areas.
    """
    classes = _number(school["classes"])
    words, lacking = [], set()
    needed = math.ceil(classes / read_param(rule, "per_classes", CLASSES_PER_ROOM) - 1e-9) if classes > 0 else np.nan
    if math.isnan(needed):
        lacking.add("rolls.classes")
    for name in ("music", "art"):
        rooms, area = _number(school[f"{name}_rooms"]), _number(school[f"smallest_{name}_m2"])
        words.append(meets(rooms, needed, ">="))
        lacking |= {f"assets.{name}_rooms"} if math.isnan(rooms) else set()
        if rooms == 0:
            continue  # no room: nothing to measure
        strict = read_param(rule, f"{name}_m2", float("nan"))
        loose = min([strict, *(_number(item.params.get(f"{name}_m2", strict)) for item in rule.exceptions)])
        word = meets(area, strict, ">=")
        if word == NO and meets(area, loose, ">=") == YES:
            word = UNKNOWN
            lacking.add("assets.founded_year")
        elif math.isnan(area):
            lacking.add(f"assets.smallest_{name}_m2")
        words.append(word)
    return (NO if NO in words else UNKNOWN if UNKNOWN in words else YES), lacking


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float | np.number) else float("nan")


def judge_sizes(facts: InspectionFacts) -> list[Finding]:
    """G4: no school over its size, by kind, with the relaxations for old schools and migrants' children."""
    met: dict[str, str] = {}
    missing: set[str] = set()
    largest = float("nan")
    for key, school in facts.whole_schools.iterrows():
        kind = str(school["kind"])
        stage = "primary" if "primary" in str(school["stages"]) else "junior"
        both = "school_pupils" if kind == "nine_year" else "pupils"  # also of a stage without a roll: then not known
        pupils, migrants = _number(school[both]), _number(school["migrant_pupils"])
        known = {
            "founded_year": _number(school["founded_year"]),
            "migrant_share": migrants / pupils if pupils > 0 and not facts.pupils_moved else float("nan"),
            "ownership": str(school["ownership"]),
        }
        scope = {"kind": kind, "setting": str(school["setting"]), "year": facts.year}
        rule = find_rule(facts.rules, "max_school_pupils", stage, **scope, facts=known)
        word = meets(pupils, read_limit(rule, stage))
        if word == NO and rule is not None:
            loosest = max([read_limit(rule, stage), *_list_looser(facts, rule, kind, stage)])
            word = UNKNOWN if pupils <= loosest else NO
            missing |= {f"assets.{name}" for name in ("founded_year", "migrant_pupils")} if rule.exceptions else set()
        if math.isnan(pupils):
            missing.add("rolls.pupils")
        met[str(key)] = word
        largest = float(np.fmax(largest, pupils))
    tally = Tally(met)
    return [Finding(tally.verdict, largest, missing=tuple(sorted(missing)), note=tell_tally(facts, tally))]


def _list_looser(facts: InspectionFacts, rule: Rule, kind: str, stage: str) -> list[float]:
    """Return limits that may hold instead: exceptions that nothing decides, and unverified rules for the kind."""
    open_limits = [float(value) for item in rule.exceptions for value in item.value.values()]
    silent = [
        read_limit(other, stage)
        for other in facts.rules.rules
        if other.key == rule.key and not other.enabled and kind in other.kind and stage in other.value
    ]
    return [*open_limits, *silent]


def judge_class_sizes(facts: InspectionFacts) -> list[Finding]:
    """G5: every class within the cap. An average above it proves that a class is; one below it proves nothing."""
    found = []
    for stage in BALANCE_STAGES:
        parts = facts.parts[facts.parts["stage"] == stage]
        if parts.empty:
            continue
        rule = find_rule(facts.rules, "max_class_size", stage, year=facts.year)
        limit = read_limit(rule, stage)
        largest = parts["largest_class_pupils"].to_numpy(dtype=np.float64)
        mean = np.fmax(parts["mean_class_pupils"].to_numpy(dtype=np.float64), _find_worst_grades(facts, stage, parts))
        if facts.pupils_moved:  # classes counted before the pupils moved say nothing about those after
            largest = np.full(len(parts), np.nan)
        words = [_judge_class(big, average, limit) for big, average in zip(largest, mean, strict=True)]
        tally = Tally(dict(zip(parts["school_id"], words, strict=True)))
        unknown = tally.verdict == UNKNOWN or UNKNOWN in tally.met.values()
        note = _tell_class_sizes(facts, tally, averages=bool(np.isnan(largest).any()))
        known = largest[~np.isnan(largest)]
        value = float(known.max()) if len(known) else float(np.nanmax(mean)) if np.isfinite(mean).any() else np.nan
        missing = ("assets.largest_class_pupils",) if unknown else ()
        found.append(Finding(tally.verdict, float(value), stage, missing, note, limit))
    return found


def _judge_class(largest: float, mean: float, limit: float) -> str:
    if not math.isnan(largest):
        return meets(max(largest, 0.0), limit)
    return NO if meets(mean, limit) == NO else UNKNOWN


def _find_worst_grades(facts: InspectionFacts, stage: str, parts: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Return the largest average class of any grade by school; NaN where the rolls do not count classes by grade."""
    rolls = facts.study.rolls
    if facts.pupils_moved:
        return np.full(len(parts), np.nan)
    year = choose_year(rolls, stage, facts.year)
    rows = rolls[(rolls["stage"] == stage) & (rolls["year"] == year) & (rolls["grade"] > 0) & (rolls["classes"] > 0)]
    worst = (rows["pupils"] / rows["classes"]).groupby(rows["school_id"]).max()
    return worst.reindex(parts["school_id"]).to_numpy(dtype=np.float64)


def _tell_class_sizes(facts: InspectionFacts, tally: Tally, *, averages: bool) -> Message | None:
    note = tell_tally(facts, tally)
    if not averages:
        return note
    honest = msg(
        "Where the largest class is not given, the average of a school or grade stands in: above the cap it proves that"
        " a class is over, below it proves nothing."
    )
    return honest if note is None else msg("{first} {second}", first=note, second=honest)


def tell_small_schools(facts: InspectionFacts) -> list[Finding]:
    """G6: data can say which schools are small, not how they are funded."""
    rule = find_rule(facts.rules, "small_school_funding_floor", year=facts.year)
    floor = read_limit(rule)
    schools = facts.whole_schools
    small = schools[schools["pupils"] < floor]
    if math.isnan(floor):
        return [Finding()]
    note = msg(
        "{count} schools have fewer than {floor:,.0f} pupils: {schools}.",
        count=len(small),
        floor=floor,
        schools=name_schools(facts, list(small.index)),
    )
    return [Finding(note=note if len(small) else msg("No school has fewer than {floor:,.0f} pupils.", floor=floor))]

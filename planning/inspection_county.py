"""Inspection items of the county: resource rules, teachers (G9, G11, G12), catchments (G13), migrants (G15)."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from planning.balance_rules import find_rule, read_limit
from planning.balance_spread import meets
from planning.balance_tables import BALANCE_STAGES, COMPOSITE, FAILED, NO, PASSED, UNKNOWN, YES
from planning.balance_values import list_records
from planning.inspection_facts import Finding, InspectionFacts
from planning.inspection_schools import name_schools
from planning.tables import choose_year

CIRCULAR_METHODS = ("zones", "zoning")
"""Methods of enrolment that send every child to the school of its zone: they cannot tell who goes elsewhere."""


def judge_all_schools(facts: InspectionFacts) -> list[Finding]:
    """R-school: every school part meets six of seven, the others 85 %; by stage."""
    found = []
    for stage in BALANCE_STAGES:
        rows = facts.schools[facts.schools["stage"] == stage]
        if rows.empty:
            continue
        words = list(rows["status"])
        met = NO if FAILED in words else UNKNOWN if UNKNOWN in words else YES
        known = len(words) - words.count(UNKNOWN)
        share = words.count(PASSED) / len(words) if known == len(words) else float("nan")
        failing = list(rows.loc[rows["status"] == FAILED, "school_id"])
        note = msg(
            "{passed} of {count} meet it, {failed} do not, {unknown} are not known.",
            passed=words.count(PASSED),
            count=len(words),
            failed=words.count(FAILED),
            unknown=words.count(UNKNOWN),
        )
        if failing:
            note = msg("{first} Not met: {schools}.", first=note, schools=name_schools(facts, failing))
        found.append(Finding(met, share, stage, _list_missing(facts, stage), note, 1.0))
    return found


def _list_missing(facts: InspectionFacts, stage: str) -> tuple[str, ...]:
    rows = facts.indicators[facts.indicators["stage"] == stage]
    return tuple(sorted({name for text in rows["missing"] for name in str(text).split(";") if name}))


def judge_spreads(facts: InspectionFacts) -> list[Finding]:
    """R-CV: the coefficient of each of the seven within its limit; by stage. The value is the largest."""
    return [_judge_spread(facts, stage) for stage in BALANCE_STAGES if (facts.spread["stage"] == stage).any()]


def _judge_spread(facts: InspectionFacts, stage: str) -> Finding:
    rows = facts.spread[facts.spread["stage"] == stage]
    words = list(rows["met"])
    met = NO if NO in words else UNKNOWN if UNKNOWN in words else YES
    flips = int(rows["flips"].sum())
    note = msg(
        "{met} of {count} indicators are within the limit, {unknown} are not known.",
        met=words.count(YES),
        count=len(words),
        unknown=words.count(UNKNOWN),
    )
    if flips:
        note = msg(
            "{first} For {count} of them the unweighted coefficient says the opposite: the official one is weighted by"
            " pupils.",
            first=note,
            count=flips,
        )
    limits = rows["limit"].dropna()
    limit = float(limits.iloc[0]) if len(limits) else float("nan")
    gaps = int(rows["schools_unknown"].max())
    if met == YES and gaps:
        met, note = UNKNOWN, _doubt_spread(note, gaps)
    return Finding(met, float(rows["cv"].max()), stage, _list_missing(facts, stage), note, limit)


def _doubt_spread(note: Message | None, gaps: int) -> Message:
    """Say that schools without a value may lie far from the others: a coefficient of the rest proves no balance."""
    doubt = msg("{count} schools have no value, which could raise it.", count=gaps)
    return doubt if note is None else msg("{first} {second}", first=note, second=doubt)


def judge_composites(facts: InspectionFacts) -> list[Finding]:
    """B3: the mean of the eight coefficients, by stage."""
    found = []
    for row in list_records(facts.spread[facts.spread["indicator"] == COMPOSITE]):
        met, stage, gaps = str(row["met"]), str(row["stage"]), int(row["schools_unknown"])
        note = msg("The unweighted coefficient says the opposite.") if row["flips"] else None
        if met == YES and gaps:
            met, note = UNKNOWN, _doubt_spread(note, gaps)
        found.append(Finding(met, float(row["cv"]), stage, _list_missing(facts, stage), note, float(row["limit"])))
    return found


def judge_training(facts: InspectionFacts) -> list[Finding]:
    """G9: teachers who completed their training, of all."""
    return [_judge_ratio(facts, "trained_teachers", "staff_teachers", "training_360h_completion")]


def judge_certificates(facts: InspectionFacts) -> list[Finding]:
    """G12: teachers with a certificate, of all."""
    return [_judge_ratio(facts, "certified_teachers", "staff_teachers", "certified_teachers")]


def judge_rotation(facts: InspectionFacts) -> list[Finding]:
    """G11: of the teachers who are due, those who rotated this year."""
    return [_judge_ratio(facts, "rotated_teachers", "eligible_teachers", "teacher_rotation")]


def judge_backbone_rotation(facts: InspectionFacts) -> list[Finding]:
    """G11: of those who rotated, backbone teachers."""
    found = _judge_ratio(facts, "rotated_backbone_teachers", "rotated_teachers", "rotated_backbone_share")
    return [found]


def read_share_limit(facts: InspectionFacts, key: str, param: str = "", stage: str = "all") -> float:
    """Return the limit of an item: that of its rule, or a number of the rule's parameters."""
    rule = find_rule(facts.rules, key, stage, year=facts.year)
    if rule is None:
        return float("nan")
    if param:
        found = rule.params.get(param, rule.value.get(param))
        return float(found) if isinstance(found, int | float) else read_limit(rule, stage)
    return read_limit(rule, stage)


def _judge_ratio(facts: InspectionFacts, top: str, bottom: str, key: str, *, param: str = "") -> Finding:
    """Return the share of the county, over the schools where both are known; decided only where all are known.

    For a limit of 100 % one school below it decides too.
    """
    limit = read_share_limit(facts, key, param)
    totals = facts.totals[facts.totals.index.isin(set(facts.parts["school_id"]))]
    totals = totals.reindex(sorted(set(facts.parts["school_id"])))
    known = totals[top].notna() & totals[bottom].notna()
    missing = tuple(f"assets.{name}" for name in (top, bottom) if totals[name].isna().any())
    whole = float(totals.loc[known, bottom].sum())
    if not known.any() or whole <= 0:
        return Finding(missing=missing, limit=limit)
    share = float(totals.loc[known, top].sum()) / whole
    word = meets(share, limit, ">=")
    if not known.all():
        word = NO if limit >= 1.0 and word == NO else UNKNOWN
        note = msg("{known} of {count} schools give their numbers.", known=int(known.sum()), count=len(totals))
        return Finding(word, share, missing=missing, note=note, limit=limit)
    return Finding(word, share, limit=limit)


def judge_migrants(facts: InspectionFacts) -> list[Finding]:
    """G15: migrants' children in public schools. Places bought in private ones are not known: a lower bound."""
    limit = read_share_limit(facts, "migrant_children_public_places")
    schools = facts.parts.drop_duplicates("school_id").set_index("school_id")
    counts = facts.totals["migrant_pupils"].reindex(schools.index)
    if facts.pupils_moved:  # who they were before the pupils moved does not say who goes where after
        return [Finding(missing=("assets.migrant_pupils",), limit=limit)]
    if counts.isna().any() or not float(counts.sum()) > 0:
        lacking = counts.isna().any()
        note = None if lacking else msg("No school counts children of migrant workers.")
        return [Finding(missing=("assets.migrant_pupils",) if lacking else (), note=note, limit=limit)]
    public = float(counts[(schools["ownership"] == "public").to_numpy()].sum()) / float(counts.sum())
    word = meets(public, limit, ">=")
    if word == YES:
        return [Finding(YES, public, limit=limit)]
    note = msg(
        "Public schools alone: {share:.1%}. Places bought in private schools count too, and are not known.",
        share=public,
    )
    return [Finding(UNKNOWN, public, note=note, limit=limit)]


def judge_catchments(facts: InspectionFacts) -> list[Finding]:
    """G13: pupils whose address lies in the catchment of their school; urban and town public day schools, by stage.

    By ``assets.in_zone_pupils`` where every school gives it. Else by the zones of the study: with an outcome whose
    method lets families go elsewhere, the share of the modelled pupils in their own zone; without one an upper bound,
    since a school cannot have more pupils from its zone than children live there.
    """
    stages = [stage for stage in BALANCE_STAGES if (facts.parts["stage"] == stage).any()]
    return [_doubt_settings(facts, _judge_catchment(facts, stage)) for stage in stages]


def _doubt_settings(facts: InspectionFacts, found: Finding) -> Finding:
    """Take back a ``yes`` where public schools may be urban: their setting is not known."""
    parts = facts.parts[(facts.parts["stage"] == found.stage) & (facts.parts["ownership"] != "private")]
    blank = int((parts["setting"] == "").sum())
    if found.met != YES or not blank:
        return found
    note = msg("Whether {count} public schools are urban is not known: they may have to count.", count=blank)
    joined = note if found.note is None else msg("{first} {second}", first=found.note, second=note)
    return replace(found, met=UNKNOWN, missing=("schools.setting",), note=joined)


def _judge_catchment(facts: InspectionFacts, stage: str) -> Finding:
    limit = read_share_limit(facts, "in_catchment_enrolment", stage=stage)
    parts = list_day_schools(facts, stage)
    if parts.empty:
        note = msg("No public day school in a city or town, as far as the settings of schools are known.")
        return Finding(stage=stage, missing=("schools.setting",), note=note, limit=limit)
    inside = parts["in_zone_pupils"].to_numpy(dtype=np.float64)
    if not np.isnan(inside).any() and not facts.pupils_moved:
        share = float(inside.sum() / parts["pupils"].sum())
        return Finding(meets(share, limit, ">="), share, stage, note=msg("Counted by address, by school."), limit=limit)
    modelled = _model_share(facts, stage, set(parts["school_id"]))
    if not math.isnan(modelled):
        note = msg("By the zones and the model of where pupils go: not counted by address.")
        return Finding(meets(modelled, limit, ">="), modelled, stage, note=note, limit=limit)
    bound = _bound_share(facts, stage, parts)
    missing = ("assets.in_zone_pupils",)
    if math.isnan(bound):
        return Finding(stage=stage, missing=(*missing, "zones.school_id"), limit=limit)
    note = msg(
        "At most {share:.1%}: no school can have more pupils from its zone than children live there. By the zones and"
        " the rolls, not by address.",
        share=bound,
    )
    return Finding(NO if meets(bound, limit, ">=") == NO else UNKNOWN, bound, stage, missing, note, limit)


def list_day_schools(facts: InspectionFacts, stage: str) -> pd.DataFrame:
    """Return the parts that G13 is about: public, in a city or town, without beds. Blank ownership counts as public."""
    parts = facts.parts[facts.parts["stage"] == stage]
    beds = facts.study.schools.drop_duplicates("school_id").set_index("school_id")["boarding_places"]
    beds = pd.to_numeric(beds, errors="coerce").reindex(parts["school_id"]).fillna(0.0).to_numpy(dtype=np.float64)
    near = parts["setting"].isin(("urban", "town")).to_numpy() & (parts["ownership"] != "private").to_numpy()
    day: pd.DataFrame = parts.loc[near & (beds <= 0)]
    return day


def _model_share(facts: InspectionFacts, stage: str, school_ids: set[str]) -> float:
    """Return the share of modelled pupils in their own zone; NaN without zones, or where the model starts from them."""
    outcome = facts.outcome
    zones = facts.study.zones[facts.study.zones["stage"] == stage]
    if outcome is None or outcome.scenario.enrolment in CIRCULAR_METHODS or zones.empty or outcome.before is not None:
        return float("nan")
    tables = [item for item in outcome.stages if item.stage == stage and item.modelled]
    if not tables:
        return float("nan")
    pairs = tables[0].pairs
    pairs = pairs[pairs["school_id"].isin(school_ids) & (pairs["pupils"] > 0)]
    own = set(zip(zones["unit_id"], zones["school_id"], strict=True))
    inside = [pair in own for pair in zip(pairs["unit_id"], pairs["school_id"], strict=True)]
    total = float(pairs["pupils"].sum())
    return float(pairs.loc[inside, "pupils"].sum()) / total if total > 0 else float("nan")


def _bound_share(facts: InspectionFacts, stage: str, parts: pd.DataFrame) -> float:
    """Return Σ min(roll, children in the zone) / Σ roll: an upper bound of the share; NaN without zones.

    Where it is not known how many live in a zone, or a school has none, its whole roll may be from there.
    """
    zones = facts.study.zones[facts.study.zones["stage"] == stage]
    column = f"{stage}_pupils"
    units = facts.study.units
    if zones.empty or facts.pupils_moved or column not in units.columns or units[column].isna().all():
        return float("nan")
    children = pd.Series(units[column].to_numpy(dtype=np.float64), index=units["unit_id"])
    living = children.reindex(zones["unit_id"]).fillna(np.inf).groupby(zones["school_id"].to_numpy()).sum()
    here = living.reindex(parts["school_id"]).fillna(np.inf).to_numpy()
    rolls = parts["pupils"].to_numpy(dtype=np.float64)
    return float(np.minimum(here, rolls).sum() / rolls.sum())


def tell_retention(facts: InspectionFacts) -> list[Finding]:
    """Q1: the rolls show what is left of a cohort, not who moved away: for orientation only."""
    rolls = facts.study.rolls
    year = choose_year(rolls, "junior", facts.year)
    rows = rolls[(rolls["stage"] == "junior") & rolls["grade"].isin((7, 9))]
    now = rows[(rows["year"] == year) & (rows["grade"] == 9)]["pupils"].sum(min_count=1)
    then = rows[(rows["year"] == (year or 0) - 2) & (rows["grade"] == 7)]["pupils"].sum(min_count=1)
    if year is None or not (now > 0 and then > 0):
        return [Finding()]
    note = msg(
        "For orientation: {now:,.0f} pupils in grade 9 of {year}, {then:,.0f} in grade 7 two years before"
        " ({share:.1%}). Transfers and deaths are not in the rolls.",
        now=float(now),
        year=str(year),
        then=float(then),
        share=float(now) / float(then),
    )
    return [Finding(note=note)]

"""Siting rules on measured distances: what a site keeps clear of, by clause, and candidates as sites of a study.

What the rules of the chapter on siting ask, and how it is judged here:

- A distance (S1, S2): the place must be so far from the line as drawn. The rule speaks of the windowed wall of the
  teaching rooms to the track or road: this is not known before a school is drawn, so the place stands for the wall.
- Hazard zones (S5): the place must not lie within an area of the kind. A fault or a cave drawn as a line or point has
  no area: nearer than :data:`NEAR_M` a person must judge.
- Places to keep away from (S4, S10): the rule names no distance. Within is failed; nearer than :data:`NEAR_M` a person
  must judge.
- Lines that must not cross the campus (S6): the campus is taken as a circle of the site's area around the place.
  Without an area, nearer than :data:`CAMPUS_M` a person must judge.
- Ground that no rule names but a layer draws (:data:`DRAWN_KINDS`): within is failed.

:data:`NEAR_M` and :data:`CAMPUS_M` are conventions of this program, not law.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from geodata.messages import Message, msg
from geodata.new_sites import add_sites
from geodata.site_exclusions import (
    EXCLUSION_KINDS,
    ClearDistance,
    ClearDistances,
    list_known_kinds,
    measure_exclusions,
    name_kind,
)
from geodata.site_search import Candidates
from geodata.study import StudyArea
from planning.rules import Rule, Rules

SITE_CHECK_COLUMNS = (
    *("site_id", "rule_id", "kind", "status", "measured_m", "limit_m", "name"),
    *("severity", "source"),
)
"""One row per site, rule and kind.

``status``: passed, failed, unknown (nothing is known of the kind, or a person must judge). ``rule_id``: empty where the
study's layer alone forbids. ``measured_m``: NaN where nothing is known, or there is none of the kind in the study.
``limit_m``: 0 must not lie within; NaN the rule names no distance. ``name``: of the nearest thing. ``severity``: of the
rule (block, warn, note). ``source``: layer, barriers, roads, water; empty: nothing is known of the kind."""
NEAR_M = 500.0
"""Where a rule asks to keep away and names no distance, a person judges what is nearer."""
CAMPUS_M = 100.0
"""A site of unknown area is taken to reach at most so far."""
DRAWN_KINDS = ("water", "protected_farmland", "other")
"""Ground on which no school can be built, whatever the rulebook says of it."""
_KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "hidden_river": ("hidden_river",),
        "pollution_exceeded": ("pollution",),
        "long_distance_gas": ("gas_or_oil_pipeline",),
        "oil_pipeline": ("gas_or_oil_pipeline",),
    }
)
"""What the words of the rules' lists are called as kinds; the others have the same name."""


@dataclass(frozen=True)
class _Demand:
    """One rule on one kind. ``how``: distance, zone, away, cross or drawn (see the module)."""

    rule: Rule | None
    kind: str
    how: str
    limit_m: float

    @property
    def severity(self) -> str:
        return "block" if self.rule is None else self.rule.severity


def _list_demands(rules: Rules, stage: str) -> Iterator[_Demand]:
    """Yield what the enabled rules ask, rule by rule, then kind by kind."""
    for key, kind in (
        *(("railway_distance", "railway"), ("main_road_distance", "expressway"), ("main_road_distance", "main_road")),
    ):
        rule = rules.find(key, stage)
        if rule is not None and rule.value:
            yield _Demand(rule, kind, "distance", rule.limit(stage))
    lists = (
        *(("keep_away_places", "away", ("places", "fire_distance")), ("not_adjacent_places", "away", ("places",))),
        *(("forbidden_hazard_zones", "zone", ("zones",)), ("no_crossing_lines", "cross", ("lines",))),
    )
    for key, how, names in lists:
        rule = rules.find(key, stage)
        if rule is None:
            continue
        words = [str(word) for name in names for word in rule.params.get(name, ())]
        limit_m = rule.limit(stage) if rule.value else 0.0 if how in ("zone", "cross") else math.nan
        kinds = tuple(dict.fromkeys(kind for word in words for kind in _KINDS.get(word, (word,))))
        yield from (_Demand(rule, kind, how, limit_m) for kind in kinds if kind in EXCLUSION_KINDS)
    yield from (_Demand(None, kind, "drawn", 0.0) for kind in DRAWN_KINDS)


def build_clear_distances(rules: Rules, *, stage: str = "all", classes: float | None = None) -> ClearDistances:
    """Return the metres that schools keep from each kind of thing, and whether that excludes or is only told.

    Rules that block exclude; the others are told, and a search prefers places clear of them. What a rule asks to keep
    away from without a distance is preferred :data:`NEAR_M` away.

    Parameters
    ----------
    rules
        The chapter on siting, and the site area per pupil (switched off in ``cn``: no least area then).
    stage
        Whose schools; ``"all"`` asks what holds for every stage.
    classes
        The smallest school that is thought of, in classes: with the rulebook's class size it gives the least area.
    """
    items: dict[str, ClearDistance] = {}
    for demand in _list_demands(rules, stage):
        rule_id = "" if demand.rule is None else demand.rule.id
        distance_m = NEAR_M if math.isnan(demand.limit_m) else demand.limit_m
        item = ClearDistance(demand.kind, distance_m, demand.severity == "block", rule_id)
        known = items.get(item.kind)
        if known is None or (item.excludes, item.distance_m) > (known.excludes, known.distance_m):
            items[item.kind] = item
    return ClearDistances(tuple(items.values()), _find_min_area(rules, stage, classes))


def _find_min_area(rules: Rules, stage: str, classes: float | None) -> float:
    """Return the least area of a site in m2, NaN where the rules give none."""
    per_pupil, size = rules.limit("site_area_per_pupil", stage), rules.limit("design_class_size", stage)
    if per_pupil is None or size is None or classes is None:
        return math.nan
    return per_pupil * size * classes


def check_sites(
    study: StudyArea,
    rules: Rules,
    distances: pd.DataFrame | None = None,
    *,
    stage: str = "all",
    site_ids: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Judge sites by the siting rules.

    Parameters
    ----------
    study, rules
        The county and the rulebook.
    distances
        ``geodata.site_exclusions.DISTANCE_COLUMNS``: of candidates (``Candidates.distances``), or None: measured for
        the study's own sites.
    stage
        Whose schools; ``"all"`` asks what holds for every stage.
    site_ids
        The sites to be judged, where ``distances`` may not name them all because nothing is known of any kind.

    Returns
    -------
    DataFrame
        ``SITE_CHECK_COLUMNS``: site by site, rule by rule. Kinds of which nothing is known are ``unknown``.
    """
    found = measure_exclusions(study) if distances is None else distances
    sources = list_known_kinds(study)
    named = study.sites["site_id"] if distances is None else found["site_id"].unique()
    ids = [str(key) for key in (named if site_ids is None else site_ids)]
    rows = {(str(row.site_id), str(row.kind)): row for row in found.itertuples(index=False)}
    demands = [item for item in _list_demands(rules, stage) if item.rule is not None or item.kind in sources]
    judged = [_judge(key, item, rows.get((key, item.kind))) for key in ids for item in demands]
    table = pd.DataFrame(judged, columns=list(SITE_CHECK_COLUMNS))
    return table.astype(
        {name: "float64" if name in ("measured_m", "limit_m") else "str" for name in SITE_CHECK_COLUMNS}
    )


def _judge(site_id: str, demand: _Demand, row: Any) -> tuple[object, ...]:
    """Return one row of ``SITE_CHECK_COLUMNS``; ``row`` is the measured distance, None where nothing is known."""
    rule_id = "" if demand.rule is None else demand.rule.id
    if row is None:
        return (site_id, rule_id, demand.kind, "unknown", math.nan, demand.limit_m, "", demand.severity, "")
    away_m = float(row.distance_m)
    status = "passed" if math.isnan(away_m) else _judge_distance(demand, row, away_m)
    facts = (status, away_m, demand.limit_m, str(row.name))
    return (site_id, rule_id, demand.kind, *facts, demand.severity, str(row.source))


def _judge_distance(demand: _Demand, row: Any, away_m: float) -> str:
    if bool(row.within) or away_m < demand.limit_m:
        return "failed"
    if demand.how == "cross":
        campus_m = float(row.campus_m)
        if math.isnan(campus_m):
            return "unknown" if away_m < CAMPUS_M else "passed"
        return "failed" if away_m < campus_m else "passed"
    judged_by_person = math.isnan(demand.limit_m) or (demand.how == "zone" and str(row.shape) != "area")
    return "unknown" if judged_by_person and away_m < NEAR_M else "passed"


def tell_site_check(row: Any, rules: Rules) -> Message:
    """Return one row of ``check_sites`` as a sentence with its figures and its clause.

    ``row`` has the fields of ``SITE_CHECK_COLUMNS`` as attributes, as ``DataFrame.itertuples`` gives them. The rule is
    cited by its id and clause; ``reports.citations`` has its name and source.
    """
    thing = name_kind(str(row.kind))
    if str(row.name):
        thing = msg("{kind} ({name})", kind=thing, name=str(row.name))
    said = _tell_status(row, thing)
    if not row.rule_id:
        return said
    rule = rules.by_id(str(row.rule_id))
    cited = f"{rule.id}, {rule.clause}" if rule.clause else rule.id
    return msg("{text} Rule {rule}.", text=said, rule=cited)


def _tell_status(row: Any, thing: Message) -> Message:
    away_m, limit_m = float(row.measured_m), float(row.limit_m)
    if not row.source:
        return msg("Not checked, because no layer tells of it: {kind}.", kind=thing)
    if math.isnan(away_m):
        return msg("No {kind} in the study area.", kind=thing)
    if row.status == "failed":
        if limit_m > 0:
            return msg("Only {m:,.0f} m from the nearest {kind}; at least {limit:,.0f} m are asked.",
                       m=away_m, kind=thing, limit=limit_m)  # fmt: skip
        if away_m > 0:
            return msg("The nearest {kind} is {m:,.0f} m away and crosses the site.", kind=thing, m=away_m)
        return msg("Lies on or in: {kind}.", kind=thing)
    if row.status == "unknown":
        return msg("The nearest {kind} is {m:,.0f} m away; the rule names no distance: a person must judge.",
                   kind=thing, m=away_m)  # fmt: skip
    if limit_m > 0:
        return msg("{m:,.0f} m from the nearest {kind}; at least {limit:,.0f} m are asked.",
                   m=away_m, kind=thing, limit=limit_m)  # fmt: skip
    return msg("{m:,.0f} m from the nearest {kind}.", m=away_m, kind=thing)


def list_blocked(checks: pd.DataFrame) -> list[str]:
    """Return the sites, in order, on which no school may stand: those that fail a rule that blocks."""
    failed = checks[(checks["status"] == "failed") & (checks["severity"] == "block")]
    return [str(key) for key in failed["site_id"].unique()]


def add_candidates(study: StudyArea, candidates: Candidates, *, include_excluded: bool = False) -> StudyArea:
    """Return the study with the candidates among its sites, and travel to them in every mode; a new fingerprint.

    They are meant for the stage that they were looked for. Those that something excludes are left out unless asked for.
    """
    table = candidates.table
    if not include_excluded:
        table = table[~table["excluded"]]
    columns = ["site_id", "name", "x_m", "y_m", "area_m2"]
    return add_sites(study, table[columns].assign(stages=candidates.stage).reset_index(drop=True))


def locate_site(study: StudyArea, site_id: str) -> tuple[str, tuple[float, float]]:
    """Return the unit and the point (x_m, y_m) of a site.

    A candidate is no site of the study that a planner stores scenarios for: there the action is
    ``OpenSchool(point=locate_site(study, site_id)[1])``, which gives the same ways as the site had.

    Raises
    ------
    KeyError
        There is no such site.
    """
    found = study.sites[study.sites["site_id"].astype(str) == site_id]
    if found.empty:
        raise KeyError(site_id)
    row = found.iloc[0]
    return str(row["unit_id"]), (float(row["x_m"]), float(row["y_m"]))

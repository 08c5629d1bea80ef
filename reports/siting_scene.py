"""The map of proposals: what closes, merges, grows and opens in a plan by year, who moves, and where schools may stand.

Drawn like the map of a scenario (``reports.scenario_scene``), with the candidate sites as further points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.flag_case import iterate_rows
from reports.legend import STAGE_SHAPES
from reports.maps import MapPart, compute_part_digest
from reports.scenario_after import NUMBERS, BeforeAfter, compare_outcomes
from reports.scenario_points import POINT_COLUMNS, SITE_PREFIX, Look, Picture, list_points
from reports.scenario_scene import build_scenario_parts, build_scenario_scene

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from planning.run import Outcome
    from planning.siting_answer import SitingPlan
    from reports.language import Translator

WHAT = {"close": "closed", "merge": "merged", "expand": "places", "open": "opened"}
CHANGED = ("number", "school_id", "name", "what", "kind_after", "places_before", "places_after", "x_m", "y_m")
SITE_COLUMNS = ("site_id", "name", "x_m", "y_m", "excluded", "lines")
"""Candidate sites of the map. ``excluded``: no school may stand there; ``lines``: what is known of it, in words."""
FREE_PX, EXCLUDED_PX = 6.4, 5.4
FULL_SHARE = 1e-6
"""A school is full, not above its places, up to this rounding of the solver."""
OUT_COLOUR = "#d5d8da"


@dataclass(frozen=True, eq=False)
class SitingPicture:
    """What the map shows: today, or a plan in one of its years (None: all its decisions), and the sites."""

    today: Outcome
    stage: str
    sites: pd.DataFrame
    plan: SitingPlan | None = None
    year: int | None = None


def select_decisions(plan: SitingPlan, year: int | None) -> pd.DataFrame:
    """Return the decisions in force in a year of the plan (None: all)."""
    rows = plan.decisions
    if year is None or rows.empty:
        return rows
    when = pd.to_numeric(rows["year"], errors="coerce").fillna(0)
    return rows[(when <= year).to_numpy()]


def find_year(plan: SitingPlan, year: int | None) -> int:
    """Return the year of the plan that is shown: the one asked for, else the last; 0 where it has none."""
    known = sorted({int(value) for value in plan.schools["year"]})
    if year in known:
        return int(year or 0)
    return known[-1] if known else 0


def build_after(study: StudyArea, picture: SitingPicture) -> BeforeAfter:
    """Return today beside the plan in its year: who goes where, minutes, pupils and places of every school."""
    now = compare_outcomes(study, picture.today, picture.today, picture.stage)
    if picture.plan is None:
        return now
    year = find_year(picture.plan, picture.year)
    school, minutes = _read_enrolment(study, picture.plan, year)
    _fill_empty(picture.plan, year, now, school, minutes)
    rows = picture.plan.schools
    rows = rows[rows["year"] == year].drop_duplicates("facility_id").set_index("facility_id")
    before = now.schools.set_index("school_id")
    known = pd.Index(before.index).union(rows.index, sort=False)
    pupils, places = (rows[name].reindex(known).to_numpy(dtype=np.float64) for name in ("pupils", "places"))
    table = pd.DataFrame(
        {
            "school_id": known.astype(str),
            "pupils_before": before["pupils_before"].reindex(known).to_numpy(dtype=np.float64),
            "pupils_after": np.where(np.isclose(pupils, places, rtol=FULL_SHARE, atol=0.0), places, pupils),
            "places_before": before["places_before"].reindex(known).to_numpy(dtype=np.float64),
            "places_after": places,
        }
    )
    numbers: Mapping[str, float] = dict.fromkeys((f"{name}_after" for name in NUMBERS), math.nan)
    return BeforeAfter(
        picture.stage,
        now.mode,
        now.school_before,
        school,
        now.min_before,
        minutes,
        table,
        {**now.numbers, **numbers},
    )


def _read_enrolment(
    study: StudyArea, plan: SitingPlan, year: int
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.float64]]:
    """Return the school that most pupils of every unit go to, and the mean way of all of them."""
    rows = plan.enrolment
    rows = rows[(rows["year"] == year) & (rows["school_id"].fillna("").astype(str) != "")]
    ids = study.units["unit_id"].astype(str)
    main = rows.sort_values("pupils", ascending=False, kind="stable").drop_duplicates("unit_id").set_index("unit_id")
    ways = rows.assign(total=rows["time_min"] * rows["pupils"]).groupby("unit_id")[["total", "pupils"]].sum()
    minutes = (ways["total"] / ways["pupils"].where(ways["pupils"] > 0)).reindex(ids)
    school = main["school_id"].reindex(ids).fillna("").astype(str)
    # Copies: what pandas hands out may not be written to.
    return np.array(school, dtype=object), np.array(minutes, dtype=np.float64)


def _fill_empty(
    plan: SitingPlan, year: int, now: BeforeAfter, school: npt.NDArray[np.object_], minutes: npt.NDArray[np.float64]
) -> None:
    """Give units of which the plan says nothing (nobody of the stage lives there) today's school, or who takes it over.

    Changes ``school`` and ``minutes`` in place.
    """
    opened = set(plan.schools.loc[plan.schools["year"] == year, "facility_id"].astype(str))
    columns = (plan.decisions["facility_id"].astype(str), plan.decisions["into"].fillna("").astype(str))
    into = {key: taking.split(";")[0] for key, taking in zip(*columns, strict=True)}
    for at in np.flatnonzero(school == ""):
        before = str(now.school_before[at])
        kept = before if before in opened else into.get(before, "")
        school[at] = kept if kept in opened else ""
        if school[at] and school[at] == before:
            minutes[at] = now.min_before[at]


def build_siting_picture(study: StudyArea, picture: SitingPicture) -> Picture:
    """Return points and positions: schools, new ones, and the sites that are still free."""
    now = build_after(study, picture)
    changes = _list_changes(study, picture)
    points = list_points(study, changes)
    opened = set(changes.loc[changes["what"] == "opened", "school_id"])
    free = picture.sites[np.array([str(key) not in opened for key in picture.sites["site_id"]], dtype=np.bool_)]
    sites = pd.DataFrame(
        {
            "point_id": SITE_PREFIX + free["site_id"].astype(str),
            "name": free["name"].astype(str),
            "x_m": free["x_m"].astype(float),
            "y_m": free["y_m"].astype(float),
            "kind": "site",
            "what": "site",
            "badge": "",
            "number": 0,
        }
    )
    points = pd.concat([points[points["kind"] != "site"], sites], ignore_index=True)[list(POINT_COLUMNS)]
    at = {str(key): number for number, key in enumerate(points["point_id"])}
    after, before = (
        np.array([at.get(str(key), -1) for key in side], dtype=np.int64)
        for side in (now.school_after, now.school_before)
    )
    if picture.plan is None:
        after = before
    return Picture(points, now, after, before)


def _list_changes(study: StudyArea, picture: SitingPicture) -> pd.DataFrame:
    """Return the decisions as the changes that ``reports.scenario_points`` draws."""
    columns = (picture.sites[name] for name in ("site_id", "x_m", "y_m"))
    places = {str(key): (float(x), float(y)) for key, x, y in zip(*columns, strict=True)}
    found = []
    decisions = pd.DataFrame() if picture.plan is None else select_decisions(picture.plan, picture.year)
    for number, row in enumerate(iterate_rows(decisions), start=1):
        key = str(row.facility_id)
        where = (math.nan, math.nan)
        if row.decision == "open":
            if key not in places:
                continue
            where = places[key]
        what = WHAT[str(row.decision)]
        sizes = (float(row.places_before), float(row.places_after))
        found.append((number, key, str(row.name), what, picture.stage if what == "opened" else "", *sizes, *where))
    return pd.DataFrame(found, columns=list(CHANGED))


def build_siting_parts(
    study: StudyArea,
    picture: SitingPicture,
    drawn: Picture,
    look: Look,
    _: Translator,
    *,
    pairs: npt.NDArray[np.int64],
) -> dict[str, MapPart]:
    """Return what the browser paints: points, areas, symbols; sites with what is known of them.

    ``drawn``: of :func:`build_siting_picture`; ``pairs``: positions of neighbouring units, shape (pairs, 2).
    """
    parts = build_scenario_parts(study, drawn, look, _, pairs=pairs)
    payload = dict(parts["paint"].build())
    ids = drawn.points["point_id"].tolist()
    about = {SITE_PREFIX + str(row.site_id): row for row in iterate_rows(picture.sites)}
    shown = [_describe_site(item, about.get(ids[item["at"]])) for item in payload["shown"]]
    payload["shown"] = [item for item in shown if item is not None]
    digest = compute_part_digest(study.fingerprint, "siting", parts["paint"].digest, repr(payload["shown"]))
    return {**parts, "paint": MapPart("paint", f"paint-{digest}", lambda: payload)}


def _describe_site(item: dict[str, Any], site: Any) -> dict[str, Any]:
    if site is None:
        return item
    lines = [str(line) for line in site.lines]
    if site.excluded:
        return {**item, "mark": "closed", "colour": OUT_COLOUR, "size": EXCLUDED_PX, "lines": lines}
    return {**item, "size": FREE_PX, "lines": lines}


def build_siting_scene(
    study: StudyArea, picture: SitingPicture, drawn: Picture, look: Look, _: Translator
) -> dict[str, Any]:
    """Return texts, legend, layers and colours of the map."""
    scene = build_scenario_scene(study, drawn, look, _)
    legend = list(scene["legend"])
    point = {"kind": "point", "shape": STAGE_SHAPES.get(picture.stage, "circle"), "size": 5.5}
    excluded = {
        **point,
        "shape": "diamond",
        "colour": OUT_COLOUR,
        "mark": "closed",
        "label": _("site excluded by a rule"),
    }
    title = _("Proposed plan") if picture.plan is not None else _("Sites")
    for place, section in enumerate(legend):
        if section.get("title") == _("Scenario"):
            out = [excluded] if bool(picture.sites["excluded"].any()) else []
            legend[place] = {**section, "title": title, "items": [*section["items"], *out]}
    return {**scene, "legend": legend, "steady": True}

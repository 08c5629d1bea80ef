"""The cards of the Sites page: a school, a site, an area. HTML in which every word is escaped."""

from __future__ import annotations

import math

import pandas as pd

from geodata.study import StudyArea
from planning.flag_case import iterate_rows
from reports.language import Translator
from reports.scenario_points import SITE_PREFIX
from reports.siting_scene import find_year
from reports.siting_sites import say_facts, say_kind
from reports.siting_tables import collect_site_names
from reports.siting_words import say_decision, say_minutes
from ui.cards import render_facts, render_head, render_quiet, render_table, render_title, say_place_of, text
from ui.sites_map import Ground
from ui.sites_state import Shown

MOST_SCHOOLS = 5


def build_point_card(study: StudyArea, ground: Ground, shown: Shown, point_id: str, _: Translator) -> str:
    """Return the card of a school or of a site: what happens to it and why, what it has before and after."""
    site_id = point_id.removeprefix(SITE_PREFIX)
    sites = ground.sites[ground.sites["site_id"] == site_id]
    if len(sites):
        head = build_site_card(sites, site_id, _)
    else:
        about = study.schools[study.schools["school_id"] == point_id]
        if about.empty:
            return ""
        head = render_head(about.iloc[0]["name"] or point_id, say_place_of(about.iloc[0], _))
    return f'<div class="card">{head}{_build_fate(study, ground, shown, site_id, _)}</div>'


def build_site_card(sites: pd.DataFrame, site_id: str, _: Translator) -> str:
    """Return what is known of a site: land, sizes, what excludes it, how far it is from everything."""
    row = next(iterate_rows(sites[sites["site_id"] == site_id]))
    parts = [render_head(row.name, [say_kind(row, _), row.town])]
    parts += [f"<p>{text(line)}</p>" for line in say_facts(row, _)]
    for title, lines, mark in (
        (_("What speaks against it"), row.against, "block"),
        (_("For a person to judge"), row.unsure, "warn"),
        (_("Rules that it keeps"), row.kept, "note"),
    ):
        if lines:
            parts.append(render_title(title))
            parts += [f'<div class="flag {mark}">{text(line, longest=500)}</div>' for line in lines]
    return "".join(parts)


def _build_fate(study: StudyArea, ground: Ground, shown: Shown, key: str, _: Translator) -> str:
    """Return what the plan does with a school or site, and its pupils and places today and in the year shown."""
    today = ground.today.school_table
    today = today[(today["school_id"] == key) & (today["stage"] == ground.stage)]
    facts = []
    if len(today):
        facts += [
            (_("Pupils today, by the model"), _.number(float(today.iloc[0]["modelled_pupils"]))),
            (_("Places today"), _.number(float(today.iloc[0]["capacity_places"]))),
        ]
    plan, answer = shown.plan, shown.answer
    if plan is None or answer is None:
        return render_facts(facts)
    rows = plan.schools[(plan.schools["facility_id"] == key) & (plan.schools["year"] == find_year(plan, shown.year))]
    for row in iterate_rows(rows):
        facts += [
            (_("Pupils in the plan"), _.number(float(row.pupils))),
            (_("Places in the plan"), _.number(float(row.places))),
            (_("Use"), _.percent(float(row.fill_share))),
        ]
    names = collect_site_names(study, answer)
    told = []
    for row in iterate_rows(plan.decisions[plan.decisions["facility_id"] == key]):
        told.append(f'<div class="reason"><b>{text(say_decision(row, names, _), longest=400)}</b>')
        told.append(f"<br>{text(_.say(row.reason), longest=500)}</div>")
    left = answer.left_out[answer.left_out["site_id"] == key]
    told += [render_quiet(_.say(row.reason)) for row in iterate_rows(left)]
    nothing = render_quiet(_("The plan leaves it as it is.")) if not told and len(today) else ""
    return render_facts(facts) + "".join(told) + nothing


def build_unit_card(study: StudyArea, ground: Ground, shown: Shown, unit_id: str, _: Translator) -> str:
    """Return the card of an area: its school today and in the plan, minutes of each."""
    about = study.units[study.units["unit_id"] == unit_id]
    if about.empty:
        return ""
    unit, column = about.iloc[0], f"{ground.stage}_pupils"
    pupils = float(unit[column]) if column in about.columns and pd.notna(unit[column]) else math.nan
    names = dict(zip(study.schools["school_id"].astype(str), study.schools["name"].fillna("").astype(str), strict=True))
    lines = [
        (_("Today"), names.get(str(row.school_id)) or str(row.school_id), _.number(float(row.pupils)), minutes)
        for row in iterate_rows(_read_today(ground, unit_id))
        for minutes in (say_minutes(float(row.time_min), _),)
    ]
    if shown.plan is not None and shown.answer is not None:
        names |= collect_site_names(study, shown.answer)
        rows = shown.plan.enrolment
        rows = rows[(rows["unit_id"] == unit_id) & (rows["year"] == find_year(shown.plan, shown.year))]
        rows = rows.sort_values("pupils", ascending=False).head(MOST_SCHOOLS)
        lines += [
            (
                _("Proposed plan"),
                names.get(str(row.school_id)) or str(row.school_id),
                _.number(float(row.pupils)),
                minutes,
            )
            for row in iterate_rows(rows)
            for minutes in (say_minutes(float(row.time_min), _),)
        ]
    head = render_head(unit["name"] or unit_id, say_place_of(unit, _))
    facts = render_facts([(_("Children of this stage"), _.number(pupils))])
    table = render_table([_("When"), _("School"), _("Pupils"), _("Way")], lines)
    return f'<div class="card">{head}{facts}{table}</div>'


def _read_today(ground: Ground, unit_id: str) -> pd.DataFrame:
    if ground.today.plan is None:
        return pd.DataFrame()
    rows = ground.today.plan.stage_enrolment(ground.stage)
    rows = rows[(rows["unit_id"] == unit_id) & (rows["school_id"] != "")]
    return rows.sort_values("pupils", ascending=False).head(MOST_SCHOOLS)

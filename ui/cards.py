"""The panel beside the map: the card of a school or a unit. Built as HTML in which every word is escaped."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from geodata.study import STAGES, StudyArea
from planning.flag_case import iterate_rows
from planning.rules import Rules
from planning.run import Outcome
from planning.tables import compute_stage_rolls
from reports.citations import cite_rule
from reports.forecast_words import name_enrolled
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_kind, name_ownership, name_setting_short, name_stage_short
from reports.today_tables import name_flag, name_severity, say_reason, say_value
from ui.text import clean

MOST_UNITS = 8

STYLE = """
<style>
.card { font-size: 0.9rem; line-height: 1.4; overflow-wrap: anywhere; }
.card h3 { font-size: 1.12rem; margin: 0; padding: 0; line-height: 1.3; }
.card .kind { color: #5d6b6c; margin-bottom: 0.5rem; }
.card h4 { font-size: 0.9rem; margin: 0.85rem 0 0.25rem; padding: 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(98px, 1fr)); gap: 0.4rem 0.7rem; }
.facts div span { display: block; color: #5d6b6c; font-size: 0.78rem; line-height: 1.25; }
.facts div b { font-size: 1.08rem; font-weight: 650; }
.flag { border-left: 3px solid #b9c3c3; padding: 0.1rem 0 0.1rem 0.55rem; margin: 0.3rem 0; }
.flag.block { border-color: #b3490b; } .flag.warn { border-color: #e0913f; } .flag.note { border-color: #8fbfdc; }
.flag b { font-weight: 600; }
.flag .source { color: #5d6b6c; font-size: 0.76rem; line-height: 1.3; }
.card table { width: 100%; border-collapse: collapse; font-size: 0.84rem; }
.card td, .card th { padding: 0.14rem 0.3rem; border-bottom: 1px solid #e8eded; text-align: right; font-weight: 400; }
.card th { color: #5d6b6c; font-size: 0.78rem; }
.card td:first-child, .card th:first-child { text-align: left; padding-left: 0; }
.bars { display: flex; gap: 0.5rem; align-items: flex-end; }
.bars div { flex: 1; text-align: center; font-size: 0.76rem; color: #5d6b6c; }
.bars i { display: block; background: #8fbfdc; border-radius: 2px 2px 0 0; }
.quiet { color: #5d6b6c; font-size: 0.84rem; }
</style>
"""


def text(value: object, *, longest: int = 200) -> str:
    """Return text that a browser shows as it stands."""
    return html.escape(clean(value, longest=longest), quote=True)


def render_title(title: str) -> str:
    """Return a small heading."""
    return f"<h4>{text(title)}</h4>"


def render_quiet(sentence: str) -> str:
    """Return a remark in small grey type."""
    return f'<p class="quiet">{text(sentence)}</p>'


def render_facts(facts: Iterable[tuple[str, str]]) -> str:
    """Return a grid of small captions with their numbers."""
    cells = "".join(f"<div><span>{text(name)}</span><b>{text(value)}</b></div>" for name, value in facts)
    return f'<div class="facts">{cells}</div>'


def render_flags(flags: pd.DataFrame, rules: Rules, _: Translator, *, named: bool = False) -> str:
    """Return flags with their reasons; ``named`` puts the name of the school or unit in front."""
    blocks = []
    for row in iterate_rows(flags):
        heading = f"{name_severity(str(row.severity), _)} · {name_flag(str(row.flag), _)}"
        if named and str(row.name):
            heading += f" · {row.name}"
        weight = str(row.severity) if row.severity in ("block", "warn", "note") else ""
        reason = text(say_reason(row.reason, _), longest=600)
        source = text(cite_rule(rules, str(row.rule_id), _), longest=400)
        small = f'<div class="source">{source}</div>' if source and not named else ""
        blocks.append(f'<div class="flag {weight}" title="{source}"><b>{text(heading)}</b><br>{reason}{small}</div>')
    return "".join(blocks)


def build_school_card(study: StudyArea, outcome: Outcome, school_id: str, stage: str, _: Translator) -> str:
    """Return the card of a school; for a school without the stage shown, what is known of it."""
    about = study.schools[study.schools["school_id"] == school_id]
    if about.empty:
        return ""
    school = about.iloc[0]
    owner = name_ownership(str(school.get("ownership") or ""), _)
    head = render_head(school["name"], [name_kind(str(school["kind"]), _), owner, *say_place_of(school, _)])
    rows = outcome.school_table
    rows = rows[(rows["school_id"] == school_id) & (rows["stage"] == stage)]
    if rows.empty:
        note = _("This school has no {stage} stage.", stage=name_stage_short(stage, _))
        return f'<div class="card">{head}{render_quiet(note)}{_render_own_stages(study, school_id, _)}</div>'
    row = {str(name): value for name, value in rows.iloc[0].items()}
    flags = outcome.flags
    flags = flags[(flags["subject"] == "school") & (flags["subject_id"] == school_id)]
    facts = _list_school_facts(study, row, _)
    beds = _as_float(school.get("boarding_places"))
    if np.isfinite(beds):
        facts.append((_("Boarding places"), _.number(beds)))
    parts = [head, render_facts(facts)]
    if str(row.get("capacity_source")) == "derived":
        parts.append(render_quiet(_("Places are derived from the number of classes.")))
    parts.append(render_flags(flags, outcome.rules, _) if len(flags) else render_quiet(_("No flags.")))
    parts += [render_homes(study, outcome, school_id, stage, _), render_grades(study, school_id, stage, _)]
    return f'<div class="card">{"".join(parts)}</div>'


def _render_own_stages(study: StudyArea, school_id: str, _: Translator) -> str:
    """Return the stages that a school does teach, with the pupils of the latest year and the places."""
    places = study.places[study.places["school_id"] == school_id].set_index("stage")["capacity_places"]
    lines = []
    for stage in STAGES:
        if stage not in places.index:
            continue
        pupils = compute_stage_rolls(study.rolls, stage, None)["pupils"].get(school_id, math.nan)
        lines.append((name_stage_short(stage, _), _.number(float(pupils)), _.number(_as_float(places[stage]))))
    return render_table([_("Stage"), name_enrolled(study, _), _("Places")], lines) if lines else ""


def build_unit_card(study: StudyArea, outcome: Outcome, unit_id: str, stage: str, _: Translator) -> str:
    """Return the card of a planning unit: its children by stage, its school, the way there."""
    about = study.units[study.units["unit_id"] == unit_id]
    if about.empty:
        return ""
    unit = about.iloc[0]
    head = render_head(unit["name"] or unit_id, say_place_of(unit, _))
    children = [
        (name_stage_short(name, _), _.number(float(unit.get(f"{name}_pupils", math.nan)), digits=0)) for name in STAGES
    ]
    people = float(unit.get("population_people", math.nan))
    if np.isfinite(people):
        children.append((_("Inhabitants"), _.number(people)))
    snap = outcome.unit_table.loc[outcome.unit_table["unit_id"] == unit_id, "snap_m"]
    if len(snap) and np.isfinite(snap.iloc[0]):
        children.append((_("To the road"), say_value(float(snap.iloc[0]), "m", _)))
    flags = outcome.flags
    flags = flags[(flags["subject"] == "unit") & (flags["subject_id"] == unit_id)]
    parts = [head, render_title(_("Children living here")), render_facts(children)]
    parts += [_render_ways(study, outcome, unit_id, stage, _), render_flags(flags, outcome.rules, _)]
    return f'<div class="card">{"".join(parts)}</div>'


def render_head(name: object, words: list[str]) -> str:
    """Return the name with what it is in small type below."""
    return f'<h3>{text(name)}</h3><div class="kind">{text(" · ".join(word for word in words if word))}</div>'


def say_place_of(row: pd.Series, _: Translator) -> list[str]:
    """Return township and setting of a school or unit."""
    setting = str(row.get("setting") or "")
    return [str(row.get("town") or ""), name_setting_short(setting, _) if setting else ""]


def _list_school_facts(study: StudyArea, row: dict[str, object], _: Translator) -> list[tuple[str, str]]:
    number = {name: _as_float(row.get(name)) for name in row}
    return [
        (name_enrolled(study, _), _.number(number["actual_pupils"])),
        (_("Places"), _.number(number["capacity_places"])),
        (_("Pupils per place"), _.percent(number["fill_share"])),
        (_("By the model"), _.number(number["modelled_pupils"])),
        (_("Classes"), _.number(number["classes"])),
        (_("Pupils in a class"), _.number(number["mean_class_pupils"], digits=1)),
        (_("Mean way"), say_value(number["mean_travel_min"], "min", _)),
        (_("95% within"), say_value(number["p95_travel_min"], "min", _)),
    ]


def _as_float(value: object) -> float:
    return float(value) if isinstance(value, int | float | np.number) else math.nan


def render_homes(study: StudyArea, outcome: Outcome, school_id: str, stage: str, _: Translator) -> str:
    """Return where the modelled pupils live: the units with the most of them."""
    if outcome.plan is None:
        return ""
    rows = outcome.plan.stage_enrolment(stage)
    rows = rows[(rows["school_id"] == school_id) & (rows["pupils"] > 0)].sort_values("pupils", ascending=False)
    title = render_title(_("Where its pupils live, by the model"))
    if rows.empty:
        return title + render_quiet(_("The model sends nobody here."))
    names = study.units.set_index("unit_id")["name"]
    lines = [
        (names.get(row.unit_id) or row.unit_id, _.number(row.pupils), say_value(float(row.time_min), "min", _))
        for row in iterate_rows(rows.head(MOST_UNITS))
    ]
    more = len(rows) - len(lines)
    after = render_quiet(_("and {count} more areas, bright on the map", count=_.number(more))) if more > 0 else ""
    return title + render_table([_("Area"), _("Pupils"), _("Way")], lines) + after


def _render_ways(study: StudyArea, outcome: Outcome, unit_id: str, stage: str, _: Translator) -> str:
    """Return the schools that the unit's children go to, with minutes and metres."""
    title = render_title(_("School by the model: {stage}", stage=name_stage_short(stage, _)))
    rows = outcome.plan.stage_enrolment(stage) if outcome.plan is not None else outcome.unit_table.head(0)
    rows = rows[rows["unit_id"] == unit_id]
    names = study.schools.set_index("school_id")["name"]
    lines = []
    for row in iterate_rows(rows.sort_values("share", ascending=False) if len(rows) else rows):
        if row.school_id == "":
            name, way = _("no school within reach"), (MISSING_NUMBER, MISSING_NUMBER)
        else:
            name = names.get(row.school_id) or row.school_id
            way = (say_value(float(row.time_min), "min", _), say_value(float(row.length_m), "m", _))
        lines.append((name, _.percent(row.share), *way))
    if not lines:
        return title + render_quiet(_("Not known."))
    return title + render_table([_("School"), _("Share"), _("Way"), _("Distance")], lines)


def render_table(headings: list[str], lines: Sequence[tuple[object, ...]]) -> str:
    """Return a small table of escaped words."""
    head = "".join(f"<th>{text(name)}</th>" for name in headings)
    body = "".join("<tr>" + "".join(f"<td>{text(value)}</td>" for value in line) + "</tr>" for line in lines)
    return f"<table><tr>{head}</tr>{body}</table>"


def render_grades(study: StudyArea, school_id: str, stage: str, _: Translator) -> str:
    """Return a bar for each grade of the latest year; nothing where grades are not known."""
    rows = study.rolls[(study.rolls["school_id"] == school_id) & (study.rolls["stage"] == stage)]
    rows = rows[(rows["grade"] > 0) & rows["pupils"].notna()]
    if rows.empty:
        return ""
    year = int(rows["year"].max())
    rows = rows[rows["year"] == year].sort_values("grade")
    top = max(float(rows["pupils"].max()), 1.0)
    bars = "".join(
        f'<div>{text(_.number(row.pupils))}<i style="height:{round(46 * float(row.pupils) / top)}px"></i>'
        f"{text(row.grade)}</div>"
        for row in iterate_rows(rows)
    )
    return render_title(_("By grade, {year}", year=year)) + f'<div class="bars">{bars}</div>'

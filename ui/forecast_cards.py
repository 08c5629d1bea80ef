"""The panel beside the map through the years: the card of a school or an area, else the figures of the year."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from geodata.study import STAGES, StudyArea
from planning.flag_case import iterate_rows
from planning.forecast import Forecast
from planning.tables import build_stage_schools
from reports.forecast_charts import build_stage_chart
from reports.forecast_scene import find_children
from reports.forecast_tables import build_series, spread_variants, sum_places
from reports.forecast_words import name_alert, say_school_year, say_variant
from reports.language import Translator
from reports.legend import name_kind, name_stage_short
from ui.cards import render_facts, render_head, render_quiet, render_table, render_title, say_place_of
from ui.forecast_choices import Asked
from ui.forecast_panels import draw_chart, render_small_title
from ui.selection import Selected, Selection

SELECTION = Selection("forecast_map", "forecast_selected", "forecast_focus")


def render_side(
    study: StudyArea,
    forecast: Forecast,
    asked: Asked,
    year: int,
    selected: Selected | None,
    alerts: pd.DataFrame,
    _: Translator,
) -> None:
    """Draw the card of what is chosen on the map, else the figures of the year."""
    if selected is not None:
        st.button(_("← Back to the county"), key="forecast_close", type="tertiary", on_click=SELECTION.clear)
        if selected["kind"] == "school":
            render_school_card(study, forecast, asked, selected["id"], year, alerts, _)
        else:
            st.html(f'<div class="card">{build_unit_card(study, forecast, asked, selected["id"], year, _)}</div>')
        return
    st.html(f'<div class="card">{build_year_card(study, forecast, asked, year, alerts, _)}</div>')


def build_year_card(
    study: StudyArea, forecast: Forecast, asked: Asked, year: int, alerts: pd.DataFrame, _: Translator
) -> str:
    """Return the figures of the county in one year: pupils with their range, places, alerts."""
    now = year <= forecast.base_year
    series = build_series(study, forecast, asked.stage)
    row = series[(series["year"] == year) & (series["kind"] == ("roll" if now else "forecast"))]
    words = _("on the rolls") if now else say_variant(asked.variant, _)
    parts = [render_head(say_school_year(year, _), [name_stage_short(asked.stage, _), words])]
    pupils, low, high = (
        (float(row[name].iloc[0]) if len(row) else math.nan) for name in ("pupils", "low_pupils", "high_pupils")
    )
    chosen = pupils if now else {"low": low, "high": high}.get(asked.variant, pupils)
    places = sum_places(study, asked.stage)
    facts = [(_("Pupils"), _.number(round(chosen) if math.isfinite(chosen) else chosen))]
    if not now:
        facts.append((_("Low to high"), f"{_.number(low)} – {_.number(high)}"))
    facts += [
        (_("Places today"), _.number(places)),
        (_("Pupils per place"), _.percent(chosen / places if places > 0 else math.nan)),
        (_("Places left over"), _.number(round(places - chosen) if math.isfinite(places - chosen) else math.nan)),
    ]
    parts.append(render_facts(facts))
    rows = alerts[(alerts["year"] == year) & (alerts["variant"] == asked.variant)]
    if len(rows):
        counts = [
            (name_alert(name, _), _.number(int((rows["alert"] == name).sum())))
            for name in ("red", "yellow", "green", "")
            if (rows["alert"] == name).any() or (name and (rows["alert"] != "").any())
        ]
        parts += [render_title(_("Seat alerts of the zones")), render_facts(counts)]
    parts.append(render_quiet(_("Click a school or an area on the map to see its years.")))
    return "".join(parts)


def render_school_card(
    study: StudyArea,
    forecast: Forecast,
    asked: Asked,
    school_id: str,
    year: int,
    alerts: pd.DataFrame,
    _: Translator,
) -> None:
    """Draw the card of a school: its line through the years, its grades, its alerts."""
    about = study.schools[study.schools["school_id"] == school_id]
    if about.empty:
        unknown = render_quiet(_("Not known."))
        st.html(f'<div class="card">{unknown}</div>')
        return
    school = about.iloc[0]
    head = render_head(school["name"] or school_id, [name_kind(str(school["kind"]), _), *say_place_of(school, _)])
    st.html(f'<div class="card">{head}</div>')
    taught = set(study.places.loc[study.places["school_id"] == school_id, "stage"])
    for stage in [name for name in dict.fromkeys((asked.stage, *STAGES)) if name in taught]:
        series = build_series(study, forecast, stage, school_id)
        if series.empty or (stage != asked.stage and asked.stage in taught):
            continue
        rows = build_stage_schools(study, stage, None).set_index("school_id")["capacity_places"]
        places = float(rows.get(school_id, math.nan))
        render_small_title(name_stage_short(stage, _))
        draw_chart(build_stage_chart(series, places, _, height=150))
    parts = [_build_grades(forecast, asked, school_id, year, _), _build_alert_rows(alerts, asked, school_id, _)]
    st.html(f'<div class="card">{"".join(parts)}</div>')


def _build_grades(forecast: Forecast, asked: Asked, school_id: str, year: int, _: Translator) -> str:
    rows = forecast.schools
    rows = rows[(rows["school_id"] == school_id) & (rows["stage"] == asked.stage) & (rows["grade"] > 0)]
    wanted = year if year in set(rows["year"]) else max(rows["year"], default=0)
    found = spread_variants(rows[rows["year"] == wanted], ["grade"])
    if found.empty:
        return ""
    lines = [
        (
            _.number(row.grade),
            _.number(round(row.low_pupils)),
            _.number(round(row.pupils)),
            _.number(round(row.high_pupils)),
        )
        for row in iterate_rows(found.dropna())
    ]
    title = render_title(_("By grade: {year}", year=say_school_year(int(wanted), _)))
    return title + render_table([_("Grade"), _("Low"), _("Middle"), _("High")], lines)


def _build_alert_rows(alerts: pd.DataFrame, asked: Asked, school_id: str, _: Translator) -> str:
    rows = alerts[(alerts["school_id"] == school_id) & (alerts["variant"] == asked.variant)]
    rows = rows[rows["alert"] != ""].sort_values("year")
    if rows.empty:
        return ""
    lines = [
        (
            say_school_year(int(row.year), _),
            name_alert(str(row.alert), _),
            _.number(round(row.entry_children)),
            _.number(round(row.intake_places)),
            _.percent(row.alert_share),
        )
        for row in iterate_rows(rows)
    ]
    heads = [_("Year"), _("Alert"), _("Entrants"), _("Intake"), _("Of the intake")]
    return render_title(_("Seat alerts")) + render_table(heads, lines)


def build_unit_card(study: StudyArea, forecast: Forecast, asked: Asked, unit_id: str, year: int, _: Translator) -> str:
    """Return the card of an area: its children of the stage year by year."""
    about = study.units[study.units["unit_id"] == unit_id]
    if about.empty:
        return render_quiet(_("Not known."))
    unit = about.iloc[0]
    at = int(np.flatnonzero((study.units["unit_id"] == unit_id).to_numpy())[0])
    lines = []
    for shown in [forecast.base_year, *[value for value in forecast.years if value > forecast.base_year]]:
        values = [find_children(study, forecast, asked.stage, shown, name)[at] for name in ("low", "middle", "high")]
        mark = "▸ " if shown == year else ""
        lines.append((mark + say_school_year(shown, _), *(_.number(value, digits=1) for value in values)))
    parts = [render_head(unit["name"] or unit_id, say_place_of(unit, _))]
    parts.append(render_title(_("Children of this stage: {stage}", stage=name_stage_short(asked.stage, _))))
    parts.append(render_table([_("Year"), _("Low"), _("Middle"), _("High")], lines))
    return "".join(parts)

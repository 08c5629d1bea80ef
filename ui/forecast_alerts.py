"""Seat alerts by zone and year: the heat table, total demand beside it, and where they come from."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from geodata.study import StudyArea
from planning.forecast import Forecast
from planning.rules import Rules, read_rulebook
from reports.citations import cite_rule
from reports.forecast_alerts import build_demand_table, build_heat_table
from reports.forecast_words import say_school_year
from reports.language import Translator
from ui.cards import text
from ui.forecast_cards import SELECTION, render_school_card
from ui.forecast_choices import Asked
from ui.forecast_panels import render_small_title
from ui.forecast_schools import number_columns
from ui.text import plain

ROWS_KEY = "forecast_alert_rows"
ALERT_RULE_KEY = "seat_alert"


def render_alerts(study: StudyArea, forecast: Forecast, asked: Asked, alerts: pd.DataFrame, _: Translator) -> None:
    """Draw the heat table; a row opens the school's card beside it."""
    rows = alerts[alerts["variant"] == asked.variant]
    if rows.empty or not rows["alert_share"].notna().any():
        st.text(_("No seat alert can be worked out: the entrants or the intake places of the schools are not known."))
        return
    st.html(f"<b>{text(say_alerts(rows, _), longest=400)}</b>")
    left, right = st.columns([2.7, 1], gap="small")
    with left:
        heat = build_heat_table(alerts, asked.variant, _)
        st.session_state["forecast_alert_ids"] = list(heat.school_ids)
        st.dataframe(
            heat.style(),
            hide_index=True,
            height=430,
            key=ROWS_KEY,
            column_config={**number_columns(heat.table), **{name: _narrow() for name in heat.year_titles}},
            placeholder="–",
            on_select=_follow_row,
            selection_mode="single-row",
        )
        st.caption(plain(say_basis(read_rulebook(asked.rulebook), rows, _), longest=700))
    with right:
        selected = SELECTION.read()
        if selected is not None and selected["kind"] == "school":
            st.button(_("← Back to the county"), key="forecast_alert_close", type="tertiary", on_click=SELECTION.clear)
            render_school_card(study, forecast, asked, selected["id"], max(forecast.years), alerts, _)
            return
        demand = build_demand_table(alerts, asked.variant, _)
        render_small_title(_("All zones together"))
        st.dataframe(demand, hide_index=True, column_config=number_columns(demand), placeholder="–")
        st.caption(plain(_("Choose a row to see the school's card.")))


def _narrow() -> Any:
    return st.column_config.TextColumn(width=60)


def say_alerts(rows: pd.DataFrame, _: Translator) -> str:
    """Return how many zones are red or yellow within the years that the rule looks ahead, and when red comes first."""
    near = rows[rows["look_ahead"].astype(bool)]
    near = near if len(near) else rows
    red = near[near["alert"] == "red"]
    yellow = near[(near["alert"] == "yellow") & ~near["school_id"].isin(red["school_id"])]
    years = sorted({int(year) for year in near["year"]})
    words = _(
        "{first} to {last}: {red} of {count} zones red, {yellow} more yellow in at least one year.",
        first=say_school_year(years[0], _),
        last=say_school_year(years[-1], _),
        red=_.number(red["school_id"].nunique()),
        yellow=_.number(yellow["school_id"].nunique()),
        count=_.number(near["school_id"].nunique()),
    )
    later = rows[(rows["alert"] == "red") & ~rows["school_id"].isin(red["school_id"])]
    if later.empty:
        return words
    more = _("{count} more turn red later.", count=_.number(later["school_id"].nunique()))
    return words + ("" if _.language == "zh" else " ") + more


def say_basis(rules: Rules, rows: pd.DataFrame, _: Translator) -> str:
    """Return what a cell means, and the rule behind the colours."""
    names = {
        "zones": _("children of entry age in the zone"),
        "feeders": _("leavers of the feeder schools"),
        "rolls": _("entrants seen at the school, because no zones are given"),
    }
    bases = [names[name] for name in names if name in set(rows["basis"].astype(str))]
    words = _("A cell says the entrants in per cent of the intake places. Entrants: {bases}.", bases=_.join(bases))
    rule = next((item for item in rules.rules if item.key == ALERT_RULE_KEY), None)
    cited = "" if rule is None else cite_rule(rules, rule.id, _)
    return f"{words} {cited}"


def _follow_row() -> None:
    rows = st.session_state[ROWS_KEY]["selection"]["rows"]
    ids = st.session_state.get("forecast_alert_ids", [])
    if rows and rows[0] < len(ids):
        SELECTION.select("school", ids[rows[0]])

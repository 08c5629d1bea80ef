"""Every school and every township through the years: small charts and a table, those in most trouble first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from geodata.study import StudyArea
from planning.flag_case import iterate_rows
from planning.forecast import Forecast
from reports.forecast_charts import MOST_CELLS, build_multiples
from reports.forecast_tables import (
    build_school_table,
    build_town_summary,
    build_town_table,
    list_future_years,
    show_school_table,
    spread_variants,
)
from reports.forecast_words import say_school_year
from reports.language import Translator
from ui.forecast_cards import SELECTION, render_school_card
from ui.forecast_choices import Asked
from ui.forecast_panels import draw_chart
from ui.forecast_zones import find_alerts
from ui.text import clean, plain
from ui.today_panels import MOST_PRESSING
from ui.zoning_keep import keep_value, put_back

CELLS = MOST_PRESSING * 2
ROWS_KEY = "forecast_school_rows"


def choose_year(forecast: Forecast, name: str, _: Translator) -> int:
    """Draw the choice of a year; the same for schools, townships and alerts."""
    years = list_future_years(forecast)
    key = f"forecast_{name}_year"
    put_back(key, years[-1], years)
    year = st.selectbox(
        _("School year"), years, format_func=lambda value: say_school_year(value, _), key=key, width=140
    )
    keep_value(key, year)
    return int(year)


def render_schools(study: StudyArea, forecast: Forecast, asked: Asked, _: Translator) -> None:
    """Draw the schools: small multiples of those in most trouble, and the table of all."""
    year = choose_year(forecast, "table", _)
    table = build_school_table(study, forecast, asked.stage, year, asked.variant)
    if not table["pupils"].notna().any():
        st.text(_("No school has a forecast, because no roll of any school is known. The children are on the map."))
        return
    over, empty = int((table["fill_share"] > 1).sum()), int((table["fill_share"] < 0.5).sum())
    words = _(
        "{year}: {over} of {count} schools would hold more pupils than they have places, {empty} would be less than"
        " half full.",
        year=say_school_year(year, _),
        over=_.number(over),
        count=_.number(int(table["pupils"].notna().sum())),
        empty=_.number(empty),
    )
    st.html(f"<b>{words}</b>")
    st.caption(
        plain(
            _("Sorted by trouble: places short at the peak, or half the places empty. Each chart has its own scale."),
            longest=300,
        )
    )
    draw_chart(build_multiples(_gather_cells(forecast, asked, table.head(CELLS)), _))
    _render_table(table, _)
    selected = SELECTION.read()
    if selected is not None and selected["kind"] == "school":
        with st.container(border=True, key="forecast_school_card"):
            st.button(_("Close"), key="forecast_school_close", type="tertiary", on_click=SELECTION.clear)
            alerts = find_alerts(study, forecast, asked.stage, asked.rulebook)
            render_school_card(study, forecast, asked, selected["id"], year, alerts, _)


def _render_table(table: pd.DataFrame, _: Translator) -> None:
    """Draw the table of all schools; a row opens the card below, and goes to the school on the map."""
    st.caption(plain(_("Choose a row to see the school with its grades, here and on the map.")))
    shown = show_school_table(table, _)
    st.session_state["forecast_school_ids"] = [str(key) for key in shown.index]
    st.dataframe(
        shown.reset_index(drop=True),
        hide_index=True,
        height=390 if len(shown) > 10 else "auto",
        key=ROWS_KEY,
        column_config=number_columns(shown),
        placeholder="–",
        on_select=_follow_row,
        selection_mode="single-row",
    )


def number_columns(table: pd.DataFrame) -> dict[str, st.column_config.NumberColumn]:  # type: ignore[valid-type]
    """Return the settings of number columns: thousands as the language writes them."""
    return {str(name): st.column_config.NumberColumn(format="localized") for name in table.select_dtypes("number")}


def _follow_row() -> None:
    rows = st.session_state[ROWS_KEY]["selection"]["rows"]
    ids = st.session_state.get("forecast_school_ids", [])
    if rows and rows[0] < len(ids):
        SELECTION.select("school", ids[rows[0]])


def _gather_cells(forecast: Forecast, asked: Asked, schools: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the small charts, from today's roll on."""
    rows = forecast.schools
    rows = rows[(rows["stage"] == asked.stage) & rows["school_id"].isin(schools["school_id"])]
    ahead = spread_variants(rows[rows["year"] > forecast.base_year], ["school_id", "year"])
    parts = []
    names = _name_apart(schools)
    for row in iterate_rows(schools):
        own = ahead[ahead["school_id"] == row.school_id]
        now = {"year": [forecast.base_year]} | {
            name: [float(row.today_pupils)] for name in ("low_pupils", "pupils", "high_pupils")
        }
        both = pd.concat([pd.DataFrame(now), own.drop(columns="school_id")], ignore_index=True)
        parts.append(both.assign(name=names[str(row.school_id)], places=float(row.capacity_places)))
    return pd.concat(parts, ignore_index=True) if parts else ahead.assign(name="", places=np.nan)


def _name_apart(schools: pd.DataFrame) -> dict[str, str]:
    """Return a name for every school; two of one name get their codes."""
    names = {str(row.school_id): clean(row.name, longest=34) for row in iterate_rows(schools)}
    counts = pd.Series(list(names.values())).value_counts()
    return {key: f"{name} ({key})" if counts[name] > 1 else name for key, name in names.items()}


def render_towns(study: StudyArea, forecast: Forecast, asked: Asked, _: Translator) -> None:
    """Draw the townships: where children live, small multiples and a table by change."""
    year = choose_year(forecast, "table", _)
    towns = build_town_table(study, forecast, asked.stage)
    if towns.empty:
        st.text(_("Where the children live is not known."))
        return
    last = towns[towns["year"] == year].set_index("town")["pupils"]
    now = towns[towns["year"] == towns["year"].min()].set_index("town")["pupils"]
    order = (last - now).abs().sort_values(ascending=False).index
    st.caption(_("Children of the stage by where they live, the greatest change first. Each chart has its own scale."))
    cells = towns.assign(name=[town or _("no township given") for town in towns["town"]], places=np.nan)
    cells = cells.set_index("town").loc[list(order[:MOST_CELLS])].reset_index(drop=True)
    draw_chart(build_multiples(cells, _))
    summary = build_town_summary(towns, year, _)
    st.dataframe(
        summary,
        hide_index=True,
        height=390 if len(summary) > 10 else "auto",
        column_config=number_columns(summary),
        placeholder="–",
    )

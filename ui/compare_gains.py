"""Who gains and who loses: charts by band of change, by setting, stage and town, and the communities that lose most."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from reports.compare_charts import build_band_chart, build_group_chart, say_unchanged
from reports.compare_tables import (
    build_gain_table,
    build_school_table,
    build_worst_table,
    select_schools,
    select_worst,
    sum_groups,
)
from reports.language import Translator
from ui.compare_view import Compared, select
from ui.text import plain
from ui.today_choices import choose_switch
from ui.zoning_keep import keep_value, put_back

ROWS_KEY = "compare_rows"
ROW_PX, MOST_PX = 35, 480


def choose_option(compared: Compared, key: str, _: Translator) -> int:
    """Draw the choice of one option beside the baseline; without a choice there is only one."""
    numbers = list(range(1, len(compared.options)))
    if len(numbers) == 1:
        return 1
    put_back(key, 1, numbers)
    chosen = st.segmented_control(
        _("Option"),
        numbers,
        format_func=lambda number: plain(compared.options[number].name, longest=40),
        key=key,
        required=True,
    )
    keep_value(key, chosen)
    return chosen or 1


def render_gains(compared: Compared, _: Translator) -> None:
    """Draw the distribution of the change in minutes for the county, then by area for one option."""
    comparison, stage = compared.comparison, compared.stage
    st.caption(
        _(
            "Pupils by the change of their area's mean way to school against “{name}”. Less than 0.5 minutes is no"
            " change.",
            name=plain(comparison.names[0], longest=60),
        )
    )
    known = [
        number for number in range(1, len(compared.options)) if len(sum_groups(comparison, number, "county", stage))
    ]
    if not known:
        st.text(_("Nothing to compare for this stage."))
        return
    for column, number in zip(st.columns(len(known), gap="medium"), known, strict=True):
        with column:
            same = say_unchanged(comparison, number, stage, _)
            st.markdown(f"**{plain(comparison.names[number], longest=60)}**: {plain(same)}")
            spec = build_band_chart(comparison, number, stage, _)
            if spec["data"]["values"]:
                _draw(spec)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        option = choose_option(compared, "compare_gain_option", _)
        kinds = {"setting": _("By setting"), "town": _("By township"), "stage": _("By stage")}
        kind = choose_switch(_("Split by"), list(kinds), "compare_gain_kind", kinds.__getitem__)
    table = build_gain_table(comparison, option, kind, stage, _)
    if table.empty:
        st.text(_("Nothing to compare for this stage."))
        return
    rare = (_("Lose their way"), _("Get a way"), _("Unknown"))
    table = table.drop(columns=[name for name in rare if not table[name].any()])
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        _draw(build_group_chart(comparison, option, kind, stage, _))
    with right:
        _show_numbers(table, f"compare_gain_table_{option}_{kind}")


def _draw(spec: dict[str, Any]) -> None:
    st.vega_lite_chart(
        pd.DataFrame(spec["data"]["values"]),
        {key: value for key, value in spec.items() if key not in ("data", "description")},
        alt=spec["description"],
    )


def _show_numbers(table: pd.DataFrame, key: str) -> None:
    numbers = {str(name): st.column_config.NumberColumn(format="localized") for name in table.select_dtypes("number")}
    height = min(MOST_PX, ROW_PX * (len(table) + 1) + 3)
    st.dataframe(table, hide_index=True, height=height, column_config=numbers, key=key, placeholder="–")


def render_worst(compared: Compared, _: Translator) -> None:
    """Draw the twenty communities that lose most, by name; a row leads to its place on the map."""
    option = choose_option(compared, "compare_worst_option", _)
    table = build_worst_table(compared.comparison, option, compared.stage, _)
    if table.empty:
        st.text(_("No community has a longer way to school."))
        return
    ids = select_worst(compared.comparison, option, compared.stage)["unit_id"].astype(str).tolist()
    if not table[_("Without a way to school")].any():
        table = table.drop(columns=_("Without a way to school"))
    st.caption(
        _(
            "The communities that lose most, those who lose their way to school first."
            " Choose a row to see it on the map."
        )
    )
    _show_rows(table, "unit", ids, f"compare_worst_{option}_{compared.stage}_{compared.key[-8:]}")


def render_schools(compared: Compared, _: Translator) -> None:
    """Draw the schools before and after; a row leads to its place on the map."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        option = choose_option(compared, "compare_school_option", _)
        names = {"changed": _("Those that change"), "all": _("All schools")}
        which = choose_switch(_("Schools"), list(names), "compare_schools_shown", names.__getitem__)
    rows = select_schools(compared.comparison, option, compared.stage, changed_only=which == "changed")
    if rows.empty:
        st.text(_("No school changes."))
        return
    table = build_school_table(rows, _)
    for name in (_("Goes into"), _("Roll before"), _("Roll after"), _("Class size before"), _("Class size after")):
        column = table[name]
        if not (column.astype(str) != "").any() or column.isna().all():
            table = table.drop(columns=name)
    st.caption(
        _(
            "Before is “{name}”. Pupils and fill are by the model; rolls and class sizes follow the rolls, after"
            " actions as projected by the model. Choose a row to see the school on the map.",
            name=plain(compared.comparison.names[0], longest=60),
        )
    )
    ids = rows["school_id"].astype(str).tolist()
    _show_rows(table, "school", ids, f"compare_schools_{option}_{which}_{compared.stage}_{compared.key[-8:]}")


def _show_rows(table: pd.DataFrame, kind: str, ids: list[str], key: str) -> None:
    st.session_state[ROWS_KEY] = [kind, ids]
    numbers = {str(name): st.column_config.NumberColumn(format="localized") for name in table.select_dtypes("number")}
    st.dataframe(
        table,
        hide_index=True,
        height=min(MOST_PX, ROW_PX * (len(table) + 1) + 3),
        key=key,
        on_select=lambda: _follow_row(key),
        selection_mode="single-row",
        column_config=numbers,
        placeholder="–",
    )


def _follow_row(key: str) -> None:
    """Show on the map what the chosen row is about."""
    rows = st.session_state[key]["selection"]["rows"]
    kind, ids = st.session_state.get(ROWS_KEY, ["", []])
    if rows and rows[0] < len(ids):
        select(kind, ids[rows[0]])

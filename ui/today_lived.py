"""The table "How children get to school" of the Today page: by grades and way, what schools need, who has no way."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from geodata.study import StudyArea
from planning.lived_sums import summarise_lived_schools
from planning.lived_travel import STAGE_BANDS, LivedOptions, build_lived_travel, list_lived_notes
from planning.run import Outcome
from reports.language import Translator
from reports.lived_tables import (
    build_band_table,
    build_lived_rows,
    build_school_table,
    build_stranded_table,
    list_assumptions,
    name_way,
    say_lived,
    select_stranded,
)
from reports.tables import render_csv
from ui.cards import render_title
from ui.text import plain
from ui.today_choices import Choice
from ui.today_map import select

ROWS_KEY = "today_lived_rows"
TALL_FROM = 9


@st.cache_resource(max_entries=24, show_spinner=False)
def _compute(
    fingerprint: str, choice: Choice, rules: str, _study: StudyArea, _outcome: Outcome
) -> tuple[pd.DataFrame, pd.DataFrame]:
    lived = build_lived_travel(_study, _outcome.rules, _outcome)
    return lived, summarise_lived_schools(lived, _study, _outcome.rules, _outcome)


def render_lived(study: StudyArea, outcome: Outcome, choice: Choice, _: Translator) -> None:
    """Draw the tables for the stage chosen; says so where it has no such rules, or nobody is enrolled."""
    if choice.stage not in STAGE_BANDS:
        st.text(_("Walking, school buses and boarding are judged for primary and junior schools only."))
        return
    plain_choice = Choice(choice.stage, choice.mode, choice.enrolment, choice.rulebook)
    lived, schools = _compute(study.fingerprint, plain_choice, outcome.rules.fingerprint, study, outcome)
    if lived.empty:
        st.text(_("Nobody is enrolled here, so no ways to school can be told."))
        return
    st.markdown(plain(say_lived(lived, _), longest=600))
    for note in list_lived_notes(study, outcome):
        st.markdown("- " + plain(_.say(note), longest=300))
    _render_numbers(build_band_table(lived, _), _)
    _render_stranded(lived, outcome, choice, _)
    needs = build_school_table(schools, _)
    if len(needs):
        _render_heading(_("What the schools need"))
        _render_numbers(needs, _)
    with st.expander(_("Limits and assumptions")):
        for sentence in list_assumptions(lived, outcome.rules, LivedOptions(), _):
            st.markdown("- " + plain(sentence, longest=400))
    st.download_button(
        _("Every community and way (CSV)"),
        lambda: render_csv(build_lived_rows(lived, _)),
        file_name=f"lived_travel_{choice.stage}.csv",
        mime="text/csv",
        key="today_lived_csv",
        on_click="ignore",
    )


def _render_stranded(lived: pd.DataFrame, outcome: Outcome, choice: Choice, _: Translator) -> None:
    """Draw the communities where somebody has no lawful way; a chosen row is shown on the map."""
    rows = select_stranded(lived)
    _render_heading(_("Communities where somebody has no lawful way"))
    if rows.empty:
        st.text(_("Everybody has a way to school within the limits."))
        return
    st.session_state[ROWS_KEY] = rows["unit_id"].astype(str).tolist()
    st.caption(_("Choose a row to see the school or area on the map."))
    key = f"today_lived_{choice.stage}_{choice.mode}_{choice.enrolment}_{len(rows)}"
    st.dataframe(
        build_stranded_table(rows, outcome, _),
        hide_index=True,
        height="auto" if len(rows) < TALL_FROM else 320,
        key=key,
        on_select=lambda: _follow_row(key),
        selection_mode="single-row",
        column_config={_("Reason"): st.column_config.TextColumn(width="large")},
    )


def _render_heading(heading: str) -> None:
    st.html('<div class="card">' + render_title(heading) + "</div>")


def _follow_row(key: str) -> None:
    """Show the community of the chosen row on the map."""
    chosen = st.session_state[key]["selection"]["rows"]
    shown = st.session_state.get(ROWS_KEY, [])
    if chosen and chosen[0] < len(shown):
        select("unit", shown[chosen[0]])


def _render_numbers(table: pd.DataFrame, _: Translator) -> None:
    numbers = {str(name): st.column_config.NumberColumn(format="localized") for name in table.select_dtypes("number")}
    empty = {name_way("unknown", _), _("{way} (%)", way=name_way("unknown", _))}
    shown = [name for name in table.columns if name not in empty or (table[name] > 0).any()]
    st.dataframe(table[shown], hide_index=True, height="auto" if len(table) < TALL_FROM else 320, column_config=numbers)

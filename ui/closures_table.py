"""The tables below the map of the Closures page: the ranking with its filter, who moves, what columns mean, files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
import streamlit as st

from planning.what_if import list_moved
from reports.closure_numbers import find_travel_rules, list_number_rows, say_travel_rule
from reports.closure_tables import (
    Filter,
    build_move_table,
    build_ranking_rows,
    build_ranking_table,
    list_headings,
    select_ranking,
)
from reports.language import Translator
from reports.legend import name_kind, name_setting_short
from reports.tables import render_csv
from ui.cards import text
from ui.closures_engine import Answered, Engine
from ui.closures_full import render_full_answer
from ui.closures_pairs import render_pairs
from ui.closures_state import SELECTION, Asked, close_exactly, keep_asked, read_asked
from ui.text import plain
from ui.zoning_keep import keep_value, put_back

TABLE_KEY = "closures_table"
ROWS_KEY = "closures_rows"
SHOWN_KEY = "closures_rows_shown"
TALL_FROM = 10


def render_tables(
    engine: Engine, scope: str, ranking: pd.DataFrame | None, asked: Asked, answered: Answered | None, _: Translator
) -> None:
    """Draw the tables, one at a time."""
    names = {
        "ranking": _("All closures, ranked"),
        **({"moves": _("Who moves"), "full": _("Full answer")} if answered is not None and answered.answer else {}),
        "pairs": _("Pairs"),
        "meaning": _("What the figures mean"),
        "downloads": _("Downloads"),
    }
    put_back(TABLE_KEY, "ranking", list(names))
    chosen = st.segmented_control(
        _("Tables"),
        list(names),
        format_func=names.__getitem__,
        key=TABLE_KEY,
        required=True,
        label_visibility="collapsed",
    )
    keep_value(TABLE_KEY, chosen)
    if chosen == "moves" and answered is not None:
        _render_moves(engine, answered, _)
    elif chosen == "full":
        render_full_answer(engine, asked, _)
    elif chosen == "pairs":
        render_pairs(engine, scope, ranking, choose_filter(ranking, _) if ranking is not None else Filter(), _)
    elif chosen == "meaning":
        _render_meanings(engine, answered, _)
    elif chosen == "downloads":
        _render_downloads(engine, ranking, answered, _)
    elif ranking is not None:
        _render_ranking(engine, scope, ranking, asked, _)


def choose_filter(ranking: pd.DataFrame, _: Translator) -> Filter:
    """Draw the filter in one row and return it."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="closures_filter"):
        settings = _choose_many(
            _("Setting"), ranking["setting"], "setting", lambda name: name_setting_short(name, _), _
        )
        towns = _choose_many(_("Township"), ranking["town"], "town", str, _)
        kinds = _choose_many(_("Kind"), ranking["kind"], "kind", lambda name: name_kind(name, _), _)
        small = _choose_switch(_("Small schools only"), "small")
        can = _choose_switch(_("Can close only"), "can")
    return Filter(settings, towns, kinds, small, can)


def _choose_many(label: str, values: pd.Series, name: str, say: Callable[[str], str], _: Translator) -> tuple[str, ...]:
    options = sorted({str(value) for value in values.fillna("") if str(value)})
    if len(options) < 2:
        return ()
    key = f"closures_filter_{name}"
    put_back(key, [], options)
    chosen = st.multiselect(label, options, format_func=say, key=key, placeholder=_("all"), width=230)
    keep_value(key, chosen)
    return tuple(chosen)


def _choose_switch(label: str, name: str) -> bool:
    key = f"closures_filter_{name}"
    put_back(key, False)
    chosen = st.toggle(label, key=key)
    keep_value(key, chosen)
    return bool(chosen)


def _render_ranking(engine: Engine, scope: str, ranking: pd.DataFrame, asked: Asked, _: Translator) -> None:
    rows = select_ranking(ranking, choose_filter(ranking, _))
    if rows.empty:
        st.text(_("No school fits the filter."))
        return
    st.caption(_("Tick one school or several: the map and the panel answer what would happen if they closed together."))
    table = build_ranking_table(rows, _)
    shown = [str(key) for key in table.index]
    st.session_state[SHOWN_KEY] = shown
    ticked = [position for position, key in enumerate(shown) if key in asked.closed]
    st.session_state[ROWS_KEY] = {"selection": {"rows": ticked, "columns": [], "cells": []}}
    height: Literal["auto"] | int = 390 if len(table) > TALL_FROM else "auto"
    st.dataframe(
        table.reset_index(drop=True),
        hide_index=True,
        height=height,
        key=ROWS_KEY,
        column_config=_build_columns(table, _),
        placeholder="–",
        on_select=lambda: _follow_ticks(scope),
        selection_mode="multi-row",
        alt=_("All closures, ranked"),
    )


def _build_columns(table: pd.DataFrame, _: Translator) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    numbers = {str(name) for name in table.select_dtypes("number")}
    for heading in list_headings(_):
        if heading.title in numbers:
            columns[heading.title] = st.column_config.NumberColumn(help=heading.meaning, format="localized")
        else:
            width: Literal["medium", "large"] | None = {"school": "medium", "reason": "large"}.get(heading.name)  # type: ignore[assignment]
            columns[heading.title] = st.column_config.TextColumn(help=heading.meaning, width=width)
    return columns


def _follow_ticks(scope: str) -> None:
    """Close exactly the schools that are ticked; those that the filter hides stay as they are."""
    shown = [str(key) for key in st.session_state.get(SHOWN_KEY, [])]
    rows = st.session_state[ROWS_KEY]["selection"]["rows"]
    asked = read_asked(scope)
    hidden = [key for key in asked.closed if key not in shown]
    ticked = [shown[row] for row in rows if row < len(shown)]
    keep_asked(scope, close_exactly(asked, (*hidden, *ticked)))


def _render_moves(engine: Engine, answered: Answered, _: Translator) -> None:
    assert engine.what_if is not None
    assert answered.answer is not None
    table = build_move_table(list_moved(engine.what_if, answered.answer), engine.study, answered.opened, _)
    if table.empty:
        st.text(_("Nobody changes school."))
        return
    st.caption(_("Choose a row to see the community on the map. A click on a heading sorts."))
    st.session_state["closures_moves_shown"] = [str(key) for key in table.index]
    key = "closures_moves"
    numbers = {str(name): st.column_config.NumberColumn(format="localized") for name in table.select_dtypes("number")}
    st.dataframe(
        table.reset_index(drop=True),
        hide_index=True,
        height=360 if len(table) > TALL_FROM else "auto",
        key=key,
        column_config=numbers,
        placeholder="–",
        on_select=lambda: _follow_community(key),
        selection_mode="single-row",
    )


def _follow_community(key: str) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    shown = st.session_state.get("closures_moves_shown", [])
    if rows and rows[0] < len(shown):
        SELECTION.select("unit", shown[rows[0]])


def _render_meanings(engine: Engine, answered: Answered | None, _: Translator) -> None:
    """Draw every column and figure with its definition, and the rules that judge."""
    rows = [(heading.title, heading.meaning) for heading in list_headings(_)]
    if engine.what_if is not None:
        base = engine.what_if.base if answered is None or answered.answer is None else answered.answer
        rows += [
            (row.title, row.meaning)
            for row in list_number_rows(base, float("nan"), places_known=True, limit_known=True, _=_)
        ]
    rows += [
        (_("Travel limit"), say_travel_rule(engine.rules, rule, engine.stage, _))
        for rule in find_travel_rules(engine.rules, engine.stage)
    ]
    body = "".join(f"<tr><td><b>{text(name)}</b></td><td>{text(words, longest=500)}</td></tr>" for name, words in rows)
    st.html(f'<table class="buju-table">{body}</table>')


def _render_downloads(engine: Engine, ranking: pd.DataFrame | None, answered: Answered | None, _: Translator) -> None:
    units = engine.study.units
    names = dict(zip(units["unit_id"].astype(str), units["name"].fillna("").astype(str), strict=True))
    tables: dict[str, tuple[str, pd.DataFrame]] = {}
    if ranking is not None:
        tables["closures"] = (_("All closures, ranked"), build_ranking_rows(ranking, names, _))
    if answered is not None and answered.answer is not None and engine.what_if is not None:
        tables["what_if_schools"] = (_("Schools before and after"), answered.answer.schools)
        moved = list_moved(engine.what_if, answered.answer)
        moved.insert(1, "unit_name", [names.get(str(key), "") for key in moved["unit_id"]])
        tables["what_if_moves"] = (_("Who moves"), moved)
    st.caption(plain(_("Tables of this view as CSV files; a spreadsheet opens them.")))
    with st.container(horizontal=True):
        for name, (title, table) in tables.items():
            st.download_button(
                title,
                lambda table=table: render_csv(table),  # type: ignore[misc]
                file_name=f"{name}_{engine.stage}_{engine.question.mode}.csv",
                mime="text/csv",
                key=f"closures_download_{name}",
                on_click="ignore",
            )

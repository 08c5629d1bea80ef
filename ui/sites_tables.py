"""The tables below the map of the Sites page, one at a time."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
import streamlit as st

from geodata.study import StudyArea
from reports.language import Translator
from reports.scenario_points import SITE_PREFIX
from reports.siting_sites import build_site_table
from reports.siting_tables import (
    build_decision_table,
    build_left_out_table,
    build_parts_table,
    build_period_table,
    build_plan_table,
    build_school_table,
    build_siting_files,
    collect_site_names,
    render_siting_workbook,
)
from reports.siting_words import name_plan, say_plan
from ui.cards import render_quiet
from ui.file_buttons import render_file_buttons
from ui.sites_map import Ground
from ui.sites_panels import build_proof
from ui.sites_put import say_what_today_is
from ui.sites_state import Shown, select, show_plan
from ui.text import plain
from ui.zoning_keep import keep_value, put_back

TABLE_KEY = "sites_table"
ROWS_KEY = "sites_rows"
HIGH_PX, MOST_ROWS = 360, 9


def render_tables(study: StudyArea, ground: Ground, shown: Shown, _: Translator) -> None:
    """Draw the switch of the tables and the one that is chosen."""
    names = _name_tables(ground, shown, _)
    if not names:
        return
    # Before the first proposal there are the sites alone: that is no choice to be kept.
    key = TABLE_KEY if shown.plan is not None else f"{TABLE_KEY}_before"
    put_back(key, next(iter(names)), list(names))
    chosen = st.segmented_control(
        _("Tables"),
        list(names),
        format_func=names.__getitem__,
        key=key,
        required=True,
        label_visibility="collapsed",
    )
    keep_value(key, chosen)
    if chosen == "sites":
        _render_sites(ground, shown, _)
    elif shown.answer is not None and shown.plan is not None:
        _render_plan(study, shown, chosen or "plans", _)


def _name_tables(ground: Ground, shown: Shown, _: Translator) -> dict[str, str]:
    sites = {"sites": _("Sites ({count})", count=_.number(len(ground.sites)))} if len(ground.sites) else {}
    if shown.plan is None:
        return sites
    return {
        "plans": _("Plans"),
        "decisions": _("Decisions"),
        "years": _("By year"),
        "schools": _("Schools"),
        **sites,
        "proof": _("Proof"),
        "downloads": _("Downloads"),
    }


def _render_plan(study: StudyArea, shown: Shown, chosen: str, _: Translator) -> None:
    answer, plan = shown.answer, shown.plan
    assert answer is not None
    assert plan is not None
    names = collect_site_names(study, answer)
    if chosen == "plans":
        st.caption(_("Choose a row to see that plan. A plan that another one beats in cost and in travel says so."))
        _follow(build_plan_table(answer, _), "plans", shown.key)
    elif chosen == "decisions":
        st.caption(_("Choose a row to see it on the map."))
        table = build_decision_table(plan, names, _)
        _follow(table, "decisions", f"{shown.key}{plan.plan_id}", wide=_("Why"))
    elif chosen == "years":
        st.caption(_("Today's schools in the same years, and the plan. Building is told in the year of the decision."))
        st.caption(say_what_today_is(_))
        _draw(build_period_table(answer, plan, _))
    elif chosen == "schools":
        st.caption(_("Choose a row to see it on the map."))
        _follow(build_school_table(plan, shown.year, names, _), "schools", f"{shown.key}{plan.plan_id}{shown.year}")
    elif chosen == "proof":
        _render_proof(shown, names, _)
    elif chosen == "downloads":
        _render_downloads(shown, names, _)


def _render_sites(ground: Ground, shown: Shown, _: Translator) -> None:
    used: dict[str, list[str]] = {}
    for plan in () if shown.answer is None else shown.answer.plans:
        opened = plan.decisions.loc[plan.decisions["decision"] == "open", "facility_id"]
        for key in opened.astype(str):
            used.setdefault(key, []).append(name_plan(plan.plan_id, _))
    st.caption(_("Choose a row to see the site on the map, with every distance and its clause."))
    if ground.unchecked:
        words = _.join(ground.unchecked)
        st.caption(plain(_("Not checked, because no layer tells where they are: {kinds}.", kinds=words), longest=700))
    _follow(
        build_site_table(ground.sites, used, _), "sites", f"{ground.key}{shown.key}", wide=_("What speaks against it")
    )


def _render_proof(shown: Shown, names: dict[str, str], _: Translator) -> None:
    answer, plan = shown.answer, shown.plan
    assert answer is not None
    assert plan is not None
    left, right = st.columns([1, 1.3], gap="medium")
    with left:
        st.html(f'<div class="card">{build_proof(shown, plan, _)}</div>')
        options = answer.options
        seed = _(
            "Seed {seed}; gap asked for: {gap}.",
            seed=options.search.seed,
            gap=_.percent(options.search.gap_share, digits=2),
        )
        st.html(f'<div class="card">{render_quiet(seed)}</div>')
        for note in answer.notes:
            st.caption(plain(_.say(note), longest=700))
    with right:
        st.caption(
            _(
                "What each plan costs over its years, by part of the stated mix. The classes that pupils fill cost the"
                " same in every plan and are left out."
            )
        )
        _draw(build_parts_table(answer, _))
        if len(answer.left_out):
            st.caption(_("Sites that took no part"))
            _draw(build_left_out_table(answer, names, _))


def _render_downloads(shown: Shown, names: dict[str, str], _: Translator) -> None:
    answer, plan = shown.answer, shown.plan
    assert answer is not None
    assert plan is not None
    st.caption(plain(say_plan(answer, plan, _), longest=500))
    st.caption(_("One workbook, or CSV files, with all plans; a spreadsheet opens them."))
    files = build_siting_files(answer, names, _)
    render_file_buttons("sites", _("Excel workbook"), lambda: render_siting_workbook(files), files)


def _draw(table: pd.DataFrame) -> None:
    height: Literal["auto"] | int = HIGH_PX if len(table) > MOST_ROWS else "auto"
    st.dataframe(table, hide_index=True, height=height, column_config=_format(table), placeholder="–")


def _format(table: pd.DataFrame) -> dict[str, Any]:
    return {str(name): st.column_config.NumberColumn(format="localized") for name in table.select_dtypes("number")}


def _follow(table: pd.DataFrame, kind: str, mark: str, *, wide: str = "") -> None:
    """Draw a table whose rows lead to a plan or to the map; ``wide``: a column of sentences."""
    if table.empty:
        return
    st.session_state[ROWS_KEY] = [str(item) for item in table.index]
    key = f"sites_{kind}_{mark[-16:]}_{len(table)}"
    columns = _format(table) | ({wide: st.column_config.TextColumn(width="large")} if wide in table else {})
    height: Literal["auto"] | int = HIGH_PX if len(table) > MOST_ROWS else "auto"
    st.dataframe(
        table.reset_index(drop=True),
        hide_index=True,
        height=height,
        column_config=columns,
        key=key,
        on_select=lambda: _follow_row(key, kind),
        selection_mode="single-row",
        placeholder="–",
    )


def _follow_row(key: str, kind: str) -> None:
    rows, shown = st.session_state[key]["selection"]["rows"], st.session_state.get(ROWS_KEY, [])
    if not rows or rows[0] >= len(shown):
        return
    if kind == "plans":
        show_plan(shown[rows[0]])
    else:
        select("school", f"{SITE_PREFIX}{shown[rows[0]]}" if kind == "sites" else shown[rows[0]])

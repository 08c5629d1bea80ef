"""What stands around the Today map: the headline, the side panel, the tables and the downloads."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from geodata.study import StudyArea
from planning.leakage import describe_leakage
from planning.run import Outcome
from reports.forecast_words import name_enrolled
from reports.language import Translator
from reports.legend import name_mode_short, name_stage_short
from reports.tables import build_flag_rows, build_indicator_rows, build_unit_rows, render_csv
from reports.today_tables import (
    SEVERITIES,
    build_area_table,
    build_flag_table,
    build_indicator_table,
    build_leakage_table,
    count_flags,
    name_flag,
    name_severity,
    name_subject,
    say_value,
    select_flags,
    select_pressing,
)
from ui.cards import (
    STYLE,
    build_school_card,
    build_unit_card,
    render_facts,
    render_flags,
    render_quiet,
    render_title,
    text,
)
from ui.rulebooks import build_judged_by
from ui.text import plain
from ui.today_choices import Choice
from ui.today_lived import render_lived
from ui.today_map import MAP_HEIGHT, Selected, clear_selected, select

MOST_PRESSING = 6
SHOWN_ROWS_KEY = "today_flag_rows"
PAGE_STYLE = f"""
<style>
.st-key-today_page {{ --today-map: max(400px, calc(100vh - 244px)); }}
@media (max-width: 1100px) {{ .st-key-today_page {{ --today-map: max(400px, calc(100vh - 310px)); }} }}
.st-key-today_side {{ display: block; flex: none !important; height: {MAP_HEIGHT} !important;
  min-height: 0 !important; max-height: {MAP_HEIGHT} !important; overflow-y: auto !important; padding-right: 0.4rem; }}
.headline {{ font-size: 1.04rem; font-weight: 600; line-height: 1.35; }}
.headline .badge {{ background: #fff3d6; border: 1px solid #e3c477; color: #6b4d00; border-radius: 4px;
  font-size: 0.78rem; font-weight: 600; padding: 0.05rem 0.4rem; margin-right: 0.5rem; white-space: nowrap; }}
.block-container {{ padding: 4.1rem 2rem 1.5rem !important; max-width: none !important; }}
.st-key-today_choices button {{ min-height: 36px; padding: 0 0.62rem; }}
.st-key-today_choices label p {{ font-size: 0.78rem; color: #5d6b6c; }}
.st-key-today_page {{ gap: 0.55rem; }}
.counts {{ font-size: 0.84rem; }}
.count {{ display: flex; justify-content: space-between; gap: 0.6rem; padding: 0.04rem 0; }}
.count b {{ font-weight: 600; white-space: nowrap; }}
</style>
"""


def render_page_style() -> None:
    """Add the style of the page."""
    st.html(PAGE_STYLE + STYLE)


def find_value(outcome: Outcome, name: str) -> float:
    """Return an indicator of the county; NaN where it was not computed."""
    try:
        return outcome.indicator(name)
    except KeyError:
        return math.nan


def render_headline(study: StudyArea, outcome: Outcome, choice: Choice, _: Translator) -> None:
    """Say in one line what matters most, in plain words."""
    notice = text(_("Synthetic demo: no real place"))
    badge = f'<span class="badge">{notice}</span>' if study.synthetic else ""
    words = f"{study.name} · {say_headline(outcome, choice, _)}"
    st.html(f'<div class="headline">{badge}{text(words, longest=600)}{build_judged_by(outcome.rules, _)}</div>')


def say_headline(outcome: Outcome, choice: Choice, _: Translator) -> str:
    """Return the most important finding as a sentence."""
    stage = name_stage_short(choice.stage, _)
    if outcome.plan is None:
        return " ".join(_.say(conflict) for conflict in outcome.conflicts)
    column = "fill_share" if choice.basis == "actual" else "modelled_fill_share"
    fill = outcome.school_table[column].dropna()
    schools = _("{stage}: places of schools are unknown.", stage=stage)
    if len(fill):
        schools = _(
            "{stage}: {full} of {known} schools hold more pupils than places, {empty} are less than half full.",
            stage=stage,
            full=_.number(int((fill > 1).sum())),
            known=_.number(len(fill)),
            empty=_.number(int((fill < 0.5).sum())),
        )
    median, far = find_value(outcome, "median_travel_min"), find_value(outcome, "p95_travel_min")
    if not math.isfinite(median):
        return schools
    way = _(
        "{mode}: half of the children need up to {median}, 5% of them more than {far}.",
        mode=name_mode_short(choice.mode, _),
        median=say_value(median, "min", _),
        far=say_value(far, "min", _),
    )
    return schools + ("" if _.language == "zh" else " ") + way


def render_side(study: StudyArea, outcome: Outcome, choice: Choice, selected: Selected | None, _: Translator) -> None:
    """Draw the panel beside the map: the card of what is chosen, else the figures of the county."""
    with st.container(key="today_side", gap="small"):
        card = ""
        if selected is not None:
            build = build_school_card if selected["kind"] == "school" else build_unit_card
            card = build(study, outcome, selected["id"], choice.stage, _)
        if card:
            st.button(_("← Back to the county"), key="today_close", type="tertiary", on_click=clear_selected)
            st.html(card)
            return
        st.html(f'<div class="card">{_build_county_panel(study, outcome, _)}</div>')


def _build_county_panel(study: StudyArea, outcome: Outcome, _: Translator) -> str:
    facts = [
        (_("Children of this stage"), "pupils", "pupils"),
        (name_enrolled(study, _), "actual_pupils", "pupils"),
        (_("Places"), "places", "places"),
        (_("Pupils per place"), "fill_share", "share"),
        (_("Places short"), "places_short", "places"),
        (_("Schools"), "schools", "schools"),
        (_("Mean way"), "mean_travel_min", "min"),
        (_("Within 30 minutes"), "within_30_min_share", "share"),
        (_("No way to school"), "unreached_pupils", "pupils"),
    ]
    grid = render_facts((title, say_value(find_value(outcome, name), unit, _)) for title, name, unit in facts)
    top = select_pressing(outcome, MOST_PRESSING)
    hint = render_quiet(_("Click a school or an area on the map to see its card."))
    if outcome.flags.empty:
        return grid + render_title(_("No flags.")) + hint
    counts = render_title(_("What is flagged")) + _render_counts(outcome, _)
    if top.empty:
        return grid + counts + hint
    return grid + counts + render_title(_("Most pressing")) + render_flags(top, outcome.rules, _, named=True) + hint


def _render_counts(outcome: Outcome, _: Translator) -> str:
    """Return one line for each kind of flag with how many schools or areas carry it."""
    lines = []
    for severity, flag, subject, count in count_flags(outcome):
        words = name_subject(subject, _)
        if subject != "county":
            number = _.number(count)
            words = _("schools: {count}", count=number) if subject == "school" else _("areas: {count}", count=number)
        sign = name_severity(severity, _)
        lines.append(
            f'<div class="count {severity}" title="{text(sign)}"><span>{text(sign[:1])} {text(name_flag(flag, _))}'
            f"</span><b>{text(words)}</b></div>"
        )
    return f'<div class="counts">{"".join(lines)}</div>'


def render_tables(study: StudyArea, outcome: Outcome, choice: Choice, _: Translator) -> None:
    """Draw the tables below the map, one at a time."""
    names = {
        "flags": _("Flags ({count})", count=_.number(len(outcome.flags))),
        "indicators": _("Indicators"),
        "areas": _("By setting and town"),
        "lived": _("How children get to school"),
        "leakage": _("Who leaks where"),
        "downloads": _("Downloads"),
    }
    shown = st.segmented_control(
        _("Tables"),
        list(names),
        format_func=names.__getitem__,
        default="flags",
        required=True,
        key="today_table",
        label_visibility="collapsed",
        persist_state="session",
    )
    if shown == "lived":
        render_lived(study, outcome, choice, _)
        return
    draw = {
        "indicators": _render_indicators,
        "areas": _render_areas,
        "leakage": _render_leakage,
        "downloads": _render_downloads,
    }
    draw.get(shown or "flags", _render_flag_table)(outcome, choice, _)


def _render_flag_table(outcome: Outcome, choice: Choice, _: Translator) -> None:
    with st.container(horizontal=True):
        severities = st.pills(
            _("Severity"),
            SEVERITIES,
            selection_mode="multi",
            default=["block", "warn"],
            format_func=lambda name: name_severity(name, _),
            key="today_severities",
            label_visibility="collapsed",
            persist_state="session",
        )
        subjects = st.pills(
            _("About"),
            ("school", "unit", "county"),
            selection_mode="multi",
            default=["school", "unit", "county"],
            format_func=lambda name: name_subject(name, _),
            key="today_subjects",
            label_visibility="collapsed",
            persist_state="session",
        )
        kinds = list(dict.fromkeys(flag for _severity, flag, _subject, _count in count_flags(outcome)))
        kind = _choose_kind(kinds, _)
    # Who asks for one kind by name wants all of it, the notes too.
    flags = select_flags(outcome, SEVERITIES if kind else severities, subjects, kind)
    if flags.empty:
        st.text(_("No flags of this kind."))
        return
    st.session_state[SHOWN_ROWS_KEY] = [list(pair) for pair in zip(flags["subject"], flags["subject_id"], strict=True)]
    st.caption(_("Choose a row to see the school or area on the map."))
    key = f"today_flags_{choice.stage}_{choice.mode}_{kind}_{len(flags)}"
    st.dataframe(
        build_flag_table(flags, outcome.rules, _),
        hide_index=True,
        height=360,
        key=key,
        on_select=lambda: _follow_row(key),
        selection_mode="single-row",
        column_config={_("Reason"): st.column_config.TextColumn(width="large")},
    )


def _choose_kind(kinds: list[str], _: Translator) -> str:
    """Draw the choice of one kind of flag (``""`` = all); set anew in every run, it follows a change of language."""
    key = "today_flag_kind"
    kept = st.session_state.get(key)
    st.session_state[key] = kept if kept in kinds else ""
    chosen = st.selectbox(
        _("Flag"),
        ["", *kinds],
        format_func=lambda flag: name_flag(flag, _) if flag else _("All kinds"),
        key=key,
        label_visibility="collapsed",
        width=220,
    )
    return chosen or ""


def _follow_row(key: str) -> None:
    """Show on the map what the chosen row is about."""
    rows = st.session_state[key]["selection"]["rows"]
    shown = st.session_state.get(SHOWN_ROWS_KEY, [])
    if rows and rows[0] < len(shown) and shown[rows[0]][0] in ("school", "unit"):
        select(*shown[rows[0]])


def _render_indicators(outcome: Outcome, choice: Choice, _: Translator) -> None:
    st.dataframe(build_indicator_table(outcome, choice.stage, _), hide_index=True, height=420)


def _render_areas(outcome: Outcome, choice: Choice, _: Translator) -> None:
    for kind in ("setting", "town"):
        table = build_area_table(outcome, choice.stage, kind, _)
        if len(table):
            _render_numbers(table)
        elif kind == "setting":
            st.text(_("Whether areas are urban, town or rural is not known."))


def _render_numbers(table: pd.DataFrame) -> None:
    """Draw a table of numbers, with the thousands set apart as the reader's country does."""
    numbers = {str(name): st.column_config.NumberColumn(format="localized") for name in table.select_dtypes("number")}
    st.dataframe(table, hide_index=True, height="auto" if len(table) < 10 else 300, column_config=numbers)


def _render_leakage(outcome: Outcome, choice: Choice, _: Translator) -> None:
    if outcome.leakage.empty:
        st.text(_("Nothing to compare: no school has both a known roll and modelled pupils."))
        return
    st.caption(
        _(
            "Pupils on the rolls against those whom the model sends to each school, scaled to the same total. "
            "More on the rolls than expected: pupils come from elsewhere. Fewer: they leave."
        )
    )
    for sentence in describe_leakage(outcome.leakage):
        st.markdown("- " + plain(_.say(sentence), longest=300))
    for kind in ("setting", "town", "school"):
        table = build_leakage_table(outcome, kind, _)
        if len(table):
            _render_numbers(table)


def _render_downloads(outcome: Outcome, choice: Choice, _: Translator) -> None:
    tables: dict[str, tuple[str, pd.DataFrame]] = {
        "schools": (_("Schools"), outcome.school_table),
        "units": (_("Planning units"), build_unit_rows(outcome)),
        "flags": (_("Flags"), build_flag_rows(outcome, language=_)),
        "indicators": (_("Indicators"), build_indicator_rows(outcome)),
        "leakage": (_("Who leaks where"), outcome.leakage),
    }
    st.caption(_("Tables of this view as CSV files; a spreadsheet opens them."))
    with st.container(horizontal=True):
        for name, (title, table) in tables.items():
            st.download_button(
                title,
                lambda table=table: render_csv(table),  # type: ignore[misc]
                file_name=f"{name}_{choice.stage}_{choice.mode}.csv",
                mime="text/csv",
                key=f"today_download_{name}",
                on_click="ignore",
            )

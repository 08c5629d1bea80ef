"""What stands around the map of the Zoning page: the headline, the panel beside the map, the tables below it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import pandas as pd
import streamlit as st

from geodata.messages import Message
from geodata.study import StudyArea
from planning.choice import describe_choice
from planning.place_values import describe_place_values
from reports.language import Translator
from reports.legend import name_stage_short
from reports.zone_answer import (
    build_comparison,
    build_fill_table,
    build_flow_table,
    build_mover_table,
    build_price_table,
    build_roll_table,
    build_value_table,
    count_moved,
    count_over,
    find_certificate,
    find_report,
    read_indicator,
)
from ui.cards import STYLE as CARD_STYLE
from ui.cards import render_facts, render_quiet, render_title, text
from ui.rulebooks import build_judged_by
from ui.text import plain
from ui.zoning_cards import STYLE, build_area_card, build_conflict, build_proof, build_zone_card
from ui.zoning_choices import say_task
from ui.zoning_files import render_downloads
from ui.zoning_map import MAP_HEIGHT, Compared, Selected, clear_selected, select

if TYPE_CHECKING:
    from planning.choice import ChoiceFit

MOST_SHORTAGES = 5
SHOWN_ROWS_KEY = "zoning_rows"
PAGE_STYLE = f"""
<style>
.st-key-zoning_page {{ --zoning-map: max(420px, calc(100vh - 248px)); gap: 0.5rem; }}
.st-key-zoning_more_closed {{ display: none; }}
[data-testid=stLayoutWrapper]:has(> .st-key-zoning_more_closed) {{ position: absolute; }}
.st-key-zoning_progress {{ padding: 0.5rem 0.9rem; gap: 0.35rem; }}
.st-key-zoning_second .stCheckbox {{ padding-bottom: 0.45rem; }}
.st-key-zoning_side {{ display: block; flex: none !important; height: {MAP_HEIGHT} !important;
  min-height: 0 !important; max-height: {MAP_HEIGHT} !important; overflow-y: auto !important; padding-right: 0.4rem; }}
.headline {{ font-size: 1.04rem; font-weight: 600; line-height: 1.35; }}
.headline .badge {{ background: #fff3d6; border: 1px solid #e3c477; color: #6b4d00; border-radius: 4px;
  font-size: 0.78rem; font-weight: 600; padding: 0.05rem 0.4rem; margin-right: 0.5rem; white-space: nowrap; }}
.block-container {{ padding: 4.1rem 2rem 1.5rem !important; max-width: none !important; }}
.st-key-zoning_page [data-testid=stButtonGroup] button {{ min-height: 36px; padding: 0 0.62rem; }}
.st-key-zoning_page label p {{ font-size: 0.78rem; color: #52605f; }}
.st-key-zoning_run button {{ min-height: 2.5rem; padding: 0 1.4rem; }}
</style>
"""


def render_page_style() -> None:
    """Add the style of the page."""
    st.html(PAGE_STYLE + CARD_STYLE + STYLE)


def render_headline(study: StudyArea, compared: Compared, _: Translator) -> None:
    """Say in one line what was found, or what is to be done."""
    notice = _("Synthetic demo: no real place")
    badge = f'<span class="badge">{text(notice)}</span>' if study.synthetic else ""
    words = " · ".join([study.name, name_stage_short(compared.stage, _), say_headline(compared, _)])
    judged = build_judged_by(compared.outcome.rules, _)
    st.html(f'<div class="headline">{badge}{text(words, longest=600)}{judged}</div>')


def say_headline(compared: Compared, _: Translator) -> str:
    """Return the finding as a sentence."""
    if compared.answer is None:
        over, full = count_over(compared.today, compared.stage)
        if not math.isfinite(over):
            return _("No answer yet. The map shows who goes where today, by the model.")
        return _(
            "No answer yet. Today, by the model, {schools} schools hold {count} pupils more than they have places.",
            schools=_.number(full),
            count=_.number(over),
        )
    if not compared.planned:
        return _("There is no lawful plan with these rules.")
    before, after = (
        read_indicator(item, "mean_travel_min", compared.stage) for item in (compared.today, compared.outcome)
    )
    over, _full = count_over(compared.outcome, compared.stage)
    mean = _(
        "mean way {after} min (today {before})",
        after=_.number(after, digits=1),
        before=_.number(before, digits=1),
    )
    if compared.answer.ask.task == "choice" or not math.isfinite(over):
        return mean
    above = _("{count} pupils above the places", count=_.number(over)) if over > 0.5 else _("nobody above the places")
    return f"{mean} · {above}"


def render_side(study: StudyArea, compared: Compared, selected: Selected | None, _: Translator) -> None:
    """Draw the panel beside the map: the card of what is chosen, else the proof and the main findings."""
    with st.container(key="zoning_side", gap="small"):
        card = ""
        if selected is not None:
            build = build_zone_card if selected["kind"] == "school" else build_area_card
            card = build(study, compared, selected["id"], _)
        if card:
            st.button(_("← Back to the result"), key="zoning_close", type="tertiary", on_click=clear_selected)
            st.html(card)
            return
        st.html(f'<div class="card">{_build_panel(compared, _)}</div>')


def _build_panel(compared: Compared, _: Translator) -> str:
    hint = render_quiet(_("Click a school or an area on the map to see its card."))
    if compared.answer is None:
        return _build_start(compared, _) + hint
    if not compared.planned:
        return _build_conflicts(compared, _) + hint
    if compared.answer.outcome.choice:
        return _build_choice(compared, _) + hint
    outcome, stage = compared.answer.outcome, compared.stage
    certificate = find_certificate(outcome, stage)
    parts = [build_proof(certificate, outcome, _)] if certificate is not None else []
    parts += [render_title(_("Beside today")), _build_facts(compared, _), _build_shortages(compared, _)]
    worth = describe_place_values(compared.answer.place_values, 2)
    if worth:
        parts.append(render_title(_("Where one more class helps most")))
        parts += [f"<p>{text(_.say(item), longest=500)}</p>" for item in worth]
    return "".join(parts) + _build_notes(compared, _) + hint


def _build_start(compared: Compared, _: Translator) -> str:
    words = {
        True: _("The map shows today: the current zones."),
        False: _("The map shows today: every child at the nearest school, since no zones are given."),
    }[compared.today.scenario.enrolment == "zones"]
    over, full = count_over(compared.today, compared.stage)
    facts = [
        (_("Mean way (min)"), _.number(read_indicator(compared.today, "mean_travel_min", compared.stage), digits=1)),
        (_("Above the places"), _.number(over)),
        (_("Schools too full"), _.number(full) if math.isfinite(over) else _.number(None)),
    ]
    task = st.session_state.get("today_zoning_task_kept", "zoning")
    return f"<p>{text(say_task(str(task), _), longest=500)}</p><p>{text(words)}</p>" + render_facts(facts)


def _build_conflicts(compared: Compared, _: Translator) -> str:
    assert compared.answer is not None
    outcome = compared.answer.outcome
    head = render_title(_("What stands in the way"))
    blocks = [build_conflict(conflict, _, priced=False) for conflict in outcome.hard_conflicts]
    told = {conflict.message for conflict in outcome.hard_conflicts}
    blocks += [
        f'<div class="conflict">{text(_.say(message), longest=700)}</div>'
        for message in outcome.conflicts
        if message not in told
    ]
    return head + "".join(blocks) + render_quiet(_("The map shows today."))


def _build_facts(compared: Compared, _: Translator) -> str:
    outcome, stage = compared.outcome, compared.stage
    report = find_report(outcome, stage)
    before = count_over(compared.today, stage)
    after = count_over(outcome, stage)
    moved = float(count_moved(compared.today, outcome, stage).sum())
    title = _("Not at the school of today")
    if report is not None and math.isfinite(report.moved_pupils):
        moved, title = report.moved_pupils, _("Pupils who move")
    elif compared.today.scenario.enrolment != "zones":
        title = _("Not at the nearest school")
    arrow = "{} → {}"
    ways = [
        arrow.format(*(_.number(read_indicator(item, name, stage), digits=1) for item in (compared.today, outcome)))
        for name in ("mean_travel_min", "p95_travel_min")
    ]
    facts = [
        (_("Mean way (min)"), ways[0]),
        (_("95% within (min)"), ways[1]),
        (_("Above the places"), arrow.format(_.number(before[0]), _.number(after[0]))),
        (_("Schools too full"), arrow.format(_.number(before[1]), _.number(after[1]))),
        (title, _.number(moved)),
    ]
    return render_facts(facts)


def _build_shortages(compared: Compared, _: Translator) -> str:
    assert compared.answer is not None
    short = compared.answer.outcome.shortages
    if not short:
        return ""
    worst = sorted(short, key=lambda conflict: -conflict.short_pupils)[:MOST_SHORTAGES]
    blocks = "".join(build_conflict(conflict, _, priced=True) for conflict in worst)
    more = len(short) - len(worst)
    after = render_quiet(_("and {count} more in the table below", count=_.number(more))) if more > 0 else ""
    return render_title(_("Where places are short, or a rule is broken")) + blocks + after


def _build_notes(compared: Compared, _: Translator) -> str:
    report = find_report(compared.outcome, compared.stage)
    notes: tuple[Message, ...] = () if report is None else report.notes
    if not notes:
        return ""
    return render_title(_("Notes")) + "".join(render_quiet(_.say(note)) for note in notes)


def _build_choice(compared: Compared, _: Translator) -> str:
    fit = _find_fit(compared)
    if fit is None:
        return ""
    parts = [f"<p>{text(_.say(item), longest=600)}</p>" for item in describe_choice(fit)]
    parts.append(render_title(_("What the model says")))
    parts += [f"<p>{text(_.say(item.meaning), longest=300)}</p>" for item in fit.parameters]
    parts += [render_title(_("Notes")), *(render_quiet(_.say(note)) for note in fit.notes)]
    return "".join(parts)


def _find_fit(compared: Compared) -> ChoiceFit | None:
    answer = compared.answer
    found = () if answer is None else answer.outcome.choice
    return next((fit for fit in found if fit.stage == compared.stage), None)


def render_tables(study: StudyArea, compared: Compared, _: Translator) -> None:
    """Draw the tables below the map, one at a time."""
    names = _name_tables(compared, _)
    if not names:
        return
    key = "zoning_table"
    if st.session_state.get(key) not in names:
        kept = st.session_state.get(f"{key}_kept")
        st.session_state[key] = kept if kept in names else next(iter(names))
    chosen = st.segmented_control(
        _("Tables"), list(names), format_func=names.__getitem__, key=key, required=True, label_visibility="collapsed"
    )
    st.session_state[f"{key}_kept"] = chosen
    if chosen == "schools":
        _follow_table(build_fill_table(compared.today, compared.outcome, compared.stage, _), "school", key, _)
    elif chosen == "movers":
        _follow_table(build_mover_table(study, compared.today, compared.outcome, compared.stage, _), "unit", key, _)
    elif chosen == "downloads":
        render_downloads(study, compared, _)
    else:
        _render_other(chosen or "", compared, _)


def _name_tables(compared: Compared, _: Translator) -> dict[str, str]:
    if compared.answer is None:
        return {}
    names = {"downloads": _("Downloads")}
    outcome = compared.answer.outcome
    if not compared.planned:
        return names
    if outcome.choice:
        return {
            "flows": _("Who goes where"),
            "rolls": _("Rolls and model"),
            "schools": _("Schools before and after"),
            "compare": _("Beside today"),
            **names,
        }
    certificate = find_certificate(outcome, compared.stage)
    found = {
        "schools": _("Schools before and after"),
        "movers": _("Who moves"),
        "compare": _("Beside today"),
        **({"prices": _("Price of each rule")} if certificate is not None else {}),
        **({"values": _("Worth of more places")} if len(compared.answer.place_values) else {}),
    }
    if outcome.shortages:
        found["short"] = _("Shortages ({count})", count=_.number(len(outcome.shortages)))
    return {**found, **names}


def _follow_table(table: pd.DataFrame, kind: str, key: str, _: Translator) -> None:
    """Draw a table whose rows lead to the map."""
    if table.empty:
        st.text(_("Nobody goes to another school than today."))
        return
    st.session_state[SHOWN_ROWS_KEY] = [str(item) for item in table.index]
    st.caption(_("Choose a row to see it on the map. A click on a heading sorts."))
    name = f"{key}_{kind}_{len(table)}"
    _render_numbers(table, name, kind)


def _render_numbers(table: pd.DataFrame, key: str = "", kind: str = "") -> None:
    numbers = {str(name): st.column_config.NumberColumn(format="localized") for name in table.select_dtypes("number")}
    height: Literal["auto"] | int = 360 if len(table) > 9 else "auto"
    if not key:
        st.dataframe(table, hide_index=True, height=height, column_config=numbers)
        return
    st.dataframe(
        table.reset_index(drop=True),
        hide_index=True,
        height=height,
        column_config=numbers,
        key=key,
        on_select=lambda: _follow_row(key, kind),
        selection_mode="single-row",
    )


def _follow_row(key: str, kind: str) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    shown = st.session_state.get(SHOWN_ROWS_KEY, [])
    if rows and rows[0] < len(shown):
        select(kind, shown[rows[0]])


def _render_other(chosen: str, compared: Compared, _: Translator) -> None:
    answer = compared.answer
    if answer is None:
        return
    fit = _find_fit(compared)
    if chosen == "compare":
        zones = compared.today.scenario.enrolment == "zones"
        told = _("Today: as the current zones say.") if zones else _("Today: every child at the nearest school.")
        st.caption(told)
        st.dataframe(build_comparison(compared.today, compared.outcome, compared.stage, _), hide_index=True)
    elif chosen == "prices":
        _render_prices(compared, _)
    elif chosen == "values":
        for item in describe_place_values(answer.place_values):
            st.markdown("- " + plain(_.say(item), longest=600))
        st.caption(
            _(
                "Found for pupils who may be split among schools; pupil-minutes a day one way. One more place is the "
                "shadow price; one more class was solved anew for the schools where it could save most."
            )
        )
        _render_numbers(build_value_table(answer.place_values, compared.stage, _))
    elif chosen == "short":
        short = sorted(answer.outcome.shortages, key=lambda conflict: -conflict.short_pupils)
        st.html(f'<div class="card">{"".join(build_conflict(item, _, priced=True) for item in short)}</div>')
    elif chosen == "flows" and fit is not None:
        st.caption(_("Where the pupils of an area go by choice, and where they would go if all took the nearest."))
        for kind in ("setting", "town"):
            _render_numbers(build_flow_table(fit, kind, _))
    elif chosen == "rolls" and fit is not None:
        _render_numbers(build_roll_table(fit, _))


def _render_prices(compared: Compared, _: Translator) -> None:
    certificate = find_certificate(compared.outcome, compared.stage)
    table = pd.DataFrame() if certificate is None else build_price_table(certificate, _)
    if table.empty:
        st.text(_("No rule was measured."))
        return
    st.caption(_("What would be saved in travel a day, one way, if a single rule fell and all others stayed."))
    st.dataframe(table, hide_index=True)

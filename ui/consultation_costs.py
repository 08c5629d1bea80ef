"""What the proposal costs, as far as the bureau knows it: one line for each sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from reports.forecast_words import say_school_year
from reports.language import Translator
from ui.cards import text
from ui.consultation_details import Form
from ui.consultation_draft import LONGEST_TEXT, MOST_COSTS, PackDraft, build_cost
from ui.consultation_state import change_draft, recall_told, tell
from ui.state import translator
from ui.text import clean, plain

FIRST_YEAR, LAST_YEAR = 2000, 2100
UNIT = "CNY"


def render_costs(form: Form, first_year: int, _: Translator) -> None:
    """Draw the list of costs and the form for one more; ``first_year``: of the proposal's actions."""
    with st.container(key="consultation_costs", gap="small"):
        st.caption(_("The report prints these sums. Where none are given it says so. No cost is ever estimated here."))
        for place, item in enumerate(form.draft.costs):
            _render_row(form, place, item, _)
        if len(form.draft.costs) < MOST_COSTS:
            _render_new(form, first_year, _)


def _render_row(form: Form, place: int, item: Mapping[str, Any], _: Translator) -> None:
    cost = build_cost(item)
    if cost is None:
        return
    parts = [say_school_year(cost.school_year, _), f"{_.number(cost.amount, digits=2)} {cost.unit}"]
    if cost.price_year is not None:
        parts.append(_("prices of {year}", year=str(cost.price_year)))
    if cost.source:
        parts.append(cost.source)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"consultation_cost_{place}"):
        small = text(" · ".join(parts), longest=300)
        st.html(f'<div class="cost"><b>{text(cost.name)}</b><br><span>{small}</span></div>', width="stretch")
        st.button(
            _("Remove"),
            key=f"consultation_cost_drop_{place}",
            type="tertiary",
            on_click=_drop,
            args=(form.scenario_id, place, dict(item)),
        )


def _drop(scenario_id: str, place: int, item: dict[str, Any]) -> None:
    def change(draft: PackDraft) -> None:
        if place < len(draft.costs) and draft.costs[place] == item:
            del draft.costs[place]

    change_draft(scenario_id, change)


def _render_new(form: Form, first_year: int, _: Translator) -> None:
    with st.form("consultation_cost_form", border=True):
        st.text_input(_("What for"), key="consultation_cost_name", max_chars=LONGEST_TEXT)
        left, middle, right = st.columns([1.4, 0.8, 1], gap="small")
        with left:
            st.number_input(
                _("Amount"), min_value=0.0, step=10_000.0, format="%.2f", value=None, key="consultation_cost_amount"
            )
        with middle:
            st.text_input(_("Currency"), value=UNIT, key="consultation_cost_unit", max_chars=12)
        with right:
            st.number_input(
                _("Prices of the year"),
                min_value=FIRST_YEAR,
                max_value=LAST_YEAR,
                value=None,
                step=1,
                key="consultation_cost_price_year",
            )
        left, right = st.columns([1, 2.2], gap="small")
        with left:
            st.number_input(
                _("School year from"),
                min_value=FIRST_YEAR,
                max_value=LAST_YEAR,
                value=first_year,
                step=1,
                key="consultation_cost_school_year",
            )
        with right:
            st.text_input(_("Source"), key="consultation_cost_source", max_chars=LONGEST_TEXT)
        st.form_submit_button(_("Add this cost"), on_click=_add, args=(form.scenario_id,), key="consultation_cost_add")
    for line in recall_told("cost"):
        st.warning(plain(line, longest=300))


def _add(scenario_id: str) -> None:
    """Take over what the form says, and empty it; what is not enough for a cost is told, and stays in the form."""
    _ = translator()
    names = ("name", "amount", "unit", "price_year", "school_year", "source")
    item: dict[str, Any] = {name: st.session_state.get(f"consultation_cost_{name}") for name in names}
    item |= {name: clean(item[name] or "", longest=LONGEST_TEXT).strip() for name in ("name", "unit", "source")}
    if build_cost(item) is None:
        tell("cost", _("Say what the cost is for, how much it is, and from which school year."))
        return
    tell("cost")
    st.session_state.update({f"consultation_cost_{name}": "" for name in ("name", "source")})
    st.session_state["consultation_cost_amount"] = None

    def change(draft: PackDraft) -> None:
        draft.costs.append(item)

    change_draft(scenario_id, change)

"""Pupils and fill by year: the rolls of the past, and the plan in every year in which something changes."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from geodata.study import StudyArea
from planning.compare_years import ask_year, build_years, find_latest_roll, find_state_year
from planning.run import Outcome
from reports.compare_charts import build_year_chart
from reports.language import Translator
from ui.compare_options import Chosen
from ui.compare_view import Compared
from ui.scenario_outcomes import ask_scenario, find_outcome, is_heavy
from ui.text import clean, plain
from ui.zoning_keep import keep_value, put_back

ALL_YEARS_KEY = "compare_all_years"


def render_years(study: StudyArea, chosen: Chosen, compared: Compared, _: Translator) -> None:
    """Draw the charts by year, for all schools of the stage or one of them."""
    plans = _gather_plans(study, chosen, compared, _)
    school = _choose_school(compared, _)
    years = build_years(study, compared.stage, plans, school)
    if years.empty:
        st.text(_("No roll of any year is known, and no action has a year."))
        return
    st.caption(
        _(
            "Past years are those of the rolls. In the years of the plan the children are today's, because there is no"
            " forecast of births and moves yet: what changes is where they go to school. Fill of past years is measured"
            " by today's places."
        )
    )
    left, right = st.columns(2, gap="medium")
    names = compared.comparison.names
    with left:
        _draw(years, names, "pupils", _)
    with right:
        _draw(years, names, "fill_share", _)
    _show_table(years, names, _)


def _draw(years: pd.DataFrame, names: tuple[str, ...], what: str, _: Translator) -> None:
    if not years[what].notna().any():
        st.text(_("Pupils per place are not known.") if what == "fill_share" else _("Pupils are not known."))
        return
    spec = build_year_chart(years, names, what, _)
    st.vega_lite_chart(
        pd.DataFrame(spec["data"]["values"]),
        {key: value for key, value in spec.items() if key not in ("data", "description")},
        alt=spec["description"],
    )


def _show_table(years: pd.DataFrame, names: tuple[str, ...], _: Translator) -> None:
    labels = {-1: _("Rolls"), **dict(enumerate(names))}
    shown = pd.DataFrame(
        {
            _("Option"): [labels[int(number)] for number in years["option"]],
            _("School year from"): years["year"].astype(str),
            _("Pupils"): years["pupils"].round(),
            _("Places"): years["places"].round(),
            _("Pupils per place (%)"): (years["fill_share"] * 100).round(1),
        }
    )
    with st.expander(_("The numbers of the charts")):
        st.dataframe(shown, hide_index=True, height=min(400, 35 * (len(shown) + 1) + 3), placeholder="–")


def _choose_school(compared: Compared, _: Translator) -> str:
    """Draw the choice of one school of any option; ``""`` for all."""
    names: dict[str, str] = {}
    for outcome in compared.outcomes:
        table = outcome.school_table[outcome.school_table["stage"] == compared.stage]
        names |= dict(zip(table["school_id"].astype(str), table["name"].astype(str), strict=True))
    ordered = ["", *sorted(names, key=lambda key: names[key])]
    put_back("compare_year_school", "", ordered)
    found = st.selectbox(
        _("School"),
        ordered,
        format_func=lambda key: clean(names[key], longest=60) if key else _("All schools of this stage"),
        key="compare_year_school",
        width=340,
    )
    keep_value("compare_year_school", found)
    return str(found or "")


def _gather_plans(
    study: StudyArea, chosen: Chosen, compared: Compared, _: Translator
) -> list[tuple[int, int, Outcome]]:
    """Return option, year and answer; answers that take long only where they are there, or asked for."""
    if not chosen.years:
        latest = find_latest_roll(study, compared.stage)
        if latest is None:
            return []
        return [(number, latest + 1, outcome) for number, outcome in enumerate(compared.outcomes)]
    wanted = bool(st.session_state.get(ALL_YEARS_KEY))
    plans, missing = [], 0
    with st.spinner(_("Working out the years …")):
        for number, option in enumerate(compared.options):
            for year in chosen.years:
                # Between two of its own actions nothing changes: one answer stands for all these years.
                scenario = ask_year(option.scenario, find_state_year(option.scenario, year, chosen.years[0]))
                outcome = find_outcome(study, scenario, compared.rulebook)
                if outcome is None and (wanted or not is_heavy(study, scenario)):
                    outcome = ask_scenario(study, scenario, compared.rulebook, _=_)
                if outcome is None:
                    missing += 1
                    continue
                plans.append((number, year, outcome))
    if missing and not wanted:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(plain(_("Answers not worked out yet, because they take long: {count}.", count=missing)))
            st.button(_("Work out all years"), on_click=_want_all, key="compare_all_years_button")
    return plans


def _want_all() -> None:
    st.session_state[ALL_YEARS_KEY] = True

"""Pupils and fill by year: the rolls of the past, and the plan in every year in which something changes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from geodata.errors import LayoutError
from geodata.study import StudyArea
from planning.compare_years import ask_year, build_years, find_latest_roll, find_state_year
from planning.forecast import VARIANTS
from planning.run import Outcome
from planning.scenario import Scenario
from reports.compare_charts import build_year_chart
from reports.forecast_words import read_view_words, say_school_year, say_variant
from reports.language import Translator
from ui.compare_options import Chosen
from ui.compare_view import Compared
from ui.pupils_view import list_view_years, project_cached, read_forecast_options
from ui.scenario_outcomes import ask_scenario, find_outcome, is_heavy
from ui.text import clean, plain
from ui.zoning_keep import keep_value, put_back

ALL_YEARS_KEY = "compare_all_years"
WHOSE_KEY = "compare_year_whose"
TODAY = "today"


@dataclass(frozen=True)
class Asking:
    """Whose children the years of the plan have: a variant of the forecast, or today's (``""``)."""

    variant: str
    years: tuple[int, ...]


def render_years(study: StudyArea, chosen: Chosen, compared: Compared, _: Translator) -> None:
    """Draw the charts by year, for all schools of the stage or one of them."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        school = _choose_school(compared, _)
        asking = _choose_whose(study, chosen, _)
    plans = _gather_plans(study, chosen, compared, asking, _)
    years = build_years(study, compared.stage, plans, school)
    view = read_view_words(study.view)
    if view is not None:  # its "roll" is the forecast, and stands there as the plan
        years = years[(years["kind"] != "roll") | (years["year"] < view[0])]
    if years.empty:
        st.text(_("No roll of any year is known, and no action has a year."))
        return
    st.caption(plain(say_whose(study, asking, _), longest=500))
    left, right = st.columns(2, gap="medium")
    names = compared.comparison.names
    with left:
        _draw(years, names, "pupils", _)
    with right:
        _draw(years, names, "fill_share", _)
    _show_table(years, names, _)


def say_whose(study: StudyArea, asking: Asking, _: Translator) -> str:
    """Return whose children the years of the plan have, and what the fill of past years is measured by."""
    view = read_view_words(study.view)
    if view is not None:
        words = _(
            "Past years are those of the rolls. The plan is that of {year} with the children of the {variant}.",
            year=say_school_year(view[0], _),
            variant=say_variant(view[1], _),
        )
    elif asking.variant:
        words = _(
            "Past years are those of the rolls. In the years of the plan the children are those of the {variant}.",
            variant=say_variant(asking.variant, _),
        )
    else:
        words = _(
            "Past years are those of the rolls. In the years of the plan the children are today's: what changes is"
            " where they go to school."
        )
    more = _("Fill of past years is measured by today's places.")
    return words + ("" if _.language == "zh" else " ") + more


def _choose_whose(study: StudyArea, chosen: Chosen, _: Translator) -> Asking:
    """Draw the choice of the children of the plan's years; nothing to choose where all pages show those of one year."""
    known = [] if study.view or not chosen.years else list_view_years(study)
    if not any(year in known for year in chosen.years):
        return Asking("", ())
    names: dict[str, str] = {TODAY: _("Today's"), **{name: say_variant(name, _) for name in VARIANTS}}
    put_back(WHOSE_KEY, "middle", list(names))
    found = st.selectbox(
        _("Children of the plan's years"), list(names), format_func=names.__getitem__, key=WHOSE_KEY, width=210
    )
    keep_value(WHOSE_KEY, found)
    return Asking("" if found == TODAY else str(found), tuple(known))


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
    study: StudyArea, chosen: Chosen, compared: Compared, asking: Asking, _: Translator
) -> list[tuple[int, int, Outcome]]:
    """Return option, year and answer; answers that take long only where they are there, or asked for."""
    if not chosen.years:
        view = read_view_words(study.view)
        latest = find_latest_roll(study, compared.stage) if view is None else view[0] - 1
        if latest is None:
            return []
        return [(number, latest + 1, outcome) for number, outcome in enumerate(compared.outcomes)]
    wanted = bool(st.session_state.get(ALL_YEARS_KEY))
    plans, missing = [], 0
    with st.spinner(_("Working out the years …")):
        for number, option in enumerate(compared.options):
            for year in chosen.years:
                of_year, scenario = _ask(study, option.scenario, year, chosen.years[0], asking)
                outcome = find_outcome(of_year, scenario, compared.rulebook)
                if outcome is None and (wanted or not is_heavy(of_year, scenario)):
                    outcome = ask_scenario(of_year, scenario, compared.rulebook, _=_)
                if outcome is None:
                    missing += 1
                    continue
                plans.append((number, year, outcome))
    if missing and not wanted:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(plain(_("Answers not worked out yet, because they take long: {count}.", count=missing)))
            st.button(_("Work out all years"), on_click=_want_all, key="compare_all_years_button")
    return plans


def _ask(study: StudyArea, scenario: Scenario, year: int, first: int, asking: Asking) -> tuple[StudyArea, Scenario]:
    """Return study and question of one year: projected where the forecast knows it and that is asked for."""
    if asking.variant and year in asking.years:
        options = read_forecast_options()
        try:
            projected = project_cached(study, year, asking.variant, options)
        except LayoutError:
            return study, ask_year(scenario, find_state_year(scenario, year, first))
        own = next(name for name in VARIANTS if name == asking.variant)
        return projected, dataclasses.replace(scenario, year=year, variant=own, forecast=options)
    # Between two of its own actions nothing changes: one answer stands for all these years.
    plain_scenario = dataclasses.replace(scenario, variant="")
    return study, ask_year(plain_scenario, find_state_year(plain_scenario, year, first))


def _want_all() -> None:
    st.session_state[ALL_YEARS_KEY] = True

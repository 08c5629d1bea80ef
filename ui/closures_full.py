"""The full answer on the Closures page: the changes run as a scenario: grades, buses, beds, what the rules say."""

from __future__ import annotations

import dataclasses

import streamlit as st

from planning.run import Outcome
from planning.scenario import Scenario
from reports.closure_lists import build_answer_rows
from reports.language import Translator
from reports.tables import render_csv
from ui.closure_answer import render_closure_answer
from ui.closures_card import name_change
from ui.closures_engine import Engine
from ui.closures_state import Asked, build_actions
from ui.scenario_outcomes import ask_scenario, find_outcome
from ui.text import plain

FULL_KEY = "closures_full"


def build_full_scenario(engine: Engine, asked: Asked, name: str) -> Scenario:
    """Return the base with the changes as further actions, under a name."""
    base = engine.question.scenario
    return dataclasses.replace(base, name=name, actions=(*base.actions, *build_actions(asked, engine.stage)))


def ask_full(engine: Engine, asked: Asked) -> None:
    """Remember that the reader wants the full answer to just these changes."""
    st.session_state[FULL_KEY] = f"{engine.key}:{asked.digest}"


def render_full_answer(engine: Engine, asked: Asked, _: Translator) -> None:
    """Draw the full answer where it was asked for (or is known already), else the button that asks."""
    scenario = build_full_scenario(engine, asked, name_change(engine, asked, _))
    rulebook = engine.question.rulebook
    wanted = st.session_state.get(FULL_KEY) == f"{engine.key}:{asked.digest}"
    outcome = find_outcome(engine.county, scenario, rulebook)
    if outcome is None and not wanted:
        st.caption(
            _("Minutes by grade, who must ride or board, bus seats, beds, what becomes free, what the rules say.")
        )
        st.button(
            _("Work out the full answer"),
            type="primary",
            key="closures_full_run",
            on_click=ask_full,
            args=(engine, asked),
        )
        return
    if outcome is None:
        with st.spinner(_("Working out the full answer …")):
            outcome = ask_scenario(engine.county, scenario, rulebook, slot="closures_full", _=_)
    if outcome is not None:
        _render_outcome(engine, outcome, len(engine.question.scenario.all_actions), _)


def _render_outcome(engine: Engine, outcome: Outcome, inherited: int, _: Translator) -> None:
    """Draw the answers to the changes; those of the base came before."""
    for problem in outcome.action_problems:
        if problem.number > inherited:
            st.warning(plain(_.say(problem.message), longest=500))
    if outcome.plan is None:
        for conflict in outcome.conflicts:
            st.error(plain(_.say(conflict), longest=600))
    answers = tuple(answer for answer in outcome.closures if answer.number > inherited)
    if not answers:
        st.text(_("Nothing closes: where pupils go stands in the table “Who moves”."))
        return
    names = {str(place): answer.name for place, answer in enumerate(answers)}
    chosen = "0"
    if len(answers) > 1:
        chosen = (
            st.pills(
                _("School"),
                list(names),
                format_func=names.__getitem__,
                default="0",
                required=True,
                key="closures_full_school",
            )
            or "0"
        )
    place = min(int(chosen), len(answers) - 1)
    render_closure_answer(answers[place], _, rules=outcome.rules, key="closures_full")
    files = {
        "receivers": _("Receiving schools (CSV)"),
        "communities": _("Communities (CSV)"),
        "grades": _("Grades (CSV)"),
    }
    with st.container(horizontal=True):
        for part, title in files.items():
            st.download_button(
                title,
                lambda part=part: render_csv(build_answer_rows(answers, part)),  # type: ignore[misc]
                file_name=f"closure_{part}_{engine.stage}_{engine.question.mode}.csv",
                mime="text/csv",
                key=f"closures_full_download_{part}",
                on_click="ignore",
            )

"""Closures: what if each school closed? Ranked, on the map, with the reasons; sizes changed and schools opened too."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from geodata.study import StudyArea
from reports.language import Translator
from ui.closures_card import build_change_card, name_change, render_changes
from ui.closures_choices import Question, render_question
from ui.closures_engine import Answered, Engine, answer_asked, build_engine, rank_at_once
from ui.closures_full import ask_full
from ui.closures_map import build_picture, render_closures_map
from ui.closures_pairs import render_singles
from ui.closures_panels import build_county_card, render_headline, render_page_style
from ui.closures_propose import render_propose
from ui.closures_put import render_done, render_put
from ui.closures_state import SELECTION, Asked, clear_asked, drop_unknown, read_asked, read_combine, read_tool
from ui.closures_table import TABLE_KEY, render_tables
from ui.closures_tools import render_tools, take_click
from ui.page_words import render_page_words
from ui.pupils_view import settle_scenario
from ui.reopen import open_or_build
from ui.scenario_who import recall_who
from ui.selection import Selected
from ui.state import translator
from ui.text import plain


@st.fragment
def render_closures(study: StudyArea) -> None:
    """Draw the page; a click or a choice runs only this part again."""
    _ = translator()
    render_page_words(_)
    with st.container(key="closures_page"):
        headline = st.empty()
        recall_who()
        question = render_question(study, _)
        if question is None:
            return
        study, _scenario, told = settle_scenario(study, question.scenario, _)
        if told:
            st.info(plain(told, longest=400))
        engine = _prepare(study, question, _)
        if engine.what_if is None:
            with headline:
                render_headline(engine, None, _)
            return
        scope = engine.key
        asked = take_click(engine, scope, _read_known(engine, scope), _)
        place = st.container()
        with place:
            left, right = st.columns([2.3, 1], gap="small")
        with right, st.container(key="closures_side", gap="small"):
            asked = render_tools(engine, scope, asked, _)
            render_propose(engine, scope, asked, _)
            panel = st.container(gap="small")
        ranking = _rank(engine, _)
        answered = answer_asked(engine, asked)
        with headline:
            render_headline(engine, ranking, _)
        with panel:
            _render_panel(study, engine, ranking, asked, answered, _)
        with left:
            render_closures_map(engine, ranking, asked, answered, choose_selected(asked))
        render_done(_)
        render_tables(engine, scope, ranking, asked, answered, _)


def _prepare(study: StudyArea, question: Question, _: Translator) -> Engine:
    with st.spinner(_("Solving the base for the what-ifs …")):
        return build_engine(question.compute_key(study.fingerprint), study, question)


def _rank(engine: Engine, _: Translator) -> pd.DataFrame | None:
    if not engine.quick_to_rank:
        return render_singles(engine, _)
    with st.spinner(_("Closing every school in turn …")):
        return rank_at_once(engine.key, engine)


def _read_known(engine: Engine, scope: str) -> Asked:
    assert engine.what_if is not None
    return drop_unknown(read_asked(scope), engine.study, frozenset(engine.what_if.school_ids))


def choose_selected(asked: Asked) -> Selected | None:
    """Return what is ringed on the map: what was clicked, where that is of use for the tool in hand."""
    selected = SELECTION.read()
    if read_tool() == "close" and not read_combine():
        return {"kind": "school", "id": asked.closed[0]} if len(asked.closed) == 1 else None
    if read_tool() == "places":
        return selected
    return selected if selected is not None and selected["kind"] == "unit" and read_tool() == "close" else None


def _render_panel(
    study: StudyArea,
    engine: Engine,
    ranking: pd.DataFrame | None,
    asked: Asked,
    answered: Answered | None,
    _: Translator,
) -> None:
    if answered is None:
        st.html(build_county_card(engine, ranking, _))
        return
    if answered.answer is not None:
        with st.container(horizontal=True, gap="small", key="closures_buttons"):
            st.button(_("Full answer"), key="closures_full_open", on_click=_open_full, args=(engine, asked))
            render_put(study, engine, asked, name_change(engine, asked, _), _)
            st.button(_("Take back"), key="closures_clear", type="tertiary", on_click=clear_asked)
    render_changes(engine, engine.key, asked, _)
    picture = build_picture(engine, ranking, asked, answered)
    st.html(build_change_card(engine, asked, answered, picture, _))
    if answered.answer is None:
        st.caption(plain(_("Take the change back, or choose another one.")))


def _open_full(engine: Engine, asked: Asked) -> None:
    ask_full(engine, asked)
    st.session_state[TABLE_KEY] = "full"


render_page_style()
county = open_or_build()
if county is not None:
    render_closures(county)

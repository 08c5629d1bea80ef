"""The Scenarios page: the list, or the open scenario with its bar, numbers, map, steps and answers."""

from __future__ import annotations

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import StudyArea
from reports.language import Translator
from store import StoredScenario, StoreError
from ui.cards import STYLE as CARD_STYLE
from ui.page_words import render_page_words
from ui.pupils_view import settle_scenario
from ui.scenario_answers import ask_whole, await_whole, render_answers, render_record, render_schools, save_run
from ui.scenario_bar import render_bar
from ui.scenario_conflict import collect_all_names, has_conflict, render_conflict, render_notices
from ui.scenario_history import render_history
from ui.scenario_list import render_list
from ui.scenario_map import MAP_HEIGHT, choose_painted, render_scenario_map
from ui.scenario_numbers import STYLE as TILE_STYLE
from ui.scenario_numbers import build_tiles, list_tiles
from ui.scenario_outcomes import find_outcome, is_heavy
from ui.scenario_panel import render_card, render_finder
from ui.scenario_pick import read_chosen
from ui.scenario_preview import render_preview
from ui.scenario_steps import STYLE as STEP_STYLE
from ui.scenario_steps import gather_problems, render_steps
from ui.scenario_store import close_scenario, find_stored, read_open_id, render_who, say_trouble
from ui.scenario_view import Selected, View, build_view, choose_stage, clear_selected
from ui.scenario_who import recall_who
from ui.scenario_work import Work, open_work
from ui.state import translator
from ui.text import plain
from ui.today_choices import list_stages
from ui.zoning_keep import keep_value, put_back

TABS = ("answers", "schools", "history", "record")
PAGE_STYLE = f"""
<style>
.st-key-scenario_page {{ --scenario-map: max(380px, calc(100vh - 246px)); gap: 0.5rem; }}
.block-container {{ padding: 4.1rem 2rem 1.5rem !important; max-width: none !important; }}
.headline {{ font-size: 1.04rem; font-weight: 600; line-height: 1.35; }}
.headline .badge {{ background: #fff3d6; border: 1px solid #e3c477; color: #6b4d00; border-radius: 4px;
  font-size: 0.78rem; font-weight: 600; padding: 0.05rem 0.4rem; margin-right: 0.5rem; white-space: nowrap; }}
.headline .saved {{ color: #5d6b6c; font-weight: 400; font-size: 0.8rem; margin-left: 0.6rem; }}
.st-key-scenario_side {{ display: block; flex: none !important; height: calc({MAP_HEIGHT} + 106px) !important;
  min-height: 0 !important; max-height: calc({MAP_HEIGHT} + 106px) !important; overflow-y: auto !important;
  padding-right: 0.4rem; }}
.st-key-scenario_side > * {{ margin-bottom: 0.5rem; }}
.st-key-scenario_side > [data-testid=stElementContainer]:has(> [data-testid=stEmpty]) {{ display: none; }}
.st-key-scenario_bar button, .st-key-scenario_switches button {{ min-height: 34px; padding: 0 0.62rem; }}
.st-key-scenario_side label p {{ font-size: 0.78rem; color: #52605f; }}
.st-key-scenario_form {{ padding: 0.6rem 0.75rem; gap: 0.55rem; }}
[class*="st-key-scenario_step_"]:not([class*="menu"]) {{ border-top: 1px solid #e8eded; padding-top: 0.3rem;
  flex-wrap: nowrap !important; }}
[class*="st-key-scenario_step_menu"] button {{ min-height: 1.7rem; padding: 0 0.45rem; border: 0; }}
[class*="st-key-scenario_version_"] {{ border-top: 1px solid #e8eded; padding-top: 0.25rem;
  flex-wrap: nowrap !important; }}
[class*="st-key-scenario_version_"] button {{ min-height: 1.8rem; padding: 0 0.6rem; }}
.version b {{ font-weight: 600; font-size: 0.88rem; }}
.version span {{ display: block; color: #5d6b6c; font-size: 0.78rem; }}
[class*="st-key-scenario_row_"] {{ padding: 0.35rem 0.75rem !important; flex-wrap: nowrap !important; }}
.row-words {{ display: flex; justify-content: space-between; gap: 1rem; color: #5d6b6c; font-size: 0.84rem; }}
.state {{ font-size: 0.78rem; border-radius: 4px; padding: 0.05rem 0.45rem; background: #eef2f2; white-space: nowrap; }}
.state.good {{ background: #e2f1e8; color: #1f5b3d; }} .state.bad {{ background: #fbe9dd; color: #8a3a08; }}
.conflict-head {{ font-size: 1rem; }} .side-by h4 {{ font-size: 0.9rem; margin: 0; padding: 0.2rem 0; }}
.side-by ol {{ margin: 0; padding-left: 1.4rem; font-size: 0.88rem; }}
.side-by .own {{ font-weight: 650; color: #8a3a08; }}
.st-key-scenario_conflict_box {{ border-color: #e0913f !important; background: #fffaf3; }}
.record {{ border-collapse: collapse; font-size: 0.88rem; }} .record td {{ padding: 0.2rem 1rem 0.2rem 0; }}
.record td:first-child {{ color: #5d6b6c; }}
</style>
"""


def render_page_style() -> None:
    """Add the style of the page."""
    st.html(PAGE_STYLE + CARD_STYLE + TILE_STYLE + STEP_STYLE)


@st.fragment
def render_scenarios(study: StudyArea) -> None:
    """Draw the page; a click runs only this part again."""
    _ = translator()
    render_page_words(_)
    recall_who()
    if not list_stages(study):
        st.warning(plain(_("No school of this county teaches any stage: load a table of schools with places.")))
        return
    try:
        stored = find_stored(read_open_id())
        with st.container(key="scenario_page"):
            if stored is None or (stored.deleted and not has_conflict()):
                with st.container():
                    _say_missing(stored, _)
                render_list(study, _)
            else:
                _render_open(study, open_work(stored), _)
    except StoreError as error:
        st.error(plain(say_trouble(error, _), longest=500))


def _say_missing(stored: StoredScenario | None, _: Translator) -> None:
    """Say that the scenario of the address is not there, and show the list instead."""
    if read_open_id():
        words = _("The scenario of this link is not there: it may be of another county or another machine.")
        if stored is not None:
            words = _("“{name}” has been deleted. It can be brought back below.", name=stored.name)
        close_scenario()
        st.info(plain(words, longest=300))


def _render_open(study: StudyArea, work: Work, _: Translator) -> None:
    """Draw the open scenario."""
    try:
        scenario = work.read()
    except LayoutError as error:
        st.error(plain(_("This scenario cannot be read. {why}", why=say_trouble(error, _)), longest=700))
        st.button(_("← All scenarios"), key="scenario_all", on_click=close_scenario)
        return
    study, scenario, told = settle_scenario(study, scenario, _)
    with st.container():  # a place of its own: what comes and goes here must not shift what stands below
        if told:
            st.info(plain(told, longest=400))
        render_notices(work, _)
        if has_conflict():
            render_conflict(work, collect_all_names(study, scenario), _)
    selected = read_chosen()
    bar, columns = st.container(), st.columns([2.3, 1], gap="small")
    with columns[0]:
        strip = st.empty()
        with st.container(key="scenario_switches", horizontal=True, gap="small", vertical_alignment="center"):
            painted = choose_painted(_)
            stage = choose_stage(scenario, _)
        place = st.container()
    view = build_view(study, work, scenario, stage)
    with bar:
        render_bar(view, _)
    _render_strip(view, strip, _)
    # The form of the panel says which list clicks go into, and the map marks them: so the panel comes first.
    with columns[1]:
        _render_side(view, selected, _)
    with place:
        if view.quick.now is not None:
            render_scenario_map(view, painted, selected, view.quick.now)
    _render_below(view, _)
    render_preview(view, _)


def _render_strip(view: View, strip: st.delta_generator.DeltaGenerator, _: Translator) -> None:
    """Say the numbers, or why there are none yet."""
    quick = view.quick
    if quick.now is not None:
        strip.html(build_tiles(list_tiles(quick.now, _), _))
        return
    words = " ".join(_.say(conflict) for conflict in quick.against)
    if quick.way == "waiting":
        words = _("This way of enrolment takes a while: the numbers come with the whole answer below.")
    strip.warning(plain(words, longest=500))


def _render_side(view: View, selected: Selected | None, _: Translator) -> None:
    with st.container(key="scenario_side"):
        if not st.session_state.get("who"):
            with st.container(border=True, key="scenario_who_box"):
                render_who(_, key="scenario_who_side")
        render_finder(view, _)
        if selected is not None and render_card(view, selected, _):
            # The list that stood here would stay in sight, faded, until the whole run is over.
            for _place in range(len(view.scenario.actions) + 6):
                st.empty()
            return
        if selected is not None:
            clear_selected()
        wrong = sum(problem.severity == "error" for found in gather_problems(view).values() for problem in found)
        if wrong:
            words = _("{count} problems: these steps are left out until they are mended.", count=_.number(wrong))
            st.caption(":orange[●] " + plain(words))
        render_steps(view, _)


def _render_below(view: View, _: Translator) -> None:
    """Draw what stands below the map: answers, schools, history, record."""
    names = {
        "answers": _("Whole answer"),
        "schools": _("Schools before and after"),
        "history": _("History"),
        "record": _("Details"),
    }
    key = "scenario_tab"
    put_back(key, "answers", TABS)
    with st.container(key="scenario_below"):
        tab = st.segmented_control(
            _("Below the map"),
            TABS,
            format_func=names.__getitem__,
            key=key,
            required=True,
            label_visibility="collapsed",
        )
        keep_value(key, tab)
        if tab == "history":
            render_history(view, _)
            return
        outcome = find_outcome(view.study, view.scenario, view.rulebook)
        if outcome is None and is_heavy(view.study, view.scenario):
            outcome = ask_whole(view, _) if _wanted(view, _) else None
        elif outcome is None:
            await_whole(view, _)
        if outcome is None:
            return
        save_run(view, outcome)
        draw = {"answers": render_answers, "schools": render_schools, "record": render_record}
        draw[str(tab or "answers")](view, outcome, _)


def _wanted(view: View, _: Translator) -> bool:
    """Whether the reader asked for a heavy answer of just this version."""
    key, mark = "scenario_wanted", [view.work.stored.scenario_id, view.work.stored.text]
    if st.session_state.get(key) == mark:
        return True

    def want() -> None:
        st.session_state[key] = mark

    st.caption(_("In a county of this size the whole answer takes from seconds to minutes."))
    st.button(_("Work out the whole answer"), key="scenario_whole", type="primary", on_click=want)
    return False

"""Pairs of closures on the Closures page: ranked on demand by a job with progress, kept on disk, shown as a table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from geodata.errors import LayoutError
from reports.closure_tables import Filter, build_pair_table, list_headings, order_ranking, select_ranking
from reports.language import Translator
from reports.tables import render_csv
from ui.closures_engine import Engine
from ui.closures_job import RankAsk, compute_rank_key, rank_in_worker, read_ranking
from ui.closures_state import close_exactly, keep_asked, read_asked
from ui.job_panel import clear_job, read_job, render_job, start_job
from ui.jobs import JobState
from ui.pupils_view import read_viewed_of
from ui.state import read_open_reference
from ui.studies import read_class_sizes, read_reference
from ui.text import plain

PAIRS_SLOT, SINGLES_SLOT = "closures_pairs", "closures_singles"
PAIR_ROWS_KEY = "closures_pair_rows"
MOST_SHOWN = 2_000


@st.cache_resource(max_entries=6, show_spinner=False)
def _load(key: str) -> pd.DataFrame | None:
    found = read_ranking(key)
    return None if found is None else order_ranking(found)


def find_ranking(key: str) -> pd.DataFrame | None:
    """Return a ranking that a job has made, or None; what is not there yet is looked for again."""
    found = _load(key)
    if found is None:
        _load.clear(key)
    return found


def build_ask(engine: Engine, *, pairs: bool, school_ids: tuple[str, ...] | None = None) -> RankAsk:
    """Return what a job is to rank."""
    question = engine.question
    return RankAsk(question.rulebook, question.scenario, question.stage, pairs, school_ids)


def start_ranking(engine: Engine, ask: RankAsk, slot: str) -> bool:
    """Start the job; False where the study cannot be read any more."""
    reference = read_open_reference()
    try:
        spec = None if reference is None else read_reference(reference)
    except (LookupError, LayoutError):
        spec = None
    if spec is None:
        return False
    key = compute_rank_key(engine.fingerprint, ask)
    clear_job(slot)
    viewed = read_viewed_of(engine.county)
    arguments = {"class_sizes": read_class_sizes(), "name": key, "ask": ask, "viewed": viewed}
    start_job(slot, key, rank_in_worker, spec=spec, **arguments)
    return True


def render_singles(engine: Engine, _: Translator) -> pd.DataFrame | None:
    """Return the ranking of a large county; while a job makes it, draw its progress and return None."""
    ask = build_ask(engine, pairs=False)
    found = find_ranking(compute_rank_key(engine.fingerprint, ask))
    if found is not None:
        return found
    if read_job(SINGLES_SLOT) is None and st.session_state.get("closures_singles_stopped") != engine.key:
        if not start_ranking(engine, ask, SINGLES_SLOT):
            st.session_state["closures_singles_stopped"] = engine.key
        st.rerun()
    state = render_job(SINGLES_SLOT, _("Closing every school in turn. What-if on the map works meanwhile."))
    if state is not None:
        clear_job(SINGLES_SLOT)
        if state.status != "done":
            st.session_state["closures_singles_stopped"] = engine.key
        st.rerun()
    if st.session_state.get("closures_singles_stopped") == engine.key and st.button(
        _("Rank all closures"), key="closures_singles_run"
    ):
        st.session_state.pop("closures_singles_stopped")
        st.rerun()
    return None


def render_pairs(engine: Engine, scope: str, ranking: pd.DataFrame | None, chosen: Filter, _: Translator) -> None:
    """Draw the button, the running job, or the ranked pairs of the schools that fit the filter."""
    if ranking is None or engine.what_if is None:
        st.text(_("Pairs can be ranked once every single school has been."))
        return
    picked = select_ranking(ranking, chosen)["school_id"].astype(str)
    school_ids = None if len(picked) == len(ranking) else tuple(sorted(picked))
    count = len(picked) * (len(picked) - 1) // 2
    ask = build_ask(engine, pairs=True, school_ids=school_ids)
    pairs = find_ranking(compute_rank_key(engine.fingerprint, ask))
    if pairs is not None:
        _render_table(engine, scope, pairs, _)
        return
    words = _(
        "{count} pairs of the {schools} schools that fit the filter.",
        count=_.number(count),
        schools=_.number(len(picked)),
    )
    st.caption(plain(words))
    state = render_job(PAIRS_SLOT, _("Ranking pairs of closures"))
    if state is not None:
        clear_job(PAIRS_SLOT)
        st.session_state["closures_pairs_failed"] = "" if state.status == "done" else _say_failure(state, _)
        st.rerun()
    failure = st.session_state.get("closures_pairs_failed")
    if failure:
        st.warning(plain(failure, longest=500))
    busy = read_job(PAIRS_SLOT) is not None
    if st.button(_("Rank the pairs"), type="primary", key="closures_pairs_run", disabled=busy or count == 0):
        st.session_state["closures_pairs_failed"] = ""
        start_ranking(engine, ask, PAIRS_SLOT)
        st.rerun()


def _say_failure(state: JobState, _: Translator) -> str:
    if state.status == "cancelled":
        return _("Stopped. Nothing was ranked.")
    words = [] if state.problem is None else [_.say(state.problem)]
    return " ".join([*words, *(_.say(issue.problem) for issue in state.issues[:3])])


def _render_table(engine: Engine, scope: str, pairs: pd.DataFrame, _: Translator) -> None:
    if pairs.empty:
        st.text(_("There is no pair: fewer than two schools fit the filter."))
        return
    told = _("Tick a pair to see it on the map.")
    if len(pairs) > MOST_SHOWN:
        told += " " + _(
            "The first {shown} of {all} pairs are shown; the file has all.",
            shown=_.number(MOST_SHOWN),
            all=_.number(len(pairs)),
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(told))
        st.download_button(
            _("Pairs as CSV"),
            lambda: render_csv(_build_rows(pairs, _)),
            file_name=f"closure_pairs_{engine.stage}_{engine.question.mode}.csv",
            mime="text/csv",
            key="closures_download_pairs",
            on_click="ignore",
        )
    table = build_pair_table(pairs.head(MOST_SHOWN), _)
    shown = [str(key) for key in table.index]
    meanings = {heading.title: heading.meaning for heading in list_headings(_)}
    numbers = {
        str(name): st.column_config.NumberColumn(format="localized", help=meanings.get(str(name)))
        for name in table.select_dtypes("number")
    }
    st.dataframe(
        table.reset_index(drop=True),
        hide_index=True,
        height=390 if len(table) > 10 else "auto",
        key=PAIR_ROWS_KEY,
        column_config=numbers,
        placeholder="–",
        on_select=lambda: _follow_pair(scope, shown),
        selection_mode="single-row",
        alt=_("Pairs"),
    )


def _build_rows(pairs: pd.DataFrame, _: Translator) -> pd.DataFrame:
    rows = pairs.copy()
    rows["dependent_units"] = [";".join(str(unit) for unit in units) for units in pairs["dependent_units"]]
    rows["reason"] = [_.say(reason) for reason in pairs["reason"]]
    return rows


def _follow_pair(scope: str, shown: list[str]) -> None:
    rows = st.session_state[PAIR_ROWS_KEY]["selection"]["rows"]
    if rows and rows[0] < len(shown):
        first, second = shown[rows[0]].split("\n")
        keep_asked(scope, close_exactly(read_asked(scope), (first, second)))

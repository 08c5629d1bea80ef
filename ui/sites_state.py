"""What the Sites page remembers: the answers by place, the plan and the year shown, what is chosen on the map."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from geodata.study import StudyArea
from planning.siting_answer import SitingAnswer, SitingPlan
from reports.siting_scene import find_year
from ui.selection import Selection
from ui.sites_job import Found, SitesAnswer, read_found, read_sites_answer

MAP_KEY = "sites_map"
SELECTION = Selection(MAP_KEY, "sites_selected", "sites_focus")
read_selected, select, clear_selected = SELECTION.read, SELECTION.select, SELECTION.clear
ANSWERS_KEY, FOUND_KEY = "sites_answers", "sites_found"
"""Keys of the last answers, and of the last places found, by study, stage and way."""
PLAN_KEY, YEAR_KEY = "sites_plan", "sites_year"
ANSWERS_IN_MEMORY = 6


@dataclass(frozen=True, eq=False)
class Shown:
    """What the page shows: an answer with one of its plans in one of its years, or none yet.

    ``key`` names the answer. ``year``: of the plan, None: there is but the present.
    """

    key: str
    kept: SitesAnswer | None
    plan: SitingPlan | None
    year: int | None

    @property
    def answer(self) -> SitingAnswer | None:
        """The answer, None where there is none yet."""
        return None if self.kept is None else self.kept.answer


@st.cache_resource(max_entries=ANSWERS_IN_MEMORY, show_spinner=False)
def _load_answer(key: str) -> SitesAnswer | None:
    return read_sites_answer(key)


@st.cache_resource(max_entries=ANSWERS_IN_MEMORY, show_spinner=False)
def _load_found(key: str) -> Found | None:
    return read_found(key)


def find_answer(key: str) -> SitesAnswer | None:
    """Return the answer kept under a key, or None; what is not there yet is looked for again."""
    found = _load_answer(key) if key else None
    if found is None and key:
        _load_answer.clear(key)
    return found


def find_found(key: str) -> Found | None:
    """Return the places found that are kept under a key, or None."""
    found = _load_found(key) if key else None
    if found is None and key:
        _load_found.clear(key)
    return found


def name_place(study: StudyArea, stage: str, mode: str) -> str:
    """Return the name under which the session keeps the last answer."""
    return f"{study.fingerprint}:{stage}:{mode}"


def keep_key(table: str, place: str, key: str) -> None:
    """Remember the last answer (or places found) of a study, stage and way."""
    st.session_state[table] = {**st.session_state.get(table, {}), place: key}


def recall_key(table: str, place: str) -> str:
    """Return the key of the last answer (or places found), ``""`` for none."""
    return str(st.session_state.get(table, {}).get(place, ""))


def build_shown(key: str) -> Shown:
    """Return the answer of a key with the plan and year that the reader looks at."""
    kept = find_answer(key)
    if kept is None or not kept.answer.plans:
        return Shown(key if kept is not None else "", kept, None, None)
    ids = [plan.plan_id for plan in kept.answer.plans]
    chosen = st.session_state.get(PLAN_KEY)
    plan = kept.answer.find(chosen if chosen in ids else ids[0])
    asked = st.session_state.get(YEAR_KEY)
    return Shown(key, kept, plan, find_year(plan, asked if isinstance(asked, int) else None) or None)


def show_plan(plan_id: str) -> None:
    """Show a plan; for callbacks."""
    st.session_state[PLAN_KEY] = plan_id
    clear_selected()


def forget_answer(key: str) -> None:
    """Forget what is held in memory under a key, because it was made anew."""
    _load_answer.clear(key)

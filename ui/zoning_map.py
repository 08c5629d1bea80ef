"""The map of the Zoning page: the zones proposed, or those of today, with what changes marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

import streamlit as st

from geodata.study import StudyArea, compute_digest
from planning.run import Outcome
from reports.language import Translator, read_catalogue
from reports.map_scene import View, build_study_parts
from reports.maps import MapPart
from reports.zone_scene import ZonePicture, build_picture, build_plain_picture, build_zone_parts, build_zone_scene
from ui.map_canvas import render_map
from ui.map_settings import read_tiles
from ui.selection import Selected as Selected
from ui.selection import Selection
from ui.state import read_language
from ui.today_choices import Choice
from ui.today_map import ask
from ui.zoning_choices import Question, has_zones
from ui.zoning_job import Answer

MAP_KEY = "zoning_map"
SELECTED_KEY = "zoning_selected"
FOCUS_KEY = "zoning_focus"
SELECTION = Selection(MAP_KEY, SELECTED_KEY, FOCUS_KEY)
read_selected, select, clear_selected = SELECTION.read, SELECTION.select, SELECTION.clear
MAP_HEIGHT = "var(--zoning-map)"
Shown = Literal["zones", "time", "today"]


@dataclass(frozen=True, eq=False)
class Compared:
    """What the page shows: an answer (or none yet) beside today. ``key`` names the answer."""

    stage: str
    mode: str
    today: Outcome
    answer: Answer | None
    key: str

    @property
    def planned(self) -> bool:
        """Whether there is an answer with a plan."""
        return self.answer is not None and self.answer.outcome.plan is not None

    @property
    def outcome(self) -> Outcome:
        """What the map shows by default: the answer where it has a plan, else today."""
        return self.answer.outcome if self.answer is not None and self.planned else self.today


def ask_today(study: StudyArea, question: Question) -> Outcome:
    """Return today: as the current zones say where there are any, else every child at the nearest school."""
    enrolment = "zones" if has_zones(study, question.stage) else "nearest"
    choice = Choice(cast(Any, question.stage), cast(Any, question.mode), cast(Any, enrolment), question.rulebook)
    return ask(study, choice)


@st.cache_resource(max_entries=24, show_spinner=False)
def _build_view(
    fingerprint: str, key: str, shown: Shown, language: str, _study: StudyArea, _compared: Compared
) -> tuple[dict[str, Any], dict[str, MapPart]]:
    _ = read_catalogue(language)
    stage = _compared.stage
    outcome = _compared.today if shown == "today" else _compared.outcome
    view = View(stage, _compared.mode, "time" if shown == "time" else "school", "modelled", language)
    picture = _build_picture(_study, _compared, shown)
    scene = build_zone_scene(_study, outcome, view, picture, _)
    return scene, dict(build_zone_parts(_study, outcome, view, picture, _))


def _build_picture(study: StudyArea, compared: Compared, shown: Shown) -> ZonePicture:
    if shown == "today" or compared.answer is None:
        return build_plain_picture(study, compared.today, compared.stage)
    return build_picture(study, compared.answer.outcome, compared.today, compared.stage)


@st.cache_resource(max_entries=4, show_spinner=False)
def _build_study_parts(fingerprint: str, _study: StudyArea) -> dict[str, MapPart | None]:
    return build_study_parts(_study)


def choose_shown(compared: Compared, _: Translator) -> Shown:
    """Draw the switch of what the map shows; without a plan there is only today."""
    if not compared.planned:
        return "zones"
    names = {"zones": _("Proposed"), "today": _("Today"), "time": _("Minutes proposed")}
    if compared.outcome.choice:
        names = {"zones": _("By choice"), "today": _("Today"), "time": _("Minutes by choice")}
    key = "zoning_shown"
    if st.session_state.get(key) not in names:
        st.session_state[key] = st.session_state.get(f"{key}_kept", "zones")
    chosen = st.segmented_control(
        _("On the map"),
        list(names),
        format_func=names.__getitem__,
        key=key,
        required=True,
        label_visibility="collapsed",
    )
    st.session_state[f"{key}_kept"] = chosen or "zones"
    return cast(Shown, chosen or "zones")


def render_zoning_map(study: StudyArea, compared: Compared, shown: Shown, selected: Selected | None) -> None:
    """Draw the map."""
    language = read_language()
    key = f"{compared.key}:{compared.stage}:{compared.mode}:{compared.today.record.rulebook_fingerprint}"
    scene, parts = _build_view(study.fingerprint, key, shown, language, study, compared)
    drawn = {
        **scene,
        "selected": selected,
        "focus": st.session_state.get(FOCUS_KEY),
        "tiles": None if study.crs == "local" else read_tiles(),
        "version": compute_digest(scene["version"], key, shown),
    }
    render_map(drawn, {**_build_study_parts(study.fingerprint, study), **parts}, key=MAP_KEY, height=MAP_HEIGHT)


def forget_views() -> None:
    """Forget what was drawn of answers, because one of them was made anew."""
    _build_view.clear()

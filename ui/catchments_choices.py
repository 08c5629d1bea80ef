"""The row of choices above the drawing table: stage, way, where the drawing begins, by which rules it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from geodata.messages import msg
from geodata.study import StudyArea
from reports.language import Translator
from ui.catchments_open import Sheet, Terms, begin_anew, tell
from ui.catchments_state import Origin
from ui.rulebooks import choose_rulebook
from ui.state import read_address
from ui.today_choices import choose_one, choose_stage_and_mode, list_stages
from ui.zoning_choices import CAPS, name_cap
from ui.zoning_job import read_answer
from ui.zoning_keep import ANSWERS_KEY, keep_value, put_back
from ui.zoning_rules import Rows, choose_barriers, choose_overload, render_goals, render_start_file

TAKE_KEY = "catchments_take"
"""Key of the answer that the Zoning page hands over."""
DEFAULT_SECONDS = 20.0


@dataclass(frozen=True)
class Effort:
    """What "improve from here" aims at and how long it may take. ``goals``: see ``ZoningOptions.objectives``."""

    goals: tuple[tuple[Any, float], ...]
    travel_cap: str
    overload: str
    seconds: float


@dataclass(frozen=True)
class Choices:
    """What is chosen; ``row`` is the row of the page."""

    terms: Terms
    effort: Effort
    row: DeltaGenerator


def name_origin(origin: str, _: Translator) -> str:
    """Return where a drawing began."""
    names = {
        "current": _("Today's zones"),
        "nearest": _("Nearest school"),
        "answer": _("The last answer of the Zoning page"),
        "table": _("Own file"),
    }
    return names.get(origin, origin)


def render_choices(study: StudyArea, _: Translator) -> Choices | None:
    """Draw the row; None where no school teaches anything."""
    if not list_stages(study):
        return None
    row = st.container(key="catchments_first", horizontal=True, vertical_alignment="center", gap="small")
    with row:
        stage, mode = choose_stage_and_mode(study, _)
        scope = f"{study.fingerprint[:10]}_{stage}"
        with st.popover(_("Goals and rules"), key="catchments_rules"):
            terms, effort = _render_rules(study, stage, mode, scope, _)
    return Choices(terms, effort, row)


def _render_rules(study: StudyArea, stage: Any, mode: Any, scope: str, _: Translator) -> tuple[Terms, Effort]:
    st.caption(_("What the numbers are judged by, and what “improve from here” aims at."))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        rulebook = choose_rulebook(_)
        seconds = _enter_seconds(_)
    known = bool((study.zones["stage"] == stage).any())
    goals = render_goals(_, scope, with_moved=known)
    cap = choose_one(_("Travel limit of the rules"), CAPS, "zoning_cap", lambda item: name_cap(item, _), 220)
    overload = choose_overload(_)
    barriers = choose_barriers(study, scope, _)
    return Terms(stage, mode, rulebook, cap, tuple(barriers)), Effort(goals, cap, overload, seconds)


def _enter_seconds(_: Translator) -> float:
    key = "catchments_seconds"
    put_back(key, DEFAULT_SECONDS)
    seconds = st.number_input(
        _("Seconds to spend on “improve from here”"),
        min_value=2.0,
        max_value=3600.0,
        step=10.0,
        format="%.0f",
        key=key,
        width=280,
    )
    keep_value(key, seconds)
    return float(seconds)


def list_origins(sheet: Sheet) -> list[Origin]:
    """Return where a drawing can begin: today's zones and the last answer only where there are any."""
    found: list[Origin] = ["current"] if sheet.has_today else []
    answer: list[Origin] = ["answer"] if find_answer_key(sheet) else []
    return [*found, "nearest", *answer, "table"]


def find_answer_key(sheet: Sheet) -> str:
    """Return the key of the last zones that the Zoning page proposed for this stage, ``""`` where there are none."""
    answers = st.session_state.get(ANSWERS_KEY, {})
    modes = [sheet.terms.mode, *sorted(sheet.study.travel)]
    places = [f"{sheet.study.fingerprint}:{sheet.terms.stage}:{mode}:zoning" for mode in modes]
    return next((str(answers[place]) for place in places if answers.get(place)), "")


def render_start(sheet: Sheet, _: Translator) -> Sheet:
    """Draw where the drawing can begin anew; returns the sheet, which an imported plan may have widened."""
    with st.popover(_("Begin from …"), key="catchments_begin"):
        st.caption(_("The drawing begins again with these zones. That is a step like any other: undo brings it back."))
        options = list_origins(sheet)
        key = f"catchments_origin_{sheet.terms.stage}"
        put_back(key, options[0], options)
        origin = st.radio(
            _("Begin from …"),
            options,
            format_func=lambda item: name_origin(item, _),
            key=key,
            label_visibility="collapsed",
        )
        keep_value(key, origin)
        rows: Rows = ()
        if origin == "table":
            scope = f"{sheet.study.fingerprint[:10]}_{sheet.terms.stage}"
            rows = render_start_file(sheet.study, sheet.terms.stage, f"drawing_{scope}", _)
        ready = origin != "table" or bool(rows)
        if st.button(_("Begin again from here"), key="catchments_restart", disabled=not ready):
            return begin_from(sheet, origin, rows)
    return sheet


def begin_from(sheet: Sheet, origin: Origin, rows: Rows) -> Sheet:
    """Begin the drawing again from a start, or say why that cannot be."""
    if origin == "answer":
        return take_answer(sheet, find_answer_key(sheet))
    table = pd.DataFrame(rows, columns=["unit_id", "stage", "school_id"], dtype=str) if origin == "table" else None
    return begin_anew(sheet, table, origin)


def take_answer(sheet: Sheet, key: str) -> Sheet:
    """Begin the drawing again with the zones that the Zoning page proposed."""
    answer = read_answer(key) if key else None
    zones = None if answer is None else answer.outcome.zones
    if zones is None or not (zones["stage"] == sheet.terms.stage).any():
        tell(msg("The answer of the Zoning page is no longer there. Run it again."))
        return sheet
    return begin_anew(sheet, zones[zones["stage"] == sheet.terms.stage], "answer")


def render_take_over(key: str, _: Translator) -> None:
    """Draw the button of the Zoning page that takes its zones over to the drawing table."""
    if st.button(_("Take over to the drawing table"), key="zoning_take"):
        st.session_state[TAKE_KEY] = key
        st.switch_page("pages/catchments.py", query_params=read_address())


def say_state(touched: int, origin: str, steps: int, _: Translator) -> str:
    """Return in a line where the drawing comes from and how far it has gone."""
    if not steps:
        return _("Begun from: {origin}. Nothing drawn yet.", origin=name_origin(origin, _))
    if not touched:
        return _("Begun from: {origin}. Nothing differs from it now.", origin=name_origin(origin, _))
    return _(
        "Begun from: {origin}. {count} areas differ from it. Saved: the address of this page opens it again.",
        origin=name_origin(origin, _),
        count=_.number(touched),
    )

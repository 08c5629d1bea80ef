"""The switches of the Today page: stage, mode, enrolment, rulebook, and what the colours mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import streamlit as st

from geodata.study import MODES, STAGES, Mode, Stage, StudyArea
from planning.scenario import EnrolmentMethod
from reports.language import Translator
from reports.legend import (
    COLOUR_BY,
    Basis,
    ColourBy,
    name_colour_by,
    name_mode_short,
    name_stage_short,
)
from ui.rulebooks import choose_rulebook
from ui.state import ADDRESS, keep_in_address


@dataclass(frozen=True)
class Choice:
    """What the reader asks of the Today page."""

    stage: Stage
    mode: Mode
    enrolment: EnrolmentMethod
    rulebook: str
    colour_by: ColourBy = "time"
    basis: Basis = "actual"


def list_stages(study: StudyArea) -> list[Stage]:
    """Return the stages that some school teaches."""
    taught = set(study.places["stage"])
    return [stage for stage in STAGES if stage in taught]


def list_enrolments(study: StudyArea, stage: Stage) -> list[EnrolmentMethod]:
    """Return how children can be sent to school: by zones only where there are zones for the stage."""
    return ["nearest", "zones"] if (study.zones["stage"] == stage).any() else ["nearest"]


def list_bases(study: StudyArea, stage: Stage) -> list[Basis]:
    """Return whose pupils can colour the schools: those enrolled only where the rolls know any of the stage."""
    known = study.rolls[(study.rolls["stage"] == stage) & study.rolls["pupils"].notna()]
    return ["actual", "modelled"] if len(known) else ["modelled"]


def render_choices(study: StudyArea, _: Translator) -> Choice | None:
    """Draw the switches in one row and return what is chosen; None where no school teaches anything."""
    if not list_stages(study):
        return None
    with st.container(key="today_choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        stage, mode = choose_stage_and_mode(study, _)
        colour_by = choose_one(_("Colour of the areas"), COLOUR_BY, "colour", lambda name: name_colour_by(name, _), 156)
        actual = _("Forecast rolls") if study.view else _("Enrolled today")
        bases = {"actual": actual, "modelled": _("By the model")}
        basis = choose_one(_("Pupils of schools"), list_bases(study, stage), "basis", bases.__getitem__, 148)
        methods = {"nearest": _("Nearest school"), "zones": _("Current catchments")}
        enrolment = choose_one(_("Model"), list_enrolments(study, stage), "enrolment", methods.__getitem__, 166)
        rulebook = choose_rulebook(_)
    return Choice(
        stage=stage,
        mode=mode,
        enrolment=cast(EnrolmentMethod, enrolment),
        rulebook=rulebook,
        colour_by=cast(ColourBy, colour_by),
        basis=cast(Basis, basis),
    )


def choose_stage_and_mode(study: StudyArea, _: Translator) -> tuple[Stage, Mode]:
    """Draw the two switches that every page with a map has; the study teaches at least one stage."""
    stages, modes = list_stages(study), [mode for mode in MODES if mode in study.travel]
    first = "primary" if "primary" in stages else stages[0]
    stage = choose_switch(_("Stage"), stages, "stage", lambda name: name_stage_short(name, _), first)
    mode = choose_switch(_("On the way"), modes or ["walk"], "mode", lambda name: name_mode_short(name, _))
    return cast(Stage, stage), cast(Mode, mode)


def choose_switch(label: str, options: Sequence[str], name: str, say: Callable[[str], str], first: str = "") -> str:
    """Draw a row of buttons; what is chosen holds on the pages that share the name."""
    key = _restore(name, options)
    chosen = st.segmented_control(
        label,
        list(options),
        format_func=say,
        key=key,
        default=None if key in st.session_state else first or options[0],
        required=True,
        on_change=_tell_address,
        args=(name, key),
    )
    return _remember(name, chosen, options)


def _tell_address(name: str, key: str) -> None:
    chosen = st.session_state.get(key)
    if name in dict(ADDRESS) and chosen:
        keep_in_address(name, f"{key}_kept", str(chosen))


def choose_one(label: str, options: Sequence[str], name: str, say: Callable[[str], str], width: int) -> str:
    """Draw a list to choose from; what is chosen holds on the pages that share the name."""
    key = _restore(name, options)
    chosen = st.selectbox(label, list(options), format_func=say, key=key, width=width, disabled=len(options) == 1)
    return _remember(name, chosen, options)


def _restore(name: str, options: Sequence[str]) -> str:
    """Put back what was chosen before a visit to another page; forget what this county does not offer."""
    key = f"today_{name}"
    kept = st.session_state.get(key, st.session_state.get(f"{key}_kept"))
    if kept in options:
        st.session_state[key] = kept
    else:
        st.session_state.pop(key, None)
    return key


def _remember(name: str, chosen: str | None, options: Sequence[str]) -> str:
    value = chosen if chosen is not None and chosen in options else options[0]
    st.session_state[f"today_{name}_kept"] = value
    return value

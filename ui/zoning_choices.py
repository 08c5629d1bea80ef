"""The questions of the Zoning page: stage, way, what to do, and the few choices that matter most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from geodata.study import StudyArea
from planning.assignment_options import AssignmentOptions, ChoiceOptions
from planning.run import Limits
from planning.scenario import EnrolmentMethod, Scenario
from planning.zoning_options import ZoningOptions
from reports.language import Translator
from ui.rulebooks import choose_rulebook
from ui.today_choices import choose_one, choose_stage_and_mode, choose_switch, list_stages
from ui.zoning_job import Ask
from ui.zoning_keep import keep_value, put_back
from ui.zoning_rules import Rows, render_goals, render_more, render_start_file

TASKS = ("zoning", "capacity", "choice")
CAPS = ("none", "priced", "hard")


@dataclass(frozen=True)
class Question:
    """What is asked, and whether the button was pressed. ``ask`` is None while something is missing.

    ``row`` is the row of the page that holds the button.
    """

    stage: str
    mode: str
    task: str
    rulebook: str
    ask: Ask | None
    pressed: bool
    row: DeltaGenerator


def name_task(task: str, _: Translator) -> str:
    """Return what is to be done, as a switch shows it."""
    names = {
        "zoning": _("Zones in one piece"),
        "capacity": _("Pupils within places"),
        "choice": _("What families choose"),
    }
    return names.get(task, task)


def name_cap(cap: str, _: Translator) -> str:
    """Return how the travel limit is used."""
    names = {"none": _("No limit"), "priced": _("Longer ways cost more"), "hard": _("Never longer")}
    return names.get(cap, cap)


def name_start(start: str, _: Translator) -> str:
    """Return where the search begins."""
    names = {
        "current": _("Current zones"),
        "nearest": _("Nearest school"),
        "capacity": _("Pupils within places"),
        "scratch": _("From scratch"),
        "table": _("Own file"),
    }
    return names.get(start, start)


def has_zones(study: StudyArea, stage: str) -> bool:
    """Whether the study knows the zones of today."""
    return bool((study.zones["stage"] == stage).any())


def render_question(study: StudyArea, _: Translator, *, busy: bool) -> Question | None:
    """Draw the choices and the button; None where no school teaches anything."""
    if not list_stages(study):
        return None
    with st.container(key="zoning_first", horizontal=True, vertical_alignment="bottom", gap="small"):
        stage, mode = choose_stage_and_mode(study, _)
        task = choose_switch(_("What to do"), TASKS, "zoning_task", lambda name: name_task(name, _))
        rulebook = choose_rulebook(_)
    scope = f"{study.fingerprint[:10]}_{stage}"
    row = st.container(key="zoning_second", horizontal=True, vertical_alignment="bottom", gap="small")
    with row:
        start, budget = _render_start(study, stage, scope, _) if task == "zoning" else ("nearest", None)
        cap = _choose_cap(_) if task != "choice" else "none"
        pressed = st.button(_name_button(task, _), type="primary", key="zoning_run", disabled=busy)
        opened = _open_more(_)
    rows: Rows = render_start_file(study, stage, scope, _) if start == "table" else ()
    ready = start != "table" or bool(rows)
    with st.container(border=True, key="zoning_more" if opened else "zoning_more_closed"):
        objectives: tuple[tuple[Any, float], ...] = (("travel", 0.0),)
        if task == "zoning":
            objectives = render_goals(_, scope, with_moved=has_zones(study, stage))
        more = render_more(study, stage, task, scope, cap, _)
    if not ready:
        return Question(stage, mode, task, rulebook, None, pressed, row)
    scenario = Scenario(
        name=task,
        stages=("primary", stage) if task == "zoning" and more.feeders == "proposed" else (stage,),
        mode=mode,
        enrolment=cast(EnrolmentMethod, task),
        assignment=AssignmentOptions(travel_cap=cast(Any, cap), **more.assignment),
        choice=ChoiceOptions(decay=cast(Any, more.decay)),
        zoning=ZoningOptions(
            start=cast(Any, start),
            start_zones=rows,
            objectives=objectives,
            max_moved_pupils=budget,
            locked_schools=more.locked_schools,
            grandfather=more.grandfather,
            feeders=cast(Any, more.feeders),
            max_feeder_split_share=more.feeder_split_share,
        )
        if task == "zoning"
        else ZoningOptions(),
    )
    ask = Ask(rulebook, scenario, Limits(more.time_limit_s if task != "choice" else None, None, more.seed))
    return Question(stage, mode, task, rulebook, ask, pressed, row)


def _name_button(task: str, _: Translator) -> str:
    return {
        "zoning": _("Propose zones"),
        "capacity": _("Assign pupils"),
        "choice": _("Find out"),
    }[task]


def _open_more(_: Translator) -> bool:
    """Draw the switch that opens the further choices; they hold while they are closed."""
    key = "zoning_more_open"
    put_back(key, False)
    opened = st.toggle(_("More choices"), key=key)
    keep_value(key, opened)
    return bool(opened)


def say_task(task: str, _: Translator) -> str:
    """Return what a task does, in a sentence or two."""
    return {
        "zoning": _(
            "Every area gets one school; every zone is one piece of land around its school and keeps to the places. "
            "The answer says how far it is, at most, from the best possible."
        ),
        "capacity": _(
            "All pupils together travel as little as the places allow; the pupils of an area may go to several "
            "schools. No plan can do better, so this is the measure for zones."
        ),
        "choice": _(
            "A model fitted to the rolls: how far families go, how much larger schools draw, and how many pupils "
            "leave the villages for the seat."
        ),
    }[task]


def _render_start(study: StudyArea, stage: str, scope: str, _: Translator) -> tuple[str, float | None]:
    known = has_zones(study, stage)
    options = [*(["current"] if known else []), "nearest", "capacity", "scratch", "table"]
    name = f"zoning_start_{scope}"
    start = choose_one(_("Start from"), options, name, lambda item: name_start(item, _), 190)
    budget = None
    if known:
        key = f"zoning_budget_{scope}"
        put_back(key, None)
        value = st.number_input(
            _("Most pupils to move"),
            min_value=0,
            step=100,
            value=None,
            placeholder=_("no limit"),
            key=key,
            width=190,
            help=_("Pupils whose school changes against the current zones. Empty: as many as it takes."),
        )
        keep_value(key, value)
        budget = None if value is None else float(value)
    return start, budget


def _choose_cap(_: Translator) -> str:
    return choose_one(_("Travel limit of the rules"), CAPS, "zoning_cap", lambda item: name_cap(item, _), 200)

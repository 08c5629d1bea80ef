"""The list of steps: each as a sentence, with what is wrong about it and a cure; order, year, comment, removal."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import streamlit as st

from planning.action_steps import ActionProblem
from planning.action_words import describe_action
from planning.actions import Action
from planning.scenario import Scenario
from reports.language import Translator
from ui.cards import text
from ui.scenario_panel import list_named, remove_step
from ui.scenario_view import View, put_actions, select
from ui.scenario_work import change_work
from ui.state import translator
from ui.text import clean

EARLIEST, LATEST = 1990, 2100
LONGEST_COMMENT = 300

STYLE = """
<style>
.step { display: grid; grid-template-columns: 1.5rem 1fr; gap: 0.1rem 0.3rem; font-size: 0.9rem; line-height: 1.35;
  overflow-wrap: anywhere; }
.step > b { color: #0b6e72; font-variant-numeric: tabular-nums; }
.step .more { grid-column: 2; color: #52605f; font-size: 0.8rem; }
.step .wrong, .step .doubt { grid-column: 2; font-size: 0.82rem; border-left: 3px solid #b3490b; padding-left: 0.5rem;
  margin-top: 0.15rem; }
.step .doubt { border-color: #e0913f; }
.step .cure { color: #1f5b3d; }
.step.preview { display: block; }
.step.waits, .step.above { color: #6d7877; }
.step-of { font-size: 0.86rem; line-height: 1.35; background: #f2f8f8; border-radius: 6px; padding: 0.3rem 0.5rem; }
.goes { margin: 0.5rem 0 0; font-size: 0.9rem; } .goes span { color: #5d6b6c; font-size: 0.78rem; display: block; }
</style>
"""


def render_steps(view: View, _: Translator) -> None:
    """Draw the steps of the parents, then the own ones."""
    inherited, own = view.scenario.inherited, view.scenario.actions
    problems = gather_problems(view)
    if inherited:
        parent = view.work.ancestors[0].name if view.work.ancestors else str(view.scenario.parent or "")
        title = _("From “{name}”: {count} steps", name=clean(parent, longest=50), count=len(inherited))
        with st.expander(title, expanded=False):
            for number, action in enumerate(inherited, start=1):
                st.html(build_step(view, number, action, problems.get(number, []), _, above=True))
    if not own:
        _render_invitation(_)
        return
    for place, action in enumerate(own, start=1):
        _render_step(view, place, action, problems, _)


def gather_problems(view: View) -> dict[int, list[ActionProblem]]:
    """Return what is wrong, by the number of the step."""
    found: dict[int, list[ActionProblem]] = {}
    for problem in view.quick.applied.problems:
        found.setdefault(problem.number, []).append(problem)
    return found


def _render_invitation(_: Translator) -> None:
    lines = [
        _("Click a school on the map: close it, merge it, change its size."),
        _("Click a community: open a school there, or send it to another school."),
        _("Click a candidate site (open diamond): open a school with one of its sizes."),
    ]
    items = "".join(f"<li>{text(line)}</li>" for line in lines)
    title = _("No steps yet")
    st.html(f'<div class="card"><h3>{text(title)}</h3><ul class="quiet">{items}</ul></div>')


def build_step(
    view: View, number: int, action: Action, problems: list[ActionProblem], _: Translator, *, above: bool = False
) -> str:
    """Return one step as HTML: the sentence, year and comment, and what is wrong."""
    in_force = view.quick.applied.in_force
    waits = len(in_force) >= number and not in_force[number - 1] and not problems
    more = [_("from {year}", year=action.year)] if action.year is not None else []
    if waits:
        more.append(_("not yet in force"))
    if action.comment:
        more.append(action.comment)
    words = text(_.say(describe_action(action, view.names)), longest=400)
    line = f'<div class="more">{text(" · ".join(more), longest=400)}</div>' if more else ""
    wrong = "".join(build_problem(problem, _) for problem in problems)
    kind = " ".join(["step", *(["waits"] if waits else []), *(["above"] if above else [])])
    return f'<div class="{kind}"><b>{number}</b><div>{words}</div>{line}{wrong}</div>'


def build_problem(problem: ActionProblem, _: Translator) -> str:
    """Return what is wrong with a step, and its cure, as HTML."""
    cure = "" if problem.cure is None else f' <span class="cure">{text(_.say(problem.cure), longest=400)}</span>'
    kind = "wrong" if problem.severity == "error" else "doubt"
    sign = "✗ " if problem.severity == "error" else "! "
    return f'<div class="{kind}">{sign}{text(_.say(problem.message), longest=400)}{cure}</div>'


def _render_step(
    view: View, place: int, action: Action, problems: dict[int, list[ActionProblem]], _: Translator
) -> None:
    number = place + len(view.scenario.inherited)
    last = len(view.scenario.actions)
    with st.container(key=f"scenario_step_{place}", horizontal=True, gap="small", vertical_alignment="top"):
        st.html(build_step(view, number, action, problems.get(number, []), _), width="stretch")
        with st.popover("⋯", help=_("Order, year, comment, remove"), key=f"scenario_step_menu_{place}"):
            words = clean(_.say(describe_action(action, view.names)), longest=200)
            _render_terms(place, action, words, _)
            with st.container(horizontal=True, gap="small"):
                st.button(
                    _("↑ Earlier"),
                    key=f"scenario_up_{place}",
                    disabled=place == 1,
                    on_click=_move,
                    args=(place, -1, words),
                )
                st.button(
                    _("↓ Later"),
                    key=f"scenario_down_{place}",
                    disabled=place == last,
                    on_click=_move,
                    args=(place, 1, words),
                )
            with st.container(horizontal=True, gap="small"):
                _render_show(view, action, place, _)
                st.button(_("Remove"), key=f"scenario_remove_{place}", on_click=remove_step, args=(place, words))


def _render_terms(place: int, action: Action, words: str, _: Translator) -> None:
    """Draw year and comment of a step."""
    year_key, comment_key = f"scenario_year_{place}", f"scenario_comment_{place}"
    st.session_state[year_key], st.session_state[comment_key] = action.year, action.comment

    def keep_year() -> None:
        value = st.session_state.get(year_key)
        note = _("Year of a step: {step}", step=words)
        _edit(place, lambda item: dataclasses.replace(item, year=None if value is None else int(value)), note)

    def keep_comment() -> None:
        value = clean(st.session_state.get(comment_key) or "", longest=LONGEST_COMMENT)
        note = _("Comment of a step: {step}", step=words)
        _edit(place, lambda item: dataclasses.replace(item, comment=value), note)

    st.number_input(
        _("In force from school year (empty: at once)"),
        min_value=EARLIEST,
        max_value=LATEST,
        step=1,
        key=year_key,
        on_change=keep_year,
    )
    st.text_input(_("Comment"), key=comment_key, max_chars=LONGEST_COMMENT, on_change=keep_comment)


def _render_show(view: View, action: Action, place: int, _: Translator) -> None:
    """Draw the button that goes to the first school or community of a step."""
    named = list_named(action)
    schools = set(view.study.schools["school_id"].astype(str)) | set(
        view.quick.applied.changes["school_id"].astype(str)
    )
    found = next((("school", key) for key in sorted(named) if key in schools), None)
    if found is None:
        units = set(view.study.units["unit_id"].astype(str))
        found = next((("unit", key) for key in sorted(named) if key in units), None)
    if found is not None:
        st.button(_("Show on the map"), key=f"scenario_show_{place}", on_click=select, args=found)


def _edit(place: int, change: Callable[[Action], Action], note: str) -> None:
    def apply(scenario: Scenario) -> Scenario:
        actions = list(scenario.actions)
        actions[place - 1] = change(actions[place - 1])
        return put_actions(scenario, actions)

    change_work(apply, note)


def _move(place: int, by: int, words: str) -> None:
    def apply(scenario: Scenario) -> Scenario:
        actions = list(scenario.actions)
        actions[place - 1], actions[place - 1 + by] = actions[place - 1 + by], actions[place - 1]
        return put_actions(scenario, actions)

    _ = translator()
    change_work(apply, _("Order of the steps: {step}", step=words))

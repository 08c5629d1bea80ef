"""The card of what was clicked on the map, with the steps that make sense there."""

from __future__ import annotations

import math

import streamlit as st

from planning.actions import Action
from reports.language import Translator
from reports.legend import name_kind, name_stage_short
from reports.scenario_points import SITE_PREFIX
from ui.cards import render_facts, render_head, render_quiet, say_place_of, text
from ui.scenario_forms import list_stages, list_tasks, list_units, render_school_form
from ui.scenario_pick import stop_pick
from ui.scenario_places import list_site_facts, list_unit_tasks, render_open, render_unit_form
from ui.scenario_view import Selected, View, clear_selected, find_row, put_actions, read_number, select
from ui.scenario_work import change_work
from ui.state import translator
from ui.text import clean


def render_finder(view: View, _: Translator) -> None:
    """Draw the field that finds a school, a community or a site by its name."""
    key = "scenario_find"
    schools = view.study.schools
    words = {f"school:{item}": clean(view.name(str(item)), longest=60) for item in schools["school_id"].astype(str)}
    opened = view.quick.applied.changes
    fresh = opened.loc[opened["what"] == "opened", "school_id"].astype(str)
    words |= {f"school:{item}": clean(view.name(item), longest=60) for item in fresh}
    sites = view.study.sites["site_id"].astype(str)
    words |= {f"school:{SITE_PREFIX}{item}": clean(view.name(item), longest=60) for item in sites}
    words |= {f"unit:{item}": name for item, name in list_units(view).items()}

    def go() -> None:
        kind, _colon, found = str(st.session_state.get(key) or "").partition(":")
        if found:
            select(kind, found)
        st.session_state[key] = None

    st.selectbox(
        _("Find a school, community or site"),
        list(words),
        format_func=lambda item: words.get(item, item),
        index=None,
        key=key,
        on_change=go,
        placeholder=_("Find a school, community or site"),
        label_visibility="collapsed",
    )


def render_card(view: View, selected: Selected, _: Translator) -> bool:
    """Draw the card of what was chosen; False where it is not there any more."""
    kind, key = selected["kind"], selected["id"]
    if kind == "school" and key.startswith(SITE_PREFIX):
        return _render_site(view, key.removeprefix(SITE_PREFIX), _)
    return _render_school(view, key, _) if kind == "school" else _render_unit(view, key, _)


def _render_close(_: Translator) -> None:
    st.button(_("← Back to the steps"), key="scenario_card_close", on_click=clear_selected, type="tertiary")


def _choose_task(tasks: dict[str, str], key: str, _: Translator) -> str:
    chosen = st.pills(_("What to do"), list(tasks), format_func=tasks.__getitem__, key=key)
    if chosen is None:
        stop_pick()
    elif st.session_state.get("scenario_task_last") != [key, chosen]:
        stop_pick()  # the form of another step picks something else
    st.session_state["scenario_task_last"] = [key, chosen]
    return str(chosen or "")


def _render_school(view: View, school_id: str, _: Translator) -> bool:
    row = find_row(view.after.schools, "school_id", school_id)
    today = find_row(view.study.schools, "school_id", school_id)
    about = row if row is not None else today
    if about is None:
        return False
    _render_close(_)
    head = render_head(view.name(school_id), [name_kind(str(about["kind"]), _), *say_place_of(about, _)])
    st.html(f'<div class="card">{head}{_build_school_facts(view, school_id, _)}</div>')
    done = _list_steps_of(view, school_id)
    for number in done:
        _render_step_of(view, number, _)
    if row is None:
        return True
    task = _choose_task(list_tasks(view, school_id, _), f"scenario_task_{school_id}", _)
    if task:
        with st.container(key="scenario_form", border=True):
            render_school_form(view, school_id, task, _)
    elif not done:
        st.caption(_("Choose what should happen to this school. Every step can be undone."))
    return True


def _build_school_facts(view: View, school_id: str, _: Translator) -> str:
    now = view.quick.now
    facts: list[tuple[str, str]] = []
    row = None if now is None else find_row(now.schools, "school_id", school_id)
    if row is not None:
        for title, name in ((_("Pupils (model)"), "pupils"), (_("Places"), "places")):
            facts.append((title, _say_change(read_number(row, f"{name}_before"), read_number(row, f"{name}_after"), _)))
        pupils, places = read_number(row, "pupils_after"), read_number(row, "places_after")
        if places > 0 and math.isfinite(pupils):
            facts.append((_("Fill"), _.percent(pupils / places)))
    stages = list_stages(view, school_id)
    if stages:
        facts.append((_("Stages"), _.join([name_stage_short(stage, _) for stage in stages])))
    beds = read_number(find_row(view.after.schools, "school_id", school_id), "boarding_places")
    if math.isfinite(beds):
        facts.append((_("Beds"), _.number(beds)))
    if row is None and stages:
        return render_quiet(
            _("This school has no {stage} stage.", stage=name_stage_short(view.stage, _))
        ) + render_facts(facts)
    return render_facts(facts)


def _say_change(before: float, after: float, _: Translator) -> str:
    if not math.isfinite(before) or (math.isfinite(after) and round(before) == round(after)):
        return _.number(after)
    return f"{_.number(before)} → {_.number(after) if math.isfinite(after) else 0}"


def _list_steps_of(view: View, key: str) -> list[int]:
    """Return the numbers of the steps that name a school, unit or site, from 1 among all."""
    found = []
    for number, action in enumerate(view.scenario.all_actions, start=1):
        if key in list_named(action):
            found.append(number)
    return found


def list_named(action: Action) -> set[str]:
    """Return the ids that a step names."""
    found: set[str] = set()
    for name in ("school_id", "site_id", "unit_id"):
        value = getattr(action, name, "")
        found |= {value} if isinstance(value, str) and value else set()
    for name in ("school_ids", "into", "unit_ids"):
        found |= set(getattr(action, name, ()))
    return found


def _render_step_of(view: View, number: int, _: Translator) -> None:
    """Tell a step in which the chosen one takes part, with a button that takes the step out."""
    from planning.action_words import describe_action

    action = view.scenario.all_actions[number - 1]
    own = number - len(view.scenario.inherited)
    with st.container(horizontal=True, vertical_alignment="center", key=f"scenario_of_{number}"):
        words = _.say(describe_action(action, view.names))
        st.html(f'<div class="step-of"><b>{number}</b> {text(words, longest=300)}</div>', width="stretch")
        if own > 0:
            st.button(_("Remove"), key=f"scenario_out_{number}", on_click=remove_step, args=(own, words))


def remove_step(own: int, words: str) -> None:
    """Take an own step (from 1) out of the scenario."""
    _ = translator()
    note = _("Removed: {step}", step=words)
    change_work(lambda scenario: put_actions(scenario, [*scenario.actions[: own - 1], *scenario.actions[own:]]), note)


def _render_unit(view: View, unit_id: str, _: Translator) -> bool:
    row = find_row(view.study.units, "unit_id", unit_id)
    if row is None:
        return False
    _render_close(_)
    head = render_head(view.name(unit_id), say_place_of(row, _))
    pupils = read_number(row, f"{view.stage}_pupils")
    facts = [(_("Pupils"), _.number(pupils, digits=0))]
    lines = ""
    now = view.quick.now
    if now is not None:
        at = list(view.study.units["unit_id"].astype(str)).index(unit_id)
        facts.append((_("Way"), _say_minutes(float(now.min_before[at]), float(now.min_after[at]), _)))
        before, after = str(now.school_before[at]), str(now.school_after[at])
        told = view.name(before) if before else _("no school")
        if after != before:
            told = _("{before} → {after}", before=told, after=view.name(after) if after else _("no school"))
        title = _("School")
        lines = f'<p class="goes"><span>{text(title)}</span> {text(told, longest=300)}</p>'
    st.html(f'<div class="card">{head}{render_facts(facts)}{lines}</div>')
    for number in _list_steps_of(view, unit_id):
        _render_step_of(view, number, _)
    task = _choose_task(list_unit_tasks(view, _), f"scenario_task_unit_{unit_id}", _)
    if task:
        with st.container(key="scenario_form", border=True):
            render_unit_form(view, unit_id, task, _)
    return True


def _say_minutes(before: float, after: float, _: Translator) -> str:
    if not math.isfinite(after):
        return _("none")
    if not math.isfinite(before) or round(before, 1) == round(after, 1):
        return _("{value} min", value=_.number(after, digits=1))
    return _("{before} → {after} min", before=_.number(before, digits=1), after=_.number(after, digits=1))


def _render_site(view: View, site_id: str, _: Translator) -> bool:
    row = find_row(view.study.sites, "site_id", site_id)
    if row is None:
        return False
    _render_close(_)
    head = render_head(view.name(site_id), [_("Candidate site")])
    st.html(f'<div class="card">{head}{render_facts(list_site_facts(row, _))}</div>')
    steps = _list_steps_of(view, site_id)
    for number in steps:
        _render_step_of(view, number, _)
    if not steps:
        with st.container(key="scenario_form", border=True):
            render_open(view, "", site_id, _, row)
    return True

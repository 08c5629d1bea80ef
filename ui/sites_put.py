"""A proposed plan becomes a scenario: all its steps with their years, on the shelf of the page Scenarios."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from geodata.errors import LayoutError
from geodata.messages import Message
from geodata.study import StudyArea
from planning.actions import Action, OpenSchool
from planning.scenario import Scenario
from planning.siting_answer import SitingPlan
from reports.language import Translator
from ui.scenario_store import (
    LONGEST_NAME,
    create_stored,
    find_stored,
    read_who,
    render_who,
    say_trouble,
)
from ui.state import read_address
from ui.text import plain

DONE_KEY, TROUBLE_KEY, TIMES_KEY = "sites_put_done", "sites_put_trouble", "sites_put_times"


def say_what_today_is(_: Translator) -> str:
    """Say why today's figures differ between this page and those of a scenario."""
    return plain(
        _(
            "Today of a proposal: every child at the school of today's zone, above its places too, where the county has"
            " zones. Scenarios, Compare and Closures may send the pupils of today's schools by least travel within the"
            " places; their today, and so the change against it, then differs."
        ),
        longest=500,
    )


def build_taken(study: StudyArea, plan: SitingPlan, sites: pd.DataFrame, _: Translator) -> Scenario:
    """Return the plan as a scenario that the plain study understands, its reasons in the reader's language.

    A school on a site that the study does not list opens at the site's point. ``sites``: ``site_id``, ``x_m``, ``y_m``.
    """
    listed = set(study.sites["site_id"].astype(str))
    where = {
        str(key): (float(x), float(y)) for key, x, y in zip(sites["site_id"], sites["x_m"], sites["y_m"], strict=True)
    }
    told = tell_reasons(plan, _)
    return dataclasses.replace(plan.scenario, actions=place_actions(told, listed, where))


def tell_reasons(plan: SitingPlan, _: Translator) -> tuple[Action, ...]:
    """Return the actions of a plan with the reasons of its decisions as comments in the reader's language."""
    reasons = [reason for reason in plan.decisions["reason"] if isinstance(reason, Message)]
    said = {str(reason): _.say(reason) for reason in reasons}
    return tuple(
        dataclasses.replace(action, comment=said.get(action.comment, action.comment))
        for action in plan.scenario.actions
    )


def place_actions(
    actions: Sequence[Action], listed: set[str], where: dict[str, tuple[float, float]]
) -> tuple[Action, ...]:
    """Return the actions; schools that open on a site that is not ``listed`` open at its point."""
    return tuple(
        dataclasses.replace(action, site_id="", point=where[action.site_id])
        if isinstance(action, OpenSchool) and action.site_id not in listed and action.site_id in where
        else action
        for action in actions
    )


def render_put(
    study: StudyArea, scenario: Scenario, suggestion: str, _: Translator, *, page: str = "sites", base_id: str = ""
) -> None:
    """Draw the button with its small form; ``suggestion`` is the name of the new scenario.

    ``base_id``: of the stored scenario that it builds on, ``""`` for none.
    """
    # A new key after each time closes the form.
    number = st.session_state.get(TIMES_KEY, 0)
    button = st.popover(_("Take over as a scenario"), key=f"{page}_put_{number}", type="primary")
    with button, st.container(width=380):
        steps = _.number(len(scenario.actions))
        st.caption(_("{count} steps with their years; the plan itself stays here.", count=steps))
        if page == "sites":
            st.caption(say_what_today_is(_))
        name = st.text_input(
            _("Name"), value=suggestion[:LONGEST_NAME], max_chars=LONGEST_NAME, key=f"{page}_put_name_{suggestion}"
        )
        who = read_who() or render_who(_, key=f"{page}_who")
        st.button(
            _("Take over"),
            type="primary",
            key=f"{page}_put_go",
            disabled=not (who and name.strip()),
            on_click=_put,
            args=(study, scenario, name, who, base_id, _),
        )
        trouble = st.session_state.get(TROUBLE_KEY)
        if isinstance(trouble, str) and trouble:
            st.warning(plain(trouble, longest=500))


def _put(study: StudyArea, scenario: Scenario, name: str, who: str, base_id: str, _: Translator) -> None:
    st.session_state[TROUBLE_KEY] = ""
    named = dataclasses.replace(scenario, name=name.strip(), inherited=(), parent=None)
    try:
        stored = create_stored(study, named, who, parent=find_stored(base_id))
    except LayoutError as error:
        st.session_state[TROUBLE_KEY] = say_trouble(error, _)
        return
    st.session_state[TIMES_KEY] = int(st.session_state.get(TIMES_KEY, 0)) + 1
    st.session_state[DONE_KEY] = {"id": stored.scenario_id, "name": stored.name}


def render_done(_: Translator, *, page: str = "sites") -> None:
    """Say what was taken over, with the way there."""
    done = st.session_state.get(DONE_KEY)
    if not isinstance(done, dict):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"{page}_done"):
        st.success(plain(_("Now among the scenarios: “{name}”.", name=done["name"])))
        if st.button(_("Open the scenario"), key=f"{page}_open"):
            st.session_state.pop(DONE_KEY)
            st.switch_page("pages/scenarios.py", query_params={**read_address(), "scenario": done["id"]})

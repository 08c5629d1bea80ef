"""The app's door to the store: scenarios of the open county, who changes them, and what their files say."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from geodata.errors import LayoutError, RuleError, ScenarioError
from geodata.study import StudyArea
from planning.actions import Action
from planning.scenario import Scenario
from planning.scenario_file import parse_scenario, render_scenario
from reports.forecast_words import find_ground
from reports.language import Translator
from store import Store, StoredScenario, StoreError, open_store
from ui.scenario_who import read_who as read_who
from ui.scenario_who import render_who as render_who
from ui.state import SCENARIO_KEY, keep_in_address, read_open_reference
from ui.text import clean

LONGEST_NAME = 80
MOST_PARENTS = 20


@st.cache_resource(show_spinner=False)
def open_app_store() -> Store:
    """Return the store of this server, opened once. Raises ``StoreError`` where it cannot be opened."""
    return open_store()


def compute_study_key(study: StudyArea | str | None = None) -> str:
    """Return the name under which a county's scenarios are kept: its reference (``demo``, ``upload-…``).

    A text is taken as the reference itself; a study, or nothing, stands for the open county.
    """
    if isinstance(study, str):
        return study
    return read_open_reference() or (study.fingerprint if study is not None else "")


def list_stored(study: StudyArea | str | None = None, *, deleted: bool = False) -> list[StoredScenario]:
    """Return the scenarios of the open county, the last changed first; ``deleted``: those that were deleted."""
    found = open_app_store().list_scenarios(compute_study_key(study), deleted=deleted)
    return sorted(found, key=lambda stored: stored.changed_at, reverse=True)


def find_stored(scenario_id: str) -> StoredScenario | None:
    """Return a scenario by its id, also a deleted one (``deleted`` says so); None where there is none."""
    return open_app_store().find_scenario(scenario_id) if scenario_id else None


def read_stored(stored: StoredScenario) -> Scenario:
    """Return the scenario that a stored text says, under its stored name; its parents are looked up in the store.

    Raises ``geodata.errors.DataError`` where the text cannot be read, or a parent is gone.
    """
    return read_text(stored.text, stored.name, list_ancestors(stored.parent_id))


def list_ancestors(parent_id: str | None) -> tuple[StoredScenario, ...]:
    """Return the parent, its parent and so on; a circle ends where it closes."""
    found: list[StoredScenario] = []
    while parent_id and len(found) < MOST_PARENTS and parent_id not in {item.scenario_id for item in found}:
        stored = open_app_store().find_scenario(parent_id)
        if stored is None:
            break
        found.append(stored)
        parent_id = stored.parent_id
    return tuple(found)


def read_text(text: str, name: str, ancestors: Sequence[StoredScenario] = ()) -> Scenario:
    """Return the scenario of a text, which builds on ``ancestors`` (the nearest first)."""
    return _read_text(text, name, tuple(item.text for item in ancestors))


@st.cache_resource(max_entries=256, show_spinner=False)
def _read_text(text: str, name: str, ancestors: tuple[str, ...]) -> Scenario:
    # A parent may have got another name since: which text is meant follows from the order, not from the name.
    names = [_read_parent(item) for item in (text, *ancestors)]
    texts = {named: above for named, above in zip(names, ancestors, strict=False) if named}
    scenario = parse_scenario(text, file=clean(name, longest=60), parents=texts.__getitem__)
    return dataclasses.replace(scenario, name=name)


def _read_parent(text: str) -> str:
    try:
        return str(tomllib.loads(text).get("parent") or "")
    except tomllib.TOMLDecodeError:
        return ""


def flatten_scenario(scenario: Scenario) -> Scenario:
    """Return the same question without a parent: its actions stand before the own ones."""
    return dataclasses.replace(scenario, parent=None, actions=scenario.all_actions, inherited=())


def create_stored(
    study: StudyArea | str | None,
    scenario: Scenario,
    who: str,
    *,
    note: str = "",
    parent: StoredScenario | None = None,
) -> StoredScenario:
    """Put a new scenario into the store, under the name of ``scenario`` or, where it is taken, that with a number.

    A scenario with a parent of its own is flattened unless ``parent`` says which stored one is meant. Raises
    ``StoreError``.
    """
    store, key = open_app_store(), compute_study_key(study)
    if isinstance(study, StudyArea):
        store.register_study(key, study.name, find_ground(study), who)
    name = store.suggest_name(key, clean(scenario.name, longest=LONGEST_NAME))
    named = dataclasses.replace(scenario, name=name)
    if parent is None:
        named = flatten_scenario(named)
    else:
        named = dataclasses.replace(named, parent=parent.name, inherited=read_stored(parent).all_actions)
    text = render_scenario(named)
    return store.create_scenario(key, name, text, who, parent_id=parent.scenario_id if parent else None, note=note)


def append_actions(stored: StoredScenario, actions: Sequence[Action], who: str, *, note: str = "") -> StoredScenario:
    """Add steps at the end of a stored scenario and save it as its next version.

    Raises ``StoreConflict`` where somebody else has saved since ``stored`` was read, ``DataError`` for a text that
    cannot be read, ``StoreError`` where the store does not answer.
    """
    scenario = read_stored(stored)
    longer = dataclasses.replace(scenario, actions=(*scenario.actions, *actions))
    text = render_scenario(longer)
    return open_app_store().save_scenario(stored.scenario_id, text, who, stored.version, name=stored.name, note=note)


def open_scenario(scenario_id: str) -> None:
    """Make a scenario the one that the pages show; the address names it."""
    keep_in_address("scenario", SCENARIO_KEY, scenario_id)


def close_scenario() -> None:
    """Show no scenario."""
    st.session_state[SCENARIO_KEY] = None
    st.session_state[f"{SCENARIO_KEY}_seen"] = None
    if "scenario" in st.query_params:
        del st.query_params["scenario"]


def read_open_id() -> str:
    """Return the id of the open scenario, ``""`` for none."""
    return str(st.session_state.get(SCENARIO_KEY) or "")


def say_when(at: datetime, _: Translator) -> str:
    """Return a time as the reader's clock shows it; today's without the date."""
    local = at.astimezone(_read_zone())
    if local.date() == datetime.now(tz=local.tzinfo).date():
        return local.strftime("%H:%M")
    return local.strftime("%Y-%m-%d %H:%M")


def _read_zone() -> tzinfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ValueError, ZoneInfoNotFoundError):
        return UTC


def choose_stored(
    study: StudyArea, _: Translator, *, key: str, label: str, most: int = 1, placeholder: str = ""
) -> list[StoredScenario]:
    """Draw a list of this county's scenarios to choose from, by name; returns those chosen, at most ``most``.

    Where the store cannot be read nothing is on offer.
    """
    try:
        found = {stored.scenario_id: stored for stored in list_stored(study)}
    except StoreError:
        found = {}
    names = {key_of: clean(stored.name, longest=60) for key_of, stored in found.items()}
    empty = placeholder or _("none")
    if most == 1:
        if st.session_state.get(key) not in found:
            st.session_state[key] = None
        one = st.selectbox(
            label, list(found), format_func=lambda item: names.get(item, item), key=key, index=None, placeholder=empty
        )
        return [found[one]] if one in found else []
    kept = st.session_state.get(key)
    if isinstance(kept, list):
        st.session_state[key] = [item for item in kept if item in found]
    several = st.multiselect(
        label,
        list(found),
        format_func=lambda item: names.get(item, item),
        key=key,
        max_selections=most,
        placeholder=empty,
        select_all=False,
    )
    return [found[item] for item in several]


def say_trouble(error: LayoutError, _: Translator) -> str:
    """Return an error of the store, a rulebook or a scenario's text as one sentence in the reader's language."""
    if isinstance(error, StoreError):
        return " ".join(_.say(part) for part in (error.message, error.cure) if part is not None)
    if isinstance(error, (RuleError, ScenarioError)):
        return _("; ").join(_.say(problem) for problem in error.problems)
    issues = getattr(error, "issues", ())
    if issues:
        return " ".join(" ".join(_.say(part) for part in (issue.problem, issue.cure) if part) for issue in issues[:3])
    return str(error)

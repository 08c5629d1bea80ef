"""Which answers are compared: today and up to three more scenarios of the open county, chosen here or by a link."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

from geodata.errors import LayoutError
from geodata.study import STAGES, Mode, Stage, StudyArea
from planning.compare import MOST_OPTIONS
from planning.compare_notes import name_enrolment
from planning.compare_years import ask_year, find_latest_roll, list_plan_years
from planning.scenario import EnrolmentMethod, Scenario
from reports.language import Translator
from reports.legend import name_stage_short
from store import StoredScenario, StoreError
from ui.rulebooks import choose_rulebook
from ui.scenario_store import list_stored, read_open_id, read_stored, say_trouble
from ui.state import COMPARE_KEY, keep_in_address, read_address
from ui.text import clean, plain
from ui.today_choices import choose_switch, list_stages
from ui.zoning_keep import keep_value, put_back

TODAY_ID = "today"
OPTIONS_KEY = "compare_options"
MODEL_KEY = "compare_today_model"
YEAR_KEY = "compare_year"
YEAR_NAME, MODEL_NAME = "year", "today"
"""In the address of a shared comparison: the year, and how today is modelled; taken once, then the page says it."""


@dataclass(frozen=True)
class Option:
    """One answer to compare: ``option_id`` stands in the address."""

    option_id: str
    name: str
    scenario: Scenario


@dataclass(frozen=True)
class Chosen:
    """What is compared: the first option is the baseline; ``year`` None: all actions."""

    options: tuple[Option, ...]
    stage: str
    year: int | None
    years: tuple[int, ...]

    def scenarios(self) -> list[Scenario]:
        """Return the questions for the year chosen."""
        return [ask_year(option.scenario, self.year) for option in self.options]


@dataclass(frozen=True)
class _Told:
    """Sentences to be shown below the row of choices."""

    words: list[str]


def render_options(study: StudyArea, _: Translator) -> Chosen | None:
    """Draw the choice of options, stage and year; None where there is nothing to compare yet."""
    try:
        stored = {item.scenario_id: item for item in list_stored(study)}
    except StoreError as error:
        st.error(plain(say_trouble(error, _), longest=400))
        stored = {}
    if not list_stages(study):
        st.warning(plain(_("No school of this county teaches any stage: load a table of schools with places.")))
        return None
    told = _Told([])
    with st.container(key="compare_choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        ids = _choose_ids(stored, told, _)
        options = _read_options(study, ids, stored, told, _)
        stage = _choose_stage(study, options, _)
        # With the pupils of a year that year holds, and with it the steps up to it (``ui.forecast_study``).
        scenarios = [] if study.view else [option.scenario for option in options]
        years = list_plan_years(scenarios, find_latest_roll(study, stage))
        year = _choose_year(years, options, _) if years else None
        choose_rulebook(_)
        _render_share(ids, year, _find_model(options), _)
    for words in told.words:
        st.warning(plain(words, longest=600))
    return Chosen(tuple(options), stage, year, tuple(years)) if options else None


def _choose_ids(stored: dict[str, StoredScenario], told: _Told, _: Translator) -> list[str]:
    """Draw the list of options; what the address names comes first, else today and the open or latest scenario."""
    known = [TODAY_ID, *stored]
    asked = [part for part in str(st.session_state.get(COMPARE_KEY) or "").split("-") if part]
    missing = [part for part in asked if part not in known]
    opened = [item for item in (read_open_id(),) if item in stored]
    default = [TODAY_ID, *(opened or list(stored)[:1])]
    wanted = list(dict.fromkeys(part for part in asked if part in known))[:MOST_OPTIONS] or default
    if st.session_state.get(f"{OPTIONS_KEY}_seen") != asked:
        # The address has changed, by a link or by this very list.
        st.session_state[OPTIONS_KEY] = wanted
        st.session_state[f"{OPTIONS_KEY}_seen"] = asked
    put_back(OPTIONS_KEY, wanted, known)
    names = {TODAY_ID: _("Today")} | {key: clean(item.name, longest=60) for key, item in stored.items()}
    chosen = st.multiselect(
        _("Compare, the first is the baseline"),
        known,
        format_func=lambda key: names.get(key, key),
        key=OPTIONS_KEY,
        max_selections=MOST_OPTIONS,
        placeholder=_("Choose up to four"),
        on_change=_tell_address,
        width=550,
    )
    keep_value(OPTIONS_KEY, chosen)
    if missing:
        told.words.append(_("A scenario of this link is not there: it was deleted, or belongs to another county."))
    return list(chosen)


def _tell_address() -> None:
    chosen = st.session_state.get(OPTIONS_KEY) or []
    st.session_state[f"{OPTIONS_KEY}_seen"] = list(chosen)
    keep_in_address("compare", COMPARE_KEY, "-".join(chosen))


def _read_options(
    study: StudyArea, ids: list[str], stored: dict[str, StoredScenario], told: _Told, _: Translator
) -> list[Option]:
    """Return the questions of the options; one that cannot be read is told, and left out."""
    read: dict[str, Scenario] = {}
    for key in ids:
        if key == TODAY_ID:
            continue
        try:
            read[key] = read_stored(stored[key])
        except LayoutError as error:
            words = _("“{name}” cannot be read: {problem}", name=stored[key].name, problem=say_trouble(error, _))
            told.words.append(words)
    if TODAY_ID in ids:
        today = ask_today(study, list(read.values()), _("Today"))
        read[TODAY_ID] = _choose_model(today, list(read.values()), _)
    names = {key: clean(stored[key].name, longest=60) if key in stored else _("Today") for key in read}
    return [Option(key, names[key], read[key]) for key in ids if key in read]


def _choose_model(today: Scenario, others: list[Scenario], _: Translator) -> Scenario:
    """Draw the choice of how children are sent to school today, where the others differ in it."""
    methods = list(dict.fromkeys([today.enrolment, *(item.enrolment for item in others if item.enrolment != "zoning")]))
    if len(methods) < 2:
        return today
    linked = str(st.query_params.get(MODEL_NAME) or "")
    if linked != st.session_state.get(f"{MODEL_KEY}_seen"):
        st.session_state[f"{MODEL_KEY}_seen"] = linked
        if linked in methods:
            st.session_state[MODEL_KEY] = linked
    put_back(MODEL_KEY, today.enrolment, methods)
    chosen = st.selectbox(
        _("Today by the rule"),
        methods,
        format_func=lambda method: _.say(name_enrolment(method)),
        key=MODEL_KEY,
        width=180,
    )
    keep_value(MODEL_KEY, chosen)
    return dataclasses.replace(today, enrolment=chosen)


def ask_today(study: StudyArea, others: list[Scenario], name: str) -> Scenario:
    """Return the question about today that can best be compared with ``others``: the same stages and way of travel.

    Children are sent to school as the first of the others with actions does it, so that the difference is that of its
    actions; where none has any, the way of sending children is the change itself, and today is as the catchments are,
    else the nearest school.
    """
    first = others[0] if others else Scenario(stages=_list_default_stages(study), mode=_choose_mode(study))
    stages = tuple(stage for stage in STAGES if any(stage in item.stages for item in (others or [first])))
    zoned = all(bool((study.zones["stage"] == stage).any()) for stage in stages)
    present: EnrolmentMethod = "zones" if zoned else "nearest"
    acting = [item.enrolment for item in others if item.all_actions and item.enrolment != "zoning"]
    return dataclasses.replace(
        first,
        name=name,
        actions=(),
        inherited=(),
        parent=None,
        stages=stages,
        enrolment=acting[0] if acting else present,
    )


def _list_default_stages(study: StudyArea) -> tuple[Stage, ...]:
    taught = list_stages(study)
    return ("primary",) if "primary" in taught else (taught[0],)


def _choose_mode(study: StudyArea) -> Mode:
    return next(iter(study.travel), "walk")


def _choose_stage(study: StudyArea, options: list[Option], _: Translator) -> str:
    asked = [stage for stage in STAGES if any(stage in option.scenario.stages for option in options)]
    stages = asked or list(_list_default_stages(study))
    return choose_switch(_("Stage"), stages, "stage", lambda name: name_stage_short(name, _), stages[0])


def _choose_year(years: list[int], options: list[Option], _: Translator) -> int:
    """Draw the slider of years: the last one before anything changes, then each in which actions begin."""
    linked = str(st.query_params.get(YEAR_NAME) or "")
    if linked != st.session_state.get(f"{YEAR_KEY}_seen"):
        st.session_state[f"{YEAR_KEY}_seen"] = linked
        if linked.isascii() and linked.isdigit() and int(linked) in years:
            st.session_state[YEAR_KEY] = int(linked)
    asked = next((option.scenario.year for option in options if option.scenario.year in years), None)
    put_back(YEAR_KEY, asked if asked is not None else years[-1], years)
    chosen = st.select_slider(
        _("Actions in force in"),
        years,
        format_func=lambda year: _("{year}/{next}", year=year, next=(year + 1) % 100),
        key=YEAR_KEY,
        width=min(220, 110 + 40 * len(years)),
    )
    keep_value(YEAR_KEY, chosen)
    return int(chosen)


def _find_model(options: list[Option]) -> str:
    return next((option.scenario.enrolment for option in options if option.option_id == TODAY_ID), "")


def _render_share(ids: list[str], year: int | None, model: str, _: Translator) -> None:
    """Draw the link that shows the same comparison to others."""
    with st.popover(_("Share"), key="compare_share"):
        st.caption(_("This link shows the same comparison to everybody who uses this server."))
        address = {**read_address(), "compare": "-".join(ids)}
        if year is not None:
            address[YEAR_NAME] = str(year)
        if model:
            address[MODEL_NAME] = model
        address.pop("scenario", None)
        address.pop("drawing", None)
        place = str(st.context.url or "").split("?")[0]
        st.code(f"{place}?{urlencode(address)}", language=None, wrap_lines=True)

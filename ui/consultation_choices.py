"""The questions of the Consultation page: which scenario, compared with what, in which languages, by which rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from geodata.study import StudyArea
from planning.procedure import Kind, find_kind
from planning.scenario import Scenario
from reports.language import LANGUAGE_NAMES, Language, Translator
from store import StoredScenario, StoreError
from ui.base_choice import TODAY, read_base
from ui.rulebooks import choose_rulebook
from ui.scenario_store import list_stored, read_open_id, say_trouble
from ui.state import read_address
from ui.text import clean, plain
from ui.zoning_keep import keep_value, put_back

PROPOSAL_KEY, BASELINE_KEY = "consultation_proposal", "consultation_baseline"
ALTERNATIVES_KEY, LANGUAGES_KEY = "consultation_alternatives", "consultation_languages"
MOST_ALTERNATIVES = 2
LANGUAGE_SETS: Mapping[str, tuple[Language, ...]] = {"zh": ("zh",), "en": ("en",), "both": ("zh", "en")}


@dataclass(frozen=True)
class Question:
    """Which pack the page is about: a stored scenario, what it is compared with, languages and rulebook."""

    scenario_id: str
    proposal: Scenario
    baseline: Scenario | None
    alternatives: tuple[Scenario, ...]
    languages: tuple[Language, ...]
    rulebook: str

    @property
    def kind(self) -> Kind:
        """Which procedure the proposal needs."""
        return find_kind(self.proposal.all_actions)


def render_question(study: StudyArea, _: Translator) -> Question | None:
    """Draw the choices in one row; None where there is no scenario to publish, which is told with a way on."""
    try:
        stored = {item.scenario_id: item for item in list_stored(study)}
    except StoreError as error:
        st.error(plain(say_trouble(error, _), longest=400))
        return None
    if not stored:
        _render_nothing(_)
        return None
    names = {TODAY: _("Today")} | {key: clean(item.name, longest=60) for key, item in stored.items()}
    with st.container(key="consultation_choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        proposal_id = _choose_proposal(stored, names, _)
        others = [key for key in stored if key != proposal_id]
        baseline_id = _choose_baseline([TODAY, *others], names, _)
        alternative_ids = _choose_alternatives([key for key in others if key != baseline_id], names, _)
        languages = _choose_languages(_)
        rulebook = choose_rulebook(_)
    proposal = read_base(proposal_id, _)
    baseline = None if baseline_id == TODAY else read_base(baseline_id, _)
    alternatives = tuple(found for key in alternative_ids if (found := read_base(key, _)) is not None)
    if proposal is None or (baseline is None and baseline_id != TODAY):
        return None
    return Question(proposal_id, proposal, baseline, alternatives, languages, rulebook)


def _render_nothing(_: Translator) -> None:
    with st.container(key="consultation_nothing", horizontal_alignment="center"):
        st.subheader(_("There is no proposal to publish yet"), anchor=False)
        words = _(
            "A consultation pack is made from a scenario: a merger, a new school, other catchments. Make one on the "
            "page Scenarios, or take a plan over from the pages Catchments, Closures or Sites."
        )
        st.write(words)
        if st.button(_("To the scenarios"), type="primary", key="consultation_to_scenarios"):
            st.switch_page("pages/scenarios.py", query_params=read_address())


def _choose_proposal(stored: Mapping[str, StoredScenario], names: Mapping[str, str], _: Translator) -> str:
    """Draw the list of scenarios; one that was opened since the last run is chosen."""
    opened = read_open_id()
    if opened in stored and st.session_state.get(f"{PROPOSAL_KEY}_seen") != opened:
        st.session_state[PROPOSAL_KEY] = opened
    st.session_state[f"{PROPOSAL_KEY}_seen"] = opened
    put_back(PROPOSAL_KEY, next(iter(stored)), list(stored))
    chosen = st.selectbox(
        _("Proposal to publish"), list(stored), format_func=lambda key: names[key], key=PROPOSAL_KEY, width=260
    )
    keep_value(PROPOSAL_KEY, chosen)
    return str(chosen)


def _choose_baseline(known: list[str], names: Mapping[str, str], _: Translator) -> str:
    put_back(BASELINE_KEY, TODAY, known)
    tip = _("Residents see their school before and after. “Before” is today, or another scenario.")
    chosen = st.selectbox(
        _("Compared with"), known, format_func=lambda key: names[key], key=BASELINE_KEY, width=170, help=tip
    )
    keep_value(BASELINE_KEY, chosen)
    return chosen or TODAY


def _choose_alternatives(known: list[str], names: Mapping[str, str], _: Translator) -> list[str]:
    put_back(ALTERNATIVES_KEY, [], known)
    chosen = st.multiselect(
        _("Alternatives considered"),
        known,
        format_func=lambda key: names[key],
        key=ALTERNATIVES_KEY,
        max_selections=MOST_ALTERNATIVES,
        placeholder=_("up to two, for the report") if known else _("no other scenario"),
        disabled=not known,
        width=260,
    )
    keep_value(ALTERNATIVES_KEY, chosen)
    return list(chosen)[:MOST_ALTERNATIVES]


def _choose_languages(_: Translator) -> tuple[Language, ...]:
    put_back(LANGUAGES_KEY, "zh", list(LANGUAGE_SETS))
    names: dict[str, str] = {"zh": LANGUAGE_NAMES["zh"], "en": LANGUAGE_NAMES["en"], "both": _("Both")}
    chosen = st.segmented_control(
        _("Languages of the pack"),
        list(LANGUAGE_SETS),
        format_func=lambda key: names[key],
        key=LANGUAGES_KEY,
        required=True,
    )
    keep_value(LANGUAGES_KEY, chosen)
    return LANGUAGE_SETS[chosen or "zh"]

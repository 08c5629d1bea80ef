"""The questions of the Closures page: stage, way, today or a scenario as the base, who goes where, the rulebook."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import cast

import numpy as np
import streamlit as st

from geodata.errors import LayoutError
from geodata.study import Mode, Stage, StudyArea, compute_digest
from planning.scenario import EnrolmentMethod, Scenario
from reports.language import Translator
from store import StoreError
from ui.rulebooks import choose_rulebook
from ui.scenario_store import find_stored, list_stored, read_stored, say_trouble
from ui.state import SCENARIO_KEY
from ui.text import clean, plain
from ui.today_choices import choose_one, choose_stage_and_mode, list_stages
from ui.zoning_keep import keep_value, put_back

BASE_KEY = "closures_base"
TODAY = ""


@dataclass(frozen=True)
class Question:
    """What the page is about: one stage of one base, under one rulebook.

    ``scenario`` is the base with the stage, way and method chosen; ``base_id`` its id in the store, ``""`` for today.
    """

    stage: Stage
    mode: Mode
    rulebook: str
    scenario: Scenario
    base_id: str
    base_name: str

    def compute_key(self, fingerprint: str) -> str:
        """Return the name of the engine that answers it."""
        return f"closures-{compute_digest(fingerprint, self.rulebook, repr(self.scenario), self.stage)}"


def list_methods(study: StudyArea, stage: Stage) -> list[EnrolmentMethod]:
    """Return who can go where: within places first where places are known, by zones where there are any."""
    rows = study.places[study.places["stage"] == stage]
    known = bool(np.isfinite(rows["capacity_places"].to_numpy(dtype=np.float64, na_value=np.nan)).any())
    zones: list[EnrolmentMethod] = ["zones"] if (study.zones["stage"] == stage).any() else []
    return ["capacity", "nearest", *zones] if known else ["nearest", *zones]


def render_question(study: StudyArea, _: Translator) -> Question | None:
    """Draw the choices in one row; None where no school teaches anything, or the base cannot be read (it is told)."""
    if not list_stages(study):
        st.warning(plain(_("No school of this county teaches any stage: load a table of schools with places.")))
        return None
    with st.container(key="closures_choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        stage, mode = choose_stage_and_mode(study, _)
        base_id, names = _choose_base(study, _)
        methods = {
            "nearest": _("Nearest school"),
            "capacity": _("Within places"),
            "zones": _("Current catchments"),
        }
        method = choose_one(
            _("Who goes where"), list_methods(study, stage), f"closures_method_{stage}", methods.__getitem__, 160
        )
        rulebook = choose_rulebook(_)
    scenario = _read_base(base_id, _)
    if scenario is None:
        return None
    asked = dataclasses.replace(scenario, stages=(stage,), mode=mode, enrolment=cast(EnrolmentMethod, method))
    return Question(stage, mode, rulebook, asked, base_id, names[base_id])


def _choose_base(study: StudyArea, _: Translator) -> tuple[str, dict[str, str]]:
    """Draw the list of bases; the scenario that the address names comes first."""
    names = {TODAY: _("Today")}
    try:
        names |= {stored.scenario_id: clean(stored.name, longest=60) for stored in list_stored(study)}
    except StoreError as error:
        st.caption(plain(say_trouble(error, _), longest=300))
    asked = str(st.session_state.get(SCENARIO_KEY) or "")
    if asked in names and st.session_state.get(f"{BASE_KEY}_seen") != asked:
        st.session_state[BASE_KEY] = asked
    st.session_state[f"{BASE_KEY}_seen"] = asked
    put_back(BASE_KEY, TODAY, list(names))
    chosen = st.selectbox(_("On top of"), list(names), format_func=lambda key: names[key], key=BASE_KEY, width=190)
    keep_value(BASE_KEY, chosen)
    return chosen or TODAY, names


def _read_base(base_id: str, _: Translator) -> Scenario | None:
    if base_id == TODAY:
        return Scenario()
    stored = find_stored(base_id)
    if stored is None or stored.deleted:
        st.warning(plain(_("This scenario is not there any more. Choose another one.")))
        return None
    try:
        return read_stored(stored)
    except LayoutError as error:
        st.warning(plain(_("This scenario cannot be read: {reason}", reason=say_trouble(error, _)), longest=500))
        return None

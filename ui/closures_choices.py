"""The questions of the Closures page: stage, way, today or a scenario as the base, who goes where, the rulebook."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import cast

import numpy as np
import streamlit as st

from geodata.study import Mode, Stage, StudyArea, compute_digest
from planning.scenario import EnrolmentMethod, Scenario
from reports.language import Translator
from ui.base_choice import TODAY, choose_base, read_base
from ui.rulebooks import choose_rulebook
from ui.text import plain
from ui.today_choices import choose_one, choose_stage_and_mode, list_stages

BASE_KEY = "closures_base"


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
        base_id, names = choose_base(study, _("On top of"), BASE_KEY, _, width=190)
        methods = {
            "nearest": _("Nearest school"),
            "capacity": _("Within places"),
            "zones": _("Current catchments"),
        }
        method = choose_one(
            _("Who goes where"), list_methods(study, stage), f"closures_method_{stage}", methods.__getitem__, 160
        )
        rulebook = choose_rulebook(_)
    scenario = Scenario() if base_id == TODAY else read_base(base_id, _)
    if scenario is None:
        return None
    asked = dataclasses.replace(scenario, stages=(stage,), mode=mode, enrolment=cast(EnrolmentMethod, method))
    return Question(stage, mode, rulebook, asked, base_id, names[base_id])

"""What the tests of actions share: one street with three schools, candidate sites, and a short way to ask."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import pandas as pd

from geodata.study import StudyArea
from planning.action_steps import Applied, apply_actions
from planning.actions import Action
from planning.rules import read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario
from tests.worlds import WorldSchool, build_world

CN = read_rulebook("cn")


def build_street(**changes: Any) -> StudyArea:
    """Five villages on a line, 10 min on foot (2 min by car) apart, three schools.

    ::

        a/W   b   c/M   d   e/E     pupils 30 20 10 20 30; rolls W 40, M 20, E 70; places W 100, M 45, E 90

    Nearest: a -> W 0, b -> M 10 (tie with W, first id), c -> M 0, d -> E 10 (tie with M), e -> E 0.
    So W 30, M 30, E 50.
    """
    return _build_street(**changes) if changes else _build_plain_street()


@functools.cache
def _build_plain_street() -> StudyArea:
    return _build_street()


def _build_street(**changes: Any) -> StudyArea:
    settings: dict[str, Any] = {
        "pupils": {"a": 30, "b": 20, "c": 10, "d": 20, "e": 30},
        "schools": {
            "W": WorldSchool(places=100, classes=2, roll=40, name="West"),
            "M": WorldSchool(places=45, classes=1, roll=20, name="Middle"),
            "E": WorldSchool(places=90, classes=2, roll=70, name="East"),
        },
    }
    return build_world("a/W b c/M d e/E", **{**settings, **changes})


def make_site(study: StudyArea, school_id: str, **about: Any) -> StudyArea:
    """Return the study with one of its schools turned into a free site of the same id, its travel measured."""
    row = study.schools[study.schools["school_id"] == school_id]
    site = row[["school_id", "name", "x_m", "y_m", "unit_id", "geometry"]].rename(columns={"school_id": "site_id"})
    for name, value in {"area_m2": 9000.0, "class_options": "", "stages": "", **about}.items():
        site[name] = value
    return replace(
        study,
        schools=study.schools[study.schools["school_id"] != school_id].reset_index(drop=True),
        places=study.places[study.places["school_id"] != school_id].reset_index(drop=True),
        rolls=study.rolls[study.rolls["school_id"] != school_id].reset_index(drop=True),
        sites=site.reset_index(drop=True),
        fingerprint=study.fingerprint + school_id,
    )


def apply(study: StudyArea, *actions: Action, **settings: Any) -> Applied:
    """Return the study after actions."""
    return apply_actions(study, CN, Scenario(actions=actions, **settings))


def answer(study: StudyArea, *actions: Action, **settings: Any) -> Outcome:
    """Return the answer to a scenario of these actions; that without them is worked out once per study object."""
    scenario = Scenario(actions=actions, **settings)
    if not actions:
        return run_scenario(study, CN, scenario)
    plain = replace(scenario, actions=())
    known = _BEFORE.setdefault(id(study), (study, {}))[1]  # the study is held, so that its id stays its own
    if plain not in known:
        known[plain] = run_scenario(study, CN, plain)
    return run_scenario(study, CN, scenario, before=known[plain])


_BEFORE: dict[int, tuple[StudyArea, dict[Scenario, Outcome]]] = {}


def list_moves(outcome: Outcome, stage: str = "primary") -> dict[str, dict[str, float]]:
    """Return pupils by unit and school of a plan; pairs without pupils are left out."""
    rows = outcome.require_plan().stage_enrolment(stage)
    found: dict[str, dict[str, float]] = {}
    for unit, school, pupils in zip(rows["unit_id"], rows["school_id"], rows["pupils"], strict=True):
        if pupils > 0:
            found.setdefault(unit, {})[school] = float(pupils)
    return found


def list_rolls(outcome: Outcome, stage: str = "primary") -> dict[str, float]:
    """Return projected pupils by school."""
    table = outcome.school_table[outcome.school_table["stage"] == stage]
    return dict(zip(table["school_id"], table["actual_pupils"].astype(float), strict=True))


def tell(applied: Applied) -> list[str]:
    """Return errors and warnings with their numbers, as text."""
    return [f"{item.number} {item.severity}: {item.message} {item.cure or ''}".strip() for item in applied.problems]


def shuffle(study: StudyArea, seed: int) -> StudyArea:
    """Return the study with the rows of every table in another order."""

    def mix(table: pd.DataFrame) -> Any:
        return table.sample(frac=1.0, random_state=seed).reset_index(drop=True)

    names = ("schools", "places", "rolls", "units", "zones", "sites")
    return replace(study, **{name: mix(getattr(study, name)) for name in names})

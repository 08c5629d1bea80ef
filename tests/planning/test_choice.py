"""What families do: the fit is checked on rolls that a known model made, and by derivatives."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from planning import choice_fit
from planning.assignment_options import ChoiceOptions
from planning.choice import MIN_SHARE, describe_choice
from planning.plan import check_plan
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.tables import build_stage_schools, build_ways
from tests.worlds import WorldSchool, WorldUnit, build_five_villages, build_world

CN = read_rulebook("cn")
ROWS, COLUMNS = 6, 9


def build_grid(rolls=None):
    """A grid of 6 × 9 villages of 40 pupils; the city in the west, 8 schools of different size."""
    places = {"A": 600, "B": 500, "C": 300, "D": 120, "E": 200, "F": 90, "G": 160, "H": 240}
    spots = {(1, 0): "A", (4, 1): "B", (2, 3): "C", (5, 4): "D", (0, 5): "E", (3, 6): "F", (1, 8): "G", (5, 8): "H"}
    lines, units = [], {}
    for row in range(ROWS):
        cells = []
        for column in range(COLUMNS):
            key = f"u{row}{column}"
            units[key] = WorldUnit(setting="urban" if column < 2 else "rural", town="City" if column < 2 else "East")
            cells.append(key + (f"/{spots[row, column]}" if (row, column) in spots else ""))
        lines.append(" ".join(cells))
    schools = {
        key: WorldSchool(places=number, roll=(rolls or {}).get(key, 100.0), setting="urban" if key in "AB" else "rural")
        for key, number in places.items()
    }
    return build_world("\n".join(lines), pupils=dict.fromkeys(units, 40.0), schools=schools, units=units)


def build_sample(study, share=0.5):
    scenario = Scenario(enrolment="choice")
    schools = build_stage_schools(study, "primary", None)
    ways = build_ways(study, scenario, schools)
    travel = np.where(np.isnan(ways.time_min), np.inf, ways.time_min.astype(float))
    about = study.units.set_index("unit_id")[["setting", "town"]].reindex(ways.unit_ids)
    return choice_fit.build_sample(ways, schools, travel, share, about), list(ways.school_ids)


@pytest.fixture(scope="module")
def known():
    """Rolls made by the model itself: half-way 12 min, a fifth drawn to the city, alpha 0.7, city pull 0.5."""
    sample, ids = build_sample(build_grid())
    theta = np.array([np.log(np.log(2) / 12.0), np.log(0.2 / 0.8), 0.7, 0.5])
    assert sample.names == ("places", "urban")
    load = choice_fit.compute_load(sample, "exponential", theta)
    return dict(zip(ids, load, strict=True)), theta


def test_a_known_model_is_found_again(known):
    rolls, theta = known
    sample, _ = build_sample(build_grid(rolls))
    mean, _ = choice_fit.build_priors(sample, "exponential", "primary", "time")
    wide = np.full(len(mean), 50.0)
    found = choice_fit.fit(sample, "exponential", np.ones(8, dtype=bool), (mean, wide))
    assert found.deviance < 0.05
    assert found.theta[0] == pytest.approx(theta[0], abs=0.1)
    assert choice_fit.drawn_share(found.theta) == pytest.approx(0.2, abs=0.05)


def test_derivatives_agree_with_differences(known):
    sample, _ = build_sample(build_grid(known[0]))
    theta, step = known[1] + 0.1, 1e-6
    for decay in ("exponential", "power"):
        x = sample.decay_term(decay)
        _, slope = choice_fit._load_with_slope(sample, x, theta)
        for number in range(len(theta)):
            off = np.zeros(len(theta))
            off[number] = step
            above, below = (choice_fit.compute_load(sample, decay, theta + sign * off) for sign in (1, -1))
            assert slope[:, number] == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-4)


def test_the_outcome_carries_the_fit(known):
    study = build_grid(known[0])
    outcome = run_scenario(study, CN, Scenario(enrolment="choice"))
    (fit,) = outcome.choice
    assert fit.decay == "assumed" and [name for name, _ in fit.deviance] == ["assumed", "exponential", "power"]
    assert fit.quality.placed_right_share > fit.baseline.placed_right_share
    assert fit.validated is not None and 0 < fit.validated.placed_right_share <= 1
    assert fit.schools["modelled_pupils"].sum() == pytest.approx(fit.schools["actual_pupils"].sum())
    plan = outcome.require_plan()
    assert set(plan.enrolment["origin"]) == {"choice"}
    assert plan.enrolment["share"].min() >= MIN_SHARE
    living = study.units.assign(stage="primary", pupils=study.units["primary_pupils"])
    assert check_plan(plan, living[["unit_id", "stage", "pupils"]]) == []
    flow = fit.flows.set_index(["kind", "area", "school_setting"])
    assert flow.loc[("setting", "rural", "urban"), "gained_pupils"] > 0
    assert any("rural units attend urban schools" in str(line) for line in describe_choice(fit))


def test_the_decay_can_be_fitted(known):
    scenario = Scenario(enrolment="choice", choice=ChoiceOptions(decay="fitted"))
    (fit,) = run_scenario(build_grid(known[0]), CN, scenario).choice
    assert fit.decay == "exponential"
    assert np.log(2) / fit.parameter("decay") == pytest.approx(12, rel=0.15)


def test_without_rolls_there_is_a_conflict_not_a_model():
    outcome = run_scenario(build_five_villages(), CN, Scenario(enrolment="choice"))
    assert outcome.plan is None and "fewer than 4 schools have a roll" in str(outcome.conflicts[0])


def test_teaching_points_draw_low_grades_only(known):
    study = build_grid(known[0])
    kinds = study.schools["kind"].where(~study.schools["school_id"].isin(["F", "D"]), "teaching_point")
    rolls = study.rolls.assign(grade=np.where(study.rolls["school_id"].isin(["F", "D"]), 1, study.rolls["grade"]))
    changed = dataclasses.replace(study, schools=study.schools.assign(kind=kinds), rolls=rolls)
    outcome = run_scenario(changed, CN, Scenario(enrolment="choice"))
    rows = outcome.require_plan().enrolment
    points = rows[rows["school_id"].isin(["D", "F"])].groupby("unit_id")["share"].sum()
    assert points.max() <= 0.5 + 1e-9
    assert pd.Series(outcome.choice[0].parameters).map(lambda item: item.name).tolist().count("teaching_point") == 1

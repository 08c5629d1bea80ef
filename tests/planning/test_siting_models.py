"""The models of the textbooks through the same door, against a search through every set of schools."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from geodata.study import StudyArea
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.siting import propose_sites
from planning.siting_answer import SitingAnswer
from planning.siting_case import SitingCase, build_siting_case
from tests.planning.siting_worlds import CN, PLAIN_COSTS, PLAIN_WEIGHTS, ask, build_options, list_decisions
from tests.worlds import WorldSchool, build_world


def build_town(seed: int) -> StudyArea:
    """A 4x4 grid, 10 min between neighbours, random pupils, and schools in six of its cells, sites in none."""
    random = np.random.default_rng(seed)
    names = [f"u{at:02}" for at in range(16)]
    seats = sorted(random.choice(16, size=6, replace=False).tolist())
    cells = [f"{name}/S{at:02}" if at in seats else name for at, name in enumerate(names)]
    picture = "\n".join(" ".join(cells[row : row + 4]) for row in range(0, 16, 4))
    return build_world(
        picture,
        pupils={name: float(random.integers(1, 60)) for name in names},
        schools={f"S{at:02}": WorldSchool(places=2000) for at in seats},
    )


def solve(study: StudyArea, model: str, **changes: Any) -> SitingAnswer:
    """Return the answer of a model; all schools may close unless said otherwise."""
    schools = tuple(study.schools["school_id"])
    return ask(study, model=model, **{"may_close": schools, "may_expand": (), **changes})


def search_sets(case: SitingCase, model: str, sizes: Any, kept: tuple[str, ...] = ()) -> float:
    """Return the least of a model over all sets of schools of these sizes that hold those kept."""
    minutes, pupils = case.minutes, case.pupils[:, 0]
    must = {case.facilities.position()[key] for key in kept}
    values = []
    for size in sizes:
        for chosen in itertools.combinations(range(case.facilities.count), size):
            if not must <= set(chosen):
                continue
            near = minutes[:, list(chosen)].min(axis=1)
            within = near <= (case.options.cover_min or np.inf)
            values.append(
                {
                    "p_median": float(near @ pupils),
                    "p_center": float(near.max()),
                    "set_covering": float(size) if within.all() else np.inf,
                    "maximal_covering": float(pupils[~within].sum()),
                }[model]
            )
    return min(values)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("model", "options", "sizes"),
    [
        ("p_median", {"count": 3}, (3,)),
        ("p_center", {"count": 2}, (2,)),
        ("set_covering", {"cover_min": 30.0}, range(1, 7)),
        ("maximal_covering", {"count": 2, "cover_min": 10.0}, (2,)),
    ],
)
def test_models_are_those_of_a_search_through_all_sets(
    seed: int, model: str, options: dict[str, Any], sizes: Any
) -> None:
    study = build_town(seed)
    answer = solve(study, model, **options)
    case = build_siting_case(study, CN, Scenario(), build_options(may_close=None, model=model, **options))
    least = search_sets(case, model, sizes)
    if not np.isfinite(least):
        assert not answer.plans
        return
    certificate = answer.plans[0].certificate
    assert certificate.value == pytest.approx(least)
    assert certificate.bound == pytest.approx(least)
    assert certificate.objective == model
    table = answer.plans[0].periods.iloc[0]
    if model == "p_median":
        assert table["mean_travel_min"] * table["pupils"] == pytest.approx(least)
    if model == "p_center":
        assert table["max_travel_min"] == pytest.approx(least)


@pytest.mark.parametrize("model", ["p_median", "maximal_covering", "p_center", "set_covering"])
def test_what_may_not_close_stands(model: str) -> None:
    study = build_town(5)
    schools = tuple(study.schools["school_id"])
    kept, free = schools[:1], schools[1:]
    options: dict[str, Any] = {"count": 2, "cover_min": 40.0}
    answer = solve(study, model, may_close=free, **options)
    case = build_siting_case(study, CN, Scenario(), build_options(may_close=free, model=model, **options))
    standing = set(answer.plans[0].schools["facility_id"])
    assert set(kept) <= standing
    sizes = range(1, 7) if model == "set_covering" else (2,)
    assert answer.plans[0].certificate.value == pytest.approx(search_sets(case, model, sizes, kept))


def test_the_capacitated_model_counts_places() -> None:
    """Two villages at each end of a street. One school of 60 places at each end and M in the middle holds 200.

    ::

        a/W  b  c/M  d  e/E      pupils 40 40 0 40 40: W, E hold 60 each, M 200

    One school: only M holds 160: 40·20 + 40·10 + 40·10 + 40·20 = 2,400 min. Two: W + M: W takes a and half of b
    (200), M the rest (20·10 + 40·10 + 40·20 = 1,400): 1,600; M + E the same.
    """
    study = build_world(
        "a/W b c/M d e/E",
        pupils={"a": 40, "b": 40, "d": 40, "e": 40},
        schools={"W": WorldSchool(places=60), "M": WorldSchool(places=200), "E": WorldSchool(places=60)},
    )
    one = ask(study, model="capacitated", count=1)
    assert [key for key, _, _ in list_decisions(one)] == ["E", "W"]
    assert one.plans[0].parts["travel"] == pytest.approx(2_400.0)
    two = ask(study, model="capacitated", count=2)
    assert two.plans[0].parts["travel"] == pytest.approx(1_600.0)
    assert two.plans[0].certificate.unit == "yuan"
    many = ask(study, model="capacitated", weights=PLAIN_WEIGHTS, costs=PLAIN_COSTS)
    assert len(many.plans[0].schools) == 1


def test_who_is_beyond_reach_is_named() -> None:
    study = build_world("a/W b c d e", pupils={"a": 10, "e": 7}, schools={"W": WorldSchool(places=100)})
    answer = ask(study, model="set_covering", cover_min=30.0, may_close=("W",))
    assert "7 pupils have neither a school nor a site within 30 min: e." in str(answer.conflicts[0].message)
    assert "40 min" in str(answer.conflicts[0].cure)


def test_a_model_s_scenario_runs() -> None:
    study = build_town(1)
    plan = solve(study, "p_center", count=3).plans[0]
    outcome = run_scenario(study, CN, plan.scenario)
    assert outcome.plan is not None
    assert set(outcome.plan.places["school_id"]) == set(plan.schools["facility_id"])


def test_models_are_of_one_moment() -> None:
    study = build_town(2)
    schools = tuple(study.schools["school_id"])
    answer = propose_sites(
        study, CN, Scenario(), build_options(may_close=schools, model="p_center", count=2, years=(2027, 2030))
    )
    assert answer.plans[0].periods["year"].tolist() == [2030]

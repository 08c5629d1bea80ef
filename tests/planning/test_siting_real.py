"""Proposals on the demo county and on a real one: lawful, proven, and runnable."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.build import read_study
from geodata.study import StudyArea
from planning.rules import design_class_size, read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.siting import propose_sites
from planning.siting_options import SitingOptions, SitingRules, SitingSearch

CN = read_rulebook("cn")
STUDIES = Path(__file__).resolve().parents[2] / "examples" / "studies"
SEARCH = SitingSearch(time_limit_s=20.0, gap_share=0.02, front_plans=1, alternatives=0)


def read(name: str) -> StudyArea:
    """Return an example study."""
    return read_study(STUDIES / f"{name}.toml", design_class_size=design_class_size(CN))


def check(study: StudyArea, options: SitingOptions) -> None:
    """Check that the best plan places everybody, is proven close, and runs as a scenario to the same schools."""
    answer = propose_sites(study, CN, Scenario(), options)
    assert not answer.conflicts
    plan = answer.plans[0]
    assert plan.certificate.gap_share <= 0.02
    assert plan.periods["unplaced_pupils"].max() == pytest.approx(0.0, abs=1e-3)
    assert (plan.schools["pupils"] <= plan.schools["places"] + 1e-3).all()
    assert sum(plan.parts.values()) == pytest.approx(plan.certificate.value, rel=1e-6)
    outcome = run_scenario(study, CN, plan.scenario)
    assert outcome.plan is not None
    last = plan.schools[plan.schools["year"] == plan.schools["year"].max()]
    standing = outcome.plan.places
    assert set(standing.loc[standing["stage"] == options.stage, "school_id"]) == set(last["facility_id"])
    assert outcome.indicator("mean_travel_min") <= plan.periods["mean_travel_min"].iloc[-1] + 0.5


@pytest.mark.slow
def test_demo_county_junior_in_two_years() -> None:
    options = SitingOptions(
        stage="junior", years=(2027, 2030), variant="middle", search=SEARCH, rules=SitingRules(max_changes=6)
    )
    check(read("demo"), options)


@pytest.mark.real
@pytest.mark.slow
def test_gongyi_junior(cases: Path) -> None:
    check(read("gongyi"), SitingOptions(stage="junior", search=SEARCH))

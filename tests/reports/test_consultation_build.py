"""A proposal made ready to be published: what it is compared with, its procedure, its name."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from geodata.build import read_study
from geodata.errors import InfeasibleError, ScenarioError
from planning.actions import Action, ChangePlaces, CloseSchool, MakeTeachingPoint, MergeSchools, MoveUnits
from planning.disclosure import check_disclosure
from planning.procedure import Procedure, find_kind
from planning.publication_options import PackOptions
from planning.rules import design_class_size
from planning.scenario import Scenario
from planning.scenario_file import read_scenario
from reports.consultation_build import build_consultation, build_today
from reports.consultation_case import Consultation
from tests.planning.action_worlds import CN, build_street

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STUDY = build_street()
CLOSE = Scenario("close the middle", actions=(CloseSchool(school_id="M"),))


@pytest.fixture(scope="module")
def consultation() -> Consultation:
    return build_consultation(STUDY, CN, CLOSE, languages=("zh", "en"))


def test_today_is_the_baseline(consultation: Consultation) -> None:
    assert consultation.baseline.scenario.all_actions == ()
    assert consultation.comparison.names[1] == "close the middle"
    assert consultation.publication.totals["moved_pupils"].tolist() == [30.0]
    assert consultation.title == "close the middle"
    assert consultation.procedure == Procedure("closure")
    assert len(consultation.checks) and len(consultation.not_checked)
    assert not [item for item in check_disclosure(STUDY, consultation.publication, consultation.options) if item.blocks]


def test_pack_is_named_by_its_content(consultation: Consultation) -> None:
    again = build_consultation(STUDY, CN, CLOSE)
    assert len(again.pack_id) == 12 and again.pack_id.isalnum()
    assert again.pack_id == consultation.pack_id, "languages do not change what is published"
    other = build_consultation(STUDY, CN, CLOSE, options=PackOptions(phone="010-1"))
    assert other.pack_id != again.pack_id


def test_other_baseline_and_alternatives() -> None:
    more = Scenario("close West", actions=(CloseSchool(school_id="W"),))
    found = build_consultation(STUDY, CN, CLOSE, baseline=Scenario("as it is"), alternatives=[more])
    assert found.comparison.names == ("as it is", "close the middle", "close West")
    assert [outcome.scenario.name for outcome in found.alternatives] == ["close West"]
    assert found.baseline.scenario.name == "as it is"


@pytest.mark.parametrize(
    "other", [Scenario("junior", stages=("junior",)), Scenario("car", mode="drive"), Scenario("later", year=2030)]
)
def test_other_questions_are_refused(other: Scenario) -> None:
    with pytest.raises(ScenarioError, match="ask about different things"):
        build_consultation(STUDY, CN, CLOSE, baseline=other)


def test_too_many_alternatives_are_refused() -> None:
    with pytest.raises(ScenarioError, match="alternatives"):
        build_consultation(STUDY, CN, CLOSE, alternatives=[Scenario("x")] * 3)


def test_proposal_without_a_plan_is_refused() -> None:
    with pytest.raises(InfeasibleError):
        build_consultation(STUDY, CN, replace(CLOSE, actions=(CloseSchool(school_id="nowhere"),)))


def test_today_of_a_proposal_that_draws_zones_is_what_is_in_force() -> None:
    drawn = Scenario("drawn", enrolment="zoning")
    zoned = build_street(zones=[(key, "primary", "W") for key in "abcde"])
    assert build_today(STUDY, drawn).enrolment == "nearest"
    assert build_today(STUDY, replace(drawn, actions=CLOSE.actions)).enrolment == "zoning"
    assert build_today(zoned, drawn).enrolment == "zones"
    assert build_today(zoned, replace(drawn, stages=("primary", "junior"))).enrolment == "nearest"
    assert build_today(zoned, replace(drawn, enrolment="choice")).enrolment == "choice"


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (CloseSchool(school_id="M"), "closure"),
        (MergeSchools(school_ids=("M",), into=("W",)), "closure"),
        (MakeTeachingPoint(school_id="M"), "closure"),
        (ChangePlaces(school_id="M", stage="primary", add_places=5), "rezoning"),
        (MoveUnits(unit_ids=("b",), stage="primary", school_ids=("W",)), "rezoning"),
    ],
)
def test_kind_of_procedure(action: Action, kind: str) -> None:
    assert find_kind((action,)) == kind


def test_progress_rises_to_one() -> None:
    seen: list[float] = []
    build_consultation(STUDY, CN, CLOSE, progress=lambda step, share: seen.append(share))
    assert seen[-1] == 1.0 and all(first <= second + 1e-9 for first, second in itertools.pairwise(seen))


def test_demo_merger_adds_up_and_gives_nobody_away() -> None:
    study = read_study(EXAMPLES / "studies" / "demo.toml", design_class_size=design_class_size(CN))
    scenario = read_scenario(EXAMPLES / "scenarios" / "demo_merger.toml")
    found = build_consultation(study, CN, scenario)
    publication = found.publication
    total = publication.totals.iloc[0]
    assert total["pupils"] == round(float(study.units["primary_pupils"].sum()))
    assert found.procedure.kind == "closure" and publication.hidden[0] > 0
    assert not [item for item in check_disclosure(study, publication, found.options, rules=CN) if item.blocks]
    assert publication.units.loc[publication.units["changed"], "reason"].notna().all()
    # Where all counts of a table are shown, they add up to the county; hidden ones are missing from the sum.
    for table, column, flag in (
        (publication.units, "pupils", "pupils_hidden"),
        (publication.towns, "pupils", "pupils_hidden"),
        (publication.schools, "pupils_before", "pupils_before_hidden"),
        (publication.flows, "pupils", "pupils_hidden"),
    ):
        whole = total["moved_pupils"] if table is publication.flows else total["pupils"]
        assert table[column].isna().sum() >= table[flag].sum()
        shown = float(table[column].sum())
        assert shown <= whole and (shown == whole or table[flag].sum() >= 2)

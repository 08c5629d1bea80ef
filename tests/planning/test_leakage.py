import pytest

from planning.leakage import LEAKAGE_COLUMNS, build_leakage, describe_leakage
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from tests.worlds import WorldSchool, build_five_villages

CN = read_rulebook("cn")


def leakage_of(**changes):
    return run_scenario(build_five_villages(**changes), CN, Scenario()).leakage


def test_villages_lose_what_the_seat_gains():
    """Modelled: W 50, E 60. Rolls: W 40, E 70. Ten pupils of 50 leave the rural school for the urban one."""
    table = leakage_of()
    assert tuple(table.columns) == LEAKAGE_COLUMNS
    table = table.set_index(["area_kind", "area"])
    assert table.loc[("setting", "rural"), "surplus_pupils"] == -10
    assert table.loc[("setting", "rural"), "surplus_share"] == pytest.approx(-0.2)
    assert table.loc[("town", "Easttown"), "surplus_pupils"] == 10
    assert table.loc[("school", "W"), "name"] == "West School"


def test_in_words_the_deficit_first():
    assert [str(sentence) for sentence in describe_leakage(leakage_of())] == [
        "primary school, rural schools: 10 pupils fewer than the model sends there (20%); they go elsewhere.",
        "primary school, urban schools: 10 pupils more than the model sends there (17%); they come from elsewhere.",
    ]


def test_only_the_distribution_is_compared():
    """Rolls of 80 and 140 are twice as many as the children known: the balance is the same in shares."""
    schools = {"W": WorldSchool(roll=80, setting="rural"), "E": WorldSchool(roll=140, setting="urban")}
    table = leakage_of(schools=schools).set_index(["area_kind", "area"])
    assert table.loc[("school", "W"), "expected_pupils"] == pytest.approx(100)
    assert table.loc[("setting", "rural"), "surplus_share"] == pytest.approx(-0.2)


def test_a_school_without_a_roll_is_left_out():
    table = leakage_of(schools={"W": WorldSchool(), "E": WorldSchool(roll=70)})
    assert table["area"].tolist() == ["E"]
    assert table["surplus_pupils"].tolist() == [0]


def test_a_balance_near_zero_is_not_put_into_words():
    schools = {"W": WorldSchool(roll=50, setting="rural"), "E": WorldSchool(roll=60, setting="urban")}
    assert describe_leakage(leakage_of(schools=schools)) == []


def test_an_empty_district():
    outcome = run_scenario(build_five_villages(), CN, Scenario(stages=("senior",)))
    assert tuple(outcome.leakage.columns) == LEAKAGE_COLUMNS
    assert len(build_leakage(outcome.school_table)) == 0

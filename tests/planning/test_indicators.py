import numpy as np
import pytest

from planning.indicators import INDICATOR_COLUMNS, INDICATORS, build_indicators, find_indicator
from planning.measures import compute_cv, compute_gini
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from tests.worlds import WorldSchool, WorldUnit, build_five_villages, build_nine_units, build_world

CN = read_rulebook("cn")


def outcome_of(study, **settings):
    return run_scenario(study, CN, Scenario(**settings))


def test_five_villages_by_hand():
    """W: 40 of 100 places; E: 70 of 40 places, so 30 short. Classes: W 2 of 20, E 1 of 70. Leak: W keeps 40 of 50."""
    outcome = outcome_of(build_five_villages())
    expected = {
        "pupils": 110,
        "actual_pupils": 110,
        "schools": 2,
        "places": 140,
        "fill_share": 110 / 140,
        "modelled_fill_share": 110 / 140,
        "places_short": 30,
        "mean_length_m": 60_000 / 110,
        "max_length_m": 2000,
        "within_500_m_share": 60 / 110,
        "within_1000_m_share": 100 / 110,
        "within_2000_m_share": 1,
        "within_5_min_share": 60 / 110,
        "unreached_pupils": 0,
        "large_class_share": 1 / 3,
        "mean_class_pupils": 110 / 3,
        "small_schools": 1,
        "leak_share": 10 / 110,
        "beyond_radius_share": 20 / 110,
        "beyond_time_share": 0,
    }
    assert {name: outcome.indicator(name) for name in expected} == pytest.approx(expected)
    fill, rolls = np.array([0.4, 1.75]), np.array([40.0, 70.0])
    assert outcome.indicator("fill_cv") == pytest.approx(compute_cv(fill, rolls))
    assert outcome.indicator("fill_gini_plain") == pytest.approx(compute_gini(fill))


def test_areas_add_up_to_the_county():
    outcome = outcome_of(build_five_villages())
    table = outcome.indicators
    for kind in ("setting", "town"):
        for name in ("pupils", "actual_pupils", "places", "schools", "places_short", "unreached_pupils"):
            rows = table[(table["indicator"] == name) & (table["area_kind"] == kind)]
            assert rows["value"].sum() == pytest.approx(outcome.indicator(name)), (kind, name)


def test_units_count_where_children_live_and_schools_where_they_stand():
    """c lives in Westtown but goes to E: its 20 minutes belong to Westtown: (20·10 + 10·20) / 60."""
    outcome = outcome_of(build_five_villages())
    assert outcome.indicator("mean_travel_min", area_kind="town", area="Westtown") == pytest.approx(400 / 60)
    assert outcome.indicator("pupils", area_kind="town", area="Westtown") == 60
    assert outcome.indicator("modelled_fill_share", area_kind="town", area="Westtown") == 0.5


def test_a_town_without_a_school_and_a_school_without_children():
    study = build_world(
        "a/S b",
        pupils={"b": 10},
        schools={"S": WorldSchool(town="north", roll=5)},
        units={"a": WorldUnit(town="south"), "b": WorldUnit(town="south")},
    )
    outcome = outcome_of(study)
    assert outcome.indicator("schools", area_kind="town", area="south") == 0
    assert np.isnan(outcome.indicator("places", area_kind="town", area="south"))
    assert outcome.indicator("pupils", area_kind="town", area="north") == 0
    assert np.isnan(outcome.indicator("mean_travel_min", area_kind="town", area="north"))


def test_without_rolls_places_short_is_judged_by_the_model():
    study = build_nine_units(schools={"M": WorldSchool(places=60)})
    outcome = outcome_of(study)
    assert outcome.indicator("places_short") == 30
    assert np.isnan(outcome.indicator("actual_pupils"))


def test_the_registry_is_whole():
    names = [indicator.name for indicator in INDICATORS]
    assert len(names) == len(set(names))
    for indicator in INDICATORS:
        assert indicator.direction in ("higher", "lower", "neutral")
        assert str(indicator.title) and str(indicator.definition).endswith(".")
        suffixes = {"min": "_min", "m": "_m", "share": "_share"}
        assert indicator.name.endswith(suffixes.get(indicator.unit, "")), indicator.name
    assert find_indicator("mean_travel_min").unit == "min"
    with pytest.raises(KeyError):
        find_indicator("mean_travel")


def test_every_indicator_is_computed_for_every_area():
    outcome = outcome_of(build_five_villages())
    table = build_indicators(outcome.stages, CN)
    assert tuple(table.columns) == INDICATOR_COLUMNS
    assert len(table) == len(INDICATORS) * (1 + 2 + 2)

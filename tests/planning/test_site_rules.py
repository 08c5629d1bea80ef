"""Siting rules on measured distances: each status of each rule by hand, in words, and candidates as sites."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import LineString, Point, box

from geodata.site_exclusions import measure_exclusions
from geodata.site_search import find_candidates
from geodata.study import StudyArea
from planning.actions import OpenSchool, StagePlaces
from planning.rules import Rules, read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.site_rules import (
    CAMPUS_M,
    NEAR_M,
    SITE_CHECK_COLUMNS,
    add_candidates,
    build_clear_distances,
    check_sites,
    list_blocked,
    locate_site,
    tell_site_check,
)
from tests.geodata.ground_worlds import add_exclusions
from tests.planning.action_worlds import build_street, make_site
from tests.worlds import WorldSchool, build_world

CN = read_rulebook("cn")
SITE = pd.DataFrame({"site_id": ["p"], "x_m": [0.0], "y_m": [0.0], "area_m2": [math.nan]})


def enable(rule_id: str) -> Rules:
    return replace(CN, rules=tuple(replace(rule, enabled=rule.enabled or rule.id == rule_id) for rule in CN.rules))


def judge(kind: str, shape: object, rules: Rules = CN, area_m2: float = math.nan) -> tuple[str, str]:
    """Return the rule and status of a site at 0, 0 near one thing."""
    study = add_exclusions(build_world("a"), (kind, "thing", shape))  # type: ignore[arg-type]
    checks = check_sites(study, rules, measure_exclusions(study, SITE.assign(area_m2=area_m2)))
    row = checks[checks["kind"] == kind].iloc[0]
    return str(row["rule_id"]), str(row["status"])


def line(north_m: float) -> LineString:
    return LineString([(-1000, north_m), (1000, north_m)])


def test_distances_of_railways_and_main_roads() -> None:
    assert judge("railway", line(299.9)) == ("S1", "failed")
    assert judge("railway", line(300)) == ("S1", "passed")
    for kind in ("expressway", "main_road"):
        assert judge(kind, line(79.9)) == ("S2", "failed")
        assert judge(kind, line(80)) == ("S2", "passed")


def test_hazard_zones_block_within_and_faults_ask_for_judgement() -> None:
    assert judge("flood", box(-10, -10, 10, 10)) == ("S5", "failed")
    assert judge("flood", box(5, -10, 10, 10)) == ("S5", "passed"), "a zone that was drawn ends at its edge"
    assert judge("pollution", box(-10, -10, 10, 10)) == ("S5", "failed")
    assert judge("seismic", line(NEAR_M - 1)) == ("S5", "unknown")
    assert judge("seismic", line(NEAR_M)) == ("S5", "passed")


def test_places_to_keep_away_from_without_a_distance() -> None:
    assert judge("funeral_home", Point(0, 0)) == ("S4", "failed")
    assert judge("funeral_home", Point(0, NEAR_M - 1)) == ("S4", "unknown")
    assert judge("infectious_disease_hospital", box(-900, NEAR_M, 900, 2000)) == ("S4", "passed")
    assert judge("explosive_site", Point(0, 100)) == ("S4", "unknown")


def test_a_rule_that_is_off_is_silent_and_one_that_is_on_speaks() -> None:
    with pytest.raises(IndexError):
        judge("high_voltage_line", line(10))
    lines = enable("S6")
    radius_m = 60.0
    area_m2 = math.pi * radius_m**2
    assert judge("high_voltage_line", line(59), lines, area_m2) == ("S6", "failed")
    assert judge("gas_or_oil_pipeline", line(61), lines, area_m2) == ("S6", "passed")
    assert judge("high_voltage_line", line(CAMPUS_M - 1), lines) == ("S6", "unknown"), "its size is not known"
    assert judge("high_voltage_line", line(CAMPUS_M), lines) == ("S6", "passed")
    assert judge("high_voltage_line", line(0), lines) == ("S6", "failed")
    assert judge("gas_station", Point(0, 20), enable("S10")) == ("S10", "unknown")


def test_ground_that_a_layer_draws_needs_no_rule() -> None:
    assert judge("protected_farmland", box(-10, -10, 10, 10)) == ("", "failed")
    assert judge("water", box(5, -10, 10, 10)) == ("", "passed")


def test_a_planners_own_distance_goes_before_the_convention() -> None:
    far = replace(CN.by_id("S4"), value={"all": 200.0}, unit="m", op=">=")
    rules = replace(CN, rules=tuple(far if rule.id == "S4" else rule for rule in CN.rules))
    assert judge("funeral_home", Point(0, 199), rules) == ("S4", "failed")
    assert judge("funeral_home", Point(0, 200), rules) == ("S4", "passed")


def test_clear_distances_are_those_of_the_rules() -> None:
    clear = build_clear_distances(CN)
    found = {item.kind: (item.distance_m, item.excludes, item.rule_id) for item in clear.items}
    assert found["railway"] == (300.0, False, "S1")
    assert found["main_road"] == found["expressway"] == (80.0, False, "S2")
    assert found["funeral_home"] == (NEAR_M, False, "S4")
    assert found["flood"] == found["landslide"] == (0.0, True, "S5")
    assert found["protected_farmland"] == (0.0, True, "")
    assert "high_voltage_line" not in found, "S6 was not verified and is off"
    assert math.isnan(clear.min_area_m2)
    sized = build_clear_distances(enable("L15"), stage="primary", classes=12)
    assert sized.min_area_m2 == pytest.approx(22 * 45 * 12)


def test_the_studys_own_sites_with_what_is_not_known() -> None:
    study = make_site(build_street(), "M", area_m2=9000.0)
    study = add_exclusions(study, ("flood", "River", box(2000, 0, 3000, 1000)))
    checks = check_sites(study, CN)
    assert tuple(checks.columns) == SITE_CHECK_COLUMNS
    assert set(checks["site_id"]) == {"M"}
    flood = checks[checks["kind"] == "flood"].iloc[0]
    assert (flood["status"], flood["severity"], flood["measured_m"], flood["source"]) == ("failed", "block", 0, "layer")
    unknown = checks[checks["kind"] == "railway"].iloc[0]
    assert (unknown["status"], unknown["source"], unknown["limit_m"]) == ("unknown", "", 300.0)
    assert np.isnan(unknown["measured_m"])
    assert list_blocked(checks) == ["M"]
    assert list_blocked(check_sites(make_site(build_street(), "M"), CN)) == []
    nothing = measure_exclusions(build_street(), SITE)
    assert set(check_sites(build_street(), CN, nothing, site_ids=["p"])["status"]) == {"unknown"}
    assert check_sites(build_street(), CN).empty, "a study without sites"


def test_checks_in_words() -> None:
    study = add_exclusions(
        build_world("a"),
        ("railway", "Old Line", line(214)),
        ("flood", "River", box(-10, -10, 10, 10)),
        ("funeral_home", "", Point(0, 430)),
    )
    checks = check_sites(study, CN, measure_exclusions(study, SITE))
    said = {(row.rule_id, row.kind): str(tell_site_check(row, CN)) for row in checks.itertuples(index=False)}
    assert said["S1", "railway"] == (
        "Only 214 m from the nearest railway (Old Line); at least 300 m are asked. Rule S1, 4.1.6."
    )
    assert said["S5", "flood"] == "Lies on or in: flood zone (River). Rule S5."
    assert said["S4", "funeral_home"] == (
        "The nearest funeral home is 430 m away; the rule names no distance: a person must judge. Rule S4, 4.1.3."
    )
    assert said["S2", "main_road"] == "Not checked, because no layer tells of it: main road. Rule S2, 4.1.6."
    farm = study.exclusions.assign(kind="protected_farmland")
    drawn = replace(study, exclusions=farm)
    row = next(check_sites(drawn, CN, measure_exclusions(drawn, SITE)).tail(1).itertuples(index=False))
    assert str(tell_site_check(row, CN)) == "Lies on or in: protected farmland (River)."


def build_wide() -> StudyArea:
    """Five villages, one school in the west; 40 pupils in the far east."""
    schools = {"W": WorldSchool(places=100, roll=30)}
    return build_world("a/W b c d e", pupils={"a": 10, "b": 10, "c": 5, "d": 10, "e": 40}, schools=schools)


def test_candidates_become_sites_and_schools() -> None:
    study = build_wide()
    clear = build_clear_distances(CN, stage="primary")
    found = find_candidates(study, stage="primary", mode="walk", max_travel_min=8, count=1, clear=clear)
    more = add_candidates(study, found)
    assert more.sites[["site_id", "stages"]].to_numpy().tolist() == [["new-001", "primary"]]
    unit_id, point = locate_site(more, "new-001")
    assert (unit_id, point) == ("e", (4500.0, 500.0))
    with pytest.raises(KeyError):
        locate_site(study, "new-001")
    # opened at the site of the richer study, or at the point of the stored one: the same ways
    places = (StagePlaces("primary", classes=1),)
    at_site = OpenSchool(school_id="N", name="New", stages=places, site_id="new-001")
    at_point = OpenSchool(school_id="N", name="New", stages=places, point=point)
    outcomes = [
        run_scenario(where, CN, Scenario(actions=(action,), stages=("primary",), mode="walk"))
        for where, action in ((more, at_site), (study, at_point))
    ]
    tables = [outcome.indicators for outcome in outcomes]
    assert len(tables[0]) and tables[0].equals(tables[1])


def test_excluded_candidates_are_added_only_when_asked_for() -> None:
    study = add_exclusions(build_wide(), ("flood", "", box(3990, -100, 5100, 1100)))
    clear = build_clear_distances(CN, stage="primary")
    found = find_candidates(study, stage="primary", mode="walk", max_travel_min=12, count=1, clear=clear)
    assert add_candidates(study, found).sites["site_id"].tolist() == ["new-001"]
    both = add_candidates(study, found, include_excluded=True)
    assert both.sites["site_id"].tolist() == ["new-001", "new-002"]
    assert list_blocked(check_sites(both, CN)) == ["new-002"]
    assert list_blocked(check_sites(study, CN, found.distances)) == ["new-002"]

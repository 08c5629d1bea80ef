"""Assignment under capacity: by hand on small worlds, against brute force, laws, and a published optimum."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.build import read_study
from geodata.errors import ScenarioError
from planning.assignment_options import AssignmentOptions, PriorityClass
from planning.plan import check_plan
from planning.rules import read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario
from tests.worlds import WorldSchool, build_five_villages, build_island, build_world

CN = read_rulebook("cn")
ROOT = Path(__file__).resolve().parent.parent.parent


def assign(study, **options) -> Outcome:
    measure = options.pop("measure", "time")
    scenario = Scenario(enrolment="capacity", measure=measure, assignment=AssignmentOptions(**options))
    return run_scenario(study, CN, scenario)


def flows(outcome: Outcome) -> dict[tuple[str, str], float]:
    rows = outcome.require_plan().enrolment
    return {(row.unit_id, row.school_id): round(row.pupils, 6) for row in rows.itertuples() if row.pupils > 0}


def test_five_villages_by_hand():
    """E holds 40: e (30) and half of d (10). The rest of d walks 30 min instead of 10, c 20 either way.

    a 0, b 20·10, c 10·20, d 10·10 + 10·30, e 0: 200 + 200 + 400 = 800 pupil-minutes; without places 600.
    """
    outcome = assign(build_five_villages())
    assert flows(outcome) == {
        ("a", "W"): 30, ("b", "W"): 20, ("c", "W"): 10, ("d", "E"): 10, ("d", "W"): 10, ("e", "E"): 30,
    }  # fmt: skip
    certificate = outcome.certificates[0]
    assert certificate.value == pytest.approx(800) and certificate.bound == pytest.approx(800)
    assert certificate.status == "optimal" and certificate.unit == "pupil-minutes"
    assert [price.rule for price in certificate.rule_prices] == ["capacity"]
    assert certificate.rule_prices[0].saved == pytest.approx(200)
    living = build_five_villages().units.assign(stage="primary", pupils=lambda table: table["primary_pupils"])
    assert check_plan(outcome.require_plan(), living[["unit_id", "stage", "pupils"]]) == []


def test_one_more_class_by_hand():
    """45 more places at E: d's other ten save 20 min each, c's ten save nothing: 200, not 45 × 20 = 900."""
    table = assign(build_five_villages()).place_values.set_index("school_id")
    assert table.loc["E", "price_per_place"] == pytest.approx(20)
    assert table.loc["E", "dual_saving"] == pytest.approx(900)
    assert table.loc["E", "class_saving"] == pytest.approx(200)
    assert table.loc["W", "class_saving"] == 0 and table.loc["W", "free_places"] == pytest.approx(30)
    assert "10 pupils of d would come, and places become free at West School" in str(table.loc["E", "reason"])


def test_a_tie_goes_to_the_current_zone_then_to_the_first_id():
    """A square: both units are 10 min from both schools, which hold one unit each."""
    picture = "a S\nT b".replace(" S", " /S").replace("T ", "/T ")
    schools = {"S": WorldSchool(places=10), "T": WorldSchool(places=10)}
    pupils = {"a": 10, "b": 10}
    free = assign(build_world(picture, pupils=pupils, schools=schools))
    assert flows(free) == {("a", "S"): 10, ("b", "T"): 10}
    zoned = assign(build_world(picture, pupils=pupils, schools=schools, zones=[("a", "primary", "T")]))
    assert flows(zoned) == {("a", "T"): 10, ("b", "S"): 10}


def test_too_few_places_are_shown_by_place():
    """80 places for 110 pupils; who lives farthest is above the places."""
    schools = {"W": WorldSchool(places=40, name="West"), "E": WorldSchool(places=40, name="East")}
    outcome = assign(build_five_villages(schools=schools))
    assert outcome.conflicts == ()
    assert outcome.certificates[0].overload_pupils == pytest.approx(30)
    (short,) = outcome.shortages
    assert short.rule == "capacity" and short.short_pupils == pytest.approx(30)
    assert "110 pupils live here, and all schools together have 80 places: 30 pupils too many" in str(short.message)
    assert "1 (45 places)" in str(short.cure)
    assert outcome.without_place["pupils"].sum() == pytest.approx(30)
    assert outcome.place_values["pupils_over"].sum() == pytest.approx(30)


def test_too_few_places_can_be_a_conflict():
    schools = {"W": WorldSchool(places=40), "E": WorldSchool(places=40)}
    outcome = assign(build_five_villages(schools=schools), overload="forbidden")
    assert outcome.plan is None and len(outcome.conflicts) == 1
    assert outcome.hard_conflicts[0].school_ids == ("E", "W")


def test_a_group_of_villages_that_lacks_places_is_found():
    """With 30 min as the limit a, b, c, d reach W (c, d also E). W 20, E 300: only a and b depend on W alone."""
    schools = {"W": WorldSchool(places=20, name="West"), "E": WorldSchool(places=300, name="East")}
    study = build_world("a/W b c d e f/E", pupils=dict.fromkeys("abcdef", 20.0), schools=schools)
    outcome = assign(study, travel_cap="hard")
    (short,) = outcome.shortages
    assert short.unit_ids == ("a", "b") and short.school_ids == ("W",)
    assert short.short_pupils == pytest.approx(20)


def test_a_hard_limit_that_cannot_hold_is_a_conflict_with_its_cure():
    """f is 50 min from the only school; a bus needs 10."""
    study = build_world("a/W b c d e f", pupils=dict.fromkeys("abcdef", 5.0), schools={"W": WorldSchool()})
    outcome = assign(study, travel_cap="hard")
    assert outcome.plan is None
    (conflict,) = outcome.hard_conflicts
    assert conflict.rule == "travel_cap" and conflict.unit_ids == ("e", "f") and conflict.short_pupils == 10
    assert (
        str(conflict.cure)
        == "A bus: all reach a school in 10 min. Else raise the limit to 50 min, or open a place in e."
    )
    assert not outcome.unit_table.empty


def test_a_priced_limit_still_answers():
    """The 20 and 10 minutes beyond 30 count twice: 5 · (0+10+20+30+40+50) + 5 · (10+20) = 900."""
    study = build_world("a/W b c d e f", pupils=dict.fromkeys("abcdef", 5.0), schools={"W": WorldSchool()})
    outcome = assign(study, travel_cap="priced")
    assert outcome.certificates[0].value == pytest.approx(900)
    assert outcome.certificates[0].rule_prices[1].saved == pytest.approx(150)


def test_a_limit_that_no_rule_gives_is_said():
    junior = WorldSchool(stages=("junior",), kind="junior")
    study = build_world("a b/J", pupils={"junior": {"a": 5, "b": 5}}, schools={"J": junior})
    scenario = Scenario(enrolment="capacity", stages=("junior",), assignment=AssignmentOptions(travel_cap="hard"))
    outcome = run_scenario(study, CN, scenario)
    assert outcome.plan is not None and "no limit of travel" in str(outcome.shortages[0].message)


def test_closed_pairs_and_their_conflict():
    outcome = assign(build_five_villages(), closed=(("a", "W"),))
    assert ("a", "E") in flows(outcome)
    assert {price.rule for price in outcome.certificates[0].rule_prices} == {"capacity", "closed"}
    shut = assign(build_five_villages(), closed=(("a", "W"), ("a", "E")))
    assert shut.plan is None and shut.hard_conflicts[0].rule == "closed"
    assert str(shut.hard_conflicts[0].cure) == "Open West School to them."
    with pytest.raises(ScenarioError, match="not in the study: x"):
        assign(build_five_villages(), closed=(("x", "W"),))


def test_a_barrier_is_not_crossed():
    import dataclasses

    study = build_five_villages()
    west = [("railway", "unit", key, 0, 0) for key in "ab"] + [("railway", "school", "W", 0, 0)]
    east = [("railway", "unit", key, 1, 1) for key in "cde"] + [("railway", "school", "E", 1, 1)]
    sides = pd.DataFrame(west + east, columns=["kind", "place", "id", "side", "side_uncrossed"])
    parted = dataclasses.replace(study, sides=sides)
    outcome = assign(parted, barriers=("railway",))
    assert {unit for unit, school in flows(outcome) if school == "E"} == {"c", "d", "e"}
    (short,) = outcome.shortages
    assert short.unit_ids == ("c", "d", "e") and short.short_pupils == pytest.approx(20)
    with pytest.raises(ScenarioError, match="no barriers"):
        assign(study, barriers=("railway",))


def test_a_shared_zone_is_split_by_places():
    schools = {"S": WorldSchool(places=30), "T": WorldSchool(places=10), "U": WorldSchool(places=10)}
    study = build_world("a/S /T b /U", pupils={"a": 20, "b": 20}, schools=schools)
    outcome = assign(study, groups=(("pair", ("S", "T")),))
    rows = outcome.require_plan().enrolment.set_index(["unit_id", "school_id"])["pupils"]
    assert rows["a", "S"] == pytest.approx(15) and rows["a", "T"] == pytest.approx(5)
    assert rows["b", "U"] == pytest.approx(10)
    assert rows["b", "S"] == pytest.approx(7.5) and rows["b", "T"] == pytest.approx(2.5)


def test_the_lower_rank_bears_the_shortage():
    """S holds ten of a's twenty; T is far. Residents stay, the others travel."""
    schools = {"S": WorldSchool(places=10), "T": WorldSchool(places=100)}
    study = build_world("a/S b c/T", pupils={"a": 10, "b": 10}, schools=schools)
    resident = PriorityClass("resident", 1, unit_shares=(("b", 1.0),))
    assert flows(assign(study)) == {("a", "S"): 10, ("b", "T"): 10}
    closed = (("b", "T"),)
    first = assign(study, closed=closed, priorities=(resident,))
    assert flows(first) == {("b", "S"): 10, ("a", "T"): 10}
    none_left = assign(study, closed=(("b", "T"), ("a", "T")), priorities=(resident,))
    assert none_left.without_place[["unit_id", "priority"]].to_numpy().tolist() == [["a", ""]]


def test_the_island_stays_unreached_and_is_no_conflict():
    outcome = assign(build_island())
    rows = outcome.require_plan().enrolment.set_index("unit_id")
    assert rows.loc["i", "origin"] == "unreached" and rows.loc["a", "origin"] == "capacity"
    assert [short.rule for short in outcome.shortages] == ["unreached"]


def test_unknown_places_are_without_limit_and_unknown_pupils_get_the_nearest():
    schools = {"W": WorldSchool(places=None), "E": WorldSchool(places=5)}
    study = build_five_villages(schools=schools, pupils={"a": 30, "b": float("nan"), "e": 30})
    outcome = assign(study)
    assert outcome.shortages == ()
    rows = outcome.require_plan().enrolment.set_index("unit_id")
    assert rows.loc["b", "school_id"] == "W" and np.isnan(rows.loc["b", "pupils"])


def test_teaching_points_take_low_grades_only():
    schools = {"P": WorldSchool(kind="teaching_point", places=100), "S": WorldSchool(places=100)}
    outcome = assign(build_world("a/P b c/S", pupils={"a": 20, "c": 10}, schools=schools))
    assert flows(outcome) == {("a", "P"): 10, ("a", "S"): 10, ("c", "S"): 10}


def test_metres_are_compared_where_asked():
    outcome = assign(build_five_villages(), measure="length")
    assert outcome.certificates[0].unit == "pupil-metres"
    assert outcome.certificates[0].value == pytest.approx(80_000)


def test_whole_units_by_hand():
    """d's 20 pupils do not fit beside e's 30 in 40 places: c goes to E, d walks 30 min. 200 + 200 + 600 = 1,000."""
    pytest.importorskip("planning.solvers.whole_units")
    outcome = assign(build_five_villages(), whole_units=True)
    assert flows(outcome)[("d", "W")] == 20 and ("d", "E") not in flows(outcome)
    certificate = outcome.certificates[0]
    assert certificate.value == pytest.approx(1000)
    assert 800 - 1e-6 <= certificate.bound <= 1000
    assert [price.rule for price in certificate.rule_prices] == ["capacity", "whole_units"]


def test_a_unit_bigger_than_any_school():
    pytest.importorskip("planning.solvers.whole_units")
    schools = {"W": WorldSchool(places=25), "E": WorldSchool(places=200)}
    outcome = assign(build_five_villages(schools=schools), whole_units=True, closed=(("a", "E"),))
    big = [item for item in outcome.shortages if "more than the largest school" in str(item.message)]
    assert [item.unit_ids for item in big] == [("a",)] and big[0].short_pupils == pytest.approx(5)


SMALL = st.lists(
    st.tuples(st.integers(0, 12), st.lists(st.integers(0, 40), min_size=3, max_size=3)), min_size=1, max_size=3
)


def build_open_world(rows, places):
    """Units u0.. with given minutes to schools A, B, C."""
    import dataclasses

    names = [f"u{number}" for number in range(len(rows))]
    picture = " ".join([*names, "/A", "/B", "/C"])
    schools = {key: WorldSchool(places=float(number)) for key, number in zip("ABC", places, strict=True)}
    study = build_world(picture, pupils={name: row[0] for name, row in zip(names, rows, strict=True)}, schools=schools)
    minutes = np.array([row[1] for row in rows], dtype=np.float32)
    walk = dataclasses.replace(study.travel["walk"], time_min=minutes)
    return dataclasses.replace(study, travel={"walk": walk})


def brute_force(rows, places, price=1000.0):
    """Least cost over every way to split whole pupils (integral data, so whole pupils are optimal)."""

    def splits(total):
        return [(i, j, total - i - j) for i in range(total + 1) for j in range(total + 1 - i)]

    best = float("inf")
    for choice in itertools.product(*(splits(min(row[0], 4)) for row in rows)):
        load = np.sum(choice, axis=0)
        cost = sum(np.dot(part, row[1]) for part, row in zip(choice, rows, strict=True))
        best = min(best, cost + price * np.maximum(0, load - np.array(places)).sum())
    return best


@settings(max_examples=25, deadline=None)
@given(SMALL, st.lists(st.integers(0, 8), min_size=3, max_size=3))
def test_agrees_with_brute_force(rows, places):
    rows = [(min(pupils, 4), minutes) for pupils, minutes in rows]
    outcome = assign(build_open_world(rows, places))
    assert outcome.certificates[0].value == pytest.approx(brute_force(rows, places), abs=1e-6)
    assert outcome.certificates[0].bound == pytest.approx(outcome.certificates[0].value, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(SMALL, st.lists(st.integers(0, 20), min_size=3, max_size=3), st.integers(0, 2))
def test_places_never_hurt_and_nobody_is_lost(rows, places, more):
    study = build_open_world(rows, places)
    outcome = assign(study)
    wider = list(places)
    wider[more] += 5
    assert assign(build_open_world(rows, wider)).certificates[0].value <= outcome.certificates[0].value + 1e-6
    plan = outcome.require_plan()
    assert plan.enrolment["pupils"].sum() == pytest.approx(sum(row[0] for row in rows))
    assert plan.enrolment.groupby("unit_id")["share"].sum().to_numpy() == pytest.approx(1.0)
    over = outcome.place_values["pupils_over"].sum()
    assert over == pytest.approx(max(0, sum(row[0] for row in rows) - sum(places)), abs=1e-6)


def test_ways_left_out_are_priced_back_in(monkeypatch):
    """With two ways a unit at first, the answer is that of all ways."""
    dice = np.random.default_rng(3)
    rows = [(int(dice.integers(1, 9)), dice.integers(0, 60, 3).tolist()) for _ in range(12)]
    whole = assign(build_open_world(rows, [20, 25, 18])).certificates[0]
    monkeypatch.setattr("planning.assignment_problem.MAX_ARCS", 12)
    few = assign(build_open_world(rows, [20, 25, 18])).certificates[0]
    assert few.value == pytest.approx(whole.value, abs=1e-6)
    assert few.bound == pytest.approx(few.value, abs=1e-6)


def test_options_are_checked_together():
    with pytest.raises(ScenarioError) as caught:
        AssignmentOptions(
            travel_cap="sometimes", overload="never", cap_price=-1, groups=(("g", ("S",)), ("g", ("S",)), ("h", ()))
        )  # type: ignore[arg-type]
    for part in ("'sometimes'", "'never'", "cap_price", "two groups: S", "stands twice", "no schools"):
        assert part in str(caught.value)


@pytest.mark.real
def test_the_published_optimum_of_vasileostrovsky(cases: Path, monkeypatch):
    """The transport optimum of an independent LP: 248,032.85 person-minutes, mean 8.3806 min."""
    monkeypatch.setenv("BUJU_CASES", str(cases))
    outcome = assign(read_study(ROOT / "examples" / "studies" / "vasileostrovsky.toml"))
    certificate = outcome.certificates[0]
    assert certificate.value == pytest.approx(248032.85498046875, rel=1e-9)
    assert certificate.gap_share < 1e-9
    assert certificate.mean_per_pupil == pytest.approx(8.380620860267223, rel=1e-6)
    assert certificate.rule_prices[0].value / 29596 == pytest.approx(7.043580982359313, abs=1e-4)

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.assignment import Ways, enrol_by_zones, enrol_nearest, find_nearest, find_zone_schools

NAN = float("nan")


def build_ways(time_min, *, length_m=None, pupils=None, low_only=()) -> Ways:
    """Units a, b, c …; schools S0, S1, …; ``low_only`` names teaching points by position."""
    time = np.array(time_min, dtype=np.float32)
    units, schools = time.shape
    return Ways(
        unit_ids=np.array([chr(97 + n) for n in range(units)], dtype=object),
        school_ids=np.array([f"S{n}" for n in range(schools)], dtype=object),
        pupils=np.array(pupils if pupils is not None else [10.0] * units),
        time_min=time,
        length_m=time * 100 if length_m is None else np.array(length_m, dtype=np.float32),
        low_only=np.isin(np.arange(schools), low_only),
    )


def as_tuples(table: pd.DataFrame) -> list[tuple[str, str, float, str]]:
    return list(zip(table["unit_id"], table["school_id"], table["share"].round(6), table["origin"], strict=True))


def test_the_nearest_by_time_or_by_length():
    ways = build_ways([[5, 9]], length_m=[[900, 400]])
    assert find_nearest(ways).tolist() == [0]
    assert find_nearest(ways, measure="length").tolist() == [1]


def test_ties_go_to_the_zone_then_to_the_shorter_way_then_to_the_first_id():
    ways = build_ways([[10, 10, 10]] * 3, length_m=[[900, 800, 900], [900, 900, 800.00], [700, 700, 700]])
    assert find_nearest(ways).tolist() == [1, 2, 0]
    assert find_nearest(ways, preferred={0: np.array([2]), 1: np.array([0, 1]), 2: np.array([1, 2])}).tolist() == [
        2,
        0,
        1,
    ]


def test_the_zone_wins_ties_only():
    assert find_nearest(build_ways([[10, 11]]), preferred={0: np.array([1])}).tolist() == [0]


def test_where_there_are_no_minutes_metres_decide():
    ways = build_ways([[NAN, NAN], [NAN, NAN]], length_m=[[300, 200], [NAN, NAN]])
    assert find_nearest(ways).tolist() == [1, -1]


def test_the_unreached_are_listed_with_all_their_pupils():
    table = enrol_nearest(build_ways([[3], [NAN]]))
    assert as_tuples(table) == [("a", "S0", 1.0, "nearest"), ("b", "", 1.0, "unreached")]
    assert table["pupils"].tolist() == [10, 10]
    assert np.isnan(table["time_min"][1])


def test_teaching_points_take_the_low_grades_only():
    """a: the teaching point S1 is nearer, so grades 1-3 go there; b: the complete school S0 is nearer for all."""
    table = enrol_nearest(build_ways([[20, 5], [4, 5], [NAN, 5]], low_only=[1]))
    assert as_tuples(table) == [
        ("a", "S0", 0.5, "nearest"),
        ("a", "S1", 0.5, "nearest"),
        ("b", "S0", 1.0, "nearest"),
        ("c", "", 0.5, "unreached"),
        ("c", "S1", 0.5, "nearest"),
    ]
    none_low = enrol_nearest(build_ways([[20, 5]], low_only=[1]), low_grade_share=0.0)
    assert as_tuples(none_low) == [("a", "S0", 1.0, "nearest")]


def zones(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["unit_id", "school_id"], dtype=str)


def test_zones_are_followed_and_shared_ones_split_evenly():
    """a: its zone is the farther school; b: shared by both; c: no zone, so the nearest; x and S9 are not ours."""
    ways = build_ways([[1, 9], [1, 9], [9, 1]])
    found = find_zone_schools(ways, zones(("a", "S1"), ("b", "S0"), ("b", "S1"), ("b", "S1"), ("x", "S0"), ("c", "S9")))
    assert {key: value.tolist() for key, value in found.items()} == {0: [1], 1: [0, 1]}
    assert as_tuples(enrol_by_zones(ways, found)) == [
        ("a", "S1", 1.0, "zone"),
        ("b", "S0", 0.5, "zone"),
        ("b", "S1", 0.5, "zone"),
        ("c", "S1", 1.0, "no_zone"),
    ]


def test_a_zone_whose_school_cannot_be_reached_is_no_zone():
    """b reaches nothing at all."""
    ways = build_ways([[5, NAN], [NAN, NAN]])
    table = enrol_by_zones(ways, find_zone_schools(ways, zones(("a", "S1"), ("b", "S0"))))
    assert as_tuples(table) == [("a", "S0", 1.0, "no_zone"), ("b", "", 1.0, "unreached")]


def test_a_zone_with_a_teaching_point_sends_the_low_grades_there():
    """a: zone = complete S0 and point S1: half and half. b: only S1: its upper grades to the nearest complete."""
    ways = build_ways([[5, 1, 9], [30, 1, 8]], low_only=[1])
    table = enrol_by_zones(ways, find_zone_schools(ways, zones(("a", "S0"), ("a", "S1"), ("b", "S1"))))
    assert as_tuples(table) == [
        ("a", "S0", 0.5, "zone"),
        ("a", "S1", 0.5, "zone"),
        ("b", "S1", 0.5, "zone"),
        ("b", "S2", 0.5, "no_zone"),
    ]


def test_no_zone_at_all_is_the_nearest_school():
    ways = build_ways([[5, 2]])
    assert as_tuples(enrol_by_zones(ways, {})) == [("a", "S1", 1.0, "no_zone")]


TABLES = st.integers(1, 6).flatmap(
    lambda schools: st.lists(
        st.lists(st.one_of(st.just(NAN), st.integers(0, 40).map(float)), min_size=schools, max_size=schools),
        min_size=1,
        max_size=12,
    )
)


@settings(max_examples=80, deadline=None)
@given(TABLES, st.data())
def test_no_pupil_is_lost_or_doubled(table, data):
    schools = len(table[0])
    low = data.draw(st.lists(st.integers(0, schools - 1), unique=True))
    pupils = data.draw(st.lists(st.floats(0, 500), min_size=len(table), max_size=len(table)))
    ways = build_ways(table, pupils=pupils, low_only=low)
    pairs = st.tuples(st.integers(0, len(table) - 1), st.integers(0, schools - 1))
    rows = [(chr(97 + unit), f"S{school}") for unit, school in data.draw(st.lists(pairs))]
    for enrolment in (enrol_nearest(ways), enrol_by_zones(ways, find_zone_schools(ways, zones(*rows)))):
        assert not enrolment.duplicated(["unit_id", "school_id"]).any()
        assert enrolment.groupby("unit_id")["share"].sum().to_numpy() == pytest.approx(np.ones(len(table)), abs=1e-9)
        assert enrolment.groupby("unit_id")["pupils"].sum().to_numpy() == pytest.approx(np.array(pupils), abs=1e-6)
        assert (enrolment.loc[enrolment["school_id"] != "", "time_min"].notna()).all()


@settings(max_examples=80, deadline=None)
@given(TABLES)
def test_one_more_school_never_lengthens_the_way_to_the_nearest(table):
    """True without teaching points; times are whole minutes, so the tie tolerance cannot blur it."""
    more = build_ways(table)
    fewer = build_ways([row[:-1] or [NAN] for row in table])
    before = fewer.time_min[np.arange(len(table)), find_nearest(fewer)]
    after = more.time_min[np.arange(len(table)), find_nearest(more)]
    reached = find_nearest(fewer) >= 0
    assert (after[reached] <= before[reached]).all()
    assert (find_nearest(more)[reached] >= 0).all()


@settings(max_examples=40, deadline=None)
@given(TABLES)
def test_nearest_agrees_with_plain_python(table):
    found = find_nearest(build_ways(table))
    for row, position in zip(table, found, strict=True):
        known = [(value, number) for number, value in enumerate(row) if value == value]
        assert position == (min(known)[1] if known else -1)


def test_many_units_are_worked_in_runs(monkeypatch):
    monkeypatch.setattr("planning.assignment._ROWS_AT_ONCE", 2)
    ways = build_ways([[1, 2], [2, 1], [1, 1], [NAN, 3], [NAN, NAN]])
    assert find_nearest(ways, preferred={2: np.array([1])}).tolist() == [0, 1, 1, 1, -1]

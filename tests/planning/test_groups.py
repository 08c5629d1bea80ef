"""Education groups: members, what they have together, coverage, and partners for weak schools."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import ScenarioError
from geodata.study import StudyArea
from planning.balance import build_balance
from planning.groups import (
    COVERAGE_COLUMNS,
    GROUP_COLUMNS,
    GROUP_INDICATOR_COLUMNS,
    PAIR_COLUMNS,
    build_group_indicators,
    build_groups,
    compute_coverage,
    list_members,
    propose_pairs,
)
from planning.groups_pairs import _match, compute_school_times
from tests.planning.balance_worlds import CN, build_two_schools, make_assets, make_good_row, make_table, put_tables
from tests.worlds import WorldSchool, build_world


def _group(**numbers: float) -> pd.DataFrame:
    about = {"group_id": "J1", "name": "First group", "kind": "group"}
    return make_table(
        "groups",
        {**about, "school_id": "W", "role": "lead", "eligible_teachers": 10.0, "exchanged_teachers": 2.0},
        {**about, "school_id": "E", "role": "member", **numbers},
    )


def test_the_table_names_members_and_group_id_of_schools_stands_in() -> None:
    study = build_two_schools()
    named = study.schools.assign(group_id=np.where(study.schools["school_id"] == "E", "G9", ""))
    members = list_members(put_tables(study, schools=named))
    assert list(members["school_id"]) == ["E"] and list(members["basis"]) == ["schools"]
    both = list_members(put_tables(study, schools=named, groups=_group(eligible_teachers=10)))
    assert list(both["group_id"]) == ["J1", "J1"]  # the table wins


def test_exchange_is_known_only_when_every_member_reports() -> None:
    study = put_tables(build_two_schools(), groups=_group(eligible_teachers=10.0, exchanged_teachers=0.0))
    row = build_groups(study, CN, build_balance(study, CN)).iloc[0]
    assert tuple(row.index) == GROUP_COLUMNS
    assert (row["exchange_share"], row["exchange_limit"], row["exchange_met"]) == (0.1, 0.1, "yes")
    assert (row["lead_id"], row["schools"], row["passed"]) == ("W", 2, 2)
    study = put_tables(build_two_schools(), groups=_group(eligible_teachers=10.0))
    row = build_groups(study, CN, build_balance(study, CN)).iloc[0]
    assert row["exchange_met"] == "unknown" and row["missing"] == "groups.exchanged_teachers"


def test_indicators_of_a_group_are_those_of_all_its_schools_together() -> None:
    study = build_two_schools(make_good_row("W", 200), make_good_row("E", 100, above_degree_teachers=2))
    study = put_tables(study, groups=_group())
    table = build_group_indicators(study, CN, build_balance(study, CN)).set_index("indicator")
    assert set(GROUP_INDICATOR_COLUMNS) == {*table.columns, "indicator"}
    assert table.at["R1", "value"] == pytest.approx(14 / 300 * 100)
    assert table.at["R1", "cv"] == pytest.approx(0.404061, abs=1e-6)
    assert table.at["R1", "met"] == "yes"


def test_coverage_counts_schools_and_pupils() -> None:
    groups = make_table("groups", {"group_id": "J1", "school_id": "W"})
    study = put_tables(build_two_schools(), groups=groups)
    row = compute_coverage(study, build_balance(study, CN)).iloc[0]
    assert tuple(row.index) == COVERAGE_COLUMNS
    assert (row["school_share"], row["pupil_share"]) == (0.5, pytest.approx(200 / 300))


def _build_line() -> StudyArea:
    """Two strong schools S and T, two weak ones V and W without backbone teachers and with few others.

    ::

        a/S  b/V  c  d  e/W  f/T      2 min by car per cell; all have 100 pupils
    """
    study = build_world(
        "a/S b/V c d e/W f/T",
        pupils={"a": 100},
        schools={key: WorldSchool(places=200, classes=3, roll=100) for key in "SVWT"},
    )
    rich: dict[str, Any] = {"above_degree_teachers": 12, "backbone_teachers": 3, "pe_art_teachers": 3}
    poor: dict[str, Any] = {"above_degree_teachers": 2, "backbone_teachers": 0, "pe_art_teachers": 0.5}
    rows = [make_good_row(key, 100, **rich) for key in "ST"] + [make_good_row(key, 100, **poor) for key in "VW"]
    return put_tables(study, assets=make_assets(*rows))


def test_weak_schools_get_the_strong_one_nearby() -> None:
    study = _build_line()
    pairs = propose_pairs(study, build_balance(study, CN), max_min=30)
    assert tuple(pairs.columns) == PAIR_COLUMNS
    assert dict(zip(pairs["weak_id"], pairs["strong_id"], strict=True)) == {"V": "S", "W": "T"}
    row = pairs.set_index("weak_id").loc["V"]
    # R1 2/4.2, R2 0, R3 0.5/0.9; together 14/8.4, 3/2, 3.5/1.8: all met.
    assert row["gain"] == pytest.approx((1 - 2 / 4.2) + 1 + (1 - 0.5 / 0.9))
    assert row["loss"] == pytest.approx(0.0) and row["lifted"] == "R1;R2;R3"
    assert (row["strong_met"], row["weak_met"], row["joint_met"]) == (7, 4, 7)
    assert row["time_min"] == pytest.approx(2.0)


def test_no_pair_is_farther_apart_than_asked() -> None:
    study = _build_line()
    assert propose_pairs(study, build_balance(study, CN), max_min=1.0).empty
    far = propose_pairs(study, build_balance(study, CN), max_min=30, max_partners=0)
    assert far.empty


def test_a_mode_without_travel_times_is_an_error() -> None:
    study = build_world("a/S", pupils={"a": 1}, modes=("walk",))
    with pytest.raises(ScenarioError, match="no travel times"):
        propose_pairs(study, build_balance(study, CN), mode="drive")


def test_times_between_schools_are_the_mean_of_both_ways() -> None:
    study = _build_line()
    times = compute_school_times(study, "drive", ["S", "V"], ["T"])
    assert times[:, 0].tolist() == [10.0, 8.0]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.randoms(use_true_random=False))
def test_the_matching_is_the_best_there_is(rows: int, columns: int, partners: int, random: object) -> None:
    values = [[random.choice([0.0, 0.3, 1.0, 2.5]) for _ in range(columns)] for _ in range(rows)]  # type: ignore[attr-defined]
    worth = np.array(values)
    found = sum(worth[row, column] for row, column in _match(worth, partners))
    best = 0.0
    for choice in product(range(-1, columns), repeat=rows):
        if all(choice.count(column) <= partners for column in range(columns)):
            best = max(best, sum(worth[row, column] for row, column in enumerate(choice) if column >= 0))
    assert found == pytest.approx(best)

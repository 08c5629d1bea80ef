"""Feeders: junior zones made of primary zones, whole or split up to a cap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from geodata.study import StudyArea
from planning.feeders import build_feeders, choose_free_units, list_joint_seats, measure_splits, merge_units
from planning.solvers.problems import ZoneProblem
from planning.zoning_options import ZoningOptions
from tests.planning.brute_zones import compute_values
from tests.planning.zoning_worlds import ask, read_zone
from tests.worlds import WorldSchool, build_world

PRIMARY = {"a": "P", "b": "P", "c": "Q", "d": "Q", "e": "R", "f": "R"}
ZONES = [(unit, "primary", school) for unit, school in PRIMARY.items()]


def build_six(**changes: Any) -> StudyArea:
    """Six villages on a line, three primary schools P, Q, R with two each, junior schools J in a and K in f."""
    schools = {
        "J": WorldSchool(kind="junior", stages=("junior",), places=40),
        "K": WorldSchool(kind="junior", stages=("junior",), places=40),
        "P": WorldSchool(places=40),
        "Q": WorldSchool(places=40),
        "R": WorldSchool(places=40),
    }
    pupils = {"primary": dict.fromkeys("abcdef", 20.0), "junior": dict.fromkeys("abcdef", 10.0)}
    settings: dict[str, Any] = {"pupils": pupils, "schools": schools, "zones": ZONES}
    picture = "a/J b c d e f/K\n/P + /Q + /R +"
    return build_world(picture, **{**settings, **changes})


def test_junior_zones_are_unions_of_primary_zones() -> None:
    """Alone, J would take a, b, c and K d, e, f. Q's zone (c, d) goes as one: 40 and 20 pupils, or 20 and 40."""
    apart = read_zone(ask(build_six(), stage="junior"))
    assert apart["c"] != apart["d"]
    answer = ask(build_six(), ZoningOptions(feeders="current"), stage="junior")
    zone = read_zone(answer)
    for school in "PQR":
        assert len({zone[unit] for unit, own in PRIMARY.items() if own == school}) == 1
    assert answer.report.feeders["outside_share"].tolist() == [0.0, 0.0, 0.0]
    assert answer.certificate is not None
    prices = {price.rule: price for price in answer.certificate.rule_prices}
    assert prices["feeders"].saved == pytest.approx(100.0)  # c 20 to J, d 30: instead of d 20 to K


def test_a_cap_lets_half_of_a_feeder_go_elsewhere() -> None:
    options = ZoningOptions(feeders="current", max_feeder_split_share=0.5)
    answer = ask(build_six(), options, stage="junior")
    assert answer.report.feeders["outside_share"].max() <= 0.5
    zone = read_zone(answer)
    assert zone["c"] != zone["d"]


def test_feeders_just_proposed() -> None:
    feeders = pd.DataFrame({"unit_id": list("abcdef"), "stage": "primary", "school_id": list("PPPQQQ")})
    options = ZoningOptions(feeders="proposed")
    zone = read_zone(ask(build_six(), options, stage="junior", feeder_zones=feeders))
    assert zone["a"] == zone["b"] == zone["c"] and zone["d"] == zone["e"] == zone["f"]
    assert ask(build_six(), options, stage="junior").conflicts[0].rule == "lock"


def test_two_junior_schools_in_one_feeder_share_a_zone() -> None:
    zones = [(unit, "primary", "P") for unit in "abcdef"]
    answer = ask(build_six(zones=zones), ZoningOptions(feeders="current"), stage="junior")
    assert set(read_zone(answer).values()) == {"J;K"}
    assert any("feeder zone" in str(note) for note in answer.report.notes)


def test_locks_that_tear_a_feeder_are_told() -> None:
    locks = (("c", "junior", "J"), ("d", "junior", "K"))
    answer = ask(build_six(), ZoningOptions(feeders="current", locks=locks), stage="junior")
    assert [conflict.rule for conflict in answer.conflicts] == ["lock"]
    assert answer.conflicts[0].unit_ids == ("c", "d")


def test_merging_keeps_every_sum() -> None:
    """Four squares in a row, joined two by two: values of a plan are those of the plan of its parts."""
    start = np.array([0, 1, 3, 5, 6])
    neighbour = np.array([1, 0, 2, 1, 3, 2], dtype=np.int32)
    fine = ZoneProblem(
        cost=np.array([[1.0, 9.0], [2.0, 8.0], [7.0, 3.0], [6.0, 4.0]]),
        pupils=np.array([1.0, 2.0, 3.0, 4.0]),
        places=np.array([2.0, 9.0]),
        seat=np.array([0, 3], dtype=np.int32),
        neighbour_start=start,
        neighbour=neighbour,
        overload_price=100.0,
        locked=np.full(4, -1, dtype=np.int32),
        moved=np.array([[0.0, 1.0]] * 4),
        border_m=np.full(6, 10.0),
        outline_m=np.full(4, 40.0),
        area_m2=np.full(4, 100.0),
    )
    label = np.array([0, 0, 1, 1])
    merged = merge_units(fine, label)
    coarse, over = compute_values(merged, np.array([[0, 1]]))
    whole, above = compute_values(fine, np.array([[0, 0, 1, 1]]))
    assert coarse == pytest.approx(whole) and over == pytest.approx(above)
    assert merged.outline_m.tolist() == [60.0, 60.0]
    assert choose_free_units(fine, label, np.array([0, 0, 1, 1]), 0.45).tolist() == [0, 2]


def test_splits_and_joint_seats() -> None:
    label = np.array([0, 0, 1])
    assert measure_splits(np.array([3.0, 1.0, 5.0]), label, np.array([0, 1, 1])).tolist() == [0.25, 0.0]
    held = np.empty((0, 2), dtype=np.int64)
    assert list_joint_seats(label, np.array([0, 1, 2]), held, [("A",), ("B",), ("C",)]) == (("A", "B"),)
    feeders = build_feeders(
        np.array(["u", "v", "w"], dtype=object),
        pd.DataFrame({"unit_id": ["u", "u", "v"], "school_id": ["A", "B", "A"]}),
    )
    assert (feeders.keys, feeders.alone) == (("A;B", "A", "unit w"), 1)

"""What residents know by name."""

from __future__ import annotations

import pickle

import numpy as np
import shapely

from geodata.landmarks import ID_COST, LABEL_COST, build_landmarks
from geodata.zone_word_parts import Name
from tests.geodata.named_world import build_named_world
from tests.worlds import WorldUnit, build_world


def test_streets_rivers_towns_and_the_county_have_names() -> None:
    lines = {(line.kind, line.name): line.shape for line in build_landmarks(build_named_world()).lines}
    assert sorted(name.text for kind, name in lines if kind == "street") == [
        *("东路", "乙路", "北路", "南路", "甲路", "甲路", "西路"),
    ]
    assert ("water", Name("澄溪河")) in lines
    assert shapely.length(lines["county", Name("")]) == 16_000  # 5,000 by 3,000 m
    assert shapely.length(lines["town", Name("城镇")]) == 12_000
    assert ("street", Name("")) not in lines


def test_the_same_name_in_two_towns_is_two_streets() -> None:
    lines = {line.name: line.shape for line in build_landmarks(build_named_world()).lines}
    assert shapely.length(lines[Name("甲路", "城镇")]) == 3_000
    assert shapely.length(lines[Name("甲路", "柳镇")]) == 1_700


def test_pieces_of_one_name_near_each_other_are_one_street() -> None:
    study = build_named_world()
    roads = study.basemap.roads
    pieces = shapely.MultiLineString([[(0, 2000), (1400, 2000)], [(1900, 2000), (3000, 2000)]])
    roads.loc[roads["name"] == "北路", "geometry"] = pieces
    lines = {line.name: line.shape for line in build_landmarks(study).lines}
    assert shapely.length(lines[Name("北路")]) == 2_500


def test_units_of_one_name_are_told_apart_by_town_or_id() -> None:
    units = {
        "a": WorldUnit(name="新村", town="东镇"),
        "b": WorldUnit(name="新村", town="西镇"),
        "c": WorldUnit(name="", town="西镇"),
        "d": WorldUnit(name="新村", town="西镇"),
        "e": WorldUnit(name="北村", town="西镇"),
    }
    study = build_world("a b c d e/S", pupils={"a": 1}, units=units)
    names = dict(zip(study.units["unit_id"], build_landmarks(study).unit_names, strict=True))
    # build_world names a unit without a name by its id.
    assert names == {
        "a": Name("新村", "东镇"), "b": Name("新村", "b"), "c": Name("c"), "d": Name("新村", "d"), "e": Name("北村"),
    }  # fmt: skip


def test_ids_and_labels_of_blocks_are_hard_to_know() -> None:
    study = build_named_world()
    rows = study.units["unit_id"]
    study.units.loc[rows == "a", ["name", "kind"]] = ["北路—甲路 1", "block"]
    study.units.loc[rows == "b", ["name", "kind"]] = ["体育中心片区", "block"]
    study.units.loc[rows == "c", "name"] = ""
    study.units.loc[rows == "d", "kind"] = "cell"
    cost = dict(zip(rows, build_landmarks(study).name_cost.tolist(), strict=True))
    assert [cost[key] for key in "abcde"] == [LABEL_COST, 1.0, ID_COST, ID_COST, 1.0]


def test_landmarks_keep_through_a_cache() -> None:
    first = build_landmarks(build_named_world())
    again = pickle.loads(pickle.dumps(first))
    assert again.unit_names == first.unit_names
    assert [line.name for line in again.lines] == [line.name for line in first.lines]
    assert np.array_equal(again.pupils["primary"], first.pupils["primary"])
    assert not again.x_m.flags.writeable
    assert again.fingerprint == first.fingerprint != ""


def test_a_study_without_roads_and_towns_has_its_county() -> None:
    lines = build_landmarks(build_world("a b/S", pupils={"a": 1})).lines
    assert [line.kind for line in lines] == ["county"]

"""Closures in tables and on the map: a street of five villages with three schools, worked by hand.

``a/A b + c/C d + f g/G``, 10 min a cell on foot; pupils a 30, b 20, c 10, d 10, f 10, g 40; every child at the nearest
school; no setting is known, so only C6 limits the way (30 min).

- Without A: a 0 → 30, b 10 → 20 min, both to C. 50 pupils, 4 → 26 min on average, 1,100 more. It can close.
- Without C: c 0 → 30 to A, d 10 → 30 to G. 20 pupils, 300 + 200 = 500 more. It can close.
- Without G: f 10 → 30, g 0 → 40 to C. g has no other school within 30 min: it cannot close.
"""

from __future__ import annotations

import base64
import math
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from geodata.study import StudyArea
from planning.actions import CloseSchool
from planning.closure_ranking import rank_closures, rank_pairs
from planning.closures import ClosureAnswer
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from planning.what_if import Change, WhatIf, build_what_if, list_moved
from reports.closure_lists import (
    build_answer_rows,
    build_community_table,
    build_grade_table,
    build_receiver_table,
    list_assets,
    list_facts,
)
from reports.closure_numbers import (
    build_what_if_receivers,
    find_travel_rules,
    list_class_findings,
    list_number_rows,
    say_difference,
)
from reports.closure_scene import (
    CAN_COLOUR,
    CANNOT_COLOUR,
    RECEIVER_COLOURS,
    SHORT_COLOUR,
    ClosurePicture,
    NewSchool,
    build_closure_paint,
    build_closure_parts,
    build_closure_scene,
)
from reports.closure_tables import (
    Filter,
    build_move_table,
    build_pair_table,
    build_ranking_rows,
    build_ranking_table,
    list_headings,
    order_ranking,
    select_ranking,
    unite_moves,
)
from reports.language import read_catalogue
from reports.tables import render_csv
from tests.worlds import WorldSchool, WorldUnit, build_world

ENGLISH, CHINESE = read_catalogue("en"), read_catalogue("zh")
RULES = read_rulebook("cn")
FORMULA = "=1+1"


@lru_cache(maxsize=1)
def build_street() -> StudyArea:
    """Return the street; school C has a name that a spreadsheet would run, and G's places are not known."""
    return build_world(
        "a/A b + c/C d + f g/G",
        pupils={"a": 30, "b": 20, "c": 10, "d": 10, "f": 10, "g": 40},
        schools={
            "A": WorldSchool(places=60, classes=2, roll=50, town="West"),
            "C": WorldSchool(places=25, classes=1, roll=20, name=FORMULA, town="Middle"),
            "G": WorldSchool(places=None, roll=50, town="East"),
        },
        units={"g": WorldUnit(name="Gully")},
    )


@lru_cache(maxsize=1)
def build_engine() -> WhatIf:
    found = build_what_if(build_street(), RULES, Scenario(), "primary")
    assert isinstance(found, WhatIf)
    return found


@lru_cache(maxsize=1)
def rank() -> pd.DataFrame:
    return order_ranking(rank_closures(build_engine()))


@lru_cache(maxsize=1)
def close_g() -> ClosureAnswer:
    scenario = Scenario(actions=(CloseSchool(school_id="G", stages=("primary",)),))
    return run_scenario(build_street(), RULES, scenario).closures[0]


def test_the_ranking_stands_in_words_with_the_closable_first() -> None:
    table = build_ranking_table(rank(), ENGLISH)
    assert list(table.index) == ["C", "A", "G"]
    assert table["Rank"].tolist() == [1, 2, 3]
    assert table["Verdict"].tolist() == ["✓ can close", "◐ too few places", "✗ cannot close"]
    assert table["Pupils moved"].tolist() == [20, 50, 50]
    assert table.loc["A", ["Way now (min)", "Way then (min)", "Longest then (min)"]].tolist() == [4, 26, 30]
    assert table["Extra pupil-minutes"].tolist() == [500, 1100, 1800]
    assert table["Beyond limit (±)"].tolist() == [0, 0, 40]
    assert table["Communities that depend on it"].tolist() == [0, 0, 1]
    assert "Gully" in table.loc["G", "Reason"]


def test_what_is_not_known_stays_unknown() -> None:
    table = build_ranking_table(rank(), ENGLISH)
    assert math.isnan(table.loc["G", "Places"])
    assert table.loc["A", "Places"] == 60


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_column_has_a_definition_in_both_languages(language: str) -> None:
    _ = read_catalogue(language)
    headings = list_headings(_)
    assert [heading.title for heading in headings] == list(build_ranking_table(rank(), _).columns)
    assert all(heading.meaning and heading.meaning != heading.title for heading in headings)
    assert len({heading.title for heading in headings}) == len(headings)


def test_the_filter_keeps_what_fits() -> None:
    assert list(select_ranking(rank(), Filter(can_close_only=True))["school_id"]) == ["C"]
    assert list(select_ranking(rank(), Filter(towns=("East", "West")))["school_id"]) == ["A", "G"]
    assert select_ranking(rank(), Filter(kinds=("junior",))).empty


def test_the_files_name_the_dependants_and_run_no_formula() -> None:
    rows = build_ranking_rows(rank(), {"g": "Gully"}, ENGLISH)
    assert rows.set_index("school_id").loc["G", ["dependent_units", "dependent_names"]].tolist() == ["g", "Gully"]
    text = render_csv(rows).decode("utf-8-sig")
    assert f"'{FORMULA}" in text
    assert f",{FORMULA}" not in text


def test_pairs_are_named_and_ranked() -> None:
    pairs = order_ranking(rank_pairs(build_engine(), rank_closures(build_engine())))
    table = build_pair_table(pairs, ENGLISH)
    assert sorted(table.index) == ["A\nC", "A\nG", "C\nG"]
    # Without A and C everybody goes to G: a 70, b 60, c 40, d 30 min; a, b and c are beyond the limit.
    assert table.loc["A\nC", "Extra pupil-minutes"] == 30 * 70 + 20 * 50 + 10 * 40 + 10 * 20
    assert table.loc["A\nC", "Verdict"] == "✗ cannot close"
    # 3,700 in all, of which 1,600 by the two alone.
    assert table.loc["A\nC", "of which only together"] == 3700 - 1600


def test_moves_of_one_community_to_one_school_are_one_row() -> None:
    moves = pd.DataFrame(
        {
            "unit_id": ["u", "u", "v"],
            "from_school_id": ["A", "A", ""],
            "to_school_id": ["B", "B", "C"],
            "pupils": [10.0, 30.0, 5.0],
            "min_before": [4.0, 8.0, np.nan],
            "min_after": [10.0, 20.0, 7.0],
        }
    )
    united = unite_moves(moves)
    assert united["pupils"].tolist() == [40.0, 5.0]
    assert united["min_before"].tolist()[0] == pytest.approx((10 * 4 + 30 * 8) / 40)
    assert math.isnan(united["min_before"].tolist()[1])


def test_who_moves_is_told_by_name() -> None:
    engine = build_engine()
    answer = engine.answer(Change(closed=frozenset({"G"})))
    table = build_move_table(list_moved(engine, answer), build_street(), (), ENGLISH)
    assert table.loc["g", ["Community", "To school"]].tolist() == ["Gully", FORMULA]
    assert table.loc["g", ["Pupils", "Way before (min)", "Way after (min)"]].tolist() == [40, 0, 40]


def test_figures_before_and_after_have_a_direction() -> None:
    answer = build_engine().answer(Change(closed=frozenset({"G"})))
    rows = {row.name: row for row in list_number_rows(answer, 10.0, places_known=True, limit_known=True, _=ENGLISH)}
    assert (rows["beyond"].before, rows["beyond"].after, rows["beyond"].verdict) == (0, 40, "worse")
    assert say_difference(rows["beyond"], ENGLISH) == "+40"
    assert rows["moved_longest"].after == 40
    assert rows["unreached"].verdict == "same"
    unknown = {
        row.name: row for row in list_number_rows(answer, 10.0, places_known=False, limit_known=False, _=ENGLISH)
    }
    assert {unknown[name].verdict for name in ("beyond", "over")} == {"unknown"}
    assert say_difference(unknown["over"], ENGLISH) == "–"


def test_class_sizes_of_receivers_are_judged_by_a_rule_with_its_clause() -> None:
    answer = build_engine().answer(Change(closed=frozenset({"A"})))
    receivers = build_what_if_receivers(answer, build_street(), "primary", {"C": 1.0})
    # C: 20 + 50 pupils in one class, on 25 places.
    assert receivers[["school_id", "class_pupils_after", "fill_after"]].to_numpy().tolist() == [["C", 70.0, 70 / 25]]
    severity, words, source = list_class_findings(receivers, RULES, "primary", ENGLISH)[0]
    assert severity == "block"
    assert "70 pupils in a class on average; the rule: fewer than 66" in words
    assert source


def test_rules_of_the_way_are_those_of_the_settings_there_are() -> None:
    assert [rule.id for rule in find_travel_rules(RULES, "primary")] == ["C6"]
    assert find_travel_rules(RULES, "junior", ["urban"])
    assert not find_travel_rules(RULES, "junior", ["rural"])


def _picture(closed: str = "", opened: tuple[NewSchool, ...] = ()) -> ClosurePicture:
    engine = build_engine()
    answer = engine.answer(Change(closed=frozenset({closed}))) if closed else None
    dependents = frozenset({"g"} if closed == "G" else set())
    return ClosurePicture(
        "primary", "walk", engine.unit_ids, engine.base, rank(), answer, frozenset(closed or ()), opened, dependents
    )


def _unpack(text: str, kind: str) -> list[int]:
    return np.frombuffer(base64.b64decode(text), dtype=kind).tolist()


def test_the_map_tells_who_can_close_by_more_than_colour() -> None:
    shown = build_closure_paint(build_street(), _picture(), {"A": 0, "C": 1, "G": 2}, ENGLISH)["shown"]
    looks = {item["at"]: (item["colour"], item["mark"]) for item in shown}
    assert looks == {0: (SHORT_COLOUR, "lacking"), 1: (CAN_COLOUR, ""), 2: (CANNOT_COLOUR, "over")}
    assert "✗ cannot close" in next(item["lines"] for item in shown if item["at"] == 2)


def test_the_map_shows_where_pupils_go_and_who_depends() -> None:
    paint = build_closure_paint(build_street(), _picture("G"), {"A": 0, "C": 1, "G": 2}, ENGLISH)
    units = build_street().units["unit_id"].tolist()
    still = len(RECEIVER_COLOURS)
    classes = dict(zip(units, _unpack(paint["units"]["classes"], "u1"), strict=True))
    assert {key for key, colour in classes.items() if colour != still} == {"f", "g"}
    assert [units[at] for at in _unpack(paint["units"]["striped"], "<u4")] == ["f", "g"]
    assert [units[at] for at in _unpack(paint["units"]["ringed"], "<u4")] == ["g"]
    looks = {item["at"]: item for item in paint["shown"]}
    assert looks[2]["mark"] == "closed"
    # 20 pupils of its own and 50 more on 25 places.
    assert (looks[1]["mark"], looks[1]["colour"]) == ("over", RECEIVER_COLOURS[classes["g"]])


@pytest.mark.parametrize("translator", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_the_scene_has_a_legend_for_every_state_and_new_schools_have_a_place(translator: object) -> None:
    _ = ENGLISH if translator is ENGLISH else CHINESE
    new = NewSchool("new_1", "New", 500.0, 500.0)
    for picture in (_picture(), _picture("G"), _picture("A", (new,))):
        scene = build_closure_scene(build_street(), picture, _)
        assert all(section["title"] and section["items"] for section in scene["legend"])
        assert any(layer["id"] == "moves" for layer in scene["layers"]) == (picture.answer is not None)
        parts = build_closure_parts(build_street(), picture, _)
        schools = parts["schools"]
        assert schools is not None
        assert schools.build()["ids"] == ["A", "C", "G", *(school.school_id for school in picture.opened)]


def test_the_full_answer_stands_in_tables() -> None:
    answer = close_g()
    receivers = build_receiver_table(answer, ENGLISH)
    assert receivers.loc["C", ["Takes in", "Pupils before", "Pupils after"]].tolist() == [50, 20, 70]
    communities = build_community_table(answer, ENGLISH)
    assert communities.loc["g", ["Community", "Pupils", "Way before (min)", "Way after (min)"]].tolist() == [
        *("Gully", 40, 0, 40),
    ]
    assert communities.loc["g", "Beyond the limit"] == "yes"
    assert communities.loc["f", "Beyond the limit"] == ""
    grades = build_grade_table(answer, ENGLISH)
    assert grades["Grade"].tolist() == [f"grade {number}" for number in range(1, 7)]
    assert grades["May board"].tolist() == ["no, must not"] * 3 + ["yes"] * 3
    assert dict(list_assets(answer, ENGLISH))["Places"] == "–"  # unknown is not 0
    assert dict(list_facts(answer, ENGLISH))["On the roll"] == "50"


def test_answers_as_files_say_what_they_belong_to() -> None:
    rows = build_answer_rows((close_g(),), "communities")
    assert set(rows["closed_school_id"]) == {"G"}
    assert set(rows["unit_id"]) == {"f", "g"}
    assert build_answer_rows((), "grades").empty

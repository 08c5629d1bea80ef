"""Reasons: worked by hand, and every claim tried: places that are said to do, moves that are said to make room."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.study import StudyArea
from planning.drawing_numbers import compare_numbers, measure_drawing
from planning.reasons import explain_unit, explain_units, list_reasons
from tests.planning.drawing_worlds import (
    at,
    build_random,
    draw,
    find_cheapest_chain,
    prepare,
    scatter,
    shuffle_rows,
    spell,
)
from tests.worlds import WorldSchool, build_five_villages, build_world

LINE = "a b/A c d e f/B g"


def _line(places: tuple[float, float] = (30, 60), **changes: object) -> StudyArea:
    """Seven villages of ten pupils on a line, A in b and B in f; 10 min from one to the next."""
    settings: dict[str, object] = {
        "pupils": dict.fromkeys("abcdefg", 10.0),
        "schools": {"A": WorldSchool(places=places[0]), "B": WorldSchool(places=places[1])},
    }
    return build_world(LINE, **{**settings, **changes})  # type: ignore[arg-type]


def test_full_says_who_is_closer_and_who_lives_farther() -> None:
    """A has a, b, e for 30 places; c goes to B past d (30 min, to A 10): a and b live no farther, e lives farther."""
    table = prepare(_line())
    reason = explain_unit(table, spell(table, "abe:A cdfg:B"), at(table, "c"))
    assert (reason.kind, reason.nearest_school_id, reason.school_ids) == ("full", "A", ("B",))
    assert (reason.extra_min, reason.short_places) == (20.0, 10.0)
    # a is as far as c: neither closer nor farther. e has 30 min to A, and B is nearer to it.
    assert (reason.closer, reason.farther) == (("b",), ("e",))
    assert (reason.closer_pupils, reason.farther_pupils) == (10.0, 10.0)
    assert str(reason.message) == (
        "A, the nearest, has 30 pupils on 30 places; with the 10 of c it would be 10 places short. 10 pupils of 1 units"
        " placed there live closer to it: b."
    )
    assert str(reason.details[-1]) == (
        "10 pupils of 1 units placed at A live farther from it than c: e. For none of them is it the nearest school."
    )


def test_room_is_made_by_the_cheapest_move() -> None:
    """A (30 places) has a, b, d; c would come. d moves to B: 20 min as before: nothing lost, 10·20 saved by c.

    c cannot stay in between: d hangs on A past c, which is B's, so it is apart already.
    """
    table = prepare(_line())
    reason = explain_unit(table, spell(table, "abd:A cefg:B"), at(table, "c"))
    assert reason.kind == "full"
    assert reason.chain == (("d", "A", "B"),)
    assert reason.chain_min == 0.0
    assert [str(change) for change in reason.changes] == [
        "With 10 more places at A, c could go there: 200 pupil-minutes a day less, one way.",
        "Room could be made by moving d (10 pupils) from A to B: 0 pupil-minutes a day more for them, 200 less for c,"
        " so 200 less in all.",
    ]


def test_no_room_can_be_made() -> None:
    """B has no place for anybody else: nothing makes room at A."""
    table = prepare(_line(places=(30, 30), pupils=dict.fromkeys("abcdefg", 10.0) | {"c": 9.0}))
    reason = explain_unit(table, spell(table, "abd:A cefg:B"), at(table, "c"))
    assert reason.chain == ()
    assert str(reason.changes[-1]) == (
        "Moving one or two units placed at A, or one of them and one that makes way for it, makes no room there without"
        " breaking a rule."
    )


def test_places_are_free_and_nothing_stands_against_it() -> None:
    table = prepare(_line(places=(60, 60)))
    reason = explain_unit(table, spell(table, "ab:A cdefg:B"), at(table, "c"))
    assert (reason.kind, reason.kinds) == ("free", ("free",))
    assert str(reason.message) == (
        "Nothing stands against A, the nearest: it has 40 places left for the 10 pupils of c. The move would save 200"
        " pupil-minutes a day one way."
    )


def test_apart_names_the_units_in_between() -> None:
    """c is B's and lies between d's neighbour A and d; for d both are 20 min away. Give c to B: a to A touches b."""
    table = prepare(_line(places=(60, 90), pupils=dict.fromkeys("abcdefg", 10.0)))
    zone = spell(table, "b:A acdefg:B")
    # a hangs on nothing but touches A: free. c touches too, but a hangs on no one of B.
    assert explain_unit(table, zone, at(table, "a")).kind == "free"
    study = build_world(
        "a b c d e/B\nf/A . . . g",
        pupils=dict.fromkeys("abcdefg", 10.0),
        schools={"A": WorldSchool(places=60), "B": WorldSchool(places=90)},
    )
    table = prepare(study)
    reason = explain_unit(table, spell(table, "f:A abcdeg:B"), at(table, "b"))
    assert reason.kinds == ("apart", "cuts")
    assert (reason.between, reason.cut_off) == (("a",), ("a",))
    assert str(reason.message) == "b does not touch the zone of A, the nearest: 1 units lie in between: a."


def test_rules_and_locks_come_first() -> None:
    table = prepare(_line(places=(60, 60)), closed=(("c", "A"),))
    reason = explain_unit(table, spell(table, "ab:A cdefg:B"), at(table, "c"))
    assert (reason.kind, str(reason.message)) == ("closed", "A, the nearest, is closed to c.")
    table = prepare(_line(places=(60, 60)))
    zone = spell(table, "ab:A cdefg:B")
    reason = explain_unit(table, zone, at(table, "c"), locked=np.ones(7, dtype=np.bool_))
    assert (reason.kind, str(reason.message)) == ("locked", "c is locked to B; A is nearer.")
    assert [str(change) for change in reason.changes] == ["Unlock c."]


def test_a_unit_that_goes_to_its_nearest_school() -> None:
    table = prepare(_line())
    zone = spell(table, "abcd:A efg:B")
    assert explain_unit(table, zone, at(table, "c")).kind == "nearest"
    assert explain_unit(table, zone, at(table, "b")).kind == "seat"
    # d is as far from both.
    assert explain_unit(table, zone, at(table, "d")).kind == "nearest"
    nothing = explain_unit(table, draw(table, {}), at(table, "c"))
    assert (nothing.kinds, str(nothing.changes[0])) == (("no_zone",), "Give c to A.")


def test_a_teaching_point_has_no_zone() -> None:
    study = build_world(
        "a/W b/T c",
        pupils={"a": 30, "b": 20, "c": 10},
        schools={"W": WorldSchool(places=100), "T": WorldSchool(kind="teaching_point", places=50, name="Point T")},
    )
    table = prepare(study)
    reason = explain_unit(table, np.zeros(3, dtype=np.int64), at(table, "c"))
    assert reason.kind == "teaching_point"
    assert str(reason.message).startswith("Point T is nearer to c, but it is a teaching point")


def test_a_shared_zone_with_the_nearest_school_is_the_nearest() -> None:
    zones = [(unit, "primary", "W") for unit in "abc"] + [(unit, "primary", "E") for unit in "bcde"]
    table = prepare(build_five_villages(zones=zones))
    assert explain_unit(table, table.current, at(table, "b")).kind == "nearest"


@given(st.integers(0, 10_000), st.integers(1, 8))
@settings(max_examples=15)
def test_the_list_says_what_the_single_reason_says(seed: int, moves: int) -> None:
    table = prepare(build_random(seed))
    zone = scatter(table, seed, moves)
    listed = list_reasons(table, zone)
    for unit, reason in enumerate(explain_units(table, zone, np.arange(table.n_units))):
        row = listed.iloc[unit]
        assert repr(explain_unit(table, zone, unit)) == repr(reason)
        assert row["kinds"] == ";".join(reason.kinds)
        assert row["short_places"] == reason.short_places
        assert row["nearest_school_id"] == reason.nearest_school_id
        if row["kind"] not in ("nearest", "seat"):
            assert row["closer_pupils"] == pytest.approx(reason.closer_pupils)
            assert row["farther_pupils"] == pytest.approx(reason.farther_pupils)


@given(st.integers(0, 10_000), st.integers(1, 8))
@settings(max_examples=15)
def test_what_is_said_to_stand_in_between_does(seed: int, moves: int) -> None:
    """Move every unit to its nearest school, whatever stands against it, and look what breaks."""
    table = prepare(build_random(seed))
    zone = scatter(table, seed, moves)
    before = measure_drawing(table, zone)
    for unit, row in list_reasons(table, zone).iterrows():
        kinds = set(row["kinds"].split(";"))
        if kinds & {"nearest", "seat", "other_seat"}:
            continue
        after = zone.copy()
        after[unit] = table.zone_ids.index(row["nearest_school_id"])
        now = measure_drawing(table, after)
        apart = set(now.detached.tolist()) - set(before.detached.tolist())
        assert ("apart" in kinds) == (unit in now.detached)
        assert ("cuts" in kinds) == bool(apart - {unit})
        near = after[unit]
        over = max(0.0, now.pupils[near] - table.places[near]) if table.pupils[unit] > 0 else 0.0
        assert row["short_places"] == pytest.approx(over)
        assert ("full" in kinds) == (over > 1e-6)
        if kinds == {"free"}:
            change = compare_numbers(now, before)
            assert change.newly_broken == ()
            assert change.pupil_min == pytest.approx(-row["extra_min"] * table.pupils[unit])


@given(st.integers(0, 10_000), st.integers(1, 8))
@settings(max_examples=12)
def test_as_many_places_as_said_would_do_and_fewer_would_not(seed: int, moves: int) -> None:
    study = build_random(seed)
    table = prepare(study)
    zone = scatter(table, seed, moves)
    listed = list_reasons(table, zone)
    for unit, row in listed[listed["short_places"] > 0].head(2).iterrows():
        for more, full in ((np.ceil(row["short_places"]), False), (np.ceil(row["short_places"]) - 1, True)):
            wider = study.places.copy()
            wider.loc[wider["school_id"] == row["nearest_school_id"], "capacity_places"] += more
            other = prepare(replace(study, places=wider))
            drawn = draw(other, {key: table.zone_ids[at] for key, at in zip(table.unit_ids, zone, strict=True)})
            assert ("full" in explain_unit(other, drawn, int(unit)).kinds) == full


@given(st.integers(0, 10_000), st.integers(0, 6))
@settings(max_examples=25)
def test_a_chain_makes_room_and_none_is_cheaper(seed: int, moves: int) -> None:
    """The moves are done as said: the school has room, nobody is newly apart, and every other chain costs as much."""
    table = prepare(build_random(seed, rows=3, columns=4, today=False))
    zone = scatter(table, seed, moves)
    before = measure_drawing(table, zone)
    for unit in np.flatnonzero(list_reasons(table, zone)["kinds"] == "full")[:2].tolist():
        reason = explain_unit(table, zone, unit)
        near = table.zone_ids.index(reason.nearest_school_id)
        least = find_cheapest_chain(table, zone, unit, near)
        if not reason.chain:
            assert least == np.inf
            continue
        assert reason.chain_min == pytest.approx(least)
        after = zone.copy()
        after[unit] = near
        for unit_id, old, new in reason.chain:
            assert table.zone_ids[after[at(table, unit_id)]] == old
            after[at(table, unit_id)] = table.zone_ids.index(new)
        change = compare_numbers(measure_drawing(table, after), before)
        assert {conflict.rule for conflict in change.newly_broken} <= {"travel_cap"}
        saved = reason.extra_min * table.pupils[unit]
        assert change.pupil_min == pytest.approx(reason.chain_min - saved)


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_shuffled_rows_change_no_reason(seed: int) -> None:
    study = build_random(seed)
    table, other = prepare(study), prepare(shuffle_rows(study, seed))
    zone = scatter(table, seed, 5)
    there = np.empty_like(zone)
    where = [other.unit_ids.index(unit) for unit in table.unit_ids]
    there[where] = zone
    for unit in range(table.n_units):
        assert repr(explain_unit(table, zone, unit)) == repr(explain_unit(other, there, where[unit]))

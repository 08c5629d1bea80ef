"""Zones in words and words as areas: worked by hand in a small town, laws, the demo county."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.landmarks import Landmarks, build_landmarks
from geodata.zone_word_parts import FourSides, Limit, Name, Ring, TownUnits, UnitList, ZoneWords
from geodata.zone_words import ZoneTeller, describe_sides, describe_units, describe_zone
from geodata.zone_words_area import draw_zone_words, measure_agreement
from tests.geodata.named_world import NAMES, build_named_world

LANDMARKS = build_landmarks(build_named_world())
SCHOOL = (Name("中心小学"),)


def _line(text: str, place: str = "") -> Limit:
    return Limit("line", (Name(text, place),))


def _ring(*names: str, added: str = "", taken: str = "") -> ZoneWords:
    limits = tuple(_line(name) for name in names)
    ring = Ring(limits, tuple(Name(NAMES[key]) for key in added), tuple(Name(NAMES[key]) for key in taken))
    return ZoneWords((ring,), SCHOOL)


def _drawn(words: ZoneWords, landmarks: Landmarks = LANDMARKS) -> str:
    """Return the units whose middle lies in what a reader draws."""
    area = draw_zone_words(landmarks, words)
    middles = shapely.centroid(landmarks.land)
    inside = (key for key, spot in zip(landmarks.unit_ids, middles, strict=True) if shapely.intersects(area, spot))
    return "".join(sorted(inside))


# From words to the area.


def test_four_streets_enclose_the_block_of_the_school() -> None:
    words = _ring("北路", "乙路", "南路", "甲路")
    assert _drawn(words) == "e"
    assert draw_zone_words(LANDMARKS, words).equals(shapely.box(1000, 1000, 2000, 2000))


def test_the_order_of_the_lines_counts() -> None:
    # 北路 – 东路 – 南路 – 西路 is the middle row; the river instead of 南路 would be the north, without the school.
    assert _drawn(_ring("北路", "东路", "南路", "西路")) == "def"
    assert _drawn(replace(_ring("澄溪河", "东路", "北路", "西路"), schools=())) == "abc"


def test_of_several_closed_walks_the_one_around_the_school_is_meant() -> None:
    # 甲路 and 乙路, 西路 and 东路 cross 北路 and 南路: what lies between 西路 and 东路 twice passed is not closed.
    # Without the school the two 甲路 leave no doubt either: only one meets 北路.
    words = _ring("北路", "乙路", "南路", "甲路")
    assert _drawn(replace(words, schools=())) == "e"


def test_units_are_added_and_taken_out_by_name() -> None:
    assert _drawn(_ring("北路", "东路", "南路", "西路", added="av", taken="d")) == "aefv"


def test_the_edge_of_a_unit_says_that_it_belongs() -> None:
    edge = Limit("units", (Name(NAMES["b"]),))
    words = ZoneWords((Ring((edge, _line("乙路"), _line("南路"), _line("甲路"))),), SCHOOL)
    assert _drawn(words) == "be"


def test_the_border_with_a_unit_says_that_it_does_not_belong() -> None:
    # The shortest way along the outline of e runs on the near side or the far side; e is not meant in any case.
    border = Limit("beyond", (Name(NAMES["e"]),))
    words = ZoneWords((Ring((border, _line("乙路"), _line("澄溪河"), _line("甲路"))),))
    assert _drawn(words) == "b"


def test_limits_of_town_and_county_are_lines() -> None:
    # v and w both lie between these three; w is the shorter way round.
    words = ZoneWords((Ring((Limit("county"), Limit("town", (Name("城镇"),)), _line("南路"))),))
    assert _drawn(words) == "w"
    assert _drawn(ZoneWords((Ring((Limit("town", (Name("柳镇"),)),)),))) == "vw"


def test_a_street_of_that_name_in_the_other_town_is_another_street() -> None:
    here = Ring((_line("北路"), _line("乙路"), _line("南路"), _line("甲路", "城镇")))
    there = Ring((_line("北路"), _line("乙路"), _line("南路"), _line("甲路", "柳镇")))
    assert _drawn(ZoneWords((here,), SCHOOL)) == "e"
    assert draw_zone_words(LANDMARKS, ZoneWords((there,), SCHOOL)).is_empty


@pytest.mark.parametrize("names", [("北路", "西路", "甲路", "无名路"), ("西路", "东路", "甲路"), ("北路",)])
def test_words_that_lead_nowhere_draw_nothing(names: tuple[str, ...]) -> None:
    assert draw_zone_words(LANDMARKS, _ring(*names)).is_empty


def test_four_sides_are_a_ring_and_lists_are_their_units() -> None:
    sides = FourSides((_line("东路"),), (_line("南路"),), (_line("西路"),), (_line("北路"),), (Name("王庄村"),))
    assert _drawn(ZoneWords((sides,), SCHOOL)) == "defv"
    listed = UnitList((TownUnits("柳镇", (), True, (Name("李庄村"),)), TownUnits("城镇", (Name("阳光花园"),))))
    assert _drawn(ZoneWords((listed,))) == "av"


def test_agreement_counts_the_pupils_in_both_of_those_in_either() -> None:
    words = _ring("北路", "东路", "南路", "西路")  # d, e, f: 30 pupils
    assert measure_agreement(LANDMARKS, "def", words, "primary") == pytest.approx(1.0)
    assert measure_agreement(LANDMARKS, "de", words, "primary") == pytest.approx(20 / 30)
    assert measure_agreement(LANDMARKS, "defv", words, "primary") == pytest.approx(30 / 40)
    assert measure_agreement(LANDMARKS, "av", words, "primary") == 0
    assert np.isnan(measure_agreement(LANDMARKS, "def", words, "junior"))


def test_a_line_through_a_unit_parts_its_pupils_evenly() -> None:
    words = ZoneWords((Ring((_line("北路"), _line("甲路", "柳镇"), _line("南路"), _line("东路"))),))
    # 北路 ends 1,000 m before 甲路 of 柳镇: nothing is closed. With the river the ring is the west half of v.
    assert measure_agreement(LANDMARKS, "v", words, "primary") == 0
    words = ZoneWords((Ring((_line("澄溪河"), _line("甲路", "柳镇"), _line("南路"), _line("东路"))),))
    assert draw_zone_words(LANDMARKS, words).is_empty  # 甲路 ends 200 m before 南路: too far to guess


# From the area to words.


def test_a_block_between_streets_is_told_by_its_streets() -> None:
    words = describe_zone(LANDMARKS, "abcdef", ["S"])
    assert words == _ring("澄溪河", "东路", "南路", "西路")


def test_a_few_estates_are_listed() -> None:
    assert describe_zone(LANDMARKS, "ei", ["S"]) == ZoneWords(
        (UnitList((TownUnits("城镇", (Name("柳园"), Name("中心社区"))),)),), SCHOOL
    )


def test_a_town_that_is_all_there_is_named_as_a_whole() -> None:
    words = describe_units(LANDMARKS, "vwe", ["S"])
    assert words.parts == (UnitList((TownUnits("柳镇", (), True), TownUnits("城镇", (Name("中心社区"),)))),)
    almost = describe_units(LANDMARKS, "abcdefgh", ["S"])
    assert almost.parts == (UnitList((TownUnits("城镇", (), True, (Name("柳园"),)),)),)


def test_sides_face_their_sides() -> None:
    words = describe_sides(LANDMARKS, "abcdef", ["S"])
    assert words.parts == (FourSides((_line("东路"),), (_line("南路"),), (_line("西路"),), (_line("澄溪河"),)),)


def test_sides_without_streets_are_told_by_what_lies_beyond() -> None:
    study = build_named_world()
    study = replace(study, basemap=replace(study.basemap, roads=study.basemap.roads.iloc[:0]))
    (sides,) = describe_sides(build_landmarks(study), "e", ["S"]).parts
    assert sides == FourSides(*(((Limit("beyond", (Name(NAMES[key]),))),) for key in "fhdb"))


def test_a_detached_piece_is_a_part_of_its_own() -> None:
    words = describe_zone(LANDMARKS, "abcdefw", ["S"])
    assert words.parts[1:] == (UnitList((TownUnits("柳镇", (Name("李庄村"),)),)),)
    assert measure_agreement(LANDMARKS, "abcdefw", words, "primary") == pytest.approx(1.0)


def test_a_hole_is_taken_out_by_name() -> None:
    words = describe_zone(LANDMARKS, "abcdfghi", [])
    assert _drawn(words) == "abcdfghi"


def test_no_units_have_no_words() -> None:
    assert describe_zone(LANDMARKS, [], ["S"]) == ZoneWords((), SCHOOL)
    assert describe_sides(LANDMARKS, [], ["S"]) == ZoneWords((), SCHOOL)
    assert draw_zone_words(LANDMARKS, ZoneWords()).is_empty


# Laws.

ROUGH = build_landmarks(build_named_world(wobble_m=2.5))
ROUGH_TELLER = ZoneTeller(ROUGH)


@settings(max_examples=40)
@given(st.sets(st.sampled_from(sorted(NAMES)), min_size=1), st.booleans())
def test_text_and_zone_agree_for_any_zone(units: set[str], schooled: bool) -> None:
    schools = ["S"] if schooled else []
    words = ROUGH_TELLER.describe_zone(units, schools)
    assert _drawn(words, ROUGH) == "".join(sorted(units))
    assert measure_agreement(ROUGH, units, words, "primary") >= 0.99


@given(st.sets(st.sampled_from(sorted(NAMES)), min_size=1))
def test_a_list_gives_back_every_zone(units: set[str]) -> None:
    words = describe_units(LANDMARKS, units)
    assert measure_agreement(LANDMARKS, units, words, "primary") == pytest.approx(1.0)


@settings(max_examples=30)
@given(st.permutations(sorted(NAMES)))
def test_the_order_of_units_changes_no_word(order: list[str]) -> None:
    assert describe_zone(LANDMARKS, order[:5], ["S"]) == describe_zone(LANDMARKS, sorted(order[:5]), ["S"])

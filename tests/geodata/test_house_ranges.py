"""House numbers of zones: worked by hand on one street, laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.house_ranges import (
    Houses,
    build_houses,
    describe_houses,
    is_in_ranges,
    measure_house_agreement,
    read_number,
)
from geodata.landmarks import build_landmarks
from geodata.zone_word_parts import AddressList, Name, NumberRange, StreetNumbers
from tests.geodata.named_world import build_named_world

STUDY = build_named_world()
LANDMARKS = build_landmarks(STUDY)
HOUSES = build_houses(STUDY, LANDMARKS)


def _odd(first: str, last: str = "") -> NumberRange:
    return NumberRange("odd", first, last)


def _even(first: str, last: str = "") -> NumberRange:
    return NumberRange("even", first, last)


def test_both_sides_of_a_street_are_told_apart() -> None:
    # House n of 北路 stands at x = 50 n - 25: a has odd 1 to 19, b 21 to 39, d (south) even 2 to 20.
    told = describe_houses(HOUSES, LANDMARKS, ["a"])
    assert told == AddressList((StreetNumbers(Name("北路"), (_odd("1", "19"),)),))
    told = describe_houses(HOUSES, LANDMARKS, ["b", "d"])
    assert told == AddressList((StreetNumbers(Name("北路"), (_odd("21", "39"), _even("2", "20"))),))


def test_a_run_to_the_highest_number_is_open() -> None:
    told = describe_houses(HOUSES, LANDMARKS, ["c"])
    assert told == AddressList((StreetNumbers(Name("北路"), (_odd("41"),)),))


def test_gaps_make_several_ranges_and_whole_streets_need_none() -> None:
    told = describe_houses(HOUSES, LANDMARKS, ["a", "c"])
    assert told.streets[0].ranges == (_odd("1", "19"), _odd("41"))
    assert describe_houses(HOUSES, LANDMARKS, "abcdef").streets[0] == StreetNumbers(Name("北路"))


def test_the_same_street_in_two_towns_is_two_streets() -> None:
    assert describe_houses(HOUSES, LANDMARKS, ["v"]) == AddressList((StreetNumbers(Name("甲路", "柳镇")),))
    assert describe_houses(HOUSES, LANDMARKS, ["e"]).streets[-1] == StreetNumbers(Name("甲路", "城镇"))


def test_ranges_are_tested_back() -> None:
    told = describe_houses(HOUSES, LANDMARKS, ["a"])
    assert measure_house_agreement(HOUSES, LANDMARKS, ["a"], told) == 1
    assert measure_house_agreement(HOUSES, LANDMARKS, ["a", "b"], told) == pytest.approx(10 / 20)
    assert np.isnan(measure_house_agreement(HOUSES, LANDMARKS, ["w"], AddressList(())))


def test_numbers_with_letters_stand_in_order() -> None:
    numbers = ["7", "12号", "12-14", "12A", "13", "甲3", "无号"]
    assert sorted(numbers, key=read_number) == ["无号", "甲3", "7", "12-14", "12A", "12号", "13"]
    ranges = (_even("2", "12A"),)
    assert [number for number in numbers if is_in_ranges(number.removesuffix("号"), ranges)] == ["12号", "12-14", "12A"]


def test_a_house_without_a_figure_is_told_by_itself() -> None:
    houses = Houses((Name("北路"),) * 3, ("供销社", "1", "3"), np.array([0, 0, 1]))
    told = describe_houses(houses, LANDMARKS, [LANDMARKS.unit_ids[0]])
    assert told.streets[0].ranges == (_odd("1", "1"), NumberRange("both", "供销社", "供销社"))
    assert measure_house_agreement(houses, LANDMARKS, [LANDMARKS.unit_ids[0]], told) == 1


def test_a_study_without_addresses_has_no_ranges() -> None:
    empty = Houses((), (), np.empty(0, dtype=np.int64))
    assert describe_houses(empty, LANDMARKS, "abc") == AddressList(())


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["北路", "南路"]), st.integers(1, 30), st.sampled_from(["", "A", "-2"]), st.integers(0, 3)
    ),
    min_size=1,
    unique_by=lambda row: row[:3],
)


@given(ROWS)
def test_ranges_give_back_every_house(rows: list[tuple[str, int, str, int]]) -> None:
    table = pd.DataFrame(rows, columns=["street", "number", "suffix", "unit"])
    streets = tuple(Name(street) for street in table["street"])
    numbers = tuple((table["number"].astype(str) + table["suffix"]).tolist())
    houses = Houses(streets, numbers, table["unit"].to_numpy())
    for unit in range(4):
        told = describe_houses(houses, LANDMARKS, [LANDMARKS.unit_ids[unit]])
        agreement = measure_house_agreement(houses, LANDMARKS, [LANDMARKS.unit_ids[unit]], told)
        assert agreement == 1 or (np.isnan(agreement) and not (table["unit"] == unit).any())

"""Small counts are hidden, and nobody can work them out: laws, attacked by linear programs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.disclosure import check_disclosure, protect
from planning.disclosure_audit import find_narrowed
from planning.disclosure_rolls import choose_hidden_rolls
from planning.publication import Publication
from planning.publication_options import CostItem, PackOptions
from tests.planning.publication_worlds import Cell, attack, build_cells, build_from_cells
from tests.worlds import build_five_villages

THRESHOLD = 10
STUDY = build_five_villages()


def protect_cells(
    rows: list[Cell], towns: dict[str, str], verdicts: dict[str, str] | None = None
) -> tuple[Publication, pd.DataFrame]:
    cells = build_cells(rows, verdicts or {})
    return protect(build_from_cells(cells, towns), cells), cells


def read_hidden(publication: Publication) -> list[str]:
    units = publication.units
    return [str(key) for key in units.loc[units["pupils_hidden"], "unit_id"]]


def list_blocks(publication: Publication, **options: object) -> list[str]:
    asked = PackOptions(threshold=publication.threshold, **options)  # type: ignore[arg-type]
    return [str(item.message) for item in check_disclosure(STUDY, publication, asked) if item.blocks]


def test_small_community_takes_a_second_one_with_it() -> None:
    # Town T: a 5, b 30, c 12, all at S. a is small; the town's sum would give it away, so c (the smaller) goes with it.
    found, _ = protect_cells([("a", "S", "S", 5), ("b", "S", "S", 30), ("c", "S", "S", 12)], dict.fromkeys("abc", "T"))
    assert read_hidden(found) == ["a", "c"]
    assert found.hidden == (1, 1)
    assert found.units["pupils"].isna().tolist() == [True, False, True]
    assert found.towns["pupils"].tolist() == [47.0] and not found.towns["pupils_hidden"].any()


def test_two_small_ones_below_the_threshold_take_a_third() -> None:
    # a 3 and b 4 are together 7 < 10: "seven children in two villages" is as bad. c goes with them.
    rows = [("a", "S", "S", 3), ("b", "S", "S", 4), ("c", "S", "S", 20), ("d", "S", "S", 90)]
    found, _ = protect_cells(rows, dict.fromkeys("abcd", "T"))
    assert read_hidden(found) == ["a", "b", "c"]


def test_nothing_small_hides_nothing() -> None:
    found, _ = protect_cells([("a", "S", "S", 10), ("b", "S", "S", 0), ("c", "S", "R", 12)], dict.fromkeys("abc", "T"))
    assert found.hidden == (0, 0)
    assert not found.flows["pupils_hidden"].any()


def test_small_flow_is_not_told_by_the_schools() -> None:
    # 5 children go from S to R; S loses them and R wins them, so those counts must not give the five away.
    rows = [("a", "S", "R", 5), ("b", "S", "S", 60), ("c", "R", "R", 50), ("d", "S", "R", 40), ("e", "S", "Q", 30)]
    found, cells = protect_cells([*rows, ("f", "Q", "Q", 80)], dict.fromkeys("abcdef", "T"))
    seen = attack(found, cells, dict.fromkeys("abcdef", "T"), knows_split=False)
    assert seen["unit a"][2] - seen["unit a"][1] >= THRESHOLD
    assert found.units.set_index("unit_id").loc["a", ["pupils_hidden", "moved_hidden"]].all()


def test_small_part_of_the_county_is_hidden_in_the_totals_too() -> None:
    rows = [("a", "S", "R", 6), ("a", "S", "S", 40), ("b", "S", "S", 60)]
    found, _ = protect_cells(rows, dict.fromkeys("ab", "T"))
    assert bool(found.totals["moved_hidden"].iloc[0]) and np.isnan(found.totals["moved_pupils"].iloc[0])
    assert found.totals["pupils"].tolist() == [106.0]


TABLES = st.lists(
    st.tuples(
        st.sampled_from("abcdefgh"),
        st.sampled_from(["S", "R", "Q"]),
        st.sampled_from(["S", "R", ""]),
        st.integers(1, 40),
    ),
    min_size=2,
    max_size=14,
)


@settings(max_examples=40)
@given(rows=TABLES, worse=st.sets(st.sampled_from("abcdefgh")), split=st.integers(1, 8))
def test_no_small_count_can_be_worked_out(rows: list[Cell], worse: set[str], split: int) -> None:
    verdicts = dict.fromkeys(worse, "worse")
    cells = build_cells(rows, verdicts)
    if cells["pupils"].sum() < THRESHOLD:
        return
    towns = {key: "T" if "abcdefgh".index(key) < split else "U" for key in cells["unit_id"].unique()}
    found = protect(build_from_cells(cells, towns), cells)
    for knows_split in (False, True):
        for name, (truth, least, most) in attack(found, cells, towns, knows_split=knows_split).items():
            if 0 < truth < THRESHOLD:
                assert most - least >= THRESHOLD - 1e-6, (name, truth, least, most)
    assert not list_blocks(found)
    shown = found.units["pupils"].dropna()
    assert not ((shown > 0) & (shown < THRESHOLD)).any()


@settings(max_examples=10)
@given(rows=TABLES, seed=st.integers(0, 1000))
def test_order_of_rows_changes_nothing(rows: list[Cell], seed: int) -> None:
    towns = dict.fromkeys("abcdefgh", "T")
    cells = build_cells(rows, {})
    plain = build_from_cells(cells, {key: towns[key] for key in cells["unit_id"].unique()})
    first, second = protect(plain, cells), protect(plain, cells.sample(frac=1.0, random_state=seed))
    pd.testing.assert_frame_equal(first.units, second.units)
    pd.testing.assert_frame_equal(first.flows, second.flows)


def test_audit_finds_what_one_sum_gives_away() -> None:
    found, _ = protect_cells([("a", "S", "S", 5), ("b", "S", "S", 30), ("c", "S", "S", 12)], dict.fromkeys("abc", "T"))
    assert not find_narrowed(found)
    units = found.units.assign(pupils=[np.nan, 30.0, 12.0], pupils_hidden=[True, False, False])
    broken = dataclasses.replace(found, units=units)
    narrowed = find_narrowed(broken)
    assert [(item.table, item.least, item.most) for item in narrowed] == [("units", 5.0, 5.0)]
    assert "community a" in list_blocks(broken)[0]


def test_small_count_that_is_shown_blocks() -> None:
    found, _ = protect_cells([("a", "S", "S", 50), ("b", "S", "S", 30)], dict.fromkeys("ab", "T"))
    schools = found.schools.assign(roll_before=4.0)
    assert "1 counts" in list_blocks(dataclasses.replace(found, schools=schools))[0]


def test_county_below_the_threshold_is_refused() -> None:
    found, _ = protect_cells([("a", "S", "S", 3), ("b", "S", "S", 4)], dict.fromkeys("ab", "T"))
    assert "the whole county" in list_blocks(found)[0]


@pytest.fixture(scope="module")
def safe() -> Publication:
    return protect_cells([("a", "S", "S", 50), ("b", "S", "S", 30)], dict.fromkeys("ab", "T"))[0]


@pytest.mark.parametrize(
    "options",
    [
        {"title": "李某 11010519491231002X 的方案"},
        {"purpose": "联系人13912345678"},
        {"address": "+86 139-1234-5678"},
        {"costs": (CostItem("校车，司机身份证11010519491231002X", 2026, 1.0),)},
    ],
)
def test_numbers_of_persons_block(safe: Publication, options: dict[str, object]) -> None:
    assert list_blocks(safe, **options)


@pytest.mark.parametrize(
    "text", ["010-12345678", "049901111220", "110105194912310021", "13912345678901", "2026年共1200人"]
)
def test_other_numbers_do_not(safe: Publication, text: str) -> None:
    assert not list_blocks(safe, purpose=text)


def test_office_telephone_may_be_mobile_but_is_doubted(safe: Publication) -> None:
    found = check_disclosure(STUDY, safe, PackOptions(phone="13912345678"))
    assert [item.blocks for item in found] == [False]


def test_notes_with_small_counts_are_doubted(safe: Publication) -> None:
    found = check_disclosure(STUDY, safe, PackOptions(), texts=["教学点一、二年级共5人，并入中心小学"])
    assert ["5人" in str(item.message) for item in found] == [True]
    assert not check_disclosure(STUDY, safe, PackOptions(), texts=["教学点一、二年级共15人，并入中心小学"])


@pytest.mark.parametrize("text", ["仅有六名学生", "只剩两人", "共６人", "only 7 pupils"])
def test_small_counts_in_words_are_doubted(safe: Publication, text: str) -> None:
    assert [item.blocks for item in check_disclosure(STUDY, safe, PackOptions(), texts=[text])] == [False]
    assert [item.blocks for item in check_disclosure(STUDY, safe, PackOptions(purpose=text))] == [False]


@pytest.mark.parametrize("text", ["第一人民医院", "十六人", "二年级学生", "2026年9月", "一、二年级"])
def test_other_words_are_not(safe: Publication, text: str) -> None:
    assert not check_disclosure(STUDY, safe, PackOptions(), texts=[text])


def test_borders_without_a_map_number_are_doubted(safe: Publication) -> None:
    found = check_disclosure(STUDY, safe, PackOptions(show_boundaries=True))
    assert [item.blocks for item in found] == [False]
    assert not check_disclosure(STUDY, safe, PackOptions(show_boundaries=True, map_number="S(2026)001"))


def test_low_threshold_is_doubted(safe: Publication) -> None:
    low = dataclasses.replace(safe, threshold=5)
    found = check_disclosure(STUDY, low, PackOptions(threshold=5))
    assert [item.blocks for item in found] == [False]
    assert any(item.blocks for item in check_disclosure(STUDY, safe, PackOptions(threshold=5)))


def build_rolls(before: list[float], after: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"school_id": list("WMEX")[: len(before)], "roll_before": before, "roll_after": after})


def test_roll_of_a_closed_school_is_not_told_by_the_one_that_takes_it() -> None:
    # X (7 pupils) is merged into W: 100 before, 107 after.
    schools = build_rolls([100.0, 50.0, 60.0, 7.0], [107.0, 50.0, 60.0, np.nan])
    moves = pd.DataFrame(
        [("X", "W", 1.0), ("W", "W", 1.0), ("M", "M", 1.0), ("E", "E", 1.0)],
        columns=["school_from", "school_to", "share"],
    )
    small, beside = choose_hidden_rolls(schools, moves, THRESHOLD)
    hidden = small | beside
    assert small.tolist() == [[False, False]] * 3 + [[True, False]]
    assert hidden[0].any(), "W before and after differ by the seven"
    assert hidden[1].tolist() in ([False, False], [True, True]), "M is the same before and after"


def test_rolls_that_are_not_small_are_all_shown() -> None:
    schools = build_rolls([100.0, 50.0, 60.0, 70.0], [100.0, 50.0, 60.0, np.nan])
    small, beside = choose_hidden_rolls(schools, pd.DataFrame(columns=["school_from", "school_to", "share"]), THRESHOLD)
    assert not small.any() and not beside.any()


def test_mean_minutes_of_a_school_with_a_hidden_community_are_not_told() -> None:
    # (5 children of a x 40 min + 30 of b x 10 min …) / all: with the minutes of a, b and c the mean tells of a.
    towns = dict.fromkeys("abcd", "T")
    cells = build_cells([("a", "S", "S", 5), ("b", "S", "S", 30), ("c", "S", "S", 12), ("d", "R", "R", 40)], {})
    shown = build_from_cells(cells, towns)
    schools = shown.schools.assign(mean_min_before=11.0, mean_min_after=11.0)
    found = protect(dataclasses.replace(shown, schools=schools), cells).schools.set_index("school_id")
    assert found.loc["S", ["mean_min_before", "mean_min_after"]].isna().all()
    assert found.loc["R", ["mean_min_before", "mean_min_after"]].tolist() == [11.0, 11.0]


def test_rolls_do_not_tell_of_a_hidden_flow() -> None:
    # Six children go from S to R: 120 - 6 and 80 + 6 on the rolls would say so.
    towns = dict.fromkeys("abc", "T")
    cells = build_cells([("a", "S", "S", 114), ("b", "S", "R", 6), ("c", "R", "R", 80), ("d", "Q", "Q", 90)], {})
    shown = build_from_cells(cells, {**towns, "d": "T"})
    rolls = {"Q": (90.0, 90.0), "R": (80.0, 86.0), "S": (120.0, 114.0)}
    keys = shown.schools["school_id"]
    schools = shown.schools.assign(
        roll_before=[rolls[key][0] for key in keys], roll_after=[rolls[key][1] for key in keys]
    )
    transfers = pd.DataFrame({"school_from": list("QRS"), "school_to": list("QRS"), "share": 1.0})
    found = protect(dataclasses.replace(shown, schools=schools), cells, {"primary": transfers})
    after = found.schools.set_index("school_id")
    assert after.loc[["R", "S"], "roll_after_hidden"].all() and after.loc[["R", "S"], "roll_after"].isna().all()
    assert after.loc["Q", "roll_after"] == 90.0


def test_mean_metres_of_a_parted_community_do_not_tell_how_many_move() -> None:
    # Of a 100 go to S; of these 6 go to R: with 1,000 m to S and 2,000 m to R the mean becomes 1,060 m.
    rows = [("a", "S", "S", 94), ("a", "S", "R", 6), ("b", "S", "S", 60), ("c", "R", "R", 90)]
    cells = build_cells(rows, {})
    shown = build_from_cells(cells, dict.fromkeys("abc", "T"))
    units = shown.units.assign(before_ids=["S", "S", "R"], after_ids=["S;R", "S", "R"])
    units = units.assign(length_before_m=1_000.0, length_after_m=[1_060.0, 1_000.0, 1_000.0])
    found = protect(dataclasses.replace(shown, units=units), cells).units.set_index("unit_id")
    assert found.loc["a", "moved_hidden"] and found.loc["a", ["length_before_m", "length_after_m"]].isna().all()
    assert found.loc["b", "length_after_m"] == 1_000.0

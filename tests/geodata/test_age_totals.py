"""Tables of people by age, in the forms in which offices keep them."""

from pathlib import Path

import numpy as np
import pytest

from geodata.age_totals import AgeTotals, parse_age, read_age_totals
from geodata.errors import DataError


@pytest.mark.parametrize(
    ("text", "band"),
    [
        *[("6", (6, 6)), ("6岁", (6, 6)), ("６周岁", (6, 6)), ("age_6", (6, 6)), ("0-4", (0, 4)), ("5至9岁", (5, 9))],
        *[
            ("85+", (85, 120)),
            ("85岁及以上", (85, 120)),
            ("age_5_9", (5, 9)),
            ("合计", None),
            *[("6.0", (6, 6)), ("6.0-11.0", (6, 11)), ("6.5", None), ("3,4", None), ("不满1岁", (0, 0))],
            ("9-5", None),
            ("", None),
        ],
    ],
)
def test_labels_of_ages(text: str, band: tuple[int, int] | None) -> None:
    assert parse_age(text) == band


def _read(folder: Path, text: str) -> AgeTotals:
    (folder / "ages.csv").write_text(text, encoding="utf-8-sig")
    return read_age_totals(folder / "ages.csv")


def test_a_long_table_of_the_county(tmp_path: Path) -> None:
    rows = "\n".join(f"{age}岁,{100 + age}" for age in range(20))
    ages = _read(tmp_path, f"年龄,人数\n{rows}\n合计,9999\n")
    assert ages.of_county and not ages.is_whole and len(ages.bands) == 20
    assert ages.sum_stages()["primary"].tolist() == [sum(100 + age for age in range(6, 12))]
    assert ages.sum_stages()["senior"].tolist() == [sum(100 + age for age in range(15, 18))]


def test_a_wide_table_of_townships(tmp_path: Path) -> None:
    header = ",".join(["乡镇", "合计", *[f"{age}岁" for age in range(85)], "85岁及以上"])
    rows = [",".join([town, "0", *[str(n)] * 86]) for town, n in (("东镇", 10), ("西乡", 20), ("合计", 30))]
    ages = _read(tmp_path, "\n".join([header, *rows]))
    assert ages.towns == ("东镇", "西乡") and ages.is_whole
    assert ages.sum_stages()["kindergarten"].tolist() == [30, 60]
    assert np.nansum(ages.people) == 86 * 30


def test_a_long_table_of_townships_in_bands(tmp_path: Path) -> None:
    ages = _read(tmp_path, "town,age,people\nA,0-4,50\nA,5-9,50\nA,10-14,100\nB,0-4,5\nB,5-9,5\nB,10-14,10\n")
    assert ages.sum_stages()["primary"].tolist() == pytest.approx([80, 8])


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("乡镇,人数\n东镇,3\n", "required_column"),
        ("年龄,人数\n六,3\n7,4\n", "age_label"),
        ("年龄,人数\n6,3\n6岁,4\n", "age_label"),
        ("年龄,人数\n6,三\n", "type"),
        ("年龄,人数\n0-9,3\n5,4\n", "age_bands_overlap"),
        ("乡镇,年龄,人数\n,6,3\n东镇,6,4\n", "age_towns"),
        ("乡镇,6,7\n东镇,3,4\n东镇,5,6\n", "duplicate_id"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path: Path, text: str, check: str) -> None:
    with pytest.raises(DataError) as caught:
        _read(tmp_path, text)
    assert check in {issue.check for issue in caught.value.issues}
    assert all(issue.file == "ages.csv" for issue in caught.value.issues)


def test_missing_numbers_are_told(tmp_path: Path) -> None:
    ages = _read(tmp_path, "town,age,people\nA,6,50\nB,7,5\n")
    assert [issue.check for issue in ages.issues] == ["age_missing"]


def test_one_row_of_totals_is_the_county(tmp_path: Path) -> None:
    assert _read(tmp_path, "乡镇,6,7\n全县合计,3,4\n").of_county

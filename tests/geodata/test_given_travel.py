"""A given matrix is read by its ids, whatever the column of ids is called; what does not fit is told at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geodata.errors import DataError, DataIssue
from geodata.study import TravelMatrix
from geodata.study_file import StudySpec, TravelSource
from geodata.travel import read_travel_matrix


def read(folder: Path, text: str) -> TravelMatrix:
    (folder / "m.csv").write_text(text, encoding="utf-8")
    spec = StudySpec("t", travel=TravelSource(path="m.csv"), folder=folder)
    return read_travel_matrix(spec, ["00", "01", "02"], ["001", "002"])


def fail(folder: Path, text: str) -> tuple[DataIssue, ...]:
    with pytest.raises(DataError) as caught:
        read(folder, text)
    return caught.value.issues


@pytest.mark.parametrize("header", ["unit_id", "村编号", "whatever", "单元编号（村）"])
def test_rows_in_another_order_are_found_by_the_first_column(tmp_path: Path, header: str) -> None:
    found = read(tmp_path, f"{header},001,002\n02,30,3\n00,1,20\n01,2,10\n")
    np.testing.assert_array_equal(found.time_min, np.float32([[1, 20], [2, 10], [30, 3]]))


def test_ids_without_their_zeros_are_not_guessed_but_named(tmp_path: Path) -> None:
    (issue,) = fail(tmp_path, "村,001,002\n2,30,3\n0,1,20\n1,2,10\n")
    assert "no row for 3 units" in str(issue.problem)
    assert "Did you mean 0?" in str(issue.cure)
    (issue,) = fail(tmp_path, "unit_id,1,2\n00,30,3\n01,1,20\n02,2,10\n")
    assert "Did you mean 1?" in str(issue.cure)


def test_cells_are_read_as_everywhere_and_every_bad_one_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, '单元,001,002\n00,３０,"1,000"\n01,-,∞\n02,4,5\n')
    np.testing.assert_array_equal(found.time_min, np.float32([[30, 1000], [np.nan, np.nan], [4, 5]]))
    issues = fail(tmp_path, "某表\n单元,001,002\n00,约3,2\n01,1,x\n02,-4,5\n")
    assert [(issue.row, issue.column, issue.found) for issue in issues] == [
        (3, "001", "约3"),
        (5, "001", "-4"),
        (4, "002", "x"),
    ]


def test_a_unit_with_two_rows_is_told(tmp_path: Path) -> None:
    (issue,) = fail(tmp_path, "unit_id,001,002\n00,1,2\n00,3,4\n01,1,1\n02,1,1\n")
    assert issue.found == "00"

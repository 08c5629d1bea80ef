"""The inspection workbook: live formulas with their results, text that never runs, the numbers of the balance."""

import io
import math
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from geodata.study import StudyArea
from planning.actions import MergeSchools
from planning.balance import Balance, build_balance
from planning.run import run_scenario
from planning.scenario import Scenario
from reports.inspection_workbook import build_inspection_workbook
from reports.language import read_catalogue
from tests.planning.balance_worlds import CN, build_two_schools, make_assets, make_good_row, make_table, put_tables
from tests.worlds import WorldSchool, build_world

EN = read_catalogue("en")
SPACE = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def _build_study() -> StudyArea:
    """Two schools, one of them short of teachers, and a nine-year school whose name would run as a formula."""
    study = build_world(
        "a/W b c/E d e/N",
        pupils={"primary": {"a": 150, "c": 100, "e": 90}, "junior": {"e": 80}},
        schools={
            "W": WorldSchool(places=400, classes=5, roll=200, name="West", setting="urban"),
            "E": WorldSchool(places=300, classes=3, roll=80, name="East", setting="rural"),
            "N": WorldSchool(
                kind="nine_year",
                stages=("primary", "junior"),
                roll={"primary": 100, "junior": 100},
                classes={"primary": 3, "junior": 2},
                name='=HYPERLINK("http://x","y")',
            ),
        },
    )
    east = make_good_row("E", 80, above_degree_teachers=2, pe_art_teachers=0.5, shared_pe_art_teachers=1)
    east = {key: value for key, value in east.items() if key != "equipment_cny"}
    whole = make_good_row("N", 200, stage="")
    return put_tables(
        study,
        assets=make_assets(make_good_row("W", 200, backbone_teachers=1), east, whole),
        groups=make_table(
            "groups",
            {"group_id": "J1", "name": "=1+1", "school_id": "W", "eligible_teachers": 10, "exchanged_teachers": 1},
            {"group_id": "J1", "name": "=1+1", "school_id": "E", "eligible_teachers": 10, "exchanged_teachers": 0},
        ),
    )


def _read_formulas(data: bytes) -> dict[str, dict[str, tuple[str, str]]]:
    """Return formula and result by sheet number and cell."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name):
                root = ElementTree.fromstring(archive.read(name))
                found[name] = {
                    str(cell.get("r")): (str(cell.findtext("m:f", "", SPACE)), str(cell.findtext("m:v", "", SPACE)))
                    for cell in root.iter(f"{{{SPACE['m']}}}c")
                    if cell.find("m:f", SPACE) is not None
                }
    return found


def _read_sheet(data: bytes, name: str) -> list[list[object]]:
    rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(name).to_python(skip_empty_area=False)
    return [list(row) for row in rows]


@pytest.fixture(scope="module")
def study() -> StudyArea:
    return _build_study()


@pytest.fixture(scope="module")
def balance(study: StudyArea) -> Balance:
    return build_balance(study, CN)


@pytest.fixture(scope="module")
def book(study: StudyArea, balance: Balance) -> bytes:
    return build_inspection_workbook(balance, study, CN, EN)


def test_every_sheet_is_there_in_both_languages(study: StudyArea, balance: Balance, book: bytes) -> None:
    names = CalamineWorkbook.from_filelike(io.BytesIO(book)).sheet_names
    assert names[:3] == ["Summary", "Primary", "Junior"] and len(names) == 13
    chinese = build_inspection_workbook(balance, study, CN, read_catalogue("zh"))
    assert len(CalamineWorkbook.from_filelike(io.BytesIO(chinese)).sheet_names) == 13


def test_values_of_a_school_stand_in_its_sheet_as_results_of_formulas(book: bytes, balance: Balance) -> None:
    rows = _read_sheet(book, "Primary")
    heads = [str(cell) for cell in rows[6]]
    names = {str(row[0]): row for row in rows[7:10]}
    assert set(names) == {"W", "E", "N"}
    first = next(at for at, head in enumerate(heads) if head.startswith("Higher degree"))
    values = balance.indicators[balance.indicators["stage"] == "primary"].pivot(
        index="school_id", columns="indicator", values="value"
    )
    for key, row in names.items():
        for offset, indicator in enumerate(f"R{number}" for number in range(1, 8)):
            wanted = float(str(values.at[key, indicator]))
            assert row[first + offset] == ("" if math.isnan(wanted) else pytest.approx(wanted))
    assert names["N"][heads.index("Verdict")] == "met" and names["E"][heads.index("Verdict")] == "not met"
    formulas = _read_formulas(book)["xl/worksheets/sheet2.xml"]
    cell = next(formula for formula, _result in formulas.values() if "/$E8*100" in formula)
    assert "COUNT(" in cell and "$F8" in cell


def test_derived_cells_are_formulas_and_inputs_are_not(book: bytes) -> None:
    formulas = _read_formulas(book)
    count = sum(len(cells) for cells in formulas.values())
    assert count > 150
    text = " ".join(formula for cells in formulas.values() for formula, _result in cells.values())
    assert "HYPERLINK" not in text and "1+1" not in text
    assert not any("#" in result for cells in formulas.values() for _formula, result in cells.values())


def test_names_never_run(book: bytes) -> None:
    rows = _read_sheet(book, "Primary")
    assert any('=HYPERLINK("http://x","y")' in row for row in rows)
    assert any("=1+1" in row for row in _read_sheet(book, "Groups"))


def test_spread_stands_weighted_and_unweighted(book: bytes, balance: Balance) -> None:
    rows = _read_sheet(book, "Spread")
    found = {(str(row[0]), str(row[1])): row for row in rows[5:]}
    for row in balance.spread.to_dict("records"):
        cells = found[({"primary": "Primary", "junior": "Junior"}[row["stage"]], row["indicator"])]
        assert cells[7] == pytest.approx(row["cv"], abs=1e-12)
        assert cells[10] == pytest.approx(row["cv_unweighted"], abs=1e-12)
        assert cells[9] == {"yes": "met", "no": "not met", "unknown": "not known"}[row["met"]]


def test_shared_assets_are_split_by_formula(book: bytes) -> None:
    rows = _read_sheet(book, "Shared assets")
    areas = next(row for row in rows[5:] if "Teaching and auxiliary" in str(row[2]))
    # 1300 m² of 100 primary and 100 junior pupils: 1 : 1.1.
    assert areas[3] == pytest.approx(1300.0)
    assert (areas[8], areas[9]) == (pytest.approx(1300 / 2.1), pytest.approx(1300 * 1.1 / 2.1))


def test_a_study_without_assets_gives_a_workbook_of_unknowns(study: StudyArea) -> None:
    bare = put_tables(study, assets=study.assets.iloc[:0])
    data = build_inspection_workbook(build_balance(bare, CN), bare, CN, EN)
    rows = _read_sheet(data, "Summary")
    text = " ".join(str(cell) for row in rows for cell in row)
    assert "no table of assets" in text


def test_before_and_after_have_a_sheet_of_their_own(study: StudyArea) -> None:
    action = MergeSchools(school_ids=("E",), into=("W",))
    outcome = run_scenario(study, CN, Scenario(actions=(action,), stages=("primary", "junior")))
    after = build_balance(study, CN, outcome=outcome)
    rows = _read_sheet(build_inspection_workbook(after, study, CN, EN), "Before and after")
    assert any(row[2] == "CV, weighted" for row in rows)
    basic = build_balance(study, CN, outcome=outcome, kind="basic")
    assert _read_sheet(build_inspection_workbook(basic, study, CN, EN), "Before and after")


@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs a spreadsheet program")
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["quality", "basic"])
def test_a_spreadsheet_program_finds_the_same_numbers(study: StudyArea, kind: str, tmp_path: Path) -> None:
    data = build_inspection_workbook(build_balance(study, CN, kind=kind), study, CN, EN)  # type: ignore[arg-type]
    path = tmp_path / "book.xlsx"
    path.write_bytes(data)
    _recalculate(path, tmp_path)
    before, after = _read_formulas(data), CalamineWorkbook.from_path(tmp_path / "out" / "book.xlsx")
    sheets = CalamineWorkbook.from_filelike(io.BytesIO(data)).sheet_names
    checked = 0
    for number, name in enumerate(sheets, start=1):
        rows = after.get_sheet_by_name(name).to_python(skip_empty_area=False)
        ours = _read_sheet(data, name)
        for cell in before[f"xl/worksheets/sheet{number}.xml"]:
            row, column = _locate(cell)
            one, two = ours[row][column], rows[row][column]
            assert one == two or one == pytest.approx(two, rel=1e-9, abs=1e-9), (name, cell)
            checked += 1
    assert checked > 100


def _locate(cell: str) -> tuple[int, int]:
    letters = re.sub(r"\d", "", cell)
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(cell[len(letters) :]) - 1, column - 1


def _recalculate(path: Path, folder: Path) -> None:
    """Let the program work every formula out again, whatever results the file holds."""
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry"'
        ' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">'
        "<value>0</value></prop></item></oor:items>",
        encoding="utf-8",
    )
    command = ["soffice", f"-env:UserInstallation=file://{folder / 'profile'}", "--headless", "--convert-to", "xlsx"]
    subprocess.run([*command, "--outdir", str(folder / "out"), str(path)], check=True, capture_output=True, timeout=120)


def test_two_good_schools_need_no_split_sheet_rows() -> None:
    study = build_two_schools()
    rows = _read_sheet(build_inspection_workbook(build_balance(study, CN), study, CN, EN), "Shared assets")
    assert any("No school has assets to split" in str(cell) for row in rows for cell in row)
    assert isinstance(study.assets, pd.DataFrame)

"""Tables of a pack: the published counts and no others, no formula, ready to print, the same in both languages."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from geodata.build import read_study
from geodata.errors import ExportError
from planning.publication_options import CostItem, PackOptions
from planning.rules import read_rulebook
from planning.scenario_file import read_scenario
from reports.consultation_build import build_consultation
from reports.consultation_case import Consultation
from reports.consultation_checks import (
    choose_share_digits,
    find_hidden,
    hide_checks,
    round_indicator,
    say_finding,
    say_remedy,
)
from reports.consultation_tables import build_pack_sheets, build_pack_tables, write_pack_tables
from reports.consultation_words import say_count
from reports.consultation_workbook import Column, Margins, Sheet, render_pack_workbook
from reports.language import read_catalogue
from reports.tables import FORMULA_STARTS

ROOT = Path(__file__).resolve().parents[2]
KEYS = (
    *("notes", "schools", "communities", "units", "flows", "towns", "totals", "indicators", "rules", "findings"),
    *("not_checked", "closures", "actions", "procedure", "costs"),
)
HIDDEN = say_count(1.0, True, 10, read_catalogue("en"))


@pytest.fixture(scope="module")
def consultation() -> Consultation:
    """The merger of the demo county, with a cost and hostile words of the planner."""
    study = read_study(ROOT / "examples" / "studies" / "demo.toml")
    scenario = read_scenario(ROOT / "examples" / "scenarios" / "demo_merger.toml")
    options = PackOptions(
        title="=cmd|'/c calc'!A1 & 合并",
        issuer="@示例",
        costs=(CostItem("+校车", 2026, 900_000.0, source="-示例"),),
    )
    return build_consultation(study, read_rulebook("cn"), scenario, options=options, languages=("zh", "en"))


@pytest.fixture(scope="module")
def tables(consultation: Consultation) -> dict[str, pd.DataFrame]:
    return build_pack_tables(consultation, read_catalogue("en"))


def _count(cell: object) -> float:
    return -1.0 if cell == HIDDEN else float(cell)  # type: ignore[arg-type]


def test_every_count_is_the_published_one(consultation: Consultation, tables: dict[str, pd.DataFrame]) -> None:
    publication = consultation.publication
    assert tuple(tables) == KEYS
    pairs = (
        ("units", "Children", publication.units, "pupils", "pupils_hidden"),
        ("units", "Children who change school", publication.units, "moved_pupils", "moved_hidden"),
        ("flows", "Children", publication.flows, "pupils", "pupils_hidden"),
        ("towns", "Children", publication.towns, "pupils", "pupils_hidden"),
        ("towns", "Longer way", publication.towns, "worse_pupils", "worse_hidden"),
        ("towns", "Shorter way", publication.towns, "better_pupils", "better_hidden"),
    )
    for key, heading, rows, name, hidden in pairs:
        wanted = rows[name].where(~rows[hidden].astype(bool), -1.0).tolist()
        assert [_count(cell) for cell in tables[key][heading]] == wanted, (key, heading)
    assert publication.units["pupils_hidden"].any(), "the case must hide something"
    totals = publication.totals
    assert tables["totals"]["Children"].tolist() == totals["pupils"].tolist()
    schools = publication.schools
    taught = schools["status"] != "gone"
    headings = {
        "Children of the zone in the proposal": "pupils_after",
        "Roll in the proposal (projected)": "roll_after",
    }
    for heading, name in headings.items():
        wanted = schools[name].where(~schools[f"{name}_hidden"].astype(bool), -1.0)[taught].tolist()
        assert [_count(cell) for cell in tables["schools"][heading][taught.to_numpy()]] == wanted
    assert (tables["schools"].loc[(~taught).to_numpy(), "Children of the zone in the proposal"] == "").all()


def test_communities_are_those_that_change(consultation: Consultation, tables: dict[str, pd.DataFrame]) -> None:
    changed = consultation.publication.units
    changed = changed[changed["changed"].astype(bool)]
    assert tables["communities"]["Community"].tolist() == changed["name"].tolist()
    assert (tables["communities"]["Reason"] != "").all()


def test_findings_tell_nothing_of_hidden_schools(consultation: Consultation) -> None:
    checks = hide_checks(consultation)
    hidden = find_hidden(consultation.publication)
    about = [
        key in hidden.get(("school", stage), ())
        for key, stage in zip(checks["subject_id"], checks["stage"], strict=True)
    ]
    small = checks[(checks["subject"] == "school") & pd.Series(about, index=checks.index)]
    assert len(small)
    risky = small[~small["unit"].isin(("min", "m", "classes"))]
    assert len(risky) and risky[["measured", "short_by", "cure_amount", "pupils"]].isna().all().all()
    _ = read_catalogue("en")
    for row in risky[risky["status"] == "failed"].itertuples(index=False):
        told = say_finding(row, consultation.rules, _).replace(str(row.subject_name), "")
        assert not re.search(r"\d", told) and say_remedy(row, consultation.rules, _) == ""
    assert checks["pupils"].isna().all()
    few = consultation.checks["unit"].eq("pupils") & consultation.checks["measured"].between(0, 10, inclusive="neither")
    assert checks.loc[few, "measured"].isna().all()


def _as_case(pupils: float, checks: pd.DataFrame) -> Any:
    empty = pd.DataFrame({"stage": [], "pupils_hidden": []})
    rows = {
        name: empty.assign(**{key: []})
        for name, key in (("schools", "school_id"), ("units", "unit_id"), ("towns", "town"))
    }
    rows["schools"]["town"] = []
    ways = pd.DataFrame({"stage": [], "unit_id": [], "school_id": []})
    totals = pd.DataFrame({"stage": ["primary"], "pupils": [pupils]})
    publication = SimpleNamespace(threshold=10, stages=("primary",), totals=totals, ways=ways, **rows)
    return SimpleNamespace(publication=publication, checks=checks, rules=SimpleNamespace(rules=()))


def test_a_share_is_no_finer_than_the_threshold() -> None:
    """Of 800 children 0.1 per cent is less than one: the share would tell of a single child."""
    row = {
        "rule_id": "L9",
        "subject": "county",
        "stage": "primary",
        "subject_id": "",
        "unit": "share",
        "measured": 0.12375,
        "limit": 0.12,
    }
    row |= {"short_by": 0.00375, "cure_amount": 0.0, "cure": "", "pupils": 99.0, "detail": "", "status": "failed"}
    digits = {
        pupils: choose_share_digits(_as_case(pupils, pd.DataFrame([row])), "primary") for pupils in (58_000, 9_000, 800)
    }
    assert digits == {58_000: 3, 9_000: 2, 800: 1}
    found = hide_checks(_as_case(9_000, pd.DataFrame([row])))
    assert (found["measured"].item(), found["short_by"].item()) == (0.12, pytest.approx(0.01))


def test_figures_that_mix_in_a_hidden_count_are_hidden() -> None:
    """A town's use of places sums rolls, a share of a school's children sums communities: one may be hidden."""
    case = _as_case(9_000, pd.DataFrame())
    publication = case.publication
    publication.schools = pd.DataFrame(
        {"stage": "primary", "school_id": ["S", "R"], "town": ["T", "U"], "pupils_hidden": [True, False]}
    )
    publication.units = pd.DataFrame({"stage": "primary", "unit_id": ["a"], "pupils_hidden": [True]})
    publication.ways = pd.DataFrame({"stage": "primary", "unit_id": ["a", "b"], "school_id": ["R", "Q"]})
    case.rules.rules = (SimpleNamespace(id="U3", key="max_beyond_share"), SimpleNamespace(id="P7", key="max_fill"))
    names = ("rule_id", "subject", "subject_id", "stage")
    rows = [
        ("P7", "town", "T", "primary"),
        ("P7", "town", "U", "primary"),
        ("U3", "school", "R", "primary"),
        ("U3", "school", "Q", "primary"),
        ("P7", "school", "R", "primary"),
        ("P7", "school", "S", "junior"),
    ]
    table = pd.DataFrame(rows, columns=names).assign(
        unit="share", measured=0.4, short_by=0.1, cure_amount=0.0, cure="", pupils=99.0, detail="", status="failed"
    )
    case.checks = table
    assert hide_checks(case)["hidden"].tolist() == [True, False, True, False, False, True]


def test_means_of_ways_are_no_finer_than_the_threshold(consultation: Consultation) -> None:
    def tell(pupils: float, unit: str, value: float) -> float:
        units = consultation.publication.units.assign(min_after=50.0, min_before=40.0)
        units = units.assign(length_before_m=4_000.0, length_after_m=4_000.0)
        totals = consultation.publication.totals.assign(pupils=pupils)
        publication = dataclasses.replace(consultation.publication, units=units, totals=totals)
        case = dataclasses.replace(consultation, publication=publication)
        name = "mean_travel_min" if unit == "min" else "mean_length_m"
        return round_indicator(case, name, unit, "primary", value)

    # Ten children on a way of 50 minutes are 500 minutes: of 5,000 children 0.1 minute, of 250 two minutes.
    assert tell(5_000, "min", 15.96) == pytest.approx(16.0)
    assert tell(250, "min", 15.1) == pytest.approx(16.0)
    assert tell(5_000, "m", 1_063.0) == pytest.approx(1_060.0)
    assert tell(20, "min", 15.1) != tell(20, "min", 15.1), "nothing is coarse enough: not told"


def test_indicators_are_rounded_and_small_counts_hidden(consultation: Consultation) -> None:
    rows = consultation.comparison.indicators.copy()
    rows.loc[rows["indicator"] == "unreached_pupils", ["value_0", "value_1"]] = (12.0, 4.0)
    comparison = dataclasses.replace(consultation.comparison, indicators=rows)
    case = dataclasses.replace(consultation, comparison=comparison)
    table = build_pack_tables(case, read_catalogue("en"))["indicators"]
    values = table.iloc[:, 3:6]
    place = rows["indicator"].tolist().index("unreached_pupils")
    assert values.iloc[place].tolist() == [12, HIDDEN, None]
    shares = values[table["Unit"] == "share"].astype(float)
    assert (shares.round(3) == shares).all().all()


def test_languages_have_the_same_tables(consultation: Consultation) -> None:
    english, chinese = (build_pack_sheets(consultation, read_catalogue(language)) for language in ("en", "zh"))
    for one, other in zip(english, chinese, strict=True):
        assert (one.key, one.rows, len(one.columns)) == (other.key, other.rows, len(other.columns))
        for sheet in (one, other):
            headings = [column.heading for column in sheet.columns]
            assert len(set(headings)) == len(headings), (sheet.key, headings)
        for left, right in zip(one.columns, other.columns, strict=True):
            numbers = [(a, b) for a, b in zip(left.cells, right.cells, strict=True) if isinstance(a, float | int)]
            assert all(a == b for a, b in numbers), (one.key, left.heading)


def test_files_open_and_nothing_is_a_formula(consultation: Consultation, tmp_path: Path) -> None:
    files = write_pack_tables(consultation, tmp_path, read_catalogue("zh"))
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert {file.name for file in files} == {"pack_zh.xlsx", *(f"{key}_zh.csv" for key in KEYS)}
    for file in files[1:]:
        raw = file.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf")
        cells = pd.read_csv(io.BytesIO(raw), dtype=str, keep_default_na=False, encoding="utf-8-sig").to_numpy().ravel()
        texts = [cell for cell in cells if not re.fullmatch(r"-?[\d.]+(e[+-]\d+)?", cell)]
        assert not any(cell.startswith(FORMULA_STARTS) for cell in texts), file.name
    with zipfile.ZipFile(files[0]) as packed:
        parts = {name: packed.read(name).decode("utf-8") for name in packed.namelist() if name.endswith(".xml")}
    sheets = [part for name, part in parts.items() if name.startswith("xl/worksheets/")]
    assert len(sheets) == len(KEYS)
    for part in sheets:
        assert "<f>" not in part and "hyperlink" not in part
        assert 'paperSize="9"' in part and 'state="frozen"' in part and "fitToPage" in part
        assert "&amp;&amp; 合并" in part, "an ampersand of the title is no code of the margin"
    core = parts["docProps/core.xml"]
    assert "2026-01-01T00:00:00Z" in core and re.findall(r"<dc:creator>(.*?)</dc:creator>", core) == ["@示例"]
    book = CalamineWorkbook.from_path(str(files[0]))
    assert len(book.sheet_names) == len(KEYS)
    schools = book.get_sheet_by_index(1).to_python()
    assert len(schools) == len(consultation.publication.schools) + 1
    assert [row[2] for row in schools[1:]] == consultation.publication.schools["school_id"].tolist()


def test_equal_cases_give_equal_files(consultation: Consultation, tmp_path: Path) -> None:
    first = write_pack_tables(consultation, tmp_path / "a", read_catalogue("en"))
    again = write_pack_tables(consultation, tmp_path / "b", read_catalogue("en"))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in again]


def test_empty_tables_are_left_out(consultation: Consultation, tmp_path: Path) -> None:
    case = dataclasses.replace(consultation, options=PackOptions())
    names = {file.name for file in write_pack_tables(case, tmp_path, read_catalogue("en"))}
    assert "costs_en.csv" not in names and "schools_en.csv" in names


def test_a_folder_that_cannot_be_is_told(consultation: Consultation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ExportError):
        write_pack_tables(consultation, tmp_path / "file", read_catalogue("en"))


def test_a_workbook_takes_any_words() -> None:
    """Names that a sheet cannot have, two alike, long texts, unknown and hidden numbers."""
    columns = (
        Column("=1+1", ["a" * 500, "https://x.example", "\n".join("abc")]),
        Column("n", [1.5, None, "<10"], "count"),
    )
    sheets = [Sheet("a", "Name: [x]/*?" + "长" * 40, columns), Sheet("b", "Name: [x]/*?" + "长" * 40, columns)]
    content = render_pack_workbook(sheets, Margins("t" * 400, "草案", "&" * 300, "x"))
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert len(set(book.sheet_names)) == 2 and max(map(len, book.sheet_names)) <= 31
    rows = book.get_sheet_by_index(0).to_python()
    assert rows[0] == ["=1+1", "n"]
    assert [row[1] for row in rows[1:]] == [1.5, "–", "<10"]
    assert rows[2][0] == "https://x.example"

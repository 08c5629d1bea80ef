"""Checks in words, in both languages, and as a workbook that runs nothing."""

from __future__ import annotations

import io
import zipfile

import pytest

from planning.check_page import list_undocumented
from planning.rule_checks import CHECK_COLUMNS, check_rules, list_not_checked
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from reports.check_tables import (
    build_check_rows,
    build_check_view,
    build_judgement,
    build_summary_rows,
    build_unchecked_rows,
    list_check_lines,
    name_rule,
    say_missing,
)
from reports.compare_files import render_workbook
from reports.language import read_catalogue
from tests.worlds import build_five_villages

CN = read_rulebook("cn")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_row_is_told_with_its_clause(language: str) -> None:
    _ = read_catalogue(language)
    study = build_five_villages()
    outcome = run_scenario(study, CN, Scenario())
    checks = check_rules(study, CN, outcome)
    rows = build_check_rows(checks, CN, _)
    assert set(CHECK_COLUMNS) <= set(rows.columns) and len(rows) == len(checks)
    assert (rows[["rule", "finding", "source"]] != "").all(axis=None)
    view = build_check_view(checks, CN, _)
    assert len(view) == len(checks)
    assert view.iloc[0, 0] == _("failed") and "East School" in view.iloc[0, 3]
    told = list_check_lines(checks, CN, _)
    assert len(told) > 3
    unchecked = build_unchecked_rows(CN, list_not_checked(CN, outcome, checks), _)
    assert (unchecked["reason"] != "").all()
    if language == "zh":
        for text in [*rows["finding"], *told, *unchecked["reason"], *view.iloc[:, 4]]:
            assert not text or any("\u4e00" <= letter <= "\u9fff" for letter in text), text
    document = build_judgement(checks, outcome, _)
    assert document["counts"]["passed"] == int((checks["status"] == "passed").sum())
    summary = build_summary_rows(checks, CN, _)
    book = render_workbook({"checks": view, "summary": summary})
    assert zipfile.ZipFile(io.BytesIO(book)).testzip() is None


def test_missing_data_is_named_by_its_meaning() -> None:
    english, chinese = read_catalogue("en"), read_catalogue("zh")
    assert say_missing("assets.largest_class_pupils", english) == (
        "Pupils in the largest class (assets.largest_class_pupils)"
    )
    assert say_missing("rolls.pupils;places.classes", chinese).startswith("在校生数")
    assert "no table holds them yet" in say_missing("schools.storeys", english)
    assert say_missing("safe_route", english) == "Whether there is a safe route on foot"
    assert say_missing("travel.length_m", english) == "lengths of the ways to school"


def test_rules_that_nobody_verified_say_so() -> None:
    doubtful = next(rule for rule in CN.rules if not rule.verified and rule.evidence != "convention")
    assert "not verified" in name_rule(CN, doubtful.id, read_catalogue("en"))
    assert "未核实" in name_rule(CN, doubtful.id, read_catalogue("zh"))


def test_the_page_of_checks_is_complete() -> None:
    assert list_undocumented() == []

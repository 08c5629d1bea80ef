"""Languages: complete, with the same placeholders; numbers and dates as each writes them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from geodata.messages import msg
from reports import language
from reports.language import Translator, check_catalogue, choose_language, extract_templates, read_catalogue

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [ROOT / name for name in ("geodata", "planning", "reports", "ui", "batch", "terminal")]

CATALOGUE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"

msgid "Row {row} is wrong."
msgstr "第 {row} 行有误。"

msgid "{share:.0%} full"
msgstr "使用率 {share:.1%}"

msgid "Open"
msgstr ""

msgid "Broken {name}"
msgstr "坏的 {name"
"""


@pytest.fixture
def small_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Translator:
    path = tmp_path / "zh_CN" / "LC_MESSAGES" / "buju.po"
    path.parent.mkdir(parents=True)
    path.write_text(CATALOGUE, encoding="utf-8")
    monkeypatch.setattr(language, "LOCALE_FOLDER", tmp_path)
    read_catalogue.cache_clear()
    yield read_catalogue("zh")
    read_catalogue.cache_clear()


def test_translates_and_falls_back_to_english(small_catalogue: Translator) -> None:
    assert small_catalogue("Row {row} is wrong.", row=7) == "第 7 行有误。"
    assert small_catalogue("Not translated") == "Not translated"
    assert small_catalogue.say(msg("Row {row} is wrong.", row=3)) == "第 3 行有误。"
    nested = msg("Because: {reason}", reason=msg("Row {row} is wrong.", row=1))
    assert small_catalogue.say(nested) == "Because: 第 1 行有误。"


def test_hostile_values_are_only_values(small_catalogue: Translator) -> None:
    assert small_catalogue("Row {row} is wrong.", row="{{7*7}}{row.__class__}") == "第 {{7*7}}{row.__class__} 行有误。"


def test_check_finds_what_is_wrong(small_catalogue: Translator) -> None:
    templates = ["Row {row} is wrong.", "{share:.0%} full", "Open", "Broken {name}", "Never seen", "{cure}"]
    problems = check_catalogue(templates, "zh")
    assert [problem.split(":")[0].split(" (")[0] for problem in problems] == [
        "placeholders differ",
        "missing",
        "braces do not match",
        "missing",
    ]
    assert check_catalogue(templates, "en") == []


def test_extracts_literal_templates(tmp_path: Path) -> None:
    source = 'msg("One {a} "\n    "two", a=1)\n_("Three")\nsay("Four")\nother("Five")\n_(name)\n'
    (tmp_path / "code.py").write_text(source, encoding="utf-8")
    assert set(extract_templates(tmp_path)) == {"One {a} two", "Three", "Four"}


def test_every_sentence_of_the_project_is_translated() -> None:
    templates = extract_templates(*FOLDERS)
    assert len(templates) > 100
    assert check_catalogue(templates, "zh") == []


def test_numbers_and_dates() -> None:
    english, chinese = read_catalogue("en"), read_catalogue("zh")
    assert english.number(1234567.25, digits=1) == "1,234,567.2"
    assert english.number(float("nan")) == "–", "unknown is not zero"
    assert english.percent(0.125, digits=1) == "12.5%"
    assert chinese.percent(None) == "–"
    day = datetime.date(2026, 9, 1)
    assert (english.date(day), chinese.date(day)) == ("1 Sep 2026", "2026年9月1日")
    assert chinese.join(["甲", "乙"]) == "甲、乙"


@pytest.mark.parametrize(
    ("wanted", "browser", "expected"),
    [
        (None, "zh-CN", "zh"),
        (None, "zh_TW", "zh"),
        (None, "pt-BR", "en"),
        (None, None, "en"),
        ("en", "zh-CN", "en"),
        ("zh", "en-GB", "zh"),
        ("xx", "zh-CN", "zh"),
        ("../../etc", None, "en"),
    ],
)
def test_choice_of_language(wanted: str | None, browser: str | None, expected: str) -> None:
    assert choose_language(wanted, browser) == expected

"""The balance inspection as a workbook: an inspection table whose derived cells are formulas with their sources.

Input cells (pale yellow) hold pupils, assets and limits. Everything derived is a formula over them, written with its
result: change an input, and values, verdicts, shortages and coefficients follow. What only the program can work out
(bounds, items judged school by school, proposed partners) stands as a number, and its note says how it was found.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from geodata.study import StudyArea
from planning.balance_rules import read_pass_rule
from planning.balance_tables import BALANCE_STAGES, FAILED, NO, PASSED, UNKNOWN, YES, Balance
from planning.rules import Rules
from reports.inspection_book import Book
from reports.inspection_items_sheets import ITEM_SHEETS, count_items, write_evidence, write_items, write_schools
from reports.inspection_limits import write_limits
from reports.inspection_more_sheets import write_groups, write_left_out, write_moves, write_sources
from reports.inspection_split import write_split
from reports.inspection_spread import FIRST_ROW as SPREAD_FIRST_ROW
from reports.inspection_spread import write_spread
from reports.inspection_stages import StageLayout, plan_stage, write_stage
from reports.language import Translator
from reports.legend import name_stage_short

SUMMARY = "summary"
A3 = 8
"""Number of the paper size in a workbook."""


def build_inspection_workbook(balance: Balance, study: StudyArea, rules: Rules, _: Translator) -> bytes:
    """Return the workbook as XLSX bytes.

    Parameters
    ----------
    balance
        Of ``planning.balance.build_balance``; with ``before`` there is a sheet that compares.
    study
        Without the actions of a scenario.
    rules
        The rulebook that ``balance`` was judged by.
    """
    stream = io.BytesIO()
    book = Book(stream, rules, _)
    floor = read_pass_rule(rules).floor_share
    stages = [stage for stage in BALANCE_STAGES if (balance.assets["stage"] == stage).any()]
    layouts = [plan_stage(balance, stage, floor) for stage in stages]
    _add_sheets(book, balance, stages)
    write_limits(book, balance)
    write_split(book, balance, study)
    for layout in layouts:
        write_stage(book, balance, layout)
    write_spread(book, balance, layouts)
    write_schools(book, balance)
    for key, title in _name_items(balance, _).items():
        write_items(book, balance, key, title, layouts)
    write_evidence(book, balance)
    write_groups(book, balance, study)
    if balance.before is not None:
        write_moves(book, balance)
    write_left_out(book, balance)
    write_sources(book, balance, study)
    _write_summary(book, balance, study, layouts)
    book.sheets[SUMMARY].activate()
    for key, sheet in book.sheets.items():
        sheet.set_landscape()
        sheet.set_paper(A3)
        sheet.fit_to_pages(2 if key in stages else 1, 0)
    book.close()
    return stream.getvalue()


def _name_items(balance: Balance, _: Translator) -> dict[str, str]:
    if balance.kind == "basic":
        return {"guarantee": _("Items of the inspection"), "quality": _("Recognition by the public")}
    return {"guarantee": _("Resources and government guarantee"), "quality": _("Quality, recognition and vetoes")}


def _add_sheets(book: Book, balance: Balance, stages: Sequence[str]) -> None:
    """Add the sheets in the order in which an inspector reads them."""
    _ = book.language
    book.add_sheet(SUMMARY, _("Summary"))
    for stage in stages:
        book.add_sheet(stage, name_stage_short(stage, _))
    book.add_sheet("spread", _("Spread"))
    guarantee = _("Government guarantee") if balance.kind == "quality" else _("Items")
    book.add_sheet("guarantee", guarantee)
    book.add_sheet("quality", _("Quality items") if balance.kind == "quality" else _("Recognition"))
    book.add_sheet("evidence", _("Evidence checklist"))
    book.add_sheet("groups", _("Groups"))
    if balance.before is not None:
        book.add_sheet("moves", _("Before and after"))
    book.add_sheet("left_out", _("Not counted"))
    book.add_sheet("schools", _("School numbers"))
    book.add_sheet("split", _("Shared assets"))
    book.add_sheet("limits", _("Limits"))
    book.add_sheet("sources", _("Sources and method"))


def _write_summary(book: Book, balance: Balance, study: StudyArea, layouts: Sequence[StageLayout]) -> None:
    _ = book.language
    kinds = {
        "quality": _("Quality balance of compulsory education (2017)"),
        "basic": _("Basic balance of compulsory education (2012)"),
    }
    for column, width in enumerate((36, 14, 14, 14, 18, 26)):
        book.set_width(SUMMARY, column, width)
    book.text(SUMMARY, 0, 0, _("{county}: {inspection}", county=study.name, inspection=kinds[balance.kind]), "title")
    lines = [
        _("Rulebook: {name}", name=balance.rulebook),
        _(
            "Assets of {years}, rolls of {rolls}",
            years=_join(book, balance.asset_years),
            rolls=_join(book, balance.roll_years),
        ),
        _("Synthetic data: every school and number is invented.") if study.synthetic else "",
    ]
    row = 1
    for line in (line for line in lines if line):
        book.text(SUMMARY, row, 0, line, "quiet")
        row += 1
    row = _write_school_counts(book, balance, layouts, row + 1) if balance.kind == "quality" else row + 1
    row = _write_spread_counts(book, balance, layouts, row + 1)
    row = _write_item_counts(book, balance, row + 1)
    book.text(SUMMARY, row + 1, 0, _("What must be known"), "section")
    for at, note in enumerate(balance.notes, start=row + 2):
        book.text(SUMMARY, at, 0, note, "quiet")


def _join(book: Book, years: tuple[int, ...]) -> str:
    _ = book.language
    return _.join(str(year) if year else _("a year not given") for year in years) or _("no year")


def _write_heads(book: Book, row: int, title: str, heads: Sequence[str]) -> None:
    for column, head in enumerate((title, *heads)):
        book.text(SUMMARY, row, column, head, "head")


def _write_school_counts(book: Book, balance: Balance, layouts: Sequence[StageLayout], row: int) -> int:
    _ = book.language
    heads = [_("Met"), _("Not met"), _("Not known"), _("Share that passes")]
    _write_heads(book, row, _("Schools: six of seven, the seventh at 85%"), heads)
    words = book.words()
    for layout in layouts:
        row += 1
        statuses = list(balance.schools.loc[balance.schools["stage"] == layout.stage, "status"])
        area = f"'{book.names[layout.sheet]}'!{layout.range(layout.verdict)}"
        book.text(SUMMARY, row, 0, name_stage_short(layout.stage, _))
        for column, (word, status) in enumerate(((YES, PASSED), (NO, FAILED), (UNKNOWN, UNKNOWN)), start=1):
            count = float(statuses.count(status))
            book.formula(SUMMARY, row, column, f'COUNTIF({area},"{words[word]}")', count, "count")
        share = statuses.count(PASSED) / len(statuses)
        book.formula(SUMMARY, row, 4, f"B{row + 1}/SUM(B{row + 1}:D{row + 1})", share, "share")
    book.text(SUMMARY, row + 1, 0, book.cite("R-school"), "quiet")
    return row + 2


def _write_spread_counts(book: Book, balance: Balance, layouts: Sequence[StageLayout], row: int) -> int:
    _ = book.language
    heads = [_("Met"), _("Not met"), _("Not known"), _("Largest, weighted"), _("Verdict turns if unweighted")]
    _write_heads(book, row, _("Differences between schools"), heads)
    name = book.names["spread"]
    last = SPREAD_FIRST_ROW + 60
    words = book.words()
    for layout in layouts:
        row += 1
        rows = balance.spread[balance.spread["stage"] == layout.stage]
        judged = rows[rows["limit"].notna()] if balance.kind == "basic" else rows
        book.text(SUMMARY, row, 0, name_stage_short(layout.stage, _))
        stages = f"'{name}'!$A${SPREAD_FIRST_ROW + 1}:$A${last}"
        verdicts = f"'{name}'!$J${SPREAD_FIRST_ROW + 1}:$J${last}"
        for column, word in enumerate((YES, NO, UNKNOWN), start=1):
            formula = f'COUNTIFS({stages},$A{row + 1},{verdicts},"{words[word]}")'
            book.formula(SUMMARY, row, column, formula, float((judged["met"] == word).sum()), "count")
        largest = judged["cv"].max()
        book.formula(SUMMARY, row, 4, book.refs[("spread", layout.stage)], float(largest), "ratio")
        turns = f"'{name}'!$N${SPREAD_FIRST_ROW + 1}:$N${last}"
        word = _("yes: the unweighted form says the opposite")
        formula = f'COUNTIFS({stages},$A{row + 1},{turns},"{word}")'
        book.formula(SUMMARY, row, 5, formula, float(rows["flips"].sum()), "count")
    rule = "R-CV" if balance.kind == "quality" else "B3"
    book.text(SUMMARY, row + 1, 0, book.cite(rule), "quiet")
    return row + 2


def _write_item_counts(book: Book, balance: Balance, row: int) -> int:
    _ = book.language
    _write_heads(book, row, _("Items of the inspection"), [_("Met"), _("Not met"), _("Not known"), _("Items")])
    titles, words = _name_items(balance, _), book.words()
    counts = count_items(balance)
    for key in ITEM_SHEETS:
        row += 1
        book.text(SUMMARY, row, 0, titles[key])
        for column, word in enumerate((YES, NO, UNKNOWN), start=1):
            formula = f'COUNTIF({book.refs[("verdicts", key)]},"{words[word]}")'
            book.formula(SUMMARY, row, column, formula, float(counts[key][word]), "count")
        total = float(sum(counts[key].values()))
        book.formula(SUMMARY, row, 4, f"SUM(B{row + 1}:D{row + 1})", total, "count")
    return row + 1

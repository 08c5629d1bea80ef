"""Sheet of spread: 差异系数 between schools by formula, weighted by pupils and unweighted, with their limits."""

from __future__ import annotations

from collections.abc import Sequence

from planning.balance_registry import find_indicator
from planning.balance_tables import COMPOSITE, NO, UNKNOWN, YES, Balance
from planning.balance_values import list_records
from reports.inspection_book import Book, cell, number_or
from reports.inspection_limits import choose_style
from reports.inspection_stages import PUPILS_COLUMN, StageLayout
from reports.legend import name_stage_short

SHEET = "spread"
FIRST_ROW = 5


def write_spread(book: Book, balance: Balance, layouts: Sequence[StageLayout]) -> None:
    """Write the sheet and remember the largest coefficient of each stage as ("spread", stage)."""
    _ = book.language
    sheet = book.sheets[SHEET]
    book.text(SHEET, 0, 0, _("Differences between schools (coefficients of variation)"), "title")
    book.text(
        SHEET,
        1,
        0,
        _(
            "Weighted: S = sqrt(Σ Pᵢ/N × (Xᵢ − X̄)²), CV = S / X̄, with Pᵢ pupils, Xᵢ the value of a school and X̄ that"
            " of the county. Schools without a value have no part in it. The weighted form decides."
        ),
        "quiet",
    )
    book.text(SHEET, 2, 0, _("Source: {source}", source=book.cite("CV")), "quiet")
    heads = [
        *(_("Stage"), _("Rule"), _("Indicator"), _("Schools"), _("Pupils N"), _("County X̄"), _("Deviation S")),
        *(_("CV, weighted"), _("Limit"), _("Verdict"), _("CV, unweighted"), _("CV, sample form")),
        *(_("Verdict, unweighted"), _("Does the verdict turn?"), _("Source of the limit")),
    ]
    book.table(SHEET, FIRST_ROW - 1, heads, [10, 9, 42, 9, 11, 12, 12, 12, 8, 11, 14, 14, 12, 24, 100])
    row = FIRST_ROW
    for layout in layouts:
        row = _write_stage(book, balance, layout, row)
    sheet.freeze_panes(FIRST_ROW, 3)
    for column in (9, 12):
        book.colour_words(SHEET, (FIRST_ROW, column), (max(row - 1, FIRST_ROW), column))


def _write_stage(book: Book, balance: Balance, layout: StageLayout, row: int) -> int:
    """Write the rows of one stage and return the next row."""
    rows = list_records(balance.spread[balance.spread["stage"] == layout.stage])
    first = row
    for found in rows:
        if found["indicator"] != COMPOSITE:
            _write_indicator(book, balance, layout, row, found)
            row += 1
    last = row - 1
    composite = [found for found in rows if found["indicator"] == COMPOSITE]
    if composite:
        _write_composite(book, layout, (first, last, row), composite[0])
        book.keep(("spread", layout.stage), SHEET, row, 7)
        row += 1
    elif last >= first:
        area = f"'{book.names[SHEET]}'!$H${first + 1}:$H${last + 1}"
        book.refs[("spread", layout.stage)] = f'IF(COUNT({area})=0,"",MAX({area}))'
    return row + 1


def _write_indicator(book: Book, balance: Balance, layout: StageLayout, row: int, found: dict[str, object]) -> None:
    _ = book.language
    item = find_indicator(str(found["indicator"]))
    sheet_name = book.names[layout.sheet]
    values = f"'{sheet_name}'!{layout.range(layout.values[item.id])}"
    pupils = f"'{sheet_name}'!{layout.range(PUPILS_COLUMN)}"
    part = balance.indicators[
        (balance.indicators["stage"] == layout.stage)
        & (balance.indicators["indicator"] == item.id)
        & balance.indicators["value"].notna()
    ]
    book.text(SHEET, row, 0, name_stage_short(layout.stage, _))
    book.text(SHEET, row, 1, item.id)
    book.text(SHEET, row, 2, item.title, "wrap")
    book.formula(SHEET, row, 3, f"COUNT({values})", number_or(found["schools"]), "count")
    total = f"SUM(IF(ISNUMBER({values}),{pupils},0))"
    book.formula(SHEET, row, 4, total, float(part["pupils"].sum()), "count", array=True)
    count, county, spread = (cell(row, column) for column in (4, 5, 6))
    mean, cv = number_or(found["mean"]), number_or(found["cv"])
    formula = f'IF({count}>0,SUM(IF(ISNUMBER({values}),{values}*{pupils},0))/{count},"")'
    book.formula(SHEET, row, 5, formula, mean, choose_style(item), array=True)
    formula = f'IF({count}>0,SQRT(SUM(IF(ISNUMBER({values}),{pupils}*({values}-{county})^2,0))/{count}),"")'
    book.formula(SHEET, row, 6, formula, cv * mean, "ratio", array=True)
    book.formula(SHEET, row, 7, f'IF(N({county})>0,{spread}/{county},"")', cv, "ratio")
    schools = cell(row, 3)
    plain = f'IF({schools}>0,IF(AVERAGE({values})>0,STDEVP({values})/AVERAGE({values}),""),"")'
    book.formula(SHEET, row, 10, plain, number_or(found["cv_unweighted"]), "ratio")
    sample = f'IF({schools}>1,IF(AVERAGE({values})>0,STDEV({values})/AVERAGE({values}),""),"")'
    book.formula(SHEET, row, 11, sample, number_or(found["cv_sample"]), "ratio")
    if balance.kind == "quality":
        _write_verdicts(book, layout, row, found)
    else:
        for column in (8, 9, 12, 13, 14):
            book.text(SHEET, row, column, "")


def _write_verdicts(book: Book, layout: StageLayout, row: int, found: dict[str, object]) -> None:
    _ = book.language
    words = book.words()
    book.formula(SHEET, row, 8, book.refs[("limit", COMPOSITE, layout.stage)], number_or(found["limit"]), "ratio")
    limit = cell(row, 8)
    for source, target, word in ((7, 9, "met"), (10, 12, "met_unweighted")):
        value = cell(row, source)
        formula = (
            f'IF(AND(ISNUMBER({value}),N({limit})>0),IF({value}<={limit}/(1-0.000000001),"{words[YES]}","{words[NO]}"),'
            f'"{words[UNKNOWN]}")'
        )
        book.formula(SHEET, row, target, formula, words[str(found[word])], "verdict")
    one, two = cell(row, 9), cell(row, 12)
    turns, same = _("yes: the unweighted form says the opposite"), _("no")
    formula = f'IF(OR({one}="{words[UNKNOWN]}",{two}="{words[UNKNOWN]}",{one}={two}),"{same}","{turns}")'
    book.formula(SHEET, row, 13, formula, turns if found["flips"] else same, "wrap")
    book.text(SHEET, row, 14, book.cite(str(found["rule_id"])), "wrap")


def _write_composite(book: Book, layout: StageLayout, rows: tuple[int, int, int], found: dict[str, object]) -> None:
    _ = book.language
    first, last, row = rows
    book.text(SHEET, row, 0, name_stage_short(layout.stage, _))
    book.text(SHEET, row, 1, book.name_rule(str(found["rule_id"])), "wrap")
    book.text(SHEET, row, 2, _("Composite: mean of the eight"), "head")
    for column in (3, 4, 5, 6):
        book.text(SHEET, row, column, "")
    for column, name in ((7, "cv"), (10, "cv_unweighted"), (11, "cv_sample")):
        area = f"{cell(first, column)}:{cell(last, column)}"
        formula = f'IF(COUNT({area})={last - first + 1},AVERAGE({area}),"")'
        book.formula(SHEET, row, column, formula, number_or(found[name]), "ratio")
    _write_verdicts(book, layout, row, found)

"""Sheet of one stage: schools × indicators. Assets and pupils are input; values, verdicts, shortages are formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geodata.dictionary import read_table_schema
from planning.balance_registry import BALANCE_INDICATORS, BalanceIndicator
from planning.balance_tables import FAILED, NO, PASSED, UNKNOWN, YES, Balance
from planning.balance_values import WHOLE_SLACK, list_records
from reports.inspection_book import Book, cell, column_range, number_or
from reports.inspection_limits import choose_style, describe_unit
from reports.legend import name_kind, name_setting_short, name_stage_short

TITLE_ROW, RULE_ROW, SOURCE_ROW, FORMULA_ROW, LIMIT_ROW, HEAD_ROW, FIRST_ROW = 0, 2, 3, 4, 5, 6, 7
ABOUT_COLUMNS = 4
PUPILS_COLUMN = 4
SLACK = "*(1-0.000000001)"
"""A value that is its limit but for rounding in the last digit meets it (``planning.balance_spread.TOLERANCE``)."""
EXTRAS = {"R3": "shared", "R5": "rented"}
"""Indicators to which an exception may add assets: teachers shared between schools, rented venues."""


@dataclass(eq=False)
class StageLayout:
    """Where everything stands in the sheet of one stage; rows are school parts in the order of the sheet."""

    stage: str
    sheet: str
    parts: pd.DataFrame
    items: tuple[BalanceIndicator, ...]
    inputs: dict[str, int] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    short_full: dict[str, int] = field(default_factory=dict)
    short_floor: dict[str, int] = field(default_factory=dict)
    verdict: int = 0
    floor_share: float = 0.85

    @property
    def last_row(self) -> int:
        """Row of the last school."""
        return FIRST_ROW + max(len(self.parts), 1) - 1

    def range(self, column: int) -> str:
        """Return the address of one column of schools, for formulas of other sheets."""
        return column_range(column, FIRST_ROW, self.last_row)


def plan_stage(balance: Balance, stage: str, floor_share: float) -> StageLayout:
    """Return the layout of the sheet of a stage."""
    parts = balance.assets[balance.assets["stage"] == stage].reset_index(drop=True)
    layout = StageLayout(stage, stage, parts, BALANCE_INDICATORS[balance.kind], floor_share=floor_share)
    column = PUPILS_COLUMN + 1
    for item in layout.items:
        for name in (*item.columns, *((f"extra {item.id}",) if item.id in EXTRAS else ())):
            if name not in layout.inputs:
                layout.inputs[name] = column
                column += 1
    for item in layout.items:
        layout.values[item.id] = column
        column += 1
    if balance.kind == "quality":
        layout.verdict = column + 3
        column += 4
        for places in (layout.short_full, layout.short_floor):
            for item in layout.items:
                places[item.id] = column
                column += 1
    return layout


def write_stage(book: Book, balance: Balance, layout: StageLayout) -> None:
    """Write the sheet."""
    _ = book.language
    sheet = book.sheets[layout.sheet]
    title = _("Balance inspection by school: {stage}", stage=name_stage_short(layout.stage, _))
    book.text(layout.sheet, TITLE_ROW, 0, title, "title")
    hint = _("Pale yellow: input. White: formula. Green: limit met; amber: 85% and more of it; red: below.")
    book.text(layout.sheet, TITLE_ROW + 1, 0, hint, "quiet")
    _write_heads(book, balance, layout)
    rows = balance.indicators[balance.indicators["stage"] == layout.stage]
    by_school: dict[str, dict[str, dict[str, Any]]] = {}
    for found in list_records(rows):
        by_school.setdefault(str(found["school_id"]), {})[str(found["indicator"])] = found
    judged = list_records(balance.schools[balance.schools["stage"] == layout.stage])
    verdicts = {str(found["school_id"]): found for found in judged}
    extras = {name: 0.0 for name in layout.inputs if name.startswith("extra")}
    for row, part in enumerate(list_records(layout.parts), start=FIRST_ROW):
        key = str(part["school_id"])
        _write_about(book, layout, row, part)
        for name, extra in _write_inputs(book, layout, row, part, by_school[key]).items():
            extras[name] += extra
        _write_values(book, layout, row, by_school[key])
        if layout.verdict:
            _write_verdict(book, layout, row, verdicts[key], by_school[key])
            _write_shortages(book, layout, row, by_school[key])
    _write_county(book, balance, layout, extras)
    _colour(book, layout)
    sheet.freeze_panes(FIRST_ROW, 2)
    sheet.repeat_rows(LIMIT_ROW, HEAD_ROW)
    sheet.repeat_columns(0, 1)
    for row, height in ((SOURCE_ROW, 64.0), (FORMULA_ROW, 40.0), (HEAD_ROW, 66.0)):
        book.fix_height(layout.sheet, row, height)


def _write_heads(book: Book, balance: Balance, layout: StageLayout) -> None:
    _ = book.language
    labels = ((RULE_ROW, _("Rule")), (SOURCE_ROW, _("Source")), (FORMULA_ROW, _("Formula")), (LIMIT_ROW, _("Limit")))
    for row, label in labels:
        for column in range(ABOUT_COLUMNS + 1):
            book.text(layout.sheet, row, column, label if column == 0 else "", "small")
    heads = [_("Code"), _("School"), _("Kind"), _("Setting"), _("Pupils")]
    book.table(layout.sheet, HEAD_ROW, heads, [11, 26, 13, 8, 9])
    schema = read_table_schema("assets")
    for name, column in layout.inputs.items():
        for row, _label in labels:
            book.text(layout.sheet, row, column, _("input") if row == RULE_ROW else "", "small")
        if name.startswith("extra"):
            words = {
                "extra R3": _("Shared teachers that count (small rural schools)"),
                "extra R5": _("Rented venues that count (dense cores), m²"),
            }
            book.text(layout.sheet, HEAD_ROW, column, words[name], "head")
        else:
            meaning = schema.column(name)
            book.text(
                layout.sheet, HEAD_ROW, column, meaning.meaning_zh if _.language == "zh" else meaning.meaning_en, "head"
            )
        book.set_width(layout.sheet, column, 13)
    for item in layout.items:
        column = layout.values[item.id]
        book.text(layout.sheet, RULE_ROW, column, item.id, "small")
        book.text(layout.sheet, SOURCE_ROW, column, book.cite(item.id if item.rule_key else "B1"), "small")
        book.text(layout.sheet, FORMULA_ROW, column, item.definition, "small")
        limit = float(balance.indicators.loc[
            (balance.indicators["stage"] == layout.stage) & (balance.indicators["indicator"] == item.id), "limit"
        ].mode().max())  # fmt: skip
        if item.rule_key:
            book.formula(layout.sheet, LIMIT_ROW, column, book.refs[("limit", item.id, layout.stage)], limit, "number")
        else:
            book.text(layout.sheet, LIMIT_ROW, column, "", "small")
        head = _("{name} ({unit})", name=_.say(item.short), unit=describe_unit(book, item))
        book.text(layout.sheet, HEAD_ROW, column, head, "head")
        book.set_width(layout.sheet, column, 16)
    if layout.verdict:
        _write_verdict_heads(book, layout)


def _write_verdict_heads(book: Book, layout: StageLayout) -> None:
    _ = book.language
    heads = (_("Indicators met"), _("Below 85% of the limit"), _("Not known"), _("Verdict"))
    for offset, head in enumerate(heads):
        column = layout.verdict - 3 + offset
        book.text(layout.sheet, RULE_ROW, column, "R-school", "small")
        book.text(layout.sheet, SOURCE_ROW, column, book.cite("R-school") if offset == 3 else "", "small")
        book.text(layout.sheet, HEAD_ROW, column, head, "head")
        book.set_width(layout.sheet, column, 22 if offset == 3 else 10)
    units = {"teachers": _("teachers"), "m2": _("m²"), "cny": _("yuan"), "rooms": _("rooms")}
    for places, template in (
        (layout.short_full, _("Short of the limit: {name} ({unit})")),
        (layout.short_floor, _("Short of 85%: {name} ({unit})")),
    ):
        for item in layout.items:
            head = template.format(name=_.say(item.short), unit=units[item.asset_unit])
            book.text(layout.sheet, RULE_ROW, places[item.id], item.id, "small")
            book.text(layout.sheet, HEAD_ROW, places[item.id], head, "head")
            book.set_width(layout.sheet, places[item.id], 12)


def _write_about(book: Book, layout: StageLayout, row: int, part: Mapping[str, Any]) -> None:
    _ = book.language
    book.text(layout.sheet, row, 0, str(part["school_id"]))
    book.text(layout.sheet, row, 1, str(part["name"]))
    book.text(layout.sheet, row, 2, name_kind(str(part["kind"]), _))
    book.text(layout.sheet, row, 3, name_setting_short(str(part["setting"]), _) if part["setting"] else "")
    book.number(layout.sheet, row, PUPILS_COLUMN, number_or(part["pupils"]))


def _write_inputs(
    book: Book, layout: StageLayout, row: int, part: Mapping[str, Any], found: Mapping[Any, Mapping[str, Any]]
) -> dict[str, float]:
    """Write pupils' assets, and return what exceptions add by column."""
    extras: dict[str, float] = {}
    for name, column in layout.inputs.items():
        if name.startswith("extra"):
            extras[name] = compute_extra(part, layout.items, name.split()[1], found)
            book.number(layout.sheet, row, column, extras[name] or float("nan"))
            continue
        value = number_or(part[name])
        shared = book.refs.get(("split", str(part["school_id"]), layout.stage, name))
        if shared:
            book.formula(layout.sheet, row, column, shared, value, "number")
        else:
            book.number(layout.sheet, row, column, value)
    return extras


def compute_extra(
    part: Mapping[str, Any], items: Sequence[BalanceIndicator], indicator: str, found: Mapping[Any, Mapping[str, Any]]
) -> float:
    """Return what an exception added to the assets that count (teachers shared, venues rented)."""
    item = next(one for one in items if one.id == indicator)
    plain = sum(number_or(part[name]) for name in item.plus) - sum(number_or(part[name]) for name in item.minus)
    extra = number_or(found[indicator]["total"]) - plain
    return extra if np.isfinite(extra) and abs(extra) > 1e-9 else 0.0


def write_total(layout: StageLayout, item: BalanceIndicator, row: int) -> tuple[str, str]:
    """Return the formula of the assets that count, and the list of cells that it needs."""
    plus = [cell(row, layout.inputs[name], column_fixed=True) for name in item.plus]
    minus = [cell(row, layout.inputs[name], column_fixed=True) for name in item.minus]
    extra = [cell(row, layout.inputs[f"extra {item.id}"], column_fixed=True)] if item.id in EXTRAS else []
    return "+".join([*plus, *extra]) + "".join(f"-{one}" for one in minus), ",".join([*plus, *minus])


def _write_values(book: Book, layout: StageLayout, row: int, found: Mapping[Any, Mapping[str, Any]]) -> None:
    pupils = cell(row, PUPILS_COLUMN, column_fixed=True)
    for item in layout.items:
        total, needed = write_total(layout, item, row)
        times = f"*{item.per}" if item.per != 1 else ""
        known = f"COUNT({needed})={len(item.columns)}"
        formula = f'IF(AND({known},N({pupils})>0),({total})/{pupils}{times},"")'
        value = number_or(found[item.id]["value"])
        book.formula(layout.sheet, row, layout.values[item.id], formula, value, choose_style(item))


def _find_limit(book: Book, layout: StageLayout, item: BalanceIndicator, limit: float) -> str:
    """Return the cell of the limit, or the number itself where this school has another one than most."""
    common = book.refs[("limit value", item.id, layout.stage)]
    if repr(limit) == common or not np.isfinite(limit):
        return book.refs[("limit", item.id, layout.stage)]
    return repr(limit)


def _write_verdict(
    book: Book,
    layout: StageLayout,
    row: int,
    verdict: Mapping[str, Any],
    found: Mapping[Any, Mapping[str, Any]],
) -> None:
    """Write how many indicators are met, below the floor and not known, and what follows from the three."""
    floor, least, at = book.refs[("param", "floor")], book.refs[("param", "min_met")], layout.verdict - 3
    met_terms, low_terms, cells, below = [], [], [], 0
    for item in layout.items:
        value = cell(row, layout.values[item.id], column_fixed=True)
        limit = _find_limit(book, layout, item, number_or(found[item.id]["limit"]))
        cells.append(value)
        met_terms.append(f"IF(ISNUMBER({value}),IF({value}>={limit}{SLACK},1,0),0)")
        low_terms.append(f"IF(ISNUMBER({value}),IF({value}<{limit}*{floor}{SLACK},1,0),0)")
        below += found[item.id]["met"] == NO and bool(found[item.id]["ratio"] < layout.floor_share * (1 - 1e-9))
    count = len(cells)
    book.formula(layout.sheet, row, at, "+".join(met_terms), float(verdict["met_count"]), "count")
    book.formula(layout.sheet, row, at + 1, "+".join(low_terms), float(below), "count")
    unknown = float(verdict["unknown_count"])
    book.formula(layout.sheet, row, at + 2, f"{count}-COUNT({cells[0]}:{cells[-1]})", unknown, "count")
    words = book.words()
    names = {PASSED: words[YES], FAILED: words[NO], UNKNOWN: words[UNKNOWN]}
    met, low, blank = (cell(row, at + offset, column_fixed=True) for offset in range(3))
    formula = (
        f'IF(OR({count}-{met}-{blank}>{count}-{least},{low}>0),"{words[NO]}",'
        f'IF({blank}>0,"{words[UNKNOWN]}","{words[YES]}"))'
    )
    book.formula(layout.sheet, row, layout.verdict, formula, names[str(verdict["status"])], "verdict")


def _write_shortages(book: Book, layout: StageLayout, row: int, found: Mapping[Any, Mapping[str, Any]]) -> None:
    pupils = cell(row, PUPILS_COLUMN, column_fixed=True)
    for item in layout.items:
        total, _needed = write_total(layout, item, row)
        value = cell(row, layout.values[item.id], column_fixed=True)
        limit = _find_limit(book, layout, item, number_or(found[item.id]["limit"]))
        per = f"/{item.per}" if item.per != 1 else ""
        for places, column, factor in (
            (layout.short_full, "short_full", ""),
            (layout.short_floor, "short_floor", f"*{book.refs[('param', 'floor')]}"),
        ):
            lack = f"{limit}*{pupils}{per}{factor}-({total})"
            short = f"ROUNDUP({lack}-{WHOLE_SLACK:f},0)" if item.whole else lack
            formula = f'IF(ISNUMBER({value}),MAX(0,{short}),"")'
            known = number_or(found[item.id][column])
            book.formula(layout.sheet, row, places[item.id], formula, known, "short")


def _write_county(book: Book, balance: Balance, layout: StageLayout, extras: Mapping[str, float]) -> None:
    """Write the county below the schools: pupils, assets, and assets per pupil over the schools with a value."""
    _ = book.language
    row, rows = layout.last_row + 1, balance.indicators[balance.indicators["stage"] == layout.stage]
    for column in range(ABOUT_COLUMNS):
        book.text(layout.sheet, row, column, _("County") if column == 0 else "", "head")
    totals = {"pupils": PUPILS_COLUMN, **layout.inputs}
    for name, column in totals.items():
        total = extras[name] if name in extras else float(layout.parts[name].sum())
        book.formula(layout.sheet, row, column, f"SUM({layout.range(column)})", total, "count")
    heads = layout.range(PUPILS_COLUMN)
    for item in layout.items:
        column = layout.values[item.id]
        part = rows[(rows["indicator"] == item.id) & rows["value"].notna()]
        pupils = float(part["pupils"].sum())
        mean = float(part["total"].sum()) / pupils * item.per if pupils > 0 else float("nan")
        values = layout.range(column)
        known = f"IF(ISNUMBER({values}),{heads},0)"
        formula = f'IF(COUNT({values})>0,SUM(IF(ISNUMBER({values}),{values}*{heads},0))/SUM({known}),"")'
        book.formula(layout.sheet, row, column, formula, mean, choose_style(item), array=True)
    if not layout.verdict:
        return
    statuses = balance.schools.loc[balance.schools["stage"] == layout.stage, "status"]
    passed = f'COUNTIF({layout.range(layout.verdict)},"{book.words()[YES]}")'
    book.formula(layout.sheet, row, layout.verdict, passed, float((statuses == PASSED).sum()), "count")
    for places, name in ((layout.short_full, "short_full"), (layout.short_floor, "short_floor")):
        for item in layout.items:
            column = places[item.id]
            total = float(rows.loc[rows["indicator"] == item.id, name].sum())
            book.formula(layout.sheet, row, column, f"SUM({layout.range(column)})", total, "count")


def _colour(book: Book, layout: StageLayout) -> None:
    """Colour values by their limit, and verdicts by their word."""
    sheet = book.sheets[layout.sheet]
    for item in layout.items:
        if not item.rule_key:
            continue
        column = layout.values[item.id]
        at = cell(FIRST_ROW, column)
        limit = cell(LIMIT_ROW, column, row_fixed=True, column_fixed=True)
        tests = (
            (UNKNOWN, f"NOT(ISNUMBER({at}))"),
            (YES, f"{at}>={limit}{SLACK}"),
            ("near", f"{at}>={limit}*{layout.floor_share!r}{SLACK}"),
            (NO, f"{at}<{limit}"),
        )
        for word, test in tests:
            sheet.conditional_format(
                FIRST_ROW,
                column,
                layout.last_row,
                column,
                {"type": "formula", "criteria": "=" + test, "format": book.colours[word], "stop_if_true": True},
            )
    if layout.verdict:
        book.colour_words(layout.sheet, (FIRST_ROW, layout.verdict), (layout.last_row, layout.verdict))

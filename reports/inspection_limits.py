"""Sheet of limits: every number that the other sheets compare with, and where it comes from."""

from __future__ import annotations

from planning.balance_registry import BALANCE_INDICATORS, BalanceIndicator
from planning.balance_rules import (
    COMPOSITE_RULE,
    PASS_RULE,
    SPLIT_RULE,
    SPREAD_RULE,
    find_rule,
    read_limit,
    read_pass_rule,
    read_split_weights,
)
from planning.balance_tables import BALANCE_STAGES, COMPOSITE, Balance
from reports.inspection_book import Book

SHEET = "limits"


def write_limits(book: Book, balance: Balance) -> None:
    """Write the sheet and remember its cells as ("limit", id, stage), ("param", name) and ("weight", name)."""
    _ = book.language
    sheet = book.sheets[SHEET]
    book.text(SHEET, 0, 0, _("Limits and weights"), "title")
    book.text(SHEET, 1, 0, _("Pale yellow cells are input: change one, and every sheet follows."), "quiet")
    heads = [_("Rule"), _("Indicator"), _("Unit"), _("Primary school"), _("Junior school"), _("Source")]
    book.table(SHEET, 3, heads, [14, 46, 18, 12, 12, 90])
    row = 4
    for item in BALANCE_INDICATORS[balance.kind]:
        _write_indicator(book, balance, item, row)
        row += 1
    key = SPREAD_RULE if balance.kind == "quality" else COMPOSITE_RULE
    name = _("Coefficient of variation, each indicator") if balance.kind == "quality" else _("Composite coefficient")
    _write_spread(book, key, name, row, balance)
    row += 2
    if balance.kind == "quality":
        row = _write_pass_rule(book, row)
    _write_weights(book, row + 1)
    sheet.freeze_panes(4, 2)


def _write_indicator(book: Book, balance: Balance, item: BalanceIndicator, row: int) -> None:
    book.text(SHEET, row, 0, item.id)
    book.text(SHEET, row, 1, item.title)
    book.text(SHEET, row, 2, describe_unit(book, item))
    for column, stage in enumerate(BALANCE_STAGES, start=3):
        limits = balance.indicators[
            (balance.indicators["stage"] == stage) & (balance.indicators["indicator"] == item.id)
        ]
        rule = find_rule(book.rules, item.rule_key, stage, year=balance.year) if item.rule_key else None
        common = limits["limit"].mode()
        value = float(common.iloc[0]) if len(common) else read_limit(rule, stage)
        book.number(SHEET, row, column, value, "limit")
        book.keep(("limit", item.id, stage), SHEET, row, column)
        book.refs[("limit value", item.id, stage)] = repr(value)
    book.text(SHEET, row, 5, book.cite(item.id) if item.rule_key else book.cite("B1"), "wrap")


def describe_unit(book: Book, item: BalanceIndicator) -> str:
    """Return the unit of an indicator: m² per pupil, teachers per 100 pupils."""
    _ = book.language
    words = {
        "teachers": _("teachers"),
        "m2": _("m²"),
        "cny": _("yuan"),
        "rooms": _("rooms"),
        "computers": _("computers"),
        "books": _("books"),
    }
    if item.per == 1:
        return _("{unit} per pupil", unit=words[item.asset_unit])
    return _("{unit} per {count} pupils", unit=words[item.asset_unit], count=item.per)


def choose_style(item: BalanceIndicator) -> str:
    """Return how the values of an indicator are written: teachers per pupil need three decimals."""
    return "ratio" if item.asset_unit == "teachers" and item.per == 1 else "number"


def _write_spread(book: Book, key: str, name: str, row: int, balance: Balance) -> None:
    _ = book.language
    source = ""
    for column, stage in enumerate(BALANCE_STAGES, start=3):
        rule = find_rule(book.rules, key, stage, year=balance.year)
        book.number(SHEET, row, column, read_limit(rule, stage), "limit")
        book.keep(("limit", COMPOSITE, stage), SHEET, row, column)
        source = "" if rule is None else book.cite(rule.id)
        book.text(SHEET, row, 0, "" if rule is None else book.name_rule(rule.id), "wrap")
    book.text(SHEET, row, 1, name)
    book.text(SHEET, row, 2, _("ratio, at most"))
    book.text(SHEET, row, 5, source, "wrap")


def _write_pass_rule(book: Book, row: int) -> int:
    _ = book.language
    found = read_pass_rule(book.rules)
    rule = find_rule(book.rules, PASS_RULE)
    for name, title, value in (
        ("min_met", _("Indicators that every school must meet"), float(found.min_met)),
        ("floor", _("Share of its limit that the other must reach"), found.floor_share),
    ):
        book.text(SHEET, row, 0, "" if rule is None else rule.id)
        book.text(SHEET, row, 1, title)
        book.number(SHEET, row, 3, value, "limit")
        book.keep(("param", name), SHEET, row, 3)
        book.text(SHEET, row, 5, "" if rule is None else book.cite(rule.id), "wrap")
        row += 1
    return row


def _write_weights(book: Book, row: int) -> None:
    _ = book.language
    weights = read_split_weights(book.rules)
    rule = find_rule(book.rules, SPLIT_RULE)
    for name, title, value in (
        ("primary", _("Weight of a primary pupil when assets are split"), weights.primary),
        ("junior", _("Weight of a junior pupil when assets are split"), weights.junior),
        ("senior", _("Weight of a senior pupil when assets are split"), weights.senior),
        (
            "senior_over_junior",
            _("Weight of a senior pupil in a complete secondary school, where a junior pupil is 1"),
            weights.senior_over_junior,
        ),
    ):
        book.text(SHEET, row, 0, "" if rule is None else rule.id)
        book.text(SHEET, row, 1, title, "wrap")
        book.number(SHEET, row, 3, value, "limit")
        book.keep(("weight", name), SHEET, row, 3)
        book.text(SHEET, row, 5, "" if rule is None else book.cite(rule.id), "wrap")
        row += 1

"""Sheets of the inspection items: numbers of whole schools, items with their verdicts, and documents to show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from geodata.dictionary import read_table_schema
from planning.balance_spread import meets
from planning.balance_tables import NO, UNKNOWN, YES, Balance
from planning.balance_values import list_records
from planning.inspection_items import GROUP_NAMES
from reports.inspection_book import Book, cell, column_range, number_or
from reports.inspection_stages import StageLayout
from reports.legend import name_ownership, name_stage_short

SCHOOLS, EVIDENCE = "schools", "evidence"
SCHOOL_COLUMNS = (
    *("staff_teachers", "trained_teachers", "certified_teachers"),
    *("eligible_teachers", "rotated_teachers", "rotated_backbone_teachers", "migrant_pupils"),
    *("music_rooms", "smallest_music_m2", "art_rooms", "smallest_art_m2", "founded_year", "largest_class_pupils"),
)
RATIOS: Mapping[str, tuple[str, str]] = {
    "G9": ("trained_teachers", "staff_teachers"),
    "G11": ("rotated_teachers", "eligible_teachers"),
    "G11.backbone": ("rotated_backbone_teachers", "rotated_teachers"),
    "G12": ("certified_teachers", "staff_teachers"),
}
FIRST_ROW = 4
ITEM_SHEETS: Mapping[str, tuple[str, ...]] = {
    "guarantee": ("precondition", "resources", "guarantee", "government"),
    "quality": ("quality", "recognition", "veto"),
}
STYLES = {"share": "share", "ratio": "ratio", "pupils": "count", "cny": "count", "points": "number"}


def write_schools(book: Book, balance: Balance) -> None:
    """Write the numbers of whole schools that items add up; remember the columns as ("school", name)."""
    _ = book.language
    book.text(SCHOOLS, 0, 0, _("Schools: numbers behind the items of the county"), "title")
    book.text(SCHOOLS, 1, 0, _("All stages of a school together. Blank: not known."), "quiet")
    schema = read_table_schema("assets")
    names = [schema.column(name) for name in SCHOOL_COLUMNS]
    heads = [_("Code"), _("School"), _("Who runs it")]
    heads += [item.meaning_zh if _.language == "zh" else item.meaning_en for item in names]
    book.table(SCHOOLS, FIRST_ROW - 1, heads, [11, 26, 9, *[13] * len(names)])
    book.fix_height(SCHOOLS, FIRST_ROW - 1, 66.0)
    about = balance.assets.drop_duplicates("school_id").set_index("school_id")
    for row, found in enumerate(list_records(balance.totals.reset_index()), start=FIRST_ROW):
        key = str(found["school_id"])
        book.text(SCHOOLS, row, 0, key)
        book.text(SCHOOLS, row, 1, str(about.at[key, "name"]))
        book.text(SCHOOLS, row, 2, name_ownership(str(about.at[key, "ownership"]), _))
        for column, name in enumerate(SCHOOL_COLUMNS, start=3):
            book.number(
                SCHOOLS, row, column, number_or(found[name]), "input_year" if name == "founded_year" else "input"
            )
    last = FIRST_ROW + max(len(balance.totals), 1) - 1
    book.refs[("school", "ownership")] = f"'{book.names[SCHOOLS]}'!{column_range(2, FIRST_ROW, last)}"
    for column, name in enumerate(SCHOOL_COLUMNS, start=3):
        book.refs[("school", name)] = f"'{book.names[SCHOOLS]}'!{column_range(column, FIRST_ROW, last)}"
    book.sheets[SCHOOLS].freeze_panes(FIRST_ROW, 2)


def write_items(book: Book, balance: Balance, key: str, title: str, layouts: Sequence[StageLayout]) -> None:
    """Write one sheet of items; remember its verdicts as ("verdicts", key)."""
    _ = book.language
    rows = [row for row in list_records(balance.items) if row["group"] in ITEM_SHEETS[key]]
    book.text(key, 0, 0, title, "title")
    hint = _(
        "Value: worked out from the study by formula, or as reported. Bounds and averages decide only where they can."
    )
    book.text(key, 1, 0, hint, "quiet")
    heads = [
        *(_("Item"), _("Part"), _("What is asked"), _("Stage"), _("Value"), _("Must be"), _("Limit"), _("Verdict")),
        *(_("Known by"), _("What is missing"), _("Document"), _("Note"), _("Source")),
    ]
    book.table(key, FIRST_ROW - 1, heads, [15, 22, 46, 9, 12, 8, 11, 11, 12, 30, 30, 70, 70])
    for row, found in enumerate(rows, start=FIRST_ROW):
        _write_item(book, balance, key, row, found, layouts)
    last = FIRST_ROW + max(len(rows), 1) - 1
    book.colour_words(key, (FIRST_ROW, 7), (last, 7))
    book.refs[("verdicts", key)] = f"'{book.names[key]}'!{column_range(7, FIRST_ROW, last)}"
    book.sheets[key].freeze_panes(FIRST_ROW, 3)


def _write_item(
    book: Book, balance: Balance, key: str, row: int, found: Mapping[str, Any], layouts: Sequence[StageLayout]
) -> None:
    _ = book.language
    stage, value, limit = str(found["stage"]), number_or(found["value"]), number_or(found["limit"])
    style = STYLES.get(str(found["unit"]), "number")
    name = str(found["item_id"])
    book.text(key, row, 0, name if found["verified"] else book.name_rule(str(found["rule_id"])), "wrap")
    book.text(key, row, 1, GROUP_NAMES[found["group"]])
    book.text(key, row, 2, found["name"], "wrap")
    book.text(key, row, 3, name_stage_short(stage, _) if stage else "")
    formula = write_value(book, balance, found, layouts)
    if formula:
        book.formula(key, row, 4, formula, value, style)
    else:
        book.number(key, row, 4, value, {"share": "input_share"}.get(style, "input"))
    book.text(key, row, 5, {">=": "≥", "<=": "≤"}.get(str(found["op"]), str(found["op"])))
    book.number(key, row, 6, limit, style)
    words, word = book.words(), str(found["met"])
    if word != UNKNOWN and found["op"] and meets(value, limit, str(found["op"])) == word:
        one, two = cell(row, 4), cell(row, 6)
        slack = "*(1-0.000000001)" if str(found["op"]).startswith(">") else "*(1+0.000000001)"
        test = f'IF({one}{found["op"]}{two}{slack},"{words[YES]}","{words[NO]}")'
        book.formula(
            key, row, 7, f'IF(AND(ISNUMBER({one}),ISNUMBER({two})),{test},"{words[UNKNOWN]}")', words[word], "verdict"
        )
    else:
        book.text(key, row, 7, words[word], "verdict")
    basis = {"data": _("data"), "reported": _("reported"), "evidence": _("document")}[str(found["basis"])]
    book.text(key, row, 8, basis)
    book.text(key, row, 9, tell_missing(book, str(found["missing"])), "wrap")
    book.text(key, row, 10, str(found["document"]), "wrap")
    book.text(key, row, 11, found["note"], "wrap")
    book.text(key, row, 12, book.cite(str(found["rule_id"])), "wrap")


def tell_missing(book: Book, missing: str) -> str:
    """Return what is missing in words: the columns of tables by their meaning."""
    _ = book.language
    words = []
    for name in (part for part in missing.split(";") if part):
        table, _dot, column = name.partition(".")
        if table == "evidence":
            words.append(_("a reported number") if column == "reported_value" else _("an answer with its document"))
            continue
        schema = read_table_schema(table).column(column)
        words.append(schema.meaning_zh if _.language == "zh" else schema.meaning_en)
    return _.join(words)


def write_value(book: Book, balance: Balance, found: Mapping[str, Any], layouts: Sequence[StageLayout]) -> str:
    """Return the formula of an item's value, ``""`` where the number stands by itself.

    A formula is written only where it gives the number that was found.
    """
    name, stage = str(found["item_id"]), str(found["stage"])
    if found["basis"] != "data":
        return ""
    layout = next((item for item in layouts if item.stage == stage), None)
    if name in ("R-CV", "B3"):
        return book.refs.get(("spread", stage), "")
    if name == "R-school" and layout is not None and layout.verdict:
        area = f"'{book.names[layout.sheet]}'!{layout.range(layout.verdict)}"
        words = book.words()
        return f'IF(COUNTIF({area},"{words[UNKNOWN]}")>0,"",COUNTIF({area},"{words[YES]}")/COUNTA({area}))'
    totals = balance.totals
    if name in RATIOS:
        top, bottom = RATIOS[name]
        known = totals[[top, bottom]].dropna()
        value = known[top].sum() / known[bottom].sum() if known[bottom].sum() > 0 else float("nan")
        one, two = book.refs[("school", top)], book.refs[("school", bottom)]
        formula = f'SUMIFS({one},{one},">=0",{two},">=0")/SUMIFS({two},{one},">=0",{two},">=0")'
        return formula if math.isclose(value, number_or(found["value"]), rel_tol=1e-9) else ""
    if name == "G15":
        counts, who = book.refs[("school", "migrant_pupils")], book.refs[("school", "ownership")]
        public = name_ownership("public", book.language)
        return f'SUMIF({who},"{public}",{counts})/SUM({counts})'
    return ""


def write_evidence(book: Book, balance: Balance) -> None:
    """Write the checklist: items that a document shows, or that are not known yet, with room to fill in."""
    _ = book.language
    rows = balance.items[(balance.items["basis"] == "evidence") | (balance.items["met"] == UNKNOWN)]
    rows = rows.drop_duplicates("item_id")
    book.text(EVIDENCE, 0, 0, _("Documents to show"), "title")
    book.text(EVIDENCE, 1, 0, _("Pale yellow: to be filled in before the inspection."), "quiet")
    heads = [
        *(_("Item"), _("What is asked"), _("What to show"), _("Document and date"), _("Verdict")),
        *(_("Who is responsible"), _("Until when"), _("Remarks")),
    ]
    book.table(EVIDENCE, FIRST_ROW - 1, heads, [13, 46, 60, 34, 11, 18, 14, 40])
    words = book.words()
    for row, found in enumerate(list_records(rows), start=FIRST_ROW):
        book.text(EVIDENCE, row, 0, str(found["item_id"]))
        book.text(EVIDENCE, row, 1, found["name"], "wrap")
        book.text(EVIDENCE, row, 2, found["show"], "wrap")
        book.text(EVIDENCE, row, 3, str(found["document"]), "input_text")
        book.text(EVIDENCE, row, 4, words[str(found["met"])], "verdict")
        for column in (5, 6, 7):
            book.text(EVIDENCE, row, column, "", "input_text")
    book.colour_words(EVIDENCE, (FIRST_ROW, 4), (FIRST_ROW + max(len(rows), 1) - 1, 4))
    book.sheets[EVIDENCE].freeze_panes(FIRST_ROW, 2)


def count_items(balance: Balance) -> dict[str, dict[str, int]]:
    """Return how many items are met, not met and not known, by sheet."""
    found = {}
    for key, groups in ITEM_SHEETS.items():
        words = list(balance.items.loc[balance.items["group"].isin(groups), "met"])
        found[key] = {word: words.count(word) for word in (YES, NO, UNKNOWN)}
    return found

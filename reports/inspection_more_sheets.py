"""Further sheets of the inspection workbook: groups, before and after, schools left out, sources and method."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from geodata.messages import Message
from geodata.study import StudyArea
from planning.balance_moves import compare_balance
from planning.balance_registry import BALANCE_INDICATORS, find_indicator
from planning.balance_tables import COMPOSITE, Balance
from planning.balance_values import list_records
from planning.groups import build_group_indicators, build_groups, compute_coverage, list_members, propose_pairs
from planning.inspection_items import INSPECTION_ITEMS
from reports.inspection_book import Book, cell, number_or
from reports.inspection_limits import choose_style, describe_unit
from reports.legend import name_stage_short

GROUPS, MOVES, LEFT_OUT, SOURCES = "groups", "moves", "left_out", "sources"


def write_groups(book: Book, balance: Balance, study: StudyArea) -> None:
    """Write members together, the exchange of teachers, coverage, indicators of groups, and proposed pairs."""
    _ = book.language
    book.text(GROUPS, 0, 0, _("Education groups and alliances"), "title")
    groups = build_groups(study, book.rules, balance)
    if groups.empty:
        book.text(
            GROUPS, 1, 0, _("The study names no groups: add a table of them, or group_id of the schools."), "quiet"
        )
        row = 3
    else:
        row = _write_exchange(book, groups, 2)
        row = _write_coverage(book, compute_coverage(study, balance), row + 2)
        row = _write_group_indicators(book, build_group_indicators(study, book.rules, balance), row + 2)
        row = _write_members(book, list_members(study), row + 2)
    if balance.kind == "quality":
        modes = [mode for mode in ("drive", "bicycle", "walk") if mode in study.travel]
        pairs = propose_pairs(study, balance, mode=modes[0]) if modes else pd.DataFrame()  # type: ignore[arg-type]
        _write_pairs(book, pairs, row + 2)


def _write_exchange(book: Book, groups: pd.DataFrame, row: int) -> int:
    _ = book.language
    heads = [
        *(_("Code"), _("Education group"), _("Kind"), _("Schools"), _("Pupils"), _("Teachers due")),
        *(_("Teachers exchanged"), _("Proportion"), _("Limit"), _("Verdict"), _("Schools that pass"), _("Source")),
    ]
    book.table(GROUPS, row, heads, [12, 26, 24, 22, 11, 11, 11, 11, 11, 11, 11, 60])
    kinds = {"group": _("group"), "alliance": _("alliance"), "district": _("school district")}
    words = book.words()
    first = row + 1
    for row, found in enumerate(list_records(groups), start=first):
        book.text(GROUPS, row, 0, str(found["group_id"]))
        book.text(GROUPS, row, 1, str(found["name"]))
        book.text(GROUPS, row, 2, kinds.get(str(found["kind"]), str(found["kind"])))
        book.number(GROUPS, row, 3, float(found["schools"]))
        book.number(GROUPS, row, 4, float(found["pupils"]))
        book.number(GROUPS, row, 5, float(found["eligible_teachers"]))
        book.number(GROUPS, row, 6, float(found["exchanged_teachers"]))
        due, moved, share, limit = (cell(row, column) for column in (5, 6, 7, 8))
        formula = f'IF(AND(ISNUMBER({moved}),N({due})>0),{moved}/{due},"")'
        book.formula(GROUPS, row, 7, formula, number_or(found["exchange_share"]), "share")
        book.number(GROUPS, row, 8, number_or(found["exchange_limit"]), "input_share")
        test = f'IF({share}>={limit}*(1-0.000000001),"{words["yes"]}","{words["no"]}")'
        formula = f'IF(AND(ISNUMBER({share}),ISNUMBER({limit})),{test},"{words["unknown"]}")'
        book.formula(GROUPS, row, 9, formula, words[str(found["exchange_met"])], "verdict")
        book.number(GROUPS, row, 10, float(found["passed"]), "count")
        book.text(GROUPS, row, 11, book.cite("G11"), "wrap")
    book.colour_words(GROUPS, (first, 9), (row, 9))
    return row + 1


def _write_coverage(book: Book, coverage: pd.DataFrame, row: int) -> int:
    _ = book.language
    book.text(GROUPS, row, 0, _("Coverage: schools and pupils in groups"), "section")
    heads = [
        *(_("Stage"), _("Schools"), _("Schools in groups"), _("Proportion")),
        *(_("Pupils"), _("Pupils in groups"), _("Proportion")),
    ]
    for column, head in enumerate(heads):
        book.text(GROUPS, row + 1, column, head, "head")
    for at, found in enumerate(list_records(coverage), start=row + 2):
        stage = str(found["stage"])
        book.text(GROUPS, at, 0, name_stage_short(stage, _) if stage else _("All, each school once"))
        for column, name in ((1, "schools"), (2, "grouped_schools"), (4, "pupils"), (5, "grouped_pupils")):
            book.number(GROUPS, at, column, float(found[name]))
        for column, name in ((3, "school_share"), (6, "pupil_share")):
            whole, part = cell(at, column - 2), cell(at, column - 1)
            book.formula(GROUPS, at, column, f'IF({whole}>0,{part}/{whole},"")', float(found[name]), "share")
    return row + 2 + len(coverage)


def _write_group_indicators(book: Book, table: pd.DataFrame, row: int) -> int:
    _ = book.language
    book.text(GROUPS, row, 0, _("Indicators of groups: all schools of a group together"), "section")
    heads = [
        *(_("Stage"), _("Education group"), _("Indicator"), _("Unit"), _("Assets"), _("Pupils"), _("Value")),
        *(_("Limit"), _("Verdict"), _("CV within the group"), _("CV, unweighted")),
    ]
    for column, head in enumerate(heads):
        book.text(GROUPS, row + 1, column, head, "head")
    words = book.words()
    first = row + 2
    for at, found in enumerate(list_records(table), start=first):
        item = find_indicator(str(found["indicator"]))
        book.text(GROUPS, at, 0, name_stage_short(str(found["stage"]), _))
        book.text(GROUPS, at, 1, str(found["name"]))
        book.text(GROUPS, at, 2, _("{id} {name}", id=item.id, name=_.say(item.short)))
        book.text(GROUPS, at, 3, describe_unit(book, item))
        book.number(GROUPS, at, 4, number_or(found["total"]))
        book.number(GROUPS, at, 5, number_or(found["pupils"]))
        total, pupils, value, limit = (cell(at, column) for column in (4, 5, 6, 7))
        formula = f'IF(AND(ISNUMBER({total}),{pupils}>0),{total}/{pupils}*{item.per},"")'
        book.formula(GROUPS, at, 6, formula, number_or(found["value"]), choose_style(item))
        if item.rule_key and number_or(found["limit"]) > 0:
            reference = book.refs[("limit", item.id, str(found["stage"]))]
            book.formula(GROUPS, at, 7, reference, number_or(found["limit"]), "number")
            test = f'IF({value}>={limit}*(1-0.000000001),"{words["yes"]}","{words["no"]}")'
            formula = f'IF(ISNUMBER({value}),{test},"{words["unknown"]}")'
            book.formula(GROUPS, at, 8, formula, words[str(found["met"])], "verdict")
        else:
            book.text(GROUPS, at, 7, "")
            book.text(GROUPS, at, 8, "")
        book.number(GROUPS, at, 9, number_or(found["cv"]), "ratio")
        book.number(GROUPS, at, 10, number_or(found["cv_unweighted"]), "ratio")
    last = first + max(len(table), 1) - 1
    book.colour_words(GROUPS, (first, 8), (last, 8))
    return last + 1


def _write_members(book: Book, members: pd.DataFrame, row: int) -> int:
    _ = book.language
    book.text(GROUPS, row, 0, _("Members"), "section")
    for column, head in enumerate((_("Code"), _("Education group"), _("School"), _("Part"))):
        book.text(GROUPS, row + 1, column, head, "head")
    roles = {"lead": _("lead"), "member": _("member")}
    for at, found in enumerate(list_records(members), start=row + 2):
        book.text(GROUPS, at, 0, str(found["group_id"]))
        book.text(GROUPS, at, 1, str(found["name"]))
        book.text(GROUPS, at, 2, str(found["school_name"]))
        book.text(GROUPS, at, 3, roles.get(str(found["role"]), ""))
    return row + 2 + len(members)


def _write_pairs(book: Book, pairs: pd.DataFrame, row: int) -> None:
    _ = book.language
    book.text(GROUPS, row, 0, _("Proposed partners: a school that passes, near one that does not"), "section")
    words = _(
        "Worked out by the program: the pairing with the largest gain in teachers within 30 minutes; a strong school"
        " has two partners at most."
    )
    book.text(GROUPS, row + 1, 0, words, "quiet")
    heads = [
        *(_("Stage"), _("Strong school"), _("Weak school"), _("Lifted over the limit together"), _("Minutes apart")),
        *(_("Gain"), _("Loss"), _("Strong: met"), _("Weak: met"), _("Together: met"), _("In one group?")),
    ]
    for column, head in enumerate(heads):
        book.text(GROUPS, row + 2, column, head, "head")
    for at, found in enumerate(list_records(pairs), start=row + 3):
        book.text(GROUPS, at, 0, name_stage_short(str(found["stage"]), _))
        book.text(GROUPS, at, 1, str(found["strong_name"]))
        book.text(GROUPS, at, 2, str(found["weak_name"]))
        lifted = [_.say(find_indicator(key).short) for key in str(found["lifted"]).split(";") if key]
        book.text(GROUPS, at, 3, _.join(lifted), "wrap")
        for column, name in ((4, "time_min"), (5, "gain"), (6, "loss")):
            book.number(GROUPS, at, column, float(found[name]), "number")
        for column, name in ((7, "strong_met"), (8, "weak_met"), (9, "joint_met")):
            book.number(GROUPS, at, column, float(found[name]), "count")
        book.text(GROUPS, at, 10, _("yes") if found["same_group"] else _("no"))
    if pairs.empty:
        book.text(GROUPS, row + 3, 0, _("No pair is near enough and gains."), "quiet")


def write_moves(book: Book, balance: Balance) -> None:
    """Write how a scenario moves indicators, spread and verdicts; changes are formulas."""
    _ = book.language
    book.text(MOVES, 0, 0, _("Before and after the scenario"), "title")
    moves = compare_balance(balance)
    for at, note in enumerate(balance.notes[:4]):
        book.text(MOVES, 1 + at, 0, note, "quiet")
    row = 7
    heads = [
        *(_("Stage"), _("Indicator"), _("Measure"), _("Before"), _("After"), _("Change"), _("Limit")),
        *(_("Verdict before"), _("Verdict after"), _("Better?")),
    ]
    book.table(MOVES, row - 1, heads, [10, 40, 34, 12, 12, 12, 10, 12, 12, 10])
    words = {**book.words(), "": ""}
    better = {"yes": _("better"), "no": _("worse"), "": ""}
    for at, found in enumerate(list_records(moves), start=row):
        measure, key = str(found["measure"]), str(found["indicator"])
        style = "ratio" if measure.startswith("cv") else "number" if measure == "mean" else "count"
        book.text(MOVES, at, 0, name_stage_short(str(found["stage"]), _))
        book.text(MOVES, at, 1, _name_indicator(book, key), "wrap")
        book.text(MOVES, at, 2, name_measure(book, measure))
        book.number(MOVES, at, 3, number_or(found["before"]), style)
        book.number(MOVES, at, 4, number_or(found["after"]), style)
        one, two = cell(at, 3), cell(at, 4)
        formula = f'IF(AND(ISNUMBER({one}),ISNUMBER({two})),{two}-{one},"")'
        book.formula(MOVES, at, 5, formula, number_or(found["change"]), style)
        book.number(MOVES, at, 6, number_or(found["limit"]), style)
        book.text(MOVES, at, 7, words[str(found["met_before"])], "verdict")
        book.text(MOVES, at, 8, words[str(found["met_after"])], "verdict")
        book.text(MOVES, at, 9, better[str(found["better"])], "verdict")
    last = row + max(len(moves), 1) - 1
    book.colour_words(MOVES, (row, 7), (last, 8))
    book.sheets[MOVES].freeze_panes(row, 3)


def _name_indicator(book: Book, key: str) -> str:
    _ = book.language
    if not key:
        return _("Verdict on schools")
    if key == COMPOSITE:
        return _("Composite: mean of the eight")
    item = find_indicator(key)
    return _("{id} {name}", id=item.id, name=_.say(item.title))


def name_measure(book: Book, measure: str) -> str:
    """Return a measure of a comparison in words."""
    _ = book.language
    names = {
        "cv": _("CV, weighted"),
        "cv_unweighted": _("CV, unweighted"),
        "mean": _("County value"),
        "schools_met": _("Schools that meet the limit"),
        "schools_unknown": _("Schools not known"),
        "schools_passed": _("Schools that pass"),
        "schools_failed": _("Schools that fail"),
    }
    return names[measure]


def write_left_out(book: Book, balance: Balance) -> None:
    """Write schools that are not counted, with the reason."""
    _ = book.language
    book.text(LEFT_OUT, 0, 0, _("Schools that are not counted"), "title")
    book.text(LEFT_OUT, 1, 0, _("Source: {source}", source=book.cite("R-scope")), "quiet")
    heads = [_("Code"), _("School"), _("Stage"), _("Pupils"), _("Reason")]
    book.table(LEFT_OUT, 3, heads, [12, 30, 10, 9, 90])
    for row, found in enumerate(list_records(balance.left_out), start=4):
        book.text(LEFT_OUT, row, 0, str(found["school_id"]))
        book.text(LEFT_OUT, row, 1, str(found["name"]))
        book.text(LEFT_OUT, row, 2, name_stage_short(str(found["stage"]), _))
        book.number(LEFT_OUT, row, 3, number_or(found["pupils"]))
        book.text(LEFT_OUT, row, 4, found["reason"], "wrap")
    book.sheets[LEFT_OUT].freeze_panes(4, 2)


def write_sources(book: Book, balance: Balance, study: StudyArea) -> None:
    """Write definitions, traps and sources of everything, and where the data came from."""
    _ = book.language
    book.text(SOURCES, 0, 0, _("Sources and method"), "title")
    heads = [_("Rule"), _("What is asked"), _("How it is worked out"), _("What goes wrong"), _("Source")]
    book.table(SOURCES, 2, heads, [14, 44, 70, 70, 80])
    row = 3
    rule_ids = dict(zip(balance.items["item_id"], balance.items["rule_id"], strict=True))
    entries: list[tuple[str, Message, Message | None, Message | None, str]] = [
        (one.id, one.title, one.definition, one.trap, one.id if one.rule_key else "B1")
        for one in BALANCE_INDICATORS[balance.kind]
    ]
    entries += [
        (item.id, item.name, item.formula or item.show, item.trap, str(rule_ids.get(item.id, "")))
        for item in INSPECTION_ITEMS
        if item.kind == balance.kind
    ]
    for key, name, how, trap, rule_id in entries:
        book.text(SOURCES, row, 0, key)
        for column, text in ((1, name), (2, how), (3, trap)):
            book.text(SOURCES, row, column, text, "wrap")
        book.text(SOURCES, row, 4, book.cite(rule_id), "wrap")
        row += 1
    row = _write_lines(book, _("Rulebook"), [balance.rulebook], row + 1)
    row = _write_lines(book, _("What must be known"), [book.say(note) for note in balance.notes], row)
    files = [f"{source.role}: {source.path} {source.note}".strip() for source in study.sources]
    row = _write_lines(book, _("Data"), files, row)
    _write_lines(book, _("Credit"), [study.attribution], row)
    book.sheets[SOURCES].freeze_panes(3, 2)


def _write_lines(book: Book, title: str, lines: Sequence[str], row: int) -> int:
    told = [line for line in lines if line]
    if not told:
        return row
    book.text(SOURCES, row, 0, title, "section")
    for at, line in enumerate(told, start=row + 1):
        book.text(SOURCES, at, 1, line, "quiet")
    return row + len(told) + 2

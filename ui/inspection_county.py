"""What the county as a whole is judged by: the spread between schools, its items, and how a scenario moves both."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from planning.balance import compare_balance
from planning.balance_tables import NO, UNKNOWN, YES
from planning.inspection_items import GROUP_NAMES
from planning.rules import Rules
from reports.check_tables import say_missing
from reports.citations import cite_rule
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_stage_short
from ui.cards import text
from ui.inspection_choices import Inspected
from ui.inspection_panels import list_records, name_balance_indicator, name_met, say_cv
from ui.text import clean


def _build_table(heads: list[tuple[str, bool]], rows: list[str]) -> str:
    cells = "".join(f"<th{' class=number' if number else ''}>{text(name)}</th>" for name, number in heads)
    return f'<table class="buju-table"><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _cite(rules: Rules, rule_id: str, _: Translator) -> str:
    """Return the source of a rule; nothing for an item that the rulebook does not hold."""
    known = any(rule.id == rule_id for rule in rules.rules)
    return text(cite_rule(rules, rule_id, _), longest=300) if known else ""


def render_spread(inspected: Inspected, _: Translator) -> None:
    """Draw the coefficients of variation, weighted and not, and where the verdict hangs on the weights."""
    spread = inspected.balance.spread
    spread = spread[spread["stage"] == inspected.choice.stage]
    if spread.empty:
        st.text(_("No school of this stage is in scope."))
        return
    st.caption(
        _(
            "Coefficient of variation between schools: the standard deviation divided by the mean. The official form"
            " weights every school by its pupils; many published programs do not. Both are shown, and marked where the"
            " verdict differs."
        )
    )
    heads = [
        (_("Indicator"), False),
        (_("Mean"), True),
        (_("Weighted by pupils"), True),
        (_("Limit"), True),
        (_("Verdict"), False),
        (_("Unweighted"), True),
        (_("Unweighted, sample form"), True),
        (_("Schools"), True),
    ]
    rows = [_build_spread_row(row, inspected.rules, _) for row in list_records(spread)]
    st.html(_build_table(heads, rows))


def _build_spread_row(row: dict[str, Any], rules: Rules, _: Translator) -> str:
    flips = bool(row["flips"]) if not isinstance(row["flips"], float) else False
    remark = _("without weights the verdict would be the other one") if flips else ""
    judged = not math.isnan(row["limit"])
    unread = _("limit not verified")
    unverified = f"<br><small>{text(unread)}</small>" if judged and not bool(row["verified"]) else ""
    verdict = name_met(str(row["met"]), _) if judged else ""
    source = _cite(rules, str(row["rule_id"]), _)
    known = int(row["schools"])
    count = f"{_.number(known)}" + (f" (+{int(row['schools_unknown'])} ?)" if int(row["schools_unknown"]) else "")
    return (
        f"<tr><td>{text(name_balance_indicator(str(row['indicator']), _))}</td>"
        f'<td class="number">{text(_.number(row["mean"], digits=2))}</td>'
        f'<td class="number">{text(say_cv(row["cv"]))}</td>'
        f'<td class="number" title="{source}">{text(say_cv(row["limit"]))}{unverified}</td>'
        f'<td class="{row["met"] if judged else ""}">{text(verdict)}'
        f"{f'<br><small>{text(remark)}</small>' if remark else ''}</td>"
        f'<td class="number {"no" if flips else ""}">{text(say_cv(row["cv_unweighted"]))}</td>'
        f'<td class="number">{text(say_cv(row["cv_sample"]))}</td><td class="number">{text(count)}</td></tr>'
    )


def name_item_group(group: str, _: Translator) -> str:
    """Return the chapter of an item."""
    names = {str(name): words for name, words in GROUP_NAMES.items()}
    return _.say(names[group]) if group in names else group


def name_basis(basis: str, _: Translator) -> str:
    """Return how an item is answered."""
    names = {"data": _("worked out from data"), "reported": _("reported number"), "evidence": _("document to show")}
    return names.get(basis, basis)


def render_items(inspected: Inspected, _: Translator) -> None:
    """Draw the items of the county by chapter: what data answer, what was reported, what must be shown."""
    items = inspected.balance.items
    if items.empty:
        st.text(_("This inspection has no further items."))
        return
    st.caption(
        _(
            "Items that no data can answer are a checklist: report the number or the document in the table of evidence"
            " (page Data), and they are judged here."
        )
    )
    heads = [
        (_("Item"), False),
        (_("Limit"), True),
        (_("Value"), True),
        (_("Verdict"), False),
        (_("Basis"), False),
        (_("What to show, or what is missing"), False),
    ]
    for group in items["group"].unique():
        rows = [_build_item_row(row, inspected.rules, _) for row in list_records(items[items["group"] == group])]
        title = text(name_item_group(str(group), _))
        st.html(f'<div class="inspection-items"><b>{title}</b>{_build_table(heads, rows)}</div>')


def _say_amount(value: object, unit: str, _: Translator) -> str:
    """Return a number of an item with its unit; a text as it stands."""
    if isinstance(value, str):
        return clean(value, longest=60)
    if not isinstance(value, int | float) or math.isnan(value):
        return MISSING_NUMBER
    return _.percent(value, digits=1) if unit == "share" else _.number(value, digits=2)


def _build_item_row(row: dict[str, Any], rules: Rules, _: Translator) -> str:
    name, show, note = row["name"], row["show"], row["note"]
    name = _.say(name) + (f" · {name_stage_short(str(row['stage']), _)}" if row["stage"] else "")
    source = _cite(rules, str(row["item_id"]), _)
    limit = _say_amount(row["limit"], str(row["unit"]), _)
    limit = f"{row['op']} {limit}" if row["op"] and limit != MISSING_NUMBER else limit
    lines = [_.say(show)] if show is not None and not isinstance(show, float) else []
    if row["document"]:
        lines.append(_("Document: {name}", name=clean(row["document"], longest=120)))
    if row["missing"]:
        lines.append(_("Missing: {columns}", columns=say_missing(str(row["missing"]), _)))
    if note is not None and not isinstance(note, float):
        lines.append(_.say(note))
    unread = _("not verified")
    unverified = "" if bool(row["verified"]) else f" <small>{text(unread)}</small>"
    words = "<br>".join(text(line, longest=400) for line in lines if line)
    return (
        f'<tr><td title="{source}">{text(row["item_id"])} {text(name)}{unverified}</td>'
        f'<td class="number">{text(limit)}</td>'
        f'<td class="number">{text(_say_amount(row["value"], str(row["unit"]), _))}</td>'
        f'<td class="{row["met"]}">{text(name_met(str(row["met"]), _))}</td>'
        f"<td>{text(name_basis(str(row['basis']), _))}</td><td>{words}</td></tr>"
    )


def name_move(measure: str, _: Translator) -> str:
    """Return what moves between before and after."""
    names = {
        "cv": _("Spread, weighted"),
        "cv_unweighted": _("Spread, unweighted"),
        "mean": _("Mean of the county"),
        "schools_met": _("Schools that reach the limit"),
        "schools_unknown": _("Schools unknown"),
        "schools_passed": _("Schools that pass"),
        "schools_failed": _("Schools that fail"),
    }
    return names.get(measure, measure)


def render_moves(inspected: Inspected, _: Translator) -> None:
    """Draw before and after: each indicator and its spread."""
    moves = compare_balance(inspected.balance)
    moves = moves[moves["stage"] == inspected.choice.stage]
    if moves.empty:
        st.text(_("Choose a scenario with closures, mergers or other steps: then before stands beside after here."))
        return
    visible = moves["change"].abs() >= moves["measure"].map(lambda name: 0.5 * 10.0 ** -_count_digits(str(name)))
    changed = moves[visible | (moves["met_before"] != moves["met_after"])]
    if changed.empty:
        st.text(_("The scenario moves no indicator of this stage."))
        return
    heads = [
        (_("Indicator"), False),
        (_("What moves"), False),
        (_("Before"), True),
        (_("After"), True),
        (_("Change"), True),
        (_("Limit"), True),
        (_("Verdict"), False),
    ]
    rows = [_build_move_row(row, _) for row in list_records(changed)]
    st.html(_build_table(heads, rows))


def _count_digits(measure: str) -> int:
    """Return how many decimals a number that moves is shown with."""
    return 0 if measure.startswith("schools") else 2 if measure == "mean" else 3


def _build_move_row(row: dict[str, Any], _: Translator) -> str:
    digits = _count_digits(str(row["measure"]))

    def say(value: object) -> str:
        number = float(str(value))
        if math.isnan(number) or digits < 3:
            return _.number(number, digits=digits)
        return say_cv(number)

    name = name_balance_indicator(str(row["indicator"]), _) if row["indicator"] else _("Six of seven")
    known = {YES, NO}
    after = str(row["met_after"])
    verdict = name_met(after, _) if after in {*known, UNKNOWN} else ""
    if row["met_before"] in known and after in known and row["met_before"] != after:
        verdict = _("{before} → {after}", before=name_met(str(row["met_before"]), _), after=verdict)
    better = {YES: _("better"), NO: _("worse")}.get(str(row["better"]), "")
    change = say(row["change"])
    change = f"+{change}" if not math.isnan(row["change"]) and row["change"] > 0 else change
    css = after if row["met_before"] != after and after in known else ""
    return (
        f"<tr><td>{text(name)}</td><td>{text(name_move(str(row['measure']), _))}</td>"
        f'<td class="number">{text(say(row["before"]))}</td><td class="number">{text(say(row["after"]))}</td>'
        f'<td class="number">{text(change)} <small>{text(better)}</small></td>'
        f'<td class="number">{text(say(row["limit"]))}</td><td class="{css}">{text(verdict)}</td></tr>'
    )


def build_left_out_table(left_out: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return the schools that are out of scope, with the reason."""
    return pd.DataFrame(
        {
            _("School"): left_out["name"].map(lambda name: clean(name, longest=60)),
            _("Stage"): left_out["stage"].map(lambda stage: name_stage_short(str(stage), _) if stage else _("all")),
            _("Pupils"): left_out["pupils"].astype(float),
            _("Why it is not counted"): left_out["reason"].map(_.say),
        }
    )

"""The full answer to a closure on the page: who goes where, grades, buses, beds, and findings with their rule."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from planning.closures import ClosureAnswer, Finding
from planning.rules import Rules
from reports.citations import cite_rule
from reports.closure_lists import (
    build_community_table,
    build_grade_table,
    build_receiver_table,
    list_assets,
    list_facts,
    name_what,
)
from reports.language import Translator
from reports.legend import name_stage_short
from reports.today_tables import SEVERITIES, name_severity
from ui.cards import STYLE, render_facts, render_head, render_quiet, render_title, text

ROWS_AT_ONCE = 9
HEAD_STYLE = """
<style>
.closure-head { display: grid; grid-template-columns: minmax(240px, 1fr) 1.7fr; gap: 0.4rem 2rem; }
.closure-head > .card { max-height: 280px; overflow-y: auto; }
@media (max-width: 760px) { .closure-head { grid-template-columns: 1fr; } }
</style>
"""


def render_closure_answer(
    answer: ClosureAnswer, _: Translator, *, rules: Rules | None = None, key: str = "closure_answer"
) -> None:
    """Draw one closure answer: figures and findings, then receivers, communities and grades as tables.

    Parameters
    ----------
    answer
        As ``run_scenario`` gives it.
    rules
        The rulebook of the outcome: findings then carry name, source and clause of their rule.
    key
        Prefix of the widgets' keys; differs for every answer drawn in one run.
    """
    st.html(STYLE + HEAD_STYLE + build_answer_head(answer, _, rules))
    parts: dict[str, tuple[str, pd.DataFrame, str]] = {
        "receivers": (
            _("Receiving schools ({count})", count=_.number(len(answer.receivers))),
            build_receiver_table(answer, _),
            _("Nobody is taken in by another school."),
        ),
        "communities": (
            _("Communities ({count})", count=_.number(len(answer.communities))),
            build_community_table(answer, _),
            _("No community is concerned."),
        ),
        "grades": (_("By grade"), build_grade_table(answer, _), _("Grades are not known.")),
    }
    names = {name: title for name, (title, _table, _none) in parts.items()}
    chosen = st.segmented_control(
        _("Tables"),
        list(names),
        format_func=names.__getitem__,
        default="receivers",
        required=True,
        key=f"{key}_part",
        label_visibility="collapsed",
    )
    _title, table, none = parts[chosen or "receivers"]
    if table.empty:
        st.text(none)
    else:
        render_numbers(table)


def render_numbers(table: pd.DataFrame) -> None:
    """Draw a table of words and numbers as the reader's country writes them; unknown numbers are dashes."""
    numbers = {str(name): st.column_config.NumberColumn(format="localized") for name in table.select_dtypes("number")}
    height: Literal["auto"] | int = 340 if len(table) > ROWS_AT_ONCE else "auto"
    st.dataframe(table, hide_index=True, height=height, column_config=numbers, placeholder="–")


def build_answer_head(answer: ClosureAnswer, _: Translator, rules: Rules | None) -> str:
    """Return figures, findings and what becomes free, as HTML."""
    kind = [name_what(answer.what, _), name_stage_short(answer.stage, _)]
    figures = [
        render_head(answer.name, kind),
        render_facts(list_facts(answer, _)),
        render_title(_("What becomes free")),
        render_facts(list_assets(answer, _)),
    ]
    said = [
        render_title(_("What the rules say")),
        build_findings(answer.findings, _, rules) or render_quiet(_("No rule speaks against it.")),
    ]
    columns = "".join(f'<div class="card">{"".join(parts)}</div>' for parts in (figures, said))
    return f'<div class="closure-head">{columns}</div>'


def build_findings(findings: tuple[Finding, ...], _: Translator, rules: Rules | None) -> str:
    """Return findings by severity, each with its rule and clause where the rulebook is given, as HTML."""
    blocks = []
    for finding in sorted(findings, key=lambda item: SEVERITIES.index(item.severity)):
        source = ""
        if rules is not None and finding.rule_id:
            source = f'<div class="source">{text(cite_rule(rules, finding.rule_id, _), longest=400)}</div>'
        blocks.append(
            f'<div class="flag {finding.severity}"><b>{text(name_severity(finding.severity, _))}</b><br>'
            f"{text(_.say(finding.message), longest=700)}{source}</div>"
        )
    return "".join(blocks)

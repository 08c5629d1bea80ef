"""Downloads of a check: one workbook, or CSV files, every row in words with its clause."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from planning.rules import Rules
from reports.check_tables import build_check_rows, build_check_view, say_missing
from reports.compare_files import render_workbook
from reports.language import Translator
from reports.tables import render_csv
from ui.file_buttons import WORKBOOK_MIME
from ui.rules_check_tables import build_rule_table, count_by_rule, count_missing
from ui.rules_words import name_rule


def render_check_files(checks: pd.DataFrame, not_checked: pd.DataFrame, rules: Rules, _: Translator) -> None:
    """Draw the buttons; a file is made when it is asked for."""
    st.caption(_("Every case in words, with its clause, what is missing and what would cure it."))

    def tables() -> dict[str, pd.DataFrame]:
        return build_file_tables(checks, not_checked, rules, _)

    with st.container(horizontal=True):
        st.download_button(
            _("Excel workbook"),
            lambda: render_workbook(tables()),
            file_name="rule_checks.xlsx",
            mime=WORKBOOK_MIME,
            key="rules_check_workbook",
            on_click="ignore",
        )
        st.download_button(
            _("All cases as CSV"),
            lambda: render_csv(build_check_rows(checks, rules, _)),
            file_name="rule_checks.csv",
            mime="text/csv",
            key="rules_check_csv",
            on_click="ignore",
        )
        st.download_button(
            _("By rule as CSV"),
            lambda: render_csv(build_rule_table(count_by_rule(checks, rules), rules, _)),
            file_name="rule_checks_by_rule.csv",
            mime="text/csv",
            key="rules_check_rules_csv",
            on_click="ignore",
        )


def build_file_tables(
    checks: pd.DataFrame, not_checked: pd.DataFrame, rules: Rules, _: Translator
) -> dict[str, pd.DataFrame]:
    """Return the sheets of the workbook: rules, cases, missing data, rules that nothing checks."""
    missing = count_missing(checks)
    silent = pd.DataFrame(
        {
            _("Id"): not_checked["rule_id"].to_numpy(),
            _("Rule"): [name_rule(rules.by_id(str(rule_id)), _) for rule_id in not_checked["rule_id"]],
            _("Reason"): [_.say(reason) for reason in not_checked["reason"]],
        }
    )
    lacking = pd.DataFrame(
        {
            _("Missing data"): [say_missing(str(item), _) for item in missing["missing"]],
            _("Rules"): missing["rules"].to_numpy(),
            _("Cases"): missing["subjects"].to_numpy(),
        }
    )
    return {
        _("By rule"): build_rule_table(count_by_rule(checks, rules), rules, _),
        _("Cases"): build_check_view(checks, rules, _),
        _("Missing data"): lacking,
        _("Not judged"): silent,
    }

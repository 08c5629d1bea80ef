"""Downloads of the Inspection page: the inspection workbook with its formulas, CSV files, the evidence checklist."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from geodata.study import StudyArea
from planning.balance import Balance, list_shortages
from reports.inspection_workbook import build_inspection_workbook
from reports.language import Translator
from ui.file_buttons import render_file_buttons
from ui.inspection_choices import Inspected
from ui.inspection_county import name_item_group
from ui.inspection_panels import list_records

EVIDENCE_COLUMNS = ("item_id", "name", "reported_value", "met", "document", "dated", "note")


def say_messages(table: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return a table whose messages are sentences; what is nothing is an empty cell."""
    words = [name for name in ("name", "show", "note", "reason") if name in table.columns]
    said = {name: [_say(value, _) for value in table[name]] for name in words}
    return table.assign(**said)


def _say(value: object, _: Translator) -> str:
    return "" if value is None or isinstance(value, float) else value if type(value) is str else _.say(value)  # type: ignore[arg-type]


def build_checklist(balance: Balance, study: StudyArea, _: Translator) -> pd.DataFrame:
    """Return the items that a person must answer as a table that the page Data reads again, filled as far as known."""
    items = balance.items[balance.items["basis"] != "data"].drop_duplicates("item_id")
    known = study.evidence.drop_duplicates("item_id").set_index("item_id")
    rows = known.reindex(items["item_id"]).reset_index()
    names = [f"{_.say(item['name'])} ({name_item_group(str(item['group']), _)})" for item in list_records(items)]
    return rows.assign(name=names).reindex(columns=list(EVIDENCE_COLUMNS)).fillna("")


def render_files(study: StudyArea, inspected: Inspected, _: Translator) -> None:
    """Draw the buttons; a file is made when its button is pressed."""
    balance = inspected.balance
    st.caption(
        _(
            "The workbook is laid out as an inspection table: every derived cell is a formula over the cells that"
            " hold the inputs, with its source beside it."
        )
    )
    tables: dict[str, tuple[str, Callable[[], pd.DataFrame]]] = {
        "indicators": (_("Schools and indicators"), lambda: say_messages(balance.indicators, _)),
        "schools": (_("Schools"), lambda: balance.schools),
        "spread": (_("Spread"), lambda: balance.spread),
        "items": (_("Items of the county"), lambda: say_messages(balance.items, _)),
        "shortages": (_("What is short"), lambda: list_shortages(balance)),
        "left_out": (_("Schools out of scope"), lambda: say_messages(balance.left_out, _)),
        "checklist": (_("Checklist of evidence, to fill in"), lambda: build_checklist(balance, study, _)),
    }

    def workbook() -> bytes:
        return build_inspection_workbook(balance, study, inspected.rules, _)

    stem = f"inspection_{balance.kind}"
    render_file_buttons("inspection", _("Inspection workbook (Excel)"), workbook, tables, stem=stem)

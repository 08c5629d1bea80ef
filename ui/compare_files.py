"""Downloads of the Compare page: one workbook, or a CSV file per table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from reports.compare_files import build_comparison_tables, build_definition_table, render_workbook
from reports.language import Translator
from ui.compare_view import Compared
from ui.file_buttons import render_file_buttons


def render_downloads(compared: Compared, _: Translator) -> None:
    """Draw the buttons; a file is made when its button is pressed."""
    st.caption(_("All stages of the options, as one workbook or as CSV files; a spreadsheet opens them."))
    titles = {
        "options": _("Options"),
        "indicators": _("Indicators"),
        "gains": _("Who gains and who loses"),
        "spread": _("Pupils by change"),
        "worst": _("Worst twenty"),
        "schools": _("Schools"),
        "units": _("Planning units"),
        "definitions": _("Definitions"),
    }

    def tables() -> dict[str, pd.DataFrame]:
        return {**build_comparison_tables(compared.comparison, _), "definitions": build_definition_table(_)}

    def workbook() -> bytes:
        return render_workbook({titles[name]: table for name, table in tables().items()})

    files = {name: (title, lambda name=name: tables()[name]) for name, title in titles.items()}
    render_file_buttons("compare", _("Excel workbook"), workbook, files, stem="comparison")

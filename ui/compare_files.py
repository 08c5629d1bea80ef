"""Downloads of the Compare page: one workbook, or a CSV file per table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from reports.compare_files import build_comparison_tables, build_definition_table, render_workbook
from reports.language import Translator
from reports.tables import render_csv
from ui.compare_view import Compared

WORKBOOK_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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

    with st.container(key="compare_downloads", horizontal=True):
        st.download_button(
            _("Excel workbook"),
            workbook,
            file_name="comparison.xlsx",
            mime=WORKBOOK_MIME,
            key="compare_workbook",
            on_click="ignore",
            type="primary",
        )
        for name, title in titles.items():
            st.download_button(
                f"{title} (CSV)",
                lambda name=name: render_csv(tables()[name]),  # type: ignore[misc]
                file_name=f"comparison_{name}.csv",
                mime="text/csv",
                key=f"compare_download_{name}",
                on_click="ignore",
            )

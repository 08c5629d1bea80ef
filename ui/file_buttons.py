"""A row of downloads: one workbook and a CSV file per table; a file is made when its button is pressed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from reports.tables import render_csv

WORKBOOK_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def render_file_buttons(
    page: str,
    label: str,
    workbook: Callable[[], bytes],
    tables: Mapping[str, tuple[str, Callable[[], pd.DataFrame]]],
    *,
    stem: str = "",
) -> None:
    """Draw the buttons.

    Parameters
    ----------
    page
        Begins the keys of the widgets, and the names of the files where there is no ``stem``.
    label
        Of the button of the workbook.
    tables
        Title and builder of each table, by the name that ends its file's name.
    """
    stem = stem or page
    with st.container(key=f"{page}_downloads", horizontal=True):
        st.download_button(
            label,
            workbook,
            file_name=f"{stem}.xlsx",
            mime=WORKBOOK_MIME,
            key=f"{page}_workbook",
            on_click="ignore",
            type="primary",
        )
        for name, (title, build) in tables.items():
            st.download_button(
                f"{title} (CSV)",
                lambda build=build: render_csv(build()),  # type: ignore[misc]
                file_name=f"{stem}_{name}.csv",
                mime="text/csv",
                key=f"{page}_download_{name}",
                on_click="ignore",
            )

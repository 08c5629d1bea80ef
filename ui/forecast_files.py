"""Downloads of the Forecast page: one workbook, or a CSV file per table; text never starts a formula."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from geodata.study import StudyArea
from planning.forecast import Forecast
from reports.compare_files import render_workbook
from reports.forecast_tables import build_county_rows, build_town_table, spread_variants
from reports.language import Translator
from reports.tables import neutralise_formulas
from ui.file_buttons import render_file_buttons
from ui.forecast_choices import Asked


def build_files(
    study: StudyArea, forecast: Forecast, asked: Asked, alerts: pd.DataFrame, _: Translator
) -> dict[str, tuple[str, Callable[[], pd.DataFrame]]]:
    """Return title and table of every file by name."""
    stage = asked.stage

    def name_schools(table: pd.DataFrame) -> pd.DataFrame:
        names = study.schools.set_index("school_id")["name"]
        named = table.copy()
        named.insert(1, "name", named["school_id"].map(names).fillna("").to_numpy())
        return named

    return {
        "county": (_("County by stage"), lambda: build_county_rows(study, forecast)),
        "schools": (
            _("Schools by grade"),
            lambda: name_schools(spread_variants(forecast.schools, ["school_id", "stage", "grade", "year"])),
        ),
        "units": (
            _("Children by area"),
            lambda: spread_variants(forecast.units[forecast.units["stage"] == stage], ["unit_id", "stage", "year"]),
        ),
        "townships": (_("Townships"), lambda: build_town_table(study, forecast, stage)),
        "alerts": (_("Seat alerts"), lambda: alerts),
        "back_test": (_("Back-test"), lambda: forecast.back_test),
        "notes": (_("Assumptions"), lambda: pd.DataFrame({"note": [_.say(note) for note in forecast.notes]})),
    }


def render_downloads(study: StudyArea, forecast: Forecast, asked: Asked, alerts: pd.DataFrame, _: Translator) -> None:
    """Draw the buttons; a file is made when its button is pressed."""
    files = build_files(study, forecast, asked, alerts, _)
    st.caption(_("One workbook, or CSV files; a spreadsheet opens them. Low, middle and high stand side by side."))

    def workbook() -> bytes:
        sheets = {title: neutralise_formulas(build()) for title, build in files.values()}
        return render_workbook(sheets)

    render_file_buttons("forecast", _("Excel workbook"), workbook, files)

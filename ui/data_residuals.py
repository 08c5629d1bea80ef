"""Known totals beside what the planning units add up to: what calibration has reached, township by township."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from geodata.errors import DataError
from geodata.study import StudyArea
from geodata.study_file import StudySpec
from reports.language import Translator
from reports.tables import render_csv
from ui.settings_form import name_stage
from ui.text import clean, plain

NOTABLE_SHARE = 0.005
HEIGHT = 320


def render_residuals(_: Translator, study: StudyArea, spec: StudySpec) -> None:
    """Draw the table of known totals; nothing where the study knows none."""
    source = spec.population
    if source is None or not (source.town_totals or source.age_totals or source.totals):
        return
    try:
        table = _build(study.fingerprint, study, spec)
    except (DataError, OSError):
        return  # the files are gone or were changed since: the findings say so
    if table.empty:
        return
    shares = table["difference_share"].abs()
    largest = float(shares.max()) if shares.notna().any() else 0.0
    line = _(
        "Known totals: {count}. The largest difference that is left is {share}.",
        count=_.number(len(table)),
        share=_.percent(largest, digits=2),
    )
    mark = ":orange[⚠]" if largest > NOTABLE_SHARE else ":green[✓]"
    st.markdown(f"{mark} {plain(line)}")
    with st.expander(_("Totals and what the units add up to"), expanded=largest > NOTABLE_SHARE):
        shown = build_shown(_, table)
        st.dataframe(shown, hide_index=True, height=min(HEIGHT, 40 + 35 * len(shown)), key="residuals")
        st.download_button(
            _("Download as CSV"),
            data=lambda: render_csv(shown),
            file_name="totals.csv",
            mime="text/csv",
            key="residuals_csv",
            on_click="ignore",
        )


@st.cache_data(max_entries=10, show_spinner=False)
def _build(fingerprint: str, _study: StudyArea, _spec: StudySpec) -> pd.DataFrame:
    from geodata.age_totals_fit import build_residual_table

    return build_residual_table(_study.units, _spec)


def build_shown(_: Translator, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as the reader sees it, the largest differences first."""
    order = table["difference_share"].abs().fillna(0.0).sort_values(ascending=False, kind="stable").index
    rows = table.loc[order]
    return pd.DataFrame(
        {
            _("Township"): [clean(town) or _("whole county") for town in rows["town"]],
            _("What was counted"): [name_counted(_, str(what)) for what in rows["what"]],
            _("Known total"): [_.number(value) for value in rows["known"]],
            _("In the planning units"): [_.number(value) for value in rows["found"]],
            _("Difference"): [_.number(value, digits=1) for value in rows["difference"]],
            _("Difference, %"): [_.percent(value, digits=2) for value in rows["difference_share"]],
        }
    )


def name_counted(_: Translator, column: str) -> str:
    """Return a column of counts in the reader's language."""
    stage = column.removesuffix("_pupils")
    return _("People") if stage == column else _("Children: {stage}", stage=name_stage(_, stage))

"""What several parts of the Forecast page read: seat alerts and the school of every area, worked out once."""

from __future__ import annotations

from typing import cast

import pandas as pd
import streamlit as st

from geodata.study import Stage, StudyArea
from planning.forecast import Forecast
from planning.rules import read_rulebook
from planning.seat_alerts import build_alerts
from reports.forecast_scene import assign_units


def find_alerts(study: StudyArea, forecast: Forecast, stage: str, rulebook: str) -> pd.DataFrame:
    """Return the seat alerts of a stage, from the cache where they were worked out before."""
    return _build_alerts(study.fingerprint, forecast.fingerprint, stage, rulebook, study, forecast)


@st.cache_resource(max_entries=24, show_spinner=False)
def _build_alerts(
    fingerprint: str, forecast_mark: str, stage: str, rulebook: str, _study: StudyArea, _forecast: Forecast
) -> pd.DataFrame:
    return build_alerts(_study, read_rulebook(rulebook), _forecast, stage=cast(Stage, stage))


def find_unit_schools(study: StudyArea, stage: str) -> pd.Series[str]:
    """Return the school of every unit, by unit id: that of its zone, else the nearest one of the stage."""
    return _find_unit_schools(study.fingerprint, stage, study)


@st.cache_resource(max_entries=12, show_spinner=False)
def _find_unit_schools(fingerprint: str, stage: str, _study: StudyArea) -> pd.Series[str]:
    return assign_units(_study, stage)

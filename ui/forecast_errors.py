"""How good the forecast is: what it would have said in earlier years, against what came, in plain words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from planning.forecast import Forecast
from reports.forecast_tables import build_error_table
from reports.forecast_words import name_method
from reports.language import Translator
from ui.forecast_choices import Asked
from ui.forecast_panels import render_small_title
from ui.text import plain


def render_errors(forecast: Forecast, asked: Asked, _: Translator) -> None:
    """Draw the back-test: a sentence, the table by years ahead and method, the weights."""
    table = build_error_table(forecast, _)
    if table.empty:
        st.text(
            _("Too few years of rolls are known to test the forecast on the past. Its range is wide for that reason.")
        )
        return
    st.html(f"<b>{say_errors(forecast, asked.stage, _)}</b>")
    st.caption(
        plain(
            _(
                "The forecast was made again as if earlier years were the present, and compared with the rolls that"
                " came. The numbers are mean errors in per cent of the pupils of the county: less is better."
            ),
            longest=400,
        )
    )
    left, right = st.columns([1.7, 1], gap="medium")
    with left:
        numbers = {
            str(name): st.column_config.NumberColumn(format="%.1f")
            for name in table.select_dtypes("number")
            if name not in (_("Years ahead"), _("Tests"))
        }
        st.dataframe(table, hide_index=True, column_config=numbers, placeholder="–", height=390)
    with right:
        weights = forecast.weights.get(asked.stage, {})
        if weights:
            render_small_title(_("Weights in the ensemble"))
            rows = pd.DataFrame(
                {
                    _("Method"): [name_method(name, _) for name in weights],
                    _("Weight"): [_.percent(value) for value in weights.values()],
                }
            )
            st.dataframe(rows, hide_index=True)


def say_errors(forecast: Forecast, stage: str, _: Translator) -> str:
    """Return the error of the forecast at the longest horizon tested, beside the last value and the straight line."""
    rows = forecast.back_test
    rows = rows[(rows["stage"] == stage) & (rows["level"] == "county")]
    if rows.empty:
        return _("This stage could not be tested on the past.")
    own = rows[rows["method"] == forecast.options.method]
    own = own if len(own) else rows[rows["method"] == "ensemble"]
    if own.empty:
        return _("This stage could not be tested on the past.")
    horizon = int(own["horizon_years"].max())

    def read(method: str) -> float:
        found = rows[(rows["method"] == method) & (rows["horizon_years"] == horizon)]["mape"]
        return float(found.iloc[0]) if len(found) else float("nan")

    error = float(own[own["horizon_years"] == horizon]["mape"].iloc[0])
    naive, linear = read("naive"), read("linear")
    words = _(
        "{years} years ahead the forecast was off by {error} on average; the last value by {naive}, a straight line by"
        " {linear}.",
        years=_.number(horizon),
        error=_.percent(error, digits=1),
        naive=_.percent(naive, digits=1),
        linear=_.percent(linear, digits=1),
    )
    tests = _(
        "Tests of that length: {count}.", count=_.number(int(own.loc[own["horizon_years"] == horizon, "cases"].iloc[0]))
    )
    words += ("" if _.language == "zh" else " ") + tests
    best = np.nanmin([naive, linear]) if np.isfinite([naive, linear]).any() else np.nan
    if np.isfinite(best) and error > best:
        more = _("Here the simpler way was better: take the range seriously.")
        words += ("" if _.language == "zh" else " ") + more
    return words

"""Seat alerts (学位预警) as a heat table: schools down, years across, total demand against places beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports.forecast_words import ALERT_COLOURS, say_school_year
from reports.language import MISSING_NUMBER, Translator

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

SIGNS = {"red": "▲", "yellow": "●", "green": "○"}
INK = {"red": "#ffffff", "yellow": "#3d2f00", "green": "#1d3b27"}


@dataclass(frozen=True, eq=False)
class HeatTable:
    """``table`` as a reader sees it; ``colours`` of the same shape, ``""`` where a cell has none; ``school_ids``."""

    table: pd.DataFrame
    colours: pd.DataFrame
    school_ids: tuple[str, ...]
    year_titles: tuple[str, ...]

    def style(self) -> Styler:
        """Return the table with its cells coloured."""
        return self.table.style.apply(lambda _frame: self.colours, axis=None)


def build_heat_table(alerts: pd.DataFrame, variant: str, _: Translator) -> HeatTable:
    """Return the heat table of one variant, the most and the earliest red first.

    A cell says the children of entry age in per cent of the intake places, with a sign for the colour.
    """
    rows = alerts[alerts["variant"] == variant]
    years = sorted({int(year) for year in rows["year"]})
    share = rows.pivot_table(index="school_id", columns="year", values="alert_share", aggfunc="first", dropna=False)
    colour = rows.pivot_table(index="school_id", columns="year", values="alert", aggfunc="first", dropna=False)
    about = rows.sort_values("year").groupby("school_id").last()
    fullest = rows.groupby("school_id")["fill_share"].max()
    weights = {"red": 10_000.0, "yellow": 100.0, "green": 1.0}
    score = sum(
        (colour.get(year, pd.Series(dtype=object)).map(weights).fillna(0) * (1 + (years[-1] - year) / 100))
        for year in years
    )
    about = about.assign(score=score, fullest=fullest).sort_values(
        ["score", "fullest"], ascending=False, kind="stable", na_position="last"
    )
    last = say_school_year(years[-1], _)
    table = pd.DataFrame(
        {
            _("School"): about["name"].astype(str),
            _("Pupils {year}", year=last): about["demand_pupils"].round(),
            _("Places"): about["places"].round(),
        }
    )
    colours = pd.DataFrame("", index=about.index, columns=table.columns)
    for year in years:
        title = say_school_year(year, _)
        shares, found = share[year].reindex(about.index), colour[year].reindex(about.index).fillna("")
        table[title] = [_say_cell(name, value, _) for name, value in zip(found, shares, strict=True)]
        colours[title] = [_say_colour(str(name)) for name in found]
    colours = colours.reindex(columns=table.columns, fill_value="")
    return HeatTable(
        table.reset_index(drop=True),
        colours.reset_index(drop=True),
        tuple(str(key) for key in about.index),
        tuple(say_school_year(year, _) for year in years),
    )


def _say_cell(alert: object, share: float, _: Translator) -> str:
    if not np.isfinite(share):
        return MISSING_NUMBER
    return f"{SIGNS.get(str(alert), '')} {_.percent(share)}".strip()


def _say_colour(alert: str) -> str:
    return f"background-color: {ALERT_COLOURS[alert]}; color: {INK[alert]}" if alert in ALERT_COLOURS else ""


def build_demand_table(alerts: pd.DataFrame, variant: str, _: Translator) -> pd.DataFrame:
    """Return one row per year: entrants against intake places, all pupils against all places, and the alerts.

    Every child lives in a zone: a school without one adds places, not children once more.
    """
    rows = alerts[alerts["variant"] == variant]
    if (rows["basis"] == "zones").any():
        again = rows["basis"] == "rolls"
        rows = rows.assign(**{name: rows[name].mask(again) for name in ("demand_pupils", "entry_children")})
    found = []
    for year in sorted({int(value) for value in rows["year"]}):
        of_year = rows[rows["year"] == year]
        sums = of_year[["demand_pupils", "places", "entry_children", "intake_places"]].sum(min_count=1)
        counts = of_year["alert"].value_counts()
        found.append(
            (
                say_school_year(year, _),
                *(round(float(value)) if np.isfinite(value) else np.nan for value in sums),
                *(int(counts.get(name, 0)) for name in ("red", "yellow", "green")),
            )
        )
    columns = [_("Year"), _("Pupils"), _("Places"), _("Entrants"), _("Intake")]
    return pd.DataFrame(found, columns=[*columns, "▲", "●", "○"])

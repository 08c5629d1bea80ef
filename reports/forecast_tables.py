"""The tables of the forecast: pupils by year of the county, its townships and schools, and what they say in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.study import STAGES
from planning.tables import build_stage_schools, compute_stage_rolls
from reports.forecast_words import name_method, say_school_year
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_stage_short

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from planning.forecast import Forecast

SERIES_COLUMNS = ("year", "kind", "pupils", "low_pupils", "high_pupils")
"""Pupils of one stage: ``kind`` is ``"roll"`` (past, counted) or ``"forecast"`` (middle, with low and high)."""
TOWN_COLUMNS = ("town", "year", "low_pupils", "pupils", "high_pupils")
SCHOOL_COLUMNS = (
    *("school_id", "name", "town", "today_pupils", "pupils", "low_pupils", "high_pupils"),
    *("capacity_places", "fill_share", "peak_fill_share", "peak_year", "change_pupils", "trouble"),
)
OVER_SHARE, EMPTY_SHARE = 1.0, 0.5
STEADY_SHARE = 0.03
"""Changes of less than this share of today's pupils are no rise or fall."""


def list_forecast_stages(forecast: Forecast) -> list[str]:
    """Return the stages that the forecast knows, lowest first."""
    known = set(forecast.county["stage"])
    return [stage for stage in STAGES if stage in known]


def list_future_years(forecast: Forecast) -> list[int]:
    """Return the school years after the base year."""
    return [int(year) for year in forecast.years if int(year) > forecast.base_year]


def spread_variants(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return one row per ``keys`` with ``low_pupils``, ``pupils`` (middle) and ``high_pupils``, sums over the rest."""
    if table.empty:
        return pd.DataFrame(columns=[*keys, "low_pupils", "pupils", "high_pupils"])
    sums = table.groupby([*keys, "variant"], sort=True, observed=True)["pupils"].sum(min_count=1).unstack("variant")
    named = sums.rename(columns={"low": "low_pupils", "middle": "pupils", "high": "high_pupils"})
    return named.reindex(columns=["low_pupils", "pupils", "high_pupils"]).reset_index()


def build_series(study: StudyArea, forecast: Forecast, stage: str, school_id: str = "") -> pd.DataFrame:
    """Return ``SERIES_COLUMNS`` of one stage: every year with a roll, then the forecast.

    The forecast begins with the roll of the base year, so that the lines meet. ``school_id``: one school only.
    """
    rolls = study.rolls[study.rolls["stage"] == stage]
    past = []
    for year in sorted(rolls["year"].unique().tolist()):
        counted = compute_stage_rolls(rolls, stage, int(year))["pupils"]
        counted = counted.reindex([school_id]) if school_id else counted
        if counted.notna().any():
            past.append((int(year), "roll", float(counted.sum()), np.nan, np.nan))
    table = forecast.county if not school_id else forecast.schools[forecast.schools["school_id"] == school_id]
    future = spread_variants(table[(table["stage"] == stage) & (table["year"] > forecast.base_year)], ["year"])
    rows = [
        (int(row[0]), "forecast", float(row[2]), float(row[1]), float(row[3]))
        for row in future[["year", "low_pupils", "pupils", "high_pupils"]].itertuples(index=False, name=None)
    ]
    base = [row[2] for row in past if row[0] == forecast.base_year]
    if not past and not school_id:  # no roll of any year: the children who live here are what is forecast
        children = study.units.get(f"{stage}_pupils", pd.Series(dtype=float))
        base = [float(children.sum())] if children.notna().any() else []
    if base and rows:
        rows.insert(0, (forecast.base_year, "forecast", base[0], base[0], base[0]))
    return pd.DataFrame([*past, *rows], columns=list(SERIES_COLUMNS))


def sum_places(study: StudyArea, stage: str) -> float:
    """Return the places of a stage as they are today; NaN where none are known."""
    return float(build_stage_schools(study, stage, None)["capacity_places"].sum(min_count=1))


def say_stage_ahead(series: pd.DataFrame, stage: str, _: Translator) -> str:
    """Return what comes for one stage as a sentence without full stop: from, to, by when, with the range."""
    ahead = series[series["kind"] == "forecast"]
    if len(ahead) < 2:
        return _("{stage}: no forecast", stage=name_stage_short(stage, _))
    now, then = float(ahead["pupils"].iloc[0]), float(ahead["pupils"].iloc[-1])
    at = int(ahead["pupils"].to_numpy(dtype=np.float64).argmax())
    peak, last = float(ahead["pupils"].iloc[at]), ahead.iloc[-1]
    words = {
        "stage": name_stage_short(stage, _),
        "now": _round(now, _),
        "then": _round(then, _),
        "year": say_school_year(int(last["year"]), _),
        "low": _round(float(last["low_pupils"]), _),
        "high": _round(float(last["high_pupils"]), _),
    }
    if 0 < at < len(ahead) - 1 and peak > max(now, then) * (1 + STEADY_SHARE):
        top = {"peak": _round(peak, _), "peak_year": say_school_year(int(ahead["year"].iloc[at]), _)}
        return _(
            "{stage}: {now} pupils now, {peak} at the peak in {peak_year}, {then} by {year} ({low} to {high})",
            **words,
            **top,
        )
    if not (series["kind"] == "roll").any():
        return _(
            "{stage}: no rolls are known; from {now} children now to {then} by {year} ({low} to {high}), by assumption",
            **words,
        )
    if then < now * (1 - STEADY_SHARE):
        return _("{stage}: pupils fall from {now} to {then} by {year} ({low} to {high})", **words)
    if then > now * (1 + STEADY_SHARE):
        return _("{stage}: pupils rise from {now} to {then} by {year} ({low} to {high})", **words)
    return _("{stage}: pupils stay near {now}, {then} by {year} ({low} to {high})", **words)


def _round(pupils: float, _: Translator) -> str:
    """Return pupils with three figures: a forecast is no count."""
    if not np.isfinite(pupils) or pupils < 100:
        return _.number(pupils)
    digits = 2 - int(np.floor(np.log10(pupils)))
    return _.number(round(pupils, digits))


def build_school_table(study: StudyArea, forecast: Forecast, stage: str, year: int, variant: str) -> pd.DataFrame:
    """Return ``SCHOOL_COLUMNS``, the schools in most trouble first.

    ``pupils`` are those of ``variant`` in ``year``; ``peak_fill_share`` is the fullest year of that variant up to the
    last; ``trouble``: how far the fill leaves 50 to 100 per cent, in that year or at the peak, in pupils.
    """
    schools = build_stage_schools(study, stage, None).set_index("school_id")
    every = forecast.schools[(forecast.schools["stage"] == stage) & (forecast.schools["year"] > forecast.base_year)]
    own = every[every["variant"] == variant].groupby(["school_id", "year"])["pupils"].sum(min_count=1).unstack("year")
    spread = spread_variants(every[every["year"] == year], ["school_id"]).set_index("school_id")
    own, spread = own.reindex(schools.index), spread.reindex(schools.index)
    places = schools["capacity_places"].where(schools["capacity_places"] > 0)
    fills = own.div(places, axis=0)
    known = fills.notna().any(axis=1)
    pupils = own[year] if year in own.columns else pd.Series(np.nan, index=schools.index)
    over = (own.max(axis=1) - OVER_SHARE * places).clip(lower=0)
    empty = (EMPTY_SHARE * places - pupils).clip(lower=0)
    table = pd.DataFrame(
        {
            "name": schools["name"],
            "town": schools["town"].fillna(""),
            "today_pupils": schools["actual_pupils"],
            "pupils": pupils,
            "low_pupils": spread["low_pupils"],
            "high_pupils": spread["high_pupils"],
            "capacity_places": schools["capacity_places"],
            "fill_share": pupils / places,
            "peak_fill_share": fills.max(axis=1),
            "peak_year": fills[known].idxmax(axis=1).reindex(schools.index).astype("float64"),
            "change_pupils": pupils - schools["actual_pupils"],
            "trouble": over.fillna(0) + empty.fillna(0),
        }
    )
    table = table.reset_index().loc[:, list(SCHOOL_COLUMNS)]
    order = table.assign(change=-table["change_pupils"].abs().fillna(0), loss=-table["trouble"])
    return table.loc[order.sort_values(["loss", "change"], kind="stable").index].reset_index(drop=True)


def build_town_table(study: StudyArea, forecast: Forecast, stage: str) -> pd.DataFrame:
    """Return ``TOWN_COLUMNS``: children of the stage who live in every township, by year from the base year on."""
    units = study.units
    towns = pd.Series(units["town"].fillna("").astype(str).to_numpy(), index=units["unit_id"].astype(str))
    rows = forecast.units[(forecast.units["stage"] == stage) & (forecast.units["year"] > forecast.base_year)]
    named = rows.assign(town=rows["unit_id"].astype(str).map(towns).fillna(""))
    found = spread_variants(named, ["town", "year"])
    column = f"{stage}_pupils"
    if column in units.columns and len(found):
        now = pd.Series(units[column].to_numpy(dtype=np.float64, na_value=np.nan)).groupby(towns.to_numpy()).sum()
        base = pd.DataFrame({"town": now.index, "year": forecast.base_year, "pupils": now.to_numpy()})
        base = base.assign(low_pupils=base["pupils"], high_pupils=base["pupils"])
        found = pd.concat([base, found], ignore_index=True)
    return found.loc[:, list(TOWN_COLUMNS)].sort_values(["town", "year"], ignore_index=True)


def build_town_summary(towns: pd.DataFrame, year: int, _: Translator) -> pd.DataFrame:
    """Return one row per township as a reader sees it: now, in ``year`` with its range, and the change."""
    first = int(towns["year"].min()) if len(towns) else 0
    now = towns[towns["year"] == first].set_index("town")["pupils"]
    then = towns[towns["year"] == year].set_index("town")
    now = now.reindex(then.index)
    table = pd.DataFrame(
        {
            _("Township"): [town or _("no township given") for town in then.index],
            _("Children now"): now.round().to_numpy(),
            _("Children then"): then["pupils"].round().to_numpy(),
            _("Low"): then["low_pupils"].round().to_numpy(),
            _("High"): then["high_pupils"].round().to_numpy(),
            _("Change"): (then["pupils"] - now).round().to_numpy(),
            _("Change (%)"): ((then["pupils"] / now.where(now > 0) - 1) * 100).round(1).to_numpy(),
        }
    )
    return table.sort_values(_("Change"), key=lambda column: -column.abs(), kind="stable", ignore_index=True)


def show_school_table(table: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return the table of schools as a reader sees it; the index is the school's code."""
    return pd.DataFrame(
        {
            _("School"): table["name"].astype(str).to_numpy(),
            _("Township"): table["town"].astype(str).to_numpy(),
            _("Pupils now"): table["today_pupils"].round().to_numpy(),
            _("Pupils then"): table["pupils"].round().to_numpy(),
            _("Low"): table["low_pupils"].round().to_numpy(),
            _("High"): table["high_pupils"].round().to_numpy(),
            _("Places today"): table["capacity_places"].round().to_numpy(),
            _("Fill then (%)"): (table["fill_share"] * 100).round(1).to_numpy(),
            _("Fullest (%)"): (table["peak_fill_share"] * 100).round(1).to_numpy(),
            _("Fullest in"): [
                say_school_year(int(year), _) if np.isfinite(year) else MISSING_NUMBER for year in table["peak_year"]
            ],
        },
        index=table["school_id"].astype(str),
    )


def build_error_table(forecast: Forecast, _: Translator) -> pd.DataFrame:
    """Return the back-test: rows by stage and years ahead, a column of mean errors (per cent) for every method."""
    found = forecast.back_test
    found = found[found["level"] == "county"]
    if found.empty:
        return pd.DataFrame()
    wide = found.pivot_table(index=["stage", "horizon_years"], columns="method", values="mape", sort=False)
    cases = found.groupby(["stage", "horizon_years"])["cases"].max().reindex(wide.index)
    order = [stage for stage in STAGES if stage in set(found["stage"])]
    wide = wide.reset_index()
    wide = wide.assign(place=wide["stage"].map(order.index), cases=cases.to_numpy())
    wide = wide.sort_values(["place", "horizon_years"], ignore_index=True)
    known = ("ensemble", "cohort", "linear", "naive")
    others = [name for name in dict.fromkeys(found["method"]) if name not in known]
    methods = [name for name in (*known[:2], *others, *known[2:]) if name in wide.columns]
    shown = {
        _("Stage"): [name_stage_short(str(stage), _) for stage in wide["stage"]],
        _("Years ahead"): wide["horizon_years"].astype(int).to_numpy(),
        **{name_method(name, _): (wide[name] * 100).round(1).to_numpy() for name in methods},
        _("Tests"): wide["cases"].astype(int).to_numpy(),
    }
    return pd.DataFrame(shown)


def build_county_rows(study: StudyArea, forecast: Forecast) -> pd.DataFrame:
    """Return the county's pupils for a file: stage, year, kind, pupils, low, high, places of today."""
    parts = []
    for stage in list_forecast_stages(forecast):
        series = build_series(study, forecast, stage)
        series.insert(0, "stage", stage)
        parts.append(series.assign(places_today=sum_places(study, stage)))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["stage", *SERIES_COLUMNS])

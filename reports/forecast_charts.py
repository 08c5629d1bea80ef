"""The charts of the forecast as Vega-Lite specifications: rolls, middle line, range and places; small multiples.

Every chart stands beside a table with the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reports.compare_charts import READABLE
from reports.forecast_words import say_school_year

if TYPE_CHECKING:
    from reports.language import Translator

Spec = dict[str, Any]
LINE, BAND, PAST, PLACES = "#0b6e72", "#9fcfcb", "#3d4a55", "#b3490b"
CHART_PX, CELL_PX, CELL_WIDTH_PX = 172, 86, 128
MOST_CELLS = 24


def build_stage_chart(series: pd.DataFrame, places: float, _: Translator, *, height: int = CHART_PX) -> Spec:
    """Return rolls, middle line, range and places of one stage or school.

    Parameters
    ----------
    series
        ``reports.forecast_tables.SERIES_COLUMNS``.
    places
        Places of today; NaN: not known, no line.
    """
    rows = _list_rows(series, _)
    top = _find_top(series, places)
    years = sorted({int(year) for year in series["year"]})
    layers = _build_lines(_)
    if np.isfinite(places):
        layers.append(
            {
                "mark": {"type": "rule", "color": PLACES, "strokeDash": [5, 3], "strokeWidth": 1.4, "clip": True},
                "encoding": {
                    "x": {"value": 0},
                    "x2": {"value": "width"},
                    "y": {"datum": places},
                    "tooltip": {"value": _say_places(places, _)},
                },
            }
        )
    return {
        "description": _("Pupils by school year: rolls, forecast with its range, places"),
        "data": {"values": rows},
        "config": READABLE,
        "height": height,
        "encoding": {
            "x": _encode_years(years),
            "y": {
                "field": "pupils",
                "type": "quantitative",
                "title": None,
                "scale": {"domain": [0, top]},
                "axis": {"format": ",.0f", "tickCount": 4, "gridColor": "#eceff0"},
            },
        },
        "layer": layers,
    }


def _list_rows(series: pd.DataFrame, _: Translator) -> list[dict[str, Any]]:
    """Return plain rows, unknown numbers as None."""
    names = {"roll": _("Roll"), "forecast": _("Forecast")}
    return [
        {
            "year": int(row["year"]),
            "told": say_school_year(int(row["year"]), _),
            "kind": str(row["kind"]),
            "what": names[str(row["kind"])],
            **{name: _plain(row.get(f"{name}_pupils")) for name in ("low", "high")},
            "pupils": _plain(row["pupils"]),
        }
        for row in series.to_dict("records")
    ]


def _plain(value: Any) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def _find_top(series: pd.DataFrame, places: float) -> float:
    numbers = series[["pupils", "high_pupils"]].to_numpy(dtype=np.float64).ravel()
    numbers = np.append(numbers[np.isfinite(numbers)], places if np.isfinite(places) else 0.0)
    return float(numbers.max(initial=1.0)) * 1.06


def _say_places(places: float, _: Translator) -> str:
    return _("{count} places today", count=_.number(places))


def _encode_years(years: list[int]) -> Spec:
    step = 1 if len(years) <= 8 else 2 if len(years) <= 16 else 4
    return {
        "field": "year",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [years[0] - 0.2, years[-1] + 0.2], "nice": False} if years else {},
        "axis": {"format": "d", "values": years[::step], "grid": False, "labelAngle": 0},
    }


def _build_lines(_: Translator) -> list[Spec]:
    """Return the layers of range, forecast and rolls."""
    tooltip = [
        {"field": "told", "type": "nominal", "title": _("School year")},
        {"field": "what", "type": "nominal", "title": _("Source")},
        {"field": "pupils", "type": "quantitative", "format": ",.0f", "title": _("Pupils")},
        {"field": "low", "type": "quantitative", "format": ",.0f", "title": _("Low")},
        {"field": "high", "type": "quantitative", "format": ",.0f", "title": _("High")},
    ]

    def only(kind: str) -> list[Spec]:
        return [{"filter": {"field": "kind", "equal": kind}}]

    return [
        {
            "transform": only("forecast"),
            "mark": {"type": "area", "color": BAND, "opacity": 0.55},
            "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}, "tooltip": tooltip},
        },
        {
            "transform": only("forecast"),
            "mark": {"type": "line", "color": LINE, "strokeWidth": 2.2, "point": {"color": LINE, "size": 22}},
            "encoding": {"tooltip": tooltip},
        },
        {
            "transform": only("roll"),
            "mark": {"type": "line", "color": PAST, "strokeWidth": 2, "point": {"color": PAST, "size": 30}},
            "encoding": {"tooltip": tooltip},
        },
    ]


def build_multiples(cells: pd.DataFrame, _: Translator, *, columns: int = 6) -> Spec:
    """Return a small chart for every name: middle line, range, and places where they are known.

    Parameters
    ----------
    cells
        ``name`` (in the order to be shown), ``year``, ``pupils``, ``low_pupils``, ``high_pupils``, ``places``.
        Every small chart has a scale of its own: what counts is the shape, and where it crosses its places.
    """
    names = list(dict.fromkeys(cells["name"].astype(str)))[:MOST_CELLS]
    shown = cells[cells["name"].isin(names)]
    rows = [
        {
            "name": str(row["name"]),
            "year": int(row["year"]),
            "told": say_school_year(int(row["year"]), _),
            "pupils": _plain(row["pupils"]),
            "low": _plain(row["low_pupils"]),
            "high": _plain(row["high_pupils"]),
            "places": _plain(row["places"]),
        }
        for row in shown.to_dict("records")
    ]
    return {
        "description": _("Pupils by school year, a small chart each"),
        "data": {"values": rows},
        "config": {**READABLE, "view": {"stroke": "#dfe5e5"}},
        "columns": columns,
        "spacing": {"row": 14, "column": 22},
        "facet": {
            "field": "name",
            "type": "nominal",
            "sort": names,
            "title": None,
            "header": {"labelFontSize": 11, "labelLimit": 150, "labelPadding": 4, "labelColor": "#26323d"},
        },
        "resolve": {"scale": {"y": "independent"}},
        "spec": _build_cell(sorted({int(year) for year in shown["year"]}), _),
    }


def _build_cell(years: list[int], _: Translator) -> Spec:
    """Return one small chart."""
    ends = [years[0], years[-1]] if years else []
    x = {
        "field": "year",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": ends, "nice": False},
        "axis": {"format": "d", "values": ends, "grid": False, "labelFontSize": 9, "labelBound": True},
    }
    number = {"type": "quantitative", "format": ",.0f"}
    tooltip = [
        {"field": "name", "type": "nominal", "title": _("Name")},
        {"field": "told", "type": "nominal", "title": _("School year")},
        {"field": "pupils", **number, "title": _("Pupils")},
        {"field": "low", **number, "title": _("Low")},
        {"field": "high", **number, "title": _("High")},
        {"field": "places", **number, "title": _("Places today")},
    ]

    def y(field: str) -> Spec:
        axis = {"tickCount": 2, "format": ",.0f", "labelFontSize": 9, "gridColor": "#eceff0"}
        return {"field": field, "type": "quantitative", "title": None, "scale": {"zero": True}, "axis": axis}

    band = {"type": "area", "color": BAND, "opacity": 0.55}
    dashed = {"type": "line", "color": PLACES, "strokeDash": [4, 3], "strokeWidth": 1.2}
    return {
        "width": CELL_WIDTH_PX,
        "height": CELL_PX,
        "encoding": {"x": x, "tooltip": tooltip},
        "layer": [
            {"mark": band, "encoding": {"y": y("low"), "y2": {"field": "high"}}},
            {"mark": {"type": "line", "color": LINE, "strokeWidth": 1.8}, "encoding": {"y": y("pupils")}},
            {"mark": dashed, "encoding": {"y": y("places")}},
        ],
    }

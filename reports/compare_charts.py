"""The charts of a comparison as Vega-Lite specifications: plain data, drawn by whatever shows the page.

Every chart stands beside a table with the same numbers; labels say in words what the colours say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.compare_units import BANDS
from planning.compare_years import ROLLS
from reports.compare_tables import name_area, sum_groups
from reports.compare_words import BAND_COLOURS, name_band

if TYPE_CHECKING:
    from planning.compare import Comparison
    from reports.language import Translator

Spec = dict[str, Any]
OPTION_COLOURS = ("#3d4a55", "#0b6e72", "#8a3ffc", "#b3490b")
OPTION_DASHES: tuple[list[int], ...] = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2])
OPTION_SHAPES = ("circle", "square", "triangle-up", "diamond")
BAR_PX, AXIS_PX, LEGEND_PX, LARGEST_GROUPS = 26, 84, 32, 40
WHOLE_LABELS = {"labelLimit": 190, "labelOverlap": False}
SHORTER, LONGER = ("won", "better_15", "better_5", "better"), ("worse", "worse_5", "worse_15", "lost")
READABLE = {
    "axis": {"labelColor": "#3f4a55", "titleColor": "#3f4a55"},
    "legend": {"labelColor": "#3f4a55", "titleColor": "#3f4a55"},
}
"""Greys that are dark enough to be read on white."""
OUTLINE = {"stroke": "#6a747e", "strokeWidth": 0.6}


def build_band_chart(comparison: Comparison, option: int, stage: str, _: Translator) -> Spec:
    """Return bars of pupils by band of change for one option: the whole county. All options have one scale.

    Pupils without a change are left out, or their bar would hide the others: :func:`say_unchanged` tells them.
    """
    options = range(1, len(comparison.names))
    wide = {number: sum_groups(comparison, number, "county", stage).sum(axis=0) for number in options}
    bands = [band for band in BANDS if band != "same" and any(table[band] >= 0.05 for table in wide.values())]
    top = max((float(table[bands].max()) for table in wide.values() if bands), default=0.0)
    total = float(wide[option].sum())
    counts = {band: float(wide[option][band]) for band in bands}
    rows = [
        {
            "band": name_band(band, _),
            "pupils": count,
            "label": _(
                "{pupils} ({share})",
                pupils=_.number(count),
                share=_.percent(count / total if total else np.nan, digits=1),
            ),
        }
        for band, count in counts.items()
    ]
    order = [name_band(band, _) for band in bands]
    colours = {"domain": order, "range": [BAND_COLOURS[band] for band in bands]}
    x = {
        "field": "pupils",
        "type": "quantitative",
        "title": _("Pupils"),
        "scale": {"domain": [0, top * 1.45 or 1]},
        "axis": {"tickCount": 3, "format": ",.0f"},
    }
    y = {"field": "band", "type": "nominal", "sort": order, "title": None, "axis": {**WHOLE_LABELS}}
    tooltip = [
        {"field": "band", "type": "nominal", "title": _("Change of the way")},
        {"field": "label", "type": "nominal", "title": _("Pupils")},
    ]
    return {
        "description": _("Pupils by change of their way to school: {name}", name=comparison.names[option]),
        "data": {"values": rows},
        "config": READABLE,
        "height": BAR_PX * max(1, len(bands)) + AXIS_PX,
        "encoding": {"x": x, "y": y, "tooltip": tooltip},
        "layer": [
            {
                "mark": {"type": "bar", "height": {"band": 0.78}, **OUTLINE},
                "encoding": {"color": {"field": "band", "type": "nominal", "scale": colours, "legend": None}},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 12, "color": "#26323d"},
                "encoding": {"text": {"field": "label", "type": "nominal"}},
            },
        ],
    }


def say_unchanged(comparison: Comparison, option: int, stage: str, _: Translator) -> str:
    """Return how many pupils' way does not change, in words."""
    bands = sum_groups(comparison, option, "county", stage).sum(axis=0)
    total = float(bands.sum())
    share = float(bands["same"]) / total if total else np.nan
    return _(
        "no change for {pupils} pupils ({share})",
        pupils=_.number(float(bands["same"])),
        share=_.percent(share, digits=1),
    )


def build_group_chart(comparison: Comparison, option: int, kind: str, stage: str, _: Translator) -> Spec:
    """Return one line per group: the share of pupils with a shorter way to the left, with a longer one to the right."""
    wide = sum_groups(comparison, option, kind, stage)
    total = wide.sum(axis=1)
    loses = (wide[list(LONGER)].sum(axis=1) / total).fillna(0.0)
    gains = (wide[list(SHORTER)].sum(axis=1) / total).fillna(0.0)
    order = pd.DataFrame({"loses": loses, "gains": gains}).sort_values(["loses", "gains"], ascending=[False, True])
    kept = [str(group) for group in order.index[:LARGEST_GROUPS]]
    counts = {group: wide.loc[group].to_numpy(dtype=np.float64) for group in kept}
    bands = [band for band in (*SHORTER, *LONGER) if any(count[BANDS.index(band)] > 0 for count in counts.values())]
    rows = _list_group_rows(counts, kind, _)
    tooltip = [
        {"field": "area", "type": "nominal", "title": _("Group")},
        {"field": "band", "type": "nominal", "title": _("Change of the way")},
        {"field": "pupils", "type": "quantitative", "format": ",.0f", "title": _("Pupils")},
        {"field": "told", "type": "nominal", "title": _("Share of pupils")},
    ]
    names = [name_area(kind, group, _) for group in kept]
    y = {"field": "area", "type": "nominal", "sort": names, "title": None, "axis": {**WHOLE_LABELS}}
    widest = max(0.01, float(loses.max()), float(gains.max())) * 1.05
    scale = {"domain": [name_band(band, _) for band in bands], "range": [BAND_COLOURS[band] for band in bands]}
    return {
        "description": _("Change of the way to school by area: {name}", name=comparison.names[option]),
        "data": {"values": rows},
        "config": READABLE,
        "height": BAR_PX * max(1, len(kept)) + AXIS_PX + LEGEND_PX * (1 + (len(bands) - 1) // 3),
        "encoding": {
            "y": y,
            "order": {"field": "away", "type": "quantitative"},
            "tooltip": tooltip,
        },
        "layer": [
            {
                "mark": {"type": "bar", "height": {"band": 0.8}, **OUTLINE},
                "encoding": {
                    "x": {
                        "field": "share",
                        "type": "quantitative",
                        "stack": "zero",
                        "title": _("← shorter way · share of pupils · longer way →"),
                        "axis": {"labelExpr": "format(abs(datum.value), '.1~%')", "tickCount": 5},
                        "scale": {"domain": [-widest, widest]},
                    },
                    "color": {
                        "field": "band",
                        "type": "nominal",
                        "scale": scale,
                        "legend": {"orient": "top", "title": None, "columns": 3, "labelLimit": 220},
                    },
                },
            },
            {
                "mark": {"type": "rule", "color": "#26323d"},
                "encoding": {
                    "x": {"datum": 0},
                    "y": {"value": 0},
                    "y2": {"value": "height"},
                    "tooltip": {"value": None},
                },
            },
        ],
    }


def _list_group_rows(counts: Mapping[str, npt.NDArray[np.float64]], kind: str, _: Translator) -> list[dict[str, Any]]:
    """Return one row per group and band; ``counts``: pupils by ``BANDS`` of every group. Shorter ways are negative."""
    middle = BANDS.index("same")
    return [
        {
            "area": name_area(kind, group, _),
            "band": name_band(band, _),
            "away": abs(BANDS.index(band) - middle),
            "share": float(count[BANDS.index(band)] / count.sum()) * (1 if band in LONGER else -1),
            "told": _.percent(float(count[BANDS.index(band)] / count.sum()), digits=1),
            "pupils": float(count[BANDS.index(band)]),
        }
        for group, count in counts.items()
        if count.sum() > 0
        for band in (*SHORTER, *LONGER)
    ]


def build_year_chart(years: pd.DataFrame, names: tuple[str, ...], what: str, _: Translator) -> Spec:
    """Return lines by year. ``what``: ``"pupils"`` or ``"fill_share"``; ``years``: ``planning.compare_years``."""
    rolls = _("Rolls")
    labels = {ROLLS: rolls, **dict(enumerate(names))}
    known = years[np.isfinite(years[what].to_numpy(dtype=np.float64))]
    rows = [
        {
            "year": int(str(row["year"])),
            "option": labels[int(row["option"])],
            "value": float(row[what]),
            "kind": {"roll": rolls, "forecast": _("Forecast")}.get(str(row["kind"]), _("Plan")),
        }
        for row in known.to_dict("records")
    ]
    ticks = sorted({int(year) for year in known["year"]})
    shown = [labels[number] for number in sorted({int(number) for number in known["option"]})]
    colours = {rolls: "#6a747e"} | dict(zip(names, OPTION_COLOURS, strict=False))
    dashes = {rolls: [1, 0]} | dict(zip(names, OPTION_DASHES, strict=False))
    shapes = {rolls: "cross"} | dict(zip(names, OPTION_SHAPES, strict=False))
    share = what == "fill_share"
    title = _("Pupils per place") if share else _("Pupils")
    legend = {"orient": "top", "title": None, "labelLimit": 230, "columns": 2, "symbolSize": 70, "symbolStrokeWidth": 0}

    def scale(values: dict[str, Any]) -> Spec:
        return {"domain": shown, "range": [values[name] for name in shown]}

    field = {"field": "option", "type": "nominal"}
    return {
        "description": title,
        "data": {"values": rows},
        "config": READABLE,
        "height": 270 + LEGEND_PX * ((len(shown) + 1) // 2),
        "encoding": {
            "x": _encode_years(ticks, _),
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": title,
                "scale": {"domain": _choose_domain(known[what].to_numpy(dtype=np.float64), share=share), "nice": True},
                "axis": {"format": ".0%" if share else ",.0f", "tickCount": 5},
            },
            "color": {**field, "scale": scale(colours), "legend": legend},
            "tooltip": [
                {**field, "title": _("Option")},
                {"field": "year", "type": "quantitative", "format": "d", "title": _("School year from")},
                {"field": "kind", "type": "nominal", "title": _("Source")},
                {"field": "value", "type": "quantitative", "format": ".1%" if share else ",.0f", "title": title},
            ],
        },
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 2.2},
                "encoding": {"strokeDash": {**field, "scale": scale(dashes), "legend": None}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {"shape": {**field, "scale": scale(shapes), "legend": legend}},
            },
        ],
    }


def _encode_years(ticks: list[int], _: Translator) -> Spec:
    """Return the scale of years, with a mark at every year that is shown."""
    return {
        "field": "year",
        "type": "quantitative",
        "title": _("School year from"),
        "scale": {"domain": [ticks[0] - 0.3, ticks[-1] + 0.3], "nice": False},
        "axis": {"labelAngle": 0, "format": "d", "values": ticks, "grid": False},
    }


def _choose_domain(values: npt.NDArray[np.float64], *, share: bool) -> list[float]:
    """Return the ends of the scale: pupils from zero; fill not nearer than ten points around what is shown."""
    low, high = float(values.min()), float(values.max())
    if not share:
        return [0.0, high * 1.08 or 1.0]
    return [max(0.0, low - 0.05), high + 0.05]

"""The front of cost against travel as a Vega-Lite specification: one point per plan, to be clicked.

It stands beside a table with the same numbers; labels say in words what the colours say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reports.compare_charts import READABLE
from reports.siting_words import MONEY_UNITS, find_mean_min, name_plan, name_role, say_changes, say_gap, say_money

if TYPE_CHECKING:
    from planning.siting_answer import SitingAnswer
    from reports.language import Translator

Spec = dict[str, Any]
SELECTED = "plan"
"""Name of the selection that a click on a point makes."""
ROLE_COLOURS = {"best": "#0b6e72", "front": "#0b6e72", "alternative": "#b3490b"}
ROLE_SHAPES = {"best": "diamond", "front": "circle", "alternative": "square"}
CHOSEN, TODAY, LINE = "#26323d", "#6a747e", "#9fb6b7"
CHART_PX = 236
ROOM_SHARE = 0.2
SAME_SHARE = 0.05
"""Points nearer than this share of both spans are told by one number."""


def build_front_chart(answer: SitingAnswer, chosen: str, _: Translator, *, height: int = CHART_PX) -> Spec:
    """Return the chart of all plans; ``chosen``: id of the plan that is ringed. A click selects ``plan``."""
    rows = _list_points(answer, chosen, _)
    today = find_mean_min(answer.before)
    roles = [role for role in ROLE_COLOURS if any(row["kind"] == role for row in rows)]
    names = [name_role(role, _) for role in roles]
    field = {"field": "role", "type": "nominal"}
    legend = {
        "orient": "top",
        "title": None,
        "labelLimit": 120,
        "symbolSize": 60,
        "columns": 3,
        "offset": 2,
        "columnPadding": 6,
    }

    def scale(values: dict[str, str]) -> Spec:
        return {"domain": names, "range": [values[role] for role in roles]}

    tooltip = [
        {"field": "name", "type": "nominal", "title": _("Proposed plan")},
        {"field": "changes", "type": "nominal", "title": _("Changes")},
        {"field": "minutes", "type": "quantitative", "format": ".1f", "title": _("Mean way (min)")},
        {"field": "money", "type": "nominal", "title": _("Cost a year")},
        {"field": "proof", "type": "nominal", "title": _("Proof")},
    ]
    points = {
        "mark": {"type": "point", "filled": True, "size": 120, "opacity": 1, "cursor": "pointer"},
        "params": [{"name": SELECTED, "select": {"type": "point", "fields": ["plan"], "toggle": False}}],
        "encoding": {
            "color": {**field, "scale": scale(ROLE_COLOURS), "legend": legend},
            "shape": {**field, "scale": scale(ROLE_SHAPES), "legend": legend},
            "tooltip": tooltip,
        },
    }
    return {
        "description": _("Plans by mean way and by cost a year"),
        "data": {"values": rows},
        "config": READABLE,
        "height": height,
        "encoding": _encode_axes(rows, today, _),
        "layer": [_draw_line(), *_draw_today(today, _), _draw_ring(), points, _draw_numbers()],
    }


def _list_points(answer: SitingAnswer, chosen: str, _: Translator) -> list[dict[str, Any]]:
    rows = []
    for row in answer.front.to_dict("records"):
        plan = answer.find(str(row["plan"]))
        minutes, cost = float(row["mean_travel_min"]), float(row["cost_cny"])
        if not (np.isfinite(minutes) and np.isfinite(cost)):
            continue
        rows.append(
            {
                "plan": plan.plan_id,
                "name": name_plan(plan.plan_id, _),
                "short": plan.plan_id.rsplit(" ", 1)[-1],
                "kind": plan.role,
                "role": name_role(plan.role, _),
                "changes": say_changes(plan, _),
                "minutes": minutes,
                "cost": cost / MONEY_UNITS[_.language],
                "money": say_money(cost, _),
                "proof": say_gap(plan.certificate, _),
                "chosen": plan.plan_id == chosen,
                "line": plan.role in ("best", "front") and not bool(row["dominated"]),
            }
        )
    return _join_numbers(rows)


def _join_numbers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write the numbers of points that lie on one another beside the first of them."""
    spans = {
        name: max((row[name] for row in rows), default=0.0) - min((row[name] for row in rows), default=0.0)
        for name in ("minutes", "cost")
    }
    told: list[dict[str, Any]] = []
    for row in rows:
        same = [one for one in told if all(abs(one[name] - row[name]) <= SAME_SHARE * spans[name] for name in spans)]
        if same:
            same[0]["short"] += f", {row['short']}"
            row["short"] = ""
        else:
            told.append(row)
    return rows


def _encode_axes(rows: list[dict[str, Any]], today: float, _: Translator) -> Spec:
    minutes = [row["minutes"] for row in rows] + ([today] if np.isfinite(today) else [])
    axis = {"tickCount": 4, "gridColor": "#eceff0"}
    return {
        "x": {
            "field": "minutes",
            "type": "quantitative",
            "title": _("Mean way (min)"),
            "scale": {"domain": _spread(minutes), "nice": False},
            "axis": axis,
        },
        "y": {
            "field": "cost",
            "type": "quantitative",
            "title": _("Cost a year (million yuan)"),
            "scale": {"domain": _spread([row["cost"] for row in rows]), "nice": False},
            "axis": axis,
        },
    }


def _spread(values: list[float]) -> list[float]:
    """Return the ends of a scale with room around the points."""
    if not values:
        return [0.0, 1.0]
    low, high = min(values), max(values)
    room = (high - low) * ROOM_SHARE or max(abs(high) * 0.05, 0.05)
    return [max(0.0, low - room), high + room]


def _draw_line() -> Spec:
    """Return the line through the plans that no other plan beats in both."""
    return {
        "transform": [{"filter": "datum.line"}],
        "mark": {"type": "line", "color": LINE, "strokeWidth": 1.4},
        "encoding": {"order": {"field": "minutes", "type": "quantitative"}},
    }


def _draw_today(today: float, _: Translator) -> list[Spec]:
    if not np.isfinite(today):
        return []
    words = _("today {minutes} min", minutes=_.number(today, digits=1))
    rows = {"values": [{"minutes": today, "told": words}]}
    rule = {"type": "rule", "color": TODAY, "strokeDash": [4, 3], "clip": True}
    label = {"type": "text", "align": "right", "baseline": "bottom", "dx": -5, "fontSize": 11, "color": "#52605f"}
    return [
        {
            "data": rows,
            "mark": rule,
            "encoding": {
                "y": {"value": 0},
                "y2": {"value": "height"},
                "tooltip": {"field": "told", "type": "nominal", "title": _("Mean way (min)")},
            },
        },
        {
            "data": rows,
            "mark": label,
            "encoding": {"y": {"value": "height"}, "text": {"field": "told", "type": "nominal"}},
        },
    ]


def _draw_ring() -> Spec:
    return {
        "transform": [{"filter": "datum.chosen"}],
        "mark": {"type": "point", "size": 420, "stroke": CHOSEN, "strokeWidth": 2, "filled": False},
    }


def _draw_numbers() -> Spec:
    return {
        "mark": {"type": "text", "dy": -14, "dx": 9, "fontSize": 11, "fontWeight": 600, "color": CHOSEN},
        "encoding": {"text": {"field": "short", "type": "nominal"}},
    }

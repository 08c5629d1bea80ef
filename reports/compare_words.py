"""The words and colours of a comparison: bands of change, verdicts, numbers and differences, groups of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from reports.language import MISSING_NUMBER

if TYPE_CHECKING:
    from reports.language import Translator

BAND_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "won": "#0a2f5c",
        "better_15": "#1d5a9e",
        "better_5": "#6fa6d0",
        "better": "#c2dcec",
        "same": "#f1eee6",
        "worse": "#f9d9b5",
        "worse_5": "#ee9f52",
        "worse_15": "#a63f08",
        "lost": "#4a1405",
        "unknown": "#a3abb2",
    }
)
"""Blue: a shorter way; pale: within half a minute; orange to brown: longer. Told apart in grey, too, by their depth."""

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "way": (
            *("mean_travel_min", "median_travel_min", "p95_travel_min", "max_travel_min"),
            *("mean_length_m", "median_length_m", "p95_length_m", "max_length_m", "travel_gini"),
            *("travel_theil", "travel_hoover_share", "travel_atkinson"),
        ),
        "reach": (
            *("within_5_min_share", "within_10_min_share", "within_15_min_share", "within_20_min_share"),
            *("within_30_min_share", "within_500_m_share", "within_1000_m_share", "within_2000_m_share"),
            *("beyond_radius_share", "beyond_time_share", "unreached_pupils"),
            *("access_places_mean", "access_places_p10", "access_places_gini"),
        ),
        "places": (
            *("schools", "pupils", "actual_pupils", "places", "fill_share", "modelled_fill_share", "places_short"),
            *("fill_gini", "fill_gini_plain", "fill_cv", "fill_cv_plain", "leak_share"),
        ),
        "classes": ("mean_class_pupils", "large_class_share", "super_large_class_share", "small_schools"),
    }
)
"""Indicators by the question that they answer; an indicator in no group comes last."""

KEY_INDICATORS = (
    *("mean_travel_min", "p95_travel_min", "max_travel_min", "within_30_min_share", "beyond_radius_share"),
    *("unreached_pupils", "schools", "places", "modelled_fill_share", "places_short", "large_class_share"),
)
"""The few that stand beside the map."""


def name_group(group: str, _: Translator) -> str:
    """Return the heading of a group of numbers."""
    names = {
        "gains": _("Who gains and who loses"),
        "way": _("The way to school"),
        "reach": _("Within reach"),
        "places": _("Schools and places"),
        "classes": _("Classes"),
    }
    return names.get(group) or _("Other numbers")


def name_band(band: str, _: Translator) -> str:
    """Return a band of change in words."""
    names = {
        "won": _("gets a way"),
        "better_15": _("15 min or more shorter"),
        "better_5": _("5 to 15 min shorter"),
        "better": _("0.5 to 5 min shorter"),
        "same": _("no change"),
        "worse": _("0.5 to 5 min longer"),
        "worse_5": _("5 to 15 min longer"),
        "worse_15": _("15 min or more longer"),
        "lost": _("loses its way"),
        "unknown": _("unknown"),
    }
    return names.get(band, band)


def name_verdict(verdict: str, _: Translator) -> str:
    """Return whether a difference is for the better, in a word."""
    names = {
        "better": _("better"),
        "worse": _("worse"),
        "same": _("same"),
        "changed": _("different"),
        "unknown": _("not known"),
    }
    return names.get(verdict, verdict)


def name_status(status: str, _: Translator) -> str:
    """Return what happens to a school between the baseline and an option."""
    names = {"gone": _("✕ closed"), "new": _("★ new"), "changed": _("± changed"), "same": _("as before")}
    return names.get(status, status)


def say_number(value: float, unit: str, _: Translator) -> str:
    """Return a number with its unit, exact enough to be compared: a digit more than elsewhere."""
    if not np.isfinite(value):
        return MISSING_NUMBER
    if unit == "share":
        return _.percent(value, digits=1)
    if unit == "min":
        return _("{value} min", value=_.number(value, digits=1))
    if unit == "m":
        if abs(value) >= 1000:
            return _("{value} km", value=_.number(value / 1000, digits=2))
        return _("{value} m", value=_.number(value))
    if unit == "ratio":
        return _.number(value, digits=3)
    return _.number(value, digits=1 if 0 < abs(value) < 100 and abs(value - round(value)) > 0.04 else 0)


def say_difference(difference: float, unit: str, _: Translator) -> str:
    """Return a difference with its sign and unit; a difference of shares is in percentage points."""
    if not np.isfinite(difference):
        return MISSING_NUMBER
    sign = "+" if difference > 0 else "−" if difference < 0 else "±"
    size = abs(difference)
    if unit == "share":
        return sign + _("{value} points", value=_.number(size * 100, digits=1))
    return sign + say_number(size, unit, _)

"""One stage in one area as arrays, and the functions that indicators are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.leakage import compute_expected_pupils
from planning.measures import compute_class_share, compute_mean, compute_quantile
from planning.rules import Rules
from planning.tables import StageTables

_PAIR_NUMBERS = ("pupils", "time_min", "length_m", "radius_m", "max_min")
_SCHOOL_NUMBERS = ("capacity_places", "classes", "actual_pupils", "modelled_pupils", "mean_class_pupils")


@dataclass(frozen=True, eq=False)
class AreaView:
    """One stage in one area: the rows of its pairs as arrays, and the numbers of its schools by column.

    ``reach`` is places per child within reach of the unit of each pair.
    """

    stage: str
    rules: Rules
    schools: Mapping[str, npt.NDArray[np.float64]]
    pupils: npt.NDArray[np.float64]
    time_min: npt.NDArray[np.float64]
    length_m: npt.NDArray[np.float64]
    radius_m: npt.NDArray[np.float64]
    max_min: npt.NDArray[np.float64]
    unreached: npt.NDArray[np.bool_]
    reach: npt.NDArray[np.float64]

    def share_of_pupils(self, holds: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_] | None = None) -> float:
        """Return the share of pupils (of those ``among``) for whom ``holds`` is true; NaN where there are none."""
        known = ~np.isnan(self.pupils) if among is None else among & ~np.isnan(self.pupils)
        total = float(self.pupils[known].sum())
        return float(self.pupils[known & holds].sum()) / total if total > 0 else float("nan")


def compute_known_sum(values: npt.NDArray[np.float64]) -> float:
    """Return the sum of what is known; NaN where nothing is."""
    known = values[~np.isnan(values)]
    return float(known.sum()) if len(known) else float("nan")


def compute_pupils(view: AreaView) -> float:
    """Return the children of the area; NaN where units live there and none of their numbers is known."""
    known = view.pupils[~np.isnan(view.pupils)]
    return float(known.sum()) if len(known) or not len(view.pupils) else float("nan")


def compute_fill(view: AreaView, field: str) -> float:
    """Return pupils (``field``) by places, over the schools where both are known."""
    pupils, places = view.schools[field], view.schools["capacity_places"]
    known = ~np.isnan(pupils) & ~np.isnan(places)
    total = float(places[known].sum())
    return float(pupils[known].sum()) / total if total > 0 else float("nan")


def _judged_pupils(view: AreaView) -> npt.NDArray[np.float64]:
    """The roll of each school, or its modelled pupils where no roll is known."""
    actual = view.schools["actual_pupils"]
    return np.where(np.isnan(actual), view.schools["modelled_pupils"], actual)


def compute_places_short(view: AreaView) -> float:
    """Return the sum of pupils above the places of each school."""
    return compute_known_sum(np.maximum(_judged_pupils(view) - view.schools["capacity_places"], 0.0))


def compute_travel(view: AreaView, field: str, share: float | None) -> float:
    """Return the mean (``share`` None) or the quantile of minutes or metres of those who reach a school."""
    values: npt.NDArray[np.float64] = getattr(view, field)
    if share is None:
        return compute_mean(values, view.pupils)
    return compute_quantile(values, view.pupils, share)


def compute_within(view: AreaView, field: str, limit: float) -> float:
    """Return the share of pupils within ``limit``, the unreached counted as outside."""
    values: npt.NDArray[np.float64] = getattr(view, field)
    known = view.unreached | ~np.isnan(values)
    return view.share_of_pupils(values <= limit, known)


def compute_beyond(view: AreaView, field: str, limits: str) -> float:
    """Return the share of pupils beyond their limit, the unreached counted as beyond."""
    values: npt.NDArray[np.float64] = getattr(view, field)
    limit: npt.NDArray[np.float64] = getattr(view, limits)
    known = ~np.isnan(limit) & (view.unreached | ~np.isnan(values))
    return view.share_of_pupils(view.unreached | (values > limit), known)


def compute_unreached(view: AreaView) -> float:
    """Return the pupils who reach no school."""
    return float(np.nansum(view.pupils[view.unreached]))


def compute_spread(view: AreaView, measure: Callable[..., float], weighted: bool) -> float:
    """Spread of the fill share between schools, judged by the roll, else by the model; weights are those pupils."""
    pupils, places = _judged_pupils(view), view.schools["capacity_places"]
    fill = pupils / np.where(places > 0, places, np.nan)
    return measure(fill, pupils) if weighted else measure(fill)


def compute_large_share(view: AreaView, key: str) -> float:
    """Return the share of classes in schools whose average reaches the rule ``key``."""
    start = view.rules.limit(key, view.stage)
    if start is None:
        return float("nan")
    return compute_class_share(view.schools["mean_class_pupils"], view.schools["classes"], start)


def compute_mean_class(view: AreaView) -> float:
    """Return pupils by classes, over the schools where both are known."""
    known = ~np.isnan(view.schools["mean_class_pupils"])
    classes = float(view.schools["classes"][known].sum())
    return float(view.schools["actual_pupils"][known].sum()) / classes if classes else float("nan")


def compute_small_schools(view: AreaView) -> float:
    """Where no rule for small schools speaks, none is small."""
    actual = view.schools["actual_pupils"]
    known = ~np.isnan(actual)
    return float((actual[known] < view.schools["small_from"][known]).sum()) if known.any() else float("nan")


def _school_numbers(schools: pd.DataFrame, stage: str, rules: Rules) -> dict[str, npt.NDArray[np.float64]]:
    """Return the numbers of all schools by column; ``small_from`` is the size below which a school is small."""
    numbers = {name: schools[name].to_numpy(dtype=np.float64) for name in _SCHOOL_NUMBERS}
    small = [
        rules.limit("min_school_pupils", stage, kind=str(kind), setting=str(setting))
        for kind, setting in zip(schools["kind"], schools["setting"], strict=True)
    ]
    numbers["small_from"] = np.array([np.nan if limit is None else limit for limit in small], dtype=np.float64)
    numbers["expected_pupils"] = compute_expected_pupils(schools).to_numpy(dtype=np.float64)
    return numbers


def iterate_areas(tables: StageTables, rules: Rules) -> Iterator[tuple[str, str, AreaView]]:
    """Return (kind, area, view) for the county, then each setting and town that has units or schools."""
    schools = _school_numbers(tables.schools, tables.stage, rules)
    pairs = {name: tables.pairs[name].to_numpy(dtype=np.float64) for name in _PAIR_NUMBERS}
    pairs["reach"] = tables.reach.reindex(tables.pairs["unit_id"]).to_numpy(dtype=np.float64)
    unreached = (tables.pairs["school_id"] == "").to_numpy(dtype=bool)
    nobody = np.empty(0, dtype=np.int64)

    def build_view(rows: npt.NDArray[np.int64], members: npt.NDArray[np.int64]) -> AreaView:
        picked = {name: values[rows] for name, values in pairs.items()}
        some = {name: values[members] for name, values in schools.items()}
        return AreaView(tables.stage, rules, some, unreached=unreached[rows], **picked)

    yield "county", "", build_view(np.arange(len(tables.pairs)), np.arange(len(tables.schools)))
    for kind in ("setting", "town"):
        pairs_of = tables.pairs.groupby(kind).indices
        schools_of = tables.schools.groupby(kind).indices
        for area in sorted(str(name) for name in {*pairs_of, *schools_of} if name != ""):
            rows = np.asarray(pairs_of.get(area, nobody), dtype=np.int64)
            yield kind, area, build_view(rows, np.asarray(schools_of.get(area, nobody), dtype=np.int64))

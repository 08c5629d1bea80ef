"""Seat alerts (学位预警): children of entry age against the places of the entry grade, by school and year.

The rule (P7) compares the children of the zone who are of the age of the first grade with the normal intake plan. Here
the plan is the classes that the entry grade has today × the class size that the rulebook designs for, else the places
of the stage by its grades. Junior schools count the graduates of the schools that feed them. Registration (hukou) is
not in the data: children who live in the zone stand for it. Demand of the whole stage against all places stands beside
it, because the two can differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from geodata.study import StudyArea
from planning.balance_rules import read_param
from planning.forecast import VARIANTS, Forecast
from planning.rules import Rules
from planning.tables import build_stage_schools

Floats = npt.NDArray[np.float64]

ALERT_COLUMNS = (
    "school_id",
    "name",
    "stage",
    "year",
    "variant",
    "entry_children",
    "intake_places",
    "alert_share",
    "alert",
    "demand_pupils",
    "places",
    "fill_share",
    "look_ahead",
    "basis",
)


ALERTS = ("green", "yellow", "red")
HORIZON_YEARS = 3
"""How far a rule looks ahead that does not say (P7: three years)."""


@dataclass(frozen=True)
class AlertLevels:
    """Shares from which an alert is yellow and red (NaN: no rule says), and how many years the rule looks ahead."""

    yellow_from: float
    red_from: float
    horizon_years: int


def find_alert_levels(rules: Rules, stage: str) -> AlertLevels:
    """Return the levels of the rule ``seat_alert``; of books without it those of full and nearly full schools."""
    rule = rules.find("seat_alert", stage)
    yellow = () if rule is None else rule.params.get("yellow", ())
    low = yellow[0] if isinstance(yellow, list | tuple) and yellow else rules.limit("nearly_full_from", stage)
    full = rules.limit("max_fill_share", stage)
    return AlertLevels(
        float(low) if isinstance(low, int | float) else np.nan,
        read_param(rule, "red_from", np.nan if full is None else full),
        int(read_param(rule, "horizon_years", HORIZON_YEARS)),
    )


def build_alerts(
    study: StudyArea, rules: Rules, forecast: Forecast, *, stage: str, zones: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return ``ALERT_COLUMNS``: one row per school, year and variant of one stage, ordered by variant, year, school.

    ``alert`` is green, yellow or red, "" where it is not known. ``look_ahead``: within the years that the rule looks
    ahead. ``basis``: zones (children of the zone), feeders (graduates of the feeder schools) or rolls (entry as the
    forecast of the school has it; demand likewise).

    Parameters
    ----------
    study
        Of today.
    zones
        unit_id, stage, school_id and, where units are split, share. None: the study's.
    """
    schools = build_stage_schools(study, stage, None)
    ids = [str(key) for key in schools["school_id"]]
    shape = (len(VARIANTS), len(forecast.years), len(ids))
    if stage not in forecast.stages or not ids:
        return pd.DataFrame(columns=list(ALERT_COLUMNS))
    rows = forecast.schools[forecast.schools["stage"] == stage]
    entry, demand = _sum_rolls(rows, ids, forecast, entry_only=True), _sum_rolls(rows, ids, forecast, entry_only=False)
    basis = np.full(len(ids), "rolls", dtype=object)
    shares = _build_shares(study.zones if zones is None else zones, forecast, stage, ids)
    zoned = np.asarray(shares.sum(axis=0)).ravel() > 0
    if zoned.any():
        place = forecast.stages.index(stage)
        zone_entry = _gather(forecast.unit_entries[:, :, place], shares)
        entry = np.where(zoned, zone_entry, entry)
        demand = np.where(zoned, _gather(forecast.unit_pupils[:, :, place], shares), demand)
        basis[zoned] = "zones"
    fed = _count_graduates(study, forecast, stage, ids)
    if fed is not None:
        entry = np.where(np.isfinite(fed), fed, entry)
        basis[np.isfinite(fed).any(axis=(0, 1))] = "feeders"
    intake = _plan_intake(study, rules, forecast, stage, schools)
    table = _tabulate(schools, forecast, shape, {"entry_children": entry, "demand_pupils": demand}, intake)
    table["basis"] = np.tile(basis, shape[0] * shape[1])
    return _judge(table, forecast, find_alert_levels(rules, stage)).loc[:, list(ALERT_COLUMNS)]


def _sum_rolls(rows: pd.DataFrame, ids: list[str], forecast: Forecast, *, entry_only: bool) -> Floats:
    """Return pupils (variants, years, schools) of the forecast of schools; NaN where there is none."""
    if entry_only:
        rows = rows[(rows["grade"] > 0) & (rows["grade"] == rows["grade"].where(rows["grade"] > 0).min())]
    sums = rows.groupby(["variant", "year", "school_id"])["pupils"].sum()
    every = pd.MultiIndex.from_product([VARIANTS, forecast.years, ids])
    shape = (len(VARIANTS), len(forecast.years), len(ids))
    return sums.reindex(every).to_numpy(dtype=np.float64).reshape(shape)


def _build_shares(zones: pd.DataFrame, forecast: Forecast, stage: str, ids: list[str]) -> sparse.csr_array:
    """Return shares (units, schools); shared zones in equal parts where no share is given."""
    rows = zones[zones["stage"] == stage]
    unit = pd.Index(forecast.unit_ids).get_indexer(pd.Index(rows["unit_id"].astype(str)))
    school = pd.Index(ids).get_indexer(pd.Index(rows["school_id"].astype(str)))
    given = "share" in rows.columns
    weight = rows["share"].to_numpy(dtype=np.float64) if given else np.ones(len(rows))
    if not given:
        weight = weight / np.maximum(np.bincount(unit[unit >= 0], minlength=len(forecast.unit_ids) + 1)[unit], 1)
    good = (unit >= 0) & (school >= 0)
    return sparse.csr_array((weight[good], (unit[good], school[good])), shape=(len(forecast.unit_ids), len(ids)))


def _gather(children: Floats, shares: sparse.csr_array) -> Floats:
    """Return sums by school of children (variants, years, units); NaN where a unit of the school is not known."""
    flat = children.reshape(-1, children.shape[-1])
    known = np.isfinite(flat)
    sums = np.asarray((shares.T @ np.nan_to_num(flat).T).T)
    unknown = np.asarray((shares.T @ (~known).T.astype(np.float64)).T) > 0
    return np.where(unknown, np.nan, sums).reshape(*children.shape[:-1], shares.shape[1])


def _count_graduates(study: StudyArea, forecast: Forecast, stage: str, ids: list[str]) -> Floats | None:
    """Return graduates of the feeder schools, a year before entry, (variants, years, schools); None without feeders."""
    before = {"junior": "primary"}.get(stage)
    flows = forecast.flows[forecast.flows["stage"] == stage]
    flows = flows[flows["from_school_id"].ne("") & flows["school_id"].ne("")]
    rows = forecast.schools[forecast.schools["stage"] == before]
    if before is None or flows.empty or rows.empty or not (rows["grade"] > 0).any():
        return None
    last = int(rows["grade"].max())
    rows = rows[rows["grade"] == last]
    feeders = sorted(set(flows["from_school_id"]))
    years = (forecast.base_year, *forecast.years[:-1])
    later = rows.groupby(["variant", "year", "school_id"])["pupils"].sum()
    every = pd.MultiIndex.from_product([VARIANTS, years, feeders])
    leavers = (
        later.reindex(every).to_numpy(dtype=np.float64, copy=True).reshape(len(VARIANTS), len(years), len(feeders))
    )
    rolls = study.rolls
    now = rolls[(rolls["stage"] == before) & (rolls["grade"] == last) & (rolls["year"] == forecast.base_year)]
    leavers[:, 0] = now.groupby("school_id")["pupils"].sum().reindex(feeders).to_numpy(dtype=np.float64)
    to = pd.Index(ids).get_indexer(pd.Index(flows["school_id"]))
    source = pd.Index(feeders).get_indexer(pd.Index(flows["from_school_id"]))
    good = to >= 0
    share = flows["share"].to_numpy(dtype=np.float64)
    table = sparse.csr_array((share[good], (source[good], to[good])), shape=(len(feeders), len(ids)))
    found = np.asarray(np.nan_to_num(leavers).reshape(-1, len(feeders)) @ table).reshape(*leavers.shape[:2], len(ids))
    fed = np.asarray(table.sum(axis=0)).ravel() > 0
    return np.where(fed, found, np.nan)


def _plan_intake(study: StudyArea, rules: Rules, forecast: Forecast, stage: str, schools: pd.DataFrame) -> Floats:
    """Return places of the normal intake plan by school: classes of the entry grade × size, else places / grades."""
    rows = forecast.county[(forecast.county["stage"] == stage) & (forecast.county["grade"] > 0)]
    grades = rows["grade"].nunique() or {"kindergarten": 3, "primary": 6}.get(stage, 3)
    rolls = study.rolls[(study.rolls["stage"] == stage) & (study.rolls["year"] <= forecast.base_year)]
    rolls = rolls[rolls["year"] == rolls["year"].max()]
    first = rolls[(rolls["grade"] > 0) & (rolls["grade"] == (rows["grade"].min() if len(rows) else -1))]
    classes = first.groupby("school_id")["classes"].sum(min_count=1).reindex(schools["school_id"])
    kinds = zip(schools["kind"].fillna(""), schools["setting"].fillna(""), strict=True)
    size = np.array(
        [
            rules.limit("design_class_size", stage, kind=str(kind), setting=str(setting)) or np.nan
            for kind, setting in kinds
        ]
    )
    planned = classes.to_numpy(dtype=np.float64) * size
    by_places = schools["capacity_places"].to_numpy(dtype=np.float64) / grades
    return np.where(np.isfinite(planned) & (planned > 0), planned, by_places)


def _tabulate(
    schools: pd.DataFrame, forecast: Forecast, shape: tuple[int, int, int], values: Mapping[str, Floats], intake: Floats
) -> pd.DataFrame:
    n_variants, n_years, count = shape
    repeats = n_variants * n_years
    about = {name: np.tile(schools[name].to_numpy(dtype=object), repeats) for name in ("school_id", "name", "stage")}
    table = pd.DataFrame(about).astype("str")
    table["year"] = np.tile(np.repeat(forecast.years, count), n_variants)
    table["variant"] = pd.Series(np.repeat(np.array(VARIANTS, dtype=object), n_years * count), dtype="str")
    for name, found in values.items():
        table[name] = found.ravel()
    table["intake_places"] = np.tile(intake, repeats)
    table["places"] = np.tile(schools["capacity_places"].to_numpy(dtype=np.float64), repeats)
    return table


def _judge(table: pd.DataFrame, forecast: Forecast, levels: AlertLevels) -> pd.DataFrame:
    """Return the table with shares and alerts."""
    intake, places = table["intake_places"], table["places"]
    share = table["entry_children"] / intake.where(intake > 0)
    level = np.where(share >= levels.red_from, "red", np.where(share >= levels.yellow_from, "yellow", "green"))
    known = share.notna() & np.isfinite(levels.red_from) & np.isfinite(levels.yellow_from)
    return table.assign(
        alert_share=share,
        alert=pd.Series(np.where(known, level, ""), index=table.index, dtype="str"),
        fill_share=table["demand_pupils"] / places.where(places > 0),
        look_ahead=table["year"] <= forecast.base_year + levels.horizon_years,
    )

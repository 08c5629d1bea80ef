"""Who could help whom: strong and weak schools nearby, matched so that the weak ones gain most.

Weak: a school part that fails the six-of-seven rule. Strong: one that passes it. Both teach the stage.
Together: assets and pupils of both added. What partners can share is teachers: rooms and grounds half an hour away help
nobody. So, over the indicators of teachers, with ratios to the limit cut off at 1 (more than enough helps nobody),

    gain of the weak school   = Σ min(1, ratio together) − min(1, its own ratio)
    loss of the strong school = Σ min(1, its own ratio) − min(1, ratio together)

Pairs farther apart than the limit, or whose gain is not larger than the loss, are not made. Of all ways to give each
weak school at most one partner and each strong school at most so many, the one with the largest sum of gains less
losses is taken (assignment problem, ``scipy.optimize.linear_sum_assignment``); of equal ones the nearer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linear_sum_assignment

from geodata.errors import ScenarioError
from geodata.study import Mode, StudyArea
from planning.balance_registry import BALANCE_INDICATORS
from planning.balance_tables import BALANCE_STAGES, FAILED, PASSED, Balance

PAIR_COLUMNS = (
    "strong_id",
    "strong_name",
    "weak_id",
    "weak_name",
    "stage",
    "time_min",
    "gain",
    "loss",
    "lifted",
    "strong_met",
    "weak_met",
    "joint_met",
    "joint_short",
    "same_group",
    "pupils",
)
"""``gain`` of the weak and ``loss`` of the strong school: see above. ``lifted``: ids of indicators that the weak school
misses and both together meet, joined by ``;``; ``joint_short``: those that both together miss. ``strong_met``,
``weak_met``, ``joint_met``: indicators met. ``same_group``: they belong to one group already. ``pupils``: of both."""
SHARED_UNITS = ("teachers",)
"""What partner schools can share."""
NEARER_FIRST = 1e-6
"""Weight of travel time beside gains: it decides between equal ones only."""

Floats = npt.NDArray[np.float64]


def propose_pairs(
    study: StudyArea, balance: Balance, *, mode: Mode = "drive", max_min: float = 30.0, max_partners: int = 2
) -> pd.DataFrame:
    """Propose a strong partner nearby for each weak school: ``PAIR_COLUMNS``, by stage, largest gain first.

    Parameters
    ----------
    mode
        How teachers travel between the schools: times of the study, from the unit where one school stands to the other,
        averaged over both directions.
    max_min
        Longest time apart, in minutes.
    max_partners
        Most weak schools to one strong school.

    Raises
    ------
    ScenarioError
        The study has no travel times for the mode.
    """
    if mode not in study.travel:
        raise ScenarioError(f"propose_pairs: there are no travel times for {mode!r}")
    parts = [_pair_stage(study, balance, stage, mode, max_min, max_partners) for stage in BALANCE_STAGES]
    rows = [row for part in parts for row in part]
    return pd.DataFrame(rows, columns=list(PAIR_COLUMNS))


def compute_school_times(study: StudyArea, mode: Mode, first: list[str], second: list[str]) -> Floats:
    """Return minutes between schools, shape (first, second), the mean of both directions; NaN where not known.

    A school stands for its planning unit on the way out, so times within one unit are those from its middle.
    """
    travel = study.travel[mode]
    seats = (
        study.schools.drop_duplicates("school_id")
        .set_index("school_id")["unit_id"]
        .astype(object)
        .fillna("")
        .astype(str)
    )
    rows = pd.Index(travel.unit_ids, dtype=object)
    columns = pd.Index(travel.destination_ids, dtype=object)

    def pick(starts: list[str], goals: list[str]) -> Floats:
        row = rows.get_indexer(pd.Index([seats.get(key, "") for key in starts], dtype=object))
        column = columns.get_indexer(pd.Index(goals, dtype=object))
        found = travel.time_min[np.ix_(np.maximum(row, 0), np.maximum(column, 0))].astype(np.float64)
        found[row < 0, :] = np.nan
        found[:, column < 0] = np.nan
        return np.asarray(found, dtype=np.float64)

    there, back = pick(first, second), pick(second, first).T
    one_way = np.where(np.isnan(there), back, there)
    return np.where(np.isnan(there) | np.isnan(back), one_way, (there + back) / 2)


def _pair_stage(
    study: StudyArea, balance: Balance, stage: str, mode: Mode, max_min: float, max_partners: int
) -> list[dict[str, object]]:
    schools = balance.schools[balance.schools["stage"] == stage]
    weak = sorted(schools.loc[schools["status"] == FAILED, "school_id"].astype(str))
    strong = sorted(schools.loc[schools["status"] == PASSED, "school_id"].astype(str))
    if not weak or not strong or max_partners < 1:
        return []
    tables = _Tables.build(balance, stage)
    times = compute_school_times(study, mode, weak, strong)
    net = tables.gains(weak, strong) - tables.losses(weak, strong)
    near = np.nan_to_num(times, nan=np.inf) <= max_min
    worth = np.where(near & (net > 1e-12), net * (1 - NEARER_FIRST * np.nan_to_num(times) / max(max_min, 1e-9)), 0.0)
    together = _find_same_groups(study)
    rows = [
        tables.describe(weak[row], strong[column], float(times[row, column]), stage, together)
        for row, column in _match(worth, max_partners)
    ]
    return sorted(rows, key=lambda row: (float(str(row["loss"])) - float(str(row["gain"])), str(row["weak_id"])))


def _match(worth: Floats, max_partners: int) -> list[tuple[int, int]]:
    """Return (row, column) of the matching with the largest sum; a column is used up to ``max_partners`` times."""
    copies = np.repeat(np.arange(worth.shape[1]), max_partners)
    rows, columns = linear_sum_assignment(worth[:, copies], maximize=True)
    found = [(int(row), int(copies[column])) for row, column in zip(rows, columns, strict=True)]
    return [(row, column) for row, column in found if worth[row, column] > 0]


def _find_same_groups(study: StudyArea) -> dict[str, set[str]]:
    """Return the groups of each school."""
    found: dict[str, set[str]] = {}
    tables = (pd.DataFrame(study.groups), pd.DataFrame(study.schools))
    for table in tables:
        if {"school_id", "group_id"} <= set(table.columns):
            for key, group in zip(table["school_id"], table["group_id"].astype(object).fillna(""), strict=True):
                if str(group):
                    found.setdefault(str(key), set()).add(str(group))
    return found


class _Tables:
    """Assets, and what would be needed of them, by school and indicator of one stage."""

    def __init__(self, balance: Balance, stage: str, totals: pd.DataFrame, needed: pd.DataFrame) -> None:
        rows = balance.schools[balance.schools["stage"] == stage].set_index("school_id")
        self.names, self.pupils, self.met = rows["name"], rows["pupils"], rows["met_count"]
        self.indicators = [str(name) for name in totals.columns]
        self.at = {str(key): place for place, key in enumerate(totals.index)}
        self.totals, self.needed = totals.to_numpy(dtype=np.float64), needed.to_numpy(dtype=np.float64)
        units = {item.id: item.asset_unit for item in BALANCE_INDICATORS[balance.kind]}
        self.shared = np.array([units[name] in SHARED_UNITS for name in self.indicators])

    @classmethod
    def build(cls, balance: Balance, stage: str) -> _Tables:
        """Read the rows of one stage; needed is limit × pupils / per."""
        rows = balance.indicators[balance.indicators["stage"] == stage]
        per = rows["indicator"].map({item.id: float(item.per) for item in BALANCE_INDICATORS[balance.kind]})
        table = rows.assign(needed=rows["limit"] * rows["pupils"] / per)
        totals, needed = (
            table.pivot(index="school_id", columns="indicator", values=name) for name in ("total", "needed")
        )
        return cls(balance, stage, totals, needed)

    def _ratios(self, weak: list[str], strong: list[str]) -> tuple[Floats, Floats, Floats]:
        """Return ratios to the limit of each weak school, each strong one, and both; the last two axes broadcast."""
        one, two = ([self.at[key] for key in ids] for ids in (weak, strong))
        both = (self.totals[one][:, None, :] + self.totals[two][None, :, :]) / (
            self.needed[one][:, None, :] + self.needed[two][None, :, :]
        )
        own = self.totals[one] / self.needed[one]
        other = self.totals[two] / self.needed[two]
        return own[:, None, :], other[None, :, :], both

    def gains(self, weak: list[str], strong: list[str]) -> Floats:
        """Return the gain of each weak school (rows) with each strong one (columns)."""
        own, _other, both = self._ratios(weak, strong)
        return self._sum_shared(np.minimum(1.0, both) - np.minimum(1.0, own))

    def losses(self, weak: list[str], strong: list[str]) -> Floats:
        """Return what each strong school (columns) would fall short of its limits with each weak one (rows)."""
        _own, other, both = self._ratios(weak, strong)
        return self._sum_shared(np.maximum(0.0, np.minimum(1.0, other) - np.minimum(1.0, both)))

    def _sum_shared(self, change: Floats) -> Floats:
        return np.asarray(np.nansum(change[..., self.shared], axis=-1), dtype=np.float64)

    def describe(
        self, weak: str, strong: str, time_min: float, stage: str, groups: dict[str, set[str]]
    ) -> dict[str, object]:
        """Return one row of ``PAIR_COLUMNS``."""
        own, _other, both = (table[0, 0] for table in self._ratios([weak], [strong]))
        full = 1.0 - 1e-9
        return {
            "strong_id": strong,
            "strong_name": self.names[strong],
            "weak_id": weak,
            "weak_name": self.names[weak],
            "stage": stage,
            "time_min": time_min,
            "gain": float(self.gains([weak], [strong])[0, 0]),
            "loss": float(self.losses([weak], [strong])[0, 0]),
            "lifted": ";".join(
                name for name, one, two in zip(self.indicators, own, both, strict=True) if one < full <= two
            ),
            "strong_met": int(self.met[strong]),
            "weak_met": int(self.met[weak]),
            "joint_met": int((both >= full).sum()),
            "joint_short": ";".join(name for name, two in zip(self.indicators, both, strict=True) if two < full),
            "same_group": bool(groups.get(weak, set()) & groups.get(strong, set())),
            "pupils": float(self.pupils[weak] + self.pupils[strong]),
        }

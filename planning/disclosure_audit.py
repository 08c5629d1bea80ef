"""What a stranger can work out of the published tables: every hidden count narrowed by all sums that it stands in.

This reads the tables as they are published, knows nothing of how they were made, and uses another method than the one
that hides (intervals instead of linear programs), so that a mistake there is found here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.publication import Publication

Floats = npt.NDArray[np.float64]
COUNTED = {
    "units": (("pupils", "pupils_hidden"), ("moved_pupils", "moved_hidden")),
    "schools": (("pupils_before", "pupils_before_hidden"), ("pupils_after", "pupils_after_hidden")),
    "flows": (("pupils", "pupils_hidden"),),
    "towns": tuple(
        ("pupils" if name == "pupils" else f"{name}_pupils", f"{name}_hidden")
        for name in ("pupils", "moved", "worse", "better")
    ),
    "totals": (
        ("pupils", ""),
        *(
            (f"{name}_pupils", f"{name}_hidden")
            for name in ("moved", "worse", "same", "better", "lost", "won", "unknown")
        ),
    ),
}
WHOLE_SHARE = 0.9995
SWEEPS = 40
Key = tuple[str, str, int]


@dataclass(frozen=True)
class Narrowed:
    """A hidden count (table, column, place in the table) that lies between ``least`` and ``most`` for certain."""

    table: str
    column: str
    row: int
    least: float
    most: float


@dataclass(eq=False)
class _Sums:
    """Unknowns with their bounds, and the sums that tie them: what is listed of one row adds up to nothing."""

    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    known: dict[Key, int] = field(default_factory=dict)
    members: list[int] = field(default_factory=list)
    signs: list[float] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def add(self, low: float = 0.0, high: float = np.inf) -> int:
        """Add an unknown; return its number."""
        self.low.append(low)
        self.high.append(high)
        return len(self.low) - 1

    def tie(self, whole: int | None, parts: Iterable[int | None]) -> None:
        """Note that the parts add up to the whole; what is not known at all makes the sum useless."""
        listed = list(parts)
        if whole is None or any(part is None for part in listed):
            return
        self.members += [whole, *(part for part in listed if part is not None)]
        self.signs += [-1.0, *(1.0 for _ in listed)]
        self.ends.append(len(self.members))


def find_narrowed(publication: Publication) -> list[Narrowed]:
    """Return the hidden counts that can be narrowed to less than the threshold while they may be below it."""
    found: list[Narrowed] = []
    for stage in publication.stages:
        rows = {name: _select(publication, name, stage) for name in COUNTED}
        sums = _list_counts(rows)
        ways = publication.ways[publication.ways["stage"] == stage]
        _tie_tables(sums, rows)
        _tie_schools(sums, rows, ways)
        low, high = _tighten(sums)
        for (table, column, row), number in sums.known.items():
            if sums.high[number] == sums.low[number]:
                continue
            least, most = float(low[number]), float(high[number])
            if least < publication.threshold - 1e-6 and most - least < publication.threshold - 1e-6:
                found.append(Narrowed(table, column, row, least, most))
    return found


def _select(publication: Publication, name: str, stage: str) -> pd.DataFrame:
    table: pd.DataFrame = getattr(publication, name)
    return table[table["stage"] == stage]


def _list_counts(rows: dict[str, pd.DataFrame]) -> _Sums:
    """Return every count: shown ones as they are, hidden ones without bounds; unknown ones are left out."""
    sums = _Sums()
    for name, columns in COUNTED.items():
        table = rows[name]
        for column, flag in columns:
            hidden = table[flag].to_numpy(dtype=bool) if flag in table.columns else np.zeros(len(table), dtype=bool)
            values = table[column].to_numpy(dtype=np.float64)
            for row, value, gone in zip(table.index, values, hidden, strict=True):
                if gone:
                    sums.known[(name, column, int(row))] = sums.add()
                elif np.isfinite(value):
                    sums.known[(name, column, int(row))] = sums.add(value, value)
    return sums


def _tie_tables(sums: _Sums, rows: dict[str, pd.DataFrame]) -> None:
    """Units in towns, towns and flows in the county."""
    units, towns, flows, totals = (rows[name] for name in ("units", "towns", "flows", "totals"))
    by_town = {key: list(part) for key, part in units.groupby("town").groups.items()}
    whole = int(totals.index[0])
    for column in ("pupils", "moved_pupils"):
        for row, town in zip(towns.index, towns["town"], strict=True):
            parts = [sums.known.get(("units", column, int(unit))) for unit in by_town.get(town, [])]
            sums.tie(sums.known.get(("towns", column, int(row))), [part for part in parts if part is not None])
    for column in ("pupils", "moved_pupils", "worse_pupils", "better_pupils"):
        parts = [sums.known.get(("towns", column, int(row))) for row in towns.index]
        sums.tie(sums.known.get(("totals", column, whole)), parts)
    sums.tie(
        sums.known.get(("totals", "moved_pupils", whole)),
        [sums.known.get(("flows", "pupils", int(row))) for row in flows.index],
    )
    verdicts = [column for column, _ in COUNTED["totals"] if column not in ("pupils", "moved_pupils")]
    sums.tie(
        sums.known.get(("totals", "pupils", whole)),
        [sums.known.get(("totals", column, whole)) for column in verdicts],
    )
    for row in units.index:
        part = sums.known.get(("units", "moved_pupils", int(row)))
        if part is not None:
            sums.tie(sums.known.get(("units", "pupils", int(row))), [part, sums.add()])


def _tie_schools(sums: _Sums, rows: dict[str, pd.DataFrame], ways: pd.DataFrame) -> None:
    """Communities in the zones of schools; who comes, who leaves and who stays."""
    schools, flows, units = rows["schools"], rows["flows"], rows["units"]
    place = {key: int(row) for row, key in zip(units.index, units["unit_id"], strict=True)}
    stays = {key: sums.add() for key in schools["school_id"]}
    for side in ("before", "after"):
        members: dict[str, list[int]] = {}
        here = ways[ways["side"] == side]
        for (unit, school), part in here.groupby(["unit_id", "school_id"], sort=True):
            number = sums.known.get(("units", "pupils", place[unit]))
            if number is None:
                continue
            is_whole = len(part) == 1 and part["grades"].iloc[0] == "all" and part["share"].iloc[0] >= WHOLE_SHARE
            members.setdefault(str(school), []).append(number if is_whole else sums.add(0.0, sums.high[number]))
        for row, key in zip(schools.index, schools["school_id"], strict=True):
            whole = sums.known.get(("schools", f"pupils_{side}", int(row)))
            # Communities of which a small part goes there are not named: they may make the sum larger.
            sums.tie(whole, [*members.get(key, []), sums.add()])
            changing = flows.index[(flows[f"{side}_id"] == key).to_numpy()]
            sums.tie(whole, [stays[key], *(sums.known.get(("flows", "pupils", int(flow))) for flow in changing)])


def _tighten(sums: _Sums) -> tuple[Floats, Floats]:
    """Return the bounds when every sum has been used until nothing changes any more."""
    low, high = np.array(sums.low), np.array(sums.high)
    if not sums.ends:
        return low, high
    member, sign = np.array(sums.members), np.array(sums.signs)
    ends = np.array(sums.ends)
    starts = np.concatenate([[0], ends[:-1]])
    row = np.repeat(np.arange(len(ends)), ends - starts)
    for _ in range(SWEEPS):
        least = np.where(sign > 0, low[member], -high[member])
        most = np.where(sign > 0, high[member], -low[member])
        rest_least = _sum_others(least, starts, row)
        rest_most = _sum_others(most, starts, row)
        new_low = np.where(sign > 0, -rest_most, rest_least)
        new_high = np.where(sign > 0, -rest_least, rest_most)
        old = low.copy(), high.copy()
        np.maximum.at(low, member, new_low)
        np.minimum.at(high, member, new_high)
        if np.array_equal(old[0], low) and np.array_equal(old[1], high):
            break
    return low, high


def _sum_others(values: Floats, starts: npt.NDArray[np.int64], row: npt.NDArray[np.int64]) -> Floats:
    """Return for every member the sum of the others of its row; infinite where one of them is."""
    endless = ~np.isfinite(values)
    plain = np.where(endless, 0.0, values)
    sums = np.add.reduceat(plain, starts)[row] - plain
    count = np.add.reduceat(endless.astype(np.int64), starts)[row] - endless
    sign = np.sign(np.where(endless, values, 0.0))
    direction = np.add.reduceat(sign, starts)
    direction = np.where(direction[row] >= 0, np.inf, -np.inf)
    return np.where(count > 0, direction, sums)

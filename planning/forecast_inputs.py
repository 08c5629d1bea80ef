"""What a forecast starts from: rolls as a block of years × schools × grades, births by town, children by unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import STAGES, StudyArea
from planning.forecast_births import Births, build_births
from planning.forecast_options import ForecastOptions
from planning.scenario import name_stage

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DEFAULT_BASE_YEAR = 2025
"""School year of the data where nothing says it."""
DEFAULT_GRADES: Mapping[str, tuple[int, ...]] = {
    "kindergarten": (1, 2, 3),
    "primary": (1, 2, 3, 4, 5, 6),
    "junior": (7, 8, 9),
    "senior": (10, 11, 12),
}
LONGEST_STAGE = {"kindergarten": (3, 4), "primary": (4, 8), "junior": (2, 5), "senior": (2, 4)}
"""Fewest and most grades of a stage; rolls that hold others follow ``DEFAULT_GRADES``."""


RESIDENTS = ""
"""Id that stands for all schools of a stage without rolls: its pupils are the children of the units."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The grades of all stages, one after the other. ``first`` and ``last`` are positions by stage."""

    stage: tuple[str, ...]
    grade: tuple[int, ...]
    first: Mapping[str, int]
    last: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.stage)

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages in order."""
        return tuple(self.first)

    def of(self, stage: str) -> slice:
        """Return the positions of a stage."""
        return slice(self.first[stage], self.last[stage] + 1)

    def count(self, stage: str) -> int:
        """Return the number of grades of a stage."""
        return self.last[stage] - self.first[stage] + 1


@dataclass(frozen=True, eq=False)
class SchoolBlock:
    """Rolls by school, as far as they are known. NaN: not known; 0: nobody (not yet open, closed, grade not taught).

    ``pupils`` has shape (years, schools, cells), ``totals`` (years, schools, stages). ``ids`` are ordered; ``open``
    tells which schools have a roll in the base year, by stage (schools, stages). ``town`` numbers the towns.
    """

    ids: tuple[str, ...]
    years: tuple[int, ...]
    pupils: Floats
    totals: Floats
    open: npt.NDArray[np.bool_]
    town: Ints
    kind: tuple[str, ...]
    x_m: Floats
    y_m: Floats


@dataclass(frozen=True, eq=False)
class UnitBlock:
    """Children by unit (units, stages); NaN: not known. ``town`` numbers the towns of the schools and of the births."""

    ids: tuple[str, ...]
    town: Ints
    children: Floats
    x_m: Floats
    y_m: Floats


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything a forecast starts from. ``by_grade``: stages whose rolls of the base year know grades."""

    base_year: int
    cells: Cells
    schools: SchoolBlock
    units: UnitBlock
    births: Births | None
    towns: tuple[str, ...]
    by_grade: frozenset[str]
    with_rolls: frozenset[str]
    notes: tuple[Message, ...] = field(default=())


def build_inputs(study: StudyArea, options: ForecastOptions) -> Inputs:
    """Return the inputs of a forecast, everything in the order of ids so that the order of rows changes nothing."""
    notes: list[Message] = []
    rolls = _build_rolls(study, options, notes)
    base_year = _choose_base_year(study, rolls, options, notes)
    rolls = _carry_late(rolls[rolls["year"] <= base_year], base_year, notes)
    with_rolls = frozenset(rolls.loc[(rolls["year"] == base_year) & (rolls["pupils"] > 0), "stage"].astype(str))
    units = pd.DataFrame(study.units).sort_values("unit_id", kind="stable")
    bare = [stage for stage in STAGES if stage not in with_rolls and _has_children(units, stage)]
    rolls = _add_residents(rolls[rolls["stage"].isin(with_rolls)], units, bare, base_year)
    stages = [stage for stage in STAGES if stage in with_rolls or stage in bare]
    cells = build_cells(rolls, stages)
    towns = tuple(
        sorted({*_texts(study.schools["town"]), *_texts(units["town"]), *_texts(study.births["town"])} | {""})
    )
    births = build_births(study.births, units, towns)
    block, by_grade = _build_schools(study, rolls, cells, base_year, towns, births)
    return Inputs(
        base_year=base_year,
        cells=cells,
        schools=block,
        units=_build_units(units, cells, towns),
        births=births,
        towns=towns,
        by_grade=frozenset(by_grade),
        with_rolls=with_rolls,
        notes=tuple(notes),
    )


def _add_residents(rolls: pd.DataFrame, units: pd.DataFrame, stages: Sequence[str], year: int) -> pd.DataFrame:
    """Return the rolls with one school, ``RESIDENTS``, that holds the children of stages without rolls."""
    rows = [
        {
            "school_id": RESIDENTS,
            "year": year,
            "stage": stage,
            "grade": 0,
            "pupils": float(units[f"{stage}_pupils"].sum()),
        }
        for stage in stages
    ]
    return pd.concat([rolls, pd.DataFrame(rows)], ignore_index=True) if rows else rolls


def _texts(values: pd.Series[str]) -> set[str]:
    return {str(value) for value in values.fillna("").unique()}


def _has_children(units: pd.DataFrame, stage: str) -> bool:
    column = f"{stage}_pupils"
    return column in units.columns and bool(units[column].notna().any()) and float(units[column].sum()) > 0


def _build_rolls(study: StudyArea, options: ForecastOptions, notes: list[Message]) -> pd.DataFrame:
    """Return the rolls in a fixed order; rolls without a year are those of the base year."""
    rolls = pd.DataFrame(study.rolls[["school_id", "year", "stage", "grade", "pupils"]]).dropna(subset=["pupils"])
    dated = rolls.loc[rolls["year"] > 0, "year"]
    if len(dated) < len(rolls):
        year = int(dated.max()) if len(dated) else (options.base_year or DEFAULT_BASE_YEAR)
        rolls = rolls.assign(year=rolls["year"].where(rolls["year"] > 0, year))
        rolls = rolls.drop_duplicates(["school_id", "year", "stage", "grade"], keep="last")
        notes.append(msg("Rolls without a school year are taken as those of {year}.", year=year))
    return rolls.sort_values(["year", "stage", "school_id", "grade"], kind="stable", ignore_index=True)


def _carry_late(rolls: pd.DataFrame, base_year: int, notes: list[Message]) -> pd.DataFrame:
    """Return the rolls, where the last ones of a stage are older than the base year with these as of the base year."""
    year = rolls["year"].to_numpy(copy=True)
    for stage in STAGES:
        mine = (rolls["stage"] == stage).to_numpy()
        latest = int(year[mine].max()) if mine.any() else base_year
        if latest < base_year:
            year[mine & (year == latest)] = base_year
            notes.append(
                msg(
                    "{stage}: the last rolls are of {latest}; they are taken as those of {year}.",
                    stage=name_stage(stage),
                    latest=latest,
                    year=base_year,
                )
            )
    return rolls.assign(year=year).sort_values(
        ["year", "stage", "school_id", "grade"], kind="stable", ignore_index=True
    )


def _choose_base_year(study: StudyArea, rolls: pd.DataFrame, options: ForecastOptions, notes: list[Message]) -> int:
    if len(rolls):
        latest = int(rolls["year"].max())
        return latest if options.base_year is None else max(min(options.base_year, latest), int(rolls["year"].min()))
    if options.base_year is not None:
        return options.base_year
    year = int(study.births["year"].max()) if len(study.births) else DEFAULT_BASE_YEAR
    notes.append(msg("No rolls say which year today's children are of; they are taken as those of {year}.", year=year))
    return year


def build_cells(rolls: pd.DataFrame, stages: Sequence[str]) -> Cells:
    """Return the grades of the stages: those that the rolls hold (so 5 + 4 as well as 6 + 3), else the usual ones."""
    stage_of: list[str] = []
    grade_of: list[int] = []
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for stage in stages:
        grades = DEFAULT_GRADES[stage]
        seen = rolls.loc[(rolls["stage"] == stage) & (rolls["grade"] > 0), "grade"]
        if len(seen):
            low, high = int(seen.min()), int(seen.max())
            fewest, most = LONGEST_STAGE[stage]
            grades = tuple(range(low, high + 1)) if fewest <= high - low + 1 <= most else grades
        first[stage] = len(stage_of)
        stage_of += [stage] * len(grades)
        grade_of += grades
        last[stage] = len(stage_of) - 1
    return Cells(tuple(stage_of), tuple(grade_of), first, last)


def _build_schools(
    study: StudyArea,
    rolls: pd.DataFrame,
    cells: Cells,
    base_year: int,
    towns: tuple[str, ...],
    births: Births | None,
) -> tuple[SchoolBlock, set[str]]:
    about = pd.DataFrame(study.schools.drop_duplicates("school_id")).set_index("school_id")
    ids = tuple(sorted(set(rolls["school_id"].astype(str))))
    years = tuple(sorted({base_year, *rolls["year"].astype(int)})) if len(rolls) else (base_year,)
    known = about.reindex(list(ids))
    pupils, totals = _fill_blocks(rolls, ids, years, cells)
    _mark_closed(pupils, totals, cells)
    by_grade = {
        stage
        for at, stage in enumerate(cells.stages)
        if np.nansum(pupils[-1, :, cells.of(stage)]) > 0 and np.nansum(totals[-1, :, at]) > 0
    }
    _split_totals(pupils[-1], totals[-1], cells, base_year, births)
    place = {name: number for number, name in enumerate(towns)}
    block = SchoolBlock(
        ids=ids,
        years=years,
        pupils=pupils,
        totals=totals,
        open=np.isfinite(totals[-1]) & (totals[-1] > 0),
        town=np.array([place[str(name)] for name in known["town"].fillna("")], dtype=np.int64),
        kind=tuple(str(kind) for kind in known["kind"].fillna("")),
        x_m=known["x_m"].to_numpy(dtype=np.float64),
        y_m=known["y_m"].to_numpy(dtype=np.float64),
    )
    return block, by_grade


def _fill_blocks(
    rolls: pd.DataFrame, ids: tuple[str, ...], years: tuple[int, ...], cells: Cells
) -> tuple[Floats, Floats]:
    """Return pupils by cell and totals by stage. A total that stands beside grades is the one that counts."""
    school = pd.Index(ids).get_indexer(pd.Index(rolls["school_id"].astype(str)))
    year = pd.Index(years).get_indexer(pd.Index(rolls["year"].astype(int)))
    where = {key: at for at, key in enumerate(zip(cells.stage, cells.grade, strict=True))}
    keys = list(zip(rolls["stage"].astype(str), rolls["grade"].astype(int), strict=True))
    cell = np.array([where.get(key, -1) for key in keys], dtype=np.int64)
    value = rolls["pupils"].to_numpy(dtype=np.float64)
    pupils = np.full((len(years), len(ids), len(cells)), np.nan)
    totals = np.full((len(years), len(ids), len(cells.stages)), np.nan)
    good = cell >= 0
    pupils[year[good], school[good], cell[good]] = value[good]
    stage_at = {stage: at for at, stage in enumerate(cells.stages)}
    for stage, at in stage_at.items():
        part = pupils[:, :, cells.of(stage)]
        graded = np.isfinite(part).any(axis=2)
        part[graded] = np.nan_to_num(part[graded])
        totals[:, :, at] = np.where(graded, part.sum(axis=2), np.nan)
    whole = rolls["grade"].to_numpy() == 0
    stages = np.array([stage_at.get(stage, -1) for stage, _ in keys], dtype=np.int64)
    whole &= stages >= 0
    given = np.full_like(totals, np.nan)
    given[year[whole], school[whole], stages[whole]] = value[whole]
    for stage, place in stage_at.items():
        part, own, told = pupils[:, :, cells.of(stage)], totals[:, :, place], given[:, :, place]
        both = np.isfinite(told) & (own > 0)
        part[both] *= (told[both] / own[both])[:, None]
        part[np.isfinite(told) & ~(own > 0)] = np.nan
    return pupils, np.where(np.isfinite(given), given, totals)


def _mark_closed(pupils: Floats, totals: Floats, cells: Cells) -> None:
    """Count nobody before the first and after the last roll of a school, in years when others have one."""
    for at, stage in enumerate(cells.stages):
        known = np.isfinite(totals[:, :, at])
        asked = np.asarray(known.any(axis=1))
        before = np.cumsum(known, axis=0) == 0
        after = np.cumsum(known[::-1], axis=0)[::-1] == 0
        nobody = (before | after) & asked[:, None]
        totals[:, :, at][nobody] = 0.0
        pupils[:, :, cells.of(stage)][nobody] = 0.0


def split_base(block: SchoolBlock, cells: Cells, base: int, births: Births | None) -> SchoolBlock:
    """Return the rolls with the totals of the school year ``base`` split over the grades, as those of today are.

    ``births``: what was known of them in that year.
    """
    at = block.years.index(base)
    pupils = block.pupils.copy()
    _split_totals(pupils[at], block.totals[at], cells, base, births)
    return replace(block, pupils=pupils)


def _split_totals(pupils: Floats, totals: Floats, cells: Cells, year: int, births: Births | None) -> None:
    """Split the totals of one school year over the grades: as at schools with grades, else as children were born.

    Parameters
    ----------
    pupils
        (schools, cells); written where only the total is known.
    totals
        (schools, stages).
    """
    for at, stage in enumerate(cells.stages):
        part, total = pupils[:, cells.of(stage)], totals[:, at]
        bare = np.isfinite(total) & ~np.isfinite(part).any(axis=1)
        if not bare.any():
            continue
        if np.nansum(part) > 0:
            shares = np.nansum(part, axis=0) / np.nansum(part)
        else:
            shares = compute_grade_shares(cells, stage, year, births)
        part[bare] = total[bare, None] * shares


def compute_grade_shares(cells: Cells, stage: str, base_year: int, births: Births | None) -> Floats:
    """Return the share of every grade of a stage: that of the children born for it, else equal shares."""
    count = cells.count(stage)
    if births is not None:
        age = compute_entry_age(cells, stage)
        born = np.array([births.lag_county(base_year - step, age) for step in range(count)])
        if np.isfinite(born).all() and born.sum() > 0:
            shares: Floats = born / born.sum()
            return shares
    return np.full(count, 1.0 / count)


def compute_entry_age(cells: Cells, stage: str) -> int:
    """Return the age at entry: 3 for kindergarten, 6 for primary school (P1), then by the grades before."""
    if stage == "kindergarten":
        return 3
    before = {"primary": (), "junior": ("primary",), "senior": ("primary", "junior")}[stage]
    return 6 + sum(cells.count(name) if name in cells.first else len(DEFAULT_GRADES[name]) for name in before)


def _build_units(units: pd.DataFrame, cells: Cells, towns: tuple[str, ...]) -> UnitBlock:
    place = {name: number for number, name in enumerate(towns)}
    columns = [f"{stage}_pupils" for stage in cells.stages]
    children = np.column_stack(
        [
            units[column].to_numpy(dtype=np.float64) if column in units.columns else np.full(len(units), np.nan)
            for column in columns
        ]
        or [np.empty((len(units), 0))]
    )
    return UnitBlock(
        ids=tuple(units["unit_id"].astype(str)),
        town=np.array([place[str(name)] for name in units["town"].fillna("")], dtype=np.int64),
        children=children,
        x_m=units["x_m"].to_numpy(dtype=np.float64),
        y_m=units["y_m"].to_numpy(dtype=np.float64),
    )

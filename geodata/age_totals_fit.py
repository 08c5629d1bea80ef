"""Counts of units brought to two kinds of totals at once: people of each township, and people of each age.

Iterative proportional fitting (Deming and Stephan 1940): rows are townships, columns the ages of each stage and all
other people; the table is scaled to the totals of its rows and of its columns in turn, until both hold. What is kept
is how unlike the townships are (their odds ratios). Totals are by township at the finest, so it is enough to fit the
table of townships and to scale each unit with its township's cell.

Years of one stage share their unit's profile, so fitting the sum of a stage is the same as fitting each of its years:
single years enter as exact sums (3-5, 6-11, 12-14, 15-17; rule P5), and no year is split.

Where both kinds of totals contradict each other, both stay as they are for townships and stages, and the other people
(adults, mostly) take up the difference, which is told. Children who were counted, not derived, are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.age_totals import AgeTotals, read_age_totals
from geodata.calibrate import STAGE_LABEL, align_towns
from geodata.errors import DataIssue
from geodata.messages import msg
from geodata.population_buildings import read_town_totals
from geodata.population_table import PUPIL_COLUMNS, Values, limit_issues
from geodata.study import STAGES, Stage
from geodata.study_file import StudySpec

if TYPE_CHECKING:
    import geopandas as gpd

TOLERANCE = 1e-10
"""Fitting ends when no total is missed by more than this share."""
MAX_ROUNDS = 10_000
MISSED_SHARE = 1e-6
"""A total missed by more than this share is told as a warning."""
CONTRADICTION_SHARE = 0.01
"""Totals that differ by more than this share contradict each other."""

RESIDUAL_COLUMNS = ("town", "what", "known", "found", "difference", "difference_share")


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted table, the rounds it took, and the largest share by which a total is missed."""

    table: Values
    rounds: int
    missed_share: float


def fit_table(seed: Values, rows: Values, columns: Values) -> Fit:
    """Scale a table of numbers ≥ 0 until its sums are those given.

    Parameters
    ----------
    seed : shape (rows, columns). A zero stays zero.
    rows : wanted sum of each row; NaN = free
    columns : wanted sum of each column, shape (columns,), or of each cell, shape (rows, columns); NaN = free

    Returns
    -------
    Fit
        ``missed_share`` is above :data:`TOLERANCE` where totals contradict each other or zeros stand in the way.
    """
    table = seed.astype(np.float64, copy=True)
    by_cell = columns.ndim == 2
    missed, done = np.inf, 0
    while done < MAX_ROUNDS:
        done += 1
        before = table.copy()
        table *= _compute_factors(table.sum(axis=1), rows)[:, None]
        sums = table if by_cell else table.sum(axis=0)
        table *= _compute_factors(sums, columns)
        missed = max(_find_missed(table.sum(axis=1), rows), _find_missed(table if by_cell else table.sum(0), columns))
        if missed <= TOLERANCE or np.allclose(table, before, rtol=1e-14, atol=0.0):
            break
    return Fit(table, done, missed)


def _compute_factors(sums: Values, wanted: Values) -> Values:
    """Return by what to scale; 1 where nothing is wanted or nothing is there."""
    scaled = np.isfinite(wanted) & (sums > 0)
    return np.where(scaled, np.where(scaled, wanted, 1.0) / np.where(sums > 0, sums, 1.0), 1.0)


def _find_missed(sums: Values, wanted: Values) -> float:
    known = np.isfinite(wanted)
    if not known.any():
        return 0.0
    return float((np.abs(sums[known] - wanted[known]) / np.maximum(wanted[known], 1.0)).max())


@dataclass(frozen=True, eq=False)
class _Margins:
    """The totals of one fit: townships, stages, and what each cell, row and column sums up to now."""

    towns: list[str]
    stages: list[Stage]
    seed: Values
    rows: Values
    columns: Values


def fit_ages(
    units: gpd.GeoDataFrame,
    ages: AgeTotals,
    *,
    town_totals: pd.DataFrame | None = None,
    modelled: Sequence[Stage] = (),
) -> tuple[gpd.GeoDataFrame, list[DataIssue]]:
    """Bring people and children of all units to totals by township and by age.

    Parameters
    ----------
    units : the units table, already scaled to ``town_totals`` one township at a time
    ages : people by age, of the county or by township
    town_totals : known people by township. Townships without a total keep the people they have
    modelled : stages whose children were derived from people; only these, and stages of which no child is known, are
        brought to the ages. The children of other stages were counted

    Returns
    -------
    units : a changed copy
    issues : what was fitted, in how many rounds, how far the totals are missed, and where they contradict each other
    """
    units = units.copy()
    issues = list(ages.issues)
    sums = ages.sum_stages()
    known = [stage for stage in STAGES if stage in sums and np.isfinite(sums[stage]).any()]
    wanted = [stage for stage in known if stage in modelled or units[PUPIL_COLUMNS[stage]].isna().all()]
    issues += _tell_left_alone(set(known) - set(wanted), ages.file)
    if not wanted:
        return units, issues
    units, found = _spread_unknown(units, wanted, sums)
    issues += [*found, *_spread_in_towns(units, wanted, ages)]
    margins, found = _build_margins(units, ages, wanted, town_totals)
    issues += found
    fit = fit_table(margins.seed, margins.rows, margins.columns)
    before = margins.seed.sum(axis=0)
    _apply(units, margins, fit)
    issues += _tell_fit(margins, fit, before, ages.file)
    return units, issues


def _tell_left_alone(stages: set[Stage], file: str) -> list[DataIssue]:
    return [
        DataIssue(
            "calibration",
            "note",
            msg("{name}: the children were counted, so the totals by age do not change them.", name=STAGE_LABEL[stage]),
            file=file,
        )
        for stage in STAGES
        if stage in stages
    ]


def _spread_unknown(
    units: gpd.GeoDataFrame, stages: Sequence[Stage], sums: dict[Stage, Values]
) -> tuple[gpd.GeoDataFrame, list[DataIssue]]:
    """Give stages of which no child is known the children of the ages, spread like the people; a changed copy."""
    issues = []
    people = np.nan_to_num(units["population_people"].to_numpy(dtype=np.float64))
    for stage in stages:
        column, total = PUPIL_COLUMNS[stage], float(np.nansum(sums[stage]))
        if np.nansum(units[column].to_numpy(dtype=np.float64)) > 0 or total <= 0:
            continue
        if people.sum() <= 0:
            text = msg(
                "{name}: {total:,.0f} are known, but nothing says where they live.",
                name=STAGE_LABEL[stage],
                total=total,
            )
            issues.append(DataIssue("calibration", "warning", text))
            continue
        units[column] = total * people / people.sum()
        text = msg("{name}: {total:,.0f} pupils were spread like the people.", name=STAGE_LABEL[stage], total=total)
        issues.append(DataIssue("calibration", "note", text))
    return units, issues


def _spread_in_towns(units: gpd.GeoDataFrame, stages: Sequence[Stage], ages: AgeTotals) -> list[DataIssue]:
    """Give townships without a child of a stage those of their ages, spread like the people; in place.

    Scaling cannot make children out of nobody, and would take them from the people of the township.
    """
    if ages.of_county:
        return []
    issues = []
    meant, sums = align_towns(list(ages.towns), sorted(set(units["town"]))), ages.sum_stages()
    people = np.nan_to_num(units["population_people"].to_numpy(dtype=np.float64))
    for row, town in enumerate(ages.towns):
        chosen = (units["town"] == meant.get(town)).to_numpy() & (people > 0)
        for stage in stages:
            values = units[PUPIL_COLUMNS[stage]].to_numpy(dtype=np.float64).copy()
            total = float(sums[stage][row])
            if chosen.any() and total > 0 and not np.nansum(values[chosen]) > 0:
                values[chosen] = total * people[chosen] / people[chosen].sum()
                units[PUPIL_COLUMNS[stage]] = values
                text = msg(
                    "{name}: {total:,.0f} pupils were spread like the people.", name=STAGE_LABEL[stage], total=total
                )
                issues.append(DataIssue("calibration", "warning", text, file=ages.file, found=town))
    return limit_issues(issues)


def _build_margins(
    units: gpd.GeoDataFrame, ages: AgeTotals, stages: list[Stage], town_totals: pd.DataFrame | None
) -> tuple[_Margins, list[DataIssue]]:
    """Return the table to fit and its totals; the last column is everybody who is of no stage's age."""
    towns = sorted(set(units["town"]))
    at = {town: position for position, town in enumerate(towns)}
    group = units["town"].map(at).to_numpy()
    people = np.nan_to_num(units["population_people"].to_numpy(dtype=np.float64))
    children = np.nan_to_num(units[[PUPIL_COLUMNS[stage] for stage in stages]].to_numpy(dtype=np.float64))
    has_people = people.sum() > 0
    rest = np.clip(people - children.sum(axis=1), 0.0, None) if has_people else np.zeros(len(units))
    cells = np.column_stack([children, rest])
    seed = np.column_stack([np.bincount(group, column, minlength=len(towns)) for column in cells.T]).astype(np.float64)
    known = np.bincount(group, people, minlength=len(towns))
    if town_totals is not None and "population_people" in town_totals:
        meant = align_towns(list(town_totals["town"]), towns)
        for name, total in zip(town_totals["town"], town_totals["population_people"], strict=True):
            if meant.get(name) in at and np.isfinite(total):
                known[at[meant[name]]] = total
    wanted = np.full((len(towns), len(stages) + 1), np.nan)
    sums = ages.sum_stages()
    meant = align_towns(list(ages.towns), towns)
    issues = _check_age_towns(ages, meant, towns)
    for row, town in enumerate(ages.towns):
        if not ages.of_county and meant.get(town) in at:
            wanted[at[meant[town]], :-1] = [sums[stage][row] for stage in stages]
    columns = np.append([sums[stage][0] for stage in stages], np.nan) if ages.of_county else wanted
    rows = known if has_people else np.full(len(towns), np.nan)
    margins = _Margins(towns, stages, seed, rows.astype(np.float64), columns)
    return _balance(margins, ages, issues) if has_people else (margins, issues)


def _balance(margins: _Margins, ages: AgeTotals, issues: list[DataIssue]) -> tuple[_Margins, list[DataIssue]]:
    """Give everybody else the total that people and stages leave over; tell where that contradicts the ages."""
    columns, rows = margins.columns.copy(), margins.rows.copy()
    if ages.of_county:
        left = np.array([rows.sum() - columns[:-1].sum()])
        columns[-1] = left[0] if left[0] >= 0 else np.nan
        rows = rows if left[0] >= 0 else np.full(len(rows), np.nan)
    else:
        left = rows - columns[:, :-1].sum(axis=1)  # NaN where the ages do not have the township
        columns[:, -1] = np.where(left >= 0, left, np.nan)
        rows[left < 0] = np.nan
    if (left < 0).any():
        text = msg(
            "The totals by age hold more children than the townships have people; the townships' totals give way."
        )
        issues.append(DataIssue("totals_contradict", "warning", text, file=ages.file))
    elif ages.is_whole:
        total, whole = float(margins.rows.sum()), float(np.nansum(ages.people))
        issues += _compare_towns(margins, ages)
        if abs(total - whole) > CONTRADICTION_SHARE * max(total, 1.0):
            text = msg(
                "The totals by age add up to {ages:,.0f} people, those of the townships to {towns:,.0f}; children are "
                "brought to the ages, people to the townships.",
                ages=whole,
                towns=total,
            )
            issues.append(DataIssue("totals_contradict", "warning", text, file=ages.file))
    return _Margins(margins.towns, margins.stages, margins.seed, rows, columns), issues


def _compare_towns(margins: _Margins, ages: AgeTotals) -> list[DataIssue]:
    """Return a warning for every township of which both tables know the people, and not the same number."""
    meant = align_towns(list(ages.towns), margins.towns) if not ages.of_county else {}
    rows = dict(zip(margins.towns, margins.rows.tolist(), strict=True))
    issues = []
    for town, whole in zip(ages.towns, ages.people.sum(axis=1).tolist(), strict=True):
        total = rows.get(meant.get(town, ""), np.nan) if town in meant else np.nan
        if abs(total - whole) > CONTRADICTION_SHARE * max(total, 1.0):  # NaN is no contradiction
            text = msg(
                "{town}: the totals by age add up to {ages:,.0f} people, the township's own total is {total:,.0f}; "
                "children are brought to the ages, people to the township.",
                town=town,
                ages=whole,
                total=total,
            )
            issues.append(DataIssue("totals_contradict", "warning", text, file=ages.file, found=town))
    return limit_issues(issues)


def _check_age_towns(ages: AgeTotals, meant: dict[str, str], towns: Sequence[str]) -> list[DataIssue]:
    """Return a warning for every township that only the ages, or only the units have."""
    if ages.of_county:
        return []
    issues = []
    for town in ages.towns:
        if town not in meant:
            text = msg("The totals name a township in which there is no unit: {town}.", town=town)
            issues.append(DataIssue("town_unknown", "warning", text, file=ages.file, found=town))
    for town in sorted(set(towns) - set(meant.values()) - {""}):
        text = msg("There is no total for the township {town}; it stays as it is.", town=town)
        issues.append(DataIssue("town_without_total", "warning", text, file=ages.file, found=town))
    return issues


def _apply(units: gpd.GeoDataFrame, margins: _Margins, fit: Fit) -> None:
    """Scale every unit by its township's cells; in place."""
    seed = margins.seed
    factor = np.where(seed > 0, fit.table / np.where(seed > 0, seed, 1.0), 1.0)
    group = units["town"].map({town: at for at, town in enumerate(margins.towns)}).to_numpy()
    people = units["population_people"].to_numpy(dtype=np.float64)
    names = [PUPIL_COLUMNS[stage] for stage in margins.stages]
    children = units[names].to_numpy(dtype=np.float64)
    rest = np.clip(people - np.nan_to_num(children).sum(axis=1), 0.0, None)
    fitted = children * factor[group, :-1]
    for at, name in enumerate(names):
        units[name] = fitted[:, at]
    if np.nansum(people) > 0:
        units["population_people"] = np.nan_to_num(fitted).sum(axis=1) + rest * factor[group, -1]


def _tell_fit(margins: _Margins, fit: Fit, before: Values, file: str) -> list[DataIssue]:
    """Say what was scaled by how much, in how many rounds, and how far the totals are missed."""
    after = fit.table.sum(axis=0)
    issues = []
    for at, stage in enumerate(margins.stages):
        if before[at] > 0 and abs(after[at] / before[at] - 1) > 1e-9:
            text = msg(
                "{name}: {before:,.0f} scaled to the known total of {total:,.0f} (× {factor:.3f}).",
                name=STAGE_LABEL[stage],
                before=before[at],
                total=after[at],
                factor=after[at] / before[at],
            )
            issues.append(DataIssue("calibration", "note", text, file=file, column=PUPIL_COLUMNS[stage]))
    text = msg(
        "People and children of {towns:,} townships were fitted to both kinds of totals in {rounds:,} rounds; the "
        "largest difference that is left is {share:.6%}.",
        towns=len(margins.towns),
        rounds=fit.rounds,
        share=fit.missed_share,
    )
    if fit.missed_share <= MISSED_SHARE:
        return [*issues, DataIssue("calibration_fit", "note", text, file=file)]
    cure = msg("Compare the totals with each other; the table of differences shows where they do not fit.")
    return [*issues, DataIssue("calibration_fit", "warning", text, file=file, cure=cure)]


def build_residual_table(units: pd.DataFrame, spec: StudySpec) -> pd.DataFrame:
    """Return every known total beside what the units add up to: :data:`RESIDUAL_COLUMNS`.

    ``town`` is ``""`` for the whole county; ``what`` is a column of counts (``population_people``, ``primary_pupils``
    …); ``difference`` = found − known, and ``difference_share`` its share of the known total. The files of totals are
    read again and nothing of the fitting is used, so this is a check of it. Empty where the study knows no totals.
    """
    source = spec.population
    rows: list[tuple[str, str, float]] = []
    if source is not None:
        rows += [("", PUPIL_COLUMNS[stage], float(source.totals[stage])) for stage in STAGES if stage in source.totals]
        if source.town_totals:
            totals = read_town_totals(spec.resolve(source.town_totals))
            for name in ("population_people", *PUPIL_COLUMNS.values()):
                if name in totals:
                    rows += [(town, name, total) for town, total in zip(totals["town"], totals[name], strict=True)]
        if source.age_totals:
            ages = read_age_totals(spec.resolve(source.age_totals))
            for stage, sums in ages.sum_stages().items():
                rows += [(town, PUPIL_COLUMNS[stage], float(n)) for town, n in zip(ages.towns, sums, strict=True)]
            if ages.is_whole:
                rows += [
                    (town, "population_people", float(n))
                    for town, n in zip(ages.towns, ages.people.sum(1), strict=True)
                ]
    towns = sorted(set(units["town"]))
    meant = align_towns(sorted({town for town, _, _ in rows} - {""}), towns)
    found = []
    for town, name, _ in rows:
        chosen = np.ones(len(units), dtype=bool) if not town else (units["town"] == meant.get(town, town)).to_numpy()
        found.append(float(np.nansum(units[name].to_numpy(dtype=np.float64)[chosen])))
    table = pd.DataFrame(rows, columns=list(RESIDUAL_COLUMNS[:3])).assign(found=found)
    table = table[table["known"].notna()].reset_index(drop=True)
    difference = table["found"] - table["known"]
    return table.assign(difference=difference, difference_share=difference / table["known"].where(table["known"] > 0))

"""Checks of one table against another: ids, counts, places, rolls, stages."""

from __future__ import annotations

import numpy as np

from geodata.errors import DataIssue, Severity
from geodata.messages import msg
from geodata.quality_facts import KIND_NAMES, STAGE_NAMES, Facts, pairs_of, pupils_of
from geodata.school_columns import STAGES_OF_KIND
from geodata.study import STAGES
from geodata.values import find_near_id

MAX_FILL_SHARE = 3.0
"""A roll above this multiple of the places is more likely a typing error than a full school."""
MAX_CLASS_PUPILS = 120.0


def _name(facts: Facts, school_id: str) -> str:
    return facts.school_names.get(school_id, school_id)


def check_duplicate_ids(facts: Facts) -> list[DataIssue]:
    """Error: two schools, units or sites have the same id, or a site has the id of a school."""
    issues = []
    for table, frame in (("schools", facts.schools), ("units", facts.units), ("sites", facts.sites)):
        ids = frame[f"{table[:-1]}_id"].astype(str)
        for record_id in ids[ids.duplicated()].unique():
            cure = msg("Give each its own id.")
            problem = msg("The id {id} stands more than once in the table {table}.", id=record_id, table=table)
            issues.append(facts.issue("duplicate_ids", "error", problem, table, record_id, cure=cure))
    for record_id in sorted(set(facts.sites["site_id"].astype(str)) & set(facts.school_names)):
        problem = msg("The site {id} has the id of a school.", id=record_id)
        cure = msg("Give each its own id.")
        issues.append(facts.issue("duplicate_ids", "error", problem, "sites", record_id, cure=cure))
    return issues


def check_unknown_ids(facts: Facts) -> list[DataIssue]:
    """Error: places, rolls or zones name a school, or zones a unit, that is not in its table; with the nearest id.

    Of the rolls only those of the latest year: see ``past_schools``.
    """
    issues = []
    rolls = facts.rolls[facts.rolls["year"] == facts.rolls["year"].max()]
    pairs = (
        ("places", facts.places, "school_id", set(facts.school_names)),
        ("rolls", rolls, "school_id", set(facts.school_names)),
        ("zones", facts.zones, "school_id", set(facts.school_names)),
        ("zones", facts.zones, "unit_id", set(facts.unit_names)),
    )
    for table, frame, column, known in pairs:
        for record_id in frame[column].astype(str).unique():
            if record_id not in known:
                near = find_near_id(record_id, known)
                cure = msg("Correct the code, or add the missing school or unit.")
                if near:
                    cure = msg("Did you mean {name}? Ids are compared as text, leading zeros included.", name=near)
                issues.append(
                    DataIssue(
                        "unknown_ids",
                        "error",
                        msg("The table {table} names {id}, which is not known.", table=table, id=record_id),
                        file=facts.files.get(table, facts.files.get("schools", "")),
                        column=column,
                        found=record_id,
                        expected=msg("an id of the table {table}", table="units" if column == "unit_id" else "schools"),
                        cure=cure,
                        record_id=record_id,
                    )
                )
    return issues


def check_counts(facts: Facts) -> list[DataIssue]:
    """Error: a negative number of pupils, places or classes. Warning: one with a fraction, in places or rolls."""
    issues = []
    tables = (("places", facts.places, ("capacity_places", "classes")), ("rolls", facts.rolls, ("pupils", "classes")))
    for table, frame, columns in tables:
        for column in columns:
            values = frame[column].to_numpy(dtype=float)
            for at in np.flatnonzero((values < 0) | (np.isfinite(values) & (values % 1 != 0))):
                school_id, found = str(frame["school_id"].iloc[at]), f"{values[at]:g}"
                severity: Severity = "error" if values[at] < 0 else "warning"
                problem = msg("A count that is no whole number from zero: {column}.", column=f"{table}.{column}")
                issues.append(facts.issue("counts", severity, problem, "schools", school_id, found=found))
    for stage in STAGES:
        for at in np.flatnonzero(pupils_of(facts.units, stage) < 0):
            unit_id = str(facts.units["unit_id"].iloc[at])
            problem = msg("A count that is no whole number from zero: {column}.", column=f"units.{stage}_pupils")
            issues.append(facts.issue("counts", "error", problem, "units", unit_id))
    return issues


def check_stage_without_capacity(facts: Facts) -> list[DataIssue]:
    """Warning: the places of a school and stage are not known; told once where that holds for most."""
    missing = facts.places[facts.places["capacity_places"].isna()]
    cure = msg("Fill in 学位数, or 班数 so that places can be derived.")
    if len(missing) * 2 > len(facts.places):
        problem = msg("The places of {count} schools and stages are not known.", count=len(missing))
        return [DataIssue("stage_without_capacity", "warning", problem, cure=cure)]
    return [
        facts.issue(
            "stage_without_capacity",
            "warning",
            msg("The places of {name} are not known ({stage}).", name=_name(facts, key), stage=STAGE_NAMES[stage]),
            "schools",
            key,
            cure=cure,
        )
        for key, stage in pairs_of(missing)
    ]


def check_school_without_roll(facts: Facts) -> list[DataIssue]:
    """Note: nobody says how many pupils a school and stage has; told once where that holds for most."""
    known = set(pairs_of(facts.rolls))
    missing = [pair for pair in pairs_of(facts.places) if pair not in known]
    cure = msg("Fill in 在校生数.")
    if len(missing) * 2 > len(facts.places):
        problem = msg("The pupils of {count} schools and stages are not known.", count=len(missing))
        return [DataIssue("school_without_roll", "note", problem, cure=cure)]
    return [
        facts.issue(
            "school_without_roll",
            "note",
            msg("The pupils of {name} are not known ({stage}).", name=_name(facts, key), stage=STAGE_NAMES[stage]),
            "schools",
            key,
            cure=cure,
        )
        for key, stage in missing
    ]


def check_roll_years(facts: Facts) -> list[DataIssue]:
    """Warning: the pupils of a school are of an earlier year than those of the others, or of no year: not used."""
    issues = []
    for stage in STAGES:
        rolls = facts.rolls[facts.rolls["stage"] == stage]
        if rolls.empty:
            continue
        latest = int(rolls["year"].max())
        taught = facts.places.loc[facts.places["stage"] == stage, "school_id"]
        rolls = rolls[rolls["school_id"].isin(taught)]  # not those closed since, or of a stage given up
        last = rolls.groupby(rolls["school_id"].astype(str))["year"].max()
        for school_id, year in last[last < latest].items():
            problem = msg(
                "The pupils of {name} ({stage}) are of {year}, those of others of {latest}; they are not used.",
                name=_name(facts, str(school_id)),
                stage=STAGE_NAMES[stage],
                year=int(year) if year else msg("no year"),
                latest=latest,
            )
            cure = msg("Give the pupils of the latest year, or the year of this row.")
            issues.append(facts.issue("roll_years", "warning", problem, "schools", str(school_id), cure=cure))
    return issues


def check_roll_over_capacity(facts: Facts) -> list[DataIssue]:
    """Warning: more than three times as many pupils as places: probably a typing error."""
    joined = facts.latest_rolls.merge(facts.places, on=["school_id", "stage"], suffixes=("", "_places_table"))
    wrong = joined[joined["pupils"] > MAX_FILL_SHARE * joined["capacity_places"]]
    return [
        facts.issue(
            "roll_over_capacity",
            "warning",
            msg(
                "{name} has {pupils:,.0f} pupils on {places:,.0f} places.",
                name=_name(facts, key),
                pupils=float(pupils),
                places=float(places),
            ),
            "schools",
            str(key),
            cure=msg("Check both numbers."),
        )
        for key, pupils, places in zip(wrong["school_id"], wrong["pupils"], wrong["capacity_places"], strict=True)
    ]


def check_class_size(facts: Facts) -> list[DataIssue]:
    """Warning: more than 120 pupils per class on average: probably a typing error."""
    totals = facts.latest_rolls
    mean = totals["pupils"] / totals["classes"].where(totals["classes"] > 0)
    return [
        facts.issue(
            "class_size",
            "warning",
            msg("{name} has {size:.0f} pupils per class.", name=_name(facts, key), size=float(size)),
            "schools",
            str(key),
            cure=msg("Check the number of pupils and of classes."),
        )
        for key, size in zip(totals["school_id"], mean, strict=True)
        if size > MAX_CLASS_PUPILS
    ]


def check_kind_and_stages(facts: Facts) -> list[DataIssue]:
    """Warning: a school has numbers for a stage that its kind does not teach."""
    kinds = dict(zip(facts.schools["school_id"].astype(str), facts.schools["kind"].astype(str), strict=True))
    return [
        facts.issue(
            "kind_and_stages",
            "warning",
            msg(
                "{name} is of the kind {kind} but has numbers for {stage}.",
                name=_name(facts, key),
                kind=KIND_NAMES.get(kinds[key], kinds[key]),
                stage=STAGE_NAMES[stage],
            ),
            "schools",
            key,
            cure=msg("Correct the kind of school or the stage."),
        )
        for key, stage in pairs_of(facts.places)
        if stage != "kindergarten" and stage not in STAGES_OF_KIND.get(kinds.get(key, ""), STAGES)
    ]


def check_units_without_children(facts: Facts) -> list[DataIssue]:
    """Warning: units of which no number of children is known, or a stage with schools but no children anywhere."""
    issues = []
    unknown = int(np.isnan(facts.unit_pupils).sum())
    if unknown:
        problem = msg("For {count} units no number of children is known.", count=unknown)
        cure = msg("Give children per unit, or their share of the inhabitants, in the study file.")
        issues.append(DataIssue("units_without_children", "warning", problem, cure=cure))
    for stage in STAGES:
        values = pupils_of(facts.units, stage)
        if (facts.places["stage"] == stage).any() and not np.nansum(values) > 0 and unknown < len(facts.units):
            problem = msg("There are schools but no children for the stage {stage}.", stage=STAGE_NAMES[stage])
            issues.append(DataIssue("units_without_children", "warning", problem))
    return issues

"""What a forecast rests on, in words: what was known, what was assumed, what was left out."""

from __future__ import annotations

import numpy as np

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.forecast_back_test import BackTest
from planning.forecast_county import CohortRun
from planning.forecast_inputs import RESIDENTS, Inputs, compute_entry_age
from planning.forecast_options import MIN_WINDOW_YEARS, ForecastOptions
from planning.scenario import name_stage


def describe_forecast(
    study: StudyArea, inputs: Inputs, run: CohortRun, test: BackTest, options: ForecastOptions
) -> list[Message]:
    """Return the notes of a forecast, the most important first."""
    if not inputs.cells.stages:
        return [msg("There are neither rolls nor children of units: nothing can be forecast.")]
    return [
        *_describe_rolls(inputs, run),
        *_describe_births(inputs, options),
        *_describe_schools(study, inputs),
        *_describe_flows(inputs, run),
        *_describe_tests(test, options),
    ]


def _describe_rolls(inputs: Inputs, run: CohortRun) -> list[Message]:
    notes = []
    years = [year for year in inputs.schools.years if year <= inputs.base_year]
    for stage in inputs.cells.stages:
        if stage not in inputs.with_rolls:
            notes.append(
                msg(
                    "{stage}: there are no rolls. The forecast is of the children who live in the units; schools have"
                    " none.",
                    stage=name_stage(stage),
                )
            )
        elif stage not in inputs.by_grade:
            notes.append(
                msg(
                    "{stage}: the rolls give totals without grades. They are split over the grades as children were"
                    " born (evenly where no births are known), and no ratios can be seen.",
                    stage=name_stage(stage),
                )
            )
    if not inputs.by_grade:
        return notes
    if run.fit.transitions == 0:
        notes.append(
            msg(
                "Rolls by grade are known for one school year only ({year}): every grade moves up whole (ratio 1), and"
                " the range is an assumption, wider than one that was seen.",
                year=inputs.base_year,
            )
        )
    else:
        notes.append(
            msg(
                "Ratios from {count} pairs of school years, {first} to {last}.",
                count=run.fit.transitions,
                first=max(years[0], inputs.base_year - run.fit.transitions),
                last=inputs.base_year,
            )
        )
    if 0 < run.fit.transitions < MIN_WINDOW_YEARS:
        notes.append(msg("Fewer than {count} pairs of years: ratios rest on little.", count=MIN_WINDOW_YEARS))
    return notes


def _describe_births(inputs: Inputs, options: ForecastOptions) -> list[Message]:
    births = inputs.births
    entered = [stage for stage in ("kindergarten", "primary") if stage in inputs.cells.first]
    if births is None:
        return [
            msg(
                "No births are known: entry goes on as it was seen on the rolls, held where only one year is known."
                " That is an assumption; births of the last years would replace it."
            )
        ]
    notes = []
    for stage in entered[-1:]:
        age = compute_entry_age(inputs.cells, stage)
        sure = births.last_year + age
        notes.append(
            msg(
                "Entry to {stage} follows births that are known until {year}; later entry rests on births that are"
                " projected, low, middle and high.",
                stage=name_stage(stage),
                year=min(sure, options.last_year),
            )
        )
        oldest = inputs.base_year - age - 1
        if births.first_year > oldest:
            notes.append(
                msg(
                    "Births are known from {year} only; those of earlier years are taken as in that year.",
                    year=births.first_year,
                )
            )
    return notes


def _describe_schools(study: StudyArea, inputs: Inputs) -> list[Message]:
    block = inputs.schools
    open_ids = {key for at, key in enumerate(block.ids) if block.open[at].any() and key != RESIDENTS}
    notes = []
    for stage in inputs.cells.stages:
        if stage not in inputs.with_rolls:
            continue
        place = inputs.cells.stages.index(stage)
        known = {key for at, key in enumerate(block.ids) if block.open[at, place]}
        taught = set(study.places.loc[study.places["stage"] == stage, "school_id"].astype(str))
        missing = taught - known
        if missing:
            notes.append(
                msg(
                    "{stage}: {count:,} schools have no roll in {year}; they are not in the forecast.",
                    stage=name_stage(stage),
                    count=len(missing),
                    year=inputs.base_year,
                )
            )
    gone = open_ids - set(study.schools["school_id"].astype(str))
    if gone:
        notes.append(
            msg(
                "{count:,} schools with a roll are not in the table of schools; they are counted all the same.",
                count=len(gone),
            )
        )
    return notes


def _describe_flows(inputs: Inputs, run: CohortRun) -> list[Message]:
    notes = []
    for stage in ("junior", "senior"):
        if stage not in inputs.cells.first or stage in run.fit.from_births:
            continue
        if stage in run.flows.zoned:
            notes.append(msg("Entry to {stage} follows the zones of both stages.", stage=name_stage(stage)))
        else:
            notes.append(
                msg(
                    "No zones say which school feeds which: entry to {stage} is shared out by distance so that it"
                    " agrees with the leavers and the entry on the rolls.",
                    stage=name_stage(stage),
                )
            )
    return notes


def _describe_tests(test: BackTest, options: ForecastOptions) -> list[Message]:
    if not test.tested:
        return [msg("Too few years of rolls to test the forecast on years that have passed: its errors are not known.")]
    table = test.table
    county = table[(table["level"] == "county") & (table["method"] == options.method)]
    error = float(np.average(county["mape"], weights=county["cases"]))
    naive = table[(table["level"] == "county") & (table["method"] == "naive")]
    return [
        msg(
            "Tested on {cases:,} stages and years that have passed, up to {years} years ahead: mean error {error:.1%}"
            " of the county's pupils; holding the last value errs by {naive:.1%}.",
            cases=int(county["cases"].sum()),
            years=test.tested,
            error=error,
            naive=float(np.average(naive["mape"], weights=naive["cases"])),
        )
    ]

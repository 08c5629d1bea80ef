"""The command ``forecast``: pupils of the years ahead, how well the method did in the past, and seat alerts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

from geodata.errors import ExportError
from geodata.study import STAGES, StudyArea
from planning.flag_case import iterate_rows
from planning.forecast import Forecast, build_forecast
from planning.forecast_options import ForecastOptions
from planning.rules import Rules, read_rulebook
from planning.scenario import name_stage
from planning.seat_alerts import ALERT_COLUMNS, build_alerts
from reports.language import Translator
from reports.tables import render_csv
from terminal.study import EXIT_DONE, print_lines, read_for

FORECAST_FILES = ("schools", "units", "county", "entries", "flows", "back_test", "alerts")


def forecast(options: argparse.Namespace, say: Translator) -> int:
    """Forecast pupils to the last year, and write what follows."""
    rules = read_rulebook(options.rulebook)
    asked = ForecastOptions(
        last_year=options.last_year, window_years=options.window, method=options.method, capture=options.capture
    )
    study = read_for(options, rules, say)
    found = build_forecast(study, asked)
    alerts = _list_alerts(study, rules, found, options.stage)
    _write({**{name: getattr(found, name) for name in FORECAST_FILES[:-1]}, "alerts": alerts}, options.out)
    if options.json:
        print(json.dumps(_describe(found, alerts, say), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        print_lines(_tell(found, alerts, say))
    if not options.quiet and not options.json:
        print(options.out)
    return EXIT_DONE


def _list_alerts(study: StudyArea, rules: Rules, found: Forecast, stages: list[str] | None) -> pd.DataFrame:
    asked = [stage for stage in STAGES if stage in (stages or found.stages)]
    parts = [build_alerts(study, rules, found, stage=stage) for stage in asked]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(ALERT_COLUMNS))


def _write(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            (folder / f"{name}.csv").write_bytes(render_csv(table))
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from error


def _describe(found: Forecast, alerts: pd.DataFrame, say: Translator) -> dict[str, object]:
    tables = {"county": found.county, "back_test": found.back_test, "alerts": alerts}
    return {
        "base_year": found.base_year,
        "years": list(found.years),
        "notes": [say.say(note) for note in found.notes],
        **{name: table.astype(object).where(table.notna(), None).to_dict("records") for name, table in tables.items()},
    }


def _tell(found: Forecast, alerts: pd.DataFrame, say: Translator) -> list[str]:
    """Return the county's pupils in the first and last year, the back-tests as a table, alerts, and notes."""
    lines = [say.say(note) for note in found.notes]
    last = max(found.years, default=found.base_year)
    county = found.county.groupby(["stage", "year", "variant"])["pupils"].sum(min_count=1)
    for stage in found.stages:
        rows = {name: float(county.get((stage, last, name), float("nan"))) for name in ("low", "middle", "high")}
        words = {"stage": say.say(name_stage(stage)), "year": str(last)}
        words |= {name: say.number(value) for name, value in rows.items()}
        lines.append(say("{stage}, {year}: {middle} pupils (low {low}, high {high}).", **words))
    lines += _tell_back_test(found.back_test, say)
    soon = alerts[(alerts["alert"] != "") & (alerts["variant"] == "middle")]
    for (name, alert), part in soon[soon["alert"] != "green"].groupby(["stage", "alert"], sort=True):
        words = {"stage": say.say(name_stage(str(name))), "colour": say("red") if alert == "red" else say("yellow")}
        words |= {"count": say.number(part["school_id"].nunique()), "year": str(int(part["year"].min()))}
        lines.append(say("Seat alert {colour}, {stage}: {count} schools, first in {year}.", **words))
    return lines


def _tell_back_test(table: pd.DataFrame, say: Translator) -> list[str]:
    """Return one line per level, stage and horizon: the error of every method, the simple ones beside."""
    if table.empty:
        return [say("No back-test: too few years of rolls.")]
    lines = [say("Back-tests: mean absolute percentage error by method (naive: last value; linear: straight line).")]
    for (level, stage, horizon), part in table.groupby(["level", "stage", "horizon_years"], sort=False):
        errors = ", ".join(f"{row.method} {say.percent(float(row.mape), digits=1)}" for row in iterate_rows(part))
        lines.append(
            say(
                "{level}, {stage}, {years} years ahead: {errors} ({cases} cases).",
                level=say("county") if level == "county" else say("schools"),
                stage=say.say(name_stage(str(stage))),
                years=str(horizon),
                errors=errors,
                cases=say.number(int(part["cases"].max())),
            )
        )
    return lines

"""The forecast against simple baselines, on the demo and on grown counties: ``python -m benchmarks.forecast``.

Errors are mean absolute percentage errors of back-tests with rolling origin: every forecast is made with what was known
in its year. ``--ridge`` also fits the ratios by ridge regression (scikit-learn, minutes), the peer of the shrinkage.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from benchmarks.forecast_county import CountySize, grow_county
from geodata.build import read_study
from geodata.study import StudyArea
from planning import forecast_cohort
from planning.forecast import ForecastOptions, build_forecast
from planning.forecast_back_test import BackTest, build_back_test
from planning.forecast_inputs import build_inputs
from planning.projected_study import project_study
from planning.rules import design_class_size, read_rulebook

DEMO = Path(__file__).resolve().parent.parent / "examples" / "studies" / "demo.toml"
SEEDS = range(1, 9)
SHOWN_YEARS = (1, 2, 3, 4, 5)
METHODS = ("cohort", "ensemble", "trend", "linear", "naive")
LARGE = CountySize(primary=220, junior=80, towns=30, units=20_000)


def main() -> None:
    """Print the tables."""
    demo = read_study(DEMO, design_class_size=design_class_size(read_rulebook("cn")))
    print("### Demo county\n")
    _print_errors([_test(demo)])
    counties = [grow_county(seed) for seed in SEEDS]
    print(f"\n### {len(counties)} grown counties, 8 years of rolls, births by unit\n")
    _print_errors([_test(county.cut(2030, years=8)) for county in counties])
    print("\n### What inputs are worth: cohorts, all stages\n")
    print("| known | " + " | ".join(f"county {year}" for year in SHOWN_YEARS), end=" | ")
    print(" | ".join(f"school {year}" for year in SHOWN_YEARS) + " |\n|" + "---|" * (1 + 2 * len(SHOWN_YEARS)))
    for births in ("unit", "town", "county", ""):
        tests = [_test(county.cut(2030, years=8, births=births)) for county in counties]
        print(_row(f"births by {births}" if births else "no births", tests))
    for name, options in _list_choices():
        print(_row(name, [_test(county.cut(2030, years=8), options) for county in counties]))
    if "--ridge" in sys.argv:
        from benchmarks.forecast_ridge import fit_ridge_ratios

        kept, forecast_cohort.shrink_ratios = forecast_cohort.shrink_ratios, fit_ridge_ratios
        print(_row("ratios by ridge regression", [_test(county.cut(2030, years=8)) for county in counties]))
        forecast_cohort.shrink_ratios = kept
    _print_seconds()


def _list_choices() -> list[tuple[str, ForecastOptions]]:
    return [
        ("capture: mean", ForecastOptions(capture="mean")),
        ("capture: last", ForecastOptions(capture="last")),
        *((f"shrinkage {value:g}", ForecastOptions(shrink_cohorts=value)) for value in (0.0, 0.3, 3.0)),
        *((f"window {value} years", ForecastOptions(window_years=value)) for value in (3, 6)),
    ]


def _test(study: StudyArea, options: ForecastOptions | None = None) -> BackTest:
    options = options or ForecastOptions()
    return build_back_test(study, build_inputs(study, options), options)


def _gather(tests: Iterable[BackTest], by: list[str]) -> pd.Series[float]:
    table = pd.concat([test.table for test in tests])
    sums = table.assign(error=table["mape"] * table["cases"]).groupby([*by, "horizon_years"])[["error", "cases"]].sum()
    return sums["error"] / sums["cases"]


def _print_errors(tests: list[BackTest]) -> None:
    errors = _gather(tests, ["level", "stage", "method"])
    tested = set(errors.index.get_level_values("horizon_years"))
    years = [year for year in SHOWN_YEARS if year in tested]
    print("| level | stage | method | " + " | ".join(f"{year} y" for year in years) + " |")
    print("|---|---|---|" + "---|" * len(years))
    for level, stage in errors.groupby(["level", "stage"]).sum().index.tolist():
        for method in METHODS:
            cells = [f"{errors[level, stage, method, year]:.1%}" for year in years]
            print(f"| {level} | {stage} | {method} | " + " | ".join(cells) + " |")
    inside, cases = sum(test.covered for test in tests), sum(test.cases for test in tests)
    print(f"\nBetween low and high: {inside} of {cases} county totals ({inside / max(cases, 1):.0%}; meant: 80%).")


def _row(name: str, tests: list[BackTest]) -> str:
    errors = _gather(tests, ["level", "method"])
    cells = [f"{errors[level, 'cohort', year]:.1%}" for level in ("county", "school") for year in SHOWN_YEARS]
    return f"| {name} | " + " | ".join(cells) + " |"


def _print_seconds() -> None:
    study = grow_county(5, LARGE).cut(2025)
    begun, busy = time.perf_counter(), time.process_time()
    forecast = build_forecast(study)
    built, worked = time.perf_counter(), time.process_time() - busy
    project_study(study, forecast, 2030, "middle")
    done = time.perf_counter()
    print(f"\n### Seconds\n\n{LARGE.primary + LARGE.junior} schools, 9 grades, {LARGE.units:,} units, ", end="")
    print(f"{len(forecast.years)} years, 3 variants, back-tests included: {built - begun:.1f} s", end="")
    print(f" ({worked:.1f} s of one core)", end="")
    print(f"; one study projected: {done - built:.2f} s")


if __name__ == "__main__":
    main()

"""Arguments that several commands share, and what they stand for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from geodata.errors import ScenarioError
from geodata.study import MODES, STAGES
from planning.assignment_options import AssignmentOptions
from planning.forecast_options import VARIANTS
from planning.run import Limits
from planning.scenario import EnrolmentMethod, Measure, Scenario
from planning.siting_options import SitingModel
from planning.zoning_options import FeederSource, ZoneStart

ZONING_TIME_S = 60.0
OUT_HELP = "folder for the tables; made when absent"


def add_stage_arguments(command: argparse.ArgumentParser) -> None:
    """Add the stage and the way to travel."""
    command.add_argument("--stage", choices=STAGES, default="primary")
    command.add_argument("--mode", choices=MODES, default="walk", help="drive: car or school bus")


def add_enrolment_arguments(command: argparse.ArgumentParser) -> None:
    """Add who goes where, where no scenario file says it."""
    command.add_argument("--enrolment", choices=get_args(EnrolmentMethod)[:4], default="nearest")
    command.add_argument("--whole-units", action="store_true", help="capacity: all pupils of a unit go to one school")


def add_out_argument(command: argparse.ArgumentParser) -> None:
    """Add the folder that is written to."""
    command.add_argument("--out", type=Path, required=True, help=OUT_HELP)


def add_year_arguments(command: argparse.ArgumentParser) -> None:
    """Add the year asked about, and the variant of the forecast."""
    command.add_argument("--year", type=int, metavar="YEAR", help="school year (its start); the rules are those of it")
    command.add_argument("--variant", choices=VARIANTS, default="", help="of the forecast, for a year after the rolls")


def add_zone_arguments(zone: argparse.ArgumentParser) -> None:
    """Add what ``zone`` asks beside the rules."""
    zone.add_argument("--out", type=Path, required=True, help="folder for the files; made when absent")
    zone.add_argument("--time-limit", type=float, default=ZONING_TIME_S, metavar="S", help="seconds for a stage")
    zone.add_argument("--gap", type=float, default=None, metavar="SHARE", help="stop at this proven gap, such as 0.005")
    zone.add_argument("--seed", type=int, default=0)
    zone.add_argument("--start", choices=get_args(ZoneStart), default="scratch")
    zone.add_argument("--start-zones", type=Path, metavar="FILE", help="table of zones to start from (--start table)")
    zone.add_argument(
        "--objectives",
        default="travel",
        metavar="LIST",
        help="in order, each with the share it may worsen for later ones: travel:0.01,fill:0.05,border",
    )
    zone.add_argument("--max-moved", type=float, metavar="PUPILS", help="most pupils that may change school")
    zone.add_argument("--locks", type=Path, metavar="FILE", help="table like zones: unit, stage, school that must stay")
    zone.add_argument("--lock-schools", default="", metavar="IDS", help="schools whose zone stays as in the start")
    zone.add_argument("--grandfather", action="store_true", help="only the entering grade follows the new zones")
    zone.add_argument("--feeders", choices=get_args(FeederSource), default="none", help="junior zones of primary zones")
    zone.add_argument("--max-feeder-split", type=float, default=0.0, metavar="SHARE")


def add_rule_arguments(command: argparse.ArgumentParser) -> None:
    """Add what ``AssignmentOptions`` holds: rules of zones and of the assignment under capacity."""
    command.add_argument("--measure", choices=get_args(Measure), default="time")
    command.add_argument("--travel-cap", choices=("none", "priced", "hard"), default="none")
    command.add_argument("--cap-price", type=float, default=1.0, help="extra minutes per minute beyond the limit")
    command.add_argument("--overload", choices=("priced", "forbidden"), default="priced")
    command.add_argument("--overload-price", type=float, default=1000.0, metavar="MIN", help="minutes per pupil above")
    command.add_argument("--barriers", default="", metavar="KINDS", help="not to be crossed: railway,river")
    command.add_argument("--cross-at", choices=("roads", "nowhere"), default="roads", help="where barriers let through")
    command.add_argument("--groups", default="", metavar="LIST", help="schools that share a zone: A+B,C+D")
    command.add_argument("--closed", default="", metavar="LIST", help="units closed to a school: UNIT@SCHOOL,…")


def add_scenarios_argument(command: argparse.ArgumentParser, *, required: bool) -> None:
    """Add ``--scenario``, which may be given several times."""
    command.add_argument(
        "--scenario",
        type=Path,
        action="append",
        required=required,
        default=None if required else [],
        metavar="FILE",
        help="scenario file; may be given several times",
    )


def add_limit_arguments(command: argparse.ArgumentParser) -> None:
    """Add the search effort of scenarios that propose zones or count places."""
    command.add_argument("--time-limit", type=float, metavar="S", help="seconds for a stage (zoning: default 60)")
    command.add_argument(
        "--gap", type=float, default=None, metavar="SHARE", help="stop at this proven gap, such as 0.005"
    )
    command.add_argument("--seed", type=int, default=0)


def add_proposal_arguments(command: argparse.ArgumentParser) -> None:
    """Add what ``propose`` asks; what is given holds instead of what the file of options says."""
    add = command.add_argument
    add("--options", type=Path, metavar="FILE", help="file of options (TOML): weights, costs, rules, search")
    add("--scenario", type=Path, metavar="FILE", help="scenario file to start from; its actions are done first")
    add("--model", choices=get_args(SitingModel), help="default: plan (all of it); or a model of the textbooks")
    add("--stage", choices=STAGES, help="default: primary")
    add("--mode", choices=MODES, help="default: walk; drive: car or school bus")
    add("--years", metavar="YEARS", help="of decisions, at most six: 2027,2030; default: the present alone")
    add("--variant", choices=VARIANTS, help="of the forecast for these years; default: today's pupils")
    add("--count", type=int, metavar="N", help="schools that stand at the end")
    add("--cover-min", type=float, metavar="MIN", help="minutes within which a school covers (covering models)")
    add("--budget", metavar="YUAN", help="over all years, or by year: 2027:30000000,2030:10000000")
    add("--max-changes", type=int, metavar="N", help="schools that change in each year")
    add("--min-pupils", type=float, metavar="PUPILS", help="of an open school")
    add("--max-travel", type=float, metavar="MIN", help="longest way")
    add("--protect", metavar="IDS", help="schools that stay: 001,002")
    add("--find-sites", type=int, default=0, metavar="N", help="first look for so many new sites")
    add("--plans", type=int, metavar="N", help="plans on the front of cost against travel")
    add("--alternatives", type=int, metavar="N", help="further plans near the best")
    add("--time-limit", type=float, metavar="S", help="seconds for everything; inf: none")
    add("--gap", type=float, metavar="SHARE", help="good enough when proven so close to the best, such as 0.005")
    add("--seed", type=int)
    add("--json", action="store_true", help="print one JSON object instead of text")


def build_limits(options: argparse.Namespace, scenario: Scenario) -> Limits:
    """Return the search effort asked for; zoning has a time limit of its own where none is given."""
    default = ZONING_TIME_S if scenario.enrolment == "zoning" else None
    return Limits(default if options.time_limit is None else options.time_limit, options.gap, options.seed)


def build_assignment(options: argparse.Namespace) -> AssignmentOptions:
    """Return the rules of zones and of the assignment under capacity."""
    groups = [part.split("+") for part in split_list(options.groups)]
    closed = [part.rpartition("@") for part in split_list(options.closed)]
    return AssignmentOptions(
        whole_units=getattr(options, "whole_units", False),
        travel_cap=options.travel_cap,
        cap_price=options.cap_price,
        overload=options.overload,
        overload_price_min=options.overload_price,
        barriers=tuple(split_list(options.barriers)),
        cross_at=options.cross_at,
        groups=tuple(("+".join(group), tuple(group)) for group in groups),
        closed=tuple((unit, school) for unit, _, school in closed),
    )


def split_list(text: str) -> list[str]:
    """Return the parts of a list with commas, without blanks."""
    return [part.strip() for part in text.split(",") if part.strip()]


def read_years(text: str) -> tuple[int, ...]:
    """Return the years of ``2026-2035`` or ``2026,2030``; raises ``ScenarioError`` where it is neither."""
    years: list[int] = []
    for part in split_list(text):
        first, _, last = part.partition("-")
        try:
            years += range(int(first), int(last or first) + 1)
        except ValueError as error:
            raise ScenarioError(f"--years {text}: write 2026-2035 or 2026,2030") from error
    if not years or len(years) > 60 or not all(1990 <= year <= 2100 for year in years):
        raise ScenarioError(f"--years {text}: write years from 1990 to 2100, such as 2026-2035")
    return tuple(dict.fromkeys(years))

"""Commands about zones: zone, describe."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from geodata.errors import DataError, DataIssue, ScenarioError
from geodata.messages import msg
from geodata.read_zones import import_zones
from geodata.study import Stage, StudyArea
from geodata.study_file import ZonesSource
from planning.conflicts import Conflict
from planning.drawing import build_drawing_table, read_drawn
from planning.rules import Rules, read_rulebook
from planning.run import Limits, run_scenario
from planning.scenario import Scenario
from planning.zoning_options import ZoningOptions
from reports.check_words import quote_signs
from reports.language import Translator
from reports.zone_documents import (
    OUTLINE_FILE,
    build_zone_documents,
    tell_agreements,
    write_outlines,
    write_zone_documents,
)
from reports.zoning_tables import write_zone_files
from reports.zoning_words import tell_certificate, tell_report
from terminal.arguments import build_assignment, split_list
from terminal.study import EXIT_DONE, EXIT_NO_PLAN, print_conflicts, read_for, require_mode, show_progress

if TYPE_CHECKING:
    import pandas as pd


def zone(options: argparse.Namespace, say: Translator) -> int:
    """Propose zones of one piece each and write them with their proof."""
    rules = read_rulebook(options.rulebook)
    study = read_for(options, rules, say)
    require_mode(options, study, options.mode)
    zoning = _build_zoning(options, study)
    wanted: tuple[Stage, ...] = (options.stage,)
    stages = ("primary", *wanted) if options.feeders == "proposed" and wanted != ("primary",) else wanted
    scenario = Scenario(
        "zones",
        stages=stages,
        mode=options.mode,
        enrolment="zoning",
        measure=options.measure,
        assignment=build_assignment(options),
        zoning=zoning,
    )

    limits = Limits(options.time_limit, options.gap, options.seed)
    outcome = run_scenario(study, rules, scenario, limits=limits, progress=show_progress(options, say))
    write_zone_files(outcome, study, options.out, language=say)
    if outcome.plan is None:
        print_conflicts(outcome, say)
        return EXIT_NO_PLAN
    if options.describe:
        _write_documents(study, rules, scenario, outcome.zones, options, say)
    told = [*(tell_report(report) for report in outcome.zoning), *(tell_certificate(c) for c in outcome.certificates)]
    told.append([part for short in outcome.shortages for part in (short.message, short.cure)])
    for line in [say.say(message) for part in told for message in part]:
        print(quote_signs(line))
    return EXIT_DONE


def describe(options: argparse.Namespace, say: Translator) -> int:
    """Write outlines, boundaries in words and reasons of given zones."""
    rules = read_rulebook(options.rulebook)
    study = read_for(options, rules, say)
    require_mode(options, study, options.mode)
    zones = study.zones[study.zones["stage"] == options.stage]
    if options.zones is not None:
        zones, _ = import_zones(options.zones, study, ZonesSource(str(options.zones), stage=options.stage))
    if zones.empty:
        problem = msg("There are no zones of this stage to describe.")
        cure = msg("Give a table or a layer of zones: --zones FILE.")
        raise DataError(DataIssue("zones", "error", problem, file=options.study.name, cure=cure))
    scenario = Scenario(
        "zones",
        stages=(options.stage,),
        mode=options.mode,
        enrolment="zones",
        measure=options.measure,
        assignment=build_assignment(options),
    )
    told = _write_documents(study, rules, scenario, zones, options, say)
    if isinstance(told, Conflict):
        print(quote_signs(say.say(told.message)), file=sys.stderr)
        return EXIT_NO_PLAN
    write_outlines(study, zones, options.out / OUTLINE_FILE, tolerance_m=options.simplify)
    return EXIT_DONE


def _build_zoning(options: argparse.Namespace, study: StudyArea) -> ZoningOptions:
    parts = [part.partition(":") for part in split_list(options.objectives)]
    try:
        objectives = tuple((name, float(slack or 0.0)) for name, _, slack in parts)
    except ValueError as error:
        raise ScenarioError(f"--objectives {options.objectives}: write NAME:SHARE, such as travel:0.01") from error
    return ZoningOptions(
        start=options.start,
        start_zones=_read_zone_rows(options.start_zones, study, options.stage),
        objectives=objectives,  # type: ignore[arg-type]
        max_moved_pupils=options.max_moved,
        locks=_read_zone_rows(options.locks, study, options.stage),
        locked_schools=tuple(split_list(options.lock_schools)),
        grandfather=options.grandfather,
        feeders=options.feeders,
        max_feeder_split_share=options.max_feeder_split,
    )


def _read_zone_rows(path: Path | None, study: StudyArea, stage: Stage) -> tuple[tuple[str, str, str], ...]:
    """Return unit, stage and school of a file like that of ``[zones]``: a table, or a layer of areas."""
    if path is None:
        return ()
    table, _ = import_zones(path, study, ZonesSource(str(path), stage=stage))
    return tuple(zip(table["unit_id"], table["stage"], table["school_id"], strict=True))


def _write_documents(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    zones: pd.DataFrame,
    options: argparse.Namespace,
    say: Translator,
) -> Conflict | None:
    """Write the documents of the zones of one stage and print how well text and map agree."""
    table = build_drawing_table(study, rules, scenario, options.stage, drawn=zones)
    if isinstance(table, Conflict):
        return table
    documents = build_zone_documents(study, table, read_drawn(table, zones), say)
    write_zone_documents(documents, options.out)
    for line in [*documents.cover, tell_agreements(documents.notices)]:
        print(quote_signs(say.say(line)))
    return None

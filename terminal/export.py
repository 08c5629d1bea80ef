"""The command ``export``: a consultation pack of a proposal, ready to be published for comment."""

from __future__ import annotations

import argparse
import dataclasses
import sys

from planning.pack_file import read_pack_file
from planning.procedure import Procedure, find_kind
from planning.publication_options import PackOptions
from planning.rules import read_rulebook
from planning.scenario import Scenario
from planning.scenario_file import read_scenario
from reports.check_words import quote_signs
from reports.consultation import Pack, require_safe, write_pack
from reports.consultation_build import build_consultation
from reports.consultation_words import say_status
from reports.language import LANGUAGES, Language, Translator
from terminal.arguments import build_limits
from terminal.stopping import stop_on_interrupt
from terminal.study import EXIT_DONE, print_lines, read_for, require_mode, show_progress

GIVEN = ("threshold", "datum", "scope", "map_number")
"""Options of the command that are fields of ``PackOptions``; what is given holds instead of what the file says."""


def export(options: argparse.Namespace, say: Translator) -> int:
    """Write a consultation pack of a scenario against its baseline."""
    scenario = read_scenario(options.scenario)
    baseline = None if options.baseline is None else read_scenario(options.baseline)
    alternatives = [read_scenario(path) for path in options.alternative or []]
    details, procedure = _read_details(options, scenario)
    rules = read_rulebook(options.rulebook)
    study = read_for(options, rules, say)
    require_mode(options, study, scenario.mode)
    with stop_on_interrupt(show_progress(options, say)) as progress:
        consultation = build_consultation(
            study,
            rules,
            scenario,
            baseline=baseline,
            alternatives=alternatives,
            options=details,
            procedure=procedure,
            languages=_list_languages(options.lang),
            limits=build_limits(options, scenario),
            progress=progress,
        )
        told = [part for problem in require_safe(consultation) for part in (problem.message, problem.cure)]
        print_lines([say.say(part) for part in told], file=sys.stderr)
        pack = write_pack(consultation, options.out, progress=progress)
    if not options.quiet:
        print_lines([quote_signs(line) for line in _tell(pack, consultation.procedure, say)])
        print(options.out)
    return EXIT_DONE


def _list_languages(lang: str) -> tuple[Language, ...]:
    """Return the languages of the documents; both: the county's own first."""
    return ("zh", "en") if lang == "both" else tuple(name for name in LANGUAGES if name == lang)


def _read_details(options: argparse.Namespace, scenario: Scenario) -> tuple[PackOptions, Procedure]:
    kind = find_kind(scenario.all_actions)
    details, procedure = PackOptions(), Procedure(kind)
    if options.details is not None:
        details, procedure = read_pack_file(options.details, kind=kind)
    given = {name: getattr(options, name) for name in GIVEN if getattr(options, name) is not None}
    return dataclasses.replace(details, **given), procedure


def _tell(pack: Pack, procedure: Procedure, say: Translator) -> list[str]:
    missing = say.join(say.say(step.name) for step in pack.missing)
    lines = [say("{count} files, {name}", count=len(pack.files), name=pack.zip_path.name), say_status(procedure, say)]
    return [*lines, *([say("Not done yet: {steps}", steps=missing)] if missing else [])]

"""Data, method in plain words, and how to compute the same again: three parts of the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np

from geodata.errors import DataIssue
from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.projected_study import FORECAST_ROLE
from planning.robust import name_variant
from planning.run import Outcome
from planning.run_record import RESULTS_VERSION
from planning.scenario import name_mode, name_stage
from reports.consultation_report_case import ReportCase, say_option
from reports.consultation_words import say_synthetic
from reports.document import Block, Box, Bullets, Facts, Heading, Paragraph, Table
from reports.forecast_words import say_school_year
from reports.language import MISSING_NUMBER, Translator
from reports.today_tables import name_severity

MOST_ISSUES = 10
DIGEST_LETTERS = 12
_FLAG_WEIGHTS = {"error": "block", "warning": "warn"}
"""Weights of flags by the severity of a finding in the data; notes are called the same."""
COMMAND = "python cli.py export STUDY.toml --scenario PROPOSAL.toml --baseline TODAY.toml --lang both --out FOLDER"
ROLE_NAMES: Mapping[str, Message] = MappingProxyType(
    {
        "schools": msg("schools, places and rolls"),
        "roads": msg("roads"),
        "population": msg("where children live"),
        "zones": msg("today's catchments"),
        "sites": msg("candidate sites"),
        "exclusions": msg("where no school may stand"),
        "open_land": msg("open land"),
        "rolls": msg("rolls of earlier years"),
        "births": msg("births"),
        "housing": msg("new housing"),
        "assets": msg("staff, buildings and equipment"),
        "groups": msg("groups of schools"),
        "evidence": msg("documents for rules"),
        "barriers": msg("railways, rivers and expressways"),
        "travel": msg("given travel times"),
        FORECAST_ROLE: msg("forecast"),
    }
)
METHOD_NAMES: Mapping[str, Message] = MappingProxyType(
    {
        "nearest": msg("every child goes to the nearest school of its stage"),
        "zones": msg("every child goes to a school of its catchment; of several, to the nearest"),
        "capacity": msg("all children together travel as little as possible, and no school gets more than its places"),
        "choice": msg("children go to schools as families were seen to choose: nearer and larger schools draw more"),
        "zoning": msg("catchments are drawn anew, each of one piece, for the aims that the planner set"),
    }
)


def name_method(method: str) -> Message:
    """Return how children are sent to school, in words."""
    return METHOD_NAMES.get(method) or msg("{method}", method=method)


def build_data_part(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield where the data come from, of when, how much there is, and what is wrong with them."""
    study = case.consultation.study
    warning = say_synthetic(case.consultation, _)
    if warning:
        yield Box(warning, tone="warn")
    yield Facts(tuple(_list_sizes(case, _)))
    rows = tuple(
        (
            _.say(ROLE_NAMES[source.role]) if source.role in ROLE_NAMES else source.role,
            source.path,
            _say_date(study, source.role, source.path, case, _),
            source.digest[:DIGEST_LETTERS],
        )
        for source in study.sources
    )
    if rows:
        headings = (_("What"), _("File"), _("State of"), _("Fingerprint"))
        note = _("Licence and credit: {credit}", credit=study.attribution) if study.attribution else ""
        yield Table(headings, rows, (0.3, 0.3, 0.2, 0.2), note=note)
    yield from _list_quality(study.issues, _)


def _list_sizes(case: ReportCase, _: Translator) -> Iterator[tuple[str, str]]:
    study, record = case.consultation.study, case.consultation.proposal.record
    yield _("Study area"), study.name
    units = study.units
    named = units["name"].fillna("").astype(str).str.strip()
    yield (
        _("Number of communities"),
        _(
            "{count}, of which {named} have a name",
            count=_.number(len(units)),
            named=_.number(int(((named != "") & (named != units["unit_id"].astype(str))).sum())),
        ),
    )
    for row in case.consultation.publication.totals.itertuples(index=False):
        stage = str(row.stage)
        schools = int((study.places["stage"] == stage).sum())
        year = record.roll_years.get(stage)
        yield (
            _.say(name_stage(stage)),
            _(
                "{pupils} children, {schools} schools; rolls: {year}",
                pupils=_.number(float(row.pupils)),  # type: ignore[arg-type]
                schools=_.number(schools),
                year=say_school_year(int(year), _) if year else _("none known"),
            ),
        )
    view = str(record.forecast.get("view", ""))
    yield _("Children of"), _say_view(view, _) if view else _("today, as the files have them")


def _say_view(view: str, _: Translator) -> str:
    """Return the forecast's year and variant, as ``2030 middle``, in words."""
    year, _space, variant = view.partition(" ")
    return _("the forecast: {year}, {variant}", year=year, variant=_.say(name_variant(variant)) if variant else "")


def _say_date(study: StudyArea, role: str, path: str, case: ReportCase, _: Translator) -> str:
    """Return of when a source is, as far as the data themselves say."""
    if role == "roads":
        dates = {network.date for network in study.networks.values() if network.source == path and network.date}
        return _.join(sorted(dates)) or _("not given")
    years: list[int] = []
    if role in ("rolls", "schools") and len(study.rolls):
        years = [int(year) for year in study.rolls["year"].dropna().unique()]
    elif role == "births" and "year" in study.births.columns and len(study.births):
        years = [int(year) for year in study.births["year"].dropna().unique()]
    elif role == "housing" and "year" in study.housing.columns and len(study.housing):
        years = [int(year) for year in study.housing["year"].dropna().unique()]
    if not years:
        return _("not given")
    if role == "schools" or len(set(years)) == 1:
        return str(max(years))
    return _("{first} to {last}", first=str(min(years)), last=str(max(years)))


def _list_quality(issues: tuple[DataIssue, ...], _: Translator) -> Iterator[Block]:
    """Yield what the checks of the data found, one line for each kind of finding."""
    yield Heading(_("What the checks of the data found"), 2)
    if not issues:
        yield Paragraph(_("Nothing."))
        return
    order = {"error": 0, "warning": 1, "note": 2}
    counts = Counter(issue.check for issue in issues)
    first: dict[str, DataIssue] = {}
    for issue in sorted(issues, key=lambda item: order[item.severity]):
        first.setdefault(issue.check, issue)
    rows = tuple(
        (
            name_severity(_FLAG_WEIGHTS.get(issue.severity, issue.severity), _),
            _.number(counts[check]),
            _.say(issue.problem),
        )
        for check, issue in list(first.items())[:MOST_ISSUES]
    )
    rest = len(first) - len(rows)
    note = _("{count} further kinds of findings stand in the program.", count=_.number(rest)) if rest > 0 else ""
    headings = (_("Gravity"), _("Times"), _("Finding (the first of its kind)"))
    yield Table(headings, rows, (0.14, 0.1, 0.76), ("left", "right", "left"), note=note)


def build_method_part(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield how the figures came about, in sentences that need no schooling."""
    consultation = case.consultation
    proposal, baseline = consultation.proposal, consultation.baseline
    told = [
        _("Who goes where: {method}.", method=_.say(name_method(proposal.scenario.enrolment))),
        _say_travel(proposal, _),
        *_say_settings(case, _),
        _(
            "Compared with “{name}”: the same data, rules and way of travel.",
            name=say_option(baseline, _),
        ),
        *(_.say(note) for note in consultation.publication.notes),
        _("Rules: every rule of the rulebook that can be measured is checked in both, by the same program."),
    ]
    if baseline.scenario.enrolment != proposal.scenario.enrolment:
        told.insert(
            4,
            _(
                "Today is computed otherwise than the proposal: {method}. Part of the difference comes from that.",
                method=_.say(name_method(baseline.scenario.enrolment)),
            ),
        )
    yield Bullets(tuple(part for part in told if part))
    yield Paragraph(
        _(
            "What the method does not see: how safe a road is, the wishes of families, the quality of teaching, and"
            " children of whom the data do not know. These are questions for the consultation."
        ),
        "warn",
    )


def _say_travel(outcome: Outcome, _: Translator) -> str:
    travel = outcome.record.travel
    mode = _.say(name_mode(outcome.scenario.mode))
    method = str(travel.get("method", ""))
    if method == "straight line":
        return _(
            "Ways are measured {mode} as straight lines times {factor}, because no roads are known: single ways may be"
            " much longer, above all in mountains.",
            mode=mode,
            factor=_.number(float(str(travel.get("detour_factor", "nan"))), digits=2),
        )
    if method == "given":
        return _("Ways are those that the data give, {mode}.", mode=mode)
    return _(
        "Ways are measured {mode} along the roads, one way, from the middle of the community to the gate.", mode=mode
    )


def _say_settings(case: ReportCase, _: Translator) -> Iterator[str]:
    scenario = case.consultation.proposal.scenario
    if (case.consultation.publication.ways["grades"] != "all").any():
        yield _(
            "Teaching points take grades 1 to 3, counted as {share} of the primary children of a community.",
            share=_.percent(scenario.low_grade_share),
        )
    if scenario.measure == "length" and scenario.enrolment == "nearest":
        yield _("“Nearest” means metres, not minutes.")
    if scenario.variant:
        yield _(
            "Children and rolls are those that the forecast expects in {year}, variant “{variant}”.",
            year=str(scenario.year),
            variant=_.say(name_variant(scenario.variant)),
        )
    else:
        yield _("Children are those of today; later births and moves are not counted.")


def build_again_part(case: ReportCase, _: Translator) -> Iterator[Block]:
    """Yield what it takes to compute the same: data, rules, scenario, program, and the command."""
    consultation = case.consultation
    record, scenario = consultation.proposal.record, consultation.proposal.scenario
    versions = _.join(f"{name} {version}" for name, version in record.versions.items())
    limits = _.join(f"{name}={value}" for name, value in record.limits.items() if not _is_empty(value))
    pairs = (
        (_("Pack"), consultation.pack_id),
        (_("Data"), f"{record.study}, {record.study_fingerprint}"),
        (_("Forecast"), f"{record.forecast.get('view', '')} {record.forecast.get('fingerprint', '')}".strip()),
        (_("Rulebook"), f"{record.rulebook} {record.rulebook_version}, {record.rulebook_fingerprint}"),
        (_("Proposal"), f"{scenario.name}; {consultation.proposal.record.plan_fingerprint}"),
        (_("Today"), f"{say_option(consultation.baseline, _)}; {consultation.baseline.record.plan_fingerprint}"),
        (_("Search"), limits),
        (_("Version of results"), str(RESULTS_VERSION)),
        (_("Program"), versions),
    )
    yield Facts(tuple((name, value or MISSING_NUMBER) for name, value in pairs))
    yield Paragraph(
        _(
            "To compute it again: save study, rulebook and scenarios as files, then run “{command}”. The same"
            " fingerprints mean the same numbers; every single figure stands in the workbook of this pack.",
            command=COMMAND,
        )
    )


def _is_empty(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and not np.isfinite(value))

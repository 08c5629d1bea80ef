"""The tables of a pack: one workbook in the reader's language, and the same tables as CSV."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pandas as pd

from geodata.errors import ExportError
from geodata.messages import msg
from planning.action_words import collect_names, describe_action
from planning.indicators import INDICATORS
from planning.procedure import STEPS
from planning.rule_checks import summarise_checks
from planning.run_record import RESULTS_VERSION
from reports.check_tables import SEVERITY_NAMES, STATUS_NAMES, SUBJECT_NAMES, name_rule
from reports.citations import cite_rule
from reports.compare_words import name_verdict
from reports.consultation_checks import hide_checks, round_indicator, say_finding, say_remedy
from reports.consultation_closures import list_closure_tests, name_test_status
from reports.consultation_sheets import build_published_sheets, list_numbers, list_rows
from reports.consultation_words import (
    say_count,
    say_counts_note,
    say_footer,
    say_period,
    say_proposal,
    say_status,
    say_synthetic,
)
from reports.consultation_workbook import CellKind, Column, Margins, Sheet, render_pack_workbook
from reports.language import Translator
from reports.legend import name_mode_short, name_stage_short
from reports.scenario_words import list_in_force
from reports.tables import render_csv

if TYPE_CHECKING:
    from reports.consultation_case import Consultation

COUNTING = ("pupils", "actual_pupils", "unreached_pupils")
"""Indicators that are counts of children: hidden where they are small."""
KINDS: Mapping[str, CellKind] = MappingProxyType({"share": "share", "min": "minutes", "m": "count", "ratio": "ratio"})
NARROW = 34.0
"""Letters in a line of a column that stands beside a long one."""
DIGITS: Mapping[str, int] = MappingProxyType({"share": 3, "minutes": 1, "ratio": 3, "number": 1, "count": 0})
"""Decimals that a cell of a kind keeps."""


def write_pack_tables(consultation: Consultation, folder: str | Path, _: Translator) -> list[Path]:
    """Write ``pack_<language>.xlsx`` and ``<table>_<language>.csv`` into ``folder`` (made where missing).

    Tables without a row (no closures, no costs) are left out.

    Raises
    ------
    ExportError
        The folder cannot be made or written to.
    """
    folder = Path(folder)
    sheets = [sheet for sheet in build_pack_sheets(consultation, _) if sheet.rows]
    margins = Margins(
        title=consultation.title,
        status=say_status(consultation.procedure, _),
        footer=say_footer(consultation, _),
        author=consultation.options.issuer,
    )
    files = {f"pack_{_.language}.xlsx": render_pack_workbook(sheets, margins)}
    files |= {f"{sheet.key}_{_.language}.csv": render_csv(sheet.as_table()) for sheet in sheets}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            unfinished = folder / f".{name}"
            unfinished.write_bytes(content)
            unfinished.replace(folder / name)
    except OSError as error:
        told = msg("{folder} cannot be written: {reason}", folder=folder.name, reason=error.strerror or str(error))
        raise ExportError(told) from error
    return [folder / name for name in files]


def build_pack_tables(consultation: Consultation, _: Translator) -> dict[str, pd.DataFrame]:
    """Return the tables by the stem of their file, with headings and words in the reader's language."""
    return {sheet.key: sheet.as_table() for sheet in build_pack_sheets(consultation, _)}


def build_pack_sheets(consultation: Consultation, _: Translator) -> list[Sheet]:
    """Return the sheets of the workbook in order: what it is, what is published, what the rules say, the procedure."""
    return [
        _build_notes(consultation, _),
        *build_published_sheets(consultation, _),
        _build_indicators(consultation, _),
        *_build_rules(consultation, _),
        _build_closures(consultation, _),
        _build_actions(consultation, _),
        _build_procedure(consultation, _),
        _build_costs(consultation, _),
    ]


def _build_notes(consultation: Consultation, _: Translator) -> Sheet:
    """Return what the tables are of: title, data, versions, what is hidden."""
    study, options, publication = consultation.study, consultation.options, consultation.publication
    scenario, rules = consultation.proposal.scenario, consultation.rules
    small, more = publication.hidden
    pairs = [
        (_("Title"), consultation.title),
        (_("Kind of proposal"), say_proposal(consultation.procedure, _)),
        (_("State of the document"), say_status(consultation.procedure, _)),
        (_("Issued by"), options.issuer),
        (_("Document number"), options.document_number),
        (_("Objections are taken"), say_period(options, _)),
        (_("Where to ask"), _.join(part for part in (options.office, options.phone, options.email) if part)),
        (_("Map review number"), options.map_number),
        (_("County or district"), study.name),
        (_("Data"), say_synthetic(consultation, _) or study.attribution),
        (_("Proposal"), scenario.name),
        (_("Compared with"), consultation.baseline.scenario.name),
        (_("Stages"), _.join(name_stage_short(stage, _) for stage in publication.stages)),
        (_("Way of travel"), name_mode_short(scenario.mode, _)),
        (_("School year"), "" if scenario.year is None else str(scenario.year)),
        (_("Rulebook"), f"{rules.name} {rules.version}"),
        (_("Pack"), consultation.pack_id),
        (_("Fingerprint of the data"), study.fingerprint),
        (_("Results version"), str(RESULTS_VERSION)),
        (_("Counts"), say_counts_note(consultation, _)),
        (
            _("Hidden counts"),
            _(
                "{small} because they are small, {more} more to keep them so",
                small=_.number(small),
                more=_.number(more),
            ),
        ),
        *((_("To be known"), _.say(note)) for note in publication.notes),
    ]
    known = [(name, value) for name, value in pairs if value]
    columns = (
        Column(_("Item"), [name for name, _value in known]),
        Column(_("Content"), [value for _name, value in known]),
    )
    return Sheet("notes", _("About these tables"), columns)


def _build_indicators(consultation: Consultation, _: Translator) -> Sheet:
    """Return the numbers of the county before, in the proposal and in every alternative, with the difference."""
    comparison = consultation.comparison
    rows = comparison.indicators[comparison.indicators["stage"].isin(consultation.publication.stages)]
    known = {item.name: item for item in INDICATORS}
    names = [str(name) for name in rows["indicator"]]
    kinds: list[CellKind] = [_choose_kind(name, str(unit)) for name, unit in zip(names, rows["unit"], strict=True)]
    options = range(len(comparison.names))
    values = [_list_values(consultation, rows.assign(kind=kinds), option, _) for option in options]
    change = [
        after - before if isinstance(before, float) and isinstance(after, float) else None
        for before, after in zip(values[0], values[1], strict=True)
    ]
    columns = (
        Column(_("Stage"), [name_stage_short(str(stage), _) for stage in rows["stage"]]),
        Column(_("Indicator"), [_.say(known[name].title) for name in names]),
        Column(_("Unit"), [_name_unit(str(unit), _) for unit in rows["unit"]]),
        *(Column(_name_option(consultation, option, _), values[option], kinds) for option in options),
        Column(_("Difference, proposal"), _round_all(change, kinds), kinds),
        Column(_("The proposal is"), [name_verdict(str(verdict), _) for verdict in rows["verdict_1"]]),
        Column(_("Meaning"), [_.say(known[name].definition) for name in names]),
    )
    return Sheet("indicators", _("Indicators"), columns)


def _name_option(consultation: Consultation, option: int, _: Translator) -> str:
    name = consultation.comparison.names[option]
    if option == 0:
        return _("Before: {name}", name=name)
    if option == 1:
        return _("Proposal: {name}", name=name)
    return _("Alternative {number}: {name}", number=option - 1, name=name)


def _choose_kind(name: str, unit: str) -> CellKind:
    if unit in KINDS:
        return KINDS[unit]
    return "number" if name.startswith("mean_") else "count"


def _name_unit(unit: str, _: Translator) -> str:
    names = {
        "pupils": _("children"),
        "schools": _("schools"),
        "places": _("places"),
        "share": _("share"),
        "min": _("minutes"),
        "m": _("metres"),
        "ratio": "",
    }
    return names.get(unit, unit)


def _list_values(consultation: Consultation, rows: pd.DataFrame, option: int, _: Translator) -> list[object]:
    """Return the values of one option, no finer than they are shown: a share of many digits is a count.

    Counts of children are whole numbers, hidden where they are small, or where totals that they belong to are hidden.
    """
    totals = consultation.publication.totals
    flags = [name for name in ("lost_hidden", "won_hidden") if name in totals]
    shut = set(totals.loc[totals[flags].any(axis=1), "stage"]) if flags else set()
    found: list[object] = []
    for row in list_rows(rows.assign(value=rows[f"value_{option}"])):
        value = float(row.value)
        if not math.isfinite(value):
            found.append(None)
        elif row.indicator in COUNTING:
            small = 1e-6 < value < consultation.publication.threshold - 1e-6
            small |= row.indicator == "unreached_pupils" and row.stage in shut
            found.append(
                say_count(value, small, consultation.publication.threshold, _) if small else float(round(value))
            )
        else:
            told = round_indicator(consultation, str(row.indicator), str(row.unit), str(row.stage), value)
            found.append(round(told, DIGITS[row.kind]) if math.isfinite(told) else None)
    return found


def _round_all(values: Sequence[float | None], kinds: Sequence[CellKind]) -> list[object]:
    """Return differences without the dust of subtraction."""
    return [None if value is None else round(value, DIGITS[kind]) for value, kind in zip(values, kinds, strict=True)]


def _build_rules(consultation: Consultation, _: Translator) -> list[Sheet]:
    """Return rules with their results, findings that are not passed, and rules that were not checked."""
    rules = consultation.rules
    summary = summarise_checks(consultation.checks)
    ids = [str(rule_id) for rule_id in summary["rule_id"]]
    counts = {name: list_numbers(summary[name]) for name in STATUS_NAMES}
    results = (
        Column(_("Rule"), [name_rule(rules, rule_id, _) for rule_id in ids], widest=NARROW),
        Column(_("Stage"), [name_stage_short(str(stage), _) for stage in summary["stage"]]),
        Column(_("Force of the rule"), [_.say(SEVERITY_NAMES[rules.by_id(rule_id).severity]) for rule_id in ids]),
        *(Column(_.say(title), counts[name], "count") for name, title in STATUS_NAMES.items()),
        Column(_("Source"), [cite_rule(rules, rule_id, _) for rule_id in ids]),
    )
    missing = consultation.not_checked
    unread = (
        Column(_("Rule"), [name_rule(rules, str(rule_id), _) for rule_id in missing["rule_id"]], widest=NARROW),
        Column(_("Why it was not checked"), [_.say(reason) for reason in missing["reason"]]),
        Column(_("Source"), [cite_rule(rules, str(rule_id), _) for rule_id in missing["rule_id"]]),
    )
    return [
        Sheet("rules", _("Rules"), results),
        _build_findings(consultation, _),
        Sheet("not_checked", _("Rules not checked"), unread),
    ]


def _build_findings(consultation: Consultation, _: Translator) -> Sheet:
    """Return every finding that is failed or not known, what forbids first; figures of few children are hidden."""
    rules, checks = consultation.rules, hide_checks(consultation)
    shown = checks[checks["status"].isin(("failed", "unknown"))]
    grave = shown["status"].map({"failed": 0, "unknown": 1})
    weight = shown["severity"].map({"block": 0, "warn": 1, "evidence": 2, "note": 3})
    rows = list_rows(
        shown.assign(_a=grave, _b=weight).sort_values(["_a", "_b"], kind="stable").drop(columns=["_a", "_b"])
    )
    columns = (
        Column(_("Status"), [_.say(STATUS_NAMES[row.status]) for row in rows]),
        Column(_("Force of the rule"), [_.say(SEVERITY_NAMES[row.severity]) for row in rows]),
        Column(_("Rule"), [name_rule(rules, row.rule_id, _) for row in rows], widest=NARROW),
        Column(_("About"), [_.say(SUBJECT_NAMES[row.subject]) for row in rows]),
        Column(_("Finding"), [say_finding(row, rules, _) for row in rows]),
        Column(_("Cure"), [say_remedy(row, rules, _) for row in rows], widest=NARROW),
    )
    return Sheet("findings", _("Findings"), columns)


def _build_closures(consultation: Consultation, _: Translator) -> Sheet:
    tests = list_closure_tests(consultation, _)
    columns = (
        Column(_("School"), [test.school for test in tests]),
        Column(_("Stage"), [name_stage_short(test.stage, _) for test in tests]),
        Column(_("Test"), [name_rule(consultation.rules, test.rule.id, _) for test in tests], widest=NARROW),
        Column(_("Result"), [name_test_status(test.status, _) for test in tests]),
        Column(_("What is still missing"), [test.detail for test in tests], widest=NARROW),
        Column(_("Source"), [cite_rule(consultation.rules, test.rule.id, _) for test in tests]),
    )
    return Sheet("closures", _("Closure tests"), columns)


def _build_actions(consultation: Consultation, _: Translator) -> Sheet:
    """Return the actions in order with their year; comments stay in the bureau."""
    outcome = consultation.proposal
    actions, held = outcome.scenario.all_actions, list_in_force(outcome)
    names = collect_names(consultation.study, actions)
    columns = (
        Column(_("No."), list(range(1, len(actions) + 1)), "year"),
        Column(_("School year"), [None if action.year is None else action.year for action in actions], "year"),
        Column(_("Action"), [_.say(describe_action(action, names)) for action in actions]),
        Column(_("Carried out"), [_("yes") if number in held else _("no") for number in range(1, len(actions) + 1)]),
    )
    return Sheet("actions", _("Actions"), columns)


def _build_procedure(consultation: Consultation, _: Translator) -> Sheet:
    procedure = consultation.procedure
    records = {record.step_id: record for record in procedure.records}
    steps = [step for step in STEPS.values() if procedure.kind in step.kinds]
    found = [records.get(step.step_id) for step in steps]
    known = {rule.id for rule in consultation.rules.rules}
    columns = (
        Column(_("Step of the procedure"), [_.say(step.name) for step in steps]),
        Column(_("State"), [_("done") if record is not None and record.done else _("missing") for record in found]),
        Column(_("Date"), ["" if record is None or record.date is None else _.date(record.date) for record in found]),
        Column(
            _("Evidence"),
            ["" if record is None else "\n".join(item.name for item in record.evidence) for record in found],
        ),
        Column(_("Remark"), ["" if record is None else record.note for record in found]),
        Column(
            _("Rules"),
            [
                "\n".join(name_rule(consultation.rules, key, _) for key in step.rule_ids if key in known)
                for step in steps
            ],
        ),
    )
    return Sheet("procedure", _("Procedure"), columns)


def _build_costs(consultation: Consultation, _: Translator) -> Sheet:
    costs = consultation.options.costs
    columns = (
        Column(_("What is paid for"), [cost.name for cost in costs]),
        Column(_("School year"), [cost.school_year for cost in costs], "year"),
        Column(_("Amount"), [float(cost.amount) for cost in costs], "number"),
        Column(_("Currency"), [cost.unit for cost in costs]),
        Column(_("Prices of"), [cost.price_year for cost in costs], "year"),
        Column(_("Source"), [cost.source for cost in costs]),
    )
    return Sheet("costs", _("Costs"), columns)

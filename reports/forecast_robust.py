"""A plan in every year and variant: what a reader sees of ``planning.robust``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from planning.flag_case import iterate_rows
from planning.forecast_options import VARIANTS
from planning.indicators import INDICATORS
from planning.rule_checks import tell_check
from reports.forecast_words import name_variant, say_school_year
from reports.language import Translator
from reports.legend import name_stage_short
from reports.today_tables import SEVERITIES, name_severity, say_value

if TYPE_CHECKING:
    from planning.robust import RobustAnswer
    from planning.rules import Rules

Case = tuple[int, str]


def list_case_axes(answer: RobustAnswer) -> tuple[list[int], list[str]]:
    """Return the years and the variants of the cases, in order."""
    years = sorted({int(year) for year in answer.cases["year"]})
    return years, [name for name in VARIANTS if name in set(answer.cases["variant"])]


def find_cases(answer: RobustAnswer) -> dict[Case, tuple[bool, int]]:
    """Return for every year and variant whether it is lawful, and how many rules that forbid are broken."""
    return {
        (int(row.year), str(row.variant)): (bool(row.lawful), int(row.failed_rules))
        for row in iterate_rows(answer.cases)
    }


def say_robust(answer: RobustAnswer, _: Translator) -> str:
    """Return the judgement as a sentence: lawful throughout, nowhere, or where it first fails."""
    cases = answer.cases
    good, count = int(cases["lawful"].sum()), len(cases)
    if good == count:
        return _("“{name}” keeps to the law in all {count} cases.", name=answer.name, count=_.number(count))
    failed = cases[~cases["lawful"].astype(bool)].sort_values(["year"])
    first = failed.iloc[0]
    words = {"name": answer.name, "good": _.number(good), "count": _.number(count)}
    if good == 0:
        return _("“{name}” breaks rules that forbid in all {count} cases.", **words)
    return _(
        "“{name}” keeps to the law in {good} of {count} cases; it first fails in {year} ({variant}).",
        year=say_school_year(int(first["year"]), _),
        variant=name_variant(str(first["variant"]), _),
        **words,
    )


def build_first_table(answer: RobustAnswer, rules: Rules, _: Translator) -> pd.DataFrame:
    """Return one row per rule that fails: when first, in how many cases, and the first finding in words."""
    rows = []
    for row in iterate_rows(answer.first):
        found = answer.failures
        found = found[
            (found["rule_id"] == row.rule_id)
            & (found["stage"] == row.stage)
            & (found["year"] == row.year)
            & (found["variant"] == row.variant)
        ]
        rule = rules.by_id(str(row.rule_id))
        name = rule.name_zh if _.language == "zh" else rule.name_en
        words = _.say(tell_check(found.iloc[0], rules)) if len(found) else ""
        rows.append(
            (
                name_severity(rule.severity, _),
                name,
                name_stage_short(str(row.stage), _) if row.stage else "",
                f"{say_school_year(int(row.year), _)} · {name_variant(str(row.variant), _)}",
                int(row.failed),
                int(row.cases),
                words,
            )
        )
    columns = [_("Severity"), _("Rule"), _("Stage"), _("First fails in"), _("Subjects"), _("Cases"), _("First finding")]
    order = {name_severity(name, _): place for place, name in enumerate(SEVERITIES)}
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(columns[0], key=lambda names: names.map(order), kind="stable", ignore_index=True)


def build_worst_table(answer: RobustAnswer, _: Translator) -> pd.DataFrame:
    """Return one row per figure: its worst case, when that is, and its average over the cases."""
    known = {item.name: item for item in INDICATORS}
    rows = []
    for name, (value, year, variant) in answer.worst.items():
        title, unit = name_robust(name, _)
        unit = known[name].unit if name in known else unit
        title = _.say(known[name].title) if name in known else title
        when = f"{say_school_year(int(year), _)} · {name_variant(variant, _)}"
        mean = answer.mean.get(name, float("nan"))
        rows.append((title, say_value(value, unit, _), when, say_value(mean, unit, _)))
    return pd.DataFrame(rows, columns=[_("Figure"), _("Worst case"), _("When"), _("Average")])


def name_robust(name: str, _: Translator) -> tuple[str, str]:
    """Return title and unit of a figure that is no indicator of its own."""
    names = {
        "max_fill_share": (_("Fullest school"), "share"),
        "schools_over": (_("Schools with more pupils than places"), "schools"),
    }
    return names.get(name, (name, ""))


def build_case_rows(answer: RobustAnswer, rules: Rules, _: Translator) -> pd.DataFrame:
    """Return the failures of all cases for a file: ids, numbers, and the finding in words."""
    table = answer.failures.copy()
    table["finding"] = [_.say(tell_check(row, rules)) for row in iterate_rows(answer.failures)]
    return table

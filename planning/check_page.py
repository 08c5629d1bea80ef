"""``docs/rule-checks.md``, made from the registry of checks."""

from __future__ import annotations

from planning.check_case import CHECK_COLUMNS, CURES
from planning.check_registry import RULE_CHECKS, RuleCheck
from planning.rules import KEYS, Rules, read_rulebook

_HEAD = """# Rule checks

Made from the registry of checks by `make docs`; do not edit by hand.

`planning.rule_checks.check_rules` holds the answer to a scenario against every rule of a rulebook. There is one row per
rule and school, community, town or county:
"""
_COLUMNS = (
    ("`rule_id`", "the rule; [rules](rules.md) has its text and source"),
    (
        "`subject`, `subject_id`, `subject_name`, `stage`",
        "whom the row is about: school, unit (a community), town, county, group",
    ),
    (
        "`status`",
        "`passed`; `failed`; `unknown`: data is missing; `evidence`: a person answers it with a document, and has not"
        " yet",
    ),
    ("`measured`, `limit`, `op`, `unit`", "`measured op limit` keeps the rule; empty: not known, or no number"),
    ("`short_by`", "by how much a failed row misses its limit, in `unit`; 0 where passed"),
    (
        "`missing`",
        "the columns that are needed, as `table.column` joined by `;` (see the [data dictionary](data-dictionary.md))",
    ),
    ("`cure`, `cure_amount`", "what would mend it, and how much is enough: {cures}"),
    ("`severity`, `verified`", "those of the rule: block, warn, note, evidence; whether its source was read"),
    (
        "`detail`",
        "the indicator of a spread, `unreached`, the grades, `largest` or `mean` class, where the cure lies"
        " (`elsewhere`)",
    ),
    ("`pupils`", "pupils concerned"),
    ("`document`", "what an evidence row rests on"),
)
_NOTES = """
Whoever applies the cure passes, and one less is not enough (tested). A cure is the smallest amount for this one rule
and subject; cures of several rows do not add up. Numbers that differ by less than a millionth are equal.

**Whose pupils.** Schools are filled by their roll (with actions: as projected), else by the model. Where the scenario
itself proposes who goes where (new zones, assignment under capacity), the model fills them. In a year to come the rolls
are those of the forecast, and the largest class of today says nothing.

**Exceptions** of a rule (founded by 2010, …) are decided by the data. Where the facts are missing and only an exception
would save the school, the row is `unknown` and names the facts.

**Documents.** A rule that people answer is `evidence` until the study's table of evidence (`evidence.item_id` = id of
the rule) says yes or no, or gives a number. A document also answers for the county where the data answer for nobody.

**Nothing is silent.** Every enabled rule has a row or stands in `list_not_checked` with the reason: other stages, not
in force, no closures, no inspection, a figure that computations take, or for reference.

## What is measured
"""
_ROBUST = """
## Robust plans

`planning.robust.judge_cases` judges one plan in every year and variant of the [forecast](forecast.md). New zones and
assignments under capacity are made once and held, community by community; nearest school, given zones and choice follow
the case. A case is lawful where no rule of severity block fails and there is a plan. It answers with the year and
variant in which each rule first fails, and the worst and the average case of places short, schools over their places,
the fullest school, mean and longest travel time, and the share of pupils beyond the service radius. `compare_robust`
ranks several plans by both.
"""


def render_rule_checks_page() -> str:
    """Return ``docs/rule-checks.md``: every check with its data, its cure, and the rules of ``cn`` that it serves."""
    book = read_rulebook("cn")
    cures = ", ".join(f"`{cure}`" for cure in CURES if cure)
    lines = [_HEAD, "| column | meaning |", "|---|---|"]
    lines += [f"| {name} | {meaning.replace('{cures}', cures)} |" for name, meaning in _COLUMNS]
    lines += [_NOTES.rstrip()]
    lines += ["", "| key | rules of `cn` | of each | measured | from | cure |", "|---|---|---|---|---|---|"]
    lines += [_render_row(check, book) for check in RULE_CHECKS.values()]
    lines += [
        "",
        "Rules of other keys are answered by documents, or are figures and references: see [rules](rules.md).",
    ]
    return "\n".join(lines) + "\n" + _ROBUST


def _render_row(check: RuleCheck, book: Rules) -> str:
    ids = ", ".join(rule.id for rule in book.rules if rule.key == check.key) or "none"
    data = ", ".join(f"`{name}`" for name in check.data)
    cure = f"`{check.cure}`: {check.cured}" if check.cure else "–"
    title = str(check.title) + (" (balance inspection)" if check.needs_balance else "")
    title += " (closures)" if check.needs_closure else ""
    subjects = ", ".join("community" if name == "unit" else name for name in check.subjects)
    return f"| `{check.key}` | {ids} | {subjects} | {title} | {data} | {cure} |"


def list_undocumented() -> list[str]:
    """Return checks and columns that the page does not name, and measured keys without a check; empty: complete."""
    page = render_rule_checks_page()
    measured = [name for name, key in KEYS.items() if key.use == "measured"]
    wanted = [*CHECK_COLUMNS, *RULE_CHECKS, *measured]
    return [name for name in wanted if f"`{name}`" not in page]

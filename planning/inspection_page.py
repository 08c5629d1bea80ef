"""The page of the handbook about the balance inspections, made from the registries themselves."""

from __future__ import annotations

from collections.abc import Iterable

from planning.balance_registry import BALANCE_INDICATORS, BalanceIndicator
from planning.balance_rules import find_rule, read_limit, read_pass_rule, read_split_weights
from planning.balance_tables import BALANCE_KINDS, BALANCE_STAGES
from planning.groups_pairs import propose_pairs
from planning.inspection_facts import InspectionItem
from planning.inspection_items import GROUP_NAMES, INSPECTION_ITEMS
from planning.rules import Rules, read_rulebook

TITLES = {
    "quality": "Quality balance (优质均衡, 教督〔2017〕6号)",
    "basic": "Basic balance (基本均衡, 教督〔2012〕3号)",
}
_INTRODUCTION = """# Balance inspection

Made from the registries in `planning/balance_registry.py` and `planning/inspection_items.py` by `make docs`; do not
edit by hand. Limits are those of the rulebook `cn`; a rulebook of your own may set others. **None of the values was
read in the official text**: the column *source* says where each was read, *not verified* that nobody did.

What it needs: `assets` (what schools have), `rolls` (pupils), and for the items of the county `evidence` and
`groups`; see the [data dictionary](data-dictionary.md). What is not known stays unknown: it is never counted as 0.

## How schools are counted

- A **school part** is one stage of a school. Nine-year and complete schools are judged stage by stage.
- Not counted, each with its reason: teaching points below {point:g} pupils, special and vocational schools (known by
  their name, because the data have no such kind), and parts without pupils or whose pupils are not known.
- Numbers of assets are those of the latest year up to the one asked about, for every school and stage.
- A row of `assets` with a stage counts that stage. A row without one counts the whole school: what is not counted by
  stage is **split by weighted pupils**, primary {primary:g} : junior {junior:g} : senior {senior:g}, in complete
  secondary schools junior 1 : senior {over:g}. The parts add up to the whole; rounding for display keeps the sum
  (`round_to_sum`). Teachers are best counted by stage; where they are not, they are split too, and the note says so.
  Kindergarten classes have no weight.
- A school passes when at least {least} of {of} indicators meet their limit and every other reaches {floor:.0%} of it.
  It fails as soon as that is sure, and is unknown while something that is not known could change the verdict.

## Differences between schools

With assets x, pupils P and X = x / P of every school, N = ΣP and X̄ = Σx / N:

    S = sqrt( Σ P/N · (X − X̄)² )        CV = S / X̄

weighted by enrolment, population form (县域义务教育校际均衡指标计算方法). Beside it stand the unweighted coefficient
(population form) and its sample form (n − 1), which published software uses; `flips` says where the unweighted one
would turn the verdict. Fixture: pupils 45, 37, 89, 76, 55 and assets 279, 137, 935, 160, 402 give 0.515 weighted,
0.489 unweighted and 0.547 in the sample form, on both sides of 0.50. In 2017 each of the seven is judged; in 2012 the
mean of the eight.
"""
_AFTER = """## After a scenario

Pupils are those of the projected rolls (see [scenarios](scenarios.md)). Assumed, and said in every answer:

- **Closed or merged**: teachers, equipment, computers and books of the stage go to the schools that take its pupils,
  in proportion to these pupils. Rooms, areas and sports grounds stay behind and count for nobody; where the school
  keeps another stage, that stage has them.
- **Campus**: nothing moves. Pupils and assets of the campus, buildings included, count under the head school.
- **Teaching point, moved zones**: pupils change, assets do not.
- **New school, new stage, more places**: assets are not known until they are given.
- Class sizes after actions are not known by class: an average above the cap proves a breach, nothing else is said.

Schools short of a limit: `list_shortages` gives what is missing to the limit and to {floor:.0%} of it, in teachers,
rooms and computers (whole), m² and yuan. `compare_balance` shows how means, coefficients and verdicts move.

## The workbook

Pale yellow cells are input: pupils, assets, limits, weights, documents. Everything derived from them is a formula
written with its result: shared assets, values, verdicts, shortages, coefficients, shares, counts. What only the
program can work out stands as a number with a note (bounds, items judged school by school, coefficients within
groups, partners).

## Groups, alliances and partners

Members are those of the table `groups`; a school that it does not name belongs to the group of `schools.group_id`. A
group's indicators are those of all its schools together (Σ assets / Σ pupils); its spread is worked out like that of
the county, for which alone the law sets a limit. Coverage is the share of schools, and of pupils, in groups. The
share of exchanged teachers is Σ exchanged / Σ due over all members against rule G11, and not known as soon as one
member gives no number.

{pairs}
"""


def render_inspection_page() -> str:
    """Return ``docs/inspection.md``: every indicator and item, with formula, limits, source and traps."""
    rules = read_rulebook("cn")
    weights, least = read_split_weights(rules), read_pass_rule(rules)
    lines = [
        _INTRODUCTION.format(
            point=read_limit(find_rule(rules, "exclude_teaching_points_below", "primary"), "primary"),
            primary=weights.primary,
            junior=weights.junior,
            senior=weights.senior,
            over=weights.senior_over_junior,
            least=least.min_met,
            of=least.of,
            floor=least.floor_share,
        )
    ]
    for kind in BALANCE_KINDS:
        lines += [f"## {TITLES[kind]}: indicators", ""]
        lines += [
            "| id | indicator | columns | formula | primary | junior | unit | source |",
            "|---|---|---|---|---|---|---|---|",
        ]
        lines += [_row_of_indicator(item, rules) for item in BALANCE_INDICATORS[kind]]
        lines += ["", "Traps:", ""]
        lines += [f"- **{item.id}**: {item.trap}" for item in BALANCE_INDICATORS[kind]]
        items = [item for item in INSPECTION_ITEMS if item.kind == kind]
        lines += ["", f"## {TITLES[kind]}: items", ""]
        lines += ["| item | part | what is asked | limit | answered by | formula or what to show | source |"]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [_row_of_item(item, rules) for item in items]
        lines += ["", "Traps:", ""]
        lines += [f"- **{item.id}**: {item.trap}" for item in items if item.trap is not None]
        lines += [""]
    lines += [_AFTER.format(floor=least.floor_share, pairs=_read_module(propose_pairs))]
    return "\n".join(lines).rstrip() + "\n"


def _read_module(of: object) -> str:
    """Return what a module says of itself, without its first line; headings become a list."""
    import inspect
    import sys

    text = inspect.getdoc(sys.modules[str(getattr(of, "__module__", ""))]) or ""
    return text.partition("\n\n")[2].strip()


def _row_of_indicator(item: BalanceIndicator, rules: Rules) -> str:
    limits = [_write_limit(rules, item.rule_key, stage, ">=") if item.rule_key else "–" for stage in BALANCE_STAGES]
    per = "per pupil" if item.per == 1 else f"per {item.per} pupils"
    columns = ", ".join(f"`{name}`" for name in item.columns)
    source = _cite(rules, item.id if item.rule_key else "B1")
    return _join([item.id, str(item.title), columns, str(item.definition), *limits, f"{item.asset_unit} {per}", source])


def _row_of_item(item: InspectionItem, rules: Rules) -> str:
    stages = [stage for stage in item.stages if stage] or ["all"]
    rule = find_rule(rules, item.key, "primary") if item.key else None
    if stages == ["all"] and rule is not None and "primary" in rule.value:
        stages = list(BALANCE_STAGES)
    limits = [_write_limit(rules, item.key, stage, item.op) for stage in stages] if item.key and item.op else []
    shown = [limits[0]] if len(set(limits)) == 1 else [f"{s} {text}" for s, text in zip(stages, limits, strict=False)]
    by_data = item.compute is not None and item.decides
    answered = "data, else reported" if by_data else "reported" if item.op else "document"
    how = str(item.formula) if item.formula else str(item.show)
    cells = [item.id, str(GROUP_NAMES[item.group]), str(item.name), ", ".join(shown) or "–", answered, how]
    return _join([*cells, _cite(rules, item.id)])


def _write_limit(rules: Rules, key: str, stage: str, op: str) -> str:
    rule = find_rule(rules, key, stage)
    limit = read_limit(rule, stage)
    sign = {">=": "≥", "<=": "≤"}.get(op, op)
    return f"{sign} {limit:g}" if limit == limit else "by school" if rule is not None else "–"


def _cite(rules: Rules, rule_id: str) -> str:
    found = [rule for rule in rules.rules if rule.id == rule_id]
    if not found:
        return "convention of this project"
    rule = found[0]
    return rule.source + (f", {rule.clause}" if rule.clause else "") + ("" if rule.verified else " (**not verified**)")


def _join(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

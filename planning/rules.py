"""Rules: every threshold with its unit, its source, and whether that source was read.

A rulebook is data: a TOML file in ``planning/rulebooks`` or one of the user's own. Unknown keys are errors. A rule that
nobody verified is switched off; a convention of this project says that it is one.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from geodata.errors import RuleError
from geodata.study import STAGES, compute_digest

RULEBOOK_FOLDER = Path(__file__).parent / "rulebooks"
BOOKS = ("cn", "intl")
ALL_STAGES = "all"
SEVERITIES = ("block", "warn", "note")
OPERATORS = ("<=", "<", ">=", ">", "=")
EVIDENCE = ("official", "press", "secondary", "software", "derived", "memory", "convention")
KINDS = (
    "kindergarten",
    "primary",
    "teaching_point",
    "junior",
    "nine_year",
    "complete_secondary",
    "senior",
    "twelve_year",
)
RULE_SETTINGS = ("urban", "town", "rural")
RULE_KEYS = (
    "design_class_size",
    "large_class_from",
    "max_beyond_share",
    "super_large_class_from",
    "max_class_size",
    "max_classes",
    "max_detour_min",
    "max_fill_share",
    "max_large_class_share",
    "max_new_oversize_schools",
    "max_no_bed_pupils",
    "max_no_way_pupils",
    "max_school_pupils",
    "max_super_large_class_share",
    "max_travel_min",
    "min_boarding_grade",
    "min_bus_seats",
    "min_fill_share",
    "min_school_pupils",
    "nearly_full_from",
    "service_radius",
)
"""Every key that a flag, an indicator or a closure reads; one that nothing reads is an error, not a silent line."""

_REQUIRED = ("id", "key", "name_en", "name_zh", "unit", "op", "value", "severity", "source", "verified", "evidence")
_OPTIONAL = (
    *("quantity", "setting", "kind", "source_zh", "clause", "clause_zh"),
    *("enabled", "valid_from", "valid_until", "note"),
)


@dataclass(frozen=True)
class Rule:
    """One threshold.

    ``value`` maps a stage (or ``"all"``) to a number in ``unit``; ``op`` says how a lawful quantity relates to it.
    ``setting`` and ``kind`` limit the rule to some schools or units; empty means every one. ``valid_from`` and
    ``valid_until`` are school years (both included). ``verified`` tells whether ``source`` was read, ``evidence`` how.
    """

    id: str
    key: str
    name_en: str
    name_zh: str
    unit: str
    op: str
    value: Mapping[str, float]
    severity: Literal["block", "warn", "note"]
    source: str
    verified: bool
    evidence: str
    quantity: str = ""
    setting: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    source_zh: str = ""
    clause: str = ""
    clause_zh: str = ""
    enabled: bool = True
    valid_from: int | None = None
    valid_until: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", MappingProxyType(dict(self.value)))

    def __reduce__(self) -> tuple[Any, ...]:
        values = [getattr(self, item.name) for item in fields(self)]
        return (type(self), tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values))

    def __hash__(self) -> int:
        return hash(self.id)

    def applies(self, stage: str, *, kind: str = "", setting: str = "", year: int | None = None) -> bool:
        """Whether the rule speaks about this stage, kind and setting. An unknown setting is in no setting."""
        return (
            (stage in self.value or ALL_STAGES in self.value)
            and (not self.setting or setting in self.setting)
            and (not self.kind or kind in self.kind)
            and (year is None or self.valid_from is None or year >= self.valid_from)
            and (year is None or self.valid_until is None or year <= self.valid_until)
        )

    def limit(self, stage: str) -> float:
        """The threshold for a stage; ``KeyError`` where the rule has none."""
        return self.value[stage] if stage in self.value else self.value[ALL_STAGES]


@dataclass(frozen=True)
class Rules:
    """A rulebook. Of several rules with one key the one of the narrowest scope speaks (kind before setting)."""

    name: str
    version: str
    rules: tuple[Rule, ...]
    title_en: str = ""
    title_zh: str = ""
    note: str = ""
    fingerprint: str = field(default="", compare=False)

    def find(self, key: str, stage: str, *, kind: str = "", setting: str = "", year: int | None = None) -> Rule | None:
        """Return the enabled rule for ``key``, or None; ``RuleError`` for a key that no rule can have."""
        if key not in RULE_KEYS:
            raise RuleError(f"Unknown rule key {key!r}; {_suggest(key, RULE_KEYS)}")
        found = [
            rule
            for rule in self.rules
            if rule.enabled and rule.key == key and rule.applies(stage, kind=kind, setting=setting, year=year)
        ]
        return max(found, key=lambda rule: (bool(rule.kind), bool(rule.setting), rule.id), default=None)

    def limit(
        self, key: str, stage: str, *, kind: str = "", setting: str = "", year: int | None = None
    ) -> float | None:
        """Return the threshold of :meth:`find`, or None where no rule speaks."""
        rule = self.find(key, stage, kind=kind, setting=setting, year=year)
        return None if rule is None else rule.limit(stage)

    def by_id(self, rule_id: str) -> Rule:
        """Return one rule, also a disabled one; ``RuleError`` where there is none of that id."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise RuleError(f"Unknown rule {rule_id!r}; {_suggest(rule_id, [rule.id for rule in self.rules])}")

    def needs_setting(self, key: str, stage: str) -> bool:
        """Whether every enabled rule of ``key`` for a stage depends on the setting (urban, town, rural)."""
        found = [rule for rule in self.rules if rule.enabled and rule.key == key and stage in rule.value]
        return bool(found) and all(rule.setting for rule in found)


def design_class_size(rules: Rules) -> dict[str, float]:
    """Return pupils per class by stage as schools are designed: capacity = classes × this, where none is given."""
    sizes = {stage: rules.limit("design_class_size", stage) for stage in STAGES}
    return {stage: size for stage, size in sizes.items() if size is not None}


def read_rulebook(book: str | Path) -> Rules:
    """Read a rulebook: ``"cn"``, ``"intl"``, or the path of a TOML file.

    Raises
    ------
    RuleError
        The file is missing, is not TOML, or has an unknown key, value or unit; all problems in one message.
    """
    built_in = {path.stem: path for path in RULEBOOK_FOLDER.glob("*.toml")}
    path = built_in.get(str(book)) or Path(book)
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = tomllib.loads(text)
    except OSError as error:
        known = ", ".join(sorted(built_in))
        raise RuleError(f"Rulebook {str(book)!r} cannot be opened: give one of {known}, or a TOML file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(f"Rulebook {path.name} is not valid TOML: {error}") from error
    return build_rules(document, file=path.name)


def build_rules(document: Mapping[str, Any], *, file: str = "rulebook") -> Rules:
    """Check a parsed rulebook and return it; raises ``RuleError`` with every problem found."""
    problems: list[str] = []
    known = ("name", "version", "title_en", "title_zh", "note", "rule")
    problems += [f"unknown key {key!r}; {_suggest(key, known)}" for key in document if key not in known]
    problems += [f"{key!r} is missing" for key in ("name", "version", "rule") if key not in document]
    tables = document.get("rule", [])
    if not isinstance(tables, list):
        problems.append("'rule' must be a list of tables: write [[rule]]")
        tables = []
    rules = [_build_rule(table, f"rule {number}", problems) for number, table in enumerate(tables, start=1)]
    seen: set[str] = set()
    for rule in rules:
        if rule is not None and rule.id in seen:
            problems.append(f"rule id {rule.id!r} stands twice")
        seen |= {rule.id} if rule else set()
    if problems:
        raise RuleError(f"{file}: " + "; ".join(problems))
    return Rules(
        name=str(document["name"]),
        version=str(document["version"]),
        rules=tuple(rule for rule in rules if rule is not None),
        title_en=str(document.get("title_en", "")),
        title_zh=str(document.get("title_zh", "")),
        note=str(document.get("note", "")),
        fingerprint=compute_digest(repr(sorted(document.items(), key=lambda item: item[0]))),
    )


def _suggest(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(sorted(known))


def _build_rule(table: Any, where: str, problems: list[str]) -> Rule | None:
    if not isinstance(table, dict):
        problems.append(f"{where}: a table was expected")
        return None
    where = f"{where} ({table['id']})" if "id" in table else where
    before = len(problems)
    known = _REQUIRED + _OPTIONAL
    problems += [f"{where}: unknown key {key!r}; {_suggest(key, known)}" for key in table if key not in known]
    problems += [f"{where}: {key!r} is missing" for key in _REQUIRED if key not in table]
    for key, allowed in (("severity", SEVERITIES), ("op", OPERATORS), ("evidence", EVIDENCE), ("key", RULE_KEYS)):
        if key in table and table[key] not in allowed:
            problems.append(f"{where}: {key} {table[key]!r} is unknown; {_suggest(str(table[key]), allowed)}")
    scopes: tuple[tuple[str, tuple[str, ...]], ...] = (("setting", RULE_SETTINGS), ("kind", KINDS))
    for key, names in scopes:
        problems += [
            f"{where}: {key} {item!r} is unknown; {_suggest(str(item), names)}"
            for item in table.get(key, [])
            if item not in names
        ]
    problems += [
        f"{where}: {key} must be {wanted.__name__}"
        for key, wanted in (("verified", bool), ("enabled", bool), ("valid_from", int), ("valid_until", int))
        if key in table and not isinstance(table[key], wanted)
    ]
    value = _read_value(table.get("value", 0.0), where, problems)
    if len(problems) > before:
        return None
    scope = {key: tuple(table.get(key, ())) for key in ("setting", "kind")}
    return Rule(**{**table, **scope, "value": value})


def _read_value(value: Any, where: str, problems: list[str]) -> dict[str, float]:
    """Return the thresholds by stage; a single number holds for all stages."""
    by_stage = value if isinstance(value, dict) else {ALL_STAGES: value}
    known = (*STAGES, ALL_STAGES)
    for stage, number in by_stage.items():
        if stage not in known:
            problems.append(f"{where}: stage {stage!r} is unknown; {_suggest(str(stage), known)}")
        if isinstance(number, bool) or not isinstance(number, int | float):
            problems.append(f"{where}: value {number!r} is not a number")
            return {}
    return {stage: float(number) for stage, number in by_stage.items()}


def render_rules_page() -> str:
    """Return ``docs/rules.md``: every rule of the rulebooks that come with the program, with its source."""
    lines = [
        "# Rules",
        "",
        "Made from `planning/rulebooks/*.toml` by `make docs`; do not edit by hand.",
        "",
        "A rule is a threshold with its unit and its source. **Read** tells whether a source was read, and how:"
        " *official* (a page of an authority), *press* (coverage that quotes the rule), *secondary* (a copy),"
        " *software* (the settings of a published assessment program), *derived*, *memory* (nobody read it: off)."
        " A *convention* is a threshold of this project, not law. Copies are not the official text:"
        " read the original before citing a value.",
        "",
        "A rulebook of your own is such a file with your values: `--rulebook my_rules.toml`. Unknown keys are errors.",
        "A rule that names settings does not speak about units or schools whose setting is unknown.",
    ]
    for book in (read_rulebook(name) for name in BOOKS):
        lines += ["", f"## {book.name}: {book.title_en} ({book.title_zh}), version {book.version}", ""]
        lines += ["| id | rule | 规则 | key | limit | unit | for | severity | source | read | on |"]
        lines += ["|---|---|---|---|---|---|---|---|---|---|---|"]
        lines += [_rule_row(rule) for rule in book.rules]
        notes = [f"- **{rule.id}**: {rule.note}" for rule in book.rules if rule.note]
        lines += ["", "Notes:", "", *notes] if notes else []
    return "\n".join(lines) + "\n"


def _rule_row(rule: Rule) -> str:
    limits = ", ".join(f"{'' if stage == ALL_STAGES else stage + ' '}{value:g}" for stage, value in rule.value.items())
    scope = ", ".join([*rule.setting, *rule.kind]) or "all"
    source = rule.source + (f", {rule.clause}" if rule.clause else "")
    read = rule.evidence if rule.verified or rule.evidence == "convention" else f"not verified ({rule.evidence})"
    cells = [
        rule.id,
        rule.name_en,
        rule.name_zh,
        f"`{rule.key}`",
        f"{rule.op} {limits}",
        rule.unit,
        scope,
        rule.severity,
    ]
    return "| " + " | ".join([*cells, source, read, "yes" if rule.enabled else "no"]) + " |"

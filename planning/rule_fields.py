"""What a rule is made of: its fields, what each may hold, and how a rule is settled for one school or unit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal

from planning.rule_predicates import judge_predicate

ALL_STAGES = "all"
SEVERITIES = ("block", "warn", "note", "evidence")
OPERATORS = ("<=", "<", ">=", ">", "=")
EVIDENCE = ("official", "press", "secondary", "software", "derived", "memory", "convention")
LEVELS = ("nation", "province", "city", "county")
SCOPES = ("class", "school", "unit", "town", "county", "group", "site", "process", "parameter")
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


@dataclass(frozen=True)
class RuleException:
    """Where another value holds, or none.

    ``when`` is a predicate over facts (``planning.rule_predicates``). ``value`` replaces that of the rule for the
    stages it names, ``params`` those parameters; ``exempt`` says that the rule is silent where the predicate holds.
    """

    when: str
    value: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    exempt: bool = False
    note_en: str = ""
    note_zh: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", freeze(self.value))
        object.__setattr__(self, "params", freeze(self.params))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), tuple(thaw(getattr(self, item.name)) for item in fields(self)))

    def __hash__(self) -> int:
        return hash(self.when)


@dataclass(frozen=True)
class RuleChange:
    """One field of one rule that an overlay sets otherwise.

    ``field`` is the name of a field, with a dot for a part of it (``value.primary``, ``params.min_met``), or ``rule``
    for a rule that the base does not have (``after`` is then its whole table). ``before`` and ``after`` are plain
    values; None means absent.
    """

    rule_id: str
    field: str
    before: Any
    after: Any
    source: str
    reason: str


@dataclass(frozen=True)
class Rule:
    """One rule.

    ``value`` maps a stage (or ``"all"``) to a number in ``unit``; ``op`` says how a lawful quantity relates to it. A
    rule without a number (a list of forbidden places, an item that a person answers) has an empty ``value``; lists,
    ranges, texts and further numbers stand in ``params``. ``setting``, ``kind`` and ``grades`` limit the rule to some
    schools, units or pupils; empty means every one. ``valid_from`` and ``valid_until`` are school years, both included.
    ``verified`` tells whether ``source`` was read, ``evidence`` how. ``follows_en`` and ``follows_zh`` say what follows
    legally from a breach. ``replaces`` is the id of a rule that is silent where this one speaks; ``reason`` why an
    overlay set it, ``level`` who did, ``layer`` in which of the stacked books (0 is the lowest).
    """

    id: str
    key: str
    name_en: str
    name_zh: str
    unit: str
    op: str
    value: Mapping[str, float]
    severity: Literal["block", "warn", "note", "evidence"]
    source: str
    verified: bool
    evidence: str
    quantity: str = ""
    quantity_zh: str = ""
    setting: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    source_zh: str = ""
    clause: str = ""
    clause_zh: str = ""
    enabled: bool = True
    valid_from: int | None = None
    valid_until: int | None = None
    note: str = ""
    note_zh: str = ""
    scope: str = ""
    level: str = "nation"
    grades: tuple[int, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    exceptions: tuple[RuleException, ...] = ()
    follows_en: str = ""
    follows_zh: str = ""
    replaces: str = ""
    reason: str = ""
    chapter: str = ""
    layer: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", freeze(self.value))
        object.__setattr__(self, "params", freeze(self.params))

    def __reduce__(self) -> tuple[Any, ...]:
        kept = ("exceptions", "setting", "kind", "grades")
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return (type(self), tuple(value if name in kept else thaw(value) for name, value in values.items()))

    def __hash__(self) -> int:
        return hash(self.id)

    def applies(
        self, stage: str, *, kind: str = "", setting: str = "", year: int | None = None, grade: int | None = None
    ) -> bool:
        """Whether the rule speaks about this stage, kind, setting, year and grade.

        An unknown setting is in no setting. Without a grade every rule of the stage speaks, also one for some grades.
        """
        return (
            (not self.value or stage in self.value or ALL_STAGES in self.value)
            and (not self.setting or setting in self.setting)
            and (not self.kind or kind in self.kind)
            and (grade is None or not self.grades or grade in self.grades)
            and (year is None or self.valid_from is None or year >= self.valid_from)
            and (year is None or self.valid_until is None or year <= self.valid_until)
        )

    def limit(self, stage: str) -> float:
        """The threshold for a stage; ``KeyError`` where the rule has none."""
        return self.value[stage] if stage in self.value else self.value[ALL_STAGES]

    def settle(self, facts: Mapping[str, Any]) -> Rule | None:
        """Return the rule as it holds for these facts, or None where an exception takes it away.

        Exceptions whose predicate is true are worked into ``value`` and ``params`` (the first one that names a stage
        counts), false ones are gone, and those that the facts cannot decide stay in ``exceptions``: the strict value
        holds there, and :attr:`may_be_relaxed` is true.
        """
        value: dict[str, float] = {}
        params: dict[str, Any] = {}
        still_open: list[RuleException] = []
        for exception in self.exceptions:
            holds = judge_predicate(exception.when, facts)
            if holds is None:
                still_open.append(exception)
            elif holds and exception.exempt:
                return None
            elif holds:
                value = {**exception.value, **value}
                params = {**exception.params, **params}
        if len(still_open) == len(self.exceptions):
            return self
        own = {} if ALL_STAGES in value else self.value
        return dataclasses.replace(
            self, value={**own, **value}, params={**self.params, **params}, exceptions=tuple(still_open)
        )

    @property
    def may_be_relaxed(self) -> bool:
        """Whether exceptions are left that nothing has decided yet."""
        return bool(self.exceptions)


def freeze(value: Any) -> Any:
    """Return plain data that nobody can change: lists become tuples, tables read-only mappings."""
    if isinstance(value, Mapping):
        return MappingProxyType({str(key): freeze(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return value


def thaw(value: Any) -> Any:
    """Return frozen data as dicts and lists, as a TOML file has them."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(item) for item in value]
    return value

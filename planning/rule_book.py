"""A rulebook: which of several rules speaks about a school, a unit or a county."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from geodata.errors import RuleError
from geodata.messages import msg
from geodata.study import STAGES
from planning.rule_fields import ALL_STAGES, LEVELS, Rule, RuleChange
from planning.rule_keys import RULE_KEYS
from planning.rule_problems import suggest

BOOKS = ("cn", "intl", "england", "france", "india", "kenya", "poland", "usa")
"""The rulebooks that come with the program."""


@dataclass(frozen=True)
class Chapter:
    """A part of a rulebook that is written in several files."""

    name: str
    title_en: str
    title_zh: str


@dataclass(frozen=True)
class Rules:
    """A rulebook, with the overlays stacked on it.

    Of several rules with one key the one of the narrowest scope speaks (kind before setting); where the scope is
    equally narrow, that of the lower level (county before city, province and nation), then that of the later overlay.

    ``base`` names the book below ("cn 2026.2"), ``root`` the one of the stack that comes with the program ("cn"), and
    ``changes`` lists what this book and those between set otherwise.
    """

    name: str
    version: str
    rules: tuple[Rule, ...]
    title_en: str = ""
    title_zh: str = ""
    note: str = ""
    level: str = "nation"
    base: str = ""
    root: str = ""
    changes: tuple[RuleChange, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    fingerprint: str = field(default="", compare=False)

    @cached_property
    def _by_key(self) -> Mapping[str, tuple[Rule, ...]]:
        found: dict[str, list[Rule]] = {}
        for rule in self.rules:
            if rule.enabled:
                found.setdefault(rule.key, []).append(rule)
        return {key: tuple(rules) for key, rules in found.items()}

    @cached_property
    def _replacers(self) -> Mapping[str, tuple[Rule, ...]]:
        found: dict[str, list[Rule]] = {}
        for rule in self.rules:
            if rule.enabled and rule.replaces:
                found.setdefault(rule.replaces, []).append(rule)
        return {key: tuple(rules) for key, rules in found.items()}

    @cached_property
    def _by_id(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    def find(
        self,
        key: str,
        stage: str,
        *,
        kind: str = "",
        setting: str = "",
        year: int | None = None,
        grade: int | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Rule | None:
        """Return the enabled rule for ``key``, or None where none speaks.

        Parameters
        ----------
        key, stage
            What is asked; ``stage`` may be ``"all"``.
        kind, setting, year
            Of the school or unit; empty or None where unknown.
        grade
            1 to 12: rules for other grades are silent. Without it rules for some grades speak for the whole stage, and
            where several do, the strictest.
        facts
            What is known for the exceptions (``planning.rule_predicates.FACTS``). With facts the rule comes back
            settled (:meth:`Rule.settle`); without, as it is written.

        Raises
        ------
        RuleError
            The key is one that no rule can have.
        """
        if key not in RULE_KEYS:
            raise RuleError(msg("Unknown rule key {key!r}; {hint}", key=key, hint=suggest(key, RULE_KEYS)))
        scope: dict[str, Any] = {"kind": kind, "setting": setting, "year": year, "grade": grade}
        found = [rule for rule in self._by_key.get(key, ()) if rule.applies(stage, **scope)]
        found = [rule for rule in found if not self._is_replaced(rule, stage, scope)]
        if facts is None or not found:
            return _choose(found, stage)
        known = {**scope, "stage": stage, **facts}
        settled = [rule.settle(known) for rule in found]
        return _choose([rule for rule in settled if rule is not None], stage)

    def limit(
        self,
        key: str,
        stage: str,
        *,
        kind: str = "",
        setting: str = "",
        year: int | None = None,
        grade: int | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> float | None:
        """Return the threshold of :meth:`find`, or None where no rule speaks or the rule has no number."""
        rule = self.find(key, stage, kind=kind, setting=setting, year=year, grade=grade, facts=facts)
        return None if rule is None or not rule.value else rule.limit(stage)

    def by_id(self, rule_id: str) -> Rule:
        """Return one rule, also a disabled one; ``RuleError`` where there is none of that id."""
        rule = self._by_id.get(rule_id)
        if rule is None:
            raise RuleError(msg("Unknown rule {id!r}; {hint}", id=rule_id, hint=suggest(rule_id, self._by_id)))
        return rule

    def needs_setting(self, key: str, stage: str) -> bool:
        """Whether every enabled rule of ``key`` for a stage depends on the setting (urban, town, rural)."""
        found = [rule for rule in self._by_key.get(key, ()) if {stage, ALL_STAGES} & set(rule.value)]
        return bool(found) and all(rule.setting for rule in found)

    def _is_replaced(self, rule: Rule, stage: str, scope: Mapping[str, Any]) -> bool:
        """Whether a rule that replaces this one speaks here, however wide its scope is."""
        return any(other.applies(stage, **scope) for other in self._replacers.get(rule.id, ()))


def _choose(found: list[Rule], stage: str) -> Rule | None:
    """Return the rule that speaks; among equals of which some are for a few grades only, the strictest."""
    if len(found) <= 1:
        return found[0] if found else None

    def narrowness(rule: Rule) -> tuple[bool, bool, int, int]:
        return bool(rule.kind), bool(rule.setting), LEVELS.index(rule.level), rule.layer

    top = max(narrowness(rule) for rule in found)
    equals = [rule for rule in found if narrowness(rule) == top]
    if any(rule.grades for rule in equals):
        equals = [rule for rule in equals if rule.value] or equals
        return max(equals, key=lambda rule: (_strictness(rule, stage), rule.id))
    return max(equals, key=lambda rule: rule.id)


def _strictness(rule: Rule, stage: str) -> float:
    if not rule.value:
        return 0.0
    limit = rule.limit(stage)
    return limit if rule.op in (">=", ">") else -limit


def design_class_size(rules: Rules) -> dict[str, float]:
    """Return pupils per class by stage as schools are designed: capacity = classes × this, where none is given."""
    sizes = {stage: rules.limit("design_class_size", stage) for stage in STAGES}
    return {stage: size for stage, size in sizes.items() if size is not None}

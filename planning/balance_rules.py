"""What the balance inspection reads from a rulebook: limits, and the numbers that its computations need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from planning.rules import RULE_KEYS, Rule, Rules

PASS_RULE, SPREAD_RULE, SCOPE_RULE = (
    "school_pass_rule",
    "between_school_cv_each_indicator",
    "exclude_teaching_points_below",
)
SPLIT_RULE, COMPOSITE_RULE, SPORTS_RULE = "stage_weights_shared_assets", "composite_cv_2012", "sports_area_per_pupil"
SHARED_TEACHERS_RULE = "pe_art_teachers_per_100"
RULE_KEYS_READ = (PASS_RULE, SPREAD_RULE, SCOPE_RULE, SPLIT_RULE, COMPOSITE_RULE)
"""Keys that ``planning.balance`` asks for beside those of the indicators and items."""


def find_rule(rules: Rules, key: str, stage: str = "all", **scope: Any) -> Rule | None:
    """Return the rule that speaks; where none is in force, one that is switched off because nobody read its source.

    The latter is shown as not verified everywhere (``rule.verified``); ``None``: the rulebook has neither.
    """
    if key not in RULE_KEYS:
        return None
    found = rules.find(key, stage, **scope)
    if found is not None:
        return found
    scope.pop("facts", None)
    silent = [rule for rule in rules.rules if rule.key == key and not rule.enabled and rule.applies(stage, **scope)]
    return silent[0] if silent else None


def read_limit(rule: Rule | None, stage: str = "all") -> float:
    """Return the limit of a rule for a stage; NaN where there is no rule, or it has no number for the stage."""
    if rule is None or not (stage in rule.value or "all" in rule.value):
        return float("nan")
    return float(rule.limit(stage))


def read_param(rule: Rule | None, name: str, default: float) -> float:
    """Return a number of ``rule.params`` (or of its ``value``), ``default`` where the rulebook does not give it."""
    if rule is None:
        return default
    found = rule.params.get(name, rule.value.get(name, default))
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else default


def read_names(rule: Rule | None, name: str) -> tuple[str, ...]:
    """Return a list of texts of ``rule.params``, empty where it is not given."""
    found = () if rule is None else rule.params.get(name, ())
    return tuple(str(item) for item in found) if isinstance(found, list | tuple) else ()


@dataclass(frozen=True)
class SplitWeights:
    """Weights of a pupil when a school's assets are shared out between its stages (rule SPLIT).

    ``senior_over_junior`` holds in complete secondary schools (完全中学), which have no primary stage.
    """

    primary: float = 1.0
    junior: float = 1.1
    senior: float = 1.32
    senior_over_junior: float = 1.2

    def of(self, stage: str, kind: str) -> float:
        """Return the weight of a pupil of a stage in a school of a kind."""
        if kind == "complete_secondary":
            return self.senior_over_junior if stage == "senior" else 1.0
        return {"primary": self.primary, "junior": self.junior, "senior": self.senior}[stage]


@dataclass(frozen=True)
class PassRule:
    """Six of seven, the others at least at 85 % of their limit (rule R-school)."""

    min_met: int = 6
    of: int = 7
    floor_share: float = 0.85


def read_split_weights(rules: Rules) -> SplitWeights:
    """Return the weights of the rulebook, else those of :class:`SplitWeights`."""
    rule = find_rule(rules, SPLIT_RULE)
    plain = SplitWeights()
    stages = {
        stage: read_limit(rule, stage) if rule is not None and stage in rule.value else read_param(rule, stage, default)
        for stage, default in (("primary", plain.primary), ("junior", plain.junior), ("senior", plain.senior))
    }
    both = read_param(rule, "complete_secondary_senior_over_junior", plain.senior_over_junior)
    return SplitWeights(**stages, senior_over_junior=both)


def read_pass_rule(rules: Rules) -> PassRule:
    """Return how many indicators a school must meet, and how far the others may fall short."""
    rule = find_rule(rules, PASS_RULE)
    plain = PassRule()
    return PassRule(
        min_met=int(read_param(rule, "min_met", plain.min_met)),
        of=int(read_param(rule, "of", plain.of)),
        floor_share=read_param(rule, "floor_ratio", plain.floor_share),
    )

"""Rules: every threshold with its unit, its source, and whether that source was read.

A rulebook is data: TOML in ``planning/rulebooks`` or a file of the user's own, also an overlay that changes a few rules
of another book. Unknown keys are errors. A rule that nobody verified is switched off; a convention of this project says
that it is one. This module is the door to the others of its name (``planning.rule_…``).
"""

from planning.rule_book import BOOKS, Chapter, Rules, design_class_size
from planning.rule_fields import (
    ALL_STAGES,
    EVIDENCE,
    KINDS,
    LEVELS,
    OPERATORS,
    RULE_SETTINGS,
    SCOPES,
    SEVERITIES,
    Rule,
    RuleChange,
    RuleException,
)
from planning.rule_files import RULEBOOK_FOLDER, build_rules, read_rulebook, render_stack
from planning.rule_keys import KEY_USES, KEYS, RULE_KEYS, RuleKey
from planning.rule_overlay import compare_rulebooks, render_overlay
from planning.rule_pages import render_rules_page
from planning.rule_params import list_params
from planning.rule_predicates import FACTS, Fact, judge_predicate, list_facts, parse_predicate
from planning.rule_words import describe_rule

__all__ = [
    "ALL_STAGES",
    "BOOKS",
    "EVIDENCE",
    "FACTS",
    "KEYS",
    "KEY_USES",
    "KINDS",
    "LEVELS",
    "OPERATORS",
    "RULEBOOK_FOLDER",
    "RULE_KEYS",
    "RULE_SETTINGS",
    "SCOPES",
    "SEVERITIES",
    "Chapter",
    "Fact",
    "Rule",
    "RuleChange",
    "RuleException",
    "RuleKey",
    "Rules",
    "build_rules",
    "compare_rulebooks",
    "describe_rule",
    "design_class_size",
    "judge_predicate",
    "list_facts",
    "list_params",
    "parse_predicate",
    "read_rulebook",
    "render_overlay",
    "render_rules_page",
    "render_stack",
]

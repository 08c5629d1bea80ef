"""The clause behind a flag, in the reader's language: what the rule is called, where it stands, how it was read."""

from __future__ import annotations

from planning.rules import Rules
from reports.language import Translator


def cite_rule(rules: Rules, rule_id: str, _: Translator) -> str:
    """Return name and source of a rule, and how far its source can be trusted; empty for no rule.

    Parameters
    ----------
    rules
        The rulebook that the outcome was judged by.
    rule_id
        As a flag carries it; ``""`` for findings that need no rule.
    """
    if not rule_id:
        return ""
    rule = rules.by_id(rule_id)
    chinese = _.language == "zh"
    name = rule.name_zh if chinese else rule.name_en
    source = (rule.source_zh if chinese else "") or rule.source
    clause = (rule.clause_zh if chinese else "") or rule.clause
    where = _("{source}, {clause}", source=source, clause=clause) if clause else source
    parts = [_("{name}: {source}", name=name, source=where)]
    if not rule.verified and rule.evidence != "convention":
        parts.append(_("not verified"))
    elif rule.evidence not in ("official", "convention"):
        parts.append(_("original text not read"))
    return _("; ").join(parts)

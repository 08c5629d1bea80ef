"""A rule in sentences: what it asks, of whom, since when, what relaxes it, and how far its source can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from geodata.messages import Message, msg
from planning.rule_fields import ALL_STAGES, Rule, RuleException
from planning.rule_predicates import Comparison, Joined, Negated, Plain, Predicate, parse_predicate

AMOUNTS: Mapping[str, Message] = MappingProxyType(
    {
        "pupils": msg("{number:,.10g} pupils"),
        "classes": msg("{number:,.10g} classes"),
        "schools": msg("{number:,.10g} schools"),
        "seats": msg("{number:,.10g} seats"),
        "people": msg("{number:,.10g} people"),
        "m": msg("{number:,.10g} m"),
        "m2": msg("{number:,.10g} m²"),
        "min": msg("{number:,.10g} minutes"),
        "hours": msg("{number:,.10g} hours"),
        "days": msg("{number:,.10g} days"),
        "years": msg("{number:,.10g} years"),
        "CNY": msg("{number:,.10g} yuan"),
        "points": msg("{number:,.10g} points"),
        "storeys": msg("{number:,.10g} storeys"),
        "km_per_h": msg("{number:,.10g} km/h"),
        "per_100_pupils": msg("{number:,.10g} per 100 pupils"),
        "pupils_per_dwelling": msg("{number:,.10g} pupils per dwelling"),
    }
)
"""A number with its unit in words; shares are written in per cent, units that are not here without words."""
FACT_WORDS: Mapping[str, Message] = MappingProxyType(
    {
        "founded_year": msg("year of foundation"),
        "migrant_share": msg("share of migrant workers' children"),
        "kind": msg("kind of school"),
        "setting": msg("setting"),
        "ownership": msg("ownership"),
        "stage": msg("stage"),
        "grade": msg("grade"),
        "year": msg("school year"),
        "pupils": msg("pupils in the stage"),
        "school_pupils": msg("pupils of the school"),
        "classes": msg("classes in the stage"),
        "largest_class_pupils": msg("pupils in the largest class"),
        "boarding": msg("it is a boarding school"),
        "boarding_places": msg("beds for boarders"),
        "built_year": msg("year of construction"),
        "dense_core": msg("it stands in the dense core of a big city"),
        "sibling_enrolled": msg("an elder sibling attends it"),
        "safe_route": msg("there is a safe route on foot"),
        "low_income": msg("the family has a low income"),
        "hazard_terrain": msg("the terrain is hazardous"),
    }
)
_PLAIN_WORDS: Mapping[str, Message] = MappingProxyType(
    {
        "urban": msg("urban"),
        "town": msg("town"),
        "rural": msg("rural"),
        "public": msg("public"),
        "private": msg("private"),
        "kindergarten": msg("kindergarten"),
        "primary": msg("primary school"),
        "teaching_point": msg("teaching point"),
        "junior": msg("junior school"),
        "nine_year": msg("nine-year school"),
        "complete_secondary": msg("junior and senior school"),
        "senior": msg("senior school"),
        "twelve_year": msg("twelve-year school"),
    }
)
_SIGNS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}


def describe_rule(rule: Rule) -> tuple[Message, ...]:
    """Return a rule in sentences: limits, whom it is about, years, exceptions, and how far its source was read."""
    found = [_tell_limits(rule.op, rule.value, rule.unit)] if rule.value else []
    scope = [_name(word) for word in (*rule.setting, *rule.kind)]
    if scope:
        found.append(msg("Only for: {list}.", list=tuple(scope)))
    if rule.grades:
        found.append(msg("Only for grades {list}.", list=tuple(str(grade) for grade in rule.grades)))
    if rule.valid_from is not None:
        found.append(msg("Valid from the school year {year}.", year=rule.valid_from))
    if rule.valid_until is not None:
        found.append(msg("Valid until the school year {year}.", year=rule.valid_until))
    found += [_tell_exception(rule, exception) for exception in rule.exceptions]
    return (*found, *_tell_standing(rule))


def tell_condition(when: str) -> Message:
    """Return a predicate in words, for a reader: "year of foundation ≤ 2010 or …"."""
    return _tell(parse_predicate(when))


def _tell_limits(op: str, value: Mapping[str, float], unit: str) -> Message:
    together: dict[float, list[str]] = {}
    for stage, number in value.items():
        together.setdefault(number, []).append(stage)
    said = tuple(_tell_amount(stages, number, unit) for number, stages in together.items())
    if op == "<=":
        return msg("At most {limits}.", limits=said)
    if op == "<":
        return msg("Less than {limits}.", limits=said)
    if op == ">=":
        return msg("At least {limits}.", limits=said)
    if op == ">":
        return msg("More than {limits}.", limits=said)
    return msg("Value: {limits}.", limits=said)


def _tell_amount(stages: Sequence[str], number: float, unit: str) -> Message:
    if unit == "share":
        amount = msg("{number:.10g}%", number=round(number * 100, 10))
    elif unit in AMOUNTS:
        amount = Message(AMOUNTS[unit].template, (("number", number),))
    else:
        amount = msg("{number:,.10g}", number=number)
    if ALL_STAGES in stages:
        return amount
    return msg("{amount} ({stages})", amount=amount, stages=tuple(_name(stage) for stage in stages))


def _tell_exception(rule: Rule, exception: RuleException) -> Message:
    condition = tell_condition(exception.when)
    if exception.exempt:
        return msg("Does not apply where {condition}.", condition=condition)
    if exception.value:
        limits = _tell_limits(rule.op, exception.value, rule.unit)
        return msg("Where {condition}: {limits}", condition=condition, limits=limits)
    return msg("Is judged otherwise where {condition}.", condition=condition)


def _tell_standing(rule: Rule) -> tuple[Message, ...]:
    found = []
    if rule.evidence == "convention":
        found.append(msg("A convention of this program, not law: replace it by your own rule."))
    elif not rule.verified:
        found.append(msg("Not verified: nobody has read its source."))
    elif rule.evidence != "official":
        found.append(msg("The official text was not read: read it before you cite the rule."))
    if not rule.enabled:
        found.append(msg("Switched off."))
    return tuple(found)


def _name(word: str) -> Message:
    return _PLAIN_WORDS.get(word) or msg("{word}", word=word)


def _tell(predicate: Predicate, inner: bool = False) -> Message:
    if isinstance(predicate, Comparison):
        return _tell_comparison(predicate)
    if isinstance(predicate, Negated):
        return msg("not ({condition})", condition=_tell(predicate.part))
    first, *rest = (_tell(part, True) for part in predicate.parts)
    for part in rest:
        first = _join(predicate, first, part)
    return msg("({condition})", condition=first) if inner else first


def _join(predicate: Joined, first: Message, second: Message) -> Message:
    if predicate.word == "or":
        return msg("{first} or {second}", first=first, second=second)
    return msg("{first} and also {second}", first=first, second=second)


def _tell_comparison(comparison: Comparison) -> Message:
    fact = FACT_WORDS[comparison.fact]
    if isinstance(comparison.value, bool):
        stands = comparison.value == (comparison.op == "==")
        return fact if stands else msg("not ({condition})", condition=fact)
    if isinstance(comparison.value, tuple):
        values = tuple(_tell_plain(value) for value in comparison.value)
        if comparison.op == "in":
            return msg("{fact} is one of {list}", fact=fact, list=values)
        return msg("{fact} is none of {list}", fact=fact, list=values)
    sign = _SIGNS.get(comparison.op, comparison.op)
    value = _tell_plain(comparison.value)
    if comparison.fact.endswith("_share") and isinstance(comparison.value, float):
        value = msg("{number:.10g}%", number=round(comparison.value * 100, 10))
    return msg("{fact} {sign} {value}", fact=fact, sign=sign, value=value)


def _tell_plain(value: Plain) -> Message:
    if isinstance(value, float):
        return msg("{number:.10g}", number=value)
    return _name(str(value))

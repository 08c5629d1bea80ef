"""Rules in the reader's words: limits with their units, who a rule is about, how far its source was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planning.rule_fields import ALL_STAGES, Rule
from planning.rules import Rules, list_params
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_kind, name_setting_short, name_stage_short

MARKS = ("verified", "convention", "unverified")
SEVERITY_SIGNS = {"block": "▲", "warn": "●", "note": "○", "evidence": "□"}
OPERATOR_SIGNS = {"<=": "≤", ">=": "≥", "<": "<", ">": ">", "=": "="}


def name_severity(severity: str, _: Translator) -> str:
    """Return the weight of a rule, with a sign that needs no colour."""
    names = {
        "block": _("▲ Serious"),
        "warn": _("● Warning"),
        "note": _("○ Note"),
        "evidence": _("□ Evidence"),
    }
    return names.get(severity, severity)


def name_level(level: str, _: Translator) -> str:
    """Return who issued a rule."""
    names = {"nation": _("National"), "province": _("Provincial"), "city": _("Municipal"), "county": _("County-level")}
    return names.get(level, level)


def name_scope(scope: str, _: Translator) -> str:
    """Return what one answer of a rule is about."""
    names = {
        "class": _("class"),
        "school": _("school"),
        "unit": _("community"),
        "town": _("township"),
        "county": _("county"),
        "group": _("education group"),
        "site": _("site"),
        "process": _("procedure"),
        "parameter": _("computation"),
    }
    return names.get(scope, scope)


def name_read(evidence: str, _: Translator) -> str:
    """Return how the source of a rule was read."""
    names = {
        "official": _("the text of an authority was read"),
        "press": _("press coverage that quotes the rule was read"),
        "secondary": _("a copy was read, not the official text"),
        "software": _("the settings of an assessment program were read, not the official text"),
        "derived": _("worked out from other rules of this book"),
        "memory": _("nobody has read the source"),
        "convention": _("a convention of this program, not law"),
    }
    return names.get(evidence, evidence)


def mark_rule(rule: Rule) -> str:
    """Return one of ``MARKS``: whether the source was read; a convention has none to read."""
    if rule.evidence == "convention":
        return "convention"
    return "verified" if rule.verified else "unverified"


def name_mark(mark: str, _: Translator) -> str:
    """Return whether a source was read, as a table shows it."""
    names = {"verified": _("✓ verified"), "convention": _("own convention"), "unverified": _("✗ not verified")}
    return names.get(mark, mark)


def name_chapter(rules: Rules, chapter: str, _: Translator) -> str:
    """Return the title of a chapter of a rulebook."""
    for item in rules.chapters:
        if item.name == chapter:
            return item.title_zh if _.language == "zh" else item.title_en
    return chapter or _("Other")


def name_rule(rule: Rule, _: Translator) -> str:
    """Return the name of a rule."""
    return rule.name_zh if _.language == "zh" and rule.name_zh else rule.name_en


def name_unit(unit: str, _: Translator) -> str:
    """Return a unit as it stands behind a number; one that is not known as the rulebook writes it."""
    names = {
        "share": "%",
        "share_of_classes": "%",
        "min": _("min"),
        "m": _("m"),
        "km": _("km"),
        "m2": "m²",
        "m2/pupil": _("m² per pupil"),
        "CNY": _("yuan"),
        "CNY/pupil": _("yuan per pupil"),
        "pupils": _("pupils"),
        "pupils/class": _("pupils per class"),
        "children": _("children"),
        "classes": _("classes"),
        "places": _("places"),
        "seats": _("seats"),
        "schools": _("schools"),
        "people": _("people"),
        "teachers": _("teachers"),
        "pupils_per_dwelling": _("pupils per dwelling"),
        "per_100_pupils": _("per 100 pupils"),
        "points": _("score points"),
        "days": _("days"),
        "years": _("years"),
        "hours": _("hours"),
        "months": _("months"),
        "grade": _("grade"),
        "storeys": _("storeys"),
        "rooms": _("rooms"),
        "km_per_h": _("km/h"),
        "km/h": _("km/h"),
        "ratio": "",
        "count": "",
        "": "",
    }
    return names.get(unit, unit)


def say_number(value: float, unit: str, _: Translator) -> str:
    """Return a number of a rule with its unit; shares in per cent."""
    if unit in ("share", "share_of_classes"):
        return _.percent(value, digits=0 if abs(value * 100 - round(value * 100)) < 1e-9 else 1)
    words = name_unit(unit, _)
    number = _.number(value, digits=3)
    return f"{number} {words}".rstrip()


def name_stages(stage: str, _: Translator) -> str:
    """Return a stage, or that all are meant."""
    return _("all stages") if stage == ALL_STAGES else name_stage_short(stage, _)


def say_values(value: Mapping[str, float], unit: str, _: Translator) -> str:
    """Return the numbers by stage, those that are equal together."""
    together: dict[float, list[str]] = {}
    for stage, number in value.items():
        together.setdefault(float(number), []).append(stage)
    parts = []
    for number, stages in together.items():
        named = "" if stages == [ALL_STAGES] else _.join(name_stages(stage, _) for stage in stages) + " "
        parts.append(f"{named}{say_number(number, unit, _)}")
    return " · ".join(parts)


def say_limits(rule: Rule, _: Translator) -> str:
    """Return the limit of a rule by stage with its unit; a dash where it has no number."""
    if not rule.value:
        return MISSING_NUMBER
    return f"{OPERATOR_SIGNS.get(rule.op, rule.op)} {say_values(rule.value, rule.unit, _)}".strip()


def say_about(rule: Rule, _: Translator) -> str:
    """Return whom a rule is about: settings, kinds and grades; everybody where it names none."""
    parts = [name_setting_short(item, _) for item in rule.setting] + [name_kind(item, _) for item in rule.kind]
    if rule.grades:
        parts.append(say_grades(rule.grades, _))
    return _.join(parts) if parts else _("all")


def say_grades(grades: Sequence[int], _: Translator) -> str:
    """Return grades, a row of them as from and to."""
    found = sorted(grades)
    if len(found) > 1 and found == list(range(found[0], found[-1] + 1)):
        return _("grades {first} to {last}", first=found[0], last=found[-1])
    return _("grades {list}", list=_.join(str(grade) for grade in found))


def say_source(rule: Rule, _: Translator) -> str:
    """Return source and clause of a rule."""
    chinese = _.language == "zh"
    source = (rule.source_zh if chinese else "") or rule.source
    clause = (rule.clause_zh if chinese else "") or rule.clause
    return _("{source}, {clause}", source=source, clause=clause) if clause else source


def say_years(rule: Rule, _: Translator) -> str:
    """Return from when until when a rule is valid; empty where nothing limits it."""
    if rule.valid_from is not None and rule.valid_until is not None:
        return _("{first} to {last}", first=rule.valid_from, last=rule.valid_until)
    if rule.valid_from is not None:
        return _("from {first}", first=rule.valid_from)
    return _("until {last}", last=rule.valid_until) if rule.valid_until is not None else ""


def name_field(field: str, _: Translator) -> str:
    """Return what a change of a rule is about."""
    head, _dot, part = field.partition(".")
    names = {
        "value": _("limit"),
        "severity": _("severity"),
        "enabled": _("switched on"),
        "valid_from": _("valid from"),
        "valid_until": _("valid until"),
        "rule": _("new rule"),
        "source": _("source"),
        "op": _("comparison"),
        "unit": _("unit"),
        "params": _("parameter"),
        "exceptions": _("exceptions"),
        "note": _("note"),
        "note_zh": _("note in Chinese"),
        "clause": _("clause"),
        "clause_zh": _("clause in Chinese"),
        "source_zh": _("source in Chinese"),
        "verified": _("source read"),
        "evidence": _("how it was read"),
    }
    name = names.get(head, head)
    if not part:
        return name
    inner = name_stages(part, _) if head == "value" else list_params({part: 0}, chinese=_.language == "zh")[0][0]
    return _("{name}, {part}", name=name, part=inner)


def say_plain(value: Any, field: str, unit: str, _: Translator) -> str:
    """Return one side of a change: a number with its unit, a severity, yes or no; a dash where there is nothing."""
    if value is None:
        return MISSING_NUMBER
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        return str(value) if field.startswith("valid_") else say_number(float(value), unit, _)
    if field == "severity":
        return name_severity(str(value), _)
    if field == "value" and isinstance(value, Mapping):
        return say_values(value, unit, _)
    if field == "rule" and isinstance(value, Mapping):
        return str(value.get("name_zh" if _.language == "zh" else "name_en") or value.get("id", ""))
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {item}" for key, item in value.items())
    return _.join(str(item) for item in value) if isinstance(value, list | tuple) else str(value)


def name_use(use: str, _: Translator) -> str:
    """Return what the program does with rules of a key."""
    names = {
        "measured": _("worked out from the data and compared"),
        "parameter": _("a number that computations take"),
        "evidence": _("answered by a person, with a document"),
        "reference": _("shown and cited, compared with nothing"),
    }
    return names.get(use, use)

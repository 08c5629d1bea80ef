"""What every part of the report reads: the proposal, today's checks, names, and counts that are safe to say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geodata.messages import Message
from planning.action_words import collect_names
from planning.balance import build_balance
from planning.flag_case import iterate_rows
from planning.rule_checks import RULE_CHECKS, check_rules
from planning.run import Outcome
from reports.consultation_case import Consultation
from reports.consultation_words import say_community, say_school
from reports.language import LANGUAGES, Translator, read_catalogue

COUNT_NAMES = frozenset({"count", "today", "needed", "pupils", "roll", "short", "amount", "students"})
"""Named values of sentences that count pupils, or what each pupil needs one of (places, beds, seats)."""


class Said(str):
    """A text in the place of a number: it ignores how the number would have been written."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return str(self)


@dataclass(frozen=True, eq=False)
class SchoolCount:
    """What is published of one school and stage after the proposal, NaN hidden or unknown."""

    pupils: float
    hidden: bool


@dataclass(frozen=True, eq=False)
class ReportCase:
    """A consultation with what the parts of the report share.

    ``today``: the checks of the baseline, by the same rules. ``names``: of schools, communities and sites by id, as the
    documents of the pack call them.
    """

    consultation: Consultation
    today: pd.DataFrame
    names: Mapping[str, str]

    @property
    def threshold(self) -> int:
        """Counts of pupils from 1 to below this are not shown."""
        return self.consultation.publication.threshold

    def count_after(self, school_id: str, stage: str) -> SchoolCount:
        """Return the pupils of a school in the proposal: on its roll where that is known, else of its zone."""
        rows = self.consultation.publication.schools
        found = rows[(rows["school_id"] == school_id) & (rows["stage"] == stage)]
        if found.empty:
            return SchoolCount(math.nan, False)
        row: Any = next(iterate_rows(found))
        if bool(row.roll_after_hidden) or math.isfinite(row.roll_after):
            return SchoolCount(float(row.roll_after), bool(row.roll_after_hidden))
        return SchoolCount(float(row.pupils_after), bool(row.pupils_after_hidden))

    def list_notes(self, _: Translator, *, proposal: bool) -> list[Message]:
        """Return what must be known of the comparison: of the proposal, or of the other options only."""
        today = self.consultation.baseline.scenario.name
        called = say_option(self.consultation.baseline, _)
        own = {self.consultation.baseline.scenario.name, self.consultation.proposal.scenario.name}
        found = []
        for note in self.consultation.comparison.notes:
            named = dict(note.params).get("name")
            if (named is None or named in own) == proposal:
                params = tuple((key, called if value == today else value) for key, value in note.params)
                found.append(Message(note.template, params))
        return found


def check_today(consultation: Consultation) -> pd.DataFrame:
    """Return the checks of the baseline (``planning.rule_checks.check_rules``), by the same rules as the proposal."""
    study, rules, baseline = consultation.study, consultation.rules, consultation.baseline
    asked = {str(rule.key) for rule in rules.rules if rule.enabled}
    balanced = any(RULE_CHECKS[key].needs_balance for key in asked if key in RULE_CHECKS)
    balance = build_balance(study, rules, outcome=baseline) if balanced else None
    return check_rules(study, rules, baseline, balance=balance)


def build_report_case(consultation: Consultation, _: Translator, *, today: pd.DataFrame | None = None) -> ReportCase:
    """Return what the parts of the report share. ``today``: of :func:`check_today`, made here where not given."""
    checks = check_today(consultation) if today is None else today
    return ReportCase(consultation, checks, list_names(consultation, _))


def join_sentences(sentences: Iterable[str], _: Translator) -> str:
    """Return sentences one after the other, with the language's space between them; empty ones are left out."""
    return ("" if _.language == "zh" else " ").join(sentence for sentence in sentences if sentence)


def say_option(outcome: Outcome, _: Translator) -> str:
    """Return what an option is called; the question that is asked by default is called today in every language."""
    name = outcome.scenario.name
    plain = not outcome.scenario.all_actions and name in {read_catalogue(language)("Today") for language in LANGUAGES}
    return _("Today") if plain else name


def list_names(consultation: Consultation, _: Translator) -> dict[str, str]:
    """Return what schools, communities and sites are called, by id; those without a name by their number."""
    study = consultation.study
    outcomes = (consultation.baseline, consultation.proposal, *consultation.alternatives)
    actions = [action for outcome in outcomes for action in outcome.scenario.all_actions]
    known = collect_names(study, actions)
    units = {str(key): tell_community(known.get(str(key), ""), str(key), _) for key in study.units["unit_id"]}
    schools = {str(key): tell_school(known.get(str(key), ""), str(key), _) for key in study.schools["school_id"]}
    rest = {key: name for key, name in known.items() if key not in units and key not in schools}
    return units | rest | schools


def tell_school(name: str, school_id: str, _: Translator) -> str:
    """Return what a school is called; a name that only repeats the number is none."""
    return say_school("" if name.strip() == school_id else name, school_id, _)


def tell_community(name: str, unit_id: str, _: Translator) -> str:
    """Return what a community is called; a name that only repeats the number is none."""
    return say_community("" if name.strip() == unit_id else name, unit_id, _)


def tell_schools(names: tuple[str, ...], ids: str, _: Translator) -> str:
    """Return the schools of a community (``before_names`` and ``before_ids`` of the publication, for instance)."""
    keys = [key for key in str(ids).split(";") if key]
    if not keys:
        return _("no school")
    return _.join(tell_school(str(name), key, _) for name, key in zip(names, keys, strict=False))


def say_small(value: float, threshold: int, _: Translator, *, of: float = math.nan) -> Said | None:
    """Return what stands in the place of a count that must not be shown, or None where it may be shown.

    ``of``: the published whole of which it is a part; the rest must not be small either.
    """
    if 0 < value < threshold:
        return Said(_("some"))
    if math.isfinite(of) and 0 < of - value < threshold and of - value > 1:
        return Said(_("some"))
    return None


def hide_small(
    message: Message, threshold: int, _: Translator, *, of: float = math.nan, everything: bool = False
) -> Message:
    """Return a sentence without counts of pupils below the threshold.

    Parameters
    ----------
    message
        Its values named in :data:`COUNT_NAMES` count pupils, and so do numbers whose template says so.
    of
        Published whole that the counts are parts of: a count that differs from it by less than one, by rounding, is
        given as the whole.
    everything
        No count at all is shown: that of the whole is hidden.
    """
    counts = "} pupils" in message.template and len(message.params) == 1

    def hide(name: str, value: object) -> object:
        if isinstance(value, Message):
            return hide_small(value, threshold, _, of=of, everything=everything)
        if isinstance(value, tuple):
            return tuple(hide("", part) for part in value)
        if not (name in COUNT_NAMES or (counts and name == "value")) or not isinstance(value, int | float):
            return value
        if everything and value > 0:
            return say_small(float(value), threshold, _) or Said(_("some"))
        if math.isfinite(of) and abs(of - value) <= 1:
            value = round(of)
        return say_small(float(value), threshold, _, of=of) or value

    return Message(message.template, tuple((name, hide(name, value)) for name, value in message.params))

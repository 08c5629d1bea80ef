"""The figures of a what-if in words: before and after, what they mean, who takes pupils in, what the rules say."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planning.rules import RULE_SETTINGS
from reports.citations import cite_rule
from reports.language import MISSING_NUMBER, Translator
from reports.today_tables import say_value

if TYPE_CHECKING:
    from geodata.study import StudyArea
    from planning.rules import Rule, Rules
    from planning.what_if import WhatIfAnswer

LEAST_CHANGE = 0.05
LEAST_PUPILS = 0.5
WHAT_IF_RECEIVERS = (
    *("school_id", "name", "kind", "pupils_before", "pupils_after", "places", "fill_after", "over_after"),
    *("classes", "class_pupils_after"),
)


@dataclass(frozen=True)
class NumberRow:
    """One figure before and after a change; NaN is unknown. A rise is bad for all of them."""

    name: str
    title: str
    meaning: str
    unit: str
    before: float
    after: float

    @property
    def verdict(self) -> str:
        """``"worse"``, ``"better"``, ``"same"`` or ``"unknown"``."""
        if not (math.isfinite(self.before) and math.isfinite(self.after)):
            return "unknown"
        change = self.after - self.before
        if abs(change) < (LEAST_CHANGE if self.unit == "min" else LEAST_PUPILS):
            return "same"
        return "worse" if change > 0 else "better"


def list_number_rows(
    answer: WhatIfAnswer, moved_longest_before: float, *, places_known: bool, limit_known: bool, _: Translator
) -> list[NumberRow]:
    """Return the figures of a what-if; ``moved_longest_before``: longest way, before, of those who move (minutes).

    What the data or the rules do not know is NaN: pupils above the places where no place is known, pupils beyond the
    limit where no rule limits the way.
    """
    number = answer.numbers
    room = (number["over_places_pupils_before"], number["over_places_pupils_after"]) if places_known else _UNKNOWN
    limit = (number["beyond_limit_pupils_before"], number["beyond_limit_pupils_after"]) if limit_known else _UNKNOWN
    return [
        NumberRow(
            "moved_mean",
            _("Mean way of those moved"),
            _("One way, of the pupils who go to another school than before."),
            "min",
            number["moved_mean_min_before"],
            number["moved_mean_min_after"],
        ),
        NumberRow(
            "moved_longest",
            _("Longest way of those moved"),
            _("One way, of the community that has the longest way among those moved."),
            "min",
            moved_longest_before,
            number["moved_max_min_after"],
        ),
        NumberRow(
            "mean",
            _("Mean way of all"),
            _("One way, of all pupils of this stage who reach a school."),
            "min",
            number["mean_min_before"],
            number["mean_min_after"],
        ),
        NumberRow(
            "beyond",
            _("Beyond the travel limit"),
            _("Pupils whose way is longer than the rules allow."),
            "pupils",
            *limit,
        ),
        NumberRow(
            "over",
            _("Above the places"),
            _("Pupils whom schools of known size take in above their places."),
            "pupils",
            *room,
        ),
        NumberRow(
            "unreached",
            _("No way to school"),
            _("Pupils who reach no school at all."),
            "pupils",
            number["unreached_pupils_before"],
            number["unreached_pupils_after"],
        ),
    ]


_UNKNOWN = (math.nan, math.nan)


def say_number(row: NumberRow, value: float, _: Translator) -> str:
    """Return one figure of a row with its unit; unknown is a dash."""
    return say_value(value, "min", _) if row.unit == "min" else _.number(value)


def say_difference(row: NumberRow, _: Translator) -> str:
    """Return the change of a figure with its sign; a dash where it is not known."""
    if row.verdict == "unknown":
        return MISSING_NUMBER
    change = row.after - row.before
    if row.verdict == "same":
        return "±0"
    sign = "+" if change > 0 else "−"
    return sign + say_number(row, abs(change), _)


def build_what_if_receivers(
    answer: WhatIfAnswer, study: StudyArea, stage: str, classes: Mapping[str, float]
) -> pd.DataFrame:
    """Return the schools that have more pupils than before: ``WHAT_IF_RECEIVERS``, who takes most first.

    ``classes``: number of classes by school where it is known; class sizes follow from the modelled pupils.
    """
    rows = answer.schools
    added = (rows["pupils_after"] - rows["pupils_before"]).to_numpy(dtype=np.float64)
    rows = rows.assign(added=added)[added > LEAST_PUPILS].sort_values("added", ascending=False, kind="stable")
    kinds = study.schools.drop_duplicates("school_id").set_index("school_id")["kind"]
    after = rows["pupils_after"].to_numpy(dtype=np.float64)
    places = rows["places_after"].to_numpy(dtype=np.float64, na_value=np.nan)
    places = np.where(np.isfinite(places), places, np.nan)
    count = np.array([classes.get(str(key), math.nan) for key in rows["school_id"]], dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        fill = np.where(places > 0, after / places, np.nan)
        class_size = np.where(count > 0, after / count, np.nan)
    return pd.DataFrame(
        {
            "school_id": rows["school_id"].astype(str).to_numpy(),
            "name": rows["name"].astype(str).to_numpy(),
            "kind": [str(kinds.get(key, "")) for key in rows["school_id"]],
            "pupils_before": rows["pupils_before"].to_numpy(dtype=np.float64),
            "pupils_after": after,
            "places": places,
            "fill_after": fill,
            "over_after": rows["over_after"].to_numpy(dtype=np.float64, na_value=np.nan),
            "classes": count,
            "class_pupils_after": class_size,
        },
        columns=list(WHAT_IF_RECEIVERS),
    )


def list_class_findings(receivers: pd.DataFrame, rules: Rules, stage: str, _: Translator) -> list[tuple[str, str, str]]:
    """Return what the rules say to class sizes of the receivers: (severity, sentence, rule with clause).

    The gravest limit that is passed is named, once for each school.
    """
    found = []
    for row in receivers.to_dict("records"):
        size = float(row["class_pupils_after"])
        if not math.isfinite(size):
            continue
        for key in ("super_large_class_from", "large_class_from", "max_class_size"):
            rule = rules.find(key, stage, kind=str(row["kind"]))
            if rule is not None and not _holds(rule, size, stage):
                words = _(
                    "{school}: {size} pupils in a class on average; the rule: {op} {limit}.",
                    school=row["name"],
                    size=_.number(size, digits=1),
                    op=_name_operator(rule.op, _),
                    limit=_.number(rule.limit(stage)),
                )
                found.append((str(rule.severity), words, cite_rule(rules, rule.id, _)))
                break
    return found


def _holds(rule: Rule, value: float, stage: str) -> bool:
    limit = rule.limit(stage)
    return value < limit if rule.op == "<" else value <= limit


def _name_operator(op: str, _: Translator) -> str:
    return {"<": _("fewer than"), "<=": _("at most")}.get(op, op)


def find_travel_rules(rules: Rules, stage: str, settings: Collection[str] = RULE_SETTINGS) -> list[Rule]:
    """Return the rules in force that limit the way of a stage: those of minutes, else those of the radius.

    ``settings``: those that there are; rules of others are left out.
    """
    for key in ("max_travel_min", "service_radius"):
        found = [rule for rule in rules.rules if rule.enabled and rule.key == key and _speaks_of(rule, stage)]
        found = [rule for rule in found if not rule.setting or set(rule.setting) & set(settings)]
        if found:
            return found
    return []


def _speaks_of(rule: Rule, stage: str) -> bool:
    kind, setting = next(iter(rule.kind), ""), next(iter(rule.setting), "")
    return rule.applies(stage, kind=kind, setting=setting)


def say_travel_rule(rules: Rules, rule: Rule, stage: str, _: Translator) -> str:
    """Return a limit of the way in words: its value, its name and clause."""
    limit = say_value(rule.limit(stage), "min" if rule.unit == "min" else "m", _)
    return _("{limit} · {rule}", limit=limit, rule=cite_rule(rules, rule.id, _))

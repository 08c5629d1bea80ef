"""What one check of a rule is, and what every check reads: the case, the rule that speaks, and the rows it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.study import STAGES, StudyArea
from planning.balance_tables import Balance
from planning.rule_predicates import list_facts
from planning.rules import ALL_STAGES, Rule, Rules
from planning.run import Outcome
from planning.tables import StageTables, build_stage_schools

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

CHECK_COLUMNS = (
    *("rule_id", "subject", "subject_id", "subject_name", "stage", "status", "measured", "limit", "op", "unit"),
    *("short_by", "missing", "cure", "cure_amount", "severity", "verified", "detail", "pupils", "document"),
)
"""Columns of a table of checks; ``planning.rule_checks.check_rules`` describes them."""
NUMBER_COLUMNS = ("measured", "limit", "short_by", "cure_amount", "pupils")

SUBJECTS = ("school", "unit", "town", "county", "group")
STATUSES = ("passed", "failed", "unknown", "evidence")
CURES = ("places", "classes", "m2", "teachers", "cny", "rooms", "boarding", "bus", "")
SAME = 1e-6
"""Relative difference below which a number equals its limit: sums of modelled pupils, and times in single precision."""

Block = dict[str, Any]
"""Columns of some rows of checks: arrays of one length, or one value for all rows."""


@dataclass(frozen=True, eq=False)
class StageCase:
    """One stage of the answer. ``judged``: pupils by row of ``schools``, by the roll or by the model; NaN unknown."""

    stage: str
    tables: StageTables
    judged: Floats
    on_model: Bools

    @property
    def schools(self) -> pd.DataFrame:
        """Schools of the stage, after the actions."""
        return self.tables.schools


@dataclass(frozen=True, eq=False)
class CheckCase:
    """What every check reads.

    ``study`` is that after the actions; ``rolls``: pupils on the rolls by stage and school id, of every stage that is
    taught; ``facts``: what exceptions ask, by school id.
    """

    study: StudyArea
    rules: Rules
    outcome: Outcome
    balance: Balance | None
    stages: tuple[StageCase, ...]
    rolls: Mapping[str, pd.Series[float]]
    facts: pd.DataFrame

    @cached_property
    def whole_pupils(self) -> pd.Series[float]:
        """All pupils of each school, its stages together, by school id; NaN where a stage is not known.

        Stages of the scenario count as they are judged, others by their rolls.
        """
        parts = {
            **self.rolls,
            **{item.stage: pd.Series(item.judged, index=item.schools["school_id"]) for item in self.stages},
        }
        if not parts:
            return pd.Series(dtype=float)
        stacked = pd.concat(list(parts.values()))
        return stacked.groupby(level=0).sum(min_count=1).where(stacked.isna().groupby(level=0).sum() == 0)

    @property
    def year(self) -> int | None:
        """School year that is judged; None: whatever the latest tables hold."""
        return self.outcome.scenario.year


@dataclass(frozen=True, eq=False)
class Spoken:
    """By row: which of ``rules`` speaks (``at``; -1: none) and its limit there, exceptions included.

    ``eased``: the limit if every exception that asks for unknown facts held; ``asked``: those facts, ``;``-joined.
    """

    rules: tuple[Rule, ...]
    at: Ints
    limit: Floats
    eased: Floats
    asked: Texts

    def strict(self) -> Bools:
        """Whether the limit itself is forbidden, by row."""
        ops = np.array([rule.op in ("<", ">") for rule in self.rules] or [False])
        return np.asarray(ops[np.maximum(self.at, 0)])


def judge_pupils(tables: StageTables, by: str) -> tuple[Floats, Bools]:
    """Return the pupils that fill each school, and whether they are those of the model.

    ``by``: ``"roll"`` (the model where no roll is known) or ``"model"``.
    """
    roll = tables.schools["actual_pupils"].to_numpy(dtype=np.float64)
    model = tables.schools["modelled_pupils"].to_numpy(dtype=np.float64)
    chosen = np.isfinite(model) if by == "model" else ~np.isfinite(roll)
    return np.where(chosen, model, roll), chosen


def speak_for_schools(case: CheckCase, key: str, stage: str, schools: pd.DataFrame) -> Spoken:
    """Return the rule of ``key`` for each school, by its kind and setting, and by the facts its exceptions ask for."""
    pairs = list(zip(schools["kind"].astype(str), schools["setting"].astype(str), strict=True))
    spoken = _speak(case, key, stage, pairs)
    if not any(rule.exceptions for rule in spoken.rules):
        return spoken
    facts = case.facts.reindex(schools["school_id"]).reset_index(drop=True)
    for name in ("kind", "setting"):
        facts[name] = schools[name].to_numpy(dtype=object)
    return _settle(spoken, stage, facts.assign(stage=stage, year=np.nan if case.year is None else case.year))


def speak_for_settings(
    case: CheckCase, key: str, stage: str, settings: Sequence[str], *, grade: int | None = None
) -> Spoken:
    """Return the rule of ``key`` by setting (of one grade); an unknown setting is in no setting."""
    spoken = _speak(case, key, stage, [("", setting) for setting in settings], grade)
    if not any(rule.exceptions for rule in spoken.rules):
        return spoken
    year = np.nan if case.year is None else case.year
    facts = pd.DataFrame({"setting": pd.Series(list(settings), dtype=object)}).assign(stage=stage, year=year)
    return _settle(spoken, stage, facts if grade is None else facts.assign(grade=grade))


def _speak(case: CheckCase, key: str, stage: str, pairs: Sequence[tuple[str, str]], grade: int | None = None) -> Spoken:
    found: list[Rule] = []
    places: dict[tuple[str, str], int] = {}
    for kind, setting in dict.fromkeys(pairs):
        rule = case.rules.find(key, stage, kind=kind, setting=setting, year=case.year, grade=grade)
        if rule is None or rule.severity == "evidence" or not {stage, ALL_STAGES} & set(rule.value):
            places[kind, setting] = -1
            continue
        if rule not in found:
            found.append(rule)
        places[kind, setting] = found.index(rule)
    at = np.array([places[pair] for pair in pairs], dtype=np.int64)
    limits = np.array([*(rule.limit(stage) for rule in found), np.nan])
    limit = np.asarray(limits[at])
    return Spoken(tuple(found), at, limit, limit.copy(), np.full(len(at), "", dtype=object))


def _settle(spoken: Spoken, stage: str, facts: pd.DataFrame) -> Spoken:
    """Return the limits with the exceptions that the facts decide, and what the others would ease."""
    at, limit, eased, asked = spoken.at.copy(), spoken.limit.copy(), spoken.eased.copy(), spoken.asked.copy()
    for number, rule in enumerate(spoken.rules):
        names = [name for item in rule.exceptions for name in list_facts(item.when)]
        known = [name for name in dict.fromkeys(names) if name in facts.columns]
        rows = np.flatnonzero(spoken.at == number)
        keys = list(zip(*(facts[name].to_numpy(dtype=object)[rows] for name in known), strict=True)) or [()] * len(rows)
        settled = {key: _ease(rule, stage, dict(zip(known, key, strict=True))) for key in dict.fromkeys(keys)}
        for row, key in zip(rows, keys, strict=True) if rule.exceptions else ():
            held = settled[key]
            if held is None:
                at[row] = -1
            else:
                limit[row], eased[row], asked[row] = held
    return Spoken(spoken.rules, at, limit, eased, asked)


FACT_COLUMNS = {
    "founded_year": "assets.founded_year",
    "migrant_share": "assets.migrant_pupils",
    "largest_class_pupils": "assets.largest_class_pupils",
    "boarding": "schools.boarding_places",
    "boarding_places": "schools.boarding_places",
    "ownership": "schools.ownership",
    "setting": "schools.setting",
}
"""Facts that exceptions of rules may ask for, and the data that tell them; others no table holds."""


def _ease(rule: Rule, stage: str, facts: Mapping[str, Any]) -> tuple[float, float, str] | None:
    """Return the limit, the limit if all open exceptions held, and the data that would tell; None: exempt."""
    settled = rule.settle(facts)
    if settled is None:
        return None
    limit = settled.limit(stage)
    best, asked = limit, set()
    upper = rule.op in ("<", "<=")
    for item in settled.exceptions:
        value = item.value.get(stage, item.value.get(ALL_STAGES, limit))
        value = value if not item.exempt else np.inf if upper else -np.inf
        best = max(best, value) if upper else min(best, value)
        asked |= {FACT_COLUMNS.get(name, name) for name in list_facts(item.when) if not _is_known(facts.get(name))}
    return limit, best, ";".join(sorted(asked))


def _is_known(value: Any) -> bool:
    return value is not None and value == value and value != ""


def compare(measured: Floats, limit: Floats, op: str) -> Bools:
    """Tell where a number keeps its limit; NaN keeps none."""
    slack = SAME * np.maximum(np.abs(limit), 1.0)
    if op == "<=":
        return np.asarray(measured <= limit + slack)
    if op == "<":
        return np.asarray(measured < limit - slack)
    if op == ">=":
        return np.asarray(measured >= limit - slack)
    if op == ">":
        return np.asarray(measured > limit + slack)
    return np.asarray(np.abs(measured - limit) <= slack)


def keeps(spoken: Spoken, measured: Floats, limit: Floats | None = None) -> Bools:
    """Tell by row whether the measured number keeps the limit of its rule (or another ``limit``)."""
    kept = np.zeros(len(measured), dtype=bool)
    bound = spoken.limit if limit is None else limit
    for number, rule in enumerate(spoken.rules):
        rows = spoken.at == number
        kept[rows] = compare(measured[rows], bound[rows], rule.op)
    return kept


def build_block(
    spoken: Spoken,
    stage: str,
    subject: str,
    about: tuple[Any, Any],
    measured: Floats,
    *,
    missing: Texts | str = "",
    cure: str = "",
    cure_amount: Floats | None = None,
    **more: Any,
) -> Block:
    """Return the rows for which a rule speaks.

    Parameters
    ----------
    about
        Ids and names of the subjects.
    measured
        NaN: unknown, for want of ``missing``.
    cure, cure_amount
        What would mend a failed row, and how much of it; no cure where the amount is NaN or 0.
    more
        ``status`` (overrides what the comparison says), ``detail``, ``pupils``, ``document``.
    """
    size = len(measured)
    status = np.where(keeps(spoken, measured), "passed", "failed").astype(object)
    unsure = (status == "failed") & keeps(spoken, measured, spoken.eased)
    status[unsure | ~np.isfinite(measured)] = "unknown"
    gaps = np.where(np.isfinite(measured), np.where(unsure, spoken.asked, ""), missing)
    status = np.asarray(more.pop("status", status), dtype=object)
    failed = status == "failed"
    amount = np.full(size, np.nan) if cure_amount is None else cure_amount
    cured = failed & (amount > 0)
    strict = spoken.strict()
    beyond = np.abs(measured - spoken.limit)
    block: Block = {
        "subject": subject,
        "subject_id": about[0],
        "subject_name": about[1],
        "stage": stage,
        "status": status,
        "measured": measured,
        "limit": spoken.limit,
        "short_by": np.where(failed, beyond, np.where(status == "passed", 0.0, np.nan)),
        "missing": np.where(status == "unknown", np.where(gaps == "", missing, gaps), ""),
        "cure": np.where(cured, cure, ""),
        "cure_amount": np.where(cured, amount, np.nan),
        "strict": strict,
        **_describe(spoken),
        **more,
    }
    return _cut(block, spoken.at >= 0)


def _describe(spoken: Spoken) -> Block:
    """Return the columns that are the rule's own; of rows without a rule nothing."""
    names = {"rule_id": "id", "op": "op", "unit": "unit", "severity": "severity", "verified": "verified"}
    own = {
        name: np.array([*(getattr(rule, field) for rule in spoken.rules), None], dtype=object)
        for name, field in names.items()
    }
    return {name: values[spoken.at] for name, values in own.items()}


def _cut(block: Block, rows: Bools) -> Block:
    """Return the block with some of its rows only, single values spread."""
    size = len(rows)
    return {
        name: (value if isinstance(value, np.ndarray) else _spread(value, size))[rows] for name, value in block.items()
    }


def _spread(value: Any, size: int) -> Any:
    if isinstance(value, str | bool) or value is None:
        return np.full(size, value, dtype=object)
    return np.full(size, value, dtype=float) if np.isscalar(value) else np.asarray(value, dtype=object)


def build_row(rule: Rule, stage: str, subject: str, about: tuple[str, str], status: str, **more: Any) -> Block:
    """Return one row that no comparison made; the columns of ``more`` are taken as they are."""
    known = stage in rule.value or "all" in rule.value
    row: Block = {
        "rule_id": rule.id,
        "subject": subject,
        "subject_id": about[0],
        "subject_name": about[1],
        "stage": stage,
        "status": status,
        "limit": rule.limit(stage) if known else np.nan,
        "op": rule.op,
        "unit": rule.unit,
        "severity": rule.severity,
        "verified": rule.verified,
        **more,
    }
    return {name: _spread(value, 1) for name, value in row.items()}


def stack_blocks(blocks: Sequence[Block]) -> pd.DataFrame:
    """Return all rows as one table with ``CHECK_COLUMNS``."""
    blocks = [block for block in blocks if len(block["rule_id"])]
    table: dict[str, Any] = {}
    for name in CHECK_COLUMNS:
        number = name in NUMBER_COLUMNS
        parts = [
            np.asarray(block.get(name, _spread(np.nan if number else "", len(block["rule_id"])))) for block in blocks
        ]
        if number:
            table[name] = np.concatenate([part.astype(np.float64) for part in parts] or [np.empty(0)])
        elif name == "verified":
            table[name] = np.concatenate([part.astype(bool) for part in parts] or [np.empty(0, dtype=bool)])
        else:
            parts = [part.astype(object) for part in parts]
            table[name] = pd.Series(np.concatenate(parts or [np.empty(0, dtype=object)]), dtype=str)
    return pd.DataFrame(table, columns=list(CHECK_COLUMNS))


def ceil_amount(value: Floats | float, *, strict: Bools | bool = False) -> Floats:
    """Return whole things, rounded up, at least 0; ``strict``: one more where a whole number would only be equal."""
    whole = np.ceil(np.asarray(value, dtype=np.float64) - SAME)
    equal = np.abs(whole - value) <= SAME
    return np.asarray(np.maximum(whole + np.where(np.asarray(strict) & equal, 1.0, 0.0), 0.0))


def list_rolls(study: StudyArea, stages: Sequence[StageTables], year: int | None) -> dict[str, pd.Series[float]]:
    """Return pupils on the rolls by stage and school id: those of the tables, of other stages those of the study."""
    rolls = {tables.stage: tables.schools.set_index("school_id")["actual_pupils"] for tables in stages}
    for stage in STAGES:
        if stage not in rolls and (study.places["stage"] == stage).any():
            rolls[stage] = build_stage_schools(study, stage, year).set_index("school_id")["actual_pupils"]
    return rolls


def build_facts(study: StudyArea, rolls: Mapping[str, pd.Series[float]], year: int | None) -> pd.DataFrame:
    """Return what exceptions of rules may ask of a school, by id; NaN or an empty text where it is not known.

    ``migrant_share`` is of all pupils on the school's rolls.
    """
    schools = study.schools.drop_duplicates("school_id").set_index("school_id")
    assets = study.assets if year is None else study.assets[study.assets["year"].fillna(0) <= year]
    assets = assets.sort_values("year", kind="stable")
    counts = pd.concat(list(rolls.values()) or [pd.Series(dtype=float)])
    pupils = counts.groupby(level=0).sum(min_count=1).reindex(schools.index)
    told = assets.dropna(subset=["migrant_pupils"])
    told = told[told["year"].fillna(0) == told["year"].fillna(0).groupby(told["school_id"]).transform("max")]
    migrants = told.groupby("school_id")["migrant_pupils"].sum(min_count=1).reindex(schools.index)
    beds = schools["boarding_places"].astype(float)
    last = assets.groupby("school_id")[["founded_year", "largest_class_pupils"]].last().reindex(schools.index)
    return pd.DataFrame(
        {
            "founded_year": last["founded_year"].astype(float),
            "migrant_share": (migrants / pupils.where(pupils > 0)).astype(float),
            "largest_class_pupils": last["largest_class_pupils"].astype(float),
            "school_pupils": pupils.astype(float),
            "boarding_places": beds,
            "boarding": (beds > 0).astype(object).where(beds.notna(), None),
            "ownership": schools["ownership"].fillna("").astype(object),
        }
    )

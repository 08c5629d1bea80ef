"""The engine behind the Closures page: the base solved once and kept, each change answered from it, the ranking."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from geodata.errors import LayoutError, tell_error
from geodata.messages import Message
from geodata.new_schools import measure_new_school, unit_point
from geodata.study import Stage, StudyArea
from planning.action_steps import apply_actions
from planning.closure_dependants import Reliance, explain, find_reliance, lacks_places, list_dependants
from planning.closure_measures import measure_closure
from planning.closure_ranking import rank_closures
from planning.rules import Rules, read_rulebook
from planning.what_if import Change, NewColumn, WhatIf, WhatIfAnswer, build_new_column, build_what_if
from reports.closure_scene import NewSchool
from reports.closure_tables import order_ranking
from ui.closures_choices import Question
from ui.closures_state import Asked, Opened, Resized
from ui.forecast_study import ask_viewed

ENGINES_IN_MEMORY = 6
ANSWERS_IN_MEMORY = 64
RANK_AT_ONCE = 400_000
"""Rank while the page waits where units × schools are at most this many; larger counties are ranked by a job."""


@dataclass(frozen=True, eq=False)
class Engine:
    """A base ready for changes.

    ``county`` is as it is, ``study`` has the actions of the base applied; ``problem`` says why there is no what-if.
    """

    key: str
    county: StudyArea
    study: StudyArea
    rules: Rules
    question: Question
    what_if: WhatIf | None
    problem: Message | None
    seconds: float

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the county as it is."""
        return self.county.fingerprint

    @property
    def stage(self) -> Stage:
        """The stage asked about."""
        return self.question.stage

    @property
    def limited(self) -> bool:
        """Whether some rule limits the way of some unit of this county."""
        return self.what_if is not None and bool(np.isfinite(self.what_if.ground.limit).any())

    @property
    def places_known(self) -> bool:
        """Whether the places of some school are known."""
        if self.what_if is None:
            return False
        places = self.what_if.base.schools["places_before"].to_numpy(dtype=np.float64, na_value=np.nan)
        return bool(np.isfinite(places).any())

    @property
    def quick_to_rank(self) -> bool:
        """Whether all closures are ranked while the page waits."""
        what_if = self.what_if
        return what_if is not None and len(what_if.unit_ids) * len(what_if.school_ids) <= RANK_AT_ONCE


@dataclass(frozen=True, eq=False)
class Answered:
    """A change with its answer. ``note`` says what could not be answered; then ``answer`` is None."""

    change: Change
    answer: WhatIfAnswer | None
    opened: tuple[NewSchool, ...]
    note: Message | None
    seconds: float


@st.cache_resource(max_entries=ENGINES_IN_MEMORY, show_spinner=False)
def build_engine(key: str, _study: StudyArea, _question: Question) -> Engine:
    """Return the engine of a question (``key`` names study and question)."""
    began = time.monotonic()
    rules = read_rulebook(_question.rulebook)
    study, scenario = _study, ask_viewed(_study, _question.scenario)
    if scenario.all_actions:
        study = apply_actions(_study, rules, scenario).study
    found = build_what_if(_study, rules, scenario, _question.stage)
    what_if = found if isinstance(found, WhatIf) else None
    problem = None if isinstance(found, WhatIf) else found.message
    return Engine(key, _study, study, rules, _question, what_if, problem, time.monotonic() - began)


@st.cache_resource(max_entries=ENGINES_IN_MEMORY, show_spinner=False)
def rank_at_once(key: str, _engine: Engine) -> pd.DataFrame:
    """Return the ranking of all single closures."""
    assert _engine.what_if is not None
    return order_ranking(rank_closures(_engine.what_if))


@st.cache_resource(max_entries=ANSWERS_IN_MEMORY, show_spinner=False)
def _answer(key: str, digest: str, _engine: Engine, _asked: Asked) -> Answered:
    began = time.monotonic()
    what_if = _engine.what_if
    assert what_if is not None
    try:
        columns = [(build_column(_engine, item), item) for item in _asked.opened]
        change = Change(
            closed=frozenset(_asked.closed),
            places=tuple((item.school_id, find_places(_engine, item)) for item in _asked.resized),
            opened=tuple(column for column, _item in columns),
        )
        opened = tuple(
            NewSchool(item.school_id, item.name, *find_point(_engine.study, item)) for _column, item in columns
        )
        answer = what_if.answer(change)
    except LayoutError as error:
        return Answered(Change(), None, (), tell_error(error), time.monotonic() - began)
    return Answered(change, answer, opened, None, time.monotonic() - began)


def answer_asked(engine: Engine, asked: Asked) -> Answered | None:
    """Return the answer to the changes asked for; None where nothing is changed."""
    if engine.what_if is None or asked.is_empty:
        return None
    return _answer(engine.key, asked.digest, engine, asked)


def find_design_size(engine: Engine, school_id: str = "") -> float:
    """Return pupils per class as the rules design them, for the kind of a school; NaN where no rule says it."""
    kinds = engine.study.schools.set_index("school_id")["kind"]
    kind = str(kinds.get(school_id, ""))
    limit = engine.rules.limit("design_class_size", engine.stage, kind=kind)
    return math.nan if limit is None else float(limit)


def find_base_places(engine: Engine, school_id: str) -> float:
    """Return the places of a school before any change; NaN where they are not known."""
    assert engine.what_if is not None
    rows = engine.what_if.base.schools
    found = rows.loc[rows["school_id"] == school_id, "places_before"].to_numpy(dtype=np.float64)
    return float(found[0]) if len(found) and np.isfinite(found[0]) else math.nan


def find_places(engine: Engine, item: Resized) -> float:
    """Return the places of a school after its change of size; never less than none."""
    if item.places is not None:
        return item.places
    size = find_design_size(engine, item.school_id)
    return max(0.0, find_base_places(engine, item.school_id) + (item.add_classes or 0.0) * size)


def find_point(study: StudyArea, item: Opened) -> tuple[float, float]:
    """Return where a new school stands, in metres of the study's CRS."""
    if item.site_id:
        rows = study.sites[study.sites["site_id"].astype(str) == item.site_id]
        return float(rows["x_m"].iloc[0]), float(rows["y_m"].iloc[0])
    return unit_point(study, item.unit_id)


def build_column(engine: Engine, item: Opened) -> NewColumn:
    """Return a new school as the engine takes it: minutes and metres from every unit."""
    assert engine.what_if is not None
    mode = engine.question.mode
    x_m, y_m = find_point(engine.study, item)
    time_min, length_m = measure_new_school(engine.study, mode, x_m, y_m)
    units = engine.study.units
    setting = units.loc[units["unit_id"].astype(str) == item.unit_id, "setting"]
    return build_new_column(
        engine.what_if,
        time_min,
        length_m,
        unit_ids=tuple(str(key) for key in engine.study.travel[mode].unit_ids),
        school_id=item.school_id,
        name=item.name,
        places=item.places,
        setting=str(setting.iloc[0] or "") if len(setting) else "",
    )


@dataclass(frozen=True)
class Verdict:
    """Whether schools can close together by the travel rule and within the places: why, and who needs them (ids)."""

    can_close: bool
    places_suffice: bool
    reason: Message
    dependents: tuple[str, ...]


@st.cache_resource(max_entries=ENGINES_IN_MEMORY, show_spinner=False)
def _find_reliance(key: str, _engine: Engine) -> Reliance:
    assert _engine.what_if is not None
    return find_reliance(_engine.what_if)


@st.cache_resource(max_entries=ANSWERS_IN_MEMORY, show_spinner=False)
def _judge(key: str, closed: tuple[str, ...], _engine: Engine) -> Verdict:
    what_if = _engine.what_if
    assert what_if is not None
    at = np.flatnonzero(np.isin(np.array(what_if.school_ids, dtype=object), list(closed)))
    closure = measure_closure(what_if, at)
    reliance = _find_reliance(key, _engine)
    only = np.flatnonzero(np.isin(reliance.schools, at).all(axis=1))
    found = list_dependants(what_if, reliance.pick(only))
    reason = explain(what_if, reliance.limited, found, closure.staying_pupils, closure.numbers)
    units = tuple(what_if.unit_ids[unit] for unit in found.unit)
    return Verdict(not units, not lacks_places(closure.numbers), reason, units)


def judge_closed(engine: Engine, asked: Asked) -> Verdict | None:
    """Return whether the schools that close could close together, all others staying as in the base; None for none."""
    if engine.what_if is None or not asked.closed:
        return None
    return _judge(engine.key, tuple(sorted(asked.closed)), engine)

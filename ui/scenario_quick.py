"""The quick answer to a scenario: who goes where against today, within a fraction of a second, and what is wrong.

Closing, opening and resizing are re-optimised from a base that is solved once (``planning.what_if``). What the engine
cannot do (choice, zoning) is read from the whole answer.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st

from geodata.messages import Message
from geodata.study import Stage, StudyArea
from planning.action_steps import Applied, apply_actions
from planning.conflicts import Conflict
from planning.rules import read_rulebook
from planning.run import Outcome
from planning.scenario import Scenario
from planning.what_if import WhatIf, WhatIfAnswer, build_what_if, compute_change, sum_shares
from reports.scenario_after import BeforeAfter, compare_answers, compare_outcomes
from ui.forecast_study import ask_viewed
from ui.scenario_outcomes import find_outcome

ENGINE_METHODS = ("nearest", "zones", "capacity")
SIMPLE_KINDS = ("close", "places", "open", "boarding")
Way = Literal["engine", "whole", "waiting", "refused"]


@dataclass(frozen=True, eq=False)
class Quick:
    """What is known of a scenario at once.

    ``now`` is None while only a whole answer could tell (``way`` ``"waiting"``), or where something stands against any
    answer (``"refused"``; ``against`` says what). ``seconds``: how long it took.
    """

    applied: Applied
    now: BeforeAfter | None
    way: Way
    against: tuple[Message, ...] = ()
    seconds: float = 0.0
    whole_units: bool = False


def strip_actions(scenario: Scenario, stage: Stage | None = None) -> Scenario:
    """Return the same question about today: without actions; with ``stage`` about that stage alone."""
    stages = (stage,) if stage else scenario.stages
    return dataclasses.replace(scenario, name="today", actions=(), inherited=(), parent=None, stages=stages)


def ask_quick(study: StudyArea, scenario: Scenario, stage: Stage, rulebook: str = "cn") -> Quick:
    """Return the quick answer for one stage of a scenario; a projected study answers about its own year."""
    scenario = ask_viewed(study, scenario)
    plain = dataclasses.replace(scenario, name="", parent=None, actions=scenario.all_actions, inherited=())
    whole = None if scenario.enrolment in ENGINE_METHODS else find_outcome(study, scenario, rulebook)
    return _ask(study.fingerprint, repr(plain), stage, rulebook, whole is not None, study, plain, whole)


@st.cache_resource(max_entries=48, show_spinner=False)
def _ask(
    fingerprint: str,
    question: str,
    stage: Stage,
    rulebook: str,
    known: bool,
    _study: StudyArea,
    _scenario: Scenario,
    _whole: Outcome | None,
) -> Quick:
    began = time.perf_counter()
    rules = read_rulebook(rulebook)
    applied = apply_actions(_study, rules, _scenario)
    if _scenario.enrolment not in ENGINE_METHODS:
        return _read_whole(_study, _whole, stage, applied, began)
    base = find_base(_study, _scenario, stage, rulebook)
    if isinstance(base, Conflict):
        return Quick(applied, None, "refused", (base.message,), time.perf_counter() - began)
    change = compute_change(base, applied)
    if change is not None:
        after, other, answer = base, None, base.answer(change)
    else:
        found = _answer_beyond(_study, _scenario, stage, rulebook, applied)
        if isinstance(found, Conflict):
            return Quick(applied, None, "refused", (found.message,), time.perf_counter() - began)
        after, answer = found
        other = sum_shares(base, base.base), sum_shares(after, answer)
    limited = bool(np.isfinite(base.ground.limit).any())
    now = compare_answers(
        *(_study, base.base, answer, base.unit_ids, after.unit_ids, stage, _scenario.mode),
        shares=other,
        limited=limited,
    )
    return Quick(applied, now, "engine", (), time.perf_counter() - began, bool(base.split))


def _answer_beyond(
    study: StudyArea, scenario: Scenario, stage: Stage, rulebook: str, applied: Applied
) -> tuple[WhatIf, WhatIfAnswer] | Conflict:
    """Return the answer to steps of which some are more than closing, opening and places.

    The base holds the steps up to the last one of those; the simple steps after it are a change of that base.
    """
    done = scenario.actions
    first = max((at for at, action in enumerate(done, start=1) if action.kind not in SIMPLE_KINDS), default=0)
    gone = set(applied.changes.loc[applied.changes["what"].isin(["closed", "merged"]), "school_id"].astype(str))
    if gone & set(applied.pins["school_id"].astype(str)):
        first = len(done)  # units bound to a school that closes afterwards: solved anew
    base = _build_base(
        study.fingerprint,
        repr(done[:first]) + repr(strip_actions(scenario, stage)),
        stage,
        rulebook,
        study,
        dataclasses.replace(scenario, actions=done[:first], stages=(stage,)),
    )
    if isinstance(base, Conflict) or first == len(done):
        return base if isinstance(base, Conflict) else (base, base.base)
    later = applied.changes[applied.changes["number"] > first]
    change = compute_change(base, dataclasses.replace(applied, changes=later))
    if change is None:
        whole = build_what_if(study, read_rulebook(rulebook), dataclasses.replace(scenario, stages=(stage,)), stage)
        return whole if isinstance(whole, Conflict) else (whole, whole.base)
    return base, base.answer(change)


def find_base(study: StudyArea, scenario: Scenario, stage: Stage, rulebook: str = "cn") -> WhatIf | Conflict:
    """Return the engine's base of today, made once for each question."""
    asked = strip_actions(scenario, stage)
    return _build_base(study.fingerprint, repr(asked), stage, rulebook, study, asked)


@st.cache_resource(max_entries=8, show_spinner=False)
def _build_base(
    fingerprint: str, question: str, stage: Stage, rulebook: str, _study: StudyArea, _scenario: Scenario
) -> WhatIf | Conflict:
    return build_what_if(_study, read_rulebook(rulebook), _scenario, stage)


def _read_whole(study: StudyArea, outcome: Outcome | None, stage: Stage, applied: Applied, began: float) -> Quick:
    """Return what a whole answer says; without one the page waits for it."""
    if outcome is None:
        return Quick(applied, None, "waiting", (), time.perf_counter() - began)
    if outcome.plan is None and not outcome.unit_table["stage"].eq(stage).any():
        return Quick(applied, None, "refused", outcome.conflicts, time.perf_counter() - began)
    now = compare_outcomes(study, outcome.before or outcome, outcome, stage)
    return Quick(applied, now, "whole", outcome.conflicts, time.perf_counter() - began)

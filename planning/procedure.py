"""The procedure that the law asks for before a school is merged or a zone redrawn, with dates and evidence."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from geodata.messages import Message, msg
from planning.actions import Action, ChangeStages, CloseSchool, MakeTeachingPoint, MergeSchools

Kind = Literal["rezoning", "closure"]
"""``closure``: the proposal closes, merges or cuts down a school; it needs every step of ``rezoning`` and its own."""


@dataclass(frozen=True)
class Step:
    """One step. ``rule_ids``: the rules of the rulebook that ask for it (Z8, C2 …), ``least_days``: how long at least
    (0 = no length)."""

    step_id: str
    name: Message
    rule_ids: tuple[str, ...]
    kinds: tuple[Kind, ...] = ("rezoning", "closure")


STEPS: Mapping[str, Step] = MappingProxyType(
    {
        step.step_id: step
        for step in (
            Step("public_participation", msg("public participation"), ("Z8", "C2")),
            Step("hearing", msg("hearing"), ("C2", "C1.hearing"), ("closure",)),
            Step("expert_review", msg("expert review"), ("Z8", "C2")),
            Step("risk_assessment", msg("risk assessment of social stability"), ("Z8",)),
            Step("legality_review", msg("legality review"), ("Z8",)),
            Step("collective_decision", msg("collective decision"), ("Z8", "C2")),
            Step("publication", msg("publication"), ("Z8", "C2", "C4")),
            Step("filing", msg("filing with, or approval by, the higher authority"), ("C2", "C11"), ("closure",)),
        )
    }
)


@dataclass(frozen=True)
class Evidence:
    """One file that shows that a step was taken: ``path`` on this machine, ``sha256`` of its content."""

    path: Path
    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class StepRecord:
    """What was done of a step. Done means: a date, and at least one evidence file."""

    step_id: str
    date: datetime.date | None = None
    note: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def done(self) -> bool:
        """Whether date and evidence are there."""
        return self.date is not None and bool(self.evidence)


@dataclass(frozen=True)
class Procedure:
    """All steps of a kind of proposal, in order, with what was done of each."""

    kind: Kind
    records: tuple[StepRecord, ...] = ()

    @property
    def missing(self) -> tuple[Step, ...]:
        """Steps that are not done yet, in order; while there is one, documents are drafts for comment."""
        done = {record.step_id for record in self.records if record.done}
        return tuple(step for step in STEPS.values() if self.kind in step.kinds and step.step_id not in done)


def find_kind(actions: Sequence[Action]) -> Kind:
    """Return the kind of a proposal: a closure where an action takes a stage or its upper grades from a school."""
    taking = (CloseSchool, MergeSchools, MakeTeachingPoint)
    drops = any(isinstance(action, taking) or _drops_stage(action) for action in actions)
    return "closure" if drops else "rezoning"


def _drops_stage(action: Action) -> bool:
    return isinstance(action, ChangeStages) and bool(action.drop)

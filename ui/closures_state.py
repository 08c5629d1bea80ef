"""What the reader changes on the Closures page: plain words in the session, for one base and one stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import streamlit as st

from geodata.study import Stage, StudyArea, compute_digest
from planning.actions import Action, ChangePlaces, CloseSchool, OpenSchool, StagePlaces
from ui.selection import Selection

ASKED_KEY = "closures_asked"
TOOL_KEY = "closures_tool"
COMBINE_KEY = "closures_combine"
MAP_KEY = "closures_map"
SELECTION = Selection(MAP_KEY, "closures_selected", "closures_focus")
Tool = Literal["close", "places", "open"]
TOOLS: tuple[Tool, ...] = ("close", "places", "open")


@dataclass(frozen=True)
class Resized:
    """New size of a school: so many classes more (or fewer), or so many places in all."""

    school_id: str
    add_classes: float | None = None
    places: float | None = None


@dataclass(frozen=True)
class Opened:
    """A school that opens in a unit or on a candidate site; ``places`` None: not limited."""

    school_id: str
    name: str
    places: float
    unit_id: str = ""
    site_id: str = ""


@dataclass(frozen=True)
class Asked:
    """All changes that are asked about at once."""

    closed: tuple[str, ...] = ()
    resized: tuple[Resized, ...] = ()
    opened: tuple[Opened, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is changed."""
        return not (self.closed or self.resized or self.opened)

    @property
    def count(self) -> int:
        """Number of changes."""
        return len(self.closed) + len(self.resized) + len(self.opened)

    @property
    def digest(self) -> str:
        """Name of just these changes."""
        return compute_digest(repr(self))


def read_asked(scope: str) -> Asked:
    """Return the changes asked for on this base and stage; those of another are forgotten."""
    kept = st.session_state.get(ASKED_KEY)
    if not isinstance(kept, Mapping) or kept.get("scope") != scope:
        return Asked()
    return Asked(
        closed=tuple(str(key) for key in kept["closed"]),
        resized=tuple(Resized(**row) for row in kept["resized"]),
        opened=tuple(Opened(**row) for row in kept["opened"]),
    )


def keep_asked(scope: str, asked: Asked) -> None:
    """Remember what is asked for, as plain data."""
    st.session_state[ASKED_KEY] = {
        "scope": scope,
        "closed": list(asked.closed),
        "resized": [vars(item) for item in asked.resized],
        "opened": [vars(item) for item in asked.opened],
    }


def clear_asked() -> None:
    """Take all changes back."""
    st.session_state.pop(ASKED_KEY, None)
    SELECTION.clear()


def toggle_closed(asked: Asked, school_id: str, *, combine: bool) -> Asked:
    """Return the changes with a school closed, or open again where it was; without ``combine`` nothing else stays."""
    if school_id in asked.closed:
        return replace(asked, closed=tuple(key for key in asked.closed if key != school_id)) if combine else Asked()
    if not combine:
        return Asked(closed=(school_id,))
    resized = tuple(item for item in asked.resized if item.school_id != school_id)
    return replace(asked, closed=(*asked.closed, school_id), resized=resized)


def close_exactly(asked: Asked, school_ids: tuple[str, ...]) -> Asked:
    """Return the changes with exactly these schools closed; what else is asked stays."""
    resized = tuple(item for item in asked.resized if item.school_id not in school_ids)
    return replace(asked, closed=school_ids, resized=resized)


def resize(asked: Asked, item: Resized, *, combine: bool) -> Asked:
    """Return the changes with a new size of a school; a size that changes nothing is left out."""
    others = tuple(other for other in asked.resized if other.school_id != item.school_id) if combine else ()
    kept = others if item.add_classes == 0 or (item.add_classes is None and item.places is None) else (*others, item)
    base = asked if combine else Asked()
    return replace(base, resized=kept, closed=tuple(key for key in base.closed if key != item.school_id))


def open_school(asked: Asked, item: Opened, *, combine: bool) -> Asked:
    """Return the changes with a new school; one of the same id is replaced."""
    others = tuple(other for other in asked.opened if other.school_id != item.school_id) if combine else ()
    return replace(asked if combine else Asked(), opened=(*others, item))


def drop_change(asked: Asked, kind: str, school_id: str) -> Asked:
    """Return the changes without one of them; ``kind`` is ``"close"``, ``"places"`` or ``"open"``."""
    if kind == "close":
        return replace(asked, closed=tuple(key for key in asked.closed if key != school_id))
    if kind == "places":
        return replace(asked, resized=tuple(item for item in asked.resized if item.school_id != school_id))
    return replace(asked, opened=tuple(item for item in asked.opened if item.school_id != school_id))


def drop_unknown(asked: Asked, study: StudyArea, school_ids: frozenset[str]) -> Asked:
    """Return only what this base knows: schools of the stage, units and sites that are there."""
    units, sites = set(study.units["unit_id"].astype(str)), set(study.sites["site_id"].astype(str))
    return Asked(
        closed=tuple(key for key in asked.closed if key in school_ids),
        resized=tuple(item for item in asked.resized if item.school_id in school_ids),
        opened=tuple(item for item in asked.opened if item.unit_id in units or item.site_id in sites),
    )


def build_actions(asked: Asked, stage: Stage) -> tuple[Action, ...]:
    """Return the changes as actions of a scenario, of this stage only: first what opens and grows, then what closes."""
    opened = [
        OpenSchool(
            school_id=item.school_id,
            name=item.name,
            stages=(StagePlaces(stage, item.places),),
            site_id=item.site_id,
            unit_id="" if item.site_id else item.unit_id,
        )
        for item in asked.opened
    ]
    resized = [
        ChangePlaces(school_id=item.school_id, stage=stage, add_classes=item.add_classes, capacity_places=item.places)
        for item in asked.resized
    ]
    closed = [CloseSchool(school_id=key, stages=(stage,)) for key in asked.closed]
    return (*opened, *resized, *closed)


def name_new_school(asked: Asked, taken: frozenset[str], *, combine: bool) -> str:
    """Return a free id for a new school; without ``combine`` the one that it replaces may have the same."""
    used = taken | ({item.school_id for item in asked.opened} if combine else set())
    return next(f"new_{number}" for number in range(1, 10_000) if f"new_{number}" not in used)


def read_tool() -> Tool:
    """Return what a click on the map does."""
    tool: Any = st.session_state.get(TOOL_KEY) or st.session_state.get(f"{TOOL_KEY}_kept")
    return cast(Tool, tool) if tool in TOOLS else "close"


def read_combine() -> bool:
    """Whether a further change is added to the others instead of replacing them."""
    return bool(st.session_state.get(COMBINE_KEY, st.session_state.get(f"{COMBINE_KEY}_kept", False)))

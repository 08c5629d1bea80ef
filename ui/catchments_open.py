"""The drawing that is open: its table from the cache, its state in the session, its file beside the cache.

The session holds plain data only. Every change goes through :func:`change_drawing`, which also writes the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from geodata.messages import Message, msg
from geodata.study import Mode, Stage, StudyArea, compute_digest
from planning.assignment_options import AssignmentOptions
from planning.conflicts import Conflict
from planning.drawing import DrawingTable, build_drawing_table, find_shared, read_drawn
from planning.drawing_numbers import DrawingNumbers, measure_drawing
from planning.rules import read_rulebook
from planning.scenario import Scenario
from reports.forecast_words import find_ground
from ui.catchments_keep import (
    TOKEN,
    Stamp,
    build_token,
    clear_old_drawings,
    compute_drawing_path,
    put_aside,
    read_kept_drawing,
    read_stamp,
    write_drawing,
)
from ui.catchments_state import (
    Drawing,
    DrawingError,
    Origin,
    fit_drawing,
    pack_drawing,
    restart_drawing,
    start_drawing,
    unpack_drawing,
)
from ui.state import keep_drawing_token, read_drawing_token, translator

DESK_KEY = "catchments_desk"
NOTICE_KEY = "catchments_notice"
TABLES_IN_MEMORY = 4

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Terms:
    """By what the drawing is measured: plain words, so that they can be part of a cache key."""

    stage: Stage
    mode: Mode
    rulebook: str
    travel_cap: str = "none"
    barriers: tuple[str, ...] = ()

    def build_scenario(self) -> Scenario:
        """Return the scenario of the table; a limit of travel that is only priced is no rule of it."""
        rules = AssignmentOptions(travel_cap="hard" if self.travel_cap == "hard" else "none", barriers=self.barriers)
        return Scenario("drawing", stages=(self.stage,), mode=self.mode, enrolment="zoning", assignment=rules)


@dataclass(frozen=True, eq=False)
class Sheet:
    """A study made ready for drawing: ``key`` names the table in caches."""

    study: StudyArea
    terms: Terms
    table: DrawingTable
    key: str

    @property
    def has_today(self) -> bool:
        """Whether zones of today are known."""
        return bool((self.table.current >= 0).any())


@dataclass(frozen=True, eq=False)
class View:
    """What is on the table in one run: the sheet, the drawing, its numbers, and those it is compared with."""

    sheet: Sheet
    drawing: Drawing
    numbers: DrawingNumbers
    today: DrawingNumbers | None
    start: DrawingNumbers

    @property
    def table(self) -> DrawingTable:
        """The table of the sheet."""
        return self.sheet.table

    @property
    def mark(self) -> str:
        """A name of the zones as they are drawn now, for caches."""
        return compute_digest(self.sheet.key, self.drawing.zone)


@st.cache_resource(max_entries=TABLES_IN_MEMORY, show_spinner=False)
def _build_table(key: str, terms: Terms, shared: tuple[str, ...], _study: StudyArea) -> DrawingTable | Conflict:
    rows = [
        (str(unit), terms.stage, school)
        for unit, zone in zip(_study.units["unit_id"], shared, strict=False)
        for school in zone.split(";")
    ]
    drawn = pd.DataFrame(rows, columns=["unit_id", "stage", "school_id"], dtype=str) if rows else None
    rules = read_rulebook(terms.rulebook)
    return build_drawing_table(_study, rules, terms.build_scenario(), terms.stage, drawn=drawn)


def open_sheet(study: StudyArea, terms: Terms, zone_ids: Sequence[str] = ()) -> Sheet | Conflict:
    """Return the table of a stage; ``zone_ids`` that several schools share are added to it where they are missing."""
    key = compute_digest("drawing-table", study.fingerprint, terms)
    table = _build_table(key, terms, (), study)
    if isinstance(table, Conflict):
        return table
    missing = tuple(sorted({name for name in zone_ids if ";" in name} - set(table.zone_ids)))
    if missing:
        key = compute_digest(key, missing)
        fuller = _build_table(key, terms, missing, study)
        table = table if isinstance(fuller, Conflict) else fuller
    return Sheet(study, terms, table, key)


@st.cache_resource(max_entries=64, show_spinner=False)
def _measure(key: str, mark: str, _table: DrawingTable, _zone: Ints, _locked: npt.NDArray[np.bool_]) -> DrawingNumbers:
    return measure_drawing(_table, _zone, _locked)


def measure_zones(sheet: Sheet, zone: Ints, locked: npt.NDArray[np.bool_] | None = None) -> DrawingNumbers:
    """Return the numbers of zones, from the cache where they were measured before."""
    free = np.zeros(len(zone), dtype=np.bool_) if locked is None else locked
    return _measure(sheet.key, compute_digest(zone, free), sheet.table, zone, free)


def build_view(sheet: Sheet, drawing: Drawing) -> View:
    """Return the drawing with its numbers."""
    today = measure_zones(sheet, sheet.table.current) if sheet.has_today else None
    numbers = measure_zones(sheet, drawing.zone, drawing.locked)
    return View(sheet, drawing, numbers, today, measure_zones(sheet, drawing.start))


def read_desk() -> dict[str, Any]:
    """Return what the session keeps of the open drawing; empty where there is none."""
    desk = st.session_state.get(DESK_KEY)
    return dict(desk) if isinstance(desk, dict) else {}


def read_drawing_names(study: StudyArea, stage: str) -> tuple[str, ...]:
    """Return the zones that the open drawing needs, so that its table can be built."""
    drawing = _load_open(study, stage)
    return () if drawing is None else drawing.zone_ids


def open_drawing(sheet: Sheet) -> Drawing:
    """Return the open drawing, else that of the visitor's file, else a new one from today's or the nearest zones."""
    study, stage = sheet.study, sheet.terms.stage
    table = sheet.table
    drawing = _load_open(study, stage)
    if drawing is not None:
        try:
            return fit_drawing(drawing, find_ground(study), stage, table.zone_ids, table.n_units)
        except DrawingError as error:
            _refuse(study, stage, error)
    origin: Origin = "current" if sheet.has_today else "nearest"
    drawing = start_drawing(find_ground(study), stage, table.zone_ids, find_start(sheet, origin), origin)
    _lay_out(drawing, None)
    return drawing


def find_start(sheet: Sheet, origin: Origin) -> Ints:
    """Return today's zones (units without one go to the nearest school), or the nearest schools."""
    table = sheet.table
    return np.where(table.current >= 0, table.current, table.nearest) if origin == "current" else table.nearest


def _load_open(study: StudyArea, stage: str) -> Drawing | None:
    """Return the drawing in the session, else the one in the visitor's file, else None."""
    desk = read_desk()
    if desk.get("place") == _name_place(find_ground(study), stage):
        return unpack_drawing(desk["content"])
    token = read_drawing_token()
    if not TOKEN.fullmatch(token):
        return None
    path = compute_drawing_path(find_ground(study), stage, token)
    try:
        drawing = read_kept_drawing(path)
        if drawing is not None:
            fit_drawing(drawing, find_ground(study), stage, drawing.zone_ids, len(study.units))
            _lay_out(drawing, read_stamp(path))
    except DrawingError as error:
        _refuse(study, stage, error)
        return None
    return drawing


def _refuse(study: StudyArea, stage: str, error: DrawingError) -> None:
    """Put a file that cannot be used aside, and say so."""
    token = read_drawing_token()
    st.session_state.pop(DESK_KEY, None)
    if TOKEN.fullmatch(token):
        put_aside(compute_drawing_path(find_ground(study), stage, token))
    tell(msg("The drawing kept under this address cannot be opened: {reason} A new one begins.", reason=error.problem))


def _name_place(fingerprint: str, stage: str) -> str:
    return f"{fingerprint}:{stage}"


def _lay_out(drawing: Drawing, stamp: Stamp | None) -> None:
    st.session_state[DESK_KEY] = _describe_desk(drawing, stamp)


def _describe_desk(drawing: Drawing, stamp: Stamp | None) -> dict[str, Any]:
    return {
        "place": _name_place(drawing.fingerprint, drawing.stage),
        "content": pack_drawing(drawing),
        "stamp": None if stamp is None else list(stamp),
    }


def tell(message: Message | None) -> None:
    """Show a remark until the next change of the drawing; None takes it away."""
    st.session_state[NOTICE_KEY] = "" if message is None else translator().say(message)


def read_notice() -> str:
    """Return the remark to be shown, or ``""``."""
    return str(st.session_state.get(NOTICE_KEY) or "")


def change_drawing(change: Callable[[Drawing], Drawing]) -> None:
    """Change the open drawing, keep it in the session and in its file; nothing where none is open."""
    desk = read_desk()
    if desk:
        before = unpack_drawing(desk["content"])
        drawing = change(before)
        if drawing is not before:
            put_drawing(drawing)


def put_drawing(drawing: Drawing) -> Drawing:
    """Keep a drawing in the session and in its file. Was the file written by another window, a new one begins.

    Streamlit can end a run wherever it is asked for something. So everything is asked for first; then file and session
    are written with nothing in between, and always agree.
    """
    tell(None)
    token = read_drawing_token()
    if not TOKEN.fullmatch(token):
        token = _begin_token()
    if not isinstance(st.session_state.get(DESK_KEY), dict):
        st.session_state[DESK_KEY] = {}
    desk = st.session_state[DESK_KEY]
    path = compute_drawing_path(drawing.fingerprint, drawing.stage, token)
    found = read_stamp(path)
    if found is not None and list(found) != desk.get("stamp"):
        tell(msg("This drawing was changed in another window. What you draw here goes on as a drawing of its own."))
        path = compute_drawing_path(drawing.fingerprint, drawing.stage, _begin_token())
    written = write_drawing(path, drawing)
    desk.update(_describe_desk(drawing, written))
    if written is None:
        tell(msg("The drawing cannot be saved on this machine: it is lost when this page is closed."))
    return drawing


def _begin_token() -> str:
    clear_old_drawings()
    token = build_token()
    keep_drawing_token(token)
    return token


def begin_anew(sheet: Sheet, rows: pd.DataFrame | None, origin: Origin) -> Sheet:
    """Begin the open drawing again, as a step that can be undone; ``rows``: unit_id, stage, school_id, or None.

    Returns the sheet, which may have more shared zones than before.
    """
    if rows is not None:
        table = sheet.table
        shared = find_shared(table.facts, [rows])
        names = [";".join(sorted(id for own in group for id in table.zone_schools[own])) for group in shared]
        found = open_sheet(sheet.study, sheet.terms, [*table.zone_ids, *names])
        sheet = sheet if isinstance(found, Conflict) else found
    table = sheet.table
    zone = find_start(sheet, origin) if rows is None else read_drawn(table, rows)

    def restart(drawing: Drawing) -> Drawing:
        fitted = fit_drawing(drawing, find_ground(sheet.study), table.stage, table.zone_ids, table.n_units)
        return restart_drawing(fitted, zone, origin)

    change_drawing(restart)
    return sheet

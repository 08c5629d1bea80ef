"""A drawing of zones: which unit goes to which zone, what is locked, and every step back and forward.

A drawing is a value: every change returns a new one, with the difference kept so that it can be undone and redone.
Written as a plain dictionary of words and numbers (arrays packed), it goes into the session and into a file. Nothing
of Streamlit is imported here.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from geodata.errors import LayoutError
from geodata.messages import Message, msg

NO_ZONE = -1
FORMAT = "buju-drawing"
FORMAT_VERSION = 1
LEAST_STEPS, MOST_STEPS = 200, 2000
"""Steps that are kept in any case, and at most."""
MOST_STEP_BYTES = 8_000_000
"""Packed size of the steps; beyond it the oldest go, down to ``LEAST_STEPS``."""
MOST_UNITS = 2_000_000

StepKind = Literal["give", "lock", "unlock", "improve", "start"]
Origin = Literal["current", "nearest", "answer", "table"]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class DrawingError(LayoutError):
    """What was kept is no drawing of this county and stage; ``problem`` says why."""

    def __init__(self, problem: Message) -> None:
        self.problem = problem
        super().__init__(str(problem))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.problem,))


@dataclass(frozen=True)
class Step:
    """One change: positions of units with what they had before and after (zones, or 0 and 1 for locks), packed.

    ``note`` of an improvement: key of the answer. A new start keeps the ``start`` and ``origin`` that it put aside.
    """

    kind: StepKind
    units: str
    before: str
    after: str
    note: str = ""
    start: str = ""
    origin: str = ""


@dataclass(frozen=True, eq=False)
class Drawing:
    """Zones being drawn for one stage of one study.

    ``zone`` (units,): number of every unit's zone in ``zone_ids``, ``NO_ZONE`` for none; ``start`` the same as it was
    at the start, which came from ``origin``. ``locked`` (units,): stays where it is. ``steps`` can be undone, the last
    first; ``undone`` can be redone, the last first. ``revision`` rises with every change, undoing included. ``seq``:
    number of the last stroke of the map that was taken in.
    """

    fingerprint: str
    stage: str
    zone_ids: tuple[str, ...]
    zone: Ints
    locked: Bools
    start: Ints
    origin: Origin
    steps: tuple[Step, ...] = ()
    undone: tuple[Step, ...] = ()
    revision: int = 0
    seq: int = 0

    def __post_init__(self) -> None:
        for name in ("zone", "locked", "start"):
            array = getattr(self, name)
            if array.flags.writeable:
                array = array.copy()
                array.setflags(write=False)
                object.__setattr__(self, name, array)

    @property
    def touched(self) -> Ints:
        """Positions of the units that are not where they were at the start."""
        return np.flatnonzero(self.zone != self.start)


def start_drawing(fingerprint: str, stage: str, zone_ids: Sequence[str], zone: Ints, origin: Origin) -> Drawing:
    """Return a drawing that begins with the given zones."""
    zone = np.asarray(zone, dtype=np.int64)
    return Drawing(fingerprint, stage, tuple(zone_ids), zone, np.zeros(len(zone), dtype=np.bool_), zone, origin)


def give_units(drawing: Drawing, units: Ints, zone: int) -> Drawing:
    """Give units to a zone (``NO_ZONE``: to none); locked ones stay. Nothing changes, nothing is noted."""
    if not NO_ZONE <= zone < len(drawing.zone_ids):
        return drawing
    units = _find_known(drawing, units)
    units = units[~drawing.locked[units] & (drawing.zone[units] != zone)]
    return _take_step(drawing, "give", units, drawing.zone[units], np.full(len(units), zone))


def lock_units(drawing: Drawing, units: Ints, *, on: bool) -> Drawing:
    """Lock units where they are, or free them."""
    units = _find_known(drawing, units)
    units = units[drawing.locked[units] != on]
    value = np.full(len(units), int(on))
    return _take_step(drawing, "lock" if on else "unlock", units, 1 - value, value)


def take_zones(drawing: Drawing, zone: Ints, note: str) -> Drawing:
    """Take over zones that were found by a search, as one step."""
    units = np.flatnonzero(drawing.zone != zone)
    return _take_step(drawing, "improve", units, drawing.zone[units], zone[units], note=note)


def restart_drawing(drawing: Drawing, zone: Ints, origin: Origin) -> Drawing:
    """Begin anew with other zones, as a step that can be undone; locks are lifted by their own steps only."""
    units = np.flatnonzero(drawing.zone != zone)
    if not len(units) and not len(drawing.touched) and drawing.origin == origin:
        return drawing
    step = Step(
        "start",
        pack_numbers(units),
        pack_numbers(drawing.zone[units]),
        pack_numbers(zone[units]),
        start=pack_numbers(drawing.start),
        origin=drawing.origin,
    )
    moved = replace(drawing, zone=np.asarray(zone, dtype=np.int64), start=np.asarray(zone, dtype=np.int64))
    return _note_step(replace(moved, origin=origin), step)


def undo_step(drawing: Drawing) -> Drawing:
    """Take back the last step; a drawing without steps stays as it is."""
    if not drawing.steps:
        return drawing
    step = drawing.steps[-1]
    found, step = _change(drawing, step, step.before)
    return replace(found, steps=drawing.steps[:-1], undone=(*drawing.undone, step), revision=drawing.revision + 1)


def redo_step(drawing: Drawing) -> Drawing:
    """Do the last step again that was taken back."""
    if not drawing.undone:
        return drawing
    step = drawing.undone[-1]
    found, step = _change(drawing, step, step.after)
    return replace(found, steps=(*drawing.steps, step), undone=drawing.undone[:-1], revision=drawing.revision + 1)


def _change(drawing: Drawing, step: Step, packed: str) -> tuple[Drawing, Step]:
    """Put the values of a step; a new start changes places with the start that it holds."""
    found = _put(drawing, step, packed)
    if step.kind != "start":
        return found, step
    start = unpack_numbers(step.start, len(drawing.zone))
    aside = replace(step, start=pack_numbers(drawing.start), origin=drawing.origin)
    return replace(found, start=start, origin=cast(Origin, step.origin)), aside


def _find_known(drawing: Drawing, units: Ints) -> Ints:
    units = np.unique(np.asarray(units, dtype=np.int64))
    return units[(units >= 0) & (units < len(drawing.zone))]


def _take_step(
    drawing: Drawing, kind: StepKind, units: Ints, before: npt.ArrayLike, after: npt.ArrayLike, *, note: str = ""
) -> Drawing:
    if not len(units):
        return drawing
    step = Step(kind, pack_numbers(units), pack_numbers(before), pack_numbers(after), note=note)
    return _note_step(_put(drawing, step, step.after), step)


def _put(drawing: Drawing, step: Step, packed: str) -> Drawing:
    units = unpack_numbers(step.units, len(drawing.zone))
    values = unpack_numbers(packed, len(drawing.zone))
    if step.kind in ("lock", "unlock"):
        locked = drawing.locked.copy()
        locked[units] = values.astype(np.bool_)
        return replace(drawing, locked=locked)
    zone = drawing.zone.copy()
    zone[units] = values
    return replace(drawing, zone=zone)


def _note_step(drawing: Drawing, step: Step) -> Drawing:
    steps = [*drawing.steps, step][-MOST_STEPS:]
    size = sum(map(_measure_step, steps))
    first = 0
    while size > MOST_STEP_BYTES and len(steps) - first > LEAST_STEPS:
        size -= _measure_step(steps[first])
        first += 1
    return replace(drawing, steps=tuple(steps[first:]), undone=(), revision=drawing.revision + 1)


def _measure_step(step: Step) -> int:
    return len(step.units) + len(step.before) + len(step.after) + len(step.start)


def pack_numbers(values: npt.ArrayLike) -> str:
    """Return whole numbers as text: 32 bits each, compressed, in base 64."""
    return base64.b64encode(zlib.compress(np.asarray(values).astype("<i4").tobytes(), 1)).decode("ascii")


def unpack_numbers(text: object, most: int) -> Ints:
    """Return the numbers of a packed text, at most ``most`` of them.

    Raises
    ------
    DrawingError
        It is no such text, or holds more.
    """
    try:
        opened = zlib.decompressobj()
        content = opened.decompress(base64.b64decode(str(text), validate=True), 4 * most + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise DrawingError(msg("The drawing is damaged.")) from error
    if len(content) % 4 or len(content) > 4 * most:
        raise DrawingError(msg("The drawing is damaged."))
    return np.frombuffer(content, dtype="<i4").astype(np.int64)


def pack_drawing(drawing: Drawing) -> dict[str, Any]:
    """Return a drawing as plain data, ready for the session and for JSON."""
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "study": drawing.fingerprint,
        "stage": drawing.stage,
        "zone_ids": list(drawing.zone_ids),
        "units": len(drawing.zone),
        "zone": pack_numbers(drawing.zone),
        "locked": pack_numbers(np.flatnonzero(drawing.locked)),
        "start": pack_numbers(drawing.start),
        "origin": drawing.origin,
        "steps": [_pack_step(step) for step in drawing.steps],
        "undone": [_pack_step(step) for step in drawing.undone],
        "revision": drawing.revision,
        "seq": drawing.seq,
    }


def _pack_step(step: Step) -> list[str]:
    return [step.kind, step.units, step.before, step.after, step.note, step.start, step.origin]


def unpack_drawing(content: object) -> Drawing:
    """Return the drawing that :func:`pack_drawing` made, without looking into its steps (see :func:`check_drawing`).

    Raises
    ------
    DrawingError
        This is no drawing, or a damaged one.
    """
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise DrawingError(msg("The file is no drawing of zones."))
    if content.get("version") != FORMAT_VERSION:
        raise DrawingError(msg("The drawing was kept by another version of the program."))
    try:
        units, names = int(content["units"]), [str(name) for name in content["zone_ids"]]
        if not 0 <= units <= MOST_UNITS or content["origin"] not in get_args(Origin):
            raise DrawingError(msg("The drawing is damaged."))
        locked = np.zeros(units, dtype=np.bool_)
        locked[_unpack_within(content["locked"], units, 0, units)] = True
        return Drawing(
            fingerprint=str(content["study"]),
            stage=str(content["stage"]),
            zone_ids=tuple(names),
            zone=_unpack_all(content["zone"], units, len(names)),
            locked=locked,
            start=_unpack_all(content["start"], units, len(names)),
            origin=content["origin"],
            steps=tuple(_unpack_step(item) for item in content["steps"]),
            undone=tuple(_unpack_step(item) for item in content["undone"]),
            revision=int(content["revision"]),
            seq=int(content["seq"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DrawingError(msg("The drawing is damaged.")) from error


def _unpack_step(item: Sequence[str]) -> Step:
    kind, units, before, after, note, start, origin = item
    if kind not in get_args(StepKind):
        raise DrawingError(msg("The drawing is damaged."))
    return Step(kind, units, before, after, note, start, origin)  # type: ignore[arg-type]


def _unpack_within(text: object, most: int, lowest: int, below: int) -> Ints:
    numbers = unpack_numbers(text, most)
    if len(numbers) and (numbers.min() < lowest or numbers.max() >= below):
        raise DrawingError(msg("The drawing is damaged."))
    return numbers


def _unpack_all(text: object, units: int, zones: int) -> Ints:
    numbers = _unpack_within(text, units, NO_ZONE, zones)
    if len(numbers) != units:
        raise DrawingError(msg("The drawing is damaged."))
    return numbers


def check_drawing(drawing: Drawing) -> None:
    """Look into every step, so that none can fail when it is undone.

    Raises
    ------
    DrawingError
        A step is damaged.
    """
    units, zones = len(drawing.zone), len(drawing.zone_ids)
    for step in (*drawing.steps, *drawing.undone):
        lowest, below = (0, 2) if step.kind in ("lock", "unlock") else (NO_ZONE, zones)
        sizes = {
            len(_unpack_within(step.units, units, 0, units)),
            *(len(_unpack_within(text, units, lowest, below)) for text in (step.before, step.after)),
        }
        if len(sizes) != 1 or (step.kind == "start" and step.origin not in get_args(Origin)):
            raise DrawingError(msg("The drawing is damaged."))
        if step.kind == "start":
            _unpack_all(step.start, units, zones)


def fit_drawing(drawing: Drawing, fingerprint: str, stage: str, zone_ids: Sequence[str], units: int) -> Drawing:
    """Return a kept drawing, its steps included, for the zones as they are numbered now; lost zones become none.

    Raises
    ------
    DrawingError
        It belongs to another county or stage.
    """
    if (drawing.fingerprint, drawing.stage, len(drawing.zone)) != (fingerprint, stage, units):
        raise DrawingError(msg("The drawing belongs to another county, to another stage, or to older data."))
    if drawing.zone_ids == tuple(zone_ids):
        return drawing
    where = {name: number for number, name in enumerate(zone_ids)}
    now = np.array([*(where.get(name, NO_ZONE) for name in drawing.zone_ids), NO_ZONE], dtype=np.int64)

    def fit(text: str) -> str:
        return pack_numbers(now[unpack_numbers(text, units)]) if text else ""

    def fit_step(step: Step) -> Step:
        if step.kind in ("lock", "unlock"):
            return step
        return replace(step, before=fit(step.before), after=fit(step.after), start=fit(step.start))

    return replace(
        drawing,
        zone_ids=tuple(zone_ids),
        zone=now[drawing.zone],
        start=now[drawing.start],
        steps=tuple(map(fit_step, drawing.steps)),
        undone=tuple(map(fit_step, drawing.undone)),
    )

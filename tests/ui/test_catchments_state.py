"""The drawing as a value and as a file: every step back and forward, locks, damaged and foreign files. No browser."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ui import catchments_keep as keep
from ui.catchments_state import (
    LEAST_STEPS,
    MOST_STEPS,
    NO_ZONE,
    Drawing,
    DrawingError,
    check_drawing,
    fit_drawing,
    give_units,
    lock_units,
    pack_drawing,
    pack_numbers,
    redo_step,
    restart_drawing,
    start_drawing,
    take_zones,
    undo_step,
    unpack_drawing,
    unpack_numbers,
)

ZONES = ("a", "b", "a;b")
UNITS = 12


def _begin(zone: list[int] | None = None) -> Drawing:
    return start_drawing("county", "primary", ZONES, np.array(zone or [0] * 6 + [1] * 6), "current")


def _facts(drawing: Drawing) -> tuple[Any, ...]:
    return (
        drawing.zone.tolist(),
        drawing.locked.tolist(),
        drawing.start.tolist(),
        drawing.origin,
        drawing.steps,
        drawing.undone,
    )


def test_a_locked_unit_is_not_given_away_and_an_empty_stroke_is_no_step() -> None:
    drawing = lock_units(_begin(), np.array([1, 2]), on=True)
    drawing = give_units(drawing, np.array([0, 1, 2, 3]), 1)
    assert drawing.zone.tolist()[:4] == [1, 0, 0, 1]
    assert [step.kind for step in drawing.steps] == ["lock", "give"]
    assert give_units(drawing, np.array([1, 2]), 1) is drawing
    assert lock_units(drawing, np.array([1]), on=True) is drawing
    assert drawing.touched.tolist() == [0, 3]


def test_strokes_outside_the_county_or_to_no_known_zone_change_nothing() -> None:
    drawing = _begin()
    assert give_units(drawing, np.array([-1, 99]), 1) is drawing
    assert give_units(drawing, np.array([0]), 3) is drawing
    assert give_units(drawing, np.array([0]), -2) is drawing
    assert give_units(drawing, np.array([0]), NO_ZONE).zone[0] == NO_ZONE


def test_the_arrays_of_a_drawing_cannot_be_written() -> None:
    drawing = give_units(_begin(), np.array([0]), 1)
    with pytest.raises(ValueError, match="read-only"):
        drawing.zone[0] = 2


def test_a_new_start_can_be_undone_and_redone() -> None:
    drawing = give_units(_begin(), np.array([0]), 1)
    anew = restart_drawing(drawing, np.ones(UNITS, dtype=np.int64), "nearest")
    assert anew.origin == "nearest"
    assert not len(anew.touched)
    back = undo_step(anew)
    assert (back.origin, back.touched.tolist()) == ("current", [0])
    again = redo_step(back)
    assert _facts(replace(again, undone=())) == _facts(replace(anew, undone=()))


def test_a_new_step_ends_the_way_forward() -> None:
    drawing = undo_step(give_units(_begin(), np.array([0]), 1))
    assert len(drawing.undone) == 1
    assert not give_units(drawing, np.array([3]), 1).undone


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("give"), st.lists(st.integers(-2, UNITS + 1), max_size=6), st.integers(-2, 3)),
        st.tuples(st.just("lock"), st.lists(st.integers(0, UNITS - 1), max_size=6), st.booleans()),
        st.tuples(st.just("take"), st.lists(st.integers(-1, 2), min_size=UNITS, max_size=UNITS), st.just(0)),
        st.tuples(st.just("start"), st.lists(st.integers(-1, 2), min_size=UNITS, max_size=UNITS), st.just(0)),
    ),
    max_size=12,
)


def _move(drawing: Drawing, move: tuple[str, list[int], Any]) -> Drawing:
    kind, numbers, value = move
    units = np.array(numbers, dtype=np.int64)
    if kind == "give":
        return give_units(drawing, units, value)
    if kind == "lock":
        return lock_units(drawing, units, on=value)
    return take_zones(drawing, units, "key") if kind == "take" else restart_drawing(drawing, units, "nearest")


@settings(deadline=None)
@given(MOVES)
def test_undoing_all_gives_the_start_and_redoing_all_gives_the_end(moves: list[tuple[str, list[int], Any]]) -> None:
    first = drawing = _begin()
    for move in moves:
        before = drawing
        drawing = _move(drawing, move)
        assert drawing.revision == before.revision + (drawing is not before)
        held = before.locked & (move[0] == "give")
        assert (drawing.zone[held] == before.zone[held]).all()
    end = drawing
    while drawing.steps:
        drawing = undo_step(drawing)
    assert (drawing.zone.tolist(), drawing.locked.tolist()) == (first.zone.tolist(), first.locked.tolist())
    assert (drawing.start.tolist(), drawing.origin) == (first.start.tolist(), first.origin)
    while drawing.undone:
        drawing = redo_step(drawing)
    assert _facts(drawing) == _facts(end)
    kept = unpack_drawing(json.loads(json.dumps(pack_drawing(end))))
    check_drawing(kept)
    assert _facts(kept) == _facts(end)


def test_the_history_is_long_and_bounded() -> None:
    drawing = _begin()
    for number in range(MOST_STEPS + 50):
        drawing = give_units(drawing, np.array([0]), (number + 1) % 2)
    assert len(drawing.steps) == MOST_STEPS
    # Large steps: only so many as fit, but never fewer than promised.
    noise = np.random.default_rng(0)
    many = start_drawing("county", "primary", ZONES, np.zeros(30_000, dtype=np.int64), "nearest")
    for _ in range(LEAST_STEPS + 30):
        many = take_zones(many, noise.integers(0, 3, 30_000), "")
    assert len(many.steps) == LEAST_STEPS


def test_zones_that_are_numbered_anew_keep_their_units_and_their_steps() -> None:
    drawing = give_units(_begin(), np.array([0]), 2)
    fitted = fit_drawing(drawing, "county", "primary", ("b", "a;b", "c"), UNITS)
    assert fitted.zone.tolist() == [1, *([NO_ZONE] * 5), *([0] * 6)]
    back = undo_step(fit_drawing(drawing, "county", "primary", ("x", "a;b", "a", "b"), UNITS))
    assert back.zone.tolist() == [2] * 6 + [3] * 6
    for fingerprint, stage, units in (
        ("other", "primary", UNITS),
        ("county", "junior", UNITS),
        ("county", "primary", 3),
    ):
        with pytest.raises(DrawingError, match="another county"):
            fit_drawing(drawing, fingerprint, stage, ZONES, units)


def test_packed_numbers_are_bounded() -> None:
    assert unpack_numbers(pack_numbers([3, -1, 7]), 3).tolist() == [3, -1, 7]
    bomb = pack_numbers(np.zeros(1_000_000, dtype=np.int64))
    assert len(bomb) < 30_000
    for text in (bomb, "%%%", "AAAA", 17, None):
        with pytest.raises(DrawingError, match="damaged"):
            unpack_numbers(text, 10)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BUJU_CACHE", str(tmp_path))
    return tmp_path


def test_a_file_gives_the_drawing_back_and_leaves_nothing_else(folder: Path) -> None:
    path = keep.compute_drawing_path("county", "primary", keep.build_token())
    assert keep.read_kept_drawing(path) is None
    drawing = give_units(_begin(), np.array([0]), 2)
    stamp = keep.write_drawing(path, drawing)
    assert stamp == keep.read_stamp(path)
    found = keep.read_kept_drawing(path)
    assert found is not None
    assert _facts(found) == _facts(drawing)
    assert [item.name for item in path.parent.iterdir()] == [path.name]
    assert keep.compute_drawing_path("county", "junior", path.stem[-16:]) != path


def test_a_place_that_cannot_be_written_is_told(folder: Path) -> None:
    (folder / keep.FOLDER).write_text("a file where the folder should be", encoding="utf-8")
    assert keep.write_drawing(keep.compute_drawing_path("c", "primary", "0" * 16), _begin()) is None


@pytest.mark.parametrize("token", ["", "../../etc/passwd", "0" * 15, "0" * 17, "G" * 16, "0" * 16 + "\n"])
def test_an_address_that_is_no_token_opens_no_file(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        keep.compute_drawing_path("county", "primary", token)


def _spoil(change: dict[str, Any]) -> bytes:
    return json.dumps({**pack_drawing(give_units(_begin(), np.array([0]), 1)), **change}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b"[" * 100_000,
        b'{"format": "other"}',
        _spoil({"version": 99}),
        _spoil({"units": 10**12}),
        _spoil({"units": "many"}),
        _spoil({"zone": pack_numbers([3] * UNITS)}),
        _spoil({"zone": pack_numbers([0] * (UNITS - 1))}),
        _spoil({"locked": pack_numbers([UNITS])}),
        _spoil({"origin": "nowhere"}),
        _spoil({"steps": [["give", pack_numbers([0]), pack_numbers([0]), pack_numbers([7]), "", "", ""]]}),
        _spoil({"steps": [["give", pack_numbers([0, 1]), pack_numbers([0]), pack_numbers([1]), "", "", ""]]}),
        _spoil({"steps": [["explode", "", "", "", "", "", ""]]}),
        _spoil({"steps": [["give"]]}),
        _spoil({"steps": 5}),
    ],
)
def test_a_damaged_file_is_told_and_put_aside(folder: Path, content: bytes) -> None:
    path = keep.compute_drawing_path("county", "primary", "0" * 16)
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DrawingError):
        keep.read_kept_drawing(path)
    keep.put_aside(path)
    assert keep.read_kept_drawing(path) is None
    assert [item.read_bytes() for item in path.parent.iterdir()] == [content]

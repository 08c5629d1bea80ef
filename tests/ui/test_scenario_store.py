"""The app's door to the store: names of parents, flattened files, steps added, and outcomes beside the page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import ui.scenario_store as door
from geodata.errors import DataError, LayoutError
from planning.actions import CloseSchool
from planning.run import Outcome
from planning.scenario import Scenario
from planning.scenario_file import parse_scenario, render_scenario
from store import Store, StoreConflict, open_store
from ui.scenario_shelf import OutcomeShelf

A, B = CloseSchool(school_id="A"), CloseSchool(school_id="B")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    monkeypatch.setattr(door, "open_app_store", lambda: store)
    yield store
    store.close()


def test_a_child_is_read_with_the_steps_of_its_parent_also_after_the_parent_was_renamed(kept: Store) -> None:
    parent = door.create_stored("demo", Scenario(name="First", actions=(A,)), "Li")
    child = door.create_stored("demo", Scenario(name="Second", actions=(B,)), "Li", parent=parent)
    assert door.read_stored(child).all_actions == (A, B)
    kept.rename_scenario(parent.scenario_id, "Other name", "Wang", parent.version)
    assert door.read_stored(child).all_actions == (A, B)
    assert [item.name for item in door.list_ancestors(child.parent_id)] == ["Other name"]


def test_a_flattened_scenario_needs_no_parent_and_asks_the_same(kept: Store) -> None:
    parent = door.create_stored("demo", Scenario(name="First", actions=(A,)), "Li")
    child = door.create_stored("demo", Scenario(name="Second", actions=(B,)), "Li", parent=parent)
    flat = door.flatten_scenario(door.read_stored(child))
    again = parse_scenario(render_scenario(flat))
    assert again.all_actions == (A, B)
    assert again.parent is None


def test_a_taken_name_gets_a_number_and_steps_are_added_at_the_end(kept: Store) -> None:
    first = door.create_stored("demo", Scenario(name="Same", actions=(A,)), "Li")
    second = door.create_stored("demo", Scenario(name="Same"), "Li")
    assert second.name != first.name
    longer = door.append_actions(first, (B,), "Wang", note="one more")
    assert door.read_stored(longer).actions == (A, B)
    assert (longer.who, longer.note, longer.version) == ("Wang", "one more", 2)
    with pytest.raises(StoreConflict):
        door.append_actions(first, (B,), "Li")  # read before the other one saved


def test_the_list_begins_with_the_last_changed_and_leaves_the_deleted_out(kept: Store) -> None:
    first = door.create_stored("demo", Scenario(name="First"), "Li")
    second = door.create_stored("demo", Scenario(name="Second"), "Li")
    door.append_actions(first, (A,), "Li")
    assert [item.name for item in door.list_stored("demo")] == ["First", "Second"]
    kept.delete_scenario(second.scenario_id, "Li")
    assert [item.name for item in door.list_stored("demo")] == ["First"]
    assert [item.name for item in door.list_stored("demo", deleted=True)] == ["Second"]
    assert door.list_stored("elsewhere") == []


def test_a_text_that_cannot_be_read_is_told(kept: Store) -> None:
    broken = kept.create_scenario("demo", "Broken", 'name = "Broken"\nstagse = ["primary"]\n', "Li")
    with pytest.raises(DataError):
        door.read_stored(broken)


def test_the_shelf_works_beside_the_caller_and_drops_what_only_waits() -> None:
    shelf, gate, done = OutcomeShelf(2), threading.Event(), threading.Event()
    made: list[str] = []

    def compute(name: str) -> Outcome:
        gate.wait(10)
        made.append(name)
        if name == "last":
            done.set()
        return name  # type: ignore[return-value]

    for name in ("first", "second", "last"):
        shelf.start(name, lambda name=name: compute(name))  # type: ignore[misc]
    assert shelf.find("first") is None
    gate.set()
    assert done.wait(10)
    for _attempt in range(200):
        if shelf.find("last") is not None:
            break
        threading.Event().wait(0.02)
    assert shelf.find("last") is not None
    assert "second" not in made  # it had not begun when a newer question came


def test_the_shelf_keeps_the_newest_and_tells_failures() -> None:
    shelf = OutcomeShelf(2)
    for name in ("a", "b", "c"):
        shelf.put(name, name)  # type: ignore[arg-type]
    assert [shelf.find(name) is not None for name in ("a", "b", "c")] == [False, True, True]

    def fail() -> Outcome:
        raise LayoutError("no way")

    shelf.start("bad", fail)
    for _attempt in range(200):
        if shelf.find_failure("bad") is not None:
            break
        threading.Event().wait(0.02)
    assert str(shelf.find_failure("bad")) == "no way"

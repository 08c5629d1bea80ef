"""Whatever is done in whatever order: the store agrees with a plain list in memory, and keeps its own laws."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from sqlalchemy import text

from store import StoreConflict, StoredScenario, StoreError, open_store
from store.checks import compare_key, number_name

NAMES = st.sampled_from(["A", "a", "B", "方案", "A (2)", "C"])
TEXTS = st.sampled_from(["", "x = 1", "x = 2"])


class StoreMachine(RuleBasedStateMachine):
    """A store of one county, beside what it should hold: by id the present state and the states before."""

    ids = Bundle("ids")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(f"sqlite:///{Path(self.folder.name) / 'x.sqlite'}")
        self.now: dict[str, StoredScenario] = {}
        self.history: dict[str, list[tuple[str, str, str | None]]] = {}
        self.changes = 0

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    def taken(self) -> set[str]:
        return {compare_key(item.name) for item in self.now.values() if not item.deleted}

    def note(self, stored: StoredScenario) -> None:
        before = self.now.get(stored.scenario_id)
        if before == stored:
            return
        self.changes += 1
        self.now[stored.scenario_id] = stored
        if before is None or stored.version != before.version:
            self.history.setdefault(stored.scenario_id, []).append((stored.name, stored.text, stored.parent_id))

    def fits(self, scenario_id: str | None, parent_id: str | None) -> bool:
        """Whether the parents from ``parent_id`` up live and do not come back to the scenario."""
        while parent_id is not None:
            if parent_id == scenario_id or self.now[parent_id].deleted:
                return False
            parent_id = self.now[parent_id].parent_id
        return True

    @rule(target=ids, name=NAMES, body=TEXTS)
    def create(self, name: str, body: str) -> object:
        if compare_key(name) in self.taken():
            with pytest.raises(StoreError):
                self.store.create_scenario("county", name, body, "Li")
            return multiple()
        made = self.store.create_scenario("county", name, body, "Li")
        self.note(made)
        return made.scenario_id

    @rule(target=ids, parent=ids, name=NAMES)
    def build_on(self, parent: str, name: str) -> object:
        free = number_name(name, self.taken())
        if self.now[parent].deleted:
            with pytest.raises(StoreError):
                self.store.create_scenario("county", free, "", "Li", parent_id=parent)
            return multiple()
        made = self.store.create_scenario("county", free, "", "Li", parent_id=parent)
        self.note(made)
        return made.scenario_id

    @rule(which=ids, body=TEXTS, name=st.none() | NAMES, late=st.booleans())
    def save(self, which: str, body: str, name: str | None, late: bool) -> None:
        before = self.now[which]
        version = before.version - late
        others = self.taken() - ({compare_key(before.name)} if not before.deleted else set())
        if late or before.deleted:
            with pytest.raises(StoreConflict):
                self.store.save_scenario(which, body, "Li", version, name=name)
        elif name is not None and compare_key(name) in others:
            with pytest.raises(StoreError):
                self.store.save_scenario(which, body, "Li", version, name=name)
        else:
            self.note(self.store.save_scenario(which, body, "Li", version, name=name))

    @rule(which=ids, parent=st.none() | ids)
    def tie(self, which: str, parent: str | None) -> None:
        before = self.now[which]
        if before.deleted or (parent != before.parent_id and not self.fits(which, parent)):
            with pytest.raises((StoreConflict, StoreError)):
                self.store.save_scenario(which, before.text, "Li", before.version, parent_id=parent)
        else:
            self.note(self.store.save_scenario(which, before.text, "Li", before.version, parent_id=parent))

    @rule(which=ids)
    def delete(self, which: str) -> None:
        children = [item for item in self.now.values() if item.parent_id == which and not item.deleted]
        if children and not self.now[which].deleted:
            with pytest.raises(StoreError):
                self.store.delete_scenario(which, "Wang")
        else:
            self.note(self.store.delete_scenario(which, "Wang"))

    @rule(which=ids)
    def undelete(self, which: str) -> None:
        before = self.now[which]
        if before.deleted and not self.fits(which, before.parent_id):
            with pytest.raises(StoreError):
                self.store.undelete_scenario(which, "Wang")
            return
        back = self.store.undelete_scenario(which, "Wang")
        assert back.name == (number_name(before.name, self.taken()) if before.deleted else before.name)
        self.note(back)

    @rule(which=ids, back=st.integers(0, 3))
    def restore(self, which: str, back: int) -> None:
        before, states = self.now[which], self.history[which]
        version = max(1, before.version - back)
        _, body, parent = states[version - 1]
        if before.deleted or (parent != before.parent_id and not self.fits(which, parent)):
            with pytest.raises((StoreConflict, StoreError)):
                self.store.restore_version(which, version, "Li", before.version)
            return
        restored = self.store.restore_version(which, version, "Li", before.version)
        assert (restored.text, restored.parent_id, restored.name) == (body, parent, before.name)
        self.note(restored)

    @rule(which=consumes(ids), name=NAMES)
    def copy(self, which: str, name: str) -> None:
        free = number_name(name, self.taken())
        if self.fits(None, self.now[which].parent_id):
            copy = self.store.copy_scenario(which, free, "Li")
            assert (copy.text, copy.parent_id) == (self.now[which].text, self.now[which].parent_id)
            self.note(copy)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "store"):
            return
        found = [*self.store.list_scenarios("county"), *self.store.list_scenarios("county", deleted=True)]
        assert {item.scenario_id: item for item in found} == self.now
        living = [compare_key(item.name) for item in found if not item.deleted]
        assert len(living) == len(set(living))
        for key, states in self.history.items():
            kept = [(item.name, item.text, item.parent_id) for item in reversed(self.store.list_versions(key))]
            assert kept == states
            assert self.now[key].version == len(states)
        with self.store._engine.connect() as connection:
            told = connection.execute(text("SELECT count(*) FROM audit WHERE scenario_id IS NOT NULL")).scalar()
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []
        assert told == self.changes


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=8, stateful_step_count=25, deadline=None, derandomize=True)

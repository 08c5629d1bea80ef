"""Scenarios: history, names, parents, deleting with undo, and two planners at once. On both databases."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store import Store, StoreConflict, StoreError, StoreMissingError, StoreNameError, open_store
from store.audit import tell_entry
from store.checks import TEXT_BYTES
from store.models import NAME_LENGTH, NOTE_LENGTH

ROOT = Path(__file__).resolve().parents[2]


def audit_of(store: Store, scenario_id: str) -> list[str]:
    return [entry.what for entry in reversed(store.list_audit(scenario_id=scenario_id))]


def test_a_scenario_is_stored_as_it_is(store: Store) -> None:
    text = 'name = "撤并"\n# a comment, ěščř, 😀\n\n[[action]]\nkind = "close_school"\r\n'
    made = store.create_scenario("demo", "  撤并方案 Plan A ", text, " Li ", note="first\nlines")
    assert made == store.find_scenario(made.scenario_id)
    assert (made.name, made.text, made.version, made.who, made.note) == (
        "撤并方案 Plan A",
        text,
        1,
        "Li",
        "first\nlines",
    )
    assert made.changed_at == datetime(2026, 9, 1, 12, 1, tzinfo=UTC)
    assert not made.deleted and made.parent_id is None
    assert store.list_scenarios("demo") == (made,)
    assert store.list_scenarios("other") == ()
    assert store.find_scenario("nothing") is None


@pytest.mark.parametrize("key", ["", "a\x00b", "\ud800", "x" * 5_000, "' OR 1=1 --", "../../etc"])
def test_what_stands_in_a_link_is_only_looked_up(store: Store, key: str) -> None:
    assert store.find_scenario(key) is None and store.find_study(key) is None and store.find_ruleset(key) is None
    assert store.list_scenarios(key) == store.list_versions(key) == store.list_runs(key) == ()
    assert store.list_audit(scenario_id=key) == store.list_audit(study_key=key) == ()
    for act in (
        lambda: store.save_scenario(key, "", "Li", 1),
        lambda: store.restore_version(key, 1, "Li", 1),
        lambda: store.delete_scenario(key, "Li"),
        lambda: store.save_run(key, 1, {}, {}, "", "Li"),
    ):
        with pytest.raises(StoreMissingError):
            act()


def test_every_version_is_kept(store: Store) -> None:
    made = store.create_scenario("demo", "A", "x = 1", "Li")
    second = store.save_scenario(made.scenario_id, "x = 2", "Wang", 1, note="why")
    third = store.rename_scenario(made.scenario_id, "B", "Li", 2)
    fourth = store.restore_version(made.scenario_id, 1, "Wang", 3)
    assert [item.version for item in (made, second, third, fourth)] == [1, 2, 3, 4]
    assert (fourth.name, fourth.text, fourth.who) == ("B", "x = 1", "Wang")
    kept = [(v.version, v.name, v.text, v.who, v.note) for v in store.list_versions(made.scenario_id)]
    assert kept == [
        (4, "B", "x = 1", "Wang", ""),
        (3, "B", "x = 2", "Li", ""),
        (2, "A", "x = 2", "Wang", "why"),
        (1, "A", "x = 1", "Li", ""),
    ]
    told = [str(tell_entry(entry)) for entry in store.list_audit(scenario_id=made.scenario_id)]
    assert told == [
        "restored version 1 of “B” as version 4",
        "renamed “A” to “B”",
        "saved “A” as version 2",
        "created the scenario “A”",
    ]
    with pytest.raises(StoreMissingError):
        store.restore_version(made.scenario_id, 9, "Li", 4)
    assert store.list_versions("nothing") == ()


def test_saving_the_same_writes_nothing(store: Store) -> None:
    made = store.create_scenario("demo", "A", "x = 1", "Li")
    assert store.save_scenario(made.scenario_id, "x = 1", "Wang", 1) == made
    assert len(store.list_versions(made.scenario_id)) == 1
    assert audit_of(store, made.scenario_id) == ["scenario_created"]
    # A note is a reason to write.
    assert store.save_scenario(made.scenario_id, "x = 1", "Wang", 1, note="seen by the mayor").version == 2


def test_who_comes_second_gets_a_conflict_and_loses_nothing(store: Store) -> None:
    made = store.create_scenario("demo", "A", "x = 1", "Li")
    theirs = store.save_scenario(made.scenario_id, "x = 2", "Wang", 1)
    with pytest.raises(StoreConflict) as caught:
        store.save_scenario(made.scenario_id, "x = 3", "Li", 1, note="mine")
    conflict = caught.value
    assert conflict.theirs == theirs
    assert (conflict.mine.text, conflict.mine.version, conflict.mine.who) == ("x = 3", 1, "Li")
    assert "Wang" in str(conflict) and "version 2" in str(conflict)
    assert store.find_scenario(made.scenario_id) == theirs
    assert len(store.list_versions(made.scenario_id)) == 2
    again = pickle.loads(pickle.dumps(conflict))
    assert (again.mine, again.theirs) == (conflict.mine, conflict.theirs)
    for act in (
        lambda: store.rename_scenario(made.scenario_id, "B", "Li", 1),
        lambda: store.restore_version(made.scenario_id, 1, "Li", 1),
        lambda: store.delete_scenario(made.scenario_id, "Li", 1),
    ):
        with pytest.raises(StoreConflict):
            act()
    # Both are kept: mine as a copy.
    name = store.suggest_name("demo", conflict.mine.name)
    assert store.create_scenario("demo", name, conflict.mine.text, "Li").name == "A (2)"


def test_saving_what_somebody_deleted_is_a_conflict(store: Store) -> None:
    made = store.create_scenario("demo", "A", "x = 1", "Li")
    store.delete_scenario(made.scenario_id, "Wang")
    with pytest.raises(StoreConflict) as caught:
        store.save_scenario(made.scenario_id, "x = 2", "Li", 1)
    assert caught.value.theirs.deleted and not caught.value.mine.deleted
    assert str(caught.value).startswith("Wang has deleted the scenario “A” meanwhile.")


def test_deleted_ones_can_be_brought_back(store: Store) -> None:
    made = store.create_scenario("demo", "A", "x = 1", "Li")
    assert store.delete_scenario(made.scenario_id, "Li").deleted
    assert store.delete_scenario(made.scenario_id, "Li").deleted  # twice is no harm, and no second entry
    assert store.list_scenarios("demo") == ()
    assert [item.scenario_id for item in store.list_scenarios("demo", deleted=True)] == [made.scenario_id]
    back = store.undelete_scenario(made.scenario_id, "Wang")
    assert (back.name, back.version, back.deleted) == ("A", 1, False)
    assert store.undelete_scenario(made.scenario_id, "Wang") == back == store.find_scenario(made.scenario_id)
    assert audit_of(store, made.scenario_id) == ["scenario_created", "scenario_deleted", "scenario_undeleted"]


def test_a_name_taken_meanwhile_gets_a_number(store: Store) -> None:
    first = store.create_scenario("demo", "Plan", "x = 1", "Li")
    store.delete_scenario(first.scenario_id, "Li")
    store.create_scenario("demo", "PLAN", "x = 2", "Wang")
    back = store.undelete_scenario(first.scenario_id, "Li")
    assert (back.name, back.version) == ("Plan (2)", 2)
    assert store.find_scenario(first.scenario_id) == back
    assert [item.name for item in store.list_versions(first.scenario_id)] == ["Plan (2)", "Plan"]
    assert store.suggest_name("demo", "plan (2)") == "plan (3)"
    assert store.suggest_name("demo", "free") == "free"
    assert store.suggest_name("other county", "Plan") == "Plan"
    longest = "x" * NAME_LENGTH
    store.create_scenario("demo", longest, "", "Li")
    assert store.suggest_name("demo", longest) == "x" * (NAME_LENGTH - 4) + " (2)"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "empty"),
        (" \t\n ", "empty"),
        ("a\x00b", "cannot be seen"),
        ("a\nb", "cannot be seen"),
        ("safe\u202egpj", "cannot be seen"),
        ("a\ud800", "cannot be seen"),
        ("x" * (NAME_LENGTH + 1), "121 signs, at most 120"),
    ],
)
def test_names_that_cannot_be(tmp_path: Path, name: str, problem: str) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'x'}")
    with pytest.raises(StoreNameError, match=problem):
        store.create_scenario("demo", name, "", "Li")
    assert store.list_audit() == ()


def test_names_are_unique_among_the_living_of_a_county(store: Store) -> None:
    made = store.create_scenario("demo", "Café", "", "Li")
    other = store.create_scenario("demo", "Other", "", "Li")
    store.create_scenario("other county", "Café", "", "Li")
    with pytest.raises(StoreNameError, match=r"such as “CAFÉ \(2\)”"):
        store.create_scenario("demo", "CAFE\u0301", "", "Li")  # composed and decomposed are one name
    for act in (
        lambda: store.rename_scenario(other.scenario_id, "café", "Li", 1),
        lambda: store.save_scenario(other.scenario_id, "x", "Li", 1, name="café"),
        lambda: store.copy_scenario(made.scenario_id, "café", "Li"),
    ):
        with pytest.raises(StoreNameError):
            act()
    # Its own name may change its capital letters.
    assert store.rename_scenario(made.scenario_id, "CAFÉ", "Li", 1).name == "CAFÉ"
    assert store.find_scenario(other.scenario_id) == other


def test_texts_and_notes_that_cannot_be(store: Store) -> None:
    made = store.create_scenario("demo", "A", "x" * TEXT_BYTES, "Li", note="n" * NOTE_LENGTH)
    for text in ("x" * (TEXT_BYTES + 1), "a\x00b", "\ud800"):
        with pytest.raises(StoreNameError):
            store.save_scenario(made.scenario_id, text, "Li", 1)
    with pytest.raises(StoreNameError, match="note is too long"):
        store.save_scenario(made.scenario_id, "y", "Li", 1, note="n" * (NOTE_LENGTH + 1))
    with pytest.raises(StoreNameError):
        store.save_scenario(made.scenario_id, "y", "L" * 81, 1)
    assert store.find_scenario(made.scenario_id) == made


def test_copies_stand_for_themselves(store: Store) -> None:
    parent = store.create_scenario("demo", "P", "p", "Li")
    made = store.create_scenario("demo", "A", "x = 1", "Li", parent_id=parent.scenario_id)
    copy = store.copy_scenario(made.scenario_id, "B", "Wang")
    assert (copy.text, copy.version, copy.parent_id, copy.who) == ("x = 1", 1, parent.scenario_id, "Wang")
    store.save_scenario(copy.scenario_id, "x = 2", "Wang", 1)
    assert store.find_scenario(made.scenario_id) == made
    assert str(tell_entry(store.list_audit(scenario_id=copy.scenario_id)[-1])) == "copied “A” to “B”"


def test_parents_live_and_make_no_circle(store: Store) -> None:
    a = store.create_scenario("demo", "A", "a", "Li").scenario_id
    b = store.create_scenario("demo", "B", "b", "Li", parent_id=a).scenario_id
    c = store.create_scenario("demo", "C", "c", "Li", parent_id=b).scenario_id
    foreign = store.create_scenario("other county", "F", "f", "Li").scenario_id
    with pytest.raises(StoreError, match="“A” would build on itself"):
        store.save_scenario(a, "a", "Li", 1, parent_id=c)
    with pytest.raises(StoreError, match="“A” would build on itself"):
        store.save_scenario(a, "a", "Li", 1, parent_id=a)
    for stranger in (foreign, "nothing"):
        with pytest.raises(StoreMissingError):
            store.save_scenario(a, "a", "Li", 1, parent_id=stranger)
    with pytest.raises(StoreError, match="Other scenarios build on “A”: B"):
        store.delete_scenario(a, "Li")
    store.delete_scenario(c, "Li")
    store.delete_scenario(b, "Li")
    store.delete_scenario(a, "Li")
    with pytest.raises(StoreError, match="Bring back “A” first"):
        store.undelete_scenario(b, "Li")
    with pytest.raises(StoreError, match="builds on “A”, which is deleted"):
        store.create_scenario("demo", "D", "d", "Li", parent_id=a)
    for one in (a, b, c):
        store.undelete_scenario(one, "Li")
    free = store.save_scenario(b, "b", "Li", 1, parent_id=None)
    assert (free.version, free.parent_id) == (2, None)
    back = store.restore_version(b, 1, "Li", 2)
    assert back.parent_id == a
    assert [item.parent_id for item in store.list_versions(b)] == [a, None, a]


def test_a_failed_change_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit entry is the last thing written: when it fails, the version before it is gone too."""
    made = store.create_scenario("demo", "A", "x = 1", "Li")

    def fail(*_arguments: object, **_named: object) -> None:
        raise StoreError(made.who)  # type: ignore[arg-type]

    monkeypatch.setattr("store.scenarios.add_audit", fail)
    for act in (
        lambda: store.save_scenario(made.scenario_id, "x = 2", "Li", 1),
        lambda: store.delete_scenario(made.scenario_id, "Li"),
        lambda: store.create_scenario("demo", "B", "", "Li"),
    ):
        with pytest.raises(StoreError):
            act()
    assert store.list_scenarios("demo") == (made,)
    assert len(store.list_versions(made.scenario_id)) == 1
    assert store.save_run  # the store still answers


def run_together(*works: Callable[[], object]) -> list[object]:
    """Run each in a thread, all at once; return results or errors in order."""
    found: list[object] = [None] * len(works)
    gate = threading.Barrier(len(works))

    def run(number: int) -> None:
        gate.wait()
        try:
            found[number] = works[number]()
        except (StoreConflict, StoreError) as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_of_eight_threads_that_save_at_once_one_wins(store: Store) -> None:
    made = store.create_scenario("demo", "A", "x = 0", "Li")
    for version in range(1, 4):
        works = [
            lambda number=number, version=version: store.save_scenario(
                made.scenario_id, f"x = {version}.{number}", f"planner {number}", version
            )
            for number in range(8)
        ]
        found = run_together(*works)
        conflicts = [item for item in found if isinstance(item, StoreConflict)]
        won = [item for item in found if not isinstance(item, Exception)]
        assert (len(won), len(conflicts)) == (1, 7), found
        assert won[0] == store.find_scenario(made.scenario_id)
        assert {item.theirs for item in conflicts} == {won[0]}
    assert [item.version for item in store.list_versions(made.scenario_id)] == [4, 3, 2, 1]
    assert len(store.list_audit(scenario_id=made.scenario_id)) == 4


def test_threads_that_do_different_things_all_get_through(store: Store) -> None:
    made = [store.create_scenario("demo", f"S{number}", "0", "Li") for number in range(4)]
    creates = [lambda n=n: store.create_scenario("demo", f"new {n}", "", "Li") for n in range(4)]
    saves = [lambda item=item: store.save_scenario(item.scenario_id, "1", "Li", 1) for item in made]
    same = [lambda: store.create_scenario("demo", "same", "", "Li") for _ in range(4)]
    found = run_together(*creates, *saves, *same)
    assert not [item for item in found[:8] if isinstance(item, Exception)]
    assert sum(isinstance(item, StoreNameError) for item in found[8:]) == 3
    # Two that would build on each other at once: one of them is refused.
    a, b = (item.scenario_id for item in made[:2])
    circle = run_together(
        lambda: store.save_scenario(a, "a", "Li", 2, parent_id=b),
        lambda: store.save_scenario(b, "b", "Li", 2, parent_id=a),
    )
    assert sum(isinstance(item, StoreError) for item in circle) == 1


SAVER = """
import sys
from store import StoreConflict, open_store
url, scenario_id, who = sys.argv[1:]
store = open_store(url)
print("ready", flush=True)
sys.stdin.readline()
try:
    print("saved", store.save_scenario(scenario_id, who, who, 1).version)
except StoreConflict as conflict:
    print("conflict", conflict.theirs.who)
"""


def test_of_two_processes_that_save_at_once_one_wins(url: str, store: Store) -> None:
    made = store.create_scenario("demo", "A", "x", "Li")
    command = [sys.executable, "-c", SAVER, url, made.scenario_id]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    both = [subprocess.Popen([*command, who], **pipes) for who in ("first", "second")]  # type: ignore[call-overload]
    assert [one.stdout.readline() for one in both] == ["ready\n"] * 2
    for one in both:
        one.stdin.write("go\n")
        one.stdin.flush()
    told = [one.communicate(timeout=60)[0].split() for one in both]
    found = store.find_scenario(made.scenario_id)
    assert found is not None and found.version == 2
    assert sorted(told) == [["conflict", found.who], ["saved", "2"]]

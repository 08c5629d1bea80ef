"""A kill at any moment: what was acknowledged is there, nothing is there by half, and the store goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from store import Store, StoredScenario, StoreError, open_store
from tests.store.server import Server

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 20


def run_writer(path: Path, rounds: int, how: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.store.crash_writer", str(path), str(rounds), how]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def check_whole(store: Store) -> None:
    """Every scenario has all its versions, the last of which it is, and an audit entry for each."""
    alive, gone = store.list_scenarios("crash"), store.list_scenarios("crash", deleted=True)
    for item in (*alive, *gone):
        versions = store.list_versions(item.scenario_id)
        assert [version.version for version in reversed(versions)] == list(range(1, item.version + 1))
        assert (versions[0].text, versions[0].name) == (item.text, item.name)
        entries = list(store.list_audit(scenario_id=item.scenario_id))
        told = [entry.what for entry in reversed(entries) if entry.what != "run_saved"]
        wanted = ["scenario_created"] + ["scenario_saved"] * (item.version - 1) + ["scenario_deleted"] * item.deleted
        assert told == wanted
        runs = store.list_runs(item.scenario_id)
        assert len(runs) == sum(entry.what == "run_saved" for entry in entries)


def test_killed_while_writing(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    rounds = run_writer(path, ROUNDS, "again")
    assert all(found["sound"] == "ok" and found["strangers"] == 0 for found in rounds)
    told = [answer for found in rounds for answer in found["told"] if "id" in answer]
    assert len(told) > ROUNDS, "nothing was written: this proves nothing"
    store = open_store(f"sqlite:///{path}")
    check_whole(store)
    for answer in told:
        kept = {version.version: version.text for version in store.list_versions(answer["id"])}
        assert kept[answer["version"]] == answer["text"]
        if answer["deleted"]:
            found = store.find_scenario(answer["id"])
            assert found is not None and found.deleted
    assert store.create_scenario("crash", "after all", "", "Li").version == 1
    store.close()


def test_killed_while_the_database_is_made(tmp_path: Path) -> None:
    rounds = run_writer(tmp_path / "store.sqlite", 14, "fresh")
    assert {bool(found["told"]) for found in rounds} == {True, False}, "every kill came too early, or too late"
    for found in rounds:
        if found["file"]:
            assert found["sound"] == "ok"
            store = open_store(f"sqlite:///{found['file']}")
            check_whole(store)
            store.create_scenario("crash", "after all", "", "Li")
            store.close()


def test_the_server_goes_away_and_comes_back(server: Server) -> None:
    """A crash of PostgreSQL: ``StoreError`` while it is gone, then the same store works on, with all acknowledged."""
    store = open_store(server.make_database())
    made = store.create_scenario("demo", "A", "0", "Li")
    saved: list[StoredScenario] = [made]
    refused: list[StoreError] = []

    def write() -> None:
        while not refused:
            try:
                saved.append(store.save_scenario(made.scenario_id, str(saved[-1].version), "Li", saved[-1].version))
            except StoreError as error:
                refused.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    while len(saved) < 20:
        assert writer.is_alive()
    server.stop(signal.SIGQUIT)
    try:
        writer.join(60)
        assert "cannot be reached" in str(refused[0])
        with pytest.raises(StoreError, match="cannot be reached"):
            store.list_scenarios("demo")
    finally:
        server.start()
    found = store.find_scenario(made.scenario_id)
    assert found is not None
    # The one under way when the server went may have been written without an answer; none that was answered is lost.
    assert found.version - saved[-1].version in (0, 1)
    assert [item.version for item in store.list_versions(made.scenario_id)] == list(range(found.version, 0, -1))
    assert store.save_scenario(made.scenario_id, "after", "Li", found.version).version == found.version + 1
    store.close()

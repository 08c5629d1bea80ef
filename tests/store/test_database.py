"""Where the store is, who may read it, and what it says when it cannot work."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import store.database as database
from store import STORE_VARIABLE, URL_VARIABLE, StoreError, open_store
from store.database import read_url
from store.failures import describe_place
from tests.store.server import DATABASE, PASSWORD, Server


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_file_is_this_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "new" / "folder"))
    before = os.umask(0)
    try:
        opened = open_store()
        opened.create_scenario("demo", "A", "x", "Li")
    finally:
        os.umask(before)
    path = tmp_path / "new" / "folder" / "store.sqlite"
    assert mode_of(path.parent) == 0o700
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["store.sqlite", "store.sqlite-shm", "store.sqlite-wal"]
    assert [mode_of(file) for file in files] == [0o600] * 3
    assert opened.place == str(path)
    opened.close()
    assert [file.name for file in path.parent.iterdir()] == ["store.sqlite"]  # closed: all is in one file


def test_settings_of_sqlite(tmp_path: Path) -> None:
    engine = database.build_engine(read_url(f"sqlite:///{tmp_path / 'x'}"))
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 15_000}


def test_addresses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for kind in ("postgresql", "postgres", "postgresql+pg8000"):
        assert read_url(f"{kind}://li:secret@host/buju").drivername == "postgresql+pg8000"
    monkeypatch.setenv(URL_VARIABLE, "postgresql://li@host/buju")
    assert read_url().host == "host"
    assert read_url("sqlite:///x").database == "x"
    monkeypatch.delenv(URL_VARIABLE)
    monkeypatch.delenv(STORE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert read_url().database == str(tmp_path / "buju" / "store.sqlite")


@pytest.mark.parametrize(
    "address",
    [
        "mysql://li:secret@host/buju",
        "postgresql+psycopg://li:secret@host/buju",
        "sqlite://",
        "sqlite:///:memory:",
        "secret",
        "postgresql://li:secret@host:port/buju",
        "postgresql://li:secret@host/buju?what=secret",
        "postgresql://li:secret@host/buju?sslmode=maybe-secret",
        "postgresql://li:secret@127.0.0.1:1/buju",
    ],
)
def test_addresses_that_cannot_be_keep_the_password(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(address)
    error: BaseException | None = caught.value
    while error is not None:
        assert "secret" not in str(error) + repr(error)
        error = error.__cause__
    assert caught.value.cure is not None
    out = capfd.readouterr()
    assert "secret" not in out.out + out.err


def test_a_wrong_password_is_said_and_not_shown(server: Server) -> None:
    server.make_database()
    server.run(f"DROP ROLE IF EXISTS planner; CREATE ROLE planner LOGIN PASSWORD '{PASSWORD}'")
    name = DATABASE
    server.run("GRANT ALL ON SCHEMA public TO planner", database=name)
    right = f"postgresql://planner:{PASSWORD}@/{name}?host={server.folder}"
    opened = open_store(right)
    assert opened.create_scenario("demo", "A", "x", "Li").version == 1
    assert PASSWORD not in opened.place and "planner" not in opened.place
    opened.close()
    with pytest.raises(StoreError, match="does not let this user in") as caught:
        open_store(right.replace(PASSWORD, "wr0ng"))
    assert "wr0ng" not in f"{caught.value!r} {caught.value.__cause__!r}"
    with pytest.raises(StoreError, match="no such database"):
        open_store(server.address("nothing"))
    # What docs/store.md asks for is enough once the tables are there.
    server.run("REVOKE ALL ON SCHEMA public FROM planner", "GRANT USAGE ON SCHEMA public TO planner", database=name)
    server.run("REASSIGN OWNED BY planner TO postgres", database=name)
    server.run("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO planner", database=name)
    server.run("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO planner", database=name)
    writer = open_store(right)
    made = writer.create_scenario("demo", "B", "x", "Li")
    writer.save_scenario(made.scenario_id, "y", "Li", 1)
    writer.save_run(made.scenario_id, 2, {}, {}, "", "Li")
    writer.delete_scenario(made.scenario_id, "Li")
    writer.close()
    # Somebody who may only read.
    server.run("REVOKE INSERT, UPDATE ON ALL TABLES IN SCHEMA public FROM planner", database=name)
    reader = open_store(right)
    assert len(reader.list_scenarios("demo")) == 1
    with pytest.raises(StoreError, match="read but not written"):
        reader.create_scenario("demo", "B", "x", "Li")
    reader.close()


def test_a_place_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be written") as caught:
        open_store(f"sqlite:///{tmp_path / 'file' / 'store.sqlite'}")
    assert STORE_VARIABLE in str(caught.value.cure)
    with pytest.raises(StoreError, match="cannot be written"):
        open_store(f"sqlite:///{tmp_path}")


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere; the next test says the same to root")
def test_a_folder_that_may_only_be_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="cannot be written"):
            open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    finally:
        tmp_path.chmod(0o700)


def test_a_store_that_may_only_be_read(tmp_path: Path) -> None:
    opened = open_store(f"sqlite:///{tmp_path / 'x'}")
    made = opened.create_scenario("demo", "A", "x", "Li")
    with opened._engine.connect() as connection:  # the answer that SQLite gives for a file without leave to write
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="read but not written"):
        opened.save_scenario(made.scenario_id, "y", "Li", 1)
    assert opened.list_scenarios("demo") == (made,)
    opened.close()


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    opened = open_store(f"sqlite:///{tmp_path / 'x'}")
    made = opened.create_scenario("demo", "A", "x", "Li")
    with opened._engine.connect() as connection:  # as SQLite answers when the disk has no more room
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="disk of the store is full") as caught:
        opened.save_scenario(made.scenario_id, "y" * 100_000, "Li", 1)
    assert "nothing stored before is lost" in str(caught.value)
    assert opened.list_scenarios("demo") == (made,)
    with opened._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert opened.save_scenario(made.scenario_id, "y" * 100_000, "Li", 1).version == 2
    opened.close()


def test_files_that_are_no_store(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_text("name,pupils\n" * 1_000)
    with pytest.raises(StoreError, match="not a store"):
        open_store(f"sqlite:///{path}")
    assert path.read_text() == "name,pupils\n" * 1_000


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    opened = open_store(f"sqlite:///{path}")
    opened.create_scenario("demo", "A", "x" * 200_000, "Li")
    opened.close()
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 40] = b"\xff" * (4096 * 39)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        broken = open_store(f"sqlite:///{path}")
        broken.list_scenarios("demo")


def test_a_busy_store_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.1)
    path = tmp_path / "x.sqlite"
    opened = open_store(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="busy"):
        opened.create_scenario("demo", "A", "x", "Li")
    assert opened.list_scenarios("demo") == ()  # readers do not wait for the writer
    other.execute("ROLLBACK")
    other.close()
    assert opened.create_scenario("demo", "A", "x", "Li").version == 1
    opened.close()


def test_a_file_taken_away_or_replaced_is_noticed(tmp_path: Path) -> None:
    """A restored backup: work on the old file would be seen by nobody."""
    opened = open_store(f"sqlite:///{tmp_path / 'a' / 'x.sqlite'}")
    opened.create_scenario("demo", "old", "x", "Li")
    backup = open_store(f"sqlite:///{tmp_path / 'b' / 'x.sqlite'}")
    backup.create_scenario("demo", "restored", "x", "Li")
    backup.close()
    shutil.rmtree(tmp_path / "a")
    with pytest.raises(StoreError, match="folder of the store is gone"):
        opened.list_scenarios("demo")
    shutil.copytree(tmp_path / "b", tmp_path / "a")
    assert [item.name for item in opened.list_scenarios("demo")] == ["restored"]
    (tmp_path / "a" / "x.sqlite").unlink()
    (tmp_path / "a" / "x.sqlite").touch()
    with pytest.raises(StoreError, match="replaced by one without its tables"):
        opened.list_scenarios("demo")
    opened.close()


def test_the_backup_of_the_document_is_whole(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "store.md").read_text(encoding="utf-8")
    code = re.search(r'python -c "(.*)" store.sqlite copy.sqlite', page)
    assert code is not None
    opened = open_store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    made = opened.create_scenario("demo", "A", "x", "Li")  # still in the -wal file
    command = [sys.executable, "-c", code[1], "store.sqlite", "copy.sqlite"]
    subprocess.run(command, cwd=tmp_path, check=True)
    copy = open_store(f"sqlite:///{tmp_path / 'copy.sqlite'}")
    assert copy.list_scenarios("demo") == (made,)
    copy.close()
    opened.close()


def test_a_server_that_makes_one_wait_too_long(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 1.0)
    opened = open_store(server.make_database())
    engine = opened._engine
    engine.dispose()
    for _ in range(2):  # also after its first transaction was rolled back
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "1s"
    with engine.connect().execution_options(writes=True) as other, other.begin():
        with pytest.raises(StoreError, match="busy"):
            opened.create_scenario("demo", "A", "x", "Li")
        assert opened.list_scenarios("demo") == ()
    assert opened.create_scenario("demo", "A", "x", "Li").version == 1
    assert describe_place(engine).startswith(f"localhost:5432/{DATABASE}")
    opened.close()

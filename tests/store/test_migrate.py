"""The tables: what the migrations make is what the models say, however many programs open a new database at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from store import Store, StoreError, open_store
from store.database import build_engine, read_url
from store.migrate import MIGRATIONS_FOLDER, build_config, migrate, read_revision
from store.models import SCHEMA_REVISION, metadata
from tests.store.test_scenarios import run_together

ROOT = Path(__file__).resolve().parents[2]


def list_differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection), metadata)  # type: ignore[return-value]


def test_the_head_is_what_the_models_say() -> None:
    assert ScriptDirectory(str(MIGRATIONS_FOLDER)).get_heads() == [SCHEMA_REVISION]


def test_migrated_tables_are_those_of_the_models(url: str) -> None:
    engine = build_engine(read_url(url))
    migrate(engine)
    assert list_differences(engine) == []
    with engine.connect() as connection:
        found = inspect(connection)
        for table in metadata.tables.values():  # what compare_metadata passes over
            unique = {item["name"]: item["column_names"] for item in found.get_indexes(table.name) if item["unique"]}
            assert table.name != "scenarios" or unique["uq_scenarios_living_name"] == ["study_key", "name_key"]
            assert set(found.get_pk_constraint(table.name)["constrained_columns"]) == {
                column.name for column in table.primary_key
            }
            assert len(found.get_foreign_keys(table.name)) == len(table.foreign_key_constraints)
    engine.dispose()


def test_down_and_up_again(url: str) -> None:
    engine = build_engine(read_url(url))
    migrate(engine)
    with engine.connect() as opened:
        connection = opened.execution_options(writes=True)
        with connection.begin():
            command.downgrade(build_config(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
    migrate(engine)
    assert list_differences(engine) == []
    engine.dispose()


def test_opening_again_keeps_what_is_there(url: str) -> None:
    first = open_store(url)
    made = first.create_scenario("demo", "A", "x", "Li")
    first.close()
    second = open_store(url)
    assert second.list_scenarios("demo") == (made,)
    second.close()


def test_a_newer_database_is_refused(url: str) -> None:
    engine = build_engine(read_url(url))
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version of this program") as caught:
        open_store(url)
    assert "Bring this program up to date" in str(caught.value.cure)
    with engine.connect() as connection:
        assert read_revision(connection) == "9999"
    engine.dispose()


def test_eight_threads_open_a_new_database_at_once(url: str) -> None:
    found = run_together(*[lambda: open_store(url)] * 8)
    assert all(isinstance(item, Store) for item in found), found
    for number, item in enumerate(found):
        assert isinstance(item, Store)
        item.create_scenario("demo", f"S{number}", "", "Li")
    assert len(found[0].list_scenarios("demo")) == 8  # type: ignore[attr-defined]
    for item in found:
        item.close()  # type: ignore[attr-defined]


OPENER = """
import sys
import alembic.command, store
from store import open_store
print("ready", flush=True)
sys.stdin.readline()
made = open_store(sys.argv[1]).create_scenario("demo", sys.argv[2], "", "Li")
print(made.version)
"""


def test_four_processes_open_a_new_database_at_once(url: str) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    found = [
        subprocess.Popen([sys.executable, "-c", OPENER, url, f"S{number}"], **pipes)  # type: ignore[call-overload]
        for number in range(4)
    ]
    assert [one.stdout.readline() for one in found] == ["ready\n"] * 4
    for one in found:
        one.stdin.write("go\n")
        one.stdin.flush()
    assert [one.communicate(timeout=60) for one in found] == [("1\n", "")] * 4
    store = open_store(url)
    assert [item.name for item in store.list_scenarios("demo")] == ["S0", "S1", "S2", "S3"]
    store.close()

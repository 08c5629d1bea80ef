"""Mappings of columns and words: found again by headers in any order, replaced, forgotten; older tables stay."""

from __future__ import annotations

import pytest
from alembic import command

from store import Store, StoreError, open_store
from store.database import build_engine, read_url
from store.mappings import CONTENT_BYTES, compute_mapping_key
from store.migrate import build_config, migrate, read_revision
from store.models import SCHEMA_REVISION

HEADERS = ("学校代码", "办学类型", "位置")
CONTENT = {"columns": {"kind": "办学类型"}, "words": {"kind": {"村小": "primary"}}, "system": "GCJ-02"}


def test_the_same_headers_find_it_in_any_order(store: Store) -> None:
    saved = store.save_mapping("schools", HEADERS, CONTENT, "Li")
    assert store.find_mapping("schools", reversed(HEADERS)) == saved
    assert (saved.content, saved.who) == (CONTENT, "Li")
    assert store.find_mapping("sites", HEADERS) is None, "what the file is for matters"
    assert store.find_mapping("schools", HEADERS[:2]) is None


def test_the_last_one_counts_and_can_be_forgotten(store: Store) -> None:
    store.save_mapping("schools", HEADERS, CONTENT, "Li")
    later = store.save_mapping("schools", HEADERS, {"system": "BD-09"}, "")
    assert store.find_mapping("schools", HEADERS) == later
    assert store.forget_mapping("schools", HEADERS)
    assert not store.forget_mapping("schools", HEADERS)
    assert store.find_mapping("schools", HEADERS) is None
    assert store.list_audit() == (), "a convenience, no decision"


def test_too_long_is_refused_and_the_earlier_one_stays(store: Store) -> None:
    saved = store.save_mapping("schools", HEADERS, CONTENT, "Li")
    with pytest.raises(StoreError, match="too long"):
        store.save_mapping("schools", HEADERS, {"words": {"kind": {"x" * CONTENT_BYTES: "primary"}}}, "Li")
    assert store.find_mapping("schools", HEADERS) == saved


def test_hostile_headers_are_only_digested() -> None:
    key = compute_mapping_key("schools", ["'; DROP TABLE mappings; --", "\ud800", "a\x00b"])
    assert len(key) == 64
    assert key.isalnum()


def test_a_store_of_before_keeps_its_scenarios(url: str) -> None:
    engine = build_engine(read_url(url))
    migrate(engine)
    with engine.connect() as opened:
        connection = opened.execution_options(writes=True)
        with connection.begin():
            command.downgrade(build_config(connection), "0001")
    engine.dispose()
    first = open_store(url)
    made = first.create_scenario("demo", "A", "x", "Li")
    first.save_mapping("schools", HEADERS, CONTENT, "Li")
    with first._engine.connect() as connection:
        assert read_revision(connection) == SCHEMA_REVISION
    assert first.list_scenarios("demo") == (made,)
    first.close()

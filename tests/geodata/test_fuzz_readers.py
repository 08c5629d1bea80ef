"""Broken copies of files of every kind: each reader gives data or a ``DataError``, nothing else.

The long run of the same is ``python -m benchmarks.fuzz``.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import build_readers
from benchmarks.fuzz_inputs import build_seeds, mutate
from geodata.errors import LayoutError
from geodata.files import read_raw_tables
from geodata.layer_safety import has_foreign_system

COUNTS = {"xlsx": 5, "csv": 12, "osm.pbf": 5, "pbf": 8, "tif": 12}
EACH = 20


@pytest.fixture(scope="module")
def seeds(cases: Path) -> dict[str, list[bytes]]:
    return build_seeds(cases)


@pytest.mark.parametrize("kind", sorted(build_readers()))
def test_broken_copies_are_read_or_told(kind: str, seeds: dict[str, list[bytes]], tmp_path: Path) -> None:
    rng = random.Random(f"2026 {kind}")
    path = tmp_path / f"case.{kind}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(COUNTS.get(kind, EACH)):
            path.write_bytes(mutate(rng.choice(seeds[kind]), rng.choice(seeds[kind]), kind, rng))
            for reader in build_readers()[kind]:
                _read_or_tell(reader, path)


def _read_or_tell(reader: Callable[[Path], object], path: Path) -> None:
    try:
        reader(path)
    except LayoutError as error:
        assert str(error)


@given(st.binary(max_size=2_000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_any_bytes_are_a_table_or_told(tmp_path: Path, content: bytes) -> None:
    for name in ("a.csv", "a.xls"):
        (tmp_path / name).write_bytes(content)
        if content[:4] not in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
            _read_or_tell(lambda path: read_raw_tables(path), tmp_path / name)


CELLS = st.text(
    alphabet=st.sampled_from([*"学校名称小计0123456789.,-+=%()（）\"' \n\t;{}<>", "\u202e", "\ufeff", "\x0b"]),
    max_size=8,
)


@given(st.lists(st.lists(CELLS, max_size=6), max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_any_cells_are_a_table_or_told(tmp_path: Path, rows: list[list[str]]) -> None:
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    _read_or_tell(lambda path: read_raw_tables(path), tmp_path / "a.csv")


@given(st.binary(max_size=500))
@settings(max_examples=200)
def test_any_bytes_have_a_foreign_system_or_not(content: bytes) -> None:
    assert has_foreign_system(b'{"crs": ' + content) in (True, False)

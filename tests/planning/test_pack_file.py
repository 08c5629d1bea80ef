"""Details of a pack as TOML: reading back gives the same value, and everything wrong is told at once."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import DataError
from planning.pack_file import parse_pack_file, read_pack_file, render_pack_file
from planning.procedure import STEPS, Procedure, StepRecord
from planning.procedure_checks import read_evidence
from planning.publication_options import CostItem, PackOptions

ROOT = Path(__file__).resolve().parents[2]
days = st.none() | st.dates(datetime.date(2000, 1, 1), datetime.date(2090, 1, 1))
plain = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs", "S")), max_size=20)


@st.composite
def options(draw: st.DrawFn) -> PackOptions:
    ends = sorted(day for day in (draw(days), draw(days)) if day is not None)
    costs = st.builds(
        CostItem,
        name=plain,
        school_year=st.integers(2000, 2090),
        amount=st.floats(-1e12, 1e12),
        unit=st.sampled_from(["CNY", "BRL"]),
        price_year=st.none() | st.integers(2000, 2090),
        source=plain,
    )
    return PackOptions(
        title=draw(plain),
        purpose=draw(plain) + "\n" + draw(plain),
        phone=draw(plain),
        opens=ends[0] if ends else None,
        closes=ends[-1] if len(ends) == 2 else None,
        show_boundaries=draw(st.booleans()),
        threshold=draw(st.integers(3, 50)),
        datum=draw(st.sampled_from(["WGS-84", "CGCS2000", "GCJ-02"])),
        scope=draw(st.sampled_from(["changed", "all"])),
        costs=tuple(draw(st.lists(costs, max_size=3))),
    )


@settings(max_examples=60)
@given(
    options(), st.lists(st.tuples(st.sampled_from(sorted(STEPS)), days, plain), max_size=8, unique_by=lambda x: x[0])
)
def test_reading_back_gives_the_same(found: PackOptions, steps: list[tuple[str, datetime.date | None, str]]) -> None:
    procedure = Procedure("closure", tuple(StepRecord(*step) for step in steps))
    text = render_pack_file(found, procedure)
    assert parse_pack_file(text, kind="closure") == (found, procedure)
    assert render_pack_file(*parse_pack_file(text, kind="closure")) == text


def test_the_example_says_that_it_is_synthetic_and_is_read_back(tmp_path: Path) -> None:
    folder = ROOT / "examples" / "consultation"
    found, procedure = read_pack_file(folder / "demo.toml", kind="closure")
    assert "合成" in found.title and "合成" in found.issuer
    assert [record.done for record in procedure.records] == [True, False]
    assert procedure.missing[0].step_id == "hearing"
    assert len(found.costs) == 2 and found.costs[0].amount == 900_000
    assert parse_pack_file(render_pack_file(found, procedure, folder=folder), kind="closure", folder=folder) == (
        found,
        procedure,
    )


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """
phone = "1"
[pack]
titel = "x"
opens = "soon"
threshold = 2
costs = 3
datum = "wgs"
issuer = "a\\u200bb"
office = "%s"
[[cost]]
name = "a"
amount = nan
school_year = 12
[[step]]
id = "expert"
[[step]]
id = "hearing"
date = 2026-01-01T10:00:00
note = 5
file = "x.pdf"
evidence = ["/etc/passwd", "../x.pdf", "C:\\\\x.pdf", "none.pdf"]
[[step]]
id = "hearing"
""" % ("长" * 121)
    with pytest.raises(DataError) as caught:
        parse_pack_file(text, folder=tmp_path, file="p.toml")
    found = {(issue.sheet, issue.column) for issue in caught.value.issues}
    assert found >= {
        ("", "phone"),
        *(("[pack]", key) for key in ("titel", "opens", "costs", "datum", "issuer", "office", "")),
        ("[[cost]] 1", "amount"),
        ("[[cost]] 1", "school_year"),
        ("[[step]] 1", "id"),
        *(("[[step]] 2", key) for key in ("date", "note", "file", "evidence")),
        ("[[step]] 3", "id"),
    }
    assert sum(issue.column == "evidence" for issue in caught.value.issues) == 4
    assert all(issue.file == "p.toml" for issue in caught.value.issues)
    cures = {issue.column: str(issue.cure) for issue in caught.value.issues}
    assert "title" in cures["titel"] and "[pack]" in cures["phone"] and "evidence" in cures["file"]


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x", encoding="utf-8")
    inside = tmp_path / "pack"
    inside.mkdir()
    (inside / "link.txt").symlink_to(tmp_path / "secret.txt")
    text = '[[step]]\nid = "hearing"\nevidence = ["link.txt"]\n'
    with pytest.raises(DataError, match="outside"):
        parse_pack_file(text, folder=inside)


def test_evidence_keeps_its_path_and_digest(tmp_path: Path) -> None:
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "会议纪要.txt").write_text("同意", encoding="utf-8")
    text = '[[step]]\nid = "hearing"\ndate = 2026-03-01\nevidence = "e/会议纪要.txt"\n'
    _options, procedure = parse_pack_file(text, kind="closure", folder=tmp_path)
    assert procedure.records[0].evidence == (read_evidence(tmp_path / "e" / "会议纪要.txt"),)
    assert 'evidence = ["e/会议纪要.txt"]' in render_pack_file(PackOptions(), procedure, folder=tmp_path)


def test_what_is_no_file_or_no_toml_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        read_pack_file(tmp_path / "none.toml")
    with pytest.raises(DataError):
        parse_pack_file("[pack")
    assert parse_pack_file("") == (PackOptions(), Procedure("rezoning"))

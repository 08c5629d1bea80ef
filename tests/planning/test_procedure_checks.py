"""Evidence files are what they say, and odd dates are told."""

from __future__ import annotations

import dataclasses
import datetime
import zipfile
from pathlib import Path

import pytest

from geodata.errors import DataError
from planning.procedure import Evidence, Kind, Procedure, StepRecord
from planning.procedure_checks import (
    MAX_EVIDENCE_BYTES,
    check_evidence,
    check_procedure,
    find_names_inside,
    read_evidence,
)
from planning.publication_options import PackOptions
from planning.rules import read_rulebook


def _zip(path: Path, *names: str, core: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name in names:
            packed.writestr(name, "x")
        if core:
            packed.writestr("docProps/core.xml", core)
    return path


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _day(month: int, day: int) -> datetime.date:
    return datetime.date(2026, month, day)


def _told(kind: Kind, *records: StepRecord, options: PackOptions | None = None, **more: object) -> str:
    return "\n".join(map(str, check_procedure(Procedure(kind, records), options, **more)))  # type: ignore[arg-type]


def test_good_files_are_read(tmp_path: Path) -> None:
    files = [
        _write(tmp_path / "a.pdf", b"%PDF-1.7\n..."),
        _write(tmp_path / "照片.JPG", b"\xff\xd8\xff\xe0rest"),
        _write(tmp_path / "p.png", b"\x89PNG\r\n\x1a\nrest"),
        _write(tmp_path / "t.txt", "会议".encode("gb18030")),
        _zip(tmp_path / "d.docx", "word/document.xml"),
        _zip(tmp_path / "x.xlsx", "xl/workbook.xml"),
        _zip(tmp_path / "o.ofd", "OFD.xml"),
    ]
    for file in files:
        found = read_evidence(file)
        assert (found.path, found.name, found.size_bytes) == (file, file.name, file.stat().st_size)
        assert len(found.sha256) == 64


def test_what_is_not_evidence_is_refused(tmp_path: Path) -> None:
    bad = {
        "missing": tmp_path / "none.pdf",
        "empty": _write(tmp_path / "empty.pdf", b""),
        "ending": _write(tmp_path / "run.exe", b"MZ"),
        "magic": _write(tmp_path / "fake.pdf", b"PK\x03\x04"),
        "html": _write(tmp_path / "fake.jpg", b"<script>"),
        "binary": _write(tmp_path / "b.txt", b"\x00\x01"),
        "program": _write(tmp_path / "js.pdf", b"%PDF-1.7 /OpenAction << /S /JavaScript /JS (x) >>"),
        "macros": _zip(tmp_path / "m.docx", "word/document.xml", "word/vbaProject.bin"),
        "other zip": _zip(tmp_path / "z.docx", "a.txt"),
        "broken zip": _write(tmp_path / "k.xlsx", b"PK\x03\x04 nothing"),
        "name": _write(tmp_path / ".pdf", b"%PDF-"),
    }
    for what, path in bad.items():
        assert check_evidence(path), what
        with pytest.raises(DataError):
            read_evidence(path)
    big = tmp_path / "big.pdf"
    with big.open("wb") as stream:
        stream.write(b"%PDF-")
        stream.truncate(MAX_EVIDENCE_BYTES + 1)
    assert "50 MB" in str(check_evidence(big)[0])


def test_a_name_is_only_a_name(tmp_path: Path) -> None:
    good = _write(tmp_path / "a.txt", b"x")
    names = ["../a.txt", "a\n.txt", "a\u202etxt.txt", "CON.txt", "a" * 130 + ".txt", " a.txt", "a?.txt"]
    assert [bool(check_evidence(good, name=name)) for name in names] == [True] * len(names)
    assert read_evidence(good, name="会议 纪要(1).txt").name == "会议 纪要(1).txt"


def test_files_that_name_a_person_are_told(tmp_path: Path) -> None:
    core = "<cp:coreProperties><dc:creator>{}</dc:creator></cp:coreProperties>"
    named = read_evidence(_zip(tmp_path / "n.docx", "word/document.xml", core=core.format("王某")))
    plain = read_evidence(_zip(tmp_path / "p.docx", "word/document.xml", core=core.format("")))
    author = read_evidence(_write(tmp_path / "a.pdf", b"%PDF-1.4 /Author (Li)"))
    exif = read_evidence(_write(tmp_path / "e.jpg", b"\xff\xd8\xff\xe1\x00\x00Exif\x00\x00"))
    assert [len(find_names_inside(item)) for item in (named, plain, author, exif)] == [1, 0, 1, 1]
    gone = dataclasses.replace(named, path=tmp_path / "gone.docx")
    assert find_names_inside(gone) == ()


def test_odd_dates_are_told(tmp_path: Path) -> None:
    file = Evidence(tmp_path / "x.txt", "x.txt", "1", 1)
    early = StepRecord("expert_review", _day(2, 1), evidence=(file,))
    first = StepRecord("public_participation", _day(3, 1), evidence=(dataclasses.replace(file, sha256="2"),))
    told = _told("closure", early, first)
    assert "expert review (2026-02-01) is dated before public participation (2026-03-01)" in told
    assert "future" in _told("closure", first, today=_day(1, 1)) and not _told("closure", first, today=_day(3, 1))
    assert "no evidence file" in _told("closure", StepRecord("hearing", _day(1, 1)))
    assert "date is missing" in _told("closure", StepRecord("hearing", note="x"))
    assert "not a step of this kind" in _told("rezoning", StepRecord("hearing", _day(1, 1)))
    assert "Unknown step" in _told("rezoning", StepRecord("nothing"))
    assert "more than once" in _told("closure", early, early)
    same = dataclasses.replace(first, evidence=(file,))
    assert "x.txt is evidence of two steps" in _told("closure", same, dataclasses.replace(early, date=_day(4, 1)))


def test_a_short_consultation_is_told() -> None:
    rules = read_rulebook("cn")
    short = PackOptions(opens=_day(3, 1), closes=_day(3, 29))
    long = PackOptions(opens=_day(3, 1), closes=_day(3, 30))
    assert "29 days; rule Z9" in _told("rezoning", options=short, rules=rules)
    assert "rule C4" in _told("closure", options=short, rules=rules)
    assert not _told("closure", options=long, rules=rules)
    assert not _told("closure", options=short)
    assert "not given" in _told("closure", options=PackOptions(), rules=rules)

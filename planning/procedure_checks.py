"""What is wrong, or odd, with the procedure on paper: evidence files, order of dates, length of the consultation."""

from __future__ import annotations

import datetime
import hashlib
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from geodata.errors import DataError, DataIssue
from geodata.messages import Message, msg
from planning.procedure import STEPS, Evidence, Procedure, StepRecord
from planning.publication_options import PackOptions
from planning.rules import Rule, Rules

MAX_EVIDENCE_BYTES = 50 * 1024**2
LONGEST_EVIDENCE_NAME = 120
"""Letters of a file name; three bytes each still fit what a disk allows."""
MAX_MEMBERS = 10_000
EVIDENCE_ENDINGS: tuple[str, ...] = ("pdf", "docx", "xlsx", "ofd", "jpg", "jpeg", "png", "txt")
"""Endings that an evidence file may have."""

_MAGIC: Mapping[str, bytes] = MappingProxyType(
    {
        "pdf": b"%PDF-",
        "docx": b"PK\x03\x04",
        "xlsx": b"PK\x03\x04",
        "ofd": b"PK\x03\x04",
        "jpg": b"\xff\xd8\xff",
        "jpeg": b"\xff\xd8\xff",
        "png": b"\x89PNG\r\n\x1a\n",
    }
)
_MEMBERS: Mapping[str, str] = MappingProxyType(
    {"docx": "word/document.xml", "xlsx": "xl/workbook.xml", "ofd": "OFD.xml"}
)
_RESERVED = {"con", "prn", "aux", "nul", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10))}
_RUNS = re.compile(rb"/(?:JavaScript|Launch)\b")
_PERSON = re.compile(rb"<(?:dc:creator|cp:lastModifiedBy)[^>]*>\s*([^<\s][^<]*)<")
_DAYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"rezoning": ("consultation_days",), "closure": ("consultation_days", "closure_publication_days")}
)
"""Rule keys that say how many days opinions are asked for (Z9, C4)."""


def read_evidence(path: str | Path, *, name: str = "") -> Evidence:
    """Return one evidence file, with the digest of its content.

    Parameters
    ----------
    path
        The file; only read.
    name
        What it is called in the pack, where that is not the name of ``path``.

    Raises
    ------
    DataError
        With everything that :func:`check_evidence` finds.
    """
    path = Path(path)
    name = unicodedata.normalize("NFC", name or path.name)
    problems = check_evidence(path, name=name)
    if problems:
        raise DataError([DataIssue("evidence", "error", problem, file=name) for problem in problems])
    content = path.read_bytes()
    return Evidence(path, name, hashlib.sha256(content).hexdigest(), len(content))


def check_evidence(path: str | Path, *, name: str = "") -> tuple[Message, ...]:
    """Return why a file cannot be evidence: its name, its size, what is in it; empty where it can."""
    path = Path(path)
    name = unicodedata.normalize("NFC", name or path.name)
    problems = [problem for problem in (_check_name(name),) if problem is not None]
    try:
        size = path.stat().st_size if path.is_file() else -1
        if size > MAX_EVIDENCE_BYTES:
            limit = MAX_EVIDENCE_BYTES // 1024**2
            problems.append(msg("{file} is larger than {limit} MB; scan it with fewer dots.", file=name, limit=limit))
        elif size == 0:
            problems.append(msg("{file} is empty.", file=name))
        elif size < 0:
            problems.append(msg("There is no file {file}.", file=name))
        else:
            problems += _check_content(path, name)
    except OSError as error:
        problems.append(msg("{file} cannot be read: {reason}.", file=name, reason=str(error.strerror or error)))
    return tuple(problems)


def _check_name(name: str) -> Message | None:
    stem = name.rpartition(".")[0]
    hidden = any(unicodedata.category(letter)[0] == "C" for letter in name)
    if hidden or re.search(r'[\\/:*?"<>|]', name) or name != name.strip() or not stem.strip(". "):
        return msg("{file}: give the file a plain name.", file=_show(name))
    if len(name) > LONGEST_EVIDENCE_NAME:
        return msg(
            "{file}: the name is longer than {limit} letters.", file=_show(name[:40]), limit=LONGEST_EVIDENCE_NAME
        )
    if stem.split(".")[0].lower() in _RESERVED:
        return msg("{file}: Windows knows no file of this name.", file=name)
    return None


def _show(name: str) -> str:
    return "".join("?" if unicodedata.category(letter)[0] == "C" else letter for letter in name)[:80]


def _check_content(path: Path, name: str) -> list[Message]:
    """Tell whether the content is what the ending says; content that could run is refused."""
    ending = name.rpartition(".")[2].lower()
    if ending not in EVIDENCE_ENDINGS:
        return [msg("{file}: evidence may be {endings}.", file=name, endings=EVIDENCE_ENDINGS)]
    content = path.read_bytes()
    wrong = msg("{file} is not what its ending says; save it again as {ending}.", file=name, ending=ending)
    if ending == "txt":
        return [] if _is_text(content) else [wrong]
    if not content.startswith(_MAGIC[ending]):
        return [wrong]
    if ending == "pdf" and _RUNS.search(content):
        return [msg("{file} holds a program; print it as a PDF anew.", file=name)]
    if ending in _MEMBERS:
        members = _list_members(path)
        if members is None or _MEMBERS[ending] not in members:
            return [wrong]
        if any(member.lower().endswith("vbaproject.bin") for member in members):
            return [msg("{file} holds macros; save it without them, or as PDF.", file=name)]
    return []


def _is_text(content: bytes) -> bool:
    """Whether these bytes are text in an encoding that is in use; a NUL byte never is."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return "\x00" not in content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return False


def _list_members(path: Path) -> list[str] | None:
    """Return the names inside a zip; None where it is none, or holds too many."""
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    return members if len(members) <= MAX_MEMBERS else None


def find_names_inside(evidence: Evidence) -> tuple[Message, ...]:
    """Return warnings of an evidence file that seems to name a person in its properties: it will be published.

    Word and Excel files keep who wrote them, PDF files often do; pictures of telephones may keep the place.
    """
    ending = evidence.name.rpartition(".")[2].lower()
    try:
        content = evidence.path.read_bytes()
        if ending in ("docx", "xlsx"):
            with zipfile.ZipFile(evidence.path) as packed:
                inside = "docProps/core.xml" in packed.namelist()
                content = packed.open("docProps/core.xml").read(100_000) if inside else b""
            found = _PERSON.search(content) is not None
        elif ending == "pdf":
            found = re.search(rb"/Author\s*[(<]\s*[^)>\s]", content) is not None
        else:
            found = ending in ("jpg", "jpeg") and b"Exif\x00\x00" in content[:65_536]
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
        return ()
    if not found:
        return ()
    return (
        msg("{file} says in its properties who made it, or where; remove that before publishing.", file=evidence.name),
    )


def check_procedure(
    procedure: Procedure,
    options: PackOptions | None = None,
    rules: Rules | None = None,
    *,
    today: datetime.date | None = None,
) -> tuple[Message, ...]:
    """Return what is odd about the steps as recorded; none of it stops a pack.

    Parameters
    ----------
    procedure
        The steps with dates and evidence. Steps that are simply not done are ``procedure.missing``.
    options
        First and last day of the consultation; without it its length is not looked at.
    rules
        The rulebook that says how long it should be; without it no length is demanded.
    today
        Dates after it are told; without it none is.
    """
    found = [*_check_records(procedure), *_check_order(procedure), *_check_files(procedure)]
    if today is not None:
        found += [
            msg("{step}: the date lies in the future.", step=STEPS[record.step_id].name)
            for record in _list_known(procedure)
            if record.date is not None and record.date > today
        ]
    if options is not None:
        found += _check_days(procedure, options, rules)
    return tuple(dict.fromkeys(found))


def _list_known(procedure: Procedure) -> list[StepRecord]:
    """Return the records of steps that this kind of proposal has, in the order of the steps."""
    order = list(STEPS)
    known = [record for record in procedure.records if record.step_id in STEPS]
    known = [record for record in known if procedure.kind in STEPS[record.step_id].kinds]
    return sorted(known, key=lambda record: order.index(record.step_id))


def _check_records(procedure: Procedure) -> Iterator[Message]:
    ids = [record.step_id for record in procedure.records]
    for record in procedure.records:
        step = STEPS.get(record.step_id)
        if step is None:
            yield msg("Unknown step: {step}.", step=record.step_id)
        elif procedure.kind not in step.kinds:
            yield msg("{step}: not a step of this kind of proposal; it is not shown.", step=step.name)
        elif ids.count(record.step_id) > 1:
            yield msg("{step}: recorded more than once.", step=step.name)
        elif record.date is None and (record.evidence or record.note):
            yield msg("{step}: the date is missing, so it does not count as done.", step=step.name)
        elif record.date is not None and not record.evidence:
            yield msg("{step}: no evidence file is attached, so it does not count as done.", step=step.name)


def _check_order(procedure: Procedure) -> Iterator[Message]:
    """Tell steps that are dated before one that comes earlier in the procedure."""
    latest: StepRecord | None = None
    for record in _list_known(procedure):
        if record.date is None:
            continue
        if latest is not None and latest.date is not None and record.date < latest.date:
            yield msg(
                "{step} ({date}) is dated before {earlier} ({earlier_date}), which comes first.",
                step=STEPS[record.step_id].name,
                date=record.date.isoformat(),
                earlier=STEPS[latest.step_id].name,
                earlier_date=latest.date.isoformat(),
            )
        else:
            latest = record


def _check_files(procedure: Procedure) -> Iterator[Message]:
    """Tell one file that stands as evidence of several steps, and files that name a person."""
    seen: dict[str, str] = {}
    for record in _list_known(procedure):
        for evidence in record.evidence:
            other = seen.setdefault(evidence.sha256, record.step_id)
            if other != record.step_id:
                yield msg(
                    "{file} is evidence of two steps: {first} and {second}.",
                    file=evidence.name,
                    first=STEPS[other].name,
                    second=STEPS[record.step_id].name,
                )
            yield from find_names_inside(evidence)


def count_days(options: PackOptions) -> int | None:
    """Return for how many days opinions are taken, first and last day included; None where a day is not given."""
    if options.opens is None or options.closes is None:
        return None
    return (options.closes - options.opens).days + 1


def _check_days(procedure: Procedure, options: PackOptions, rules: Rules | None) -> Iterator[Message]:
    days = count_days(options)
    if days is None:
        yield msg("The first and last day of the consultation are not given.")
        return
    for rule in _list_day_rules(procedure, rules):
        wanted = max(rule.value.values())
        if days < wanted and rule.enabled:
            yield msg(
                "Opinions are taken for {days} days; rule {rule} asks for {wanted:.0f}.", **_name(rule, days, wanted)
            )
        elif days < wanted:
            yield msg(
                "Opinions are taken for {days} days; rule {rule}, which is switched off, names {wanted:.0f}.",
                **_name(rule, days, wanted),
            )


def _name(rule: Rule, days: int, wanted: float) -> dict[str, object]:
    return {"days": days, "rule": rule.id, "wanted": wanted}


def _list_day_rules(procedure: Procedure, rules: Rules | None) -> list[Rule]:
    keys = _DAYS[procedure.kind]
    return [] if rules is None else [rule for rule in rules.rules if rule.key in keys and rule.value]

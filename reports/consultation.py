"""One consultation pack: every document, table, layer and the offline map of a proposal, in a folder and a zip."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from geodata.errors import ExportError
from geodata.messages import Message, msg
from geodata.study import Progress, no_progress
from planning.disclosure import DisclosureProblem, check_disclosure
from planning.procedure import Step
from planning.run_record import RESULTS_VERSION
from reports.comment_form import render_form_file
from reports.consultation_case import Consultation, PackFile, list_printed_texts
from reports.consultation_form import build_paper_form
from reports.consultation_layers import write_pack_layers
from reports.consultation_letters import build_letter_rows, build_letters
from reports.consultation_map import build_map_page
from reports.consultation_notice import build_notice, list_notice_maps
from reports.consultation_report import build_report, list_report_maps
from reports.consultation_report_case import check_today
from reports.consultation_tables import write_pack_tables
from reports.consultation_words import say_footer, say_status
from reports.consultation_zones import NoticeZones, build_notice_zones
from reports.document import Document
from reports.document_pdf import render_pdf
from reports.document_word import render_word
from reports.language import Translator, read_catalogue
from reports.static_maps import draw_maps
from reports.tables import render_csv

MANIFEST = "manifest.json"
PACK_FORMAT = "buju-pack"
PACK_VERSION = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: the same pack is the same file."""
_ROLES = {
    "map": msg("map to look up one's own home; opens by double click, without internet"),
    "notice": msg("public notice"),
    "report": msg("report for experts and the council"),
    "letters": msg("letters to the communities"),
    "comment_form": msg("form for comments"),
    "tables": msg("tables"),
    "layers": msg("layers for map programs"),
    "evidence": msg("evidence of the procedure"),
    "readme": msg("what this folder holds"),
}


@dataclass(frozen=True)
class Pack:
    """What was written. ``missing``: steps of the procedure; while there is one, documents say that they are drafts."""

    pack_id: str
    folder: Path
    files: tuple[PackFile, ...]
    zip_path: Path
    missing: tuple[Step, ...]


def name_role(role: str) -> Message:
    """Return what a file of a pack is for, in words."""
    return _ROLES[role]


def require_safe(consultation: Consultation) -> tuple[DisclosureProblem, ...]:
    """Return what must be known before publishing; nothing of it forbids it.

    Raises
    ------
    ExportError
        Something would tell of single children or persons; all of it at once, each with what to do.
    """
    problems = check_disclosure(
        consultation.study,
        consultation.publication,
        consultation.options,
        rules=consultation.rules,
        texts=list_printed_texts(consultation.proposal.scenario.all_actions, consultation.procedure),
    )
    blocking = [problem for problem in problems if problem.blocks]
    if blocking:
        told = [part for problem in blocking for part in (problem.message, problem.cure)]
        names = [f"part_{place}" for place in range(len(told))]
        template = " ".join(f"{{{name}}}" for name in names)
        raise ExportError(Message(template, tuple(zip(names, told, strict=True))))
    return problems


def write_pack(consultation: Consultation, folder: str | Path, *, progress: Progress = no_progress) -> Pack:
    """Write the whole pack into ``folder``, and a zip of it beside its files.

    Parameters
    ----------
    folder
        New, empty, or holding an earlier pack, which is replaced once the new one is complete.
    progress
        Called with the step and the share done; may raise ``Cancelled``: then nothing is left behind.

    Raises
    ------
    ExportError
        It must not be published (:func:`require_safe`), or the folder cannot be written to or holds other files.
    """
    require_safe(consultation)
    folder = Path(folder)
    _require_free(folder)
    try:
        with _fresh_folder(folder) as new:
            writer = _PackWriter(consultation, new, progress)
            writer.write_all()
            files = writer.list_files()
            (new / MANIFEST).write_bytes(_render_manifest(consultation, files))
            zip_path = _write_zip(new, f"buju_{consultation.pack_id}.zip")
            _replace(new, folder)
    except OSError as error:
        told = msg("{folder} cannot be written: {reason}", folder=folder.name, reason=error.strerror or str(error))
        raise ExportError(told) from error
    progress(msg("The pack is complete"), 1.0)
    return Pack(consultation.pack_id, folder, files, folder / zip_path.name, consultation.procedure.missing)


class _PackWriter:
    """Writes the parts of a pack one after the other, each told as a step."""

    def __init__(self, consultation: Consultation, folder: Path, progress: Progress) -> None:
        self._case = consultation
        self._folder = folder
        self._progress = progress
        self._speakers = [read_catalogue(language) for language in consultation.languages]
        self._pictures: dict[str, bytes] = {}
        self._zones: NoticeZones = {}
        self._today = pd.DataFrame()
        self._written: list[tuple[Path, str, str]] = []

    def write_all(self) -> None:
        """Write every part."""
        steps = list(self._list_steps())
        for place, (told, write) in enumerate(steps):
            self._progress(told, place / len(steps))
            write()

    def list_files(self) -> tuple[PackFile, ...]:
        """Return every file written so far, in the order of paths."""
        found = []
        for path, role, language in sorted(self._written):
            content = path.read_bytes()
            name = path.relative_to(self._folder).as_posix()
            found.append(PackFile(name, role, language, len(content), hashlib.sha256(content).hexdigest()))
        return tuple(found)

    def _list_steps(self) -> Iterator[tuple[Message, Callable[[], None]]]:
        yield msg("Drawing the map for homes"), self._write_map
        yield msg("Drawing the maps to print"), self._draw_pictures
        yield msg("Describing the zones in words"), self._describe_zones
        yield msg("Judging today by the same rules"), self._check_today
        for _ in self._speakers:
            yield msg("Writing the notice"), partial(self._write_notice, _)
            yield msg("Writing the report"), partial(self._write_report, _)
            yield msg("Writing the letters"), partial(self._write_letters, _)
            yield msg("Writing the form for comments"), partial(self._write_paper_form, _)
            yield msg("Writing the tables"), partial(self._write_tables, _)
        yield msg("Writing the layers"), self._write_layers
        yield msg("Adding the evidence"), self._write_evidence
        yield msg("Writing what the folder holds"), self._write_readme

    def _keep(self, path: Path, role: str, language: str = "") -> None:
        self._written.append((path, role, language))

    def _write(self, name: str, content: bytes, role: str, language: str = "") -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._keep(path, role, language)

    def _write_map(self) -> None:
        self._write("map.html", build_map_page(self._case), "map")
        self._write("comment_form.json", render_form_file(self._case), "comment_form")

    def _draw_pictures(self) -> None:
        keys = dict.fromkeys((*list_notice_maps(self._case), *list_report_maps(self._case)))
        self._pictures = draw_maps(self._case, tuple(keys))

    def _describe_zones(self) -> None:
        self._zones = build_notice_zones(self._case)

    def _check_today(self) -> None:
        self._today = check_today(self._case)

    def _write_document(self, name: str, document: Document, role: str) -> None:
        stem = f"{name}_{document.language}"
        self._write(f"{stem}.pdf", render_pdf(document), role, document.language)
        self._write(f"{stem}.docx", render_word(document), role, document.language)

    def _write_notice(self, _: Translator) -> None:
        self._write_document("notice", build_notice(self._case, self._pictures, _, zones=self._zones), "notice")

    def _write_report(self, _: Translator) -> None:
        document = build_report(self._case, self._pictures, _, today=self._today)
        self._write_document("report", document, "report")

    def _write_letters(self, _: Translator) -> None:
        self._write_document("letters", build_letters(self._case, _), "letters")
        table = render_csv(build_letter_rows(self._case, _))
        self._write(f"letters_{_.language}.csv", table, "letters", _.language)

    def _write_paper_form(self, _: Translator) -> None:
        self._write_document("comment_form", build_paper_form(self._case, _), "comment_form")

    def _write_tables(self, _: Translator) -> None:
        for path in write_pack_tables(self._case, self._folder / "tables", _):
            self._keep(path, "tables", _.language)

    def _write_layers(self) -> None:
        for path in write_pack_layers(self._case, self._folder / "layers", self._speakers[0]):
            self._keep(path, "layers")

    def _write_evidence(self) -> None:
        for record in self._case.procedure.records:
            for number, item in enumerate(record.evidence, start=1):
                content = item.path.read_bytes()
                if hashlib.sha256(content).hexdigest() != item.sha256:
                    raise ExportError(msg("The evidence file {name} has changed; choose it again.", name=item.name))
                self._write(f"evidence/{record.step_id}_{number}_{item.name}", content, "evidence")

    def _write_readme(self) -> None:
        parts = [_tell_pack(self._case, {role for _path, role, _language in self._written}, _) for _ in self._speakers]
        self._write("README.txt", ("\n\n".join(parts) + "\n").encode("utf-8-sig"), "readme")


def _tell_pack(consultation: Consultation, roles: set[str], _: Translator) -> str:
    """Return what the folder holds, as text."""
    names = {
        "map": "map.html",
        "notice": f"notice_{_.language}.pdf, .docx",
        "report": f"report_{_.language}.pdf, .docx",
        "letters": f"letters_{_.language}.pdf, .docx, .csv",
        "comment_form": f"comment_form_{_.language}.pdf, .docx; comment_form.json",
        "tables": f"tables/ (*_{_.language}.*)",
        "layers": "layers/",
        "evidence": "evidence/",
        MANIFEST: MANIFEST,
    }
    told = {**_ROLES, MANIFEST: msg("every file with its size and digest, and what the results rest on")}
    lines = [f"- {name}: {_.say(told[role])}" for role, name in names.items() if role in {*roles, MANIFEST}]
    head = [consultation.title, say_status(consultation.procedure, _), say_footer(consultation, _)]
    return "\n".join([*(line for line in head if line), "", *lines])


def _render_manifest(consultation: Consultation, files: tuple[PackFile, ...]) -> bytes:
    """Return what the pack rests on, and every file with its digest, as JSON."""
    procedure = consultation.procedure
    return _render_json(
        {
            "format": PACK_FORMAT,
            "version": PACK_VERSION,
            "pack_id": consultation.pack_id,
            "title": consultation.title,
            "synthetic": consultation.study.synthetic,
            "study": {"name": consultation.study.name, "fingerprint": consultation.study.fingerprint},
            "results_version": RESULTS_VERSION,
            "proposal": consultation.proposal.record.as_dict(),
            "baseline": consultation.baseline.record.as_dict(),
            "threshold": consultation.publication.threshold,
            "draft": bool(procedure.missing),
            "missing_steps": [step.step_id for step in procedure.missing],
            "files": [asdict(file) for file in files],
        }
    )


def _render_json(content: object) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def _require_free(folder: Path) -> None:
    """Refuse a folder that holds anything but an earlier pack."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ExportError(msg("{folder} is a file; name a folder.", folder=folder.name))
    if any(folder.iterdir()) and not _holds_pack(folder):
        told = msg("{folder} holds other files; name a new or empty folder, or that of a pack.", folder=folder.name)
        raise ExportError(told)


def _holds_pack(folder: Path) -> bool:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("format") == PACK_FORMAT


@contextmanager
def _fresh_folder(folder: Path) -> Iterator[Path]:
    """Give a new folder beside ``folder``; what is left of it is removed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _replace(new: Path, folder: Path) -> None:
    """Put the new folder where the old one is; the old one is removed last."""
    new.chmod(0o755)
    if not folder.exists():
        new.rename(folder)
        return
    old = new.with_name(f"{new.name}-old")
    folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _write_zip(folder: Path, name: str) -> Path:
    """Zip a folder, the same bytes for the same files."""
    path = folder / name
    members = sorted(item for item in folder.rglob("*") if item.is_file())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for member in members:
            info = zipfile.ZipInfo(member.relative_to(folder).as_posix(), date_time=_EPOCH)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, member.read_bytes())
    return path

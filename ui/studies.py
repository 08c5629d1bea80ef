"""Which studies the app can open, by a short plain reference that fits into an address: ``demo``, ``porto_alegre``, …

A reference is ``demo``, the file name of an example study, or ``upload-`` and the token of an upload folder. The
reference is what session and address hold; the study itself is loaded from the disk cache.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from geodata.errors import Cancelled, LayoutError
from geodata.messages import Message
from geodata.study import StudyArea
from geodata.study_file import ROLES, DemoSource, StudySpec, list_sources, read_study_file
from ui.uploads import find_upload_folder

DEMO = "demo"
UPLOAD_PREFIX = "upload-"
EXAMPLES_FOLDER = Path(__file__).resolve().parent.parent / "examples" / "studies"
STUDIES_IN_MEMORY = 3
OTHER_FILES = ("speeds", "town_totals", "age_totals", "matches")
"""Keys of the study file that name further files beside ``path``."""


@dataclass(frozen=True)
class Example:
    """A study that comes with the project; ``present`` says whether its data are on this machine."""

    reference: str
    name: str
    description: str
    description_zh: str
    present: bool


def read_reference(reference: str) -> StudySpec:
    """Return what a reference stands for.

    Raises
    ------
    LookupError
        There is no such study (a mistyped address, or an upload that has been cleared away).
    DataError
        Its study file cannot be read.
    """
    if reference == DEMO:
        return StudySpec(name="demo", demo=DemoSource(), synthetic=True)
    if reference.startswith(UPLOAD_PREFIX):
        folder = find_upload_folder(reference.removeprefix(UPLOAD_PREFIX))
        path = None if folder is None else folder / "study.toml"
    else:
        known = re.fullmatch(r"[A-Za-z0-9_-]{1,80}", reference) is not None
        path = EXAMPLES_FOLDER / f"{reference}.toml" if known else None
    if path is None or not path.is_file():
        raise LookupError(reference)
    return read_study_file(path)


def list_examples() -> list[Example]:
    """Return the example studies except the demo, in order of file name; unreadable ones are left out."""
    found = []
    for path in sorted(EXAMPLES_FOLDER.glob("*.toml")):
        try:
            spec = read_study_file(path)
        except LayoutError:
            continue
        if spec.demo is None:
            found.append(Example(path.stem, spec.name, spec.description, spec.description_zh, _has_files(spec)))
    return found


def _has_files(spec: StudySpec) -> bool:
    parts = [part for role in ROLES for part in list_sources(spec, role)]
    paths = [getattr(part, name, "") for part in parts for name in ("path", *OTHER_FILES)]
    return all(spec.resolve(path).exists() for path in paths if path)


def read_class_sizes() -> dict[str, float]:
    """Return the pupils per class by stage that the default rulebook designs for."""
    from planning.rules import design_class_size, read_rulebook

    return design_class_size(read_rulebook("cn"))


def find_study(reference: str) -> StudyArea | None:
    """Return the study if it has been built before with the files as they are now, else None. Builds nothing.

    Raises ``LookupError`` and ``DataError`` as :func:`read_reference` does.
    """
    return _load_study(reference, _compute_stamp(read_reference(reference)))


@st.cache_resource(max_entries=STUDIES_IN_MEMORY, show_spinner=False)
def _load_study(reference: str, stamp: str) -> StudyArea | None:
    from geodata.build import build_study

    try:
        return build_study(read_reference(reference), design_class_size=read_class_sizes(), progress=_stop_at_once)
    except Cancelled:
        return None


def forget_missing_studies() -> None:
    """Forget what was looked up, so that a study built meanwhile by a worker is found."""
    _load_study.clear()


def _stop_at_once(step: Message, share: float) -> None:
    """Stop a build before its first step: what is in the cache comes back without one."""
    raise Cancelled(str(step))


def _compute_stamp(spec: StudySpec) -> str:
    """Return a cheap mark of a study's files (size and time), so that changed files are read again."""
    parts = [repr(dataclasses.replace(spec, folder=Path()))]
    for role in ROLES:
        for part in list_sources(spec, role):
            named = [getattr(part, name, "") for name in ("path", *OTHER_FILES)]
            for path in [spec.resolve(name) for name in named if name]:
                if path.exists():
                    facts = path.stat()
                    parts.append(f"{role}:{facts.st_size}:{facts.st_mtime_ns}")
    return "|".join(parts)

"""Pictures of the first pages of a pack's documents, drawn by another process. No Streamlit here."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reports.document import Document, Picture
from reports.language import Language, read_catalogue

if TYPE_CHECKING:
    from reports.consultation_case import Consultation
    from reports.static_maps import MapKey

MOST_PAGES, PPI = 4, 110.0
WHOLE_BLOCKS, WHOLE_PICTURES = 300, 24
"""A document of no more than this is set as a whole, so that its page numbers are those of the file."""
CUT_BLOCKS = 40


@dataclass(frozen=True)
class Looks:
    """Names of the pictures by ``role_language``; ``cut``: documents of which only the beginning was set."""

    pages: Mapping[str, tuple[str, ...]]
    cut: tuple[str, ...] = ()


def draw_looks(case: Consultation, folder: Path, language: Language) -> Looks:
    """Draw the first pages of notice, report and letters into a folder, which is emptied before."""
    from reports.consultation_letters import build_letters
    from reports.consultation_notice import build_notice, list_notice_maps
    from reports.consultation_report import build_report, list_report_maps
    from reports.document_pdf import render_pages
    from reports.static_maps import name_map

    _ = read_catalogue(language)
    keys = {name_map(key): key for key in (*list_notice_maps(case), *list_report_maps(case))}
    blank = dict.fromkeys(keys, b"")
    documents = {
        "notice": build_notice(case, blank, _),
        "report": build_report(case, blank, _),
        "letters": build_letters(case, _),
    }
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pages: dict[str, tuple[str, ...]] = {}
    cut: list[str] = []
    drawn: dict[str, bytes] = {}
    for role, document in documents.items():
        key = f"{role}_{language}"
        begun = cut_document(document)
        if begun is not document:
            cut.append(key)
        found = render_pages(_put_pictures(case, begun, keys, drawn), PPI)[:MOST_PAGES]
        pages[key] = tuple(f"{key}_{number}.png" for number in range(1, len(found) + 1))
        for name, page in zip(pages[key], found, strict=True):
            (folder / name).write_bytes(page)
    return Looks(pages, tuple(cut))


def cut_document(document: Document) -> Document:
    """Return the beginning of a long document; a short one as it is."""
    pictures = {block.key for block in document.blocks if isinstance(block, Picture)}
    if len(document.blocks) <= WHOLE_BLOCKS and len(pictures) <= WHOLE_PICTURES:
        return document
    return replace(document, blocks=document.blocks[:CUT_BLOCKS])


def _put_pictures(
    case: Consultation, document: Document, keys: Mapping[str, MapKey], drawn: dict[str, bytes]
) -> Document:
    """Return a document with the pictures that stand in it; maps are drawn where they are not in ``drawn`` yet."""
    from reports.static_maps import draw_maps

    wanted = dict.fromkeys(block.key for block in document.blocks if isinstance(block, Picture))
    drawn |= draw_maps(case, tuple(keys[name] for name in wanted if name in keys and name not in drawn))
    return replace(document, pictures={name: drawn.get(name) or document.pictures[name] for name in wanted})

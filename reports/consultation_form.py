"""The form for comments on paper: the questions of ``reports.comment_form``, to be filled in by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.comment_form import build_form_spec
from reports.consultation_words import say_day, say_footer, say_or_blank, say_status, say_synthetic
from reports.document import Blank, Block, Box, Document, Facts, Heading, Paragraph

if TYPE_CHECKING:
    from reports.consultation_case import Consultation
    from reports.language import Translator

SQUARE, HARD_SPACE = "□", "\u00a0"
"""What is ticked, and what keeps it with its words on one line."""


def build_paper_form(consultation: Consultation, _: Translator) -> Document:
    """Return the form: the same questions, numbers and options as on the page, so that answers can be read together."""
    spec = build_form_spec(consultation, _)
    options = consultation.options
    blocks: list[Block] = [
        Facts(((_("Proposal"), consultation.title), (_("Number of the pack"), consultation.pack_id)))
    ]
    if consultation.study.synthetic:
        blocks.append(Paragraph(say_synthetic(consultation, _), "small"))
    blocks.append(Paragraph(_("Tick or write. Questions with a star must be answered; all others may stay empty.")))
    blocks.append(Heading(_("Your comment")))
    for field in spec["fields"]:
        blocks += _ask(field, _)
    hand_in = (
        _("Office: {office}", office=say_or_blank(options.office or options.issuer, _)),
        _("Address: {address}", address=say_or_blank(options.address, _)),
        _("E-mail: {email}", email=say_or_blank(options.email, _)),
    )
    blocks.append(Box(_("Hand in or send until {closes}", closes=say_day(options.closes, _)), hand_in))
    return Document(
        title=_("Form for comments"),
        language=_.language,
        blocks=tuple(blocks),
        status=say_status(consultation.procedure, _),
        footer=say_footer(consultation, _),
        author=options.issuer,
    )


def _ask(field: dict[str, Any], _: Translator) -> list[Block]:
    """Return one question with its options or lines."""
    star = " *" if field["required"] else ""
    title = _("{number}. {question}", number=_.number(field["number"]), question=str(field["label"])) + star
    blocks: list[Block] = [Heading(title, 2)]
    if field["note"]:
        blocks.append(Paragraph(str(field["note"]), "small"))
    if field["options"]:
        labels = [f"{SQUARE} {option['label']}".replace(" ", HARD_SPACE) for option in field["options"]]
        blocks.append(Paragraph("   ".join(labels)))
    else:
        blocks.append(Blank("", int(field["lines"])))
    return blocks

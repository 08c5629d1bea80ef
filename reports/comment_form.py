"""The comment form: one definition for the page, the paper form and whoever reads the answers later.

No field asks who somebody is. A contact is optional, and says what it is for. An answer is a file
``{"format": "buju-comment", "version": 1, "pack_id": …, "language": …, "written": "2026-11-22", "answers": {…}}``:

- ``choice``: the id of one option; ``choices``: a list of ids;
- ``text``, ``long_text``: a text without control characters;
- ``community``, ``school``: ``{"id": …, "name": …}``, or ``{"name": …}`` where the reader typed what the list has not.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from geodata.messages import Message, msg
from reports.language import Translator, read_catalogue
from reports.legend import name_stage_short

if TYPE_CHECKING:
    from reports.consultation_case import Consultation

FORM_FORMAT = "buju-comment"
FORM_VERSION = 1
MAX_COMMENT_BYTES = 32_768
"""A comment file larger than this is not one of ours."""

FieldKind = Literal["choice", "choices", "text", "long_text", "community", "school"]


@dataclass(frozen=True)
class FieldOption:
    """One answer to choose."""

    option_id: str
    label: Message


@dataclass(frozen=True)
class CommentField:
    """One question.

    ``options`` of ``choice`` and ``choices``; where ``listed`` is ``"stages"`` they are the stages of the proposal.
    ``max_length``: letters of a text (0: no text). ``lines``: how many lines a paper form leaves.
    """

    field_id: str
    kind: FieldKind
    label: Message
    options: tuple[FieldOption, ...] = ()
    required: bool = False
    max_length: int = 0
    lines: int = 1
    note: Message | None = None
    listed: Literal["", "stages", "units", "schools"] = ""


COMMENT_FIELDS: tuple[CommentField, ...] = (
    CommentField(
        "position",
        "choice",
        msg("What do you think of the proposal?"),
        (
            FieldOption("support", msg("I support it")),
            FieldOption("change", msg("I support it with changes")),
            FieldOption("object", msg("I object to it")),
            FieldOption("question", msg("I have a question")),
        ),
        required=True,
    ),
    CommentField(
        "community",
        "community",
        msg("Which community or village is it about?"),
        max_length=80,
        note=msg("Only the community; not your address."),
        listed="units",
    ),
    CommentField("stage", "choice", msg("Which stage is it about?"), listed="stages"),
    CommentField("school", "school", msg("Which school is it about?"), max_length=80, listed="schools"),
    CommentField(
        "topics",
        "choices",
        msg("What is it about?"),
        (
            FieldOption("distance", msg("the way is too long")),
            FieldOption("safety", msg("the way is not safe")),
            FieldOption("transport", msg("school bus or public transport")),
            FieldOption("boarding", msg("boarding")),
            FieldOption("places", msg("places and size of classes")),
            FieldOption("quality", msg("teachers and facilities")),
            FieldOption("siblings", msg("brothers and sisters at one school")),
            FieldOption("timing", msg("when it begins")),
            FieldOption("boundary", msg("where the boundary runs")),
            FieldOption("data", msg("something in the documents is wrong")),
            FieldOption("other", msg("something else")),
        ),
    ),
    CommentField(
        "comment",
        "long_text",
        msg("Your comment and your reasons"),
        required=True,
        max_length=2000,
        lines=8,
        note=msg("Please give no names of children or parents and no identity card numbers."),
    ),
    CommentField("wish", "long_text", msg("What should be done instead?"), max_length=1000, lines=8),
    CommentField(
        "role",
        "choice",
        msg("You are"),
        (
            FieldOption("family", msg("parent or guardian")),
            FieldOption("resident", msg("resident")),
            FieldOption("staff", msg("teacher or staff of a school")),
            FieldOption("committee", msg("village or residents' committee")),
            FieldOption("other", msg("someone else")),
        ),
    ),
    CommentField(
        "contact",
        "text",
        msg("Phone or e-mail, if you wish an answer"),
        max_length=100,
        note=msg("You may leave it empty. It is used only to answer you and is not published."),
    ),
)
"""All questions, in the order of every form. Their numbers, from 1, are printed and copied with the answers."""


def build_form_spec(consultation: Consultation, _: Translator) -> dict[str, Any]:
    """Return the form in the reader's language, ready for JSON.

    ``version``, ``format``, ``pack_id``, ``title``, ``language``, ``issuer``, ``send_to`` (office, phone, email,
    address; what is empty is left out), ``opens`` and ``closes`` (ISO days or ""), ``max_bytes`` of an answer, and
    ``fields``: ``id``, ``number``, ``kind``, ``label``, ``note``, ``options`` (``id``, ``label``), ``listed``,
    ``required``, ``max_length``, ``lines``.
    """
    options = consultation.options
    ways = {name: getattr(options, name) for name in ("office", "phone", "email", "address")}
    return {
        "format": FORM_FORMAT,
        "version": FORM_VERSION,
        "pack_id": consultation.pack_id,
        "title": consultation.title,
        "language": _.language,
        "issuer": options.issuer,
        "send_to": {name: value for name, value in ways.items() if value},
        "opens": _render_day(options.opens),
        "closes": _render_day(options.closes),
        "max_bytes": MAX_COMMENT_BYTES,
        "fields": [
            {
                "id": field.field_id,
                "number": number,
                "kind": field.kind,
                "label": _.say(field.label),
                "note": _.say(field.note) if field.note else "",
                "options": [
                    {"id": option.option_id, "label": _.say(option.label)}
                    for option in list_options(field, consultation, _)
                ],
                "listed": field.listed,
                "required": field.required,
                "max_length": field.max_length,
                "lines": field.lines,
            }
            for number, field in enumerate(COMMENT_FIELDS, start=1)
        ],
    }


def list_options(field: CommentField, consultation: Consultation, _: Translator) -> tuple[FieldOption, ...]:
    """Return the options of a field: its own, or the stages of this proposal in the reader's language."""
    if field.listed == "stages":
        stages = consultation.publication.stages
        return tuple(FieldOption(stage, Message("{name}", (("name", name_stage_short(stage, _)),))) for stage in stages)
    return field.options


def render_form_file(consultation: Consultation) -> bytes:
    """Return ``comment_form.json`` of a pack: the form in each of its languages, by language."""
    forms = {language: build_form_spec(consultation, read_catalogue(language)) for language in consultation.languages}
    return (json.dumps(forms, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode("utf-8")


def _render_day(day: datetime.date | None) -> str:
    return day.isoformat() if day else ""


def check_comment(comment: Mapping[str, Any], spec: Mapping[str, Any]) -> tuple[Message, ...]:
    """Return what is wrong with an answer file that was read as JSON; nothing where it is as the form asks.

    Parameters
    ----------
    comment : the answer
    spec : :func:`build_form_spec` of the pack that it should belong to, in any language
    """
    problems = [
        msg("{name} must be {expected}", name=name, expected=repr(spec[name]))
        for name in ("format", "version", "pack_id")
        if comment.get(name) != spec[name]
    ]
    answers = comment.get("answers")
    if not isinstance(answers, Mapping):
        return (*problems, msg("answers must be a table"))
    fields = {str(field["id"]): field for field in spec["fields"]}
    problems += [msg("{name} is not a question of this form", name=str(name)) for name in answers if name not in fields]
    for name, field in fields.items():
        if not answers.get(name):
            problems += [msg("{name} is missing", name=name)] if field["required"] else []
        elif not _fits(answers[name], field):
            problems.append(msg("{name} is not an answer to its question", name=name))
    return tuple(problems)


def _fits(answer: object, field: Mapping[str, Any]) -> bool:
    """Whether a given answer has the form of its field."""
    known = {option["id"] for option in field["options"]}
    kind = field["kind"]
    if kind == "choice":
        return isinstance(answer, str) and answer in known
    if kind == "choices":
        texts = isinstance(answer, list) and all(isinstance(item, str) for item in answer)
        return texts and set(answer) <= known and len(set(answer)) == len(answer)  # type: ignore[call-overload, arg-type]
    if kind in ("community", "school"):
        return (
            isinstance(answer, Mapping)
            and set(answer) <= {"id", "name"}
            and all(_is_text(value, field["max_length"]) for value in answer.values())
            and "name" in answer
        )
    return _is_text(answer, field["max_length"])


def _is_text(value: object, max_length: int) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= max_length
        and all(letter >= " " or letter in "\n\t" for letter in value)
    )

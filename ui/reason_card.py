"""The reason of an area on a card: why it goes where it goes, what would have to change. HTML with escaped words."""

from __future__ import annotations

from planning.reasons import Reason
from reports.language import Translator
from ui.cards import render_title, text


def build_reason(reason: Reason, _: Translator) -> str:
    """Return why an area goes where it goes, as HTML."""
    return render_title(_("Why")) + f'<div class="reason">{text(_.say(reason.message), longest=700)}</div>'


def build_changes(reason: Reason, _: Translator) -> str:
    """Return what would have to change, and what else stands in between, as HTML."""
    parts = []
    if reason.changes:
        parts.append(render_title(_("What would have to change")))
        parts.append(
            "<ul>" + "".join(f"<li>{text(_.say(item), longest=600)}</li>" for item in reason.changes) + "</ul>"
        )
    if reason.details:
        parts.append(render_title(_("More about it")))
        parts += [f"<p>{text(_.say(item), longest=600)}</p>" for item in reason.details]
    return "".join(parts)

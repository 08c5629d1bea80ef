"""Words of a certificate that all proofs share."""

from __future__ import annotations

from reports.language import Translator


def name_stop(stopped: str, _: Translator) -> str:
    """Return why a search ended."""
    names = {
        "proven": _("The search ended because nothing better can exist."),
        "gap": _("The search ended within the gap that was asked for."),
        "time": _("The search ended at the time limit."),
        "rounds": _("The search ended after its rounds."),
        "cancelled": _("The search was stopped."),
    }
    return names.get(stopped, "")

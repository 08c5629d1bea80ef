"""What a consultation pack says beside the plan: who publishes it, until when, and what is safe to show."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal, get_args

from geodata.messages import msg
from planning.option_checks import check_word, require_none

Datum = Literal["WGS-84", "CGCS2000", "GCJ-02"]
Scope = Literal["changed", "all"]

LEAST_THRESHOLD = 3
"""A threshold below this hides nothing: a count of two is known to each of the two."""


@dataclass(frozen=True)
class CostItem:
    """One sum of money that the plan needs, as the bureau gives it.

    ``amount`` in the currency of ``unit`` (for instance ``"CNY"``), of the prices of ``price_year``; ``school_year``:
    start of the school year in which it is spent.
    """

    name: str
    school_year: int
    amount: float
    unit: str = "CNY"
    price_year: int | None = None
    source: str = ""


@dataclass(frozen=True)
class PackOptions:
    """What is published, by whom and until when.

    Parameters
    ----------
    title
        Title of the proposal; empty: the name of the scenario.
    purpose
        Why the proposal is made, in the bureau's own words; may be empty.
    issuer, office, phone, email, address
        Who publishes and who is to be asked; what is empty stays a line to be filled in. No person's name.
    document_number
        Number of the document (文号).
    opens, closes
        First and last day on which objections are taken.
    map_number
        Number under which the map was reviewed (审图号); empty: not reviewed.
    show_boundaries
        Whether borders of townships are drawn. Without them a map of zones needs no review (rule X6).
    threshold
        Counts of pupils from 1 to below this are not shown (rule X11).
    datum
        Coordinates of the layers.
    scope
        ``"changed"``: the notice tells the schools whose zone, places or kind change; ``"all"``: every school.
    costs
        What the plan costs, where the bureau knows it.
    """

    title: str = ""
    purpose: str = ""
    issuer: str = ""
    office: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    document_number: str = ""
    opens: datetime.date | None = None
    closes: datetime.date | None = None
    map_number: str = ""
    show_boundaries: bool = False
    threshold: int = 10
    datum: Datum = "WGS-84"
    scope: Scope = "changed"
    costs: tuple[CostItem, ...] = ()

    def __post_init__(self) -> None:
        dates = self.opens is not None and self.closes is not None and self.closes < self.opens
        require_none(
            [
                check_word("datum", self.datum, get_args(Datum)),
                check_word("scope", self.scope, get_args(Scope)),
                msg("threshold must be at least {least}", least=LEAST_THRESHOLD)
                if self.threshold < LEAST_THRESHOLD
                else None,
                msg("closes must not lie before opens") if dates else None,
            ]
        )

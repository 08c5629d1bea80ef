"""The indicators of the two balance inspections: which assets count, per what, and what goes wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from geodata.messages import Message, msg
from planning.balance_tables import BalanceKind


@dataclass(frozen=True)
class BalanceIndicator:
    """One indicator: ``(sum of plus - sum of minus) / pupils × per``.

    Parameters
    ----------
    id
        That of its rule (``R1`` … ``R7``), or ``B1-1`` … ``B1-8``.
    rule_key
        Key of the rule that holds the limit of a school; empty: the inspection sets none.
    plus, minus
        Columns of ``study.assets``.
    per
        100 = per hundred pupils, 1 = per pupil.
    asset_unit
        Of the assets: teachers, m2, cny, rooms, computers, books.
    whole
        Whether a shortage is counted in whole pieces.
    short
        A few words, for a column.
    """

    id: str
    kind: BalanceKind
    rule_key: str
    title: Message
    short: Message
    plus: tuple[str, ...]
    minus: tuple[str, ...]
    per: int
    asset_unit: str
    whole: bool
    definition: Message
    trap: Message

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are needed."""
        return (*self.plus, *self.minus)


BALANCE_UNITS: Mapping[str, Message] = MappingProxyType(
    {
        "teachers": msg("teachers"),
        "m2": msg("m²"),
        "cny": msg("yuan"),
        "rooms": msg("rooms"),
        "computers": msg("computers"),
        "books": msg("books"),
    }
)

QUALITY_INDICATORS: tuple[BalanceIndicator, ...] = (
    BalanceIndicator(
        "R1",
        "quality",
        "teachers_above_required_degree_per_100",
        msg("Teachers with more than the required degree per 100 pupils"),
        msg("Higher degree"),
        ("above_degree_teachers",),
        (),
        100,
        "teachers",
        True,
        msg("Full-time teachers with more than the required degree / pupils × 100."),
        msg(
            "Above the required degree means an associate degree and more in primary schools, a bachelor's degree and"
            " more in junior schools. One source asks for a bachelor's degree in primary schools too: count as your"
            " province does, and say so."
        ),
    ),
    BalanceIndicator(
        "R2",
        "quality",
        "backbone_teachers_per_100",
        msg("Backbone teachers of county level and above per 100 pupils"),
        msg("Backbone teachers"),
        ("backbone_teachers",),
        (),
        100,
        "teachers",
        True,
        msg("Backbone teachers of county level and above / pupils × 100."),
        msg("A teacher with titles of several levels counts once. School-level titles do not count."),
    ),
    BalanceIndicator(
        "R3",
        "quality",
        "pe_art_teachers_per_100",
        msg("Full-time teachers of physical education and the arts per 100 pupils"),
        msg("Sports and arts teachers"),
        ("pe_art_teachers",),
        (),
        100,
        "teachers",
        True,
        msg(
            "Full-time teachers of physical education, music, fine art and art / pupils × 100. Rural schools of 50 to"
            " 99 pupils also count rotating, part-time and itinerant ones (shared_pe_art_teachers)."
        ),
        msg(
            "Shared teachers count in rural schools of 50 to 99 pupils only. Whether a school is rural must be known"
            " (schools.setting)."
        ),
    ),
    BalanceIndicator(
        "R4",
        "quality",
        "teaching_auxiliary_area_per_pupil",
        msg("Teaching and auxiliary rooms per pupil"),
        msg("Teaching rooms"),
        ("teaching_area_m2",),
        ("indoor_sports_m2",),
        1,
        "m2",
        False,
        msg("(Teaching and auxiliary rooms − indoor sports rooms) / pupils."),
        msg(
            "Indoor sports rooms stand in the reported area and are taken off: they count under sports grounds. A blank"
            " for them is not 0: write 0 where a school has none."
        ),
    ),
    BalanceIndicator(
        "R5",
        "quality",
        "sports_area_per_pupil",
        msg("Sports grounds and halls per pupil"),
        msg("Sports grounds"),
        ("outdoor_sports_m2", "indoor_sports_m2"),
        (),
        1,
        "m2",
        False,
        msg(
            "(Outdoor sports grounds + indoor sports rooms) / pupils. Rented venues within ten minutes on foot count"
            " in dense cores of big cities only."
        ),
        msg(
            "Rented venues count only in the towns that the rulebook names as dense core (dense_core_towns of this"
            " rule); it names none by itself."
        ),
    ),
    BalanceIndicator(
        "R6",
        "quality",
        "equipment_value_per_pupil",
        msg("Teaching equipment per pupil"),
        msg("Equipment"),
        ("equipment_cny",),
        (),
        1,
        "cny",
        False,
        msg("Book value of teaching instruments and equipment in yuan / pupils."),
        msg("In yuan, not ten thousands of yuan (万元): a factor of 10,000 is the commonest mistake in reports."),
    ),
    BalanceIndicator(
        "R7",
        "quality",
        "multimedia_rooms_per_100",
        msg("Networked multimedia classrooms per 100 pupils"),
        msg("Multimedia rooms"),
        ("multimedia_rooms",),
        (),
        100,
        "rooms",
        True,
        msg("Classrooms with networked multimedia / pupils × 100."),
        msg("2.3 and 2.4 per 100 pupils are one room for about 43 and 42 pupils: special rooms have to count as well."),
    ),
)


def _basic(number: int, title: Message, short: Message, column: str, per: int, unit: str) -> BalanceIndicator:
    """Return one of the eight of 2012: an asset over pupils, without a limit for the single school."""
    return BalanceIndicator(
        f"B1-{number}",
        "basic",
        "",
        title,
        short,
        (column,),
        (),
        per,
        unit,
        unit in ("teachers", "computers"),
        msg("Assets / pupils; only the spread between schools is judged, by the mean of the eight coefficients."),
        msg("The single school is held to the standards of its province, which this rulebook does not hold."),
    )


BASIC_INDICATORS: tuple[BalanceIndicator, ...] = (
    _basic(1, msg("Teaching and auxiliary rooms per pupil"), msg("Teaching rooms"), "teaching_area_m2", 1, "m2"),
    BalanceIndicator(
        "B1-2",
        "basic",
        "",
        msg("Sports grounds and halls per pupil"),
        msg("Sports grounds"),
        ("outdoor_sports_m2", "indoor_sports_m2"),
        (),
        1,
        "m2",
        False,
        msg("(Outdoor sports grounds + indoor sports rooms) / pupils; only the spread between schools is judged."),
        msg("In 2012 indoor sports rooms count under teaching rooms as well: nothing is taken off there."),
    ),
    _basic(3, msg("Teaching equipment per pupil"), msg("Equipment"), "equipment_cny", 1, "cny"),
    _basic(4, msg("Computers per 100 pupils"), msg("Computers"), "pupil_computers", 100, "computers"),
    _basic(5, msg("Books per pupil"), msg("Books"), "library_books", 1, "books"),
    _basic(6, msg("Teachers per pupil"), msg("Teachers"), "staff_teachers", 1, "teachers"),
    _basic(
        7,
        msg("Teachers with more than the required degree per pupil"),
        msg("Higher degree"),
        "above_degree_teachers",
        1,
        "teachers",
    ),
    _basic(
        8,
        msg("Teachers with a middle or higher title per pupil"),
        msg("Middle and higher titles"),
        "mid_title_teachers",
        1,
        "teachers",
    ),
)

BALANCE_INDICATORS: Mapping[BalanceKind, tuple[BalanceIndicator, ...]] = MappingProxyType(
    {"quality": QUALITY_INDICATORS, "basic": BASIC_INDICATORS}
)


def find_indicator(indicator_id: str) -> BalanceIndicator:
    """Return an indicator by its id; ``KeyError`` for one that is not there."""
    for item in (*QUALITY_INDICATORS, *BASIC_INDICATORS):
        if item.id == indicator_id:
            return item
    raise KeyError(indicator_id)

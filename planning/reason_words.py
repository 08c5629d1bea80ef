"""The reasons of ``planning.reasons`` in words; every number is handed in, nothing is found out here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from geodata.messages import Message, msg
from planning.conflicts import name_some
from planning.drawing import DrawingTable
from planning.drawing_state import DrawingState
from planning.obstacles import ReasonKind
from planning.room_chains import Chain, compute_joining

Ints = npt.NDArray[np.int64]
NAMED = 3
"""Units named in a reason; the fields hold all of them."""


@dataclass(frozen=True, eq=False)
class Placed:
    """Units placed at the nearest school: ``closer`` to it than the unit (nearest first), ``farther`` (farthest first).

    ``attached_pupils``: of those farther, the pupils for whom it is the nearest school all the same.
    """

    closer: Ints
    farther: Ints
    closer_pupils: float
    farther_pupils: float
    attached_pupils: float


NOBODY = Placed(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Told:
    """Everything that is told of one unit."""

    table: DrawingTable
    state: DrawingState
    unit: int
    near: int
    point: int
    kinds: tuple[ReasonKind, ...]
    extra_min: float
    short_places: float = 0.0
    placed: Placed = NOBODY
    between: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    cut_off: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    chain: Chain | None = None
    all_tried: bool = True

    def add(
        self, short_places: float, placed: Placed, between: Ints, cut_off: Ints, chain: Chain | None, all_tried: bool
    ) -> Told:
        """Return the same with what was found out about the nearest school."""
        return replace(
            self,
            short_places=short_places,
            placed=placed,
            between=between,
            cut_off=cut_off,
            chain=chain,
            all_tried=all_tried,
        )

    @property
    def unit_name(self) -> str:
        """Name of the unit."""
        return self.table.unit_names[self.unit]

    @property
    def school(self) -> str:
        """Name of the nearest school."""
        return self.table.zone_names[self.near] if self.near >= 0 else ""

    @property
    def old_school(self) -> str:
        """Name of the school that the unit goes to."""
        zone = int(self.state.zone[self.unit])
        return self.table.zone_names[zone] if zone >= 0 else ""

    @property
    def pupils(self) -> float:
        """Pupils by which the nearest school would grow."""
        return float(compute_joining(self.table, self.state, np.array([self.unit]), np.array([self.near]))[0])

    @property
    def saved_min(self) -> float:
        """Pupil-minutes a day one way that the move would save; NaN where a way is not known."""
        return self.extra_min * float(self.table.pupils[self.unit])

    def names(self, units: Ints) -> Message:
        """Return the names of the first units."""
        return name_some([self.table.unit_names[at] for at in units.tolist()], NAMED)

    def count(self, units: Ints) -> float:
        """Return the pupils of units."""
        return float(self.table.pupils[units].sum())


def tell_main(told: Told) -> Message:
    """Return the main thing in one sentence."""
    return _tell(told, told.kinds[0])


def tell_details(told: Told) -> tuple[Message, ...]:
    """Return what else stands in between, how much farther the way is, and who is placed at the nearest school."""
    found = [_tell(told, kind) for kind in told.kinds[1:]]
    if told.near < 0 or told.kinds[0] in ("nearest", "seat", "teaching_point", "no_way"):
        return tuple(found)
    if told.point >= 0:
        found.append(_tell_point(told))
    if math.isfinite(told.extra_min):
        found.append(
            msg(
                "The way to {old} is {extra:.0f} min longer than to {school}, the nearest.",
                old=told.old_school,
                extra=told.extra_min,
                school=told.school,
            )
        )
    return (*found, _tell_farther(told))


def _tell(told: Told, kind: ReasonKind) -> Message:
    if kind in ("nearest", "seat", "teaching_point", "no_zone", "no_way"):
        return _tell_place(told, kind)
    if kind == "full":
        return _tell_full(told)
    if kind == "free":
        return _tell_free(told)
    if kind in ("apart", "cuts"):
        return _tell_connection(told, kind)
    return _tell_rule(told, kind)


def _tell_place(told: Told, kind: ReasonKind) -> Message:
    values = {"unit": told.unit_name, "school": told.school}
    if kind == "seat":
        return msg("{school} stands here.", **values)
    if kind == "nearest":
        return msg("{unit} goes to {school}, its nearest school.", **values)
    if kind == "teaching_point":
        return _tell_point(told)
    if kind == "no_zone":
        return msg("{unit} has no school yet; the nearest is {school}.", **values)
    return msg("No way leads from {unit} to a complete school.", **values)


def _tell_point(told: Told) -> Message:
    schools = told.table.facts.schools
    return msg(
        "{point} is nearer to {unit}, but it is a teaching point without a zone; of the complete schools {school} is"
        " the nearest.",
        point=str(schools["name"].iloc[told.point]),
        unit=told.unit_name,
        school=told.school,
    )


def _tell_full(told: Told) -> Message:
    placed, load = told.placed, float(told.state.load[told.near])
    values = {
        "school": told.school,
        "unit": told.unit_name,
        "load": load,
        "places": float(told.table.places[told.near]),
        "pupils": told.pupils,
        "short": math.ceil(told.short_places - 1e-6),
    }
    if not len(placed.closer):
        return msg(
            "{school}, the nearest, has {load:,.0f} pupils on {places:,.0f} places; with the {pupils:,.0f} of {unit} it"
            " would be {short:,.0f} places short. Nobody placed there lives closer to it.",
            **values,
        )
    return msg(
        "{school}, the nearest, has {load:,.0f} pupils on {places:,.0f} places; with the {pupils:,.0f} of {unit} it"
        " would be {short:,.0f} places short. {closer:,.0f} pupils of {units} units placed there live closer to it:"
        " {names}.",
        closer=placed.closer_pupils,
        units=len(placed.closer),
        names=told.names(placed.closer),
        **values,
    )


def _tell_farther(told: Told) -> Message:
    """Return who is placed at the nearest school though they live farther from it: said whatever it proves."""
    placed = told.placed
    values = {"school": told.school, "unit": told.unit_name}
    if not len(placed.farther):
        return msg("Nobody placed at {school} lives farther from it than {unit}.", **values)
    values_more = {
        "pupils": placed.farther_pupils,
        "count": len(placed.farther),
        "names": told.names(placed.farther),
        **values,
    }
    if placed.attached_pupils >= 0.5:
        return msg(
            "{pupils:,.0f} pupils of {count} units placed at {school} live farther from it than {unit}: {names}. For"
            " {attached:,.0f} of them it is the nearest school too.",
            attached=placed.attached_pupils,
            **values_more,
        )
    return msg(
        "{pupils:,.0f} pupils of {count} units placed at {school} live farther from it than {unit}: {names}. For none"
        " of them is it the nearest school.",
        **values_more,
    )


def _tell_free(told: Told) -> Message:
    values = {
        "school": told.school,
        "unit": told.unit_name,
        "pupils": told.pupils,
        "saved": told.saved_min,
    }
    free = float(told.state.free(told.table)[told.near])
    if told.pupils <= 0:
        return msg("Nothing stands against {school}, the nearest: {unit} has no pupils of this stage.", **values)
    if not math.isfinite(free):
        return msg(
            "Nothing stands against {school}, the nearest, whose places are not known. The move would save {saved:,.0f}"
            " pupil-minutes a day one way.",
            **values,
        )
    return msg(
        "Nothing stands against {school}, the nearest: it has {free:,.0f} places left for the {pupils:,.0f} pupils of"
        " {unit}. The move would save {saved:,.0f} pupil-minutes a day one way.",
        free=free,
        **values,
    )


def _tell_connection(told: Told, kind: ReasonKind) -> Message:
    values = {"school": told.school, "unit": told.unit_name, "old": told.old_school}
    if kind == "cuts":
        return msg(
            "Without {unit}, {count} units with {pupils:,.0f} pupils would be cut off from {old}: {names}.",
            count=len(told.cut_off),
            pupils=told.count(told.cut_off),
            names=told.names(told.cut_off),
            **values,
        )
    if not len(told.between):
        return msg(
            "{unit} cannot hang together with the zone of {school}: no chain of neighbours joins them.", **values
        )
    return msg(
        "{unit} does not touch the zone of {school}, the nearest: {count} units lie in between: {names}.",
        count=len(told.between),
        names=told.names(told.between),
        **values,
    )


def _tell_rule(told: Told, kind: ReasonKind) -> Message:
    values = {"school": told.school, "unit": told.unit_name, "old": told.old_school}
    if kind == "locked":
        return msg("{unit} is locked to {old}; {school} is nearer.", **values)
    if kind == "other_seat":
        return msg("{old} stands in {unit}, though {school} is nearer by the roads.", **values)
    if kind == "shut":
        return msg("The zone of {school}, the nearest, is locked: nobody may join it.", **values)
    if kind == "closed":
        return msg("{school}, the nearest, is closed to {unit}.", **values)
    if kind == "barrier":
        return msg("A barrier that must not be crossed lies between {unit} and {school}, the nearest.", **values)
    return msg("The travel limit does not allow {unit} to go to {school}, the nearest.", **values)


def tell_changes(told: Told) -> tuple[Message, ...]:
    """Return what would have to change for the unit to go to its nearest school."""
    found = [_tell_change(told, kind) for kind in told.kinds if kind not in ("full", "no_zone", "free")]
    changes = [message for message in found if message is not None]
    if "full" in told.kinds:
        changes += _tell_room(told)
    if told.kinds[0] == "free" or told.kinds == ("no_zone",):
        changes.append(msg("Give {unit} to {school}.", unit=told.unit_name, school=told.school))
    return tuple(changes)


def _tell_change(told: Told, kind: ReasonKind) -> Message | None:
    values = {"school": told.school, "unit": told.unit_name, "old": told.old_school}
    if kind == "locked":
        return msg("Unlock {unit}.", **values)
    if kind == "shut":
        return msg("Unlock the zone of {school}.", **values)
    if kind == "other_seat":
        return msg("Let {old} and {school} share a zone.", **values)
    if kind == "closed":
        return msg("Open {school} to {unit}.", **values)
    if kind == "barrier":
        return msg("Let pupils of {unit} cross the barrier.", **values)
    if kind == "travel_cap":
        return msg("Price the travel limit, or raise it for {unit}.", **values)
    if kind == "cuts":
        return msg(
            "Give the units that would be cut off to another school as well ({names}), or keep another link to {old}.",
            names=told.names(told.cut_off),
            **values,
        )
    if kind == "apart" and len(told.between):
        free = float(told.state.free(told.table)[told.near])
        pupils = told.count(told.between)
        if math.isfinite(free):
            return msg(
                "Give {school} the units in between as well ({names}): {pupils:,.0f} pupils more; it has {free:,.0f}"
                " places left.",
                names=told.names(told.between),
                pupils=pupils,
                free=free,
                **values,
            )
        return msg(
            "Give {school} the units in between as well ({names}): {pupils:,.0f} pupils more.",
            names=told.names(told.between),
            pupils=pupils,
            **values,
        )
    return None


def _tell_room(told: Told) -> list[Message]:
    """Return how many places would do, and the cheapest moves of others that make as much room."""
    values = {
        "school": told.school,
        "unit": told.unit_name,
        "short": math.ceil(told.short_places - 1e-6),
        "saved": told.saved_min,
    }
    alone = set(told.kinds) <= {"full", "no_zone"}
    if not alone:
        return [msg("Add {short:,.0f} places at {school}; that alone is not enough.", **values)]
    enough = (
        msg(
            "With {short:,.0f} more places at {school}, {unit} could go there: {saved:,.0f} pupil-minutes a day less,"
            " one way.",
            **values,
        )
        if math.isfinite(told.saved_min)
        else msg("With {short:,.0f} more places at {school}, {unit} could go there.", **values)
    )
    return [enough, _tell_chain(told)]


def _tell_chain(told: Told) -> Message:
    values: dict[str, object] = {"school": told.school, "unit": told.unit_name}
    if told.chain is None:
        if told.all_tried:
            return msg(
                "Moving one or two units placed at {school}, or one of them and one that makes way for it, makes no"
                " room there without breaking a rule.",
                **values,
            )
        return msg("Many moves of other units were tried; none was found that makes room at {school}.", **values)
    table = told.table
    lost, saved = told.chain.lost_min, told.saved_min
    steps = [
        msg(
            "{name} ({pupils:,.0f} pupils) from {old} to {new}",
            name=table.unit_names[at],
            pupils=float(table.pupils[at]),
            old=table.zone_names[old],
            new=table.zone_names[new],
        )
        for at, old, new in told.chain.moves
    ]
    moves = steps[0] if len(steps) == 1 else msg("{first}, and {second}", first=steps[0], second=steps[1])
    values |= {"moves": moves, "lost": abs(lost), "net": abs(lost - saved), "saved": saved}
    if not math.isfinite(saved):
        return msg("Room could be made by moving {moves}.", **values)
    if lost < 0:
        return msg(
            "Room could be made by moving {moves}: {lost:,.0f} pupil-minutes a day less for them, {saved:,.0f} less for"
            " {unit}.",
            **values,
        )
    if lost > saved:
        return msg(
            "Room could be made by moving {moves}: {lost:,.0f} pupil-minutes a day more for them, {saved:,.0f} less for"
            " {unit}, so {net:,.0f} more in all.",
            **values,
        )
    return msg(
        "Room could be made by moving {moves}: {lost:,.0f} pupil-minutes a day more for them, {saved:,.0f} less for"
        " {unit}, so {net:,.0f} less in all.",
        **values,
    )

"""What a comparison counts beside the indicators, each with its definition: who gains, who loses, which schools go."""

from __future__ import annotations

from dataclasses import dataclass

from geodata.messages import Message, msg
from planning.indicators import Direction


@dataclass(frozen=True)
class Measure:
    """One number of a comparison. ``name``: column of ``planning.compare_units.TOTAL_COLUMNS``, else of its own."""

    name: str
    unit: str
    direction: Direction
    title: Message
    definition: Message


MEASURES: tuple[Measure, ...] = (
    Measure(
        "worse_pupils",
        "pupils",
        "lower",
        msg("Pupils with a longer way"),
        msg("Pupils of areas whose mean way to school takes at least 0.5 minutes longer than in the baseline."),
    ),
    Measure(
        "better_pupils",
        "pupils",
        "higher",
        msg("Pupils with a shorter way"),
        msg("Pupils of areas whose mean way to school takes at least 0.5 minutes less than in the baseline."),
    ),
    Measure(
        "lost_pupils",
        "pupils",
        "lower",
        msg("Pupils who lose their way to school"),
        msg("Pupils who can reach a school of the stage in the baseline and none in this option."),
    ),
    Measure(
        "won_pupils",
        "pupils",
        "higher",
        msg("Pupils who get a way to school"),
        msg("Pupils who can reach no school of the stage in the baseline and one in this option."),
    ),
    Measure(
        "moved_pupils",
        "pupils",
        "neutral",
        msg("Pupils at another school"),
        msg("Pupils who by the model go to another school than in the baseline, also where their way is as long."),
    ),
    Measure(
        "mean_change_min",
        "min",
        "lower",
        msg("Mean change of the way"),
        msg("Change of the mean way of every area, one way, averaged over all pupils with a known way in both."),
    ),
    Measure(
        "gone_schools",
        "schools",
        "neutral",
        msg("Schools closed"),
        msg("Schools that teach the stage in the baseline and not in this option."),
    ),
    Measure(
        "new_schools",
        "schools",
        "neutral",
        msg("Schools opened"),
        msg("Schools that teach the stage in this option and not in the baseline."),
    ),
)
"""In the order in which tables show them."""

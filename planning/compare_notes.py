"""What a reader must know before reading a comparison: where the answers were not asked alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from geodata.messages import Message, msg
from planning.scenario import name_mode, name_stage

if TYPE_CHECKING:
    from planning.run import Outcome


def list_notes(outcomes: Sequence[Outcome], names: Sequence[str]) -> Iterator[Message]:
    """Yield, for every answer but the first, in what it was asked otherwise than the first; the gravest come first."""
    first = outcomes[0]
    others = list(zip(outcomes[1:], names[1:], strict=True))
    for outcome, name in others:
        yield from _compare_questions(first, outcome, names[0], name)
    for outcome, name in others:
        yield from _compare_scopes(first, outcome, names[0], name)


def _compare_questions(first: Outcome, other: Outcome, base: str, name: str) -> Iterator[Message]:
    asked, also = first.scenario, other.scenario
    ahead, also_ahead = first.record.forecast, other.record.forecast
    if _find_files(first) != _find_files(other):
        yield msg("“{name}” is of another state of the county's data than “{base}”.", name=name, base=base)
    if ahead.get("view") != also_ahead.get("view"):
        yield msg(
            "“{name}” counts {pupils}, “{base}” counts {other}: part of the difference comes from that.",
            name=name,
            pupils=name_pupils(other.record.forecast.get("view", "")),
            base=base,
            other=name_pupils(first.record.forecast.get("view", "")),
        )
    elif ahead.get("fingerprint") != also_ahead.get("fingerprint"):
        yield msg("The forecasts of “{name}” and “{base}” were made with other settings.", name=name, base=base)
    if asked.mode != also.mode:
        yield msg(
            "“{name}” is {mode}, “{base}” {other}: the minutes differ for that reason too.",
            name=name,
            mode=name_mode(also.mode),
            base=base,
            other=name_mode(asked.mode),
        )
    if asked.enrolment != also.enrolment or asked.measure != also.measure:
        yield msg(
            "“{name}” sends children to school by another rule ({method}) than “{base}” ({other}):"
            " part of the difference comes from that.",
            name=name,
            method=name_enrolment(also.enrolment),
            base=base,
            other=name_enrolment(asked.enrolment),
        )
    if first.record.rulebook_fingerprint != other.record.rulebook_fingerprint:
        yield msg("“{name}” is judged by another rulebook than “{base}”.", name=name, base=base)


def _find_files(outcome: Outcome) -> str:
    """Return the fingerprint of the study of today behind an answer."""
    return outcome.record.forecast.get("study_fingerprint", outcome.record.study_fingerprint)


def name_pupils(view: str) -> Message:
    """Return in words whose pupils a view ("2030 middle", or empty) holds."""
    year, _, variant = view.partition(" ")
    said = {
        "low": msg("the pupils of {year}, low variant", year=year),
        "middle": msg("the pupils of {year}, middle variant", year=year),
        "high": msg("the pupils of {year}, high variant", year=year),
    }
    return said.get(variant) or msg("today's pupils")


def _compare_scopes(first: Outcome, other: Outcome, base: str, name: str) -> Iterator[Message]:
    asked, also = first.scenario, other.scenario
    if asked.year != also.year:
        yield msg("“{name}” is asked for another school year than “{base}”.", name=name, base=base)
    for stage in asked.stages:
        if stage not in also.stages:
            yield msg("“{name}” does not answer for: {stage}.", name=name, stage=name_stage(stage))
    for stage in also.stages:
        if stage not in asked.stages:
            yield msg("“{name}” does not answer for: {stage}.", name=base, stage=name_stage(stage))


def name_enrolment(enrolment: str) -> Message:
    """How children are sent to school, in words."""
    names = {
        "nearest": msg("nearest school"),
        "zones": msg("current catchments"),
        "capacity": msg("least travel within the places"),
        "choice": msg("as families choose"),
        "zoning": msg("new catchments"),
    }
    return names.get(enrolment) or msg("{enrolment}", enrolment=enrolment)

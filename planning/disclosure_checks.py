"""The check before anything leaves the building: what stands against publishing, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.disclosure_audit import COUNTED, Narrowed, find_narrowed
from planning.publication import Publication
from planning.publication_options import PackOptions
from planning.rules import Rules
from planning.scenario import name_stage

RULE_KEY = "suppress_counts_below"
USUAL_THRESHOLD = 10
"""Where no rulebook says it: rule X11 of the Chinese one."""
MOST_NAMED = 5
ID_NUMBER = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{5}((?:18|19|20)\d{2})(\d{2})(\d{2})\d{3}[\dXx](?![0-9A-Za-z])")
MOBILE_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![0-9A-Za-z])")
COUNT_IN_WORDS = re.compile(
    r"(?<![\d.,])(\d{1,4})\s*(?:名|个|位)?\s*(?:人|学生|儿童|幼儿|pupils|children|students|child\b)"
)
COUNT_IN_CHINESE = re.compile(
    r"(?<![第十百千万零〇两一二三四五六七八九])([两一二三四五六七八九])\s*(?:名|个|位)?\s*(?:人(?!民)|学生|儿童|幼儿|孩子)"
)
CHINESE_DIGITS = {"两": 2, **{digit: value for value, digit in enumerate("一二三四五六七八九", start=1)}}
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"


@dataclass(frozen=True)
class DisclosureProblem:
    """What must not be published as it is. ``blocks``: nothing may be exported before it is mended."""

    message: Message
    cure: Message
    blocks: bool = True


def check_disclosure(
    study: StudyArea,
    publication: Publication,
    options: PackOptions,
    *,
    rules: Rules | None = None,
    texts: Iterable[str] = (),
) -> tuple[DisclosureProblem, ...]:
    """Return what stands against publishing, the gravest first; empty: it may be published.

    Parameters
    ----------
    study
        Whose names of schools and communities stand in the documents.
    publication, options
        What is to be published.
    rules
        Whose threshold for small counts is compared with that of the options.
    texts
        Further texts that will be printed: comments of actions, notes of the procedure.
    """
    found = [
        *_check_county(publication),
        *_check_small(publication),
        *_check_narrowed(publication),
        *_check_persons(study, publication, options, texts),
        *_check_threshold(publication, options, rules),
        *_check_map(options),
    ]
    return tuple(sorted(found, key=lambda problem: not problem.blocks))


def _check_county(publication: Publication) -> Iterator[DisclosureProblem]:
    totals = publication.totals
    for stage, pupils in zip(totals["stage"], totals["pupils"].astype(float), strict=True):
        if pupils < publication.threshold:
            yield DisclosureProblem(
                msg(
                    "{stage}: the whole county has fewer than {threshold} pupils. Nothing can be said of them without"
                    " showing who they are.",
                    stage=name_stage(str(stage)),
                    threshold=publication.threshold,
                ),
                msg("Leave this stage out of the scenario."),
            )


def _check_small(publication: Publication) -> Iterator[DisclosureProblem]:
    """Shown counts below the threshold."""
    count = 0
    for name, columns in COUNTED.items():
        for column, _ in columns:
            count += _count_small(getattr(publication, name)[column], publication.threshold)
    for side in ("before", "after"):
        count += _count_small(publication.schools[f"roll_{side}"], publication.threshold)
    if count:
        yield DisclosureProblem(
            msg(
                "{count} counts of fewer than {threshold} pupils would be shown.",
                count=count,
                threshold=publication.threshold,
            ),
            msg("Make the pack again from the scenario, with the same threshold everywhere."),
        )


def _count_small(values: pd.Series[float], threshold: int) -> int:
    numbers = values.to_numpy(dtype=np.float64)
    return int(((numbers > 0) & (numbers < threshold)).sum())


def _check_narrowed(publication: Publication) -> Iterator[DisclosureProblem]:
    found = find_narrowed(publication)
    if not found:
        return
    names = tuple(_name_count(publication, item) for item in found[:MOST_NAMED])
    yield DisclosureProblem(
        msg(
            "{count} hidden counts can be worked out from those that are shown, among them: {names}.",
            count=len(found),
            names=names,
        ),
        msg("Choose a lower threshold, or fewer and larger communities, and make the pack again."),
    )


def _name_count(publication: Publication, item: Narrowed) -> Message:
    """Return what a count is of, for the planner."""
    row = getattr(publication, item.table).loc[item.row]
    if item.table == "units":
        return msg("community {name}", name=str(row["name"]) or str(row["unit_id"]))
    if item.table == "schools":
        return msg("school {name}", name=str(row["name"]) or str(row["school_id"]))
    if item.table == "flows":
        return msg(
            "from {first} to {second}",
            first=str(row["before_name"]) or str(row["before_id"]) or "–",
            second=str(row["after_name"]) or str(row["after_id"]) or "–",
        )
    return msg("town {name}", name=str(row["town"])) if item.table == "towns" else msg("the county as a whole")


def _check_persons(
    study: StudyArea, publication: Publication, options: PackOptions, texts: Iterable[str]
) -> Iterator[DisclosureProblem]:
    """Numbers of persons in what is printed: identity cards, mobile telephones; small counts in notes."""
    places: list[tuple[Message, list[str]]] = [
        (msg("the title or purpose"), [options.title, options.purpose, options.document_number]),
        (msg("the issuer or its address"), [options.issuer, options.office, options.address]),
        (msg("the telephone or e-mail"), [options.phone, options.email]),
        (msg("the costs"), [text for item in options.costs for text in (item.name, item.source)]),
        (msg("names of schools"), [*_read_names(study.schools), *publication.schools["name"].astype(str)]),
        (msg("names of communities"), [*_read_names(study.units), *publication.units["name"].astype(str)]),
        (msg("notes on the actions"), [*_read_reasons(publication), *texts]),
    ]
    for where, listed in places:
        whole = "\n".join(dict.fromkeys(text for text in listed if text))
        if any(map(_is_id_number, ID_NUMBER.finditer(whole))):
            yield DisclosureProblem(
                msg("There is an identity card number in {where}.", where=where),
                msg("Take it out: no person is named."),
            )
        if MOBILE_NUMBER.search(whole):
            is_office = where.template == "the telephone or e-mail"
            yield DisclosureProblem(
                msg("There is a mobile telephone number in {where}.", where=where),
                msg("Give the number of an office, not of a person."),
                blocks=not is_office,
            )
    for where, listed in (places[0], places[-1]):
        yield from _check_words("\n".join(dict.fromkeys(listed)), where, publication.threshold)


def _check_words(text: str, where: Message, threshold: int) -> Iterator[DisclosureProblem]:
    """Small counts of persons that a text tells."""
    told = [(int(found[1]), found[0]) for found in COUNT_IN_WORDS.finditer(text)]
    told += [(CHINESE_DIGITS[found[1]], found[0]) for found in COUNT_IN_CHINESE.finditer(text)]
    small = [words for count, words in told if 0 < count < threshold]
    if small:
        yield DisclosureProblem(
            msg("In {where} there seems to be a small number of persons: {words}.", where=where, words=small[0]),
            msg("Write it without the number."),
            blocks=False,
        )


def _is_id_number(found: re.Match[str]) -> bool:
    """Tell whether eighteen digits are an identity card number: a date of birth, and the right check digit."""
    try:
        date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return False
    text = found[0].upper()
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], WEIGHTS, strict=True))
    return CHECK_DIGITS[total % 11] == text[17]


def _read_names(table: pd.DataFrame) -> list[str]:
    return table["name"].fillna("").astype(str).tolist()


def _read_reasons(publication: Publication) -> list[str]:
    reasons = dict.fromkeys(publication.units["reason"])
    return [str(reason) for reason in reasons if reason is not None]


def _check_threshold(
    publication: Publication, options: PackOptions, rules: Rules | None
) -> Iterator[DisclosureProblem]:
    if publication.threshold != options.threshold:
        yield DisclosureProblem(
            msg("Counts were hidden by another threshold than the one asked for."),
            msg("Make the pack again from the scenario, with the same threshold everywhere."),
        )
    usual = _read_usual(rules)
    if options.threshold < usual:
        yield DisclosureProblem(
            msg(
                "The threshold for small counts is {threshold}; the rulebook names {usual}.",
                threshold=options.threshold,
                usual=usual,
            ),
            msg("Raise the threshold, unless a rule of your province allows less."),
            blocks=False,
        )


def _check_map(options: PackOptions) -> Iterator[DisclosureProblem]:
    """Borders on a map that nobody has reviewed."""
    if options.show_boundaries and not options.map_number.strip():
        yield DisclosureProblem(
            msg("The maps show borders of townships and have no map review number (审图号)."),
            msg("Give the number under which the map was reviewed, or leave the borders out."),
            blocks=False,
        )


def _read_usual(rules: Rules | None) -> int:
    for rule in rules.rules if rules is not None else ():
        value = rule.value
        if rule.key == RULE_KEY and isinstance(value, int | float):
            return int(value)
        if rule.key == RULE_KEY and isinstance(value, dict) and value:
            return int(next(iter(value.values())))
    return USUAL_THRESHOLD

"""Names of villages and townships matched between two tables, as people write them.

Three rounds within each township, each over what the rounds before left over: names equal after normalising (width,
blanks, the many words for a village committee), stems equal (without 村, 社区, remarks in brackets, accents), and near
stems, where the likeness is rapidfuzz's normalised insertion-deletion similarity. A near match is never final: it is
proposed, with its likeness, for a person to review, and only used at once where it is close and nothing else is.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from geodata.values import normalise_text

NEAR_SHARE = 0.8
"""Likeness from which a near match is used before anyone has reviewed it, if nothing else is as near."""
LEAD_SHARE = 0.1
"""How much less alike the second best must be."""
CANDIDATE_SHARE = 0.5
"""Likeness from which a place is shown as a candidate."""
MAX_CANDIDATES = 5

Status: TypeAlias = Literal["exact", "near", "accepted", "left_out", "ambiguous", "unknown"]

_VILLAGE = re.compile(r"(行政村|村民委员会|村委会|村民委|村委|自然村|村)$")
_COMMUNITY = re.compile(r"(社区居民委员会|社区居委会|居民委员会|社区居委|居委会|社区)$")
_TOWN = re.compile(r"(街道办事处|街道办|办事处|地区办事处|街道|民族乡|[镇乡])$")
_BRACKETS = re.compile(r"[(\[【〔][^)\]】〕]*[)\]】〕]")
_TELLING = re.compile(r"[0-9一二三四五六七八九十东南西北中上下前后新老]")
"""Letters of which one alone makes another place."""
_FILLERS = re.compile(r"[\s_\-*:.,、\"'“”·•]+")


@dataclass(frozen=True)
class PlaceName:
    """A name and the township it lies in (``""`` = not told)."""

    name: str
    town: str = ""


@dataclass(frozen=True)
class NameMatch:
    """What was found for one row of a list.

    ``place`` is the position among the places, ``None`` where none is taken; ``score_share`` its likeness (1 = equal).
    ``candidates`` are positions and likenesses of what it may be, best first.
    """

    row: int
    place: int | None
    score_share: float
    status: Status
    candidates: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """One row of a reviewed table: this name is that place, or is not; an accepted name without a place is left out."""

    listed: PlaceName
    place: PlaceName | None
    accept: bool


def normalise_name(name: str, town: str = "") -> str:
    """Return a village's name as two offices would agree on it: ``城关镇 东关村委会`` in 城关镇 is ``东关村``."""
    text = _FILLERS.sub("", normalise_text(name))
    prefix = _FILLERS.sub("", normalise_text(town))
    if prefix and text.startswith(prefix) and len(text) - len(prefix) >= 2:
        text = text[len(prefix) :]
    for ending, word in ((_COMMUNITY, "社区"), (_VILLAGE, "村")):
        bare = ending.sub("", text)
        if bare != text and bare:
            return bare if bare.endswith(word) else bare + word  # 东村村委会 is the committee of 东村
    return text


def build_stem(name: str, town: str = "") -> str:
    """Return a name without remarks in brackets, accents, and its word for village or community."""
    plain = _BRACKETS.sub("", normalise_text(name)) or name
    text = normalise_name(plain, town)
    bare = _COMMUNITY.sub("", text) if _COMMUNITY.search(text) else _VILLAGE.sub("", text)
    parts = unicodedata.normalize("NFD", bare or text)
    return unicodedata.normalize("NFC", "".join(mark for mark in parts if not unicodedata.combining(mark)))


def normalise_town(town: str) -> str:
    """Return a township's name without 镇, 乡, 街道办事处."""
    text = _FILLERS.sub("", normalise_text(town))
    return _TOWN.sub("", text) or text


def match_names(
    listed: Sequence[PlaceName], places: Sequence[PlaceName], verdicts: Iterable[Verdict] = ()
) -> tuple[NameMatch, ...]:
    """Return for every listed name the place that is meant.

    Parameters
    ----------
    listed : names of the list, in its order
    places : names that have a place
    verdicts : what a person has decided; comes before every rule. Two listed names may be given to one place only here

    Returns
    -------
    tuple of NameMatch, in the order of ``listed``
        ``exact`` and ``accepted`` are certain. ``near`` is used but wants a review: a likeness of :data:`NEAR_SHARE` or
        more, the township differs, or only the remark in brackets or the word 村 or 社区 does.
        ``ambiguous`` has candidates and no choice; ``unknown`` has none.
    """
    search = _Search(listed, places)
    search.obey(verdicts)
    for key in (normalise_name, build_stem):
        search.match_equal(key)
    search.match_elsewhere()
    search.match_near()
    return tuple(search.found[row] for row in range(len(listed)))


class _Search:
    """Both tables by township, and what is found so far."""

    def __init__(self, listed: Sequence[PlaceName], places: Sequence[PlaceName]) -> None:
        self.listed, self.places = listed, places
        self.found: dict[int, NameMatch] = {}
        self.taken: set[int] = set()
        self.forbidden: set[tuple[int, int]] = set()
        key = _build_town_key(listed, places)
        by_town: dict[str, list[int]] = defaultdict(list)
        for at, place in enumerate(places):
            by_town[key(place.town)].append(at)
        known = set(by_town) - {""}
        self.pools = {town: frozenset(by_town[town] + by_town[""]) for town in known}
        self.everywhere = frozenset(range(len(places)))
        self.towns = [key(name.town) for name in listed]
        self.town_known: dict[int, bool] = {}
        for row, town in enumerate(self.towns):
            self.town_known[row] = not town or not known or town in known

    def find_pool(self, row: int) -> frozenset[int]:
        """Return the places of the township of a listed name: all, where the township is not told or not known."""
        return self.pools.get(self.towns[row], self.everywhere)

    def obey(self, verdicts: Iterable[Verdict]) -> None:
        """Carry out what a person has decided."""
        rows, at = index_names(self.listed), index_names(self.places)
        for verdict in verdicts:
            targets = find_meant(verdict.place, at) if verdict.place is not None else []
            for row in find_meant(verdict.listed, rows):
                if not verdict.accept:
                    self.forbidden |= {(row, target) for target in targets}
                elif verdict.place is None:
                    self.found[row] = NameMatch(row, None, 0.0, "left_out")
                elif len(targets) == 1:
                    self.found[row] = NameMatch(row, targets[0], 1.0, "accepted")
                    self.taken.add(targets[0])

    def match_equal(self, key: Callable[[str, str], str]) -> None:
        """Join names whose keys are equal within a township and stand once in each table."""
        keys = [key(place.name, place.town) for place in self.places]
        wanted: dict[tuple[int, ...], list[int]] = defaultdict(list)
        by_key: dict[str, list[int]] = defaultdict(list)
        for at, text in enumerate(keys):
            if at not in self.taken:
                by_key[text].append(at)
        for row in self._open_rows():
            if not self.town_known[row]:
                continue
            pool = self.find_pool(row)
            same = [at for at in by_key[key(self.listed[row].name, self.listed[row].town)] if at in pool]
            same = [at for at in same if (row, at) not in self.forbidden]
            if same:
                wanted[tuple(same)].append(row)
        for options, rows in wanted.items():
            for row in rows:
                if len(options) == len(rows) == 1:
                    other = _differ_in_kind(self.listed[row].name, self.places[options[0]].name)
                    self._take(row, options[0], 1.0, "near" if other else "exact")
                else:
                    self.found[row] = NameMatch(row, None, 1.0, "ambiguous", tuple((at, 1.0) for at in options))

    def match_elsewhere(self) -> None:
        """Join a name whose township the places do not have, where its stem stands once in the whole table."""
        stems: dict[str, list[int]] = defaultdict(list)
        for at, place in enumerate(self.places):
            stems[build_stem(place.name, place.town)].append(at)
        wanted: dict[int, list[int]] = defaultdict(list)
        for row in self._open_rows():
            if not self.town_known[row]:
                same = stems[build_stem(self.listed[row].name, self.listed[row].town)]
                if len(same) == 1 and same[0] not in self.taken and (row, same[0]) not in self.forbidden:
                    wanted[same[0]].append(row)
        for at, rows in wanted.items():
            for row in rows:
                if len(rows) == 1:
                    self._take(row, at, 1.0, "near")
                else:
                    self.found[row] = NameMatch(row, None, 1.0, "ambiguous", ((at, 1.0),))

    def match_near(self) -> None:
        """Join what is nearest to each other first, and list candidates for the rest."""
        stems = {at: build_stem(place.name, place.town) for at, place in enumerate(self.places)}
        near: dict[int, list[tuple[int, float]]] = {}
        for row in self._open_rows():
            stem = build_stem(self.listed[row].name, self.listed[row].town)
            pool = {
                at: stems[at]
                for at in sorted(self.find_pool(row))
                if at not in self.taken and (row, at) not in self.forbidden
            }
            hits = process.extract(
                stem, pool, scorer=fuzz.ratio, limit=MAX_CANDIDATES, score_cutoff=100 * CANDIDATE_SHARE
            )
            near[row] = [(int(at), round(score / 100, 3)) for _, score, at in hits]
        order = sorted(near, key=lambda row: (-near[row][0][1] if near[row] else 0.0, row))
        for row in order:
            free = [(at, score) for at, score in near[row] if at not in self.taken]
            best = free[0] if free else None
            rivals = [score for other in order if other != row for at, score in near[other] if best and at == best[0]]
            second = max([score for _, score in free[1:]] + rivals, default=0.0)
            sure = best is not None and best[1] >= NEAR_SHARE and best[1] - second >= LEAD_SHARE
            if best and sure and self.town_known[row] and not self._tells_apart(row, stems[best[0]]):
                self._take(row, best[0], best[1], "near", tuple(free))
            else:
                status: Status = "ambiguous" if free else "unknown"
                self.found[row] = NameMatch(row, None, best[1] if best else 0.0, status, tuple(free))

    def _tells_apart(self, row: int, stem: str) -> bool:
        """Whether a number or direction is what two stems differ in: 第一 and 第二 are never spellings of one."""
        own = build_stem(self.listed[row].name, self.listed[row].town)
        changes = [change for change in Levenshtein.opcodes(own, stem) if change.tag != "equal"]
        parts = [own[c.src_start : c.src_end] + stem[c.dest_start : c.dest_end] for c in changes]
        return any(_TELLING.search(part) for part in parts)

    def _open_rows(self) -> list[int]:
        return [row for row in range(len(self.listed)) if row not in self.found]

    def _take(
        self, row: int, at: int, score: float, status: Status, candidates: tuple[tuple[int, float], ...] = ()
    ) -> None:
        self.found[row] = NameMatch(row, at, score, status, candidates)
        self.taken.add(at)


def _plain(place: PlaceName) -> PlaceName:
    return PlaceName(normalise_text(place.name), normalise_text(place.town))


def index_names(names: Sequence[PlaceName]) -> Mapping[PlaceName, list[int]]:
    """Return the positions of names, compared in one width and case."""
    found: dict[PlaceName, list[int]] = defaultdict(list)
    for position, name in enumerate(names):
        found[_plain(name)].append(position)
    return found


def find_meant(name: PlaceName, index: Mapping[PlaceName, list[int]]) -> list[int]:
    """Return the positions of a name in an index; of a name without township those of it in any township."""
    plain = _plain(name)
    found = list(index.get(plain, []))
    if not found and not plain.town:
        found = [at for known, positions in index.items() if known.name == plain.name for at in positions]
    return found


def _build_town_key(listed: Iterable[PlaceName], places: Iterable[PlaceName]) -> Callable[[str], str]:
    """Return how townships are compared: without 镇 and 乡, but where one table has 城关镇 and 城关乡, with them.

    Lists call one township 城关镇 here and 城关街道 there; the places do not.
    """
    doubled: set[str] = set()
    for names, endings in ((listed, ("镇", "乡")), (places, ("",))):
        full: dict[str, set[str]] = defaultdict(set)
        for name in names:
            whole = _FILLERS.sub("", normalise_text(name.town))
            if whole.endswith(endings):
                full[normalise_town(name.town)].add(whole)
        doubled |= {stem for stem, wholes in full.items() if len(wholes - {stem}) > 1}

    def build_key(town: str) -> str:
        stem = normalise_town(town)
        return _FILLERS.sub("", normalise_text(town)) if stem in doubled else stem

    return build_key


def _differ_in_kind(first: str, second: str) -> bool:
    """Whether two names of one stem say different things: 村（南） and 村（北）, 张庄村 and 张庄社区."""
    remarks = [_FILLERS.sub("", "".join(_BRACKETS.findall(normalise_text(name)))) for name in (first, second)]
    if all(remarks) and remarks[0] != remarks[1]:
        return True
    bare = [normalise_name(_BRACKETS.sub("", normalise_text(name))) for name in (first, second)]
    return {bool(_COMMUNITY.search(text)) for text in bare} == {True, False} and all(
        _COMMUNITY.search(text) or _VILLAGE.search(text) for text in bare
    )


def find_unused(matches: Sequence[NameMatch], places: Sequence[PlaceName]) -> list[int]:
    """Return positions of places that no listed name was given to."""
    taken = {match.place for match in matches}
    return [at for at in range(len(places)) if at not in taken]


def group_by_place(matches: Sequence[NameMatch]) -> Mapping[int, list[int]]:
    """Return rows of the list by place, for those that have one; in the order of the list."""
    groups: dict[int, list[int]] = {}
    for match in matches:
        if match.place is not None:
            groups.setdefault(match.place, []).append(match.row)
    return groups

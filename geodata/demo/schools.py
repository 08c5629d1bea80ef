"""The schools of the demo county: where they stand, how big they were built, what they are called."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from geodata.demo import names
from geodata.demo.names import NameMaker
from geodata.demo.people import People, Unit
from geodata.demo.settlements import Settlement
from geodata.demo.terrain import SEAT_M
from geodata.demo.ways import Points, build_generator

SEAT_PRIMARY, SEAT_NINE_YEAR, SEAT_JUNIOR, SEAT_SENIOR, SEAT_KINDERGARTEN = 18, 4, 8, 4, 40
TOWN_SECOND_PRIMARY, TOWN_SECOND_JUNIOR = 8, 3
VILLAGE_PRIMARY, VILLAGE_NINE_YEAR, TEACHING_POINTS, VILLAGE_KINDERGARTEN = 37, 4, 35, 22
CLASS_SIZE = {"kindergarten": 30, "primary": 45, "junior": 50, "senior": 50}


@dataclass
class Stage:
    """One stage of a school: classes it was built for, pupils and classes by grade now."""

    built_classes: int
    pupils: list[int] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    capacity_known: bool = True


@dataclass
class School:
    """One school. ``unit`` is the number of the unit in which it stands."""

    name: str
    kind: str
    setting: str
    town: str
    x_m: float
    y_m: float
    unit: int
    private: bool = False
    boarding_places: int = 0
    school_id: str = ""
    stages: dict[str, Stage] = field(default_factory=dict)


@dataclass
class Planner:
    """What placing a school needs: the county, a generator, names, and which units hold a school already."""

    rng: np.random.Generator
    units: list[Unit]
    places: list[Settlement]
    people: People
    maker: NameMaker
    xy: Points
    taken: set[int] = field(default_factory=set)

    def choose_spread(self, allowed: npt.NDArray[np.bool_], spacing: Points, count: int, start: Points) -> list[int]:
        """Choose ``count`` of the allowed units, far apart as their wanted ``spacing`` (metres) tells."""
        gap = np.full(len(self.units), np.inf) if not len(start) else self._measure(start)
        chosen: list[int] = []
        for _ in range(count):
            free = allowed & ~np.isin(np.arange(len(gap)), list(self.taken))
            score = np.where(free, gap.clip(0, 1e5) / spacing, -1.0)
            best = int(np.argmax(np.round(score, 9)))
            chosen.append(best)
            self.taken.add(best)
            gap = np.minimum(gap, np.hypot(*(self.xy - self.xy[best]).T))
        return chosen

    def _measure(self, start: Points) -> Points:
        away = np.hypot(self.xy[:, None, 0] - start[:, 0], self.xy[:, None, 1] - start[:, 1])
        return np.asarray(away.min(axis=1))

    def stand(self, unit: int, name: str, kind: str, classes: dict[str, int], away_m: float = 0.0) -> School:
        """Return a school in ``unit``, ``away_m`` metres from its middle."""
        angle = self.rng.uniform(0, 2 * np.pi)
        home = self.units[unit]
        x_m, y_m = home.x_m + away_m * np.cos(angle), home.y_m + away_m * np.sin(angle)
        school = School(name, kind, home.setting, home.town, round(float(x_m), 1), round(float(y_m), 1), unit)
        school.stages = {stage: Stage(number) for stage, number in classes.items()}
        return school


def build_schools(seed: int, units: list[Unit], places: list[Settlement], people: People) -> list[School]:
    """Place all schools and give them ids, names and sizes; no pupils yet."""
    rng = build_generator(seed, "schools")
    xy = np.array([(unit.x_m, unit.y_m) for unit in units])
    planner = Planner(rng, units, places, people, NameMaker(rng), xy)
    schools = _place_seat_schools(planner)
    schools += _place_town_schools(planner)
    schools += _place_village_schools(planner)
    schools += _place_kindergartens(planner)
    counter = dict.fromkeys("1234", 0)
    for school in schools:
        code = {"kindergarten": "4", "junior": "2", "nine_year": "2", "complete_secondary": "3", "senior": "3"}.get(
            school.kind, "1"
        )
        counter[code] += 1
        school.school_id = f"0410{code}{counter[code]:03d}"
    known = [stage for school in schools for stage in school.stages.values()]
    for k in rng.permutation(len(known))[:9]:
        known[k].capacity_known = False
    return schools


def _place_seat_schools(planner: Planner) -> list[School]:
    """Place the seat's primaries: dense in the old town, few in the new north-east and south of the river."""
    units = planner.units
    urban = np.array([unit.setting == "urban" and unit.kind != "block" for unit in units])
    spacing = np.array([1.0 if unit.town == names.SUBDISTRICTS[0] else 1.75 for unit in units])
    spacing *= 1.0 + 0.25 * np.hypot(*(planner.xy - SEAT_M).T) / 2_600.0
    schools = []
    numbers = [
        "实验",
        *(f"第{word}" for word in "一二三四五六七八九"),
        "第十",
        "第十一",
        "第十二",
        "实验第二",
        "文昌",
        "滨河",
        "城东",
        "城北",
    ]
    sizes = [36, 36, 30, 30, 36, 24, 24, 24, 24, 30, 18, 24, 18, 30, 18, 24, 18, 18]
    for unit, word, size in zip(
        planner.choose_spread(urban, spacing, SEAT_PRIMARY, np.array([SEAT_M])), numbers, sizes, strict=True
    ):
        schools.append(planner.stand(unit, f"{names.COUNTY_SHORT}{word}小学", "primary", {"primary": size}))
    nine = [("育英学校", (30, 18)), ("第一实验学校", (24, 12)), ("新城学校", (24, 12)), ("博远学校（民办）", (24, 12))]
    for unit, (word, (primary, junior)) in zip(
        planner.choose_spread(urban, spacing**1.5, SEAT_NINE_YEAR, _list_places(schools)), nine, strict=True
    ):
        school = planner.stand(unit, f"{names.COUNTY_SHORT}{word}", "nine_year", {"primary": primary, "junior": junior})
        school.private = "民办" in word
        school.boarding_places = 600 if school.private else 0
        schools.append(school)
    return [*schools, *_place_seat_secondary(planner, urban, spacing)]


def _place_seat_secondary(planner: Planner, urban: npt.NDArray[np.bool_], spacing: Points) -> list[School]:
    """Place the seat's junior, senior and complete secondary schools."""
    schools: list[School] = []
    juniors = [
        ("实验中学", 36),
        *((f"第{word}初级中学", size) for word, size in zip("一二三四五六", (30, 30, 24, 24, 18, 24), strict=True)),
    ]
    chosen = planner.choose_spread(urban, spacing, SEAT_JUNIOR + SEAT_SENIOR + 1, np.array([SEAT_M]))
    for unit, (word, size) in zip(chosen[:7], juniors, strict=True):
        schools.append(planner.stand(unit, f"{names.COUNTY_SHORT}{word}", "junior", {"junior": size}))
    schools.append(planner.stand(chosen[7], f"{names.COUNTY_SHORT}文昌初级中学", "junior", {"junior": 18}))
    for unit, word, size in zip(
        chosen[8:12], ("第一高级中学", "第二高级中学", "第三高级中学", "实验高级中学"), (72, 60, 48, 48), strict=True
    ):
        school = planner.stand(unit, f"{names.COUNTY_SHORT}{word}", "senior", {"senior": size})
        school.boarding_places = size * 30
        schools.append(school)
    both = planner.stand(
        chosen[12], f"{names.COUNTY_SHORT}第四中学", "complete_secondary", {"junior": 18, "senior": 24}
    )
    both.boarding_places = 900
    return [*schools, both]


def _place_town_schools(planner: Planner) -> list[School]:
    """Place in each town a central primary and a junior school; in the big ones a second of each."""
    schools = []
    towns = [k for k, place in enumerate(planner.places) if place.kind == "town"]
    by_size = sorted(towns, key=lambda k: (-planner.places[k].people, k))
    for k in towns:
        place = planner.places[k]
        inside = np.array([unit.settlement == k for unit in planner.units])
        even = np.ones(len(planner.units))
        big = place.people > 9_000
        home = np.array([(place.x_m, place.y_m)])
        near = inside & (np.hypot(*(planner.xy - home).T) < 420.0)
        centre = planner.choose_spread(near, even, 1, home)[0]
        size = 30 if place.people > 11_000 else 24 if big else 18 if place.people > 6_500 else 12
        schools.append(planner.stand(centre, f"{place.name}中心小学", "primary", {"primary": size}))
        edge = planner.choose_spread(inside, even, 4, planner.xy[[centre]])
        junior = planner.stand(edge[0], f"{place.name}初级中学", "junior", {"junior": 24 if big else 18})
        junior.boarding_places = 420 if big else 300
        schools.append(junior)
        if k in by_size[:TOWN_SECOND_PRIMARY]:
            schools.append(planner.stand(edge[1], f"{place.name}第二小学", "primary", {"primary": 18 if big else 12}))
        if k in by_size[:TOWN_SECOND_JUNIOR]:
            schools.append(planner.stand(edge[2], f"{place.name}第二初级中学", "junior", {"junior": 12}))
        if k == by_size[1]:
            senior = planner.stand(edge[3], f"{names.COUNTY_SHORT}第五高级中学", "senior", {"senior": 36})
            senior.boarding_places = 1_200
            schools.append(senior)
        planner.taken.difference_update(edge[1:])
    return schools


def _place_village_schools(planner: Planner) -> list[School]:
    """Place primaries in big villages, teaching points in small and hilly ones, four nine-year schools far out."""
    rng = planner.rng
    units, people = planner.units, planner.people.people
    rural = np.array([unit.setting == "rural" for unit in units])
    hilly = np.array([planner.places[unit.settlement].hilliness for unit in units])
    towns = np.array([(place.x_m, place.y_m) for place in planner.places if place.kind != "village"])
    far = np.min(np.hypot(planner.xy[:, None, 0] - towns[:, 0], planner.xy[:, None, 1] - towns[:, 1]), axis=1)
    big = np.clip(1_500.0 / np.maximum(people, 200), 0.4, 4.0)
    schools = []
    nine = planner.choose_spread(rural & (far > 3_600.0) & (people > 600), big, VILLAGE_NINE_YEAR, towns)
    for unit in nine:
        school = planner.stand(
            unit, f"{units[unit].town}{units[unit].name[:-1]}学校", "nine_year", {"primary": 12, "junior": 6}, 90.0
        )
        school.boarding_places = 160
        schools.append(school)
    primary = planner.choose_spread(
        rural & (people > 450), big, VILLAGE_PRIMARY, np.vstack([towns, _list_places(schools)])
    )
    for unit in primary:
        size = 18 if people[unit] > 1_700 else 12 if people[unit] > 800 or rng.random() < 0.7 else 6
        schools.append(
            planner.stand(unit, f"{units[unit].town}{units[unit].name}小学", "primary", {"primary": size}, 90.0)
        )
    away = 1.6 - hilly
    for unit in planner.choose_spread(rural & (far > 1_500.0), away, TEACHING_POINTS, _list_places(schools)):
        size = int(rng.choice([2, 3, 4, 4, 6]))
        schools.append(
            planner.stand(
                unit, f"{units[unit].town}{units[unit].name}教学点", "teaching_point", {"primary": size}, 80.0
            )
        )
    return schools


def _place_kindergartens(planner: Planner) -> list[School]:
    """Place kindergartens: many private ones in the seat, a public centre in each town, some in big villages."""
    planner.taken.clear()
    units, rng = planner.units, planner.rng
    urban = np.array([unit.setting == "urban" and unit.kind != "block" for unit in units])
    rural = np.array([unit.setting == "rural" for unit in units])
    even = np.ones(len(units))
    schools = []
    for n, unit in enumerate(planner.choose_spread(urban, even, SEAT_KINDERGARTEN, np.array([SEAT_M]))):
        public = n < 12
        name = f"{names.COUNTY_SHORT}第{'一二三四五六七八九十'[n]}幼儿园" if n < 10 else ""
        name = name or planner.maker.draw_from(names.KINDERGARTENS, "幼儿园")
        school = planner.stand(
            unit,
            name,
            "kindergarten",
            {"kindergarten": int(rng.choice([9, 12, 12, 15] if public else [6, 9, 9, 12]))},
            60.0,
        )
        school.private = not public
        schools.append(school)
    for k in [k for k, place in enumerate(planner.places) if place.kind == "town"]:
        inside = np.array([unit.settlement == k for unit in units])
        home = np.array([(planner.places[k].x_m, planner.places[k].y_m)])
        first, second = planner.choose_spread(inside, even, 2, home)
        size = 12 if planner.places[k].people > 8_500 else 9
        schools.append(
            planner.stand(first, f"{planner.places[k].name}中心幼儿园", "kindergarten", {"kindergarten": size}, 40.0)
        )
        name = f"{planner.places[k].name}{planner.maker.draw_from(names.KINDERGARTENS, '幼儿园')}"
        private = planner.stand(second, name, "kindergarten", {"kindergarten": 6}, 40.0)
        private.private = True
        schools.append(private)
    big = np.clip(1_500.0 / np.maximum(planner.people.people, 200), 0.3, 4.0)
    for unit in planner.choose_spread(rural, big, VILLAGE_KINDERGARTEN, _list_places(schools)):
        size = int(rng.choice([3, 6, 6]))
        schools.append(
            planner.stand(
                unit, f"{units[unit].town}{units[unit].name}幼儿园", "kindergarten", {"kindergarten": size}, 70.0
            )
        )
    return schools


def _list_places(schools: list[School]) -> Points:
    return np.array([(school.x_m, school.y_m) for school in schools])

"""What the names of population rasters tell: year, age, sex, and how people were spread.

Names of WorldPop, as its servers list them (checked 2026):

=====================================================  ===========================================================
``chn_pop_2025_CN_100m_R2025A_v1.tif``                 all people, 2015 to 2030; CN = on built land only, UC = not
``chn_f_05_2025_CN_100m_R2025A_v1.tif``                girls of 5 to 9; sex f, m or t (both), age 00, 01, 05 … 90
``chn_pop_2025_CN_1km_R2025A_UA_v1.tif``               cells of 1 km, brought to the totals of the United Nations
``chn_ppp_2020.tif``, ``chn_ppp_2020_UNadj.tif``       all people, 2000 to 2020, not constrained
``chn_ppp_2020_UNadj_constrained.tif``                 2020, constrained
``chn_f_5_2020.tif``, ``chn_f_5_2020_constrained.tif``  girls of 5 to 9, ages 0, 1, 5 … 80
=====================================================  ===========================================================

Years are also found in other names where they stand alone (``landscan-global-2022.tif``, ``GHS_POP_E2025_…``).
"""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geodata.errors import DataError, DataIssue
from geodata.messages import Message, msg

_AGE = re.compile(r"(?:^|_)(?P<sex>[fmt])_(?P<age>\d{1,2})_(?P<year>\d{4})(?=[_.]|$)", re.IGNORECASE)
_YEAR = re.compile(r"(?:^|[_\-. ]E?)(?P<year>(?:19|20)\d{2})(?=[_\-. ]|$)")
_SIZE = re.compile(r"(?:^|_)(?P<size>\d+)(?P<unit>m|km)(?=[_.]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class RasterName:
    """What one name tells. ``year`` 0, ``age`` -1, ``sex`` "" and ``cell_m`` 0 = not told.

    ``spread``: ``constrained`` (people only on built land), ``unconstrained``, or "".
    """

    path: Path
    year: int
    sex: str
    age: int
    spread: str
    cell_m: int
    adjusted: bool

    @property
    def variant(self) -> tuple[bool, int, bool, str]:
        """What files of one set have in common; the least is the one to prefer: on built land, fine, adjusted."""
        return self.spread != "constrained", self.cell_m, not self.adjusted, self.spread


def parse_raster_name(path: Path) -> RasterName:
    """Read the name of a raster."""
    name = path.stem
    age, size = _AGE.search(name), _SIZE.search(name)
    year = age or _YEAR.search(name)
    words = re.split(r"[_\-. ]", name)
    lower = [word.lower() for word in words]
    if "UC" in words or "unconstrained" in lower:
        spread = "unconstrained"
    else:
        spread = "constrained" if "CN" in words or "constrained" in lower else ""
    return RasterName(
        path=path,
        year=int(year["year"]) if year else 0,
        sex=age["sex"].lower() if age else "",
        age=int(age["age"]) if age else -1,
        spread=spread,
        cell_m=int(size["size"]) * (1000 if size["unit"].lower() == "km" else 1) if size else 0,
        adjusted="unadj" in lower or "UA" in words,
    )


def list_rasters(path: Path) -> list[Path]:
    """Return the files meant by a folder, a pattern, or names joined by ``;``."""
    if path.is_dir():
        inside = sorted(item for item in path.iterdir() if item.suffix.lower() in {".tif", ".tiff"})
        if not inside:
            raise DataError(_issue(path.name, msg("No raster was found there.")))
        return inside
    first, *others = str(path).split(";")
    names = [Path(first), *(Path(first).parent / name.strip() for name in others if name.strip())]
    found = [Path(match) for name in names for match in sorted(glob.glob(str(name)))]  # noqa: PTH207
    if not found:
        raise DataError(_issue(path.name, msg("No raster was found there.")))
    return found


def is_one_file(path: Path) -> bool:
    """Whether a path of the study file names one raster, not a folder, a pattern or several names."""
    return not path.is_dir() and not any(mark in path.name for mark in "*?;")


def choose_total_file(path: Path, year: int) -> tuple[Path, list[DataIssue]]:
    """Return the raster of all people to read, and what was passed over; ``year`` 0 = the latest.

    Raises ``DataError`` where no name fits.
    """
    if is_one_file(path):
        name = parse_raster_name(path)
        if year and name.year and name.year != year:
            raise DataError(_tell_absent_year(path.name, year, [name.year]))
        return path, []
    names = [parse_raster_name(item) for item in list_rasters(path)]
    totals = [name for name in names if name.age < 0]
    if not totals:
        cure = msg("Write kind = “age_rasters” under [population].")
        raise DataError(_issue(path.name, msg("These are rasters of age bands, not of all people."), cure))
    chosen, issues = _choose_set(totals, path.name, year)
    if len(chosen) > 1:
        found = ", ".join(name.path.name for name in chosen[:5])
        problem = msg("Several rasters are there, and their names do not tell which one is meant.")
        raise DataError(_issue(path.name, problem, msg("Name one file under [population] path."), found))
    return chosen[0].path, issues


def choose_age_files(path: Path, year: int) -> tuple[dict[int, list[Path]], list[DataIssue]]:
    """Return the files to add up by first year of age, and what was passed over; ``year`` 0 = the latest.

    Both sexes are added; a ``t`` file takes the place of ``f`` and ``m``. Raises ``DataError`` where no name is that of
    an age band, or a sex is missing.
    """
    known = [name for name in map(parse_raster_name, list_rasters(path)) if name.age >= 0]
    if not known:
        expected = msg("Names such as chn_f_05_2025_CN_100m_R2025A_v1.tif (country, sex f, m or t, first age, year).")
        problem = msg("No file is named like an age band of WorldPop.")
        raise DataError(DataIssue("population_raster", "error", problem, file=path.name, expected=expected))
    chosen, issues = _choose_set(known, path.name, year)
    by_age: dict[int, dict[str, RasterName]] = {}
    for name in chosen:
        by_age.setdefault(name.age, {})[name.sex] = name
    for age, sexes in by_age.items():
        if "t" not in sexes and len(sexes) == 1:
            text = msg("The age band from {age} years is there for one sex only.", age=age)
            found = next(iter(sexes.values())).path.name
            issues.append(DataIssue("age_band_sex", "error", text, file=path.name, found=found))
    if any(issue.severity == "error" for issue in issues):
        raise DataError(issues)
    files = {age: [sexes["t"]] if "t" in sexes else list(sexes.values()) for age, sexes in by_age.items()}
    return {age: [name.path for name in names] for age, names in files.items()}, issues


def _choose_set(names: Sequence[RasterName], where: str, year: int) -> tuple[list[RasterName], list[DataIssue]]:
    """Return the files of one year and one way of spreading people, and what was passed over."""
    years = sorted({name.year for name in names})
    if year and year not in years:
        raise DataError(_tell_absent_year(where, year, years))
    issues = []
    if not year and len(years) > 1:
        text = msg("There are rasters of several years; the latest, {year}, is used.", year=years[-1])
        cure = msg("Write another under [population] year, if it is meant.")
        found = ", ".join(map(str, years))
        issues.append(DataIssue("raster_years", "warning", text, file=where, found=found, cure=cure))
    kept = [name for name in names if name.year == (year or years[-1])]
    best = min(name.variant for name in kept)
    others = [name for name in kept if name.variant != best]
    if others:
        text = msg("The rasters are of several kinds (spread of the people, size of the cells); one kind is used.")
        example = next(name for name in kept if name.variant == best).path.name
        cure = msg("Keep the files of one kind in the folder.")
        found = f"{example}; {others[0].path.name}"
        issues.append(DataIssue("raster_variants", "warning", text, file=where, found=found, cure=cure))
    return [name for name in kept if name.variant == best], issues


def _tell_absent_year(where: str, year: int, years: Sequence[int]) -> DataIssue:
    problem = msg("There is no raster of the year {year}.", year=year)
    found = ", ".join(str(each) for each in years if each)
    cure = msg("Choose one of the years found, under [population] year.")
    return DataIssue("raster_years", "error", problem, file=where, column="[population] year", found=found, cure=cure)


def _issue(where: str, problem: Message, cure: Message | None = None, found: str = "") -> DataIssue:
    return DataIssue("population_raster", "error", problem, file=where, found=found, cure=cure)

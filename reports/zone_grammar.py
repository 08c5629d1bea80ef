"""The words and signs in which zones are told, in each language: one table that writing and reading share.

Chinese follows the forms of enrolment notices: 由…所围成的区域, 东至…南至…西至…北至…, 含…, 不含…, 单号, 双号. These
are no single sentences but a grammar: order, signs and quotes belong together, and what is written must be read back.
So they stand here side by side and not in the catalogues.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from reports.language import Language


@dataclass(frozen=True)
class Grammar:
    """The fixed words of one language. ``marks`` may not stand in a name without quotes, nor ``openers`` begin one."""

    language: Language
    catchment: tuple[str, str]
    shared: tuple[str, str]
    ring: tuple[str, str]
    sides: tuple[str, str, str, str]
    places: str
    houses: str
    nothing: str
    joint: str
    """Between the lines of a boundary."""
    edge: tuple[str, str]
    town: tuple[str, str]
    county: str
    including: str
    excluding: str
    beyond: tuple[str, str]
    of_town: str
    """Between a town and its places, where the town comes first."""
    in_town: str
    """Between places and their town, where the town comes last."""
    of_street: str
    """After the name of a street, before its numbers."""
    whole: tuple[str, str]
    """Before and after the name of a town of which all places belong."""
    all_but: tuple[str, str]
    all_numbers: str
    comma: str
    last_comma: str
    """Before the last of several names."""
    school_comma: str
    part: str
    brackets: tuple[str, str]
    quotes: tuple[str, str]
    span: str
    number: str
    """After a house number."""
    upwards: str
    parity: Mapping[str, str]
    stop: str
    note: str
    marks: tuple[str, ...]
    openers: tuple[str, ...]

    @cached_property
    def followers(self) -> frozenset[str]:
        """The first letter of all that may follow a name or number."""
        follows = (*self.number_marks, *self.parity.values(), self.stop, self.note)
        return frozenset(word[0] for word in follows if word)

    @property
    def number_marks(self) -> tuple[str, ...]:
        """What may not stand in a house number without quotes."""
        return (*self.marks, self.span, self.upwards, *([self.number] if self.number else []))


CHINESE = Grammar(
    language="zh",
    catchment=("", "施教区："),
    shared=("", "共同施教区："),
    ring=("由", "所围成的区域"),
    sides=("东至", "，南至", "，西至", "，北至"),
    places="包括",
    houses="住址门牌为",
    nothing="暂未划定区域",
    joint="—",
    edge=("", "边界"),
    town=("", "辖区界"),
    county="县界",
    including="，含",
    excluding="，不含",
    beyond=("与", "交界处"),
    of_town="的",
    in_town="",
    of_street="：",
    whole=("", "全部"),
    all_but=("（不含", "）"),
    all_numbers="全部",
    comma="、",
    last_comma="、",
    school_comma="与",
    part="；",
    brackets=("（", "）"),
    quotes=("「", "」"),
    span="—",
    number="号",
    upwards="号以上",
    parity=MappingProxyType({"odd": "（单号）", "even": "（双号）", "both": ""}),
    stop="。",
    note="以上道路、河流、铁路均以中心线（街心）为界。",
    marks=(
        *("—", "、", "，", "；", "。", "：", "（", "）", "「", "」", "与", "的", "全部"),
        *("所围成的区域", "边界", "交界处", "辖区界", "施教区", "共同施教区"),
    ),
    openers=("由", "东至", "包括", "住址门牌", "县界", "暂未划定区域"),
)

ENGLISH = Grammar(
    language="en",
    catchment=("Catchment of ", ": "),
    shared=("Shared catchment of ", ": "),
    ring=("the area enclosed by ", ""),
    sides=("bounded to the east by ", ", to the south by ", ", to the west by ", ", to the north by "),
    places="all homes in ",
    houses="house numbers ",
    nothing="no area drawn yet",
    joint=" – ",
    edge=("the edge of ", ""),
    town=("the limits of ", ""),
    county="the county limits",
    including=", including ",
    excluding=", but not ",
    beyond=("the border with ", ""),
    of_town="",
    in_town=" of ",
    of_street=": ",
    whole=("the whole of ", ""),
    all_but=(" except ", ""),
    all_numbers="all",
    comma=", ",
    last_comma=" and ",
    school_comma=" and ",
    part="; ",
    brackets=(" (", ")"),
    quotes=("“", "”"),
    span="–",
    number="",
    upwards=" and above",
    parity=MappingProxyType({"odd": " (odd)", "even": " (even)", "both": ""}),
    stop=".",
    note=" Streets, rivers and railways are the limit along their centre lines.",
    marks=(",", ";", ":", " and ", " of ", " except ", " – ", " (", ")", "“", "”", "along their centre lines"),
    openers=(
        *("the ", "bounded ", "house ", "no area", "all", "and ", "but ", "including ", "to ", "–", "("),
        *("The ", "Bounded ", "House ", "No area", "All ", "Catchment ", "Shared "),
    ),
)

GRAMMARS: Mapping[Language, Grammar] = MappingProxyType({"en": ENGLISH, "zh": CHINESE})

"""Zones in words: said as a notice says them, and read back the same."""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.zone_word_parts import (
    AddressList,
    FourSides,
    Limit,
    Name,
    NumberRange,
    Ring,
    StreetNumbers,
    TownUnits,
    UnitList,
    ZoneWords,
)
from reports.language import LANGUAGES, Language, Translator
from reports.zone_grammar import GRAMMARS
from reports.zone_words import parse_zone, say_zone


def _line(text: str, place: str = "") -> Limit:
    return Limit("line", (Name(text, place),))


def _say(words: ZoneWords, language: Language) -> str:
    return say_zone(words, Translator(language, MappingProxyType({})))


RING = ZoneWords(
    (
        Ring(
            (_line("人民路"), _line("建设路"), _line("澄溪河"), _line("东环路")),
            (Name("阳光花园"), Name("王庄村")),
            (Name("锦绣苑"),),
        ),
    ),
    (Name("实验小学"),),
)
EDGES = ZoneWords(
    (
        Ring(
            (
                _line("新街", "柳溪镇"),
                Limit("units", (Name("甲村"), Name("乙村"))),
                Limit("town", (Name("云桥镇"),)),
                Limit("county"),
            )
        ),
        UnitList((TownUnits("柳溪镇", (Name("丙村"), Name("丁村"))), TownUnits("云桥镇", (), True))),
    ),
    (Name("第一小学"), Name("第二小学")),
)
SIDES = ZoneWords(
    (FourSides((_line("东环路"),), (_line("澄溪河"), _line("南路")), (_line("西路"),), (_line("北路"),)),),
)
LIST = ZoneWords(
    (
        UnitList(
            (
                TownUnits("柳溪镇", (Name("甲村"), Name("乙村"), Name("丙村"))),
                TownUnits("云桥镇", (), True, (Name("丁村"), Name("戊村"))),
                TownUnits("", (Name("己村"),)),
            )
        ),
    ),
)
HOUSES = ZoneWords(
    (
        AddressList(
            (
                StreetNumbers(Name("人民路"), (NumberRange("odd", "1", "35"), NumberRange("even", "2"))),
                StreetNumbers(Name("健康巷"), (NumberRange("both", "7", "7"),)),
                StreetNumbers(Name("建设路")),
            )
        ),
    ),
)
TOLD = [
    (
        RING,
        "实验小学施教区：由人民路—建设路—澄溪河—东环路所围成的区域，含阳光花园、王庄村，不含锦绣苑。"
        "以上道路、河流、铁路均以中心线（街心）为界。",
        "Catchment of 实验小学: the area enclosed by 人民路 – 建设路 – 澄溪河 – 东环路, including 阳光花园 and 王庄村, "
        "but not 锦绣苑. Streets, rivers and railways are the limit along their centre lines.",
    ),
    (
        EDGES,
        "第一小学与第二小学共同施教区：由新街（柳溪镇）—甲村、乙村边界—云桥镇辖区界—县界所围成的区域；"
        "包括柳溪镇的丙村、丁村；云桥镇全部。以上道路、河流、铁路均以中心线（街心）为界。",
        "Shared catchment of 第一小学 and 第二小学: the area enclosed by 新街 (柳溪镇) – the edge of 甲村 and 乙村 – "
        "the limits of 云桥镇 – the county limits; all homes in 丙村 and 丁村 of 柳溪镇; the whole of 云桥镇. "
        "Streets, rivers and railways are the limit along their centre lines.",
    ),
    (
        SIDES,
        "东至东环路，南至澄溪河—南路，西至西路，北至北路。以上道路、河流、铁路均以中心线（街心）为界。",
        "Bounded to the east by 东环路, to the south by 澄溪河 – 南路, to the west by 西路, to the north by 北路. "
        "Streets, rivers and railways are the limit along their centre lines.",
    ),
    (
        LIST,
        "包括柳溪镇的甲村、乙村、丙村；云桥镇全部（不含丁村、戊村）；己村。",
        "All homes in 甲村, 乙村 and 丙村 of 柳溪镇; the whole of 云桥镇 except 丁村 and 戊村; 己村.",
    ),
    (
        HOUSES,
        "住址门牌为人民路：1—35号（单号）、2号以上（双号）；健康巷：7号；建设路：全部。",
        "House numbers 人民路: 1–35 (odd), 2 and above (even); 健康巷: 7; 建设路: all.",
    ),
]


@pytest.mark.parametrize(("words", "chinese", "english"), TOLD)
def test_zones_are_said_as_notices_say_them(words: ZoneWords, chinese: str, english: str) -> None:
    assert _say(words, "zh") == chinese
    assert _say(words, "en") == english


def test_names_that_could_be_misread_stand_in_quotes() -> None:
    words = ZoneWords((UnitList((TownUnits("", (Name("东、西村"), Name("Hill and Dale"), Name("a”b「c」"))),)),))
    assert _say(ZoneWords((Ring((_line("A –"), _line("B –C", "D"))),)), "en").startswith(
        "The area enclosed by “A –” – B"
    )
    assert _say(words, "zh") == "包括「东、西村」、Hill and Dale、「a”b「c」」」。"
    assert _say(words, "en") == "All homes in 东、西村, “Hill and Dale” and “a””b「c」”."


@pytest.mark.parametrize("text", ["", "由人民路", "东至甲，南至乙。", "包括「甲村。", "由甲—乙所围成的区域，丙。"])
def test_a_text_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        parse_zone(text, "zh")


def _list_signs() -> list[str]:
    """Return every fixed word and sign of both grammars."""
    values = [getattr(grammar, field.name) for grammar in GRAMMARS.values() for field in fields(grammar)]
    nested = [value.values() if isinstance(value, Mapping) else value for value in values]
    return sorted({sign for value in nested for sign in ([value] if isinstance(value, str) else value) if sign})


PIECES = st.sampled_from([*_list_signs(), " ", ".", "\n", "王庄", "路", "Rua", "7", "12A", "<b>", "{x}", "=1"])
TEXTS = st.lists(PIECES, min_size=1, max_size=4).map("".join) | st.text(min_size=1, max_size=6)
NAMES = st.builds(Name, TEXTS, st.just("") | TEXTS)
LISTED = st.lists(NAMES, max_size=3).map(tuple)
SOME = st.lists(NAMES, min_size=1, max_size=3).map(tuple)
LIMITS = st.lists(
    st.one_of(
        st.builds(lambda name: Limit("line", (name,)), NAMES),
        st.builds(lambda name: Limit("town", (name,)), NAMES),
        st.builds(Limit, st.sampled_from(["units", "beyond"]), SOME),
        st.just(Limit("county")),
    ),
    min_size=1,
    max_size=4,
).map(tuple)
TOWNS = st.one_of(
    st.builds(TownUnits, st.just("") | TEXTS, SOME),
    st.builds(lambda town, without: TownUnits(town, (), True, without), TEXTS, LISTED),
)
RANGES = st.builds(NumberRange, st.sampled_from(["odd", "even", "both"]), TEXTS, st.just("") | TEXTS)
PARTS = st.one_of(
    st.builds(Ring, LIMITS, LISTED, LISTED),
    st.builds(FourSides, LIMITS, LIMITS, LIMITS, LIMITS, LISTED, LISTED),
    st.lists(TOWNS, min_size=1, max_size=3).map(lambda towns: UnitList(tuple(towns))),
    st.lists(st.builds(StreetNumbers, NAMES, st.lists(RANGES, max_size=2).map(tuple)), min_size=1, max_size=2).map(
        lambda streets: AddressList(tuple(streets))
    ),
)
WORDS = st.builds(ZoneWords, st.lists(PARTS, max_size=3).map(tuple), LISTED)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=300)
@given(words=WORDS)
def test_what_is_said_is_read_back(language: Language, words: ZoneWords) -> None:
    assert parse_zone(_say(words, language), language) == words

"""Village names as two offices write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.names import (
    NameMatch,
    PlaceName,
    Verdict,
    build_stem,
    find_unused,
    group_by_place,
    match_names,
    normalise_name,
    normalise_town,
)


@pytest.mark.parametrize(
    ("written", "town", "meant"),
    [
        ("东关村委会", "", "东关村"),
        ("东关村民委员会", "", "东关村"),
        (" 东 关 村 ", "", "东关村"),
        ("城关镇东关村", "城关镇", "东关村"),
        ("城关镇 东关村", "城关镇", "东关村"),
        ("城关村", "城关镇", "城关村"),
        ("和平社区居委会", "", "和平社区"),
        ("和平居民委员会", "", "和平社区"),
        ("Ｓｔ．Ｊｏｈｎ", "", "stjohn"),
        ("村", "", "村"),
    ],
)
def test_one_village_has_one_name(written: str, town: str, meant: str) -> None:
    assert normalise_name(written, town) == meant


def test_stems_leave_out_what_offices_add() -> None:
    assert build_stem("东关村（城中村）") == build_stem("东关社区") == build_stem("东关") == "东关"
    assert build_stem("Kópavogur") == "kopavogur"
    assert build_stem("（村）") == build_stem("（村）")


def test_towns_without_their_rank() -> None:
    assert normalise_town("城关镇") == normalise_town("城关乡") == normalise_town(" 城关街道办事处") == "城关"
    assert normalise_town("镇") == "镇"


def _match(listed: list[tuple[str, str]], places: list[tuple[str, str]], *verdicts: Verdict) -> list[NameMatch]:
    return list(match_names([PlaceName(*x) for x in listed], [PlaceName(*x) for x in places], verdicts))


def test_names_are_matched_within_their_township() -> None:
    found = _match([("东村", "北镇"), ("东村", "南镇")], [("东村委会", "南镇"), ("东村", "北镇")])
    assert [(match.place, match.status) for match in found] == [(1, "exact"), (0, "exact")]


def test_the_exact_name_wins_over_the_stem() -> None:
    found = _match([("东关社区", "A镇"), ("东关村", "A镇")], [("东关村", "A镇"), ("东关居委会", "A镇")])
    assert [match.place for match in found] == [1, 0]


def test_a_near_name_is_used_and_marked() -> None:
    found = _match([("大李家庄子村", "A镇")], [("大李家莊子村", "A镇"), ("王村", "A镇")])
    assert (found[0].place, found[0].status) == (0, "near")
    assert 0.7 < found[0].score_share < 1


def test_two_near_names_are_not_chosen_between() -> None:
    found = _match([("上王家沟村", "A镇")], [("上王家沟东村", "A镇"), ("上王家沟西村", "A镇")])
    assert (found[0].place, found[0].status) == (None, "ambiguous")
    assert [at for at, _ in found[0].candidates] == [0, 1]


def test_two_rows_of_one_name_are_not_chosen_between() -> None:
    found = _match([("东村", "A镇"), ("东村委会", "A镇")], [("东村", "A镇")])
    assert {match.status for match in found} == {"ambiguous"}


def test_an_unknown_township_makes_every_match_one_to_review() -> None:
    found = _match([("东村", "C镇"), ("李家沟", "C镇")], [("东村", "A镇"), ("李家沟西", "A镇")])
    assert [(match.place, match.status) for match in found] == [(0, "near"), (None, "ambiguous")]


def test_no_township_at_all_searches_everywhere() -> None:
    found = _match([("东村", ""), ("西村", "")], [("西村", "A镇"), ("东村", "B镇")])
    assert [(match.place, match.status) for match in found] == [(1, "exact"), (0, "exact")]


def test_a_person_decides_first() -> None:
    places = [("上王家沟东村", "A镇"), ("上王家沟西村", "A镇")]
    listed = PlaceName("上王家沟村", "A镇")
    yes = Verdict(listed, PlaceName("上王家沟西村", "A镇"), True)
    assert _match([("上王家沟村", "A镇")], places, yes)[0] == NameMatch(0, 1, 1.0, "accepted")
    nobody = Verdict(listed, None, True)
    assert _match([("上王家沟村", "A镇")], places, nobody)[0].status == "left_out"
    same = _match(
        [("东村", "A镇")], [("东村", "A镇")], Verdict(PlaceName("东村", "A镇"), PlaceName("东村", "A镇"), False)
    )
    assert (same[0].place, same[0].status) == (None, "unknown")


def test_two_merged_villages_are_given_one_place_by_a_person_only() -> None:
    listed, places = [("东村", "A镇"), ("西村", "A镇")], [("东西村", "A镇")]
    verdicts = [Verdict(PlaceName(*name), PlaceName("东西村", "A镇"), True) for name in listed]
    assert dict(group_by_place(_match(listed, places, *verdicts))) == {0: [0, 1]}
    alone = _match(listed, places)
    assert all(match.place is None for match in alone)
    assert find_unused(alone, [PlaceName(*place) for place in places]) == [0]


@given(
    st.lists(st.text("东西南北上下王李家沟村庄 ", min_size=1, max_size=6), max_size=8),
    st.lists(st.text("东西南北上下王李家沟村庄 ", min_size=1, max_size=6), max_size=8),
)
def test_no_place_is_taken_twice_and_order_changes_nothing(listed: list[str], places: list[str]) -> None:
    names, there = [PlaceName(name, "A镇") for name in listed], [PlaceName(name, "A镇") for name in places]
    found = match_names(names, there)
    taken = [match.place for match in found if match.place is not None]
    assert len(taken) == len(set(taken))
    assert [match.row for match in found] == list(range(len(listed)))
    turned = match_names(names, there[::-1])
    for match, again in zip(found, turned, strict=True):
        assert match.status == again.status
        if match.place is not None:
            assert again.place is not None
            assert build_stem(there[match.place].name) == build_stem(there[::-1][again.place].name)


def test_two_townships_of_one_stem_are_kept_apart() -> None:
    both = [("东关村", "城关乡"), ("东关村", "城关镇")]
    assert [match.place for match in _match(both, both[::-1])] == [1, 0]
    alone = _match([("东关村", "城关镇")], [("东关村", "城关乡"), ("西关村", "城关镇")])[0]
    assert alone.place is None


@pytest.mark.parametrize(("name", "other"), [("张庄村（北）", "张庄村（南）"), ("张庄社区", "张庄村")])
def test_a_stem_alone_wants_a_review(name: str, other: str) -> None:
    found = _match([(name, "A镇")], [(other, "A镇")])[0]
    assert (found.place, found.status) == (0, "near")


def test_a_number_tells_names_apart() -> None:
    assert _match([("和平里第一社区", "A镇")], [("和平里第二社区", "A镇")])[0].status == "ambiguous"


def test_two_rows_of_unknown_townships_do_not_race_for_a_namesake() -> None:
    found = _match([("新村", "C镇"), ("新村", "D镇")], [("新村", "A镇"), ("老村", "A镇")])
    assert [match.place for match in found] == [None, None]


def test_a_decision_without_a_township_is_obeyed_where_one_place_is_meant() -> None:
    yes = Verdict(PlaceName("东村", "A镇"), PlaceName("王村"), True)
    assert _match([("东村", "A镇")], [("东村", "A镇"), ("王村", "B镇")], yes)[0].place == 1

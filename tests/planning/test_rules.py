import pickle

import pytest

from geodata.errors import RuleError
from planning.rules import RULE_KEYS, build_rules, design_class_size, read_rulebook

RULE = {
    "id": "X1",
    "key": "service_radius",
    "name_en": "Radius",
    "name_zh": "半径",
    "unit": "m",
    "op": "<=",
    "value": 500,
    "severity": "warn",
    "source": "somewhere",
    "verified": True,
    "evidence": "official",
}


def build_book(*rules: dict[str, object]) -> object:
    return build_rules({"name": "test", "version": "1", "rule": list(rules)})


def test_values_of_the_chinese_rulebook_match_the_reference():
    rules = read_rulebook("cn")
    assert rules.limit("service_radius", "primary", setting="urban") == 500
    assert rules.limit("service_radius", "junior", setting="town") == 1000
    assert rules.limit("service_radius", "kindergarten", setting="urban") == 300
    assert rules.limit("service_radius", "primary", setting="rural") == 2000
    assert rules.limit("max_travel_min", "primary") == 30
    assert rules.limit("max_class_size", "primary") == 45
    assert rules.limit("max_class_size", "junior") == 50
    assert (rules.limit("large_class_from", "junior"), rules.limit("super_large_class_from", "junior")) == (56, 66)
    assert rules.limit("max_school_pupils", "primary", kind="primary") == 2000
    assert rules.limit("max_school_pupils", "primary", kind="nine_year") == 2500
    assert rules.limit("max_classes", "junior", kind="nine_year") == 45
    assert rules.limit("min_school_pupils", "primary", kind="teaching_point", setting="rural") == 100
    assert design_class_size(rules) == {"kindergarten": 30, "primary": 45, "junior": 50, "senior": 50}
    assert rules.limit("design_class_size", "primary", kind="teaching_point") == 30


def test_an_unknown_setting_is_in_no_setting():
    rules = read_rulebook("cn")
    assert rules.limit("service_radius", "primary") is None
    assert rules.needs_setting("service_radius", "primary")
    assert not read_rulebook("intl").needs_setting("service_radius", "primary")


@pytest.mark.parametrize("name", ["cn", "intl"])
def test_what_nobody_verified_is_off_or_says_that_it_is_a_convention(name: str):
    for rule in read_rulebook(name).rules:
        assert rule.source
        if not rule.verified:
            assert not rule.enabled or rule.evidence == "convention", rule.id
        if rule.evidence == "memory":
            assert not rule.verified and not rule.enabled


def test_forty_minutes_is_off_but_can_be_read():
    rules = read_rulebook("cn")
    assert not rules.by_id("C7").enabled
    assert rules.limit("max_travel_min", "junior") is None


def test_the_narrowest_scope_speaks():
    rules = build_book(
        RULE,
        {**RULE, "id": "X2", "value": 700, "setting": ["urban"]},
        {**RULE, "id": "X3", "value": 900, "kind": ["primary"]},
        {**RULE, "id": "X4", "value": 10, "enabled": False, "kind": ["primary"], "setting": ["urban"]},
    )
    assert rules.find("service_radius", "primary").id == "X1"
    assert rules.find("service_radius", "primary", setting="urban").id == "X2"
    assert rules.find("service_radius", "primary", kind="primary", setting="urban").id == "X3"


def test_a_rule_holds_in_its_years_only():
    rules = build_book({**RULE, "valid_from": 2020, "valid_until": 2022})
    assert [rules.limit("service_radius", "primary", year=year) for year in (2019, 2020, 2022, 2023)] == [
        None,
        500,
        500,
        None,
    ]


def test_all_problems_are_told_at_once_with_suggestions():
    with pytest.raises(RuleError) as caught:
        build_rules(
            {
                "name": "x",
                "versoin": "1",
                "rule": [
                    {**RULE, "key": "service_radus", "colour": "red"},
                    {**RULE, "value": {"primry": 1}},
                    {**RULE, "value": True},
                    {**RULE, "enabled": "yes", "setting": ["city"]},
                    "no table",
                ],
            }
        )
    text = str(caught.value)
    for part in (
        "'versoin'; did you mean 'version'?",
        "'version' is missing",
        "did you mean 'service_radius'?",
        "'colour'",
        "'primry' is unknown; did you mean 'primary'?",
        "True is not a number",
        "enabled must be bool",
        "setting 'city' is unknown",
        "rule 5: a table was expected",
    ):
        assert part in text


def test_an_id_may_not_stand_twice():
    with pytest.raises(RuleError, match="stands twice"):
        build_book(RULE, RULE)


def test_a_rulebook_of_ones_own(tmp_path):
    book = tmp_path / "mine.toml"
    lines = [
        '\ufeffname = "mine"',
        'version = "1"',
        "[[rule]]",
        'id = "M"',
        'key = "max_travel_min"',
        'name_en = "Time"',
    ]
    lines += ['name_zh = "时间"', 'unit = "min"', 'op = "<="', "value = 20", 'severity = "warn"', 'source = "us"']
    book.write_text("\n".join([*lines, "verified = true", 'evidence = "official"', ""]), encoding="utf-8")
    assert read_rulebook(book).limit("max_travel_min", "senior") == 20
    book.write_text("name = ", encoding="utf-8")
    with pytest.raises(RuleError, match=r"mine\.toml is not valid TOML"):
        read_rulebook(book)
    with pytest.raises(RuleError, match="give one of cn, intl"):
        read_rulebook(tmp_path / "none.toml")


def test_an_unknown_key_or_id_is_an_error_not_an_absent_rule():
    rules = read_rulebook("cn")
    with pytest.raises(RuleError, match="did you mean 'max_travel_min'"):
        rules.limit("max_travel_mins", "primary")
    with pytest.raises(RuleError, match="Unknown rule 'L99'"):
        rules.by_id("L99")


def test_every_key_is_used_by_a_rulebook():
    assert {rule.key for rule in read_rulebook("cn").rules} == set(RULE_KEYS)


def test_rules_are_values():
    rules = read_rulebook("cn")
    again = pickle.loads(pickle.dumps(rules))
    assert again == rules and again.fingerprint == rules.fingerprint
    with pytest.raises(TypeError):
        rules.by_id("G5").value["primary"] = 99

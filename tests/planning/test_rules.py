import datetime
import math
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import RuleError
from planning.rules import BOOKS, KEY_USES, KEYS, RULE_KEYS, SCOPES, build_rules, design_class_size, read_rulebook

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


@pytest.mark.parametrize("name", BOOKS)
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


def test_problems_of_the_newer_fields_are_told_with_the_rule():
    wrong = [
        {**RULE, "scope": "planet", "level": "village"},
        {**RULE, "grades": [0, "3", True], "params": {"day": datetime.date(2026, 1, 1)}},
        {
            **RULE,
            "exceptions": [{"when": "boarding"}, {"whenn": "boarding", "exempt": True}, "no", {"when": "pupils =< 3"}],
        },
        {**RULE, "severity": "evidence"},
        {key: value for key, value in RULE.items() if key not in ("value", "op")},
        {**RULE, "kind": "primary", "follows_en": 3, "value": math.inf},
        {**RULE, "exceptions": {"when": "boarding"}, "valid_from": True},
    ]
    with pytest.raises(RuleError) as caught:
        build_book(*({**table, "id": f"W{number}"} for number, table in enumerate(wrong, start=1)))
    text = str(caught.value)
    for part in (
        "(W1): scope 'planet' is unknown",
        "(W1): level 'village' is unknown",
        "(W2): grades must be a list of whole numbers from 1 to 12",
        "(W2): params hold numbers, texts, truth values, lists and tables only",
        "(W3), exception 1: says nothing; give value, params or exempt = true",
        "(W3), exception 2: unknown key 'whenn'; did you mean 'when'?",
        "(W3), exception 2: 'when' is missing",
        "(W3), exception 3: a table was expected",
        "(W3), exception 4: 'pupils =< 3', character 8: '=' is not understood; write == to compare",
        "(W4): 'service_radius' is measured from data",
        "(W5): 'op' is missing",
        "(W5): 'value' is missing",
        "(W6): kind must be a list",
        "(W6): follows_en must be str",
        "(W6): value inf is not a number",
        "(W7): exceptions must be a list of tables",
        "(W7): valid_from must be int",
    ):
        assert part in text, part


def test_replacements_lead_somewhere_and_not_round():
    for rules, problem in (
        ([{**RULE, "replaces": "X9"}], "X1: replaces 'X9', which is unknown"),
        ([{**RULE, "replaces": "X1"}], "X1: replaces itself"),
        ([{**RULE, "replaces": "X2"}, {**RULE, "id": "X2", "replaces": "X1"}], "X1: replaces itself by way of 'X2'"),
        ([{**RULE, "replaces": "X2"}, {**RULE, "id": "X2", "level": "city"}], "a rule of the nation cannot replace X2"),
    ):
        with pytest.raises(RuleError, match=problem):
            build_book(*rules)


def test_a_rule_without_a_number_has_no_limit():
    rules = read_rulebook("cn")
    rule = rules.find("school_pass_rule", "primary")
    assert rule.id == "R-school" and dict(rule.params) == {"min_met": 6, "of": 7, "floor_ratio": 0.85}
    assert rules.limit("school_pass_rule", "primary") is None
    with pytest.raises(TypeError):
        rule.params["min_met"] = 5


def test_the_chapters_of_the_chinese_book():
    rules = read_rulebook("cn")
    assert [chapter.name for chapter in rules.chapters] == list(dict.fromkeys(rule.chapter for rule in rules.rules))
    assert rules.by_id("R1").chapter == "inspection" and all(chapter.title_zh for chapter in rules.chapters)


def test_the_registry_says_who_reads_a_key():
    """A key that is measured, or that a computation takes, is named somewhere in the engines."""
    folder = Path(__file__).resolve().parents[2] / "planning"
    skipped = {"rule_keys.py", "rule_pages.py"}
    code = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py") if path.name not in skipped)
    for key in KEYS.values():
        assert key.use in KEY_USES and key.scope in SCOPES and key.meaning_en and key.meaning_zh
        if key.use in ("measured", "parameter"):
            assert f'"{key.name}"' in code, f"{key.name} is {key.use}, and nothing reads it"


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
    assert {rule.key for book in BOOKS for rule in read_rulebook(book).rules} == set(RULE_KEYS) == set(KEYS)


def test_rules_are_values():
    rules = read_rulebook("cn")
    again = pickle.loads(pickle.dumps(rules))
    assert again == rules and again.fingerprint == rules.fingerprint
    assert again.by_id("G4").exceptions == rules.by_id("G4").exceptions and hash(again.by_id("G4"))
    with pytest.raises(TypeError):
        rules.by_id("G5").value["primary"] = 99


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@settings(max_examples=150)
@given(
    st.dictionaries(st.sampled_from(["id", "value", "params", "kind", "exceptions", "grades", "level", "when"]), JUNK),
    st.dictionaries(st.sampled_from(["name", "version", "rule", "level", "reason", "source"]), JUNK, max_size=1),
    st.booleans(),
)
def test_any_document_is_read_or_refused_in_words(table, head, overlay):
    document = {"name": "x", "version": "1", "rule": [{**RULE, **table}, {"id": "G5", **table}], **head}
    try:
        build_rules({**document, "base": "cn", "source": "s", "reason": "r", **head} if overlay else document)
    except RuleError as error:
        assert str(error)


@pytest.mark.parametrize(
    "text",
    [
        "note = " + "9" * 5_000,
        "rule = " + "[" * 5_000 + "]" * 5_000,
        "[[rule]]\nid = 'R1'\nvalue = 1" + "0" * 400,
        "[[rule]]\nid = 'R1'\nexceptions = [{ when = 'boarding', value = 1" + "0" * 400 + " }]",
    ],
)
def test_numbers_and_lists_beyond_all_measure_are_told(tmp_path, text):
    """No file may end the program: too long a number, too deep a list, a number that no float can hold."""
    file = tmp_path / "odd.toml"
    head = "name = 'odd'\nversion = '1'\nbase = 'cn'\nsource = 's'\nreason = 'r'\n"
    file.write_text(head + text, encoding="utf-8")
    with pytest.raises(RuleError, match=r"odd\.toml"):
        read_rulebook(file)


def test_a_name_that_no_file_can_have_is_told():
    with pytest.raises(RuleError, match="not the name of a file"):
        read_rulebook("odd\0.toml")


def test_a_rule_for_all_stages_without_a_setting_needs_none():
    rural = {**RULE, "id": "W1", "key": "service_radius", "unit": "m", "value": 2000, "setting": ["rural"]}
    anywhere = {**rural, "id": "W2", "value": {"all": 3000}}
    del anywhere["setting"]
    book = {"name": "own", "version": "1", "rule": [{**rural, "value": {"primary": 2000}}]}
    assert build_rules(book).needs_setting("service_radius", "primary")
    book["rule"].append(anywhere)
    assert not build_rules(book).needs_setting("service_radius", "primary")

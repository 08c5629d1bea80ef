from pathlib import Path

import pytest

from planning.flags import FLAG_MEANINGS, FLAG_NAMES
from planning.indicators import INDICATORS, render_indicators_page
from planning.rules import BOOKS, FACTS, KEYS, RULE_KEYS, read_rulebook, render_rules_page

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(
    ("name", "render"), [("rules.md", render_rules_page), ("indicators.md", render_indicators_page)]
)
def test_the_page_is_up_to_date(name, render):
    """Mend with ``make docs``."""
    assert (DOCS / name).read_text(encoding="utf-8") == render()


def test_every_rule_key_flag_and_indicator_is_in_the_docs():
    rules, indicators = render_rules_page(), render_indicators_page()
    for book in BOOKS:
        for rule in read_rulebook(book).rules:
            assert f"| {rule.id} |" in rules and rule.source in rules and rule.source_zh in rules
            assert rule.clause in rules and rule.follows_en in rules and rule.note in rules
            for exception in rule.exceptions:
                assert f"`{exception.when}`" in rules and exception.note_en in rules
    for key in KEYS.values():
        assert f"| `{key.name}` | {key.use} | {key.scope} |" in rules and key.meaning_zh in rules
    for fact in FACTS:
        assert f"| `{fact}` |" in rules
    for name in [*FLAG_NAMES, *(indicator.name for indicator in INDICATORS)]:
        assert f"| `{name}` |" in indicators


def test_flags_name_keys_that_exist():
    assert set(FLAG_MEANINGS) == set(FLAG_NAMES)
    for _, keys, _ in FLAG_MEANINGS.values():
        assert {key for key in keys.split(", ") if key} <= set(RULE_KEYS)

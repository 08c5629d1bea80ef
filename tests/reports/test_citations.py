"""Every flag that follows from a rule says which, where it stands and how far that can be trusted."""

import pytest

from planning.rules import BOOKS, read_rulebook
from reports.citations import cite_rule
from reports.language import read_catalogue

CN = read_rulebook("cn")


def test_a_citation_names_the_rule_its_source_and_its_evidence() -> None:
    english = cite_rule(CN, "C6", read_catalogue("en"))
    assert english == "Travel time, grades 1 to 3: 国办发〔2018〕27号 press; original text not read"
    chinese = cite_rule(CN, "C6", read_catalogue("zh"))
    assert chinese == "一至三年级上学路途时间：国办发〔2018〕27号（据新闻报道）；未读原文"


def test_what_nobody_verified_says_so_and_a_convention_is_called_one() -> None:
    assert "not verified" in cite_rule(CN, "L2", read_catalogue("en"))
    assert "convention" in cite_rule(CN, "U1", read_catalogue("en"))
    assert "惯例" in cite_rule(CN, "U1", read_catalogue("zh"))


def test_no_rule_no_citation() -> None:
    assert cite_rule(CN, "", read_catalogue("en")) == ""


@pytest.mark.parametrize("name", BOOKS)
def test_every_rule_has_a_source_in_both_languages(name: str) -> None:
    for rule in read_rulebook(name).rules:
        assert rule.source and rule.source_zh, rule.id
        assert not rule.clause or rule.clause_zh, rule.id

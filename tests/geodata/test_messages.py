import pickle

from geodata.errors import DataError, DataIssue, InfeasibleError
from geodata.messages import msg


def test_values_are_never_templates() -> None:
    hostile = "{0} {__class__} {{7*7}} <img src=x onerror=alert(1)>"
    assert str(msg("School {name}", name=hostile)) == f"School {hostile}"


def test_nested_messages_are_translated_too() -> None:
    words = {"stage: {stage}": "学段：{stage}", "primary": "小学"}
    message = msg("stage: {stage}", stage=msg("primary"))
    assert message.render(lambda text: words[text]) == "学段：小学"


def test_an_issue_tells_place_found_expected_cure() -> None:
    issue = DataIssue(
        "range", "error", msg("Too large."), "s.xlsx", "学校", 7, "经度", "361", msg("at most 180"), msg("correct it")
    )
    assert str(issue) == "s.xlsx, 学校, row 7, 经度: Too large. Found: 361. Expected: at most 180 To mend: correct it"


def test_errors_survive_a_worker() -> None:
    issue = DataIssue("x", "error", msg("bad {n}", n=3))
    assert pickle.loads(pickle.dumps(DataError([issue]))).issues == (issue,)
    assert pickle.loads(pickle.dumps(InfeasibleError([msg("no")]))).conflicts == (msg("no"),)


def test_names_are_joined_by_the_comma_of_the_language() -> None:
    told = msg("From {places}.", places=("A", "B, C"))
    assert str(told) == "From A, B, C."
    assert told.render({"From {places}.": "来自{places}。", ", ": "、"}.__getitem__) == "来自A、B, C。"

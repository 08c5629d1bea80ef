import pytest

from geodata.errors import ScenarioError
from geodata.study import MODES, STAGES
from planning.scenario import Scenario, name_mode, name_setting, name_stage


def test_a_scenario_checks_its_words_and_tells_all_problems():
    with pytest.raises(ScenarioError) as caught:
        Scenario(stages=("primery",), mode="wlak", enrolment="nearst", measure="feet", low_grade_share=2, actions=(1,))
    text = str(caught.value)
    for part in (
        "'primary'",
        "'walk'",
        "'nearest'",
        "'feet'; known: time, length",
        "low_grade_share",
        "not an action: 1",
    ):
        assert part in text


def test_a_scenario_needs_a_stage():
    with pytest.raises(ScenarioError, match="at least one stage"):
        Scenario(stages=())


def test_every_word_has_a_name():
    assert len({str(name_stage(stage)) for stage in STAGES}) == len(STAGES)
    assert len({str(name_mode(mode)) for mode in MODES}) == len(MODES)
    assert str(name_setting("")) == "of unknown setting"
    assert str(name_stage("other")) == "other"
    assert str(name_mode("boat")) == "boat"

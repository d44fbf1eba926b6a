"""Matching against a codebook of known geometry."""
from __future__ import annotations

import math

import pytest

from ppp.errors import PPPError


def test_distance_and_margin_are_those_of_the_geometry(table_matcher):
    match = table_matcher({"strike": (0, 3, 4, 0)})("strike")  # unit (0, .6, .8, 0)
    assert (match.skill, match.index, match.known) == ("slash", 2, True)
    assert match.distance == pytest.approx(math.sqrt(2 - 2 * 0.8), abs=1e-5)
    assert match.margin == pytest.approx(math.sqrt(0.8) - math.sqrt(0.4), abs=1e-5)
    assert [skill for skill, _ in match.alternatives] == ["walk", "idle"]


def test_far_text_is_unknown_and_says_so(table_matcher):
    match = table_matcher()("photosynthesis")
    assert not match.known and not match.performable
    assert match.distance == pytest.approx(math.sqrt(2), abs=1e-5)
    assert "unknown command" in match.reason and "0.90" in match.reason


def test_a_skill_the_policy_lacks_is_known_but_not_supported(table_matcher):
    match = table_matcher({"strike": (0, 3, 4, 0)}, skills=["idle", "walk"])("strike")
    assert match.known and not match.supported and not match.performable
    assert match.nearest_supported == "walk"
    assert "not trained on slash" in match.reason and "walk" in match.reason


def test_a_stand_in_goes_before_the_nearest(table_matcher):
    matcher = table_matcher({"strike": (0, 3, 4, 0)}, skills=["idle", "walk"])
    matcher.model.stand_ins = {"slash": ["run", "idle"]}
    assert matcher("strike").nearest_supported == "idle"
    assert matcher("walk").nearest_supported == "walk"


def test_an_unknown_skill_of_the_policy_is_refused_with_the_nearest(table_matcher):
    with pytest.raises(PPPError, match="did you mean 'slash'"):
        table_matcher(skills=["slahs"])


def test_what_only_forbids_is_the_resting_skill(table_matcher):
    assert table_matcher()("don't walk").skill == "idle"
    nothing = table_matcher(rest=None)("don't walk")
    assert nothing.skill is None and not nothing.known and "no action" in nothing.reason


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_command_is_unknown(table_matcher, text):
    match = table_matcher()(text)
    assert match.skill is None and not match.known and match.as_dict()["index"] == -1


def test_match_all_parts_and_merges_neighbours(table_matcher):
    matcher = table_matcher({"stroll": (0, 1, 0, 0)})
    assert [m.skill for m in matcher.match_all("walk and stroll, then slash")] == ["walk", "slash"]
    unknown = matcher.match_all("walk and sing")
    assert [m.known for m in unknown] == [True, False]
    assert len(matcher.match_all("walk")) == 1
    assert [m.skill for m in matcher.match_all("don't walk, slash")] == ["slash"]


def test_one_batch_answers_like_single_calls(table_matcher):
    matcher = table_matcher({"strike": (0, 3, 4, 0)})
    texts = ["strike", "", "don't walk", "walk"]
    assert matcher.match_many(texts) == [matcher(text) for text in texts]

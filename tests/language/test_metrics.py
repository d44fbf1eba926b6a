"""Figures against hand-worked values."""
from __future__ import annotations

import pytest
import torch

from ppp.language.codebook import Codebook
from ppp.language.finetune import batch_loss, outlier_loss
from ppp.language.metrics import auroc, balanced_threshold, per_skill
from ppp.language.phrases import PhraseSet
from ppp.language.scores import score


def test_auroc_by_counting_pairs():
    # Pairs (in, out): .1<.2 .1<.5 .3>.2 .3<.5 -> 3 of 4; a tie counts half.
    assert auroc([0.1, 0.3], [0.2, 0.5]) == pytest.approx(0.75)
    assert auroc([0.2], [0.2]) == pytest.approx(0.5)
    assert auroc([], [0.2]) is None


def test_threshold_lies_between_separable_groups():
    assert 0.4 < balanced_threshold([0.1, 0.4], [0.8, 1.0], 2.0) < 0.8
    assert balanced_threshold([0.1], [], 2.0) == 2.0


def test_per_skill_shares():
    assert per_skill([("a", True), ("b", False), ("a", False)]) == {"a": 0.5, "b": 0.0}


def test_losses_by_hand():
    codes = torch.eye(2)
    found = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    skill = torch.tensor([0, 0])
    # Squared distances: 0 and .16 + .64 = .8.
    assert batch_loss(found, codes, skill, "mse").item() == pytest.approx(0.4)
    cross = (torch.log1p(torch.tensor(-20.0).exp()) + torch.log1p(torch.tensor(4.0).exp())) / 2
    assert batch_loss(found, codes, skill, "mse+ce").item() == pytest.approx(0.4 + cross.item())
    # Best cosines 1 and .8 over the limit of .3: (.7 + .5) / 2.
    assert outlier_loss(found, codes).item() == pytest.approx(0.6)


def test_score_counts_what_it_says(table_matcher):
    matcher = table_matcher({"strike": (0, 3, 4, 0), "hit": (0, 0, 1, 0)})
    phrases = PhraseSet("x.yaml", "", labels={"walk": "walk"}, oos_far=["sing", "strike"],
                        negation=[("don't walk, hit", "slash", "walk"), ("hit", "walk", "slash")],
                        composite=[("walk and hit", ["walk", "slash"])], planner=[("hit", "slash")])
    found = score(matcher, phrases, [("strike", "slash"), ("hit", "slash"), ("sing", "walk")])
    assert found["top1"] == pytest.approx(2 / 3)
    assert found["per_skill"] == {"slash": 1.0, "walk": 0.0}
    assert found["refused_good"] == pytest.approx(1 / 3)
    assert found["accepted_right"] == 1.0 and found["accepted_far"] == 0.5
    # In-set .63, 0, 1.41 against 1.41 and .63: two wins, a tie; one win, a tie, a loss.
    assert found["auroc_far"] == pytest.approx((2.5 + 1.5) / 6)
    assert found["auroc_near"] is None
    assert found["negation"] == 0.5 and found["negation_trap"] == 0.5
    assert found["composite"] == 1.0 and found["planner"] == 1.0


def test_closest_pair_of_codes():
    codes = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    book = Codebook(("a", "b", "c"), ("a", "b", "c"), codes, "table", "0")
    distance, first, second = book.closest_pair()
    assert (first, second) == ("b", "c")
    assert distance == pytest.approx((0.36 + 0.04) ** 0.5)

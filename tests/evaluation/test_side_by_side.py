"""Performances that take their steps together are those that they would be alone."""
from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "planning"))

from planning_helpers import keyword_matcher, obstacle, scenario, target  # noqa: E402

from ppp.evaluation.side_by_side import side_by_side  # noqa: E402
from ppp.learning.bundle import load_policy  # noqa: E402
from ppp.planning.executor import Executor  # noqa: E402
from ppp.planning.physics import PhysicsPerformer  # noqa: E402
from ppp.planning.planner import ListPlanner  # noqa: E402
from ppp.planning.search import SearchMaker  # noqa: E402

#: scenes with other numbers of bodies, so that their states differ in size; the second ends last
SCENES = [
    scenario([{"reached": [1.2, 0]}], time_limit=1.5),
    scenario([{"knocked_over": "dummy"}], [target("dummy", 1.6, 0.3)], time_limit=3),
    scenario([{"reached": [1, 1]}], [obstacle("crate", 2, 2, 1, 1), target("dummy", -2, 0)],
             time_limit=1),
    scenario([{"performed": "taunt"}], time_limit=2),
]  # fmt: skip


@pytest.fixture(scope="module")
def policy():
    return load_policy()


def performed(number, performer):
    planner = ListPlanner(SCENES[number], performer.skills, SearchMaker(keyword_matcher))
    return Executor(SCENES[number], planner, performer, keyword_matcher).perform(seed=number)


def test_together_each_goes_as_it_goes_alone_bit_by_bit(policy):
    numbers = [0, 1, 2, 3, 1]  # the last one begins when another has ended
    found = list(side_by_side(numbers, lambda n, by: (n, performed(n, by)), policy, width=4))
    assert sorted(n for n, _ in found) == sorted(numbers)
    for number, together in found:
        alone = performed(number, PhysicsPerformer(policy=policy))
        for part in ("body_pos", "body_rot", "prop_pos", "prop_rot"):
            np.testing.assert_array_equal(getattr(together.recording, part),
                                          getattr(alone.recording, part))
        assert replace(together, recording=None) == replace(alone, recording=None)


def test_what_one_raises_is_raised_and_no_task_is_taken_too_early(policy):
    taken = []

    def coming():
        for number in range(5):
            taken.append(number)
            yield number

    def perform(number, performer):
        if number == 2:
            raise KeyError("no such thing")
        performer.reset(SCENES[0].scene(), (0.0, 0.0), 0.0, number)
        return [performer.step().time for _ in range(number + 1)]

    found = side_by_side(coming(), perform, policy, width=2)
    assert next(found) == pytest.approx([1 / 30])
    assert taken == [0, 1]
    assert next(found) == pytest.approx([1 / 30, 2 / 30])
    with pytest.raises(KeyError, match="no such thing"):
        next(found)
    assert taken == [0, 1, 2]

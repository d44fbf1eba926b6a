"""The learned planner in the second box of the page."""
from __future__ import annotations

import pytest

from ppp.planning.situation import remembered
from ppp.play.views import DONE
from ppp.rearrangement.actions import INDEX
from ppp.rearrangement.planner import LearnedPlanner

from .gliding import new_session, until_done


class Script:
    """Instead of adapters: a list of (skill, target), the last one for ever."""

    def __init__(self, *actions):
        self.actions = actions

    def reset(self, instruction):
        self.instruction, self.asked = instruction, 0

    def act(self, observation):
        self.asked += 1
        return INDEX[self.actions[min(self.asked, len(self.actions)) - 1]]


class Maker:
    """Makes learned planners of a script; ``made``: those so far."""

    name = "learned"

    def __init__(self, matcher, *actions):
        self.matcher, self.actions, self.made = remembered(matcher), actions, []

    def planner(self, scenario, skills):
        self.made.append(LearnedPlanner(scenario, skills, Script(*self.actions), self.matcher))
        return self.made[-1]


@pytest.fixture
def start(matcher):
    sessions = []

    def begin(*actions):
        maker = Maker(matcher, *actions)
        sessions.append(new_session(matcher, lambda scenario: (maker, "learned")))
        return sessions[-1], maker

    yield begin
    for session in sessions:
        session.close()


def test_it_acts_step_by_step_and_the_page_keeps_what_was_done(start):
    # the playground's things are called by words that it was trained on
    session, maker = start(("go", "straw dummy"), ("slash", "straw dummy"), ("go", "well"))
    session.instruct(session.scenario.instruction)
    view = until_done(session)
    assert maker.made[0].bridge.instruction == "Strike the straw dummy, then walk to the well."
    assert view.message.startswith("done after") and view.planner == "learned"
    commands = [line.text for line in view.plan]
    assert len(commands) >= 3 and all(line.mark == DONE for line in view.plan)
    assert "slash the yellow dummy" in " ".join(commands) and "flag" in commands[-1]


def test_an_instruction_that_nobody_can_read_ends_when_nothing_is_left(start):
    session, maker = start(("go", "straw dummy"), ("kick", "straw dummy"))
    session.instruct("Quantum marmalade, o yellow dummy!")
    view = until_done(session)
    assert not view.checks and "nothing is left to do" in view.message
    assert maker.made[0].actions == ["walk to the straw dummy", "kick the straw dummy"]
    assert view.state.props["yellow dummy"].up_z < 0.2

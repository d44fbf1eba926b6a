"""``ppp llarp show``: text, picture, what a user may get wrong."""
from __future__ import annotations

import json

import pytest
from PIL import Image

from ppp.errors import PPPError
from ppp.rearrangement import ACTIONS, TEST_SEED, make_tasks
from ppp.rearrangement.actions import INDEX
from ppp.rearrangement.show import as_text, main, perform, show


class Stubborn:
    """Reaches for what is not there, for ever."""

    def reset(self, instruction: str) -> None:
        self.instruction = instruction

    def act(self, observation) -> int:
        return INDEX["pick", "umbrella"]


def test_the_experts_episode_in_words_and_as_a_picture(tmp_path, capsys):
    picture, data = tmp_path / "plan.png", tmp_path / "episode.json"
    code = main(["--split", "three_objects", "--number", "3", "--picture", str(picture), "--json",
                 str(data)])
    printed = capsys.readouterr().out
    told = json.loads(data.read_text())
    chosen = make_tasks("three_objects", 4, TEST_SEED)[3]
    assert code == 0 and chosen.instruction in printed and told["success"]
    assert told["instruction"] == chosen.instruction
    assert [s["action"] for s in told["steps"]] == [
        line.split(". ", 1)[1].split("   [")[0] for line in printed.splitlines()
        if line[:2].strip().isdigit()]
    assert sum(s["reward"] for s in told["steps"]) == pytest.approx(15.0, abs=0.02)
    assert told["steps_optimal"] <= len(told["steps"])
    with Image.open(picture) as image:
        assert image.format == "PNG" and image.width > 1000
        assert len(image.convert("RGB").getcolors(1 << 24)) > 100


def test_a_chooser_that_fails_is_told_why(tmp_path):
    chosen = make_tasks("scene", 1, 1)[0]
    stubborn = Stubborn()
    episode = perform(chosen, stubborn)
    assert stubborn.instruction == chosen.instruction
    assert not episode.success and len(episode.steps) == 32
    assert {s.problem for s in episode.steps} == {"no umbrella is within reach"}
    assert "not done" in as_text(episode) and "nothing happens: no umbrella" in as_text(episode)
    assert episode.steps[0].phrase == ACTIONS[INDEX["pick", "umbrella"]].phrase


@pytest.mark.parametrize("more, word", [
    (["--split", "spacial"], "did you mean 'spatial'"), (["--number", "-1"], "counted from 0"),
])
def test_what_a_user_gets_wrong(tmp_path, more, word):
    with pytest.raises(PPPError, match=word):
        main([*more, "--picture", str(tmp_path / "a.png")])
    assert not list(tmp_path.iterdir())


def test_a_picture_must_be_a_png_in_a_folder_that_can_be(tmp_path):
    with pytest.raises(PPPError, match="PNG"):
        show("scene", picture=tmp_path / "a.jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(PPPError, match="folder"):
        show("scene", picture=tmp_path / "file" / "a.png")

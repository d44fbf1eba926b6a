"""Episodes: observations, rewards, what goes wrong by itself, several side by side."""
from __future__ import annotations

import numpy as np
import pytest
from rearrangement_scenes import act, layout_with, task

from ppp.errors import PPPError
from ppp.rearrangement import (
    LIMIT,
    NAMES,
    OBS,
    Failures,
    TaskEnv,
    VectorEnv,
    make_tasks,
)
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.observe import _HELD, _LAST, _REACH
from ppp.rearrangement.task import Setup

HOUSE = layout_with("chest", "sofa", "bed", "well", "sandbag")
NEVER = [[["down", "suit of armour"]]]
APPLE = ["apple", "", ""]
CARRY = [[["before", APPLE]], [["holding", APPLE]], [["holding", APPLE], ["at", "bed"]],
         [["on", APPLE, "bed"]]]


def carrying(**more) -> Setup:
    return Setup([["apple", "", "sofa"]], only=["apple"], start="chest", **more)


def test_rewards_are_five_for_the_sub_goals_and_ten_for_success():
    env = TaskEnv()
    env.reset(task([CARRY[3]], carrying(), HOUSE, steps=CARRY))
    walk = (("go", "sofa"), ("pick", "apple"), ("go", "bed"), ("place", "bed"))
    rewards = [act(env, *step)[1] for step in walk]
    assert rewards == pytest.approx([1.25, 1.25, 1.25, 11.25])
    assert env.done


def test_a_sub_goal_counts_once_and_one_that_holds_at_first_never():
    env = TaskEnv()
    env.reset(task([CARRY[3]], Setup([["apple", "", "sofa"]], only=["apple"], start="sofa"), HOUSE,
                   steps=CARRY))
    walk = (("pick", "apple"), ("place", "sofa"), ("pick", "apple"), ("go", "chest"),
            ("go", "sofa"))
    assert [act(env, *s)[1] for s in walk] == pytest.approx([1.25, 0, 0, 0, 0])


def test_an_episode_ends_after_32_steps():
    env = TaskEnv()
    env.reset(task(NEVER, carrying(), HOUSE))
    done = [act(env, "wait")[2] for _ in range(LIMIT)]
    assert LIMIT == 32 and done == [False] * 31 + [True]
    with pytest.raises(PPPError, match="reset"):
        act(env, "wait")


def test_shapes_and_types_of_an_observation():
    for mode in ("appearance", "names"):
        observation = TaskEnv(mode).reset(make_tasks("train", 1, 0)[0])
        assert observation.self_state.shape == (OBS.S,)
        assert observation.entities.shape == (OBS.E, OBS.F)
        assert observation.mask.shape == observation.names.shape == (OBS.E,)
        assert observation.entities.dtype == observation.self_state.dtype == np.float32
        assert observation.mask.dtype == bool
        assert not observation.entities[~observation.mask].any()
        assert not observation.names[~observation.mask].any()


def test_the_same_task_is_the_same_scene_and_another_seed_another():
    one, two = make_tasks("train", 2, 3)
    first, again = TaskEnv().reset(one), TaskEnv(seed=5).reset(one)
    for a, b in zip(first, again):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.entities, TaskEnv().reset(two).entities)


def test_names_hide_looks_and_looks_hide_nothing_of_the_rest():
    chosen = make_tasks("train", 1, 4)[0]
    looks, names = TaskEnv("appearance").reset(chosen), TaskEnv("names").reset(chosen)
    np.testing.assert_array_equal(looks.names, names.names)
    assert looks.entities[looks.mask, : words.CODE].any(axis=1).all()
    assert not names.entities[:, : words.CODE].any()
    np.testing.assert_array_equal(looks.entities[:, 2 * words.CODE:],
                                  names.entities[:, 2 * words.CODE:])
    with pytest.raises(PPPError, match="observation mode"):
        TaskEnv("name").reset(chosen)


def test_only_what_is_near_and_in_sight_is_seen():
    env = TaskEnv()
    env.reset(task(NEVER, Setup(start="chest"), HOUSE))
    for _ in range(3):
        observation = act(env, "go", "bed")[0]
        at, sight = env.state.at, env.world.sight
        allowed = {words.NAME[n] for i, n in enumerate(words.PLACES) if sight.sees[at, i]}
        for i, holder in enumerate(env.state.lies):
            if sight.shows[at, holder]:
                name = words.full_name(env.world.kinds[i], env.world.paints[i])
                allowed.add(words.NAME[name])
        assert set(observation.names[observation.mask]) <= allowed
    assert observation.mask.sum() < len(env.world.kinds)


def test_what_is_held_goes_along():
    env = TaskEnv()
    env.reset(task(NEVER, Setup([["apple", "", "sofa"]], only=["apple"], start="sofa"), HOUSE))
    act(env, "pick", "apple")
    observation = act(env, "go", "well" if env.state.gate_open else "bed")[0]
    apple = int(np.flatnonzero(observation.names == words.NAME["apple"])[0])
    held = observation.entities[apple]
    assert held[_HELD] == 1.0 and observation.self_state[5] == 1.0
    act(env, "go", "bed")
    observation = act(env, "place", "bed")[0]
    apple = int(np.flatnonzero(observation.names == words.NAME["apple"])[0])
    assert observation.entities[apple][_HELD] == 0.0 and observation.self_state[5] == 0.0
    # it lies on the bed, within reach
    assert observation.entities[apple][_REACH] == 1.0


def marked(observation):
    """Names of what is marked as the last action's target."""
    return [NAMES[n] for n, row in zip(observation.names, observation.entities) if row[_LAST]]


@pytest.mark.parametrize("mode", ["appearance", "names"])
def test_what_the_last_action_was_done_to_is_marked_where_it_is_in_view(mode):
    things = [["apple", "", "sofa"], ["bowl", "red", "sofa"], ["bowl", "blue", "sofa"],
              ["plum", "", "bed"]]
    env = TaskEnv(mode)
    first = env.reset(task(NEVER, Setup(things, only=["apple", "bowl", "plum"], start="chest"),
                           HOUSE))
    assert not first.entities[:, _LAST].any()
    assert marked(act(env, "go", "sofa")[0]) == ["sofa"]
    assert marked(act(env, "wait")[0]) == []
    # an action in vain is marked as well; what is meant may be any of a kind
    found, _, _, info = act(env, "place", "sofa")
    assert info["invalid"] and marked(found) == ["sofa"]
    assert marked(act(env, "pick", "plum")[0]) == []  # not in view
    found, _, _, info = act(env, "pick", "bowl")
    assert not info["invalid"] and len(marked(found)) == 1
    row = found.entities[found.entities[:, _LAST] > 0][0]
    assert row[_HELD] == 1.0 and found.self_state[5] == 1.0
    # the hand is full: now either could be meant, the one in the hand and the one on the sofa
    assert sorted(marked(act(env, "pick", "bowl")[0])) == ["blue bowl", "red bowl"]


def test_every_actions_target_is_marked_by_its_name():
    """Over whole episodes: what is marked are the entities in view that bear the target's name."""
    env, marks, chance = TaskEnv(), 0, np.random.default_rng(0)
    for chosen in make_tasks("train", 6, 21):
        env.reset(chosen)
        while not env.done:
            valid = np.flatnonzero(env.valid())
            choice = int(chance.choice(valid)) if chance.random() < 0.5 else env.expert()
            action = env.actions[choice]
            seen, _, _, info = env.step(choice)
            named = {NAMES[n] for n in seen.names[seen.mask]
                     if words.kind_of(NAMES[n]) == action.target}
            if action.skill == "pick" and not info["invalid"]:
                assert set(marked(seen)) <= named and len(marked(seen)) == 1
            else:
                assert set(marked(seen)) == named
            assert not seen.entities[~seen.mask].any()
            marks += len(marked(seen))
    assert marks > 30


def test_more_than_fits_leaves_out_the_farthest():
    holder = "sofa"
    things = [[c, "", holder] for c in words.TRAINED]  # 28 on one sofa, with the rest in view
    env = TaskEnv()
    observation = env.reset(task(NEVER, Setup(things, start=holder), HOUSE))
    assert observation.mask.sum() == OBS.E - 1  # one row is kept for what is held
    names = {NAMES[i] for i in observation.names[observation.mask]}
    assert holder in names
    assert env.step(env.expert())[0].mask.sum() <= OBS.E


def test_looks_are_shared_but_not_equal():
    codes = words.appearance()
    unit = codes / np.linalg.norm(codes, axis=1, keepdims=True)

    def like(a: str, b: str) -> float:
        return float(unit[words.NAME[a]] @ unit[words.NAME[b]])

    assert like("lemon", "plum") > like("lemon", "wardrobe")  # round small food
    assert like("red bowl", "blue bowl") > 0.5
    assert max(like(a, b) for a in words.CATEGORIES for b in words.CATEGORIES if a != b) < 0.97
    # an instance is told by its looks from every other kind, though no two are the same
    real = [i for i, name in enumerate(NAMES) if name not in words.PAINTED]
    noises = words.noises()[:20]
    seen = codes[real][:, None] + noises[None]
    apart = np.linalg.norm(seen[:, :, None] - codes[real][None, None], axis=-1)
    right = apart.argmin(-1) == np.arange(len(real))[:, None]
    assert right.mean() > 0.99 and len(np.unique(noises, axis=0)) == len(noises)


def test_failures_have_no_effect_and_say_so():
    env = TaskEnv(failures=Failures({"go": 1.0}))
    env.reset(task(NEVER, carrying(), HOUSE))
    at = env.state.at
    observation, _, _, info = act(env, "go", "sofa")
    assert info["failed"] and not info["invalid"] and env.state.at == at
    assert observation.self_state[8] == 1.0 and info["reason"] == "it failed"
    assert not act(env, "wait")[3]["failed"]


def test_somebody_moves_things_and_shuts_containers():
    env = TaskEnv(failures=Failures(moved=1.0, shut=1.0))
    env.reset(task(NEVER, carrying(state={n: True for n in words.CONTAINERS}), HOUSE))
    before = env.state.copy()
    for _ in range(20):
        act(env, "wait")
    assert sum(a != b for a, b in zip(before.lies, env.state.lies)) >= 5
    there = [words.OPENABLE.index(n) for n in env.world.layout.names(words.CONTAINERS)]
    assert not any(env.state.open[i] for i in there)


def test_a_share_of_the_episodes_is_disturbed_and_by_the_seed():
    chosen = task(NEVER, carrying(), HOUSE)

    def failed(seed: int):
        env = TaskEnv(failures=Failures({"wait": 1.0}, share=0.3), seed=seed)
        found = []
        for _ in range(200):
            env.reset(chosen)
            found.append(act(env, "wait")[3]["failed"])
        return found

    assert failed(1) == failed(1) != failed(2)
    assert 0.2 < np.mean(failed(1)) < 0.4


@pytest.mark.parametrize("data, word", [
    ({"skills": {"fly": 0.1}}, "unknown skill 'fly'"), ({"moved": 1.5}, "moved"),
    ({"skills": {"go": "often"}}, "skills.go"), ({"rate": 0.1}, "field of failures"),
])
def test_wrong_rates_are_refused(data, word):
    with pytest.raises(PPPError, match=word):
        Failures.from_dict(data)
    assert Failures.from_dict({"skills": {"go": 0.1}, "shut": 0.2}).shut == 0.2


def test_environments_side_by_side_are_as_one_by_one():
    tasks = make_tasks("train", 4, 9)
    vector = VectorEnv([TaskEnv() for _ in tasks])
    single = TaskEnv()
    stacked = vector.reset(tasks)
    assert stacked.entities.shape == (4, OBS.E, OBS.F)
    rewards = np.zeros(4)
    for _ in range(LIMIT):
        stacked, reward, done, infos = vector.step(
            [0 if env.done else env.expert() for env in vector.envs])
        rewards += reward
    assert done.all() and infos == [{}] * 4
    for i, chosen in enumerate(tasks):
        single.reset(chosen)
        total = 0.0
        while not single.done:
            observation, reward, _, _ = single.step(single.expert())
            total += reward
        assert rewards[i] == pytest.approx(total, abs=1e-5)
        np.testing.assert_array_equal(stacked.self_state[i], observation.self_state)


def test_one_that_is_over_holds_still_until_it_gets_a_task():
    short = task([[["did", ["wait"], ""]]], carrying(), HOUSE)
    vector = VectorEnv([TaskEnv(), TaskEnv()])
    vector.reset([short, task(NEVER, carrying(), HOUSE)])
    wait = next(i for i, a in enumerate(vector.envs[0].actions) if a.skill == "wait")
    _, reward, done, infos = vector.step([wait, wait])
    assert done.tolist() == [True, False] and infos[0]["success"]
    before = vector.step([wait, wait])[0]
    after, reward, done, infos = vector.step([wait, wait])
    assert reward[0] == 0.0 and done[0] and infos[0] == {}
    np.testing.assert_array_equal(before.self_state[0], after.self_state[0])
    alone = vector.reset_at(0, short)
    assert alone.self_state.shape == (OBS.S,) and not vector.envs[0].done
    with pytest.raises(PPPError, match="2 environments"):
        vector.reset([short])


def test_valid_says_what_can_be_done():
    env = TaskEnv()
    env.reset(make_tasks("train", 1, 12)[0])
    valid = env.valid()
    assert valid.shape == (len(env.actions),) and 0.05 < valid.mean() < 0.6
    for action in np.flatnonzero(valid)[::4]:
        env.reset(env.task)
        assert not env.step(int(action))[3]["invalid"]
    for action in np.flatnonzero(~valid)[::9]:
        env.reset(env.task)
        assert env.step(int(action))[3]["invalid"]

"""The tasks: from a seed, disjoint from training by construction, solvable, not by chance."""
from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from typing import Dict, List, Set

import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.rearrangement import (
    BEHAVIOUR,
    PARAPHRASE,
    SPLITS,
    TEST_COUNT,
    TEST_SEED,
    Task,
    TaskEnv,
    heldout,
    make_tasks,
    train_texts,
    wordings,
)
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.families import FAMILIES, Slotter, place_slots, sentence
from ppp.rearrangement.generate import EXTRA_SPLITS, digest
from ppp.rearrangement.layout import HELD_OUT_LAYOUTS, TRAIN_LAYOUTS, make_layout
from ppp.rearrangement.oracle import optimal_length, optimal_plan
from ppp.rearrangement.splits import resolve
from ppp.rearrangement.task import Setup

#: words that carry no content of a request
FUNCTION_WORDS = set(
    "a an the to on in into of off out it its at over up down from for by with and or but so then "
    "there them both this that these is are was be must should could would can do does not i you "
    "your me my who which what where while as no".split()
)


@pytest.fixture(scope="module")
def tests() -> Dict[str, List[Task]]:
    """The published test tasks."""
    return {s: make_tasks(s, TEST_COUNT, TEST_SEED) for s in (*SPLITS, *EXTRA_SPLITS)}


@pytest.fixture(scope="module")
def train() -> List[Task]:
    return make_tasks("train", 3000, 0)


def play(task: Task, choose) -> TaskEnv:
    env = TaskEnv(preset=task.preset)
    env.reset(task)
    while not env.done:
        env.step(choose(env))
    return env


def content_words(frames) -> Set[str]:
    found: Set[str] = set()
    for frame in frames:
        found.update(re.findall(r"[a-z]+", re.sub(r"\{[^}]*\}", " ", frame).lower()))
    return found - FUNCTION_WORDS


def test_the_splits_are_the_papers():
    assert len(SPLITS) == 10 and len(PARAPHRASE) == 5 and len(BEHAVIOUR) == 4
    assert ("scene", *PARAPHRASE, *BEHAVIOUR) == SPLITS


def test_the_test_set_is_the_published_one(tests):
    lines = [t.to_json() for s in SPLITS for t in tests[s]]
    assert len(lines) == 1000
    assert digest(lines) == PUBLISHED


def test_training_texts_are_the_same_every_time_and_all_different():
    texts = list(train_texts(8_000))
    assert len(set(texts)) == 8_000
    assert digest(texts) == TEXTS


def test_there_are_more_than_150000_training_texts(train):
    """Those of a single family alone, written out; what is drawn is among them."""
    names = [f"the {n}" for n in (*words.TRAINED, *words.WITHHELD)]
    names += [f"the {p} {n}" for n in words.PAINTED for p in words.PAINTS]
    places = [place_slots("y", s) for s in words.SURFACES]
    texts = {
        sentence(frame, {"x": x, "z": z, **y})
        for frame in wordings.TRAIN["two_objects"] for x in names for z in names if x != z
        for y in places
    }
    drawn = [t.instruction for t in train if t.family == "two_objects"]
    assert len(texts) > 150_000 and len(drawn) > 200 and texts.issuperset(drawn)


def plain(text: str) -> str:
    """A text without case, punctuation and doubled blanks."""
    return " ".join(re.findall(r"[a-z]+", text.lower()))


def test_tasks_go_to_json_and_back(train, tests):
    for task in (*train[:50], *tests["conditional"][:10]):
        line = task.to_json()
        assert Task.from_json(line) == task and "\n" not in line and len(line) < 4000
    with pytest.raises(PPPError, match="task"):
        Task.from_json("{}")


def test_a_seed_is_a_list_of_tasks():
    assert make_tasks("train", 20, 1) == make_tasks("train", 20, 1) != make_tasks("train", 20, 2)
    assert make_tasks("context", 9, 1) == make_tasks("context", 12, 1)[:9]
    with pytest.raises(PPPError, match="did you mean 'conditional'"):
        make_tasks("conditionals", 1, 0)
    with pytest.raises(PPPError, match="count"):
        make_tasks("train", -1, 0)


def test_layouts_are_held_out(train, tests):
    assert {t.layout for t in train} == set(TRAIN_LAYOUTS)
    for split in SPLITS:
        assert {t.layout for t in tests[split]} <= set(HELD_OUT_LAYOUTS)


def test_families_of_training_and_their_shares(train):
    counts = Counter(t.family for t in train)
    assert set(counts) == set(FAMILIES)
    total = sum(share for _, share in FAMILIES.values())
    for name, (_, share) in FAMILIES.items():
        assert counts[name] / len(train) == pytest.approx(share / total, rel=0.35, abs=0.004)


def test_no_content_word_of_a_rephrasing_is_in_a_frame_of_training():
    known = content_words(itertools.chain(
        *wordings.TRAIN.values(), *wordings.CLAUSES.values(), wordings.SITUATED,
        *wordings.SITUATIONS.values(), *wordings.DESCRIBED.values()))
    assert set(heldout.REPHRASED) == set(wordings.TRAIN)
    for family, frames in heldout.REPHRASED.items():
        assert len(frames) >= 3
        for frame in frames:
            assert content_words([frame]) and not content_words([frame]) & known, (family, frame)


def test_the_held_out_texts_are_no_texts_of_training(tests):
    """By the grammar: no frame of training, with anything in its slots, makes one."""
    grammar = [Frame(f) for frames in (*wordings.TRAIN.values(), wordings.SITUATED)
               for f in frames]
    for split in (*PARAPHRASE, *BEHAVIOUR):
        for task in tests[split]:
            made = [g.frame for g in grammar if g.makes(task.instruction)]
            assert not made, (split, task.instruction, made)
    for task in make_tasks("train", 300, 5):
        assert any(g.makes(task.instruction) for g in grammar), task.instruction


class Frame:
    """A frame of training, to be recognised in a text."""

    def __init__(self, frame: str) -> None:
        self.frame = frame
        self.words = set(re.findall("[a-z]+", re.sub(r"\{[^}]*\}", " ", frame).lower()))
        self.regex = re.compile(pattern(frame))

    def makes(self, text: str) -> bool:
        """Whether something in its slots gives the text."""
        text = plain(text)
        # quick to tell: a word of the frame is missing
        return self.words <= set(text.split()) and bool(self.regex.fullmatch(text))


def alternatives(options) -> str:
    return "(?:" + "|".join(re.escape(plain(o)) for o in sorted(options, key=len)[::-1]) + ")"


def things(single: bool) -> str:
    """What training may call a thing; in families of one thing withheld ones have no name."""
    names = [*words.TRAINED] if single else [*words.TRAINED, *words.WITHHELD]
    named = [f"the {n}" for n in names] + [
        f"the {p} {n}" for n in words.PAINTED for p in words.PAINTS]
    described = [d for texts in wordings.DESCRIBED.values() for d in texts] if single else []
    return alternatives([*named, *described])


def pattern(frame: str) -> str:
    """A regular expression for every text that a frame of training can make."""
    places = [f"the {p}" for p in words.PLACES]
    single = "{z}" not in frame
    taken = "{s}" in frame or "_s}" in frame
    withheld = single and taken and "{y}" not in frame and "_y}" not in frame  # take_off
    clauses = [pattern_of(c) for texts in wordings.CLAUSES.values() for c in texts]
    slots = {
        "x": things(single and not withheld) if not withheld else
        f"(?:{things(True)}|{things(False)})",
        "z": things(False), "by": "(?: ?" + alternatives(wordings.WEAPONS) + ")?",
        "verb": alternatives(wordings.VERBS), "a": "(?:" + "|".join(clauses) + ")",
        "situation": alternatives([s for t in wordings.SITUATIONS.values() for s in t]),
    }
    slots["b"] = slots["a"]
    for letter in "yswcpd":
        slots[letter] = alternatives(places)
        slots[f"on_{letter}"] = "(?:on|in) " + slots[letter]
        slots[f"off_{letter}"] = "(?:off|out of) " + slots[letter]
    return filled(frame, slots)


def pattern_of(clause: str) -> str:
    places = alternatives([f"the {p}" for p in words.PLACES])
    return filled(clause, {"p": places, "c": places, "d": places, "y": places, "x": things(True),
                           "on_y": "on " + places, "verb": alternatives(wordings.VERBS)})


def filled(frame: str, slots: Dict[str, str]) -> str:
    parts = re.split(r"\{([^}]*)\}", frame)
    made = []
    for i, part in enumerate(parts):
        made.append(slots[part] if i % 2 else (plain(part) and f" {plain(part)} "))
    return re.sub(r" +", " ", " ".join(m for m in made if m)).strip().replace(" (?: ?", "(?: ?")


def test_withheld_things_are_in_training_but_not_alone(train):
    single = [t for t in train if t.family in ("move", "move_from", "find", "put_in", "ordered",
                                               "situated")]
    others = [t for t in train if t.family in ("two_objects", "swap", "take_off")]
    for name in words.WITHHELD:
        mention = re.compile(rf"\b{name}\b")
        assert not [t.instruction for t in single if mention.search(t.instruction)]
        for family in ("two_objects", "swap", "take_off"):
            assert [t for t in others if t.family == family and mention.search(t.instruction)]


def test_novel_and_unseen_things_are_what_their_splits_are_about(tests, train):
    for split, names in (("novel_objects", words.WITHHELD), ("unseen_words", words.UNSEEN)):
        about = Counter(t.stages[0][0][1][0] for t in tests[split])
        assert set(about) == set(names) and min(about.values()) >= 8
    unseen = re.compile("|".join(words.UNSEEN))
    assert not [t for t in train if unseen.search(t.instruction)]
    env = TaskEnv()
    for task in train[:100]:
        env.reset(task)
        assert not set(env.world.kinds) & set(words.UNSEEN)


def test_context_and_referring_are_about_things_that_training_never_describes(tests):
    described = set(wordings.DESCRIBED)
    assert not described & {*heldout.CONTEXT, *heldout.REFERRING}
    for split, least in (("context", 12), ("referring", 12)):
        about = {t.stages[0][0][1][0] for t in tests[split]}
        assert len(about) >= least and not about & described
        for task in tests[split]:  # its name is not given away
            assert not re.search(rf"\b{task.stages[0][0][1][0]}\b", task.instruction)
    texts = set(itertools.chain(*wordings.DESCRIBED.values(), *wordings.SITUATIONS.values()))
    assert not texts & set(itertools.chain(*heldout.CONTEXT.values(), *heldout.REFERRING.values()))


def test_rivals_of_what_is_described_are_not_there(tests):
    env, met = TaskEnv(), 0
    for task in (*tests["context"], *tests["referring"]):
        env.reset(task)
        rivals = heldout.RIVALS.get(task.stages[0][0][1][0], ())
        met += bool(rivals)
        assert not set(rivals) & set(env.world.kinds)
    assert met > 60


def test_irrelevant_words_are_about_nothing_in_the_task(tests):
    assert len(heldout.IRRELEVANT) >= 8
    for task in tests["irrelevant"]:
        goal = set(re.findall(r"'([^']*)'", str([task.stages, task.steps])))
        shells = [shell for shell in heldout.IRRELEVANT
                  if re.fullmatch(re.sub(r"\\\{[^}]*\\\}", "(.+)", re.escape(shell)),
                                  task.instruction)]
        assert shells, task.instruction
        shell = re.sub(r"\\\{base\\\}", ".+", re.escape(shells[0]))
        named = re.fullmatch(re.sub(r"\\\{[eq]\\\}", "(.+)", shell), task.instruction).groups()
        assert named and not set(named) & goal


def test_both_branches_of_an_if_are_as_frequent_and_the_other_must_not_happen(tests):
    truths = Counter()
    for task in tests["conditional"]:
        taken = task.branches.index(task.stages)
        truths[taken] += 1
        other = task.branches[1 - taken][0][0]
        if other[0] == "did":
            assert ["up", other[2]] in task.keep
        else:
            assert ["stay", other[1]] in task.keep
    assert truths == {0: 50, 1: 50}
    kinds = Counter(t.look[0] for t in tests["conditional"])
    assert set(kinds) == {"open", "shut", "down", "up"}


def test_the_wrong_branch_is_no_success(tests):
    env = TaskEnv()
    for task in tests["conditional"][:40]:
        wrong = task.branches[1 - task.branches.index(task.stages)]
        plan = optimal_plan(Task(**{**vars(task), "stages": wrong, "keep": [], "branches": [],
                                    "look": []}))
        env.reset(task)
        for action in plan or ():
            if not env.done:
                env.step(env.actions.index(action))
        assert not env.goal.reached(env.state)


def test_three_objects_and_all_of_are_more_than_training_has(tests, train):
    def carried(task: Task) -> int:
        return sum(c[0] in ("on", "holding", "did") for stage in task.stages for c in stage)

    assert max(carried(t) for t in train) == 2
    assert min(carried(t) for t in tests["three_objects"]) == 3
    env = TaskEnv()
    for task in tests["all_of"]:
        env.reset(task)
        category = task.stages[0][0][1][0]
        count = env.world.kinds.count(category)
        assert count in (2, 3) and not re.search(r"\b(all|every)\b", " ".join(
            t.instruction for t in train[:300]).lower())


def test_relations_have_one_answer():
    layout = make_layout(HELD_OUT_LAYOUTS[0])
    surfaces = layout.names(words.SURFACES)
    xy = {n: layout.xy[words.PLACE[n]] for n in layout.names(words.PLACES)}
    met = Counter()
    for r in layout.names(words.PLACES):
        rest = [s for s in surfaces if s != r]
        by_distance = sorted(rest, key=lambda s: np.linalg.norm(xy[s] - xy[r]))
        for relation, best in (("closest", by_distance[0]), ("farthest", by_distance[-1])):
            answer = resolve(layout, relation, r)
            assert answer in ([], [best])
            met[relation] += len(answer)
        for s in resolve(layout, "same_room", r):
            assert layout.room[words.PLACE[s]] == layout.room[words.PLACE[r]]
            met["same_room"] += 1
        left, right = resolve(layout, "left_of", r), resolve(layout, "right_of", r)
        assert not set(left) & set(right)
    assert met["closest"] > 5 and met["farthest"] > 5 and met["same_room"] > 2
    north = max(surfaces, key=lambda s: xy[s][1])
    assert resolve(layout, "north", "") in ([], [north])


def test_six_relations_and_more_are_asked(tests):
    asked = Counter(next(r for r, texts in heldout.SPATIAL.items() for text in texts
                         if re.search(re.sub(r"\{.\}", ".+", text), t.instruction))
                    for t in tests["spatial"])
    assert len(asked) >= 6 and max(asked.values()) < 40


@pytest.mark.parametrize("split", [*SPLITS, *EXTRA_SPLITS])
def test_every_test_task_is_false_at_first_and_solved_by_the_expert(tests, split):
    lengths, texts = [], set()
    for task in tests[split]:
        env = TaskEnv()
        env.reset(task)
        assert not env.goal.reached(env.state)
        env = play(task, lambda e: e.expert())
        assert env.goal.reached(env.state)
        best = optimal_length(task)
        assert best is not None and best <= env.state.step
        lengths.append(best)
        texts.add(task.instruction)
    assert len(texts) > (60 if split in ("scene", "rephrasing") else 90)
    low, high = (9, 13) if split in ("three_objects", "all_of") else (2.5, 6)
    assert low <= np.mean(lengths) <= high


def test_training_tasks_are_false_at_first_and_solved_without_a_vain_step(train):
    for task in train[:400]:
        env, invalid = TaskEnv(), 0
        env.reset(task)
        assert not env.goal.reached(env.state), task.instruction
        while not env.done:
            invalid += env.step(env.expert())[3]["invalid"]
        assert env.goal.reached(env.state) and invalid == 0, task.instruction


def test_the_papers_preset_is_solved_with_its_seventy_actions():
    for split in ("train", *SPLITS):
        for task in make_tasks(split, 12, 2, "parity"):
            env = play(task, lambda e: e.expert())
            assert len(env.actions) == 70 and env.goal.reached(env.state)
            assert env.state.gate_open
    with pytest.raises(PPPError, match="preset"):
        make_tasks("train", 1, 0, "paper")


def test_the_expert_may_be_asked_in_any_state():
    chance, solved, asked = random.Random(0), 0, 0
    for task in itertools.chain.from_iterable(make_tasks(s, 15, 3) for s in ("train", *SPLITS)):
        env = TaskEnv()
        env.reset(task)
        for _ in range(8):
            if not env.done:
                env.step(chance.choice(np.flatnonzero(env.valid()).tolist()))
        if env.done:
            continue
        asked += 1
        while not env.done:
            _, _, _, info = env.step(env.expert())
            assert not info["invalid"], (task.instruction, info["reason"])
        solved += env.goal.reached(env.state)
    assert asked > 130 and solved >= 0.98 * asked


def test_the_expert_does_not_know_what_it_has_not_seen():
    """Two scenes that look alike so far get the same actions, wherever the thing is."""
    names = ("chest", "crate", "sofa", "bed")
    number = next(n for n in TRAIN_LAYOUTS if len(make_layout(n).names(names)) == 4)
    acted = []
    for hidden in ("chest", "crate"):
        task = Task(3, "train", "x", "x", number, [[["on", ["apple", "", ""], "sofa"]]],
                    [[["on", ["apple", "", ""], "sofa"]]],
                    setup=Setup([["apple", "", hidden]], only=["apple"], start="bed",
                                state={"chest": False, "crate": False}))
        env, log = TaskEnv(), []
        env.reset(task)
        while not env.done and not any(
                env.world.kinds[i] == "apple" for i in np.flatnonzero(env.seen.things)):
            log.append(env.expert())
            env.step(log[-1])
        acted.append(log)
    short, long = sorted(acted, key=len)
    assert len(short) > 2 and long[: len(short)] == short and len(long) > len(short)


def test_chance_solves_less_than_two_in_a_hundred(tests):
    rng = np.random.default_rng(0)
    solved = [play(task, lambda e: int(rng.integers(len(e.actions)))) for split in SPLITS
              for task in tests[split][::2]]
    assert np.mean([env.goal.reached(env.state) for env in solved]) < 0.02


def test_shortest_plans_of_hand_made_tasks():
    names = ("chest", "sofa", "bed")
    number = next(n for n in TRAIN_LAYOUTS if len(make_layout(n).names(names)) == 3)

    def length(stages, setup):
        return optimal_length(Task(1, "train", "x", "x", number, stages, [stages[0]], setup=setup))

    apple = ["apple", "", ""]
    scene = dict(only=["apple", "plum"], start="bed")
    # walk, open, take, walk, put
    assert length([[["on", apple, "sofa"]]],
                  Setup([["apple", "", "chest"]], state={"chest": False}, **scene)) == 5
    # the hand can hold one thing: walk, take, walk, put, take, walk, put
    assert length([[["on", apple, "bed"], ["on", ["plum", "", ""], "sofa"]]],
                  Setup([["apple", "", "sofa"], ["plum", "", "bed"]], **scene)) == 6
    assert length([[["open", "chest"], ["at", "sofa"]]],
                  Setup(state={"chest": False}, **scene)) == 3
    assert length([[["holding", ["mirror", "", ""]]]], Setup(**scene)) is None


def test_slots_come_from_the_layout():
    rng = random.Random(0)
    for number in (0, 60, 99):
        q = Slotter(rng, number)
        for _ in range(50):
            assert make_layout(number).exists[words.PLACE[q.one("place")]]
            assert q.one("surface", "sofa") != "sofa"


#: SHA-256 of the JSON lines of the 1,000 test tasks, split by split
PUBLISHED = "5dfb4c3cc33bc84bfa628e04f2ca4452d977b0c53995ce98146e9c4d66aac23e"
#: SHA-256 of the first 8,000 training texts
TEXTS = "5e10d82104a8a619997ef49f9328bd119eb153b3771a0e234d37129b40005eb9"
